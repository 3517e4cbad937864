/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/direct.c - what an entry of a guest's own table says, and its store.
 */
#include "pagetable/direct.h"

#include "memory.h"

#define USER	 BIT(2)
#define ACCESSED BIT(5)
#define DIRTY	 BIT(6)
#define FORBIDS	 BIT(63) /* execute disable */
#define IGNORED	 (BITS(11, 9) | BITS(62, 52))

bool direct_is_sound(uint64_t entry)
{
	const uint64_t allowed = DIRECT_PRESENT | DIRECT_WRITABLE | USER | ACCESSED | DIRTY |
				 FORBIDS | IGNORED | BITS(51, 12);

	return !(entry & DIRECT_PRESENT) || !(entry & ~allowed);
}

/* Bits that allow something. */
static uint64_t rights(uint64_t entry)
{
	return (entry ^ FORBIDS) & (DIRECT_WRITABLE | USER | FORBIDS);
}

enum change_kind direct_change(uint32_t level, uint64_t old, uint64_t new)
{
	bool was = old & DIRECT_PRESENT, is = new &DIRECT_PRESENT;

	if (!was)
		return !is ? KIND_COUNT : level ? KIND_LINK : KIND_MAP;
	if (!is)
		return level ? KIND_UNLINK : KIND_UNMAP;
	if (direct_frame(old) != direct_frame(new))
		return KIND_REPLACE;
	if (rights(old) & ~rights(new))
		return KIND_REVOKE;
	return rights(old) == rights(new) ? KIND_COUNT : KIND_GRANT;
}

uint64_t direct_linear_entry(uint64_t root)
{
	return root << 12 | DIRTY | ACCESSED | DIRECT_WRITABLE | DIRECT_PRESENT | FORBIDS;
}

uint64_t direct_load(const uint64_t *slot)
{
	return load64(slot);
}

void direct_store(uint64_t *slot, uint64_t entry)
{
	store64(slot, entry);
}
