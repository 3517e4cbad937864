/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/startup.c - what it costs to start a guest: reading and the verdict. */
#include "startup.h"

#include "steps.h"

#include <string.h>

#define AIM	   1.3
#define FAR_BEYOND 3.0 /* KVM with VFIO takes 3 to 4 times as long */

/* QEMU 7.2 and later, hw/i386/trace-events: an event's name and what the command does. */
static const struct {
	const char *event;
	enum command kind;
} events[] = {
	{ "amdvi_devtab_inval", COMMAND_ENTRY },
	{ "amdvi_pages_inval", COMMAND_DOMAIN }, /* whatever its width: QEMU forgets the domain */
	{ "amdvi_iotlb_inval", COMMAND_OTHER },
	{ "amdvi_all_inval", COMMAND_ALL },
	{ "amdvi_intr_inval", COMMAND_INTERRUPTS },
	{ "amdvi_completion_wait ", COMMAND_WAIT },
	{ "vtd_inv_desc_cc_global", COMMAND_ALL },
	{ "vtd_inv_desc_cc_domain", COMMAND_ENTRY },
	{ "vtd_inv_desc_cc_devices", COMMAND_ENTRY },
	{ "vtd_inv_desc_iotlb_global", COMMAND_ALL },
	{ "vtd_inv_desc_iotlb_domain", COMMAND_DOMAIN },
	{ "vtd_inv_desc_iotlb_pages", COMMAND_PAGES },
	{ "vtd_inv_desc_iotlb_pasid", COMMAND_OTHER },
	{ "vtd_inv_desc_iec", COMMAND_INTERRUPTS },
	{ "vtd_inv_desc_wait_sw", COMMAND_WAIT },
	{ "vtd_inv_desc_wait_irq", COMMAND_WAIT },
};

static const char *const command_names[COMMAND_KINDS] = {
	"device entry", "domain", "pages", "all", "interrupt entries", "wait", "other",
};

/* "vtd_inv_desc_wait_sw wait desc ..." is one command; vtd_inv_desc itself comes before each. */
void startup_count_line(struct commands *commands, const char *line)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		const char *found = strstr(line, events[i].event);

		if (found && (found == line || found[-1] == ':'))
			commands->of[events[i].kind]++;
	}
}

void startup_read_exits(struct exits *exits, const char *guest, const char *line)
{
	static const char topic[] = "exits    ";
	const char *of = line + strlen(topic), *by;

	if (strncmp(line, topic, strlen(topic)) != 0 || strncmp(of, guest, strlen(guest)) != 0)
		return;
	sscanf(of + strlen(guest), ": %lu, %lu a second", &exits->all, &exits->a_second);
	by = strstr(of, "a second: ");
	if (by)
		snprintf(exits->text, EVIDENCE_SIZE, "%.*s",
			 (int)strcspn(by + strlen("a second: "), "\r\n"),
			 by + strlen("a second: "));
}

/* "2 domain, 1 wait"; "none" */
static void tell(const struct commands *commands, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < COMMAND_KINDS && used < size; i++)
		if (commands->of[i] != 0)
			used += (size_t)snprintf(text + used, size - used, "%s%ld %s",
						 used ? ", " : "", commands->of[i],
						 command_names[i]);
	if (used == 0)
		snprintf(text, size, "none");
}

static struct commands minus(const struct commands *of, const struct commands *without)
{
	struct commands rest = { .read = of->read && without->read };

	for (unsigned int i = 0; i < COMMAND_KINDS; i++)
		rest.of[i] = of->of[i] - without->of[i];
	return rest;
}

static bool is_none(const struct commands *commands)
{
	for (unsigned int i = 0; i < COMMAND_KINDS; i++)
		if (commands->of[i] != 0)
			return false;
	return commands->read;
}

/* AMD-Vi's queue promises no order: a wait of its own holds the domain back behind the entry (48882 2.4). */
static long waits_of(const struct machine *machine)
{
	return machine->unit == UNIT_AMDVI ? 2 : 1;
}

/* An entry, a domain and its waits, and not more of each. */
static bool is_aim(const struct commands *commands, long waits)
{
	const struct commands aim = {
		.of = { [COMMAND_ENTRY] = 1, [COMMAND_DOMAIN] = 1, [COMMAND_WAIT] = waits }
	};
	const struct commands rest = minus(commands, &aim);

	for (unsigned int i = 0; i < COMMAND_KINDS; i++)
		if (rest.of[i] > 0)
			return false;
	return commands->read;
}

static void judge_function(const struct startup *startup, struct nic_finding *finding,
			   const struct commands *commands)
{
	const long waits = waits_of(startup->machine);
	char text[EVIDENCE_SIZE / 2];

	tell(commands, text, sizeof(text));
	steps_find(finding, is_aim(commands, waits), "%s (aim: 1 device entry, 1 domain, %ld wait)",
		   commands->read ? text : "a run did not get so far", waits);
}

static void judge_commands(struct startup *startup)
{
	const struct commands *run = startup->run;
	const struct commands map = minus(&run[RUN_STAY], &run[RUN_BRING_UP]);
	const struct commands given = minus(&run[RUN_STAY_DEVICE], &run[RUN_STAY]);
	const struct commands all = minus(&run[RUN_END_DEVICE], &run[RUN_END]);
	const struct commands taken = minus(&all, &given);
	char text[EVIDENCE_SIZE / 2];

	tell(&map, text, sizeof(text));
	steps_find(&startup->step[0], is_none(&map), "%s (aim: none)",
		   map.read ? text : "a run did not get so far");
	judge_function(startup, &startup->step[1], &given);
	judge_function(startup, &startup->step[2], &taken);
}

static void judge_time(struct startup *startup)
{
	const double here = (startup->here[0] + startup->here[1]) / 2;
	const double ratio = startup->bare > 0 ? here / startup->bare : 0;
	const bool reached = startup->here[0] > 0 && startup->here[1] > 0 && startup->bare > 0;
	char text[EVIDENCE_SIZE / 2];

	steps_find(&startup->step[3], reached,
		   "here %.1f s and %.1f s (of which %.1f s and %.1f s before the guest), bare "
		   "%.1f s",
		   startup->here[0], startup->here[1], startup->before[0], startup->before[1],
		   startup->bare);
	steps_find(&startup->step[4], reached && ratio < FAR_BEYOND, "%.2f; the aim of %.1f is %s",
		   ratio, AIM, ratio <= AIM ? "met" : "MISSED");
	tell(&startup->linux, text, sizeof(text));
	steps_find(&startup->step[5], startup->exits.all != 0,
		   "%lu, %lu a second: %s; the unit's commands, bring-up and end included: %s",
		   startup->exits.all, startup->exits.a_second, startup->exits.text, text);
}

void startup_judge(struct startup *startup)
{
	judge_commands(startup);
	if (startup->is_timed)
		judge_time(startup);
}

bool startup_is_good(const struct startup *startup)
{
	for (unsigned int i = 0; i < startup_count(startup->machine); i++)
		if (!startup->step[i].good)
			return false;
	return true;
}
