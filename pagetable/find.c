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
			       .top = table,
			       /* No format addresses more than 64 bits' worth of bytes. */
			       .frames = BIT(min_u64(span_order(format, levels), 64 - 12)),
			       .levels = (uint8_t)levels,
			       .leaf_levels = 1 };
	for (uint32_t i = 0; i < slots_per_table(format); i++)
		store64(&table[i], 0);
}

bool tree_find(const struct tree *tree, uint64_t frame, struct found *found)
{
	const struct format *format = tree->format;
	const uint64_t present = format->present, mask = slots_per_table(format) - 1;
	uint32_t level = tree->levels - 1u, order = span_order(format, level);
	const uint64_t *table = tree->top;
	uint64_t slot, within;

	found->mfn = 0;
	found->count = UINT64_MAX - frame;
	found->level = found->rights = 0;
	found->memory = MEMORY_WRITE_BACK;
	if (frame >= tree->frames)
		return false;
	for (;; level--, order -= format->slots_order) {
		slot = load64(&table[frame >> order & mask]);
		if (!(slot & present) || slot_kind(format, level, slot) == SLOT_LEAF)
			break;
		table = table_under(tree, slot);
	}
	within = frame & (BIT(order) - 1);
	found->level = level;
	found->count = BIT(order) - within;
	if (!(slot & present))
		return false;
	found->mfn = slot_frame(format, slot) + within;
	found->rights = slot_rights(format, slot);
	found->memory = slot_memory(format, slot);
	return true;
}
