/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/startup.h - what it costs to start a guest: seconds to user space here and on the bare
 * machine, exits, and the commands that an IOMMU gets.
 *
 *   here, bare, here     one kernel, initial RAM disk and command line; ratio = mean of here / bare
 *   QEMU's trace of      bring-up alone, a guest, a guest with a function; each to its start and its end:
 *                        what one costs is the difference of two
 */
#pragma once

#include "nic.h"

enum {
	STARTUP_STEPS = 6
};

/* Commands by what they do, whatever the vendor calls them. */
enum command {
	COMMAND_ENTRY,	    /* device table or context entry */
	COMMAND_DOMAIN,	    /* every translation of a domain */
	COMMAND_PAGES,	    /* some of them */
	COMMAND_ALL,	    /* of every domain */
	COMMAND_INTERRUPTS, /* an interrupt entry, or a table of them */
	COMMAND_WAIT,
	COMMAND_OTHER,
	COMMAND_KINDS
};

struct commands {
	bool read; /* the run got as far as it should */
	long of[COMMAND_KINDS];
};

/* Runs of which commands are counted. */
enum startup_run {
	RUN_BRING_UP,	 /* no guest at all */
	RUN_STAY,	 /* a guest is started */
	RUN_STAY_DEVICE, /* ... that has a function */
	RUN_END,	 /* a guest is started, and ends */
	RUN_END_DEVICE,
	RUN_COUNT
};

struct exits {
	unsigned long all, a_second;
	char text[EVIDENCE_SIZE]; /* by reason */
};

struct startup {
	const struct machine *machine;
	bool is_timed; /* on this machine seconds are measured */
	double here[2], before[2],
		bare; /* seconds to user space; `before`: to the guest's first step */
	struct exits exits;
	struct commands run[RUN_COUNT], linux; /* `linux`: of the first timed run, as a whole */
	struct nic_finding step[STARTUP_STEPS];
	double seconds;
};

void startup_count_line(struct commands *commands, const char *line);
/* The hypervisor's line of exits, of a guest with this name. */
void startup_read_exits(struct exits *exits, const char *guest, const char *line);
void startup_judge(struct startup *startup);
bool startup_is_good(const struct startup *startup);

extern const struct machine startup_machine_table[];
extern const size_t startup_machine_count;

void startup_run(const struct runner *runner, const struct machine *machine,
		 struct startup *startup);
unsigned int startup_count(const struct machine *machine);
void startup_print(const struct startup *startup, FILE *output);
bool startup_write(const char *path, const struct startup *startups, size_t count,
		   const char *qemu);
