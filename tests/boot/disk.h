/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/disk.h - an NVMe controller of a guest's own: written, read back, and its root file system.
 *
 *   debian| [ 4.4] disk: made 64ec88...      by guests/disk.init: the sum of 64 MiB that it writes
 *   debian| [ 9.1] disk: came 64ec88...      and of what comes back
 *   OUT/boot-logs/MACHINE-disk.img           the same bytes, as QEMU has left them
 */
#pragma once

#include "nic.h"

enum disk_step {
	DISK_DRIVER,
	DISK_COMES_BACK,
	DISK_IMAGE,
	DISK_INTERRUPTS,
	DISK_ROOT,
	DISK_CONTAINED,
	DISK_FRAMES,
	DISK_STEPS
};

enum {
	DISK_MIB = 64,
	DISK_SUM = 65, /* characters of a SHA-256, with its zero */
	DISK_QUEUES = 8
};

/* A line of /proc/interrupts. */
struct disk_queue {
	char name[NIC_NAME];
	unsigned long before, after;
	bool is_msi;
};

struct disk {
	const struct machine *machine;
	char driver[EVIDENCE_SIZE];
	char made[DISK_SUM], came[DISK_SUM], image[DISK_SUM]; /* image: as the host reads it */
	unsigned long bytes;				      /* that came */
	unsigned long wrote, read;			      /* hundredths of a second */
	unsigned int queue_count;
	struct disk_queue queue[DISK_QUEUES];
	char root[EVIDENCE_SIZE]; /* what is mounted there */
	bool has_file, has_new;	  /* one from when it was made, one that the guest has written */
	struct nic nic;		  /* faults and frames */
	struct boot_result ended;
	struct nic_finding step[DISK_STEPS];
};

void disk_begin(struct disk *disk, const struct machine *machine);
void disk_read_line(struct disk *disk, const char *line);
void disk_judge(struct disk *disk);

/* A file of zeros. */
bool disk_make_image(const char *path, unsigned int mib);
/* Of its first 64 MiB: a second opinion on what a guest says that it has written. */
void disk_sum_image(const char *path, char sum[DISK_SUM]);

/* Boots each machine, prints a line for each step, and leaves OUT/disk.json. */
bool disk_run_all(const struct runner *runner, const struct machine *const *machines, size_t count);
