/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/vtd.c - VT-d second stage, 3 to 5 levels, of a unit alone. VT-d 9.8.
 *
 * The legacy mode's entries know no memory type; bit 11 (snoop) and bit 62 are reserved without
 * their capability.
 */
#include "pagetable/format.h"

#define READ  BIT(0)
#define WRITE BIT(1)
#define LARGE BIT(7)

const struct format format_vtd = {
	.name = "VT-d second stage",
	.slots_order = 9,
	.levels_max = 5,
	.rights_seen = DEVICE_RIGHTS,
	.present = READ | WRITE,
	.frame = BITS(51, 12),
	.large_test = LARGE,
	.large_value = LARGE,
	.link = { 0, READ | WRITE, READ | WRITE, READ | WRITE, READ | WRITE },
	.leaf = { 0, LARGE, LARGE },
	.right_bit = { 0, 0, 0, READ, WRITE },
	.held = 1u << DEVICE_READ | 1u << DEVICE_WRITE | 1u << (DEVICE_READ | DEVICE_WRITE),
	.hardware = BIT(8) | BIT(9),
	.software = BITS(61, 52),
	.run = BIT(52),
	.reserved_low = { BIT(11) | BIT(62), BIT(11) | BIT(62), BIT(11) | BIT(62) },
};
