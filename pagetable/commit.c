/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/commit.c - makes what was planned. Cannot fail.
 *
 *   slots that are there   one store each; one note for a run of them
 *   a new table            built beside the tree, where nobody walks, then linked by one store
 *
 * What new tables hold needs no note of its own: their link says it for all.
 */
#include "pagetable/make.h"

struct make {
	struct tree *tree;
	const struct plan *plan;
	struct reserve *reserve;
	struct stale *stale;
};

/* ---- what went ---- */

bool make_overlooks(const struct tree *tree, uint32_t level, uint64_t old, uint64_t new)
{
	const struct format *format = tree->format;
	enum slot_kind before = slot_kind(format, level, old),
		       after = slot_kind(format, level, new);
	/* Two values of each entry, with sentinels where it is no leaf. */
	uint64_t old_mfn = before == SLOT_LEAF ? slot_frame(format, old) : UINT64_MAX;
	uint64_t new_mfn = after == SLOT_LEAF ? slot_frame(format, new) : UINT64_MAX;
	uint32_t old_flags = before == SLOT_LEAF ? slot_rights(format, old) : 0;
	uint32_t new_flags = after == SLOT_LEAF ? slot_rights(format, new) : 0;
	bool empty = before == SLOT_LINK && after == SLOT_ABSENT;

	for (uint32_t i = 0; empty && i < slots_per_table(format); i++)
		empty = !(load64(&table_under(tree, old)[i]) & format->present);
	return (MUTANT_IS(*tree->mutant, SP_MUT_SENTINELS) && old_mfn == new_mfn &&
		old_flags == new_flags) ||
	       (MUTANT_IS(*tree->mutant, SP_MUT_EMPTY_SKIPPED) && empty) ||
	       (MUTANT_IS(*tree->mutant, SP_MUT_SAME_FRAME) && before == SLOT_LEAF &&
		old_mfn == new_mfn) ||
	       (MUTANT_IS(*tree->mutant, SP_MUT_OLD_FRAME_OF_NEW) && before == SLOT_LEAF &&
		after == SLOT_ABSENT);
}

/* What the first slot of a run tells of all. */
static void note(struct make *make, uint32_t level, struct span span, uint64_t old, uint64_t new)
{
	if (MUTANTS_BUILT && make_overlooks(make->tree, level, old, new))
		return;
	stale_note(make->stale, make->tree->format, level, span, old, new);
}

/* As wide as the old leaf, whatever piece of it went. */
static void note_punch(struct make *make, uint32_t level, struct span part)
{
	struct span span = slot_span(make->tree->format, level, part.first);

	if (MUTANT_IS(*make->tree->mutant, SP_MUT_WIDTH_OF_PIECE))
		span = part;
	stale_note_punch(make->stale, make->tree->format, span);
}

static void let_go_table(struct make *make, uint32_t level, uint64_t link, enum let_go_kind kind)
{
	stale_let_go(make->stale, (struct let_go){ .kind = kind,
						   .mfn = slot_frame(make->tree->format, link),
						   .count = 1,
						   .level = (uint8_t)(level - 1) });
	make->tree->shape++;
}

/* ---- slots that are there ---- */

/* Which slots of a run changed, and what the first of them held and holds. */
struct changed {
	uint32_t first, end;
	uint64_t old, new;
};

/*
 * Leaves take new values, or go; absent slots are passed over. What they held goes too, where
 * `goes`, in runs of frames that follow one another.
 */
static struct changed replace(struct make *make, uint64_t *slot, uint32_t level, uint32_t count,
			      uint64_t value, uint64_t step, bool goes)
{
	const struct format *format = make->tree->format;
	struct changed changed = { .end = 0 };
	uint32_t alike;

	for (uint32_t i = 0; i < count; i += alike) {
		uint64_t old = load64(&slot[i]), new = value + i *step;

		if (!(old & format->present)) {
			alike = count_absent(format, &slot[i], count - i);
			continue;
		}
		alike = count_following(format, level, &slot[i], count - i);
		if (new)
			fill(&slot[i], alike, new, step);
		else
			clear(&slot[i], alike);
		if (!changed.end)
			changed = (struct changed){ i, i, old, new };
		changed.end = i + alike;
		if (goes)
			let_go_frames(make->tree, make->stale, old, slot_frame(format, old),
				      (uint64_t)alike << span_order(format, level));
	}
	return changed;
}

