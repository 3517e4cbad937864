/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/npt.c - NPT, alone and fused with AMD-Vi's v1 host table. APM 2 15.25.5, 5.3;
 * 48882 2.2.3.
 *
 *   63  62 61  60..52   51..12   11..9        8  7   6 5   4   3   2  1  0
 *   NX  IW IR           frame    next level      PS  D A   PCD PWT US RW P
 *       `--- AMD-Vi ---'         `- AMD-Vi -'
 *
 * Links carry all rights and leaves decide. US must be set on every level: a nested walk is a user
 * access. Accessed and dirty are set at birth: nobody asks for them, and hardware then has no need
 * to write.
 */
#include "pagetable/format.h"

#define PRESENT		  BIT(0)
#define WRITE		  BIT(1)
#define USER		  BIT(2)
#define WRITE_THROUGH	  BIT(3)
#define CACHE_DISABLE	  BIT(4)
#define ACCESSED	  BIT(5)
#define DIRTY		  BIT(6)
#define LARGE		  BIT(7)
#define DEVICE_READS	  BIT(61)
#define DEVICE_WRITES	  BIT(62)
#define NO_EXECUTE	  BIT(63)
#define NEXT_LEVEL(n)	  ((uint64_t)(n) << 9)

#define LINK		  (PRESENT | WRITE | USER | ACCESSED)
#define FUSED_LINK(level) (LINK | DEVICE_READS | DEVICE_WRITES | NEXT_LEVEL(level))
#define LEAF		  (PRESENT | USER | ACCESSED | DIRTY)

#define HELD(rights)	  (1u << (rights))
#define CPU_HELD(device)                                                     \
	(HELD(CPU_READ | (device)) | HELD(CPU_READ | CPU_WRITE | (device)) | \
	 HELD(CPU_READ | CPU_EXECUTE | (device)) |                           \
	 HELD(CPU_READ | CPU_WRITE | CPU_EXECUTE | (device)))

/*
 * Only PWT and PCD choose the type: the PAT bit of a large leaf is an address bit to AMD-Vi.
 * Power-up PAT.
 */
#define NPT_ROW                                                                                  \
	.slots_order = 9, .levels_max = 5, .present = PRESENT, .frame = BITS(51, 12),            \
	.large_test = LARGE, .large_value = LARGE, .leaf = { LEAF, LEAF | LARGE, LEAF | LARGE }, \
	.right_flip = NO_EXECUTE, .memory_mask = WRITE_THROUGH | CACHE_DISABLE,                  \
	.memory = { [MEMORY_WRITE_BACK] = 0,                                                     \
		    [MEMORY_WRITE_THROUGH] = WRITE_THROUGH,                                      \
		    [MEMORY_UNCACHED] = WRITE_THROUGH | CACHE_DISABLE },                         \
	.hardware = ACCESSED | DIRTY

const struct format format_npt = {
	.name = "NPT",
	NPT_ROW,
	.rights_seen = CPU_RIGHTS,
	.link = { 0, LINK, LINK, LINK, LINK },
	.right_bit = { PRESENT, WRITE, NO_EXECUTE, 0, 0 },
	.held = CPU_HELD(0),
	.software = BITS(11, 9) | BITS(58, 52),
	.run = BIT(9),
};

const struct format format_npt_amdvi = {
	.name = "NPT shared with AMD-Vi",
	NPT_ROW,
	.rights_seen = CPU_RIGHTS | DEVICE_RIGHTS,
	.link = { 0, FUSED_LINK(1), FUSED_LINK(2), FUSED_LINK(3), FUSED_LINK(4) },
	.right_bit = { PRESENT, WRITE, NO_EXECUTE, DEVICE_READS, DEVICE_WRITES },
	.held = CPU_HELD(0) | CPU_HELD(DEVICE_READ) | CPU_HELD(DEVICE_WRITE) |
		CPU_HELD(DEVICE_READ | DEVICE_WRITE),
	/* No slot has a bit to spare, but a link has no dirty bit: APM 2 5.3.3, 48882 2.2.3 ignore it. */
	.run = DIRTY,
	/* 48882 reserves 58:52; 11:9 are the next level. */
	.reserved_low = { BITS(58, 52) | BITS(11, 9), BITS(58, 52) | BITS(11, 9),
			  BITS(58, 52) | BITS(11, 9) },
};
