/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/nic.c - a stock Linux with two ports of its own: what it said, and the verdict.
 *
 *   debian| [   11.34] nic: ping 500 500                    by guests/nic.init
 *   fault    debian: sbdf 0000:00:02.0 write dfn 0x80: ...  by the hypervisor
 *   guest    debian: 65536 frames were mapped, 65536 came back (ok)
 */
#include "nic.h"

#include "steps.h"

#include <string.h>

enum {
	TOPIC = 9 /* the hypervisor's column of topics */
};

const char *const nic_step_names[NIC_STEPS] = {
	[NIC_USER_SPACE] = "Debian's kernel reaches user space",
	[NIC_LINK] = "the ports have a link",
	[NIC_TRAFFIC] = "packets of 1400 bytes come back",
	[NIC_INTERRUPTS] = "each port's MSI-X interrupts grow",
	[NIC_CONTAINED] = "no port reaches beyond the guest",
	[NIC_FRAMES] = "every frame comes back",
	[NIC_END] = "the guest ends, then the hypervisor",
};

static struct nic_vector *find_vector(struct nic *nic, const char *name)
{
	for (unsigned int i = 0; i < nic->vector_count; i++)
		if (strcmp(nic->vector[i].name, name) == 0)
			return &nic->vector[i];
	if (nic->vector_count == NIC_VECTORS)
		return NULL;
	snprintf(nic->vector[nic->vector_count].name, NIC_NAME, "%s", name);
	return &nic->vector[nic->vector_count++];
}

static void read_vector(struct nic *nic, const char *text)
{
	char when[8], name[NIC_NAME], kind[16];
	struct nic_vector *vector;
	unsigned long count;

	if (sscanf(text, "%7s %31s %lu %15s", when, name, &count, kind) != 4)
		return;
	vector = find_vector(nic, name);
	if (!vector)
		return;
	vector->is_msi = strcmp(kind, "PCI-MSI") == 0;
	if (strcmp(when, "before") == 0)
		vector->before = count;
	else
		vector->after = count;
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void keep(char *to, const char *text)
{
	if (to[0] == '\0')
		snprintf(to, EVIDENCE_SIZE, "%.*s", (int)strcspn(text, "\r\n"), text);
}

/* What the guest's script said. */
static void read_guest(struct nic *nic, const char *text)
{
	static const char user_space[] = "user space, kernel ";

	if (starts(text, user_space))
		keep(nic->kernel, text + strlen(user_space));
	else if (starts(text, "link up"))
		nic->link = true;
	else if (starts(text, "ping "))
		sscanf(text, "ping %u %u", &nic->sent, &nic->received);
	else if (starts(text, "before ") || starts(text, "after "))
		read_vector(nic, text);
}

/* "debian| ..." or "debian: ..." */
static bool is_of(const char *text, const char *guest, const char *mark)
{
	return starts(text, guest) && starts(text + strlen(guest), mark);
}

/* A guest's lines begin with its name: what it says is never taken for the hypervisor's word. */
void nic_read_line(struct nic *nic, const char *line)
{
	const char *said = is_of(line, nic->guest, "| ") ? strstr(line, "nic: ") : NULL;
	const char *tells = strlen(line) > TOPIC ? line + TOPIC : "";

	if (said)
		read_guest(nic, said + strlen("nic: "));
	else if (starts(line, "fault ") &&
		 (is_of(tells, nic->guest, ": ") || is_of(tells, "nobody", ": "))) {
		nic->faults++;
		keep(nic->fault, line);
	} else if (starts(line, "refused: ")) {
		keep(nic->refused, line);
	} else if (starts(line, "guest ") && is_of(tells, nic->guest, ": ")) {
		sscanf(tells + strlen(nic->guest), ": %lu frames were mapped, %lu came back",
		       &nic->mapped, &nic->returned);
	}
}

/* Those of transmitting and receiving; a third of each port tells of its link alone. */
static bool carries_traffic(const struct nic_vector *vector)
{
	return strstr(vector->name, "-rx-") || strstr(vector->name, "-tx-");
}

static void judge_interrupts(struct nic *nic)
{
	char text[EVIDENCE_SIZE] = "";
	unsigned int grew = 0;
	size_t used = 0;

	for (unsigned int i = 0; i < nic->vector_count; i++) {
		const struct nic_vector *vector = &nic->vector[i];

		if (!carries_traffic(vector))
			continue;
		grew += vector->is_msi && vector->after > vector->before;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %lu to %lu",
					 used ? ", " : "", vector->name, vector->before,
					 vector->after);
	}
	steps_find(&nic->step[NIC_INTERRUPTS], grew == nic->wanted, "%s",
		   used ? text : "/proc/interrupts names none");
}

void nic_judge(struct nic *nic, const struct boot_result *ended)
{
	const bool good_end = ended->end == BOOT_EXITED && ended->status == QEMU_EXIT_SUCCESS;

	steps_find(&nic->step[NIC_USER_SPACE], nic->kernel[0] != '\0', "%s",
		   nic->kernel[0]    ? nic->kernel
		   : nic->refused[0] ? nic->refused
				     : "it said nothing");
	steps_find(&nic->step[NIC_LINK], nic->link, "%s",
		   nic->link ? "up" : "it said nothing of it");
	steps_find(&nic->step[NIC_TRAFFIC], nic->sent == nic->packets && nic->received == nic->sent,
		   "%u sent, %u came back", nic->sent, nic->received);
	judge_interrupts(nic);
	steps_find(&nic->step[NIC_CONTAINED], nic->link && nic->faults == 0, "%u faults%s%s",
		   nic->faults, nic->faults ? ", the first: " : "", nic->fault);
	steps_find(&nic->step[NIC_FRAMES], nic->mapped != 0 && nic->mapped == nic->returned,
		   "%lu were mapped, %lu came back", nic->mapped, nic->returned);
	steps_find(&nic->step[NIC_END], good_end, "%s, status %d, after %.0f s",
		   ended->end == BOOT_TIMED_OUT ? "no end in time" : "ended", ended->status,
		   ended->seconds);
	nic->seconds = ended->seconds;
}

bool nic_is_good(const struct nic *nic)
{
	for (unsigned int i = 0; i < NIC_STEPS; i++)
		if (!nic->step[i].good)
			return false;
	return true;
}
