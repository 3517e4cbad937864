/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/vf.c - two virtual functions, a guest each: what was said, and the verdict. */
#include "vf.h"

#include "steps.h"

#include <string.h>

static const char *const names[VF_GUESTS] = { "first", "second" };

void vf_begin(struct vf *vf, const struct machine *machine)
{
	*vf = (struct vf){ .machine = machine };
	for (unsigned int i = 0; i < VF_GUESTS; i++)
		vf->guest[i].nic.guest = names[i];
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void keep(char *to, const char *text)
{
	snprintf(to, EVIDENCE_SIZE, "%.*s", (int)strcspn(text, "\r\n"), text);
}

static void read_round(struct vf_guest *guest, const char *said)
{
	char came[DISK_SUM] = "";

	if (sscanf(said, "round %*u came %64s", came) != 1)
		return;
	guest->rounds++;
	guest->good_rounds += strlen(came) == DISK_SUM - 1 && strcmp(came, guest->made) == 0;
}

static void read_interrupts(struct vf_guest *guest, const char *said)
{
	char when[8], kind[16];
	unsigned long count;

	if (sscanf(said, "interrupts %7s %lu %15s", when, &count, kind) != 3)
		return;
	guest->is_msi = strcmp(kind, "PCI-MSI") == 0;
	*(strcmp(when, "before") == 0 ? &guest->before : &guest->after) = count;
}

static void read_guest(struct vf *vf, struct vf_guest *guest, const char *said)
{
	if (starts(said, "driver "))
		keep(guest->driver, said + strlen("driver "));
	else if (starts(said, "bus "))
		keep(guest->bus, said + strlen("bus "));
	else if (starts(said, "begins"))
		guest->begins = vf->lines;
	else if (starts(said, "ends"))
		guest->ends = vf->lines;
	else if (starts(said, "interrupts "))
		read_interrupts(guest, said);
	else if (starts(said, "control prp-inside 1"))
		vf->arrives = true;
	else if (starts(said, "attack prp-outside"))
		vf->aimed = true;
	else if (sscanf(said, "made %64s", guest->made) != 1)
		read_round(guest, said);
}

/* What the hypervisor's driver of the physical function says. */
static void read_driver(struct vf *vf, const char *line)
{
	const char *kept = strstr(line, ".0: ");

	if (strstr(line, ", online: ") && strstr(line, " is attached"))
		vf->online++;
	if (kept)
		sscanf(kept, ".0: %lu frames were mapped, %lu came back", &vf->kept, &vf->given);
}

void vf_read_line(struct vf *vf, const char *line)
{
	vf->lines++;
	if (starts(line, "nvme "))
		read_driver(vf, line);
	if (starts(line, "fault    first: sbdf 0000:00:10.1 write dfn 0x18000:")) {
		if (!vf->blocked[0])
			keep(vf->blocked, line);
		return;
	}
	for (unsigned int i = 0; i < VF_GUESTS; i++) {
		const char *said = starts(line, names[i]) && line[strlen(names[i])] == '|'
					   ? strstr(line, "vf: ")
					   : NULL;

		nic_read_line(&vf->guest[i].nic, line);
		if (said)
			read_guest(vf, &vf->guest[i], said + strlen("vf: "));
	}
}

/* ---- the verdict: a step is good where it is for both ---- */

static void judge_drivers(struct vf *vf)
{
	const struct vf_guest *first = &vf->guest[0], *second = &vf->guest[1];
	bool has = true, alone = true;
	char wanted[EVIDENCE_SIZE];

	for (unsigned int i = 0; i < VF_GUESTS; i++) {
		snprintf(wanted, sizeof(wanted), "nvme has 0x1b36 0x0010, disks 1, sectors %lu",
			 VF_SECTORS(i));
		has = has && strcmp(vf->guest[i].driver, wanted) == 0;
		alone = alone && strcmp(vf->guest[i].bus, "2 functions, 0 physical") == 0;
	}
	steps_find(&vf->step[VF_ON], vf->online == VF_GUESTS,
		   "%u virtual functions online, each with a namespace%s%s", vf->online,
		   first->nic.refused[0] ? "; " : "", first->nic.refused);
	steps_find(&vf->step[VF_DRIVER], has, "%.200s; %.200s", first->driver, second->driver);
	steps_find(&vf->step[VF_ALONE], alone, "first sees %.100s, second %.100s", first->bus,
		   second->bus);
}

static bool is_sum(const char *sum)
{
	return strlen(sum) == DISK_SUM - 1;
}

static void judge_sums(struct vf *vf)
{
	const struct vf_guest *first = &vf->guest[0], *second = &vf->guest[1];
	bool back = true, there = true;

	for (unsigned int i = 0; i < VF_GUESTS; i++) {
		const struct vf_guest *guest = &vf->guest[i];

		back = back && is_sum(guest->made) && guest->rounds == VF_ROUNDS &&
		       guest->good_rounds == VF_ROUNDS;
		there = there && is_sum(guest->made) && strcmp(guest->made, guest->image) == 0;
	}
	back = back && strcmp(first->made, second->made) != 0;
	steps_find(&vf->step[VF_COMES_BACK], back, "%u and %u of %u times; %.8s... and %.8s...",
		   first->good_rounds, second->good_rounds, VF_ROUNDS, first->made, second->made);
	steps_find(&vf->step[VF_IMAGE], there, "%.8s... and %.8s... of their first %d MiB",
		   first->image, second->image, DISK_MIB);
	steps_find(&vf->step[VF_AT_ONCE],
		   first->begins && second->begins && first->ends > second->begins &&
			   second->ends > first->begins,
		   "first from line %u to %u of what all say, second from %u to %u", first->begins,
		   first->ends, second->begins, second->ends);
}

static void judge_interrupts(struct vf *vf)
{
	bool grew = true;

	for (unsigned int i = 0; i < VF_GUESTS; i++)
		grew = grew && vf->guest[i].is_msi && vf->guest[i].after > vf->guest[i].before;
	steps_find(&vf->step[VF_INTERRUPTS], grew, "%lu to %lu, and %lu to %lu",
		   vf->guest[0].before, vf->guest[0].after, vf->guest[1].before,
		   vf->guest[1].after);
}

/* By name: that the unit knows each by an id of its own. AMD-Vi reports nothing before QEMU 11.1. */
static void judge_aim(struct vf *vf, unsigned int qemu)
{
	struct nic_finding *finding = &vf->step[VF_AIMED];
	const bool reports = vf->machine->unit != UNIT_AMDVI || qemu >= 110100;

	steps_find(finding, vf->arrives && vf->aimed && (!reports || vf->blocked[0]),
		   "inside its guest it %s; beyond: %.300s",
		   vf->arrives ? "arrives" : "does not arrive",
		   vf->blocked[0] ? vf->blocked
		   : !vf->aimed	  ? "not tried"
		   : reports	  ? "nobody reports it"
				  : "this QEMU's unit reports nothing");
	finding->blind = finding->good && !vf->blocked[0];
}

static void judge_frames(struct vf *vf)
{
	const struct nic *first = &vf->guest[0].nic, *second = &vf->guest[1].nic;
	const unsigned int faults = first->faults + second->faults;
	const char *fault = first->faults ? first->fault : second->fault;
	bool good = vf->kept != 0 && vf->kept == vf->given;

	for (unsigned int i = 0; i < VF_GUESTS; i++) {
		nic_judge(&vf->guest[i].nic, &vf->ended);
		good = good && vf->guest[i].nic.step[NIC_FRAMES].good &&
		       vf->guest[i].nic.step[NIC_END].good;
	}
	steps_find(&vf->step[VF_CONTAINED],
		   faults == 0 && vf->step[VF_DRIVER].good && vf->step[VF_COMES_BACK].good,
		   "%u faults%s%.300s", faults, faults ? ", the first: " : "", fault);
	steps_find(&vf->step[VF_FRAMES], good,
		   "%lu of %lu, %lu of %lu, the driver's %lu of %lu; %.200s", first->returned,
		   first->mapped, second->returned, second->mapped, vf->given, vf->kept,
		   first->step[NIC_END].evidence);
}

void vf_judge(struct vf *vf, unsigned int qemu)
{
	judge_drivers(vf);
	judge_sums(vf);
	judge_interrupts(vf);
	judge_aim(vf, qemu);
	judge_frames(vf);
}