static struct changed retype(struct make *make, uint64_t *slot, uint32_t level,
			     const struct slot_run *run)
{
	for (uint32_t i = 0; i < run->count; i++)
		store64(&slot[i], plan_retyped(make->tree, make->plan, level, load64(&slot[i])));
	return (struct changed){ 0, run->count, run->old,
				 plan_retyped(make->tree, make->plan, level, run->old) };
}

/* Leaves come, go, or take the place of others. */
static struct changed change_leaves(struct make *make, uint64_t *slot, uint32_t level,
				    uint64_t frame, const struct slot_run *run)
{
	const struct format *format = make->tree->format;
	uint64_t new;

	if (run->action == ACTION_CLEAR)
		return replace(make, slot, level, run->count, 0, 0, true);
	if (make->plan->target.keep_frames)
		return retype(make, slot, level, run);
	new = plan_leaf(make->tree, make->plan, level, frame);
	if (run->old & format->present)
		return replace(make, slot, level, run->count, new, leaf_step(format, level),
			       slot_frame(format, run->old) != slot_frame(format, new));
	fill(slot, run->count, new, leaf_step(format, level));
	return (struct changed){ 0, run->count, run->old, new };
}

/* ---- new tables ---- */

/* The first piece of a leaf, one level down; the others follow by steps. */
static uint64_t leaf_piece(const struct format *format, uint32_t level, uint64_t leaf)
{
	return (leaf & ~format->leaf[level + 1]) | format->leaf[level];
}

/* Whole slots of a new table, all as wished. `piece` is what the first would hold of the old leaf. */
static void fill_wished(struct make *make, uint64_t *slot, uint32_t count, uint32_t level,
			uint64_t frame, uint64_t piece)
{
	const struct plan *plan = make->plan;
	uint64_t step = leaf_step(make->tree->format, level);

	if (plan_clears(plan))
		fill(slot, count, 0, 0);
	else if (plan->target.keep_frames)
		fill(slot, count, plan_retyped(make->tree, plan, level, piece), step);
	else
		fill(slot, count, plan_leaf(make->tree, plan, level, frame), step);
}

static uint64_t new_table(struct make *make, uint32_t level, struct span part, uint64_t around);

/* All leaves, one after the other: as wished, or the pieces of the leaf that was there. */
static bool will_be_run(const struct make *make, uint32_t level, struct span part, uint64_t around)
{
	uint32_t order = span_order(make->tree->format, level);

	if (span_is_empty(part))
		return around != 0;
	return !plan_clears(make->plan) &&
	       plan_whole(make->plan, level, order, part) == slots_per_table(make->tree->format);
}

static uint64_t first_of_run(const struct make *make, uint32_t level, struct span part,
			     uint64_t around)
{
	if (span_is_empty(part))
		return leaf_piece(make->tree->format, level, around);
	if (make->plan->target.keep_frames)
		return plan_retyped(make->tree, make->plan, level,
				    leaf_piece(make->tree->format, level, around));
	return plan_leaf(make->tree, make->plan, level, part.first);
}

/*
 * A page from the reserve comes dirty: every slot is written. Those of `part` become as wished, the
 * others hold the pieces of the leaf `around`, or nothing where that is 0.
 *
 *   [ around | around | new table | wished | wished | new table | around ]
 *                     `----------------- part ---------------`
 */
static void fill_table(struct make *make, uint64_t *table, uint32_t level, struct span part,
		       uint64_t around)
{
	const struct format *format = make->tree->format;
	uint32_t order = span_order(format, level), slots = slots_per_table(format);
	uint64_t base = align_down(part.first, order + format->slots_order);
	uint64_t piece = around ? leaf_piece(format, level, around) : 0;
	uint64_t step = around ? leaf_step(format, level) : 0;
	uint32_t at = (uint32_t)((part.first - base) >> order);

	fill(table, at, piece, step);
	while (part.first < part.end) {
		struct span edge = { part.first, min_u64(part.end, base + ((at + 1ull) << order)) };
		uint32_t whole = plan_whole(make->plan, level, order, part);

		if (whole)
			fill_wished(make, &table[at], whole, level, part.first, piece + at * step);
		else
			store64(&table[at],
				new_table(make, level, edge, around ? piece + at * step : 0));
		part.first = whole ? part.first + ((uint64_t)whole << order) : edge.end;
		at += whole ? whole : 1;
	}
	fill(&table[at], slots - at, piece + at * step, step);
}

