/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/merge.c - a table whose slots are one run becomes a leaf again.
 *
 *   [ link ]                                 [ leaf n, 2^9 frames ]
 *      |                            ->
 *   [ leaf n | leaf n+1 | leaf n+2 ... ]     the table goes to limbo
 *
 * One store, and every translation stays. Whatever the pieces owed must be paid before: no walker
 * may hold an old piece beside the new leaf (X7).
 */
#include "memory.h"
#include "pagetable/engine.h"

static uint64_t *find_slot(const struct tree *tree, uint64_t frame, uint32_t level)
{
	uint64_t table = tree->root.mfn;

	for (uint32_t at = tree->levels - 1u;; at--) {
		uint32_t index = (uint32_t)(frame >> span_order(tree->format, at)) &
				 ((1u << tree->format->slots_order) - 1);
		uint64_t *slot =
			&((uint64_t *)platform_pointer(tree->embedder, (sp_mfn_t){ table }))[index];

		if (at == level)
			return slot;
		if (slot_kind(tree->format, at, load64(slot)) != SLOT_LINK)
			return NULL;
		table = slot_frame(tree->format, load64(slot));
	}
}

/* Slot `index` continues the run that slot 0 begins, but for what hardware writes. */
static bool continues(const struct format *format, const uint64_t *table, uint32_t level,
		      uint32_t index)
{
	uint64_t step = BIT(span_order(format, level)) << 12;
	uint64_t wanted = load64(&table[0]) + index * step;

	return ((load64(&table[index]) ^ wanted) & ~(format->hardware | format->software)) == 0;
}

static bool is_run(const struct format *format, const uint64_t *table, uint32_t level)
{
	uint32_t last = (1u << format->slots_order) - 1;

	if (slot_kind(format, level, load64(&table[0])) != SLOT_LEAF ||
	    !is_aligned(slot_frame(format, load64(&table[0])), span_order(format, level + 1)))
		return false;
	/* A table that is being filled upwards is not full: its last slot tells at once. */
	for (uint32_t index = last; index > 0; index--)
		if (!continues(format, table, level, index))
			return false;
	return true;
}

bool tree_merge(struct tree *tree, uint64_t frame, uint32_t level, struct stale *stale)
{
	const struct format *format = tree->format;
	uint64_t *slot, *table, old, new;

	if (level == 0 || level >= tree->levels || frame >= tree_frames(tree) ||
	    !tree_has_leaves(tree, level))
		return false;
	slot = find_slot(tree, frame, level);
	if (!slot || slot_kind(format, level, load64(slot)) != SLOT_LINK)
		return false;
	old = load64(slot);
	table = platform_pointer(tree->embedder, (sp_mfn_t){ slot_frame(format, old) });
	if (!is_run(format, table, level - 1))
		return false;
	new = (load64(&table[0]) & ~(format->leaf[level - 1] | format->software)) |
	      format->leaf[level];
	store64(slot, new);
	if (tree->write_back)
		platform_write_back(tree->embedder, slot, sizeof(*slot));
	stale_note(stale, format, level,
		   (struct span){ align_down(frame, span_order(format, level)),
				  align_down(frame, span_order(format, level)) +
					  BIT(span_order(format, level)) },
		   old, new);
	stale_let_go(stale, (struct let_go){ .kind = GONE_TABLE,
					     .mfn = slot_frame(format, old),
					     .count = 1,
					     .level = (uint8_t)(level - 1) });
	tree->shape++;
	return true;
}
