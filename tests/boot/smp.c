/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/smp.c - two guests with two CPUs each: what was said.
 *
 *   mp| [ 9.0] smp: vector eth0-rx-0 1 227 20 227 220      by guests/smp.init
 *   refused  mp: command 0x4500 to APIC 0x3: ...           by the hypervisor
 *
 * smp_judge.c has the verdict.
 */
#include "smp.h"

#include <stdarg.h>
#include <string.h>

enum {
	TOPIC = 9 /* the hypervisor's column of topics */
};

/* Names as guests/smp.init has them, and how the hypervisor's line on each begins. */
static const struct {
	const char *name, *said;
} attack_names[SMP_ATTACKS] = {
	{ "interrupt", "command 0x4051 to APIC 0x3" },	{ "nmi", "command 0x4400 to APIC 0x4" },
	{ "init", "command 0x4500 to APIC 0x3" },	{ "startup", "command 0x4608 to APIC 0x4" },
	{ "hypervisor", "command 0x4500 to APIC 0x0" },
};

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void keep(char *to, const char *text)
{
	if (to[0] == '\0')
		snprintf(to, EVIDENCE_SIZE, "%.*s", (int)strcspn(text, "\r\n"), text);
}

void smp_begin(struct smp *smp, const struct machine *machine)
{
	*smp = (struct smp){ .machine = machine };
	smp->run.guest[0].name = smp->control.guest[0].name = "mp";
	smp->run.guest[1].name = smp->control.guest[1].name = "acpi";
}

/* "NAME before before after after" */
static bool read_counts(const char *text, char *name, struct smp_counts *counts)
{
	return sscanf(text, "%31s %lu %lu %lu %lu", name, &counts->before[0], &counts->before[1],
		      &counts->after[0], &counts->after[1]) == 5;
}

static struct smp_vector *find_vector(struct smp_guest *guest, const char *name)
{
	for (unsigned int i = 0; i < guest->vector_count; i++)
		if (strcmp(guest->vector[i].name, name) == 0)
			return &guest->vector[i];
	if (guest->vector_count == SMP_VECTORS)
		return NULL;
	snprintf(guest->vector[guest->vector_count].name, NIC_NAME, "%s", name);
	return &guest->vector[guest->vector_count++];
}

static void read_vector(struct smp_guest *guest, const char *text)
{
	struct smp_vector *vector;
	struct smp_counts c;
	unsigned int cpu;
	char name[NIC_NAME];

	if (sscanf(text, "%31s %u %lu %lu %lu %lu", name, &cpu, &c.before[0], &c.before[1],
		   &c.after[0], &c.after[1]) != 6 ||
	    cpu >= SMP_CPU_COUNT)
		return;
	vector = find_vector(guest, name);
	if (vector)
		vector->on[cpu] = c;
}

static void read_between(struct smp_guest *guest, const char *text)
{
	struct smp_counts counts;
	char name[NIC_NAME];

	if (!read_counts(text, name, &counts))
		return;
	if (strcmp(name, "RES") == 0)
		guest->resched = counts;
	else if (strcmp(name, "CAL") == 0)
		guest->call = counts;
	else if (strcmp(name, "TLB") == 0)
		guest->shootdown = counts;
}

static void read_ping(struct smp_guest *guest, const char *text)
{
	unsigned int cpu, sent, received;

	if (sscanf(text, "%u %u %u", &cpu, &sent, &received) != 3 || cpu >= SMP_CPU_COUNT)
		return;
	guest->sent[cpu] = sent;
	guest->received[cpu] = received;
}

/* Once while it works, and once at the end. */
static void read_threads(struct smp_guest *guest, const char *text)
{
	if (guest->rounds == 0)
		sscanf(text, "%u %u", &guest->rounds, &guest->wrong);
	else
		sscanf(text, "%u %u", &guest->last_rounds, &guest->last_wrong);
}

static void read_attack(struct smp_guest *guest, const char *text)
{
	for (unsigned int i = 0; i < SMP_ATTACKS; i++)
		if (starts(text, attack_names[i].name))
			guest->tried[i] = true;
}