/* What a slot of this level shall hold: a link to a new table, complete also for who does not snoop. */
static uint64_t new_table(struct make *make, uint32_t level, struct span part, uint64_t around)
{
	const struct tree *tree = make->tree;
	uint64_t mfn = make->reserve->page[--make->reserve->count].mfn;
	uint64_t *table = table_at(tree, mfn), link = mfn << 12 | tree->format->link[level];

	if (will_be_run(make, level - 1, part, around)) {
		fill_unseen(tree, table, first_of_run(make, level - 1, part, around),
			    leaf_step(tree->format, level - 1));
		order_unseen(tree);
		return link | tree->format->run;
	}
	fill_table(make, table, level - 1, part, around);
	if (!MUTANT_IS(*tree->mutant, SP_MUT_CHILD_NOT_WRITTEN_BACK))
		write_back(tree, table, slots_per_table(tree->format));
	return link;
}

/* Absent or leaf -> table, in one store. */
static uint64_t link_table(struct make *make, uint64_t *slot, uint32_t level, struct span part,
			   uint64_t old)
{
	uint64_t link;

	if (MUTANT_IS(*make->tree->mutant, SP_MUT_LINK_BEFORE_FILL))
		store64(slot, make->reserve->page[make->reserve->count - 1].mfn << 12 |
				      make->tree->format->link[level]);
	link = new_table(make, level, part, old);
	write_barrier();
	store64(slot, link);
	return link;
}

/* The frames of a large leaf that its new table does not hold. */
static void let_go_piece(struct make *make, uint32_t level, struct span part, uint64_t leaf)
{
	const struct format *format = make->tree->format;
	uint64_t mfn = slot_frame(format, leaf) +
		       (part.first - slot_span(format, level, part.first).first);

	if (plan_clears(make->plan) ||
	    (!make->plan->target.keep_frames &&
	     slot_frame(format, plan_leaf(make->tree, make->plan, 0, part.first)) != mfn))
		let_go_frames(make->tree, make->stale, leaf, mfn, part.end - part.first);
}

/* ---- the tree ---- */

static void make_part(struct make *make, uint64_t *link, uint64_t *table, uint32_t level,
		      struct span part, const struct slot_run *begins);

/* Looked at first where a table that is filled in order ends, and beside the last that went. */
static bool is_empty_table(const struct format *format, const uint64_t *table, uint32_t last_gone)
{
	uint32_t slots = slots_per_table(format);

	if ((load64(&table[slots - 1]) | load64(&table[min_u64(last_gone + 1, slots - 1)])) &
	    format->present)
		return false;
	return count_absent(format, table, slots) == slots;
}

/* After pieces went: a table without a present slot goes too. */
static struct changed unlink_if_empty(struct make *make, uint64_t *slot, uint32_t level,
				      struct span part)
{
	const struct format *format = make->tree->format;
	uint64_t old = load64(slot);

	if (!plan_clears(make->plan) ||
	    !is_empty_table(format, table_under(make->tree, old),
			    slot_index(format, level - 1, part.end - 1)))
		return (struct changed){ .end = 0 };
	store64(slot, 0);
	let_go_table(make, level, old, GONE_TABLE);
	return (struct changed){ 0, 1, old, 0 };
}

static struct changed clear_subtree(struct make *make, uint64_t *slot, uint32_t level, uint64_t old)
{
	store64(slot, 0);
	let_go_table(make, level, old, GONE_SUBTREE);
	return (struct changed){ 0, 1, old, 0 };
}

static struct changed make_run(struct make *make, uint64_t *slot, uint32_t level, struct span part,
			       const struct slot_run *run)
{
	const struct tree *tree = make->tree;

	switch (run->action) {
	case ACTION_NONE:
	case ACTION_SPLIT:
		break;
	case ACTION_CLEAR:
		if (slot_kind(tree->format, level, run->old) == SLOT_LINK)
			return clear_subtree(make, slot, level, run->old);
		/* fall through */
	case ACTION_LEAF:
		return change_leaves(make, slot, level, part.first, run);
	case ACTION_DESCEND:
		make_part(make, slot, table_under(tree, run->old), level - 1, part, NULL);
		return unlink_if_empty(make, slot, level, part);
	case ACTION_PUNCH:
		let_go_piece(make, level, part, run->old);
		/* fall through */
	case ACTION_BUILD:
		return (struct changed){ 0, 1, run->old,
					 link_table(make, slot, level, part, run->old) };
	}
	return (struct changed){ .end = 0 };
}

