/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/paging.c - the hypervisor's own identity map, built by boot.S. */
#include "platform/metal/paging.h"

#include <stddef.h>

#include "platform/metal/x86.h"

#define LEAF_SIZE     0x200000u
#define LEAF_COUNT    2048u
#define LEAF_UNCACHED 0x18ull /* PWT and PCD: PAT entry 3, UC */

extern uint64_t boot_pd[LEAF_COUNT];

/* Runs before other CPUs do, so the local flush is enough. */
void paging_uncache_from(sp_maddr_t top_of_low_ram)
{
	size_t first = (size_t)((top_of_low_ram.maddr + LEAF_SIZE - 1) / LEAF_SIZE);

	for (size_t i = first; i < LEAF_COUNT; i++)
		boot_pd[i] |= LEAF_UNCACHED;
	write_cr3(read_cr3());
}
