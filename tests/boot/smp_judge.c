/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/smp_judge.c - two guests with two CPUs each: the verdict over what was said.
 *
 * Each step is one of both guests, but for what the first alone does to the second's CPUs.
 */
#include "smp.h"

#include "steps.h"

#include <string.h>

enum {
	LATE = 5 /* interrupts that may still come to a CPU that they were moved from */
};

const char *const smp_step_names[SMP_STEPS] = {
	[SMP_CPUS] = "two CPUs each, by MP table and by ACPI",
	[SMP_CONFIG] = "functions are found by ports, or by ECAM",
	[SMP_TRAFFIC] = "packets of 1400 bytes come back",
	[SMP_AFFINITY] = "MSI-X vectors go where smp_affinity says",
	[SMP_BETWEEN] = "rescheduling and function calls between the CPUs",
	[SMP_SHOOTDOWN] = "a page that goes is forgotten by the other CPU",
	[SMP_RESTART] = "a CPU is stopped and started again",
	[SMP_OWN_NMI] = "an NMI reaches the guest's other CPU",
	[SMP_FOREIGN_INTERRUPT] = "an interrupt to another guest's CPU",
	[SMP_FOREIGN_NMI] = "an NMI to another guest's CPU",
	[SMP_FOREIGN_INIT] = "an INIT to another guest's CPU",
	[SMP_FOREIGN_STARTUP] = "a start-up message to another guest's CPU",
	[SMP_HYPERVISOR] = "an INIT to the hypervisor's CPU",
	[SMP_TABLE] = "an MSI-X table is not reached while its BAR comes and goes",
	[SMP_WORKS_ON] = "the other guest works on",
	[SMP_CONTAINED] = "no port reaches beyond its guest",
	[SMP_FRAMES] = "every frame comes back",
	[SMP_END] = "one resets, one switches off, the hypervisor ends",
};

static unsigned long grown(const struct smp_counts *counts, unsigned int cpu)
{
	return counts->after[cpu] > counts->before[cpu] ? counts->after[cpu] - counts->before[cpu]
							: 0;
}

static bool both_have(const struct smp *smp, bool (*has)(const struct smp_guest *guest))
{
	return has(&smp->run.guest[0]) && has(&smp->run.guest[1]);
}

/* ---- what both do ---- */

static bool has_cpus(const struct smp_guest *guest)
{
	return guest->cpus == SMP_CPU_COUNT && guest->columns == SMP_CPU_COUNT;
}

static void judge_cpus(struct smp *smp)
{
	const struct smp_guest *mp = &smp->run.guest[0], *acpi = &smp->run.guest[1];

	if (smp->run.refused[0])
		steps_find(&smp->step[SMP_CPUS], false, "%s", smp->run.refused);
	else
		steps_find(&smp->step[SMP_CPUS], both_have(smp, has_cpus),
			   "in /proc/cpuinfo and /proc/interrupts: mp %u and %u, acpi %u and %u",
			   mp->cpus, mp->columns, acpi->cpus, acpi->columns);
}

/* Neither finds anything in the other's way. */
static void judge_config(struct smp *smp)
{
	const struct smp_guest *mp = &smp->run.guest[0], *acpi = &smp->run.guest[1];
	const bool good = mp->ports != 0 && mp->ecam == 0 && mp->functions == 3 &&
			  acpi->ecam != 0 && acpi->ports == 0 && acpi->functions == 3;

	steps_find(&smp->step[SMP_CONFIG], good, "mp %s, %u functions; acpi %s, %u functions",
		   mp->ports ? "by ports" : "not by ports", mp->functions,
		   acpi->ecam && !acpi->ports ? "by ECAM alone" : "not by ECAM alone",
		   acpi->functions);
}

static bool has_traffic(const struct smp_guest *guest)
{
	for (unsigned int cpu = 0; cpu < SMP_CPU_COUNT; cpu++)
		if (guest->sent[cpu] != SMP_PACKETS || guest->received[cpu] != SMP_PACKETS)
			return false;
	return true;
}

