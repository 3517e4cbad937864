/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/ept.c - EPT, alone and shared with VT-d. SDM 3C 29.3.2, tables 29-1 to 29-7; VT-d 9.8.
 *
 * VT-d reads the same bits 0 and 1 as its own rights, reserves bit 11 unless it controls snooping
 * and bit 62 unless it has device TLBs, and ignores the memory type: so a shared map holds only
 * equal rights, and no bit of ours above 61.
 */
#include "pagetable/format.h"

#define READ		      BIT(0)
#define WRITE		      BIT(1)
#define EXECUTE		      BIT(2)
#define LARGE		      BIT(7)
#define MEMORY(type)	      ((uint64_t)(type) << 3) /* SDM 3A 12.3.1: the MTRR encodings */

#define HELD(rights)	      (1u << (rights))
#define DEVICE_AS_CPU(rights) (((rights) & (CPU_READ | CPU_WRITE)) << 3)
#define EQUAL(rights)	      HELD((rights) | DEVICE_AS_CPU(rights))

#define EPT_ROW                                                                              \
	.slots_order = 9, .levels_max = 5, .present = READ | WRITE | EXECUTE,                \
	.frame = BITS(51, 12), .large_test = LARGE, .large_value = LARGE,                    \
	.link = { 0, READ | WRITE | EXECUTE, READ | WRITE | EXECUTE, READ | WRITE | EXECUTE, \
		  READ | WRITE | EXECUTE },                                                  \
	.leaf = { 0, LARGE, LARGE }, .memory_mask = MEMORY(7),                               \
	.memory = { [MEMORY_WRITE_BACK] = MEMORY(6),                                         \
		    [MEMORY_WRITE_THROUGH] = MEMORY(4),                                      \
		    [MEMORY_UNCACHED] = MEMORY(0) },                                         \
	.hardware = BIT(8) | BIT(9)

const struct format format_ept = {
	.name = "EPT",
	EPT_ROW,
	.rights_seen = CPU_RIGHTS,
	.right_bit = { READ, WRITE, EXECUTE, 0, 0 },
	/* Write without read is a misconfiguration; execute alone is a capability that not every
	   CPU has. */
	.held = HELD(CPU_READ) | HELD(CPU_READ | CPU_WRITE) | HELD(CPU_READ | CPU_EXECUTE) |
		HELD(CPU_READ | CPU_WRITE | CPU_EXECUTE),
	.software = BITS(56, 52),
	.run = BIT(52),
};

const struct format format_ept_vtd = {
	.name = "EPT shared with VT-d",
	EPT_ROW,
	.rights_seen = CPU_RIGHTS | DEVICE_RIGHTS,
	.right_bit = { READ, WRITE, EXECUTE, READ, WRITE },
	.held = EQUAL(CPU_READ) | EQUAL(CPU_READ | CPU_WRITE) | EQUAL(CPU_READ | CPU_EXECUTE) |
		EQUAL(CPU_READ | CPU_WRITE | CPU_EXECUTE),
	.software = BITS(56, 52),
	.run = BIT(52),
	.reserved_low = { BIT(11) | BIT(62), BIT(11) | BIT(62), BIT(11) | BIT(62) },
};
