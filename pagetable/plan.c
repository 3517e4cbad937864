/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/plan.c - what a change would do: checked, counted, and nothing changed.
 *
 *   place   the lowest table that spans the whole range; commit begins there too
 *   runs    of its slots are counted one after the other, and those of the tables below
 *   stop    after a bounded number of stores, tables or looks; the rest is another change
 *
 * A table that the range covers wholly is begun only where it can be finished: so steps end where
 * tables do, and the next one finds no table half full.
 */
#include "pagetable/run.h"

/* Slots looked at in one call, whether they change or not: bounds the time under the lock. */
#define STEP_LOOKS (8 * SP_STEP_SLOTS)
/* One whole table, and the path to it, in one step. */
#define STEP_SLOTS (SP_STEP_SLOTS + MAX_LEVELS)

struct count {
	const struct tree *tree;
	struct plan *plan;
	uint32_t looks;
	bool stopped;
};

static bool is_full(const struct count *count)
{
	return count->plan->slots >= STEP_SLOTS || count->plan->tables >= SP_STEP_TABLES ||
	       count->looks >= STEP_LOOKS;
}

static uint32_t slots_left(const struct count *count)
{
	return STEP_SLOTS - count->plan->slots;
}

/* ---- tables that are not there yet ---- */

/* Nothing but the first thing of a step may need more than one step can do. */
static bool must_wait(const struct count *count, uint32_t level, struct span part)
{
	const struct format *format = count->tree->format;
	bool whole = part.end - part.first == BIT(span_order(format, level));

	return whole && count->plan->end > count->plan->first &&
	       slots_left(count) < level + slots_per_table(format);
}

static void count_table(struct count *count, uint32_t level, struct span part);

/* The slots of a new table: nothing is there, so nothing is looked at. */
static void count_new(struct count *count, uint32_t level, struct span part)
{
	struct plan *plan = count->plan;
	uint32_t order = span_order(count->tree->format, level);

	while (part.first < part.end && !count->stopped) {
		uint32_t whole = plan_whole(plan, level, order, part);
		struct span piece = part;

		if (is_full(count)) {
			count->stopped = true;
			return;
		}
		if (whole) {
			whole = (uint32_t)min_u64(whole, slots_left(count));
			plan->slots += whole;
			part.first += (uint64_t)whole << order;
			plan->end = part.first;
			continue;
		}
		piece.end =
			min_u64(slot_span(count->tree->format, level, part.first).end, part.end);
		count_table(count, level, piece);
		part.first = piece.end;
	}
}

/* The table that a slot of this level is to hold, of which `part` is to be as wished. */
static void count_table(struct count *count, uint32_t level, struct span part)
{
	if (must_wait(count, level, part)) {
		count->stopped = true;
		return;
	}
	count->plan->slots++;
	count->plan->tables++;
	count_new(count, level - 1, part);
}

/* ---- what is there ---- */

static void count_part(struct count *count, const uint64_t *table, uint32_t level,
		       struct span part);

static bool is_run_link(const struct tree *tree, uint64_t link)
{
	return (link & tree->format->run) != 0;
}

/* Alone in its change: what came before it is a change of its own. */
static void count_split(struct count *count)
{
	struct plan *plan = count->plan;

	plan->split_only = plan->end == plan->first;
	plan->tables += plan->split_only;
	plan->slots += plan->split_only ? 2u : 0u; /* and the link above, where that says run */
	count->stopped = true;
}

/* How many entries the run may let go: subtrees, and frames that none of the new leaves holds. */
static uint32_t count_gone(const struct tree *tree, const struct plan *plan, uint32_t level,
			   const struct slot_run *run)
{
	if (slot_kind(tree->format, level, run->old) == SLOT_LINK)
		return 1;
	if (!tree->owns_frames || plan->target.keep_frames ||
	    (run->action == ACTION_LEAF && !(run->old & tree->format->present)))
		return 0;
	return run->count;
}

static void count_run(struct count *count, uint32_t level, struct span part,
		      const struct slot_run *run)
{
	const struct tree *tree = count->tree;
	struct plan *plan = count->plan;

	switch (run->action) {
	case ACTION_NONE:
		break;
	case ACTION_CLEAR:
	case ACTION_LEAF:
		plan->slots += run->count;
		plan->gone += count_gone(tree, plan, level, run);
		break;
	case ACTION_DESCEND:
		/* The table itself may go when it ends up empty; it may be one run no more. */
		plan->slots += plan_clears(plan) + is_run_link(tree, run->old);
		plan->gone += plan_clears(plan);
		count_part(count, table_under(tree, run->old), level - 1,
			   (struct span){ part.first, run->end });
		return;
	case ACTION_PUNCH:
		plan->gone += tree->owns_frames;
		/* fall through */
	case ACTION_BUILD:
		count_table(count, level, (struct span){ part.first, run->end });
		return;
	case ACTION_SPLIT:
		count_split(count);
		return;
	}
	plan->end = run->end;
}

