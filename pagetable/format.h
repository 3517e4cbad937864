/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/format.h - what a page-table format is: a row of masks. Constant data; the one
 * algorithm is that of engine.h.
 *
 *   63        rights, software       51              12      large  memory  rights        0
 *   +-------------------------------+------------------+--------------------------------+
 *   |                               |      frame       |                                |  slot
 *   +-------------------------------+------------------+--------------------------------+
 *
 * Rights are two sets, the CPU's and the device's. A format holds some pairs of them: `held` says
 * which, and what it does not hold is refused, never approximated. A format looks only at the
 * rights of those who walk it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/bits.h"

#define MAX_LEVELS 6

enum rights {
	CPU_READ = 1,
	CPU_WRITE = 2,
	CPU_EXECUTE = 4,
	DEVICE_READ = 8,
	DEVICE_WRITE = 16,
	CPU_RIGHTS = 7,
	DEVICE_RIGHTS = 24,
	RIGHTS_COUNT = 5
};

enum walker {
	WALKER_CPU,
	WALKER_DEVICE,
	WALKER_COUNT
};

enum memory_type {
	MEMORY_WRITE_BACK,
	MEMORY_WRITE_THROUGH,
	MEMORY_UNCACHED,
	MEMORY_TYPE_COUNT
};

struct format {
	const char *name;
	uint8_t slots_order; /* log2 of slots per table: 9, toy 1 */
	uint8_t levels_max;  /* tables on the longest walk */
	uint8_t rights_seen; /* enum rights of those who walk it */
	uint64_t present;    /* any of these set: present. The absent value is 0 in every format */
	uint64_t frame;	     /* of a link, and of a leaf at level 0 */
	uint64_t large_test; /* above level 0, slot & large_test == large_value: a leaf */
	uint64_t large_value;
	uint64_t link[MAX_LEVELS]; /* a link at this level, but for its frame: all rights, leaves
				      decide */
	uint64_t leaf[MAX_LEVELS]; /* a leaf at this level, but for frame, rights and memory type */
	uint64_t right_bit[RIGHTS_COUNT]; /* 0: not seen here */
	uint64_t right_flip;		  /* rights bits that forbid where set */
	uint32_t held; /* bit n: the pair of sets n, as in enum rights, can be held */
	uint64_t memory[MEMORY_TYPE_COUNT];
	uint64_t memory_mask;
	uint64_t hardware; /* accessed and dirty: hardware writes them, comparisons mask them */
	uint64_t software; /* ours in a present slot, ignored by whoever walks */
	/*
	 * A bit of ours in a link: all slots of the table under it are leaves that follow one another,
	 * so the first of them tells all. It is set with the link, before anybody sees the table, and
	 * cleared before the first store that makes the table something else. What hardware sets in the
	 * link meanwhile may be lost with it: nobody asks for that.
	 */
	uint64_t run;
	uint64_t reserved_low[MAX_LEVELS]; /* bits of a leaf at this level that must be 0, besides
					      frame alignment */
};

extern const struct format format_ept;	   /* SDM 3C 29.3.2, CPU alone */
extern const struct format format_ept_vtd; /* the same, also walked by VT-d: second stage, VT-d 9.8 */
extern const struct format format_npt;	   /* APM 2 15.25, CPU alone */
extern const struct format format_npt_amdvi; /* the same, also walked by AMD-Vi: 48882 2.2.3 */
extern const struct format format_vtd;	     /* VT-d 9.8, second stage of a unit alone */
extern const struct format format_amdvi;     /* 48882 2.2.3, v1 host table of a unit alone */
extern const struct format format_software;  /* nobody: the p2m of a guest on shadows */
extern const struct format format_toy;	     /* 1-bit levels, for exhaustive tests */

enum slot_kind {
	SLOT_ABSENT,
	SLOT_LEAF,
	SLOT_LINK
};

static inline enum slot_kind slot_kind(const struct format *format, uint32_t level, uint64_t slot)
{
	if (!(slot & format->present))
		return SLOT_ABSENT;
	return level == 0 || (slot & format->large_test) == format->large_value ? SLOT_LEAF
										: SLOT_LINK;
}

/* log2 of the frames that one slot at this level spans. */
static inline uint32_t span_order(const struct format *format, uint32_t level)
{
	return format->slots_order * level;
}

static inline uint64_t slot_frame(const struct format *format, uint64_t slot)
{
	return (slot & format->frame) >> 12;
}

static inline uint32_t slot_rights(const struct format *format, uint64_t slot)
{
	const uint64_t *bit = format->right_bit, allowing = slot ^ format->right_flip;

	_Static_assert(RIGHTS_COUNT == 5, "one line each");
	return (uint32_t)((allowing & bit[0]) != 0) | (uint32_t)((allowing & bit[1]) != 0) << 1 |
	       (uint32_t)((allowing & bit[2]) != 0) << 2 |
	       (uint32_t)((allowing & bit[3]) != 0) << 3 |
	       (uint32_t)((allowing & bit[4]) != 0) << 4;
}

static inline enum memory_type slot_memory(const struct format *format, uint64_t slot)
{
	for (uint32_t type = 0; type < MEMORY_TYPE_COUNT; type++)
		if ((slot & format->memory_mask) == format->memory[type])
			return (enum memory_type)type;
	return MEMORY_UNCACHED;
}

/*
 * False where the format does not hold the rights or the memory type. Rights it does not see are
 * left out.
 */
bool format_holds(const struct format *format, uint32_t rights, enum memory_type memory);
/* The bits of a leaf but for frame and level. */
uint64_t format_attributes(const struct format *format, uint32_t rights, enum memory_type memory);
