/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/linux.h - host tools on a Linux that has the machine's IOMMU itself; no hypervisor of ours.
 *
 *   guests/linux/NN-*.sh  "# step: NAME"                      what there is to be shown, and on which machines
 *   serial line           "[ 3.8] linux: ok NAME: evidence"   by guests/linux/init and those scripts
 *
 * Who has something to show writes a script; nothing here knows what it is.
 */
#pragma once

#include "nic.h"

enum {
	LINUX_STEPS = 128,
	LINUX_NAME = 96
};

struct linux_host {
	const struct machine *machine;
	unsigned int
		count; /* of steps, the last of them our own: all was said, and the machine ended */
	char name[LINUX_STEPS][LINUX_NAME];
	const char *names[LINUX_STEPS];
	bool is_said[LINUX_STEPS];
	char odd[EVIDENCE_SIZE]; /* the first that nobody announced, or that was said twice */
	bool has_ended;
	struct boot_result ended;
	struct nic_finding step[LINUX_STEPS];
};

extern const struct machine linux_machine_table[];
extern const size_t linux_machine_count;

/* What a line of a script announces; `is_on`: it runs on this machine, true before its first line. */
void linux_host_announce(struct linux_host *host, const char *line, bool *is_on);
void linux_host_read_line(struct linux_host *host, const char *line);
/* Adds our own step. */
void linux_host_judge(struct linux_host *host);

/* How many steps the scripts announce for it, with our own. */
unsigned int linux_host_count(const struct machine *machine);
/* Boots the machine, and judges what it said. */
void linux_host_run(const struct runner *runner, const struct machine *machine,
		    struct linux_host *host);
void linux_host_print(const struct linux_host *host, FILE *output);
bool linux_host_is_good(const struct linux_host *host);
bool linux_host_write(const char *path, const struct linux_host *hosts, size_t count,
		      const char *qemu);