static void count_part(struct count *count, const uint64_t *table, uint32_t level, struct span part)
{
	const struct tree *tree = count->tree;

	for (struct slot_run run; part.first < part.end && !count->stopped; part.first = run.end) {
		if (is_full(count)) {
			count->stopped = true;
			return;
		}
		run_find(tree, count->plan, level,
			 &table[slot_index(tree->format, level, part.first)], part,
			 (uint32_t)min_u64(slots_left(count), STEP_LOOKS - count->looks), &run);
		count->looks += run.count;
		count_run(count, level, part, &run);
	}
}

/* ---- where it begins ---- */

/* Down for as long as one slot spans all of the range, and leads to a table that stays. */
static void find_place(const struct tree *tree, struct plan *plan, struct span part)
{
	const struct format *format = tree->format;
	uint32_t level = tree->levels - 1u, order = span_order(format, level);
	uint32_t least = order_covering(part.first, part.end);
	const bool clears = plan_clears(plan);
	uint64_t *table = table_top(tree);

	/* A subtree that goes whole goes by its link. */
	least += clears && part.end - part.first == BIT(least);
	plan->place.shape = tree->shape;
	plan->slots = plan->gone = 0;
	for (;; level--, order -= format->slots_order) {
		uint64_t slot = load64(&table[part.first >> order & (slots_per_table(format) - 1)]);

		plan->place.table[level] = table;
		if (!level || order < least || slot_kind(format, level, slot) != SLOT_LINK)
			break;
		/* As of any table below. */
		plan->slots += clears + is_run_link(tree, slot);
		plan->gone += clears;
		table = table_under(tree, slot);
	}
	plan->place.level = level;
}

static void count_all(struct count *count, struct span part)
{
	const struct tree *tree = count->tree;
	struct plan *plan = count->plan;
	struct slot_run *run = &plan->begins;
	uint32_t level;

	find_place(tree, plan, part);
	level = plan->place.level;
	run_find(tree, plan, level,
		 &plan->place.table[level][slot_index(tree->format, level, part.first)], part,
		 slots_left(count), run);
	count->looks += run->count;
	count_run(count, level, part, run);
	part.first = run->end;
	count_part(count, plan->place.table[level], level, part);
}

/* A frame beyond what a slot can name would become rights of another frame. */
static bool names_frames(const struct format *format, const struct target *target, uint64_t count)
{
	uint64_t frames = (format->frame >> 12) + 1;

	return target->keep_frames || (target->mfn < frames && count <= frames - target->mfn);
}

static enum sp_status check(const struct tree *tree, const struct plan *plan)
{
	const struct target *target = &plan->target;

	if (plan->first >= plan->end)
		return SP_INVALID;
	/* What lies beyond the width is absent already. */
	if (plan_clears(plan))
		return SP_OK;
	if (plan->end > tree->frames ||
	    !names_frames(tree->format, target, plan->end - plan->first))
		return SP_RANGE;
	return format_holds(tree->format, target->rights, target->memory) ? SP_OK : SP_UNSUPPORTED;
}

/* The highest level at which what a slot spans may be one leaf, or be absent. */
static uint32_t leaf_top(const struct tree *tree, const struct plan *plan)
{
	uint32_t level = 0;

	if (plan_clears(plan))
		return MAX_LEVELS;
	while (level + 1u < tree->levels && tree_has_leaves(tree, level + 1) &&
	       (plan->target.keep_frames ||
		is_aligned(plan->target.mfn - plan->first, span_order(tree->format, level + 1))))
		level++;
	return level;
}

enum sp_status tree_prepare(const struct tree *tree, uint64_t first, uint64_t end,
			    const struct target *target, struct plan *plan)
{
	struct count count = { .tree = tree, .plan = plan };
	enum sp_status status;

	plan->first = first;
	plan->end = end;
	plan->target = *target;
	plan->target.rights &= tree->format->rights_seen;
	plan->split_only = false;
	plan->tables = plan->gone = plan->slots = 0;
	status = check(tree, plan);
	if (status != SP_OK)
		return status;
	plan->leaf_top = leaf_top(tree, plan);
	plan->attributes = plan_clears(plan) ? 0
					     : format_attributes(tree->format, plan->target.rights,
								 target->memory);
	if (first < tree->frames) {
		plan->end = first;
		count_all(&count, (struct span){ first, min_u64(end, tree->frames) });
	}
	if (!count.stopped)
		plan->end = end;
	return SP_OK;
}
