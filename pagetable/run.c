/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/run.c - what one slot needs, and which of its neighbours need the same.
 *
 * A page whose frame and rights stay is never absent, not between two stores: a large leaf is split
 * with all its translations, in one store, and only when that is paid do its pieces change. A piece
 * that becomes absent may go in the store that splits.
 */
#include "pagetable/run.h"

#include "lib/mutant.h"

static enum action decide_absent(uint32_t level, enum slot_kind kind, uint64_t whole)
{
	/* Of several small pages commit looks which are there; one table of them is never many. */
	if (kind == SLOT_ABSENT && (level || whole == 1))
		return ACTION_NONE;
	if (whole)
		return ACTION_CLEAR;
	return kind == SLOT_LEAF ? ACTION_PUNCH : ACTION_DESCEND;
}

static enum action decide_over_leaf(const struct tree *tree, const struct plan *plan,
				    uint32_t level, uint64_t frame, uint64_t old, bool fits)
{
	uint64_t new =
		plan->target.keep_frames
			? plan_retyped(tree, plan, level, old)
			:
			/* The leaf of the whole slot, were the rest of it wished the same. */
			plan_leaf(tree, plan, level,
				  align_down(frame, span_order(tree->format, level)));

	if (same_translation(tree->format, old, new))
		return ACTION_NONE;
	if (!fits && MUTANT_IS(*tree->mutant, SP_MUT_SPLIT_DIRECT))
		return ACTION_PUNCH;
	return fits ? ACTION_LEAF : ACTION_SPLIT;
}

/* `whole`: how many slots from here on the part covers wholly; 0: not even this one. */
static enum action decide(const struct tree *tree, const struct plan *plan, uint32_t level,
			  uint64_t frame, uint64_t whole, uint64_t old)
{
	enum slot_kind kind = slot_kind(tree->format, level, old);
	bool fits = whole && level <= plan->leaf_top;

	if (plan_clears(plan))
		return decide_absent(level, kind, whole);
	if (kind == SLOT_LINK)
		return ACTION_DESCEND;
	if (kind == SLOT_LEAF)
		return decide_over_leaf(tree, plan, level, frame, old, fits);
	if (plan->target.keep_frames)
		return ACTION_NONE;
	return fits ? ACTION_LEAF : ACTION_BUILD;
}

static uint32_t count_leaves(const struct format *format, uint32_t level, const uint64_t *slot,
			     uint32_t most)
{
	uint32_t count = 1;

	while (count < most && slot_kind(format, level, load64(&slot[count])) == SLOT_LEAF)
		count++;
	return count;
}

/* Leaves with the attributes of the first that have the wished frame, or not, as the first has. */
static uint32_t count_alike(const struct format *format, uint32_t level, const uint64_t *slot,
			    uint32_t most, uint64_t wished)
{
	uint64_t old = load64(slot), step = leaf_step(format, level);
	bool same = slot_frame(format, old) == slot_frame(format, wished);
	uint32_t count = 1;

	for (; count < most; count++) {
		uint64_t next = load64(&slot[count]);

		wished += step;
		if (!same_attributes(format, old, next) ||
		    (slot_frame(format, next) == slot_frame(format, wished)) != same)
			break;
	}
	return count;
}

static uint32_t count_retyped(const struct format *format, const uint64_t *slot, uint32_t most)
{
	uint64_t old = load64(slot);
	uint32_t count = 1;

	while (count < most && same_attributes(format, old, load64(&slot[count])))
		count++;
	return count;
}

/* How many slots need what the first does. */
static uint32_t count_slots(const struct tree *tree, const struct plan *plan, uint32_t level,
			    const uint64_t *slot, uint64_t frame, uint32_t most,
			    enum slot_kind kind)
{
	if (plan_clears(plan) && level == 0)
		return most;
	if (kind == SLOT_ABSENT)
		return count_absent(tree->format, slot, most);
	if (plan_clears(plan))
		return count_leaves(tree->format, level, slot, most);
	if (plan->target.keep_frames)
		return count_retyped(tree->format, slot, most);
	return count_alike(tree->format, level, slot, most, plan_leaf(tree, plan, level, frame));
}

void run_find(const struct tree *tree, const struct plan *plan, uint32_t level,
	      const uint64_t *slot, struct span part, uint32_t most, struct slot_run *run)
{
	const struct format *format = tree->format;
	uint32_t order = span_order(format, level);
	uint64_t whole = is_aligned(part.first, order) ? (part.end - part.first) >> order : 0;
	enum slot_kind kind;

	run->old = load64(slot);
	kind = slot_kind(format, level, run->old);
	run->action = decide(tree, plan, level, part.first, whole, run->old);
	run->count = 1;
	if (whole > 1 && most > 1 && kind != SLOT_LINK && run->action <= ACTION_LEAF)
		run->count = count_slots(tree, plan, level, slot, part.first,
					 (uint32_t)min_u64(whole, most), kind);
	if (whole)
		run->end = part.first + ((uint64_t)run->count << order);
	else
		run->end = min_u64(align_down(part.first, order) + BIT(order), part.end);
}
