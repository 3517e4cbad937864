/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/change.h - memory, a second device and the sizes of pages change in a guest whose ports DPDK drives.
 *
 *   debian| dpdk: change ...      guests/change.c, which asks for it
 *   pages    debian: ...          the hypervisor, each second
 *   what each port sends          wire.h, frame by frame
 *
 * The control is the image with mutants, where units are not told of frames that are exchanged: packets go to the old
 * ones, and what comes out of the new ones is another frame than was to come.
 */
#pragma once

#include "dpdk.h"
#include "wire.h"

enum change_step {
	CHANGE_SPLIT,
	CHANGE_MEMORY,
	CHANGE_DEVICE,
	CHANGE_EXCHANGE,
	CHANGE_PACKETS,
	CHANGE_WIRE,
	CHANGE_RATE,
	CHANGE_CONTAINED,
	CHANGE_FRAMES,
	CHANGE_CONTROL,
	CHANGE_STEPS
};

enum change_phase {
	CHANGE_BEFORE,
	CHANGE_MEANWHILE,
	CHANGE_AFTER,
	CHANGE_PHASES
};

struct change {
	const struct machine *machine;
	bool fault_seen_here; /* this machine's unit reports faults */
	struct dpdk_run run;
	enum change_phase phase, sampled_in;
	struct change_rate {
		double sum;
		unsigned int samples;
	} rate[CHANGE_PHASES];
	unsigned long small, small_most;	   /* pages of 4 KiB, while large ones are split */
	unsigned int large, spare, splits, merges; /* as the guest says */
	bool has_split;				   /* said that it is through with that */
	unsigned int given, again, exchanged, of;  /* pages */
	unsigned int moved, blocked, lost, came_again, went; /* the second device's */
	bool was_given, was_taken;			     /* as the monitor says */
	unsigned int faults_of_device;
	struct wire wire[DPDK_PORTS];
	struct nic_finding step[CHANGE_STEPS];
};

void change_begin(struct change *change, const struct machine *machine, unsigned int qemu);
void change_read_line(struct change *change, const char *line);
/* `control` is what was seen of the machine's other run. */
void change_judge(struct change *change, const struct change *control);
bool change_is_good(const struct change *change);

void change_run(const struct runner *runner, const struct machine *machine, struct change *change);
void change_print(const struct change *change, FILE *output);
bool change_write(const char *path, const struct change *changes, size_t count, const char *qemu);
