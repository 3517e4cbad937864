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
#include "pagetable/walk.h"

static uint64_t *find_slot(const struct tree *tree, uint64_t frame, uint32_t level)
{
	uint32_t at = tree->levels - 1u;
	uint64_t *table = table_top(tree);

	for (;; at--) {
		uint64_t *slot = &table[slot_index(tree->format, at, frame)];

		if (at == level)
			return slot;
		if (slot_kind(tree->format, at, load64(slot)) != SLOT_LINK)
			return NULL;
		table = table_under(tree, load64(slot));
	}
}

/* Each slot continues the run that slot 0 begins, but for what hardware writes. */
static bool is_run(const struct format *format, const uint64_t *table, uint32_t level)
{
	uint64_t first = load64(&table[0]), step = leaf_step(format, level), wanted;
	uint32_t last = slots_per_table(format) - 1;

	if (slot_kind(format, level, first) != SLOT_LEAF)
		return false;
	/* A table that is being filled upwards is not full: its last slot tells at once. */
	wanted = first + last * step;
	for (uint32_t index = last; index > 0; index--, wanted -= step)
		if (!same_translation(format, load64(&table[index]), wanted))
			return false;
	return true;
}

bool tree_merge(struct tree *tree, uint64_t frame, uint32_t level, struct stale *stale)
{
	const struct format *format = tree->format;
	uint64_t *slot, *table, old, new;

	if (level == 0 || level >= tree->levels || frame >= tree->frames ||
	    !tree_has_leaves(tree, level))
		return false;
	slot = find_slot(tree, frame, level);
	if (!slot || slot_kind(format, level, load64(slot)) != SLOT_LINK)
		return false;
	old = load64(slot);
	table = table_under(tree, old);
	if (!(old & format->run) && !is_run(format, table, level - 1))
		return false;
	if (!is_aligned(slot_frame(format, load64(&table[0])), span_order(format, level)))
		return false;
	new = (load64(&table[0]) & ~(format->leaf[level - 1] | format->software)) |
	      format->leaf[level];
	store64(slot, new);
	write_back(tree, slot, 1);
	stale_note(stale, format, level, slot_span(format, level, frame), old, new);
	stale_let_go(stale, (struct let_go){ .kind = GONE_TABLE,
					     .mfn = slot_frame(format, old),
					     .count = 1,
					     .level = (uint8_t)(level - 1) });
	tree->shape++;
	return true;
}