static void judge_traffic(struct smp *smp)
{
	const struct smp_guest *mp = &smp->run.guest[0], *acpi = &smp->run.guest[1];

	steps_find(&smp->step[SMP_TRAFFIC], both_have(smp, has_traffic),
		   "mp %u of %u and %u of %u, acpi %u of %u and %u of %u", mp->received[0],
		   mp->sent[0], mp->received[1], mp->sent[1], acpi->received[0], acpi->sent[0],
		   acpi->received[1], acpi->sent[1]);
}

/* Each vector, while it was to go to one CPU, came to that one and not to the other. */
static bool has_affinity(const struct smp_guest *guest)
{
	for (unsigned int i = 0; i < guest->vector_count; i++) {
		for (unsigned int cpu = 0; cpu < SMP_CPU_COUNT; cpu++) {
			const struct smp_counts *counts = &guest->vector[i].on[cpu];

			if (grown(counts, cpu) < SMP_PACKETS / 2 || grown(counts, !cpu) > LATE)
				return false;
		}
	}
	return guest->vector_count == SMP_VECTORS && guest->moved >= SMP_VECTORS;
}

static size_t tell_vectors(const struct smp_guest *guest, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%s", guest->name);

	for (unsigned int i = 0; i < guest->vector_count; i++) {
		const struct smp_counts *on = guest->vector[i].on;

		used += (size_t)snprintf(text + used, size - used, "%s%s %lu+%lu then %lu+%lu",
					 i ? ", " : " ", guest->vector[i].name, grown(&on[0], 0),
					 grown(&on[0], 1), grown(&on[1], 0), grown(&on[1], 1));
	}
	return used;
}

static void judge_affinity(struct smp *smp)
{
	char text[EVIDENCE_SIZE];
	size_t used = tell_vectors(&smp->run.guest[0], text, sizeof(text));

	used += (size_t)snprintf(text + used, sizeof(text) - used, "; ");
	tell_vectors(&smp->run.guest[1], text + used, sizeof(text) - used);
	steps_find(&smp->step[SMP_AFFINITY], both_have(smp, has_affinity), "on CPU 0 + CPU 1: %s",
		   text);
}

static bool has_between(const struct smp_guest *guest)
{
	for (unsigned int cpu = 0; cpu < SMP_CPU_COUNT; cpu++)
		if (grown(&guest->resched, cpu) == 0 || grown(&guest->call, cpu) < 50)
			return false;
	return guest->delivered >= grown(&guest->resched, 0) + grown(&guest->resched, 1) +
					   grown(&guest->call, 0) + grown(&guest->call, 1);
}

static void judge_between(struct smp *smp)
{
	const struct smp_guest *mp = &smp->run.guest[0], *acpi = &smp->run.guest[1];

	steps_find(
		&smp->step[SMP_BETWEEN], both_have(smp, has_between),
		"RES %lu and %lu, CAL %lu and %lu more in mp, RES %lu and %lu, CAL %lu and %lu more in "
		"acpi; the hypervisor delivered %lu and %lu",
		grown(&mp->resched, 0), grown(&mp->resched, 1), grown(&mp->call, 0),
		grown(&mp->call, 1), grown(&acpi->resched, 0), grown(&acpi->resched, 1),
		grown(&acpi->call, 0), grown(&acpi->call, 1), mp->delivered, acpi->delivered);
}

static bool has_shootdown(const struct smp_guest *guest)
{
	return guest->rounds == SMP_ROUNDS && guest->wrong == 0 &&
	       grown(&guest->shootdown, 1) >= SMP_ROUNDS / 2;
}

