/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/format.c - reading and making the attribute bits of a slot, from a format's row.
 */
#include "pagetable/format.h"

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