static void read_rest(struct smp_guest *guest, const char *text)
{
	char name[NIC_NAME] = "NMI";

	if (sscanf(text, "cpus %u %u", &guest->cpus, &guest->columns) == 2 ||
	    sscanf(text, "config %u %u %u", &guest->ecam, &guest->ports, &guest->functions) == 3 ||
	    sscanf(text, "stopped %u", &guest->stopped) == 1 ||
	    sscanf(text, "started %u", &guest->started) == 1 ||
	    sscanf(text, "cpus-at-the-end %u", &guest->cpus_at_the_end) == 1 ||
	    sscanf(text, "race %u %u %u", &guest->races, &guest->trapped, &guest->reached) == 3)
		return;
	if (sscanf(text, "heard %u", &guest->heard) == 1)
		guest->heard_known = true;
	else if (starts(text, "nmi "))
		read_counts(text, name, &guest->nmi);
	else if (starts(text, "tried"))
		guest->tried_all = true;
	else if (starts(text, "end"))
		guest->ended = true;
}

/* What the guest's script said. */
static void read_guest(struct smp_guest *guest, const char *text)
{
	static const struct {
		const char *word;
		void (*read)(struct smp_guest *guest, const char *text);
	} words[] = {
		{ "vector ", read_vector },   { "between ", read_between }, { "ping ", read_ping },
		{ "threads ", read_threads }, { "attack ", read_attack },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (starts(text, words[i].word)) {
			words[i].read(guest, text + strlen(words[i].word));
			return;
		}
	}
	read_rest(guest, text);
}

static void read_refusal(struct smp_guest *guest, const char *text)
{
	for (unsigned int i = 0; i < SMP_ATTACKS; i++)
		if (starts(text, attack_names[i].said))
			keep(guest->refused[i], text);
}

/* The hypervisor's lines of a topic, behind the guest's name. */
static void read_hypervisor(struct smp_guest *guest, const char *line, const char *text)
{
	if (starts(line, "refused ")) {
		read_refusal(guest, text);
	} else if (starts(line, "fault ")) {
		guest->faults++;
		keep(guest->fault, line);
	} else if (starts(line, "apic ")) {
		sscanf(text,
		       "between its %*u CPUs %lu interrupts, %lu NMIs, %lu INITs and start-ups; "
		       "refused %*u; its devices' messages went to another CPU %lu times",
		       &guest->delivered, &guest->nmis, &guest->starts, &guest->moved);
	} else if (starts(line, "guest ")) {
		sscanf(text, "%lu frames were mapped, %lu came back", &guest->mapped,
		       &guest->returned);
	}
}

/* "mp| ...", "topic    mp: ..." or "guest    mp ended: ..." */
static void read_of(struct smp_guest *guest, const char *line)
{
	static const char ended[] = " ended: ";
	const size_t length = strlen(guest->name);
	const char *tells = strlen(line) > TOPIC ? line + TOPIC : "";
	const char *said;

	if (starts(line, guest->name) && starts(line + length, "| ")) {
		said = strstr(line, "smp: ");
		if (said)
			read_guest(guest, said + strlen("smp: "));
	} else if (starts(tells, guest->name) && starts(tells + length, ": ")) {
		read_hypervisor(guest, line, tells + length + 2);
	} else if (starts(line, "guest ") && starts(tells, guest->name) &&
		   starts(tells + length, ended)) {
		tells += length + strlen(ended);
		snprintf(guest->why, sizeof(guest->why), "%.*s", (int)strcspn(tells, "\r\n"),
			 tells);
	}
}

/* A guest's lines begin with its name: what it says is never taken for the hypervisor's word. */
void smp_read_line(struct smp_run *run, const char *line)
{
	if (starts(line, "refused: "))
		keep(run->refused, line);
	for (unsigned int i = 0; i < SMP_GUESTS; i++)
		read_of(&run->guest[i], line);
}
