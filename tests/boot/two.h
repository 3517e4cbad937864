/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/two.h - two stock Linux guests, of which one attacks: what came of each attack.
 *
 *   hostile| two: control NAME VALUE      the act where it is allowed: VALUE says that it succeeded
 *   hostile| two: attack NAME             the same act against others
 *   refused  hostile: ...                 the hypervisor's word on it, which names the culprit
 *
 * Meanwhile the other guest's traffic goes on, and is judged as in nic.h.
 */
#pragma once

#include "nic.h"

enum {
	TWO_ATTACKS = 19,
	TWO_PACKETS = 12000 /* as guests/two.conf says */
};

/* One thing that the hostile guest does, in its order. */
struct attack {
	const char *name;
	const char *said; /* how the hypervisor's line on it begins; NULL: there is none to see */
	const char *control;	   /* the same act where it is allowed */
	const char *control_value; /* what says that the control succeeded */
	bool by_fault; /* `said` comes from the unit: AMD-Vi reports none before QEMU 11.1 */
};
extern const struct attack attack_table[TWO_ATTACKS];

struct two {
	struct nic victim;
	bool tried[TWO_ATTACKS];
	char said[TWO_ATTACKS][EVIDENCE_SIZE]; /* the first line that begins as it should */
	char control[TWO_ATTACKS][NIC_NAME];
	unsigned int current; /* the attack that was announced last, and one */
	unsigned int stops;   /* how often its port was, because its faults did not end */
	unsigned int calls_tried, calls_refused; /* hypercalls with garbage, as the guest says */
	bool hostile_ended;			 /* it said so, after all its attacks */
	bool worked_to_the_end;			 /* the victim's last packet came after that */
	unsigned long mapped, returned;		 /* of the hostile guest */

	const struct machine *machine;
	bool fault_seen_here; /* this machine's unit reports faults */
	struct nic_finding attack[TWO_ATTACKS];
	struct nic_finding victim_works, storm, frames;
};

void two_begin(struct two *two, const struct machine *machine, unsigned int qemu);
void two_read_line(struct two *two, const char *line);
void two_judge(struct two *two, const struct boot_result *ended);
bool two_is_good(const struct two *two);

extern const struct machine two_machine_table[];
extern const size_t two_machine_count;

/* Lines for `make check`; how many there are is told by two_count(). */
unsigned int two_count(void);
void two_print(const struct two *two, FILE *output);
void two_run(const struct runner *runner, const struct machine *machine, struct two *two);
bool two_write(const char *path, const struct two *twos, size_t count, const char *qemu);
