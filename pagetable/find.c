/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/find.c - an empty tree, and what one translates a frame to.
 *
 * The walk takes no lock and decodes nothing but links; what a leaf allows is read once, at its end.
 */
#include "lib/mutant.h"
#include "pagetable/walk.h"

static const uint32_t none_chosen = SP_MUT_NONE;

void tree_make(struct tree *tree, const struct format *format, void *embedder, sp_mfn_t root,
	       uint32_t levels)
{
	uint64_t *table = platform_pointer(embedder, root);

	*tree = (struct tree){ .format = format,
			       .mutant = &none_chosen,
			       .embedder = embedder,
			       .root = root,
			       .top = (uintptr_t)table,
			       /* No format addresses more than 64 bits' worth of bytes. */
			       .frames = BIT(min_u64(span_order(format, levels), 64 - 12)),
			       .levels = (uint8_t)levels,
			       .leaf_levels = 1 };
	for (uint32_t i = 0; i < slots_per_table(format); i++)
		store64(&table[i], 0);
}

/*
 * Look-ups are many and their tables cold: the less there is between two of them, the more of their
 * misses overlap. So nothing is asked on the way down but whether there is a link.
 */
bool tree_find(const struct tree *tree, uint64_t frame, struct found *found)
{
	const struct format *format = tree->format;
	const uint64_t mask = slots_per_table(format) - 1;
	uint32_t level = tree->levels - 1u, order = span_order(format, level);
	const uint64_t *table = table_top(tree);
	uint64_t slot, within;

	if (frame >= tree->frames) {
		*found = (struct found){ .count = UINT64_MAX - frame };
		return false;
	}
	for (; slot = load64(&table[frame >> order & mask]), level; level--) {
		/* Of any level above the last. */
		if (slot_kind(format, 1, slot) != SLOT_LINK)
			break;
		table = table_under(tree, slot);
		order -= format->slots_order;
	}
	within = frame & (BIT(order) - 1);
	found->level = level;
	found->count = BIT(order) - within;
	if (!(slot & format->present)) {
		found->mfn = 0;
		found->rights = 0;
		found->memory = MEMORY_WRITE_BACK;
		return false;
	}
	found->mfn = slot_frame(format, slot) + within;
	found->rights = slot_rights(format, slot);
	found->memory = slot_memory(format, slot);
	return true;
}