static void judge_shootdown(struct smp *smp)
{
	const struct smp_guest *mp = &smp->run.guest[0], *acpi = &smp->run.guest[1];

	steps_find(
		&smp->step[SMP_SHOOTDOWN], both_have(smp, has_shootdown),
		"TLB shootdowns of CPU 1: %lu in mp, %lu in acpi; of %u and %u pages %u and %u held "
		"what an older one had",
		grown(&mp->shootdown, 1), grown(&acpi->shootdown, 1), mp->rounds, acpi->rounds,
		mp->wrong, acpi->wrong);
}

static bool has_restart(const struct smp_guest *guest)
{
	return guest->stopped == SMP_CPU_COUNT - 1 && guest->started == SMP_CPU_COUNT &&
	       guest->starts >= 4;
}

static void judge_restart(struct smp *smp)
{
	const struct smp_guest *mp = &smp->run.guest[0], *acpi = &smp->run.guest[1];

	steps_find(&smp->step[SMP_RESTART], both_have(smp, has_restart),
		   "mp had %u, then %u again by %lu INITs and start-ups; acpi %u, %u, %lu",
		   mp->stopped, mp->started, mp->starts, acpi->stopped, acpi->started,
		   acpi->starts);
}

static bool has_nmi(const struct smp_guest *guest)
{
	return grown(&guest->nmi, 0) == 0 && grown(&guest->nmi, 1) == 1 && guest->nmis == 1;
}

static void judge_nmi(struct smp *smp)
{
	const struct smp_guest *mp = &smp->run.guest[0], *acpi = &smp->run.guest[1];

	steps_find(&smp->step[SMP_OWN_NMI], both_have(smp, has_nmi),
		   "CPU 0 to CPU 1: %lu came in mp, %lu in acpi, and %lu and %lu to CPU 0",
		   grown(&mp->nmi, 1), grown(&acpi->nmi, 1), grown(&mp->nmi, 0),
		   grown(&acpi->nmi, 0));
}

/* ---- what the first does to others ---- */

/* The same to the guest's own other CPU, which succeeds: whom an INIT does not reach is not started. */
static enum smp_step control_of(unsigned int attack)
{
	static const enum smp_step controls[SMP_ATTACKS] = { SMP_BETWEEN, SMP_OWN_NMI, SMP_RESTART,
							     SMP_RESTART, SMP_RESTART };

	return controls[attack];
}

static void judge_attack(struct smp *smp, unsigned int attack)
{
	const enum smp_step control = control_of(attack);
	const struct smp_guest *mp = &smp->run.guest[0];
	const enum smp_step step = (enum smp_step)(SMP_FOREIGN_INTERRUPT + attack);

	if (!mp->tried[attack])
		steps_find(&smp->step[step], false, "was not tried");
	else if (mp->refused[attack][0] == '\0')
		steps_find(&smp->step[step], false,
			   "the hypervisor did not say that it refused it");
	else
		steps_find(&smp->step[step], mp->tried_all && smp->step[control].good,
			   "mp: %s; control: to its own CPU it %s (%u)", mp->refused[attack],
			   smp->step[control].good ? "came" : "did not come either", control + 1);
}

/* The one that a kernel that gets it tells of: with the check it is not heard, without it is. */
static void judge_interrupt(struct smp *smp)
{
	const struct smp_guest *acpi = &smp->run.guest[1], *control = &smp->control.guest[1];

	judge_attack(smp, 0);
	if (!smp->step[SMP_FOREIGN_INTERRUPT].good)
		return;
	if (!acpi->heard_known || acpi->heard != 0)
		steps_find(&smp->step[SMP_FOREIGN_INTERRUPT], false, "acpi %s",
			   acpi->heard_known ? "heard it" : "did not say what it heard");
	else if (!control->heard_known || control->heard == 0)
		steps_find(&smp->step[SMP_FOREIGN_INTERRUPT], false,
			   "acpi heard nothing, but with the check left out it %s",
			   control->heard_known ? "heard nothing either"
						: "did not say what it heard");
	else
		steps_find(
			&smp->step[SMP_FOREIGN_INTERRUPT], true,
			"mp: %s; acpi heard nothing; control: with the check left out it heard %u",
			smp->run.guest[0].refused[0], control->heard);
}

