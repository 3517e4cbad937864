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
	const uint64_t *bit = format->right_bit;
	uint64_t bits;

	_Static_assert(RIGHTS_COUNT == 5, "one term each");
	bits = (bit[0] & -(uint64_t)(rights & 1)) | (bit[1] & -(uint64_t)(rights >> 1 & 1)) |
	       (bit[2] & -(uint64_t)(rights >> 2 & 1)) | (bit[3] & -(uint64_t)(rights >> 3 & 1)) |
	       (bit[4] & -(uint64_t)(rights >> 4 & 1));
	return (bits ^ format->right_flip) | format->memory[memory];
}
