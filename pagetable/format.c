/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/format.c - reading and making the attribute bits of a slot, from a format's row.
 */
#include "pagetable/format.h"

uint32_t slot_rights(const struct format *format, uint64_t slot)
{
	const uint64_t *bit = format->right_bit, allowing = slot ^ format->right_flip;

	_Static_assert(RIGHTS_COUNT == 5, "one line each");
	return (uint32_t)((allowing & bit[0]) != 0) | (uint32_t)((allowing & bit[1]) != 0) << 1 |
	       (uint32_t)((allowing & bit[2]) != 0) << 2 |
	       (uint32_t)((allowing & bit[3]) != 0) << 3 |
	       (uint32_t)((allowing & bit[4]) != 0) << 4;
}

enum memory_type slot_memory(const struct format *format, uint64_t slot)
{
	for (uint32_t type = 0; type < MEMORY_TYPE_COUNT; type++)
		if ((slot & format->memory_mask) == format->memory[type])
			return (enum memory_type)type;
	return MEMORY_UNCACHED;
}

bool format_holds(const struct format *format, uint32_t rights, enum memory_type memory)
{
	return (format->held >> (rights & format->rights_seen) & 1) &&
	       (uint32_t)memory < MEMORY_TYPE_COUNT;
}

uint64_t format_attributes(const struct format *format, uint32_t rights, enum memory_type memory)
{
	uint64_t bits = 0;

	for (; rights; rights &= rights - 1)
		bits |= format->right_bit[lowest_bit(rights)];
	return (bits ^ format->right_flip) | format->memory[memory];
}