/* One CPU switches the BAR, the other one writes to the table: QEMU's own keeps what is written. */
static void judge_table(struct smp *smp)
{
	const struct smp_guest *acpi = &smp->run.guest[1], *control = &smp->control.guest[1];
	const bool good = acpi->races == SMP_RACES && acpi->trapped != 0 && acpi->reached == 0 &&
			  control->reached != 0;

	steps_find(
		&smp->step[SMP_TABLE], good,
		"%u times: %u writes were trapped, %u reached it; control: while the guest's CPUs were "
		"not held %u did, after %u times",
		acpi->races, acpi->trapped, acpi->reached, control->reached, control->races);
}

static void judge_works_on(struct smp *smp)
{
	const struct smp_guest *acpi = &smp->run.guest[1];
	const bool good = smp->run.guest[0].tried_all && acpi->ended &&
			  acpi->cpus_at_the_end == SMP_CPU_COUNT &&
			  acpi->last_rounds == SMP_LAST_ROUNDS && acpi->last_wrong == 0;

	steps_find(&smp->step[SMP_WORKS_ON], good,
		   "acpi has %u CPUs, and of %u pages more %u held an older value",
		   acpi->cpus_at_the_end, acpi->last_rounds, acpi->last_wrong);
}

/* ---- all of it ---- */

static bool has_frames(const struct smp_guest *guest)
{
	return guest->mapped != 0 && guest->mapped == guest->returned;
}

static bool has_no_faults(const struct smp_guest *guest)
{
	return guest->faults == 0 && has_traffic(guest);
}

static void judge_ends(struct smp *smp, const struct boot_result *ended)
{
	const struct smp_guest *mp = &smp->run.guest[0], *acpi = &smp->run.guest[1];
	const char *fault = mp->faults ? mp->fault : acpi->fault;
	const bool ends_well = ended->end == BOOT_EXITED && ended->status == QEMU_EXIT_SUCCESS &&
			       strcmp(mp->why, "it reset itself by the keyboard controller") == 0 &&
			       strcmp(acpi->why, "it switched itself off") == 0;

	steps_find(&smp->step[SMP_CONTAINED], both_have(smp, has_no_faults), "%u faults%s%s",
		   mp->faults + acpi->faults, fault[0] ? ", the first: " : "", fault);
	steps_find(&smp->step[SMP_FRAMES], both_have(smp, has_frames),
		   "mp %lu were mapped, %lu came back; acpi %lu, %lu", mp->mapped, mp->returned,
		   acpi->mapped, acpi->returned);
	steps_find(&smp->step[SMP_END], ends_well, "mp: %s; acpi: %s; %s, status %d, after %.0f s",
		   mp->why[0] ? mp->why : "no end", acpi->why[0] ? acpi->why : "no end",
		   ended->end == BOOT_TIMED_OUT ? "no end in time" : "ended", ended->status,
		   ended->seconds);
}

void smp_judge(struct smp *smp, const struct boot_result *ended)
{
	judge_cpus(smp);
	judge_config(smp);
	judge_traffic(smp);
	judge_affinity(smp);
	judge_between(smp);
	judge_shootdown(smp);
	judge_restart(smp);
	judge_nmi(smp);
	judge_interrupt(smp);
	for (unsigned int i = 1; i < SMP_ATTACKS; i++)
		judge_attack(smp, i);
	judge_table(smp);
	judge_works_on(smp);
	judge_ends(smp, ended);
}

bool smp_is_good(const struct smp *smp)
{
	for (unsigned int i = 0; i < SMP_STEPS; i++)
		if (!smp->step[i].good)
			return false;
	return true;
}
