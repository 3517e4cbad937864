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
 * commit.c. What this buys is in docs/performance.md; that both do the same is
 * unit/engine_one_test.c's.
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
	uint64_t *table = table_top(tree);

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

/* A leaf with these rights, but for its frame; 0: the format does not hold it. */
static uint64_t leaf_of(const struct tree *tree, uint32_t rights, enum memory_type memory)
{
	const struct near *near = &tree->near;

	if (near->leaf && near->rights == rights && near->memory == memory)
		return near->leaf;
	return format_holds(tree->format, rights, memory)
		       ? tree->format->leaf[0] | format_attributes(tree->format, rights, memory)
		       : 0;
}

bool tree_prepare_one(const struct tree *tree, uint64_t frame, const struct target *target,
		      struct one *one)
{
	const struct format *format = tree->format;
	uint32_t rights = target->rights & format->rights_seen;
	uint64_t mfn = target->mfn;
	bool is_present;

	if (frame >= tree->frames || !one_find(tree, frame, one))
		return false;
	one->old = load64(one->slot);
	one->new = one->leaf = 0;
	is_present = (one->old & format->present) != 0;
	if (!rights)
		return is_present && has_neighbour(format, one->slot, frame);
	one->leaf = leaf_of(tree, rights, target->memory);
	if (target->keep_frames)
		mfn = slot_frame(format, one->old);
	if (!one->leaf || mfn > format->frame >> 12 || (target->keep_frames && !is_present))
		return false;
	one->new = mfn << 12 | one->leaf;
	return !same_translation(format, one->old, one->new);
}

void tree_store_one(struct tree *tree, uint64_t frame, const struct target *target,
		    const struct one *one)
{
	struct near *near = &tree->near;

	forget_run(tree, one->link);
	store64(one->slot, one->new);
	write_back_slots(tree, one->slot, 1);
	near->shape = tree->shape;
	near->number = frame >> tree->format->slots_order;
	near->table = one->slot - slot_index(tree->format, 0, frame);
	near->link = one->link;
	if (!one->leaf)
		return;
	near->leaf = one->leaf;
	near->rights = target->rights & tree->format->rights_seen;
	near->memory = target->memory;
}

/* A leaf that came or went is that for all who walk; one that changed is looked at (stale.c). */
void tree_note_one(const struct tree *tree, uint64_t frame, const struct one *one,
		   struct stale *stale)
{
	const struct format *format = tree->format;
	struct span span = { frame, frame + 1 };
	uint64_t mfn = slot_frame(format, one->old);

	if (!one_is_new(tree, one) && tree->owns_frames &&
	    (!one->new || mfn != slot_frame(format, one->new)))
		let_go_frames(tree, stale, one->old, mfn, 1);
	if (MUTANTS_BUILT && make_overlooks(tree, 0, one->old, one->new))
		return;
	if (one_is_new(tree, one))
		stale_add_seen(stale, format, KIND_MAP, span);
	else if (!one->new)
		stale_add_seen(stale, format, KIND_UNMAP, span);
	else
		stale_note(stale, format, 0, span, one->old, one->new);
}
