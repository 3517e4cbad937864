/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/one.c - the change that is made most often, in a straight line: one small page, whose table
 * is there and stays.
 *
 *   near   the table of the last such change; while the tree keeps its shape its frames need no walk
 *   else   down to the last level, links alone
 *   then   one slot is compared, stored, noted
 *
 * What is more than that, a table that comes or goes, a large page in the way, is for plan.c and
 * commit.c. What this buys is in docs/performance.md; that both do the same is unit/engine_one_test.c's.
 */
#include "pagetable/make.h"

static bool is_near(const struct tree *tree, uint64_t frame)
{
	const struct near *near = &tree->near;

	return near->table &&
	       (near->shape == tree->shape || MUTANT_IS(*tree->mutant, SP_MUT_NEAR_KEPT)) &&
	       near->number == frame >> tree->format->slots_order;
}

/* The slot of the last level, and the link that leads to its table; false: there is none. */
static bool one_find(const struct tree *tree, uint64_t frame, struct one *one)
{
	const struct format *format = tree->format;
	const uint64_t mask = slots_per_table(format) - 1;
	uint32_t order = span_order(format, tree->levels - 1u);
	uint64_t *table = tree->top;

	one->link = NULL;
	if (is_near(tree, frame)) {
		one->link = tree->near.link;
		one->slot = &tree->near.table[frame & mask];
		return true;
	}
	for (; order; order -= format->slots_order) {
		uint64_t link;

		one->link = &table[frame >> order & mask];
		link = load64(one->link);
		/* Of any level above the last. */
		if (slot_kind(format, 1, link) != SLOT_LINK)
			return false;
		table = table_under(tree, link);
	}
	one->slot = &table[frame & mask];
	return one->link != NULL;
}

/* A neighbour stays: then the table does. Others may too, but who looks for them walks all of it. */
static bool has_neighbour(const struct format *format, const uint64_t *slot, uint64_t frame)
{
	const uint64_t mask = slots_per_table(format) - 1, at = frame & mask;
	const uint64_t *table = slot - at;

	return ((load64(&table[(at + 1) & mask]) | load64(&table[(at - 1) & mask])) &
		format->present) != 0;
}

static bool prepare(const struct tree *tree, struct plan *plan)
{
	const struct format *format = tree->format;
	struct one *one = &plan->one;
	bool is_present;

	if (!one_find(tree, plan->first, one))
		return false;
	one->old = load64(one->slot);
	is_present = (one->old & format->present) != 0;
	if (plan_clears(plan)) {
		if (!is_present || !has_neighbour(format, one->slot, plan->first))
			return false;
		one->new = 0;
	} else if (plan->target.keep_frames) {
		if (!is_present)
			return false;
		one->new = plan_retyped(tree, plan, 0, one->old);
	} else {
		one->new = plan_leaf(tree, plan, 0, plan->first);
	}
	if (same_translation(format, one->old, one->new))
		return false;
	one->goes =
		is_present && tree->owns_frames &&
		(plan_clears(plan) || slot_frame(format, one->old) != slot_frame(format, one->new));
	plan->leaf_top = 0;
	plan->gone = one->goes;
	plan->slots = 1u + ((load64(one->link) & format->run) != 0);
	return true;
}

bool one_prepare(const struct tree *tree, struct plan *plan)
{
	if (prepare(tree, plan))
		return true;
	plan->one.slot = NULL;
	return false;
}

/* A leaf that came or went is that for all who walk; one that changed is looked at (stale.c). */
static void note_leaf(struct make *make, const struct one *one, struct span span)
{
	const struct format *format = make->tree->format;

	if (MUTANTS_BUILT && make_overlooks(make->tree, 0, one->old, one->new))
		return;
	if (!(one->old & format->present))
		stale_add_seen(make->stale, format, KIND_MAP, span);
	else if (!one->new)
		stale_add_seen(make->stale, format, KIND_UNMAP, span);
	else
		stale_note(make->stale, format, 0, span, one->old, one->new);
}

void one_commit(struct make *make)
{
	struct tree *tree = make->tree;
	const struct one *one = &make->plan->one;
	uint64_t frame = make->plan->first;
	uint32_t at = slot_index(tree->format, 0, frame);

	forget_run(tree, one->link);
	store64(one->slot, one->new);
	write_back_slots(tree, one->slot, 1);
	note_leaf(make, one, (struct span){ frame, frame + 1 });
	if (one->goes)
		let_go_frames(make, one->old, slot_frame(tree->format, one->old), 1);
	tree->near = (struct near){ .shape = tree->shape,
				    .number = frame >> tree->format->slots_order,
				    .table = one->slot - at,
				    .link = one->link };
}