static void note_run(struct make *make, uint32_t level, struct span part,
		     const struct slot_run *run, const struct changed *changed)
{
	const struct format *format = make->tree->format;
	uint64_t base = slot_span(format, level, part.first).first;
	uint32_t order = span_order(format, level);

	if (run->action == ACTION_PUNCH)
		note_punch(make, level, part);
	else
		note(make, level,
		     (struct span){ base + ((uint64_t)changed->first << order),
				    base + ((uint64_t)changed->end << order) },
		     changed->old, changed->new);
}

/* `link`: what leads to the table; NULL for the root. `begins`: the first run, where it is known. */
static void make_part(struct make *make, uint64_t *link, uint64_t *table, uint32_t level,
		      struct span part, const struct slot_run *begins)
{
	const struct tree *tree = make->tree;
	uint32_t low = 0, high = 0;

	while (part.first < part.end) {
		uint32_t at = slot_index(tree->format, level, part.first);
		struct changed changed;
		struct slot_run run;

		if (begins)
			run = *begins;
		else
			run_find(tree, make->plan, level, &table[at], part, UINT32_MAX, &run);
		begins = NULL;
		run.end = min_u64(run.end, part.end);
		if (link && run.action != ACTION_NONE)
			forget_run(tree, link);
		changed = make_run(make, &table[at], level, (struct span){ part.first, run.end },
				   &run);
		if (changed.end) {
			note_run(make, level, (struct span){ part.first, run.end }, &run, &changed);
			low = high ? low : at + changed.first;
			high = at + changed.end;
		}
		part.first = run.end;
	}
	write_back_slots(tree, &table[low], high - low);
}

/* The tables above the place, where what the place held was all that they had. */
static void make_above(struct make *make, struct span part)
{
	const struct slot_run unlinked = { .action = ACTION_CLEAR };
	const struct place *place = &make->plan->place;
	const struct tree *tree = make->tree;

	for (uint32_t level = place->level + 1; level < tree->levels; level++) {
		uint64_t *slot = &place->table[level][slot_index(tree->format, level, part.first)];
		struct changed changed = unlink_if_empty(make, slot, level, part);

		if (!changed.end)
			return;
		note_run(make, level, part, &unlinked, &changed);
		write_back_slots(tree, slot, 1);
	}
}

static void make_all(struct make *make, struct span part)
{
	const struct plan *plan = make->plan;
	const struct place *place = &plan->place;
	const struct tree *tree = make->tree;
	uint32_t above = place->level + 1;
	uint64_t *link = NULL;

	/* A place is worth something only in the tree in which it was found. */
	if (place->shape != tree->shape) {
		make_part(make, NULL, table_top(tree), tree->levels - 1u, part, NULL);
		return;
	}
	if (above < tree->levels)
		link = &place->table[above][slot_index(tree->format, above, part.first)];
	make_part(make, link, place->table[place->level], place->level, part, &plan->begins);
	if (plan_clears(plan))
		make_above(make, part);
}

/* The one slot that a split-only plan means: the leaf that spans its first frame. */
static void make_split(struct make *make)
{
	const struct tree *tree = make->tree;
	uint32_t level = tree->levels - 1u;
	uint64_t *table = table_top(tree), *slot = NULL, *link, old;
	struct span span;

	for (;; level--) {
		link = slot;
		slot = &table[slot_index(tree->format, level, make->plan->first)];
		old = load64(slot);
		if (slot_kind(tree->format, level, old) == SLOT_LEAF)
			break;
		table = table_under(tree, old);
	}
	if (link)
		forget_run(tree, link);
	span = slot_span(tree->format, level, make->plan->first);
	note(make, level, span, old,
	     link_table(make, slot, level, (struct span){ span.first, span.first }, old));
	write_back_slots(tree, slot, 1);
}

void tree_commit(struct tree *tree, const struct plan *plan, struct reserve *reserve,
		 struct stale *stale)
{
	struct make make = { tree, plan, reserve, stale };

	if (plan->split_only)
		make_split(&make);
	else if (plan->first < tree->frames)
		make_all(&make, (struct span){ plan->first, min_u64(plan->end, tree->frames) });
}
