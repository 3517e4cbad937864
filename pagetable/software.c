/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/software.c - the map of a guest that runs on shadows: look-ups alone read it.
 *
 * No hardware walks it, so no bit is anybody's but ours, and nothing in it can be shared with a unit
 * (A1.6). Every pair of CPU rights that a type wants can be held.
 */
#include "pagetable/format.h"

#define PRESENT	     BIT(0)
#define WRITE	     BIT(1)
#define EXECUTE	     BIT(2)
#define LARGE	     BIT(7)

#define HELD(rights) (1u << (rights))

const struct format format_software = {
	.name = "software",
	.slots_order = 9,
	.levels_max = 5,
	.rights_seen = CPU_RIGHTS,
	.present = PRESENT,
	.frame = BITS(51, 12),
	.large_test = LARGE,
	.large_value = LARGE,
	.link = { 0, PRESENT, PRESENT, PRESENT, PRESENT },
	.leaf = { 0, LARGE, LARGE },
	.right_bit = { PRESENT, WRITE, EXECUTE, 0, 0 },
	.held = HELD(CPU_READ) | HELD(CPU_READ | CPU_WRITE) | HELD(CPU_READ | CPU_EXECUTE) |
		HELD(CPU_READ | CPU_WRITE | CPU_EXECUTE),
	.memory = { [MEMORY_WRITE_BACK] = 0,
		    [MEMORY_WRITE_THROUGH] = BIT(3),
		    [MEMORY_UNCACHED] = BIT(4) },
	.memory_mask = BIT(3) | BIT(4),
	.run = BIT(52),
};
