/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/amdvi.c - AMD-Vi's v1 host table, 1 to 6 levels, of a unit alone. 48882 2.2.3.
 *
 * A slot says the level of the table it points to, counted from 1; 0 makes it a leaf of its own
 * level's size.
 */
#include "pagetable/format.h"

#define PRESENT	      BIT(0)
#define NEXT_LEVEL(n) ((uint64_t)(n) << 9)
#define READ	      BIT(61)
#define WRITE	      BIT(62)
#define LINK(level)   (PRESENT | READ | WRITE | NEXT_LEVEL(level))

const struct format format_amdvi = {
	.name = "AMD-Vi v1",
	.slots_order = 9,
	.levels_max = 6,
	.rights_seen = DEVICE_RIGHTS,
	.present = PRESENT,
	.frame = BITS(51, 12),
	.large_test = NEXT_LEVEL(7),
	.large_value = NEXT_LEVEL(0),
	.link = { 0, LINK(1), LINK(2), LINK(3), LINK(4), LINK(5) },
	.leaf = { PRESENT, PRESENT, PRESENT, PRESENT, PRESENT, PRESENT },
	.right_bit = { 0, 0, 0, READ, WRITE },
	.held = 1u << DEVICE_READ | 1u << DEVICE_WRITE | 1u << (DEVICE_READ | DEVICE_WRITE),
	.hardware = BIT(5) | BIT(6),
	.software = BITS(4, 1),
	.run = BIT(1),
	.reserved_low = { BITS(58, 52) | BITS(11, 9), BITS(58, 52), BITS(58, 52), BITS(58, 52),
			  BITS(58, 52) },
};
