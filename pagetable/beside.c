/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/beside.c - whole tables of small pages, filled where nobody sees them, linked later.
 *
 *   level 1   [ link | . | . | . | link ]        under the lock: count what is absent
 *                      |   |   |                 without it: fill pages, as many as there are slots
 *   level 0          [leaf ... leaf] x 3         under the lock again: a store for each
 *
 * Between the two somebody must see to it that those slots stay absent (sync/build.c). The table
 * they are in may go meanwhile, so it is looked for again.
 */
#include "lib/mutant.h"
#include "pagetable/run.h"

/* The table of slots of level 1 on the way to a frame; NULL: none is linked there. */
static uint64_t *find_table(const struct tree *tree, uint64_t frame)
{
	uint64_t *table = table_top(tree);

	for (uint32_t level = tree->levels - 1u; level > 1; level--) {
		uint64_t slot = load64(&table[slot_index(tree->format, level, frame)]);

		if (slot_kind(tree->format, level, slot) != SLOT_LINK)
			return NULL;
		table = table_under(tree, slot);
	}
	return table;
}

uint32_t tree_count_beside(const struct tree *tree, const struct plan *plan, uint64_t end,
			   uint32_t most)
{
	const struct format *format = tree->format;
	uint32_t order = span_order(format, 1), index;
	const uint64_t *table;

	if (tree->levels < 2 || plan_clears(plan) || plan->target.keep_frames ||
	    plan->leaf_top > 0 || !is_aligned(plan->first, order))
		return 0;
	table = find_table(tree, plan->first);
	if (!table)
		return 0;
	index = slot_index(format, 1, plan->first);
	most = (uint32_t)min_u64(most, min_u64(slots_per_table(format) - index,
					       (end - plan->first) >> order));
	return count_absent(format, &table[index], most);
}

uint64_t tree_leaf_beside(const struct tree *tree, const struct plan *plan)
{
	return plan_leaf(tree, plan, 0, plan->first);
}

void tree_fill_beside(const struct tree *tree, uint64_t leaf, uint32_t index, sp_mfn_t page)
{
	const struct format *format = tree->format;
	uint32_t slots = slots_per_table(format);
	uint64_t *table = table_at(tree, page.mfn), step = leaf_step(format, 0);

	fill_unseen(tree, table, leaf + (uint64_t)index * slots * step, step);
}

bool tree_can_link(const struct tree *tree, uint64_t first)
{
	return find_table(tree, first) != NULL;
}

void tree_link_beside(struct tree *tree, uint64_t first, const sp_mfn_t *page, uint32_t count,
		      struct stale *stale)
{
	const struct format *format = tree->format;
	uint64_t link = format->link[1] | format->run;
	uint64_t *slot = &find_table(tree, first)[slot_index(format, 1, first)];
	struct span span = { first, first + ((uint64_t)count << span_order(format, 1)) };

	order_unseen(tree);
	write_barrier();
	for (uint32_t i = 0; i < count; i++)
		store64(&slot[i], page[i].mfn << 12 | link);
	write_back_slots(tree, slot, count);
	stale_note(stale, format, 1, span, 0, page[0].mfn << 12 | link);
}
