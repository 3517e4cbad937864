/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/vf.h - two virtual functions of one NVMe controller, each the only disk of a guest: both
 * written and read at once.
 *
 *   first|  [ 4.4] vf: made 64ec88...       by guests/vf.init: the sum of 64 MiB that it writes
 *   first|  [ 9.1] vf: round 1 came 64ec88...   and of what comes back, twice
 *   OUT/boot-logs/MACHINE-vf-first.img      the same bytes, as QEMU has left them
 */
#pragma once

#include "disk.h"

enum vf_step {
	VF_ON,
	VF_DRIVER,
	VF_ALONE,
	VF_COMES_BACK,
	VF_IMAGE,
	VF_AT_ONCE,
	VF_INTERRUPTS,
	VF_CONTAINED,
	VF_AIMED,
	VF_FRAMES,
	VF_STEPS
};

enum {
	VF_GUESTS = 2,
	VF_ROUNDS = 2
};

/* Sectors of the disk that each is to find, and no other. */
#define VF_SECTORS(guest) ((DISK_MIB + 1 + (guest)) * 2048ul)

struct vf_guest {
	char driver[EVIDENCE_SIZE], bus[EVIDENCE_SIZE];
	char made[DISK_SUM], image[DISK_SUM]; /* image: as the host reads it */
	unsigned int rounds, good_rounds;     /* that came back; as they were made */
	unsigned int begins, ends;	      /* which line; 0: it did not say so */
	unsigned long before, after;	      /* interrupts */
	bool is_msi;
	struct nic nic; /* faults and frames */
};

struct vf {
	const struct machine *machine;
	struct vf_guest guest[VF_GUESTS];
	unsigned int lines;
	unsigned int online;	     /* virtual functions, with a namespace */
	bool arrives, aimed;	     /* the first aims its own: inside, where it arrives; outside */
	char blocked[EVIDENCE_SIZE]; /* the unit's word on that */
	unsigned long kept, given;   /* frames of the hypervisor's own driver */
	struct boot_result ended;
	struct nic_finding step[VF_STEPS];
};

void vf_begin(struct vf *vf, const struct machine *machine);
void vf_read_line(struct vf *vf, const char *line);
/* `qemu`: its version, 70222. */
void vf_judge(struct vf *vf, unsigned int qemu);

/* Boots each machine, prints a line for each step, and leaves OUT/vf.json. */
bool vf_run_all(const struct runner *runner, const struct machine *const *machines, size_t count);
