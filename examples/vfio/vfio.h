/* SPDX-License-Identifier: BSD-2-Clause */
/* examples/vfio/vfio.h - a guest's memory in a Linux process, and an edu by the kernel's VFIO. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sallyport/vfio.h>

#include "engines/edu.h"

#define MEMORY_FRAMES 1024u /* of this process: 512 for guests, then those of page tables */
#define GUEST_FRAMES  512u

/* platform.c: the sixteen functions, for one process. Frame n is the n-th page of `memory`. */
struct machine {
	unsigned char *memory;
	uint64_t tables; /* that were taken */
	uint64_t forgotten;
};

bool machine_make(struct machine *machine);
void *machine_address(void *machine, sp_mfn_t first, uint64_t count);

/* device.c: ends the program where it cannot be had, and says why. */
struct device {
	int container, group, function;
	struct edu edu;
};

void device_open(struct device *device, const char *sbdf);
