/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/two.c - two guests, of which one attacks: what was said, and the verdict.
 *
 * An attack is contained when it was tried, its control succeeded, the hypervisor named the culprit
 * and the act where there is something to name, and the other guest worked on to its end.
 */
#include "two.h"

#include "steps.h"

#include <string.h>

#define CONTROL_CPU "interrupt-to-itself", "1"
#define CONTROL_MSI "message-to-itself", "0x00000000"

/* CPU 0 is the hypervisor's, 1 the victim's, 2 the hostile guest's. */
const struct attack attack_table[TWO_ATTACKS] = {
	{ "init-to-hypervisor", "command 0x4500 to APIC 0x0", CONTROL_CPU, false },
	{ "init-to-victim", "command 0x4500 to APIC 0x1", CONTROL_CPU, false },
	{ "nmi-to-victim", "command 0x4400 to APIC 0x1", CONTROL_CPU, false },
	{ "interrupt-to-victim", "command 0x40fd to APIC 0x1", CONTROL_CPU, false },
	{ "smi", "command 0x4200 to APIC 0x1", CONTROL_CPU, false },
	{ "init-to-all-others", NULL, CONTROL_CPU, false },
	{ "message-to-victim", "interrupt 0 of ", CONTROL_MSI, false },
	{ "message-as-nmi", "interrupt 1 of ", CONTROL_MSI, false },
	/* The port's status register, read where the BAR was moved to. */
	{ "bar-over-apic", "BAR 0 of ", "bar-in-its-window", "0x00080283", false },
	/* The scratch register of its serial port keeps what was written. */
	{ "exit-port", NULL, "port-of-its-own", "85", false },
	{ "address-where-nothing-is", "write of 4 bytes at 0xfed", "bar-in-its-window",
	  "0x00080283", false },
	{ "call-from-user-space", "call 0x0 of ring 3", "give-by-kernel", "1", false },
	{ "call-unknown", "call 0x0 of ring 0", "version-by-kernel", "1", false },
	{ "call-foreign-pages", "call 0x53500002 of ring 0", "exchange-by-kernel", "1", false },
	{ "call-get-unasked", "call 0x53500003 of ring 0", "get-by-kernel", "1", false },
	{ "call-foreign-function", "call 0x53500007 of ring 0", "faults-by-kernel", "0", false },
	/* edu is behind the unit, where that is a function; the NVMe controller where two_run.c puts it. */
	{ "edu-outside", "sbdf 0000:00:0", "edu-inside", "1", true },
	{ "prp-outside", "sbdf 0000:00:13.0 ", "prp-inside", "1", true },
	/* The queue's head, behind twenty descriptors. */
	{ "rings-outside", "sbdf ", "rings-inside", "0x00000014", true },
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

void two_begin(struct two *two, const struct machine *machine, unsigned int qemu)
{
	*two = (struct two){ .machine = machine,
			     .victim = { .guest = "victim", .packets = TWO_PACKETS, .wanted = 4 },
			     .fault_seen_here = machine->unit == UNIT_VTD || qemu >= 110100 };
}

static void read_control(struct two *two, const char *text)
{
	char name[NIC_NAME], value[NIC_NAME];

	if (sscanf(text, "control %31s %31s", name, value) != 2)
		return;
	for (unsigned int i = 0; i < TWO_ATTACKS; i++)
		if (strcmp(attack_table[i].control, name) == 0)
			snprintf(two->control[i], NIC_NAME, "%s", value);
}

/* "calls of ring 0, foreign: 1539 tried, 1539 refused" */
static void read_calls(struct two *two, const char *text)
{
	unsigned int tried, refused;

	if (sscanf(text, "calls of ring %*[^:]: %u tried, %u refused", &tried, &refused) != 2)
		return;
	two->calls_tried += tried;
	two->calls_refused += refused;
}

static void read_hostile(struct two *two, const char *text)
{
	char name[NIC_NAME];

	read_control(two, text);
	read_calls(two, text);
	if (starts(text, "end"))
		two->hostile_ended = true;
	if (sscanf(text, "attack %31s", name) != 1)
		return;
	for (unsigned int i = 0; i < TWO_ATTACKS; i++) {
		if (strcmp(attack_table[i].name, name) != 0)
			continue;
		two->tried[i] = true;
		two->current = i + 1;
	}
}

/* What the hypervisor says while an attack is under way is about that one, if it begins so. */
static void read_word(struct two *two, const char *text, bool by_fault)
{
	const struct attack *attack;

	if (two->current == 0)
		return;
	attack = &attack_table[two->current - 1];
	if (attack->said && attack->by_fault == by_fault && starts(text, attack->said))
		keep(two->said[two->current - 1], text);
}

void two_read_line(struct two *two, const char *line)
{
	static const char refused[] = "refused  hostile: ", fault[] = "fault    hostile: ";
	const char *said = starts(line, "hostile| ") ? strstr(line, "two: ") : NULL;
	const unsigned int sent = two->victim.sent;

	nic_read_line(&two->victim, line);
	if (two->victim.sent != sent)
		two->worked_to_the_end = two->hostile_ended;
	if (said)
		read_hostile(two, said + strlen("two: "));
	else if (starts(line, refused))
		read_word(two, line + strlen(refused), false);
	else if (starts(line, fault))
		read_word(two, line + strlen(fault), true);
	else if (starts(line, "fault ") && strstr(line, " of hostile: ") &&
		 strstr(line, "it is stopped, bus mastering off"))
		two->stops++;
	else
		sscanf(line, "guest hostile: %lu frames were mapped, %lu came back", &two->mapped,
		       &two->returned);
}

static void judge_attack(struct two *two, unsigned int i)
{
	const struct attack *attack = &attack_table[i];
	const bool is_blind = attack->by_fault && !two->fault_seen_here;
	const bool control_good = strcmp(two->control[i], attack->control_value) == 0;
	const char *said = two->said[i][0] ? two->said[i] : "the machine goes on";

	if (!two->tried[i])
		steps_find(&two->attack[i], false, "was not tried");
	else if (!control_good)
		steps_find(&two->attack[i], false,
			   "its control did not succeed: %s was \"%s\", not %s", attack->control,
			   two->control[i], attack->control_value);
	else if (starts(attack->name, "call-") &&
		 (two->calls_tried == 0 || two->calls_tried != two->calls_refused))
		steps_find(&two->attack[i], false, "%u of %u calls were refused",
			   two->calls_refused, two->calls_tried);
	else if (attack->said && !is_blind && two->said[i][0] == '\0')
		steps_find(&two->attack[i], false, "the hypervisor did not say \"hostile: %s...\"",
			   attack->said);
	else
		steps_find(&two->attack[i], two->hostile_ended, "%s; control %s %s", said,
			   attack->control, two->control[i]);
	two->attack[i].blind = two->attack[i].good && is_blind;
}

void two_judge(struct two *two, const struct boot_result *ended)
{
	struct nic *victim = &two->victim;

	nic_judge(victim, ended);
	for (unsigned int i = 0; i < TWO_ATTACKS; i++)
		judge_attack(two, i);
	steps_find(&two->victim_works, nic_is_good(victim) && two->worked_to_the_end,
		   "%u packets sent, %u came back, %s; %s", victim->sent, victim->received,
		   two->worked_to_the_end ? "to behind the last attack"
					  : "the last before the attacks were over",
		   victim->step[NIC_INTERRUPTS].evidence);
	steps_find(&two->storm, two->stops == 1 || !two->fault_seen_here, "%s",
		   two->stops == 1
			   ? "its port was stopped, bus mastering off, and that was said once"
		   : two->stops != 0	  ? "it was said more than once"
		   : two->fault_seen_here ? "its port was not stopped"
					  : "this unit reports no faults");
	two->storm.blind = !two->fault_seen_here;
	steps_find(&two->frames, two->mapped != 0 && two->mapped == two->returned,
		   "%lu were mapped, %lu came back", two->mapped, two->returned);
}

bool two_is_good(const struct two *two)
{
	for (unsigned int i = 0; i < TWO_ATTACKS; i++)
		if (!two->attack[i].good)
			return false;
	return two->victim_works.good && two->storm.good && two->frames.good;
}
