/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/isolation.h - examples/dpdk-isolation, run in a guest and on a machine without a hypervisor.
 *
 *   debian| [ 8.0] isolation: here: ok 7 - a write above: contained, ...   by guests/isolation.init
 *   debian| [ 8.1] isolation: here: status 0
 *   fault    debian: sbdf 0000:00:11.0 write dfn 0x10200: ...              by the hypervisor
 */
#pragma once

#include "nic.h"

/* In a guest. */
enum isolation_step {
	ISOLATION_ROWS,
	ISOLATION_OWN,
	ISOLATION_INSIDE,
	ISOLATION_READS,
	ISOLATION_WRITES,
	ISOLATION_REPORTED,
	ISOLATION_STATUS,
	ISOLATION_FRAMES,
	ISOLATION_STEPS
};

/* On the machine without a hypervisor, and without a unit. */
enum isolation_bare_step {
	ISOLATION_BARE_REFUSES,
	ISOLATION_BARE_OWN,
	ISOLATION_BARE_FOUND,
	ISOLATION_BARE_SEEN,
	ISOLATION_BARE_STEPS
};

enum {
	ISOLATION_RUNS = 8,   /* of the program, in one boot */
	ISOLATION_LINES = 16, /* rows of one run */
	ISOLATION_NAME = 48
};

struct isolation_row {
	char name[ISOLATION_NAME];
	bool good, skipped;
	char said[EVIDENCE_SIZE];
};

/* One run of the program. */
struct isolation_run {
	char word[ISOLATION_NAME]; /* in front of its lines */
	unsigned int planned, count;
	struct isolation_row row[ISOLATION_LINES];
	char last[EVIDENCE_SIZE]; /* its last word, or what it refuses for */
	bool has_ended;
	unsigned int status;
};

struct isolation {
	const struct machine *machine;
	bool fault_seen_here; /* this machine's unit reports faults */
	struct nic nic;	      /* faults and frames */
	unsigned long faults; /* of all functions, as the hypervisor counts them at the end */
	unsigned int run_count;
	struct isolation_run run[ISOLATION_RUNS];
	struct boot_result ended;
	struct nic_finding step[ISOLATION_STEPS];
};

void isolation_begin(struct isolation *isolation, const struct machine *machine, unsigned int qemu);
void isolation_read_line(struct isolation *isolation, const char *line);
void isolation_judge(struct isolation *isolation);
bool isolation_is_bare(const struct machine *machine);
unsigned int isolation_steps(const struct machine *machine);

extern const struct machine isolation_machine_table[];
extern const size_t isolation_machine_count;

/* Boots each machine, prints a line for each step, and leaves OUT/isolation.json. */
bool isolation_run_all(const struct runner *runner, const struct machine *const *machines,
		       size_t count);
