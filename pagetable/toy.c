/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/toy.c - a format that no hardware walks: two slots a table, so that tests can try
 * everything.
 *
 * If the engine could not run it, formats would not yet be data. It holds every pair of rights in
 * which the CPU reads.
 */
#include "pagetable/format.h"

#define PRESENT BIT(0)
#define LARGE	BIT(7)
#define RIGHTS	BITS(4, 0)

const struct format format_toy = {
	.name = "toy",
	.slots_order = 1,
	.levels_max = 5,
	.rights_seen = CPU_RIGHTS | DEVICE_RIGHTS,
	.present = PRESENT,
	.frame = BITS(51, 12),
	.large_test = LARGE,
	.large_value = LARGE,
	.link = { 0, RIGHTS, RIGHTS, RIGHTS, RIGHTS },
	.leaf = { 0, LARGE, LARGE, LARGE, LARGE },
	.right_bit = { BIT(0), BIT(1), BIT(2), BIT(3), BIT(4) },
	.held = 0xaaaaaaaa,
	.memory = { [MEMORY_WRITE_BACK] = 0,
		    [MEMORY_WRITE_THROUGH] = BIT(5),
		    [MEMORY_UNCACHED] = BIT(6) },
	.memory_mask = BIT(5) | BIT(6),
	.hardware = BIT(8) | BIT(9),
	.software = BITS(56, 52),
	.run = BIT(52),
};
