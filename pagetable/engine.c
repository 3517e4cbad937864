/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/engine.c - the one algorithm that reads and changes tables of every format.
 *
 *   level 2   root      [ . | link | . ]         slot: one 64-bit entry, written by one store
 *                            |
 *   level 1   table     [ leaf | link | . ]      a leaf here spans 2^span_order(level) frames
 *                                 |
 *   level 0   table     [ leaf | leaf | . ]      part: the frames that one slot spans
 *
 * decide() says what one slot needs; count_part() adds that up and changes nothing; make_part()
 * does it. Both see the same slots, since the caller holds the lock between them, so what was
 * counted is enough.
 *
 * A page whose frame and rights stay is never absent, not between two stores: a large leaf is split
 * with all its translations, in one store, and only when that is paid do its pieces change. A piece
 * that becomes absent may go in the store that splits.
 */
#include "pagetable/engine.h"

#include "lib/mutant.h"
#include "memory.h"

/* Slots looked at in one call, whether they change or not: bounds the time under the lock. */
#define STEP_LOOKS (8 * SP_STEP_SLOTS)

enum action {
	ACTION_NONE,	/* is as wished */
	ACTION_CLEAR,	/* leaf or whole subtree goes, one store */
	ACTION_LEAF,	/* one leaf of this level */
	ACTION_DESCEND, /* the table under it */
	ACTION_BUILD,	/* absent: a table beside the tree, then one store */
	ACTION_PUNCH,	/* leaf: a table with its pieces but those that go, then one store */
	ACTION_SPLIT	/* leaf: must become a table with all its pieces first */
};

static uint64_t *table_pointer(const struct tree *tree, uint64_t mfn)
{
	return platform_pointer(tree->embedder, (sp_mfn_t){ mfn });
}

static uint32_t slots_per_table(const struct tree *tree)
{
	return 1u << tree->format->slots_order;
}

static struct span slot_span(const struct tree *tree, uint32_t level, uint64_t frame)
{
	uint32_t order = span_order(tree->format, level);
	uint64_t first = align_down(frame, order);

	return (struct span){ first, first + BIT(order) };
}

static uint32_t slot_index(const struct tree *tree, uint32_t level, uint64_t frame)
{
	return (uint32_t)(frame >> span_order(tree->format, level)) & (slots_per_table(tree) - 1);
}

static bool is_absent(const struct target *target)
{
	return target->rights == 0;
}

/* What the slot would hold as a leaf of its level. */
static uint64_t make_leaf(const struct tree *tree, uint32_t level, uint64_t mfn,
			  const struct target *target)
{
	return mfn << 12 | tree->format->leaf[level] |
	       format_attributes(tree->format, target->rights, target->memory);
}

/* Piece `index` of a leaf one level down: the same translation of fewer frames. */
static uint64_t leaf_piece(const struct tree *tree, uint32_t level, uint64_t leaf, uint32_t index)
{
	const struct format *format = tree->format;
	uint64_t mfn =
		slot_frame(format, leaf) + ((uint64_t)index << span_order(format, level - 1));

	return (leaf & ~(format->frame | format->leaf[level])) | format->leaf[level - 1] |
	       mfn << 12;
}

static bool same_translation(const struct format *format, uint64_t a, uint64_t b)
{
	return ((a ^ b) & ~(format->hardware | format->software)) == 0;
}

/*
 * The machine frame that the target wants at `frame`, or, where frames stay, the one that is there.
 */
static uint64_t wanted_frame(const struct tree *tree, const struct plan *plan, struct span slot,
			     uint64_t old, uint64_t frame)
{
	if (plan->target.keep_frames)
		return slot_frame(tree->format, old) + (frame - slot.first);
	return plan->target.mfn + (frame - plan->first);
}

static enum action decide_absent(enum slot_kind kind, bool whole)
{
	if (kind == SLOT_ABSENT)
		return ACTION_NONE;
	if (whole)
		return ACTION_CLEAR;
	return kind == SLOT_LEAF ? ACTION_PUNCH : ACTION_DESCEND;
}

static enum action decide_over_leaf(const struct tree *tree, uint32_t level,
				    const struct plan *plan, struct span slot, struct span part,
				    uint64_t old, bool fits)
{
	/* The leaf that would span the whole slot, were the rest of it wished the same. */
	uint64_t mfn = wanted_frame(tree, plan, slot, old, part.first) - (part.first - slot.first);

	if (same_translation(tree->format, old, make_leaf(tree, level, mfn, &plan->target)))
		return ACTION_NONE;
	if (!fits && MUTANT_IS(*tree->mutant, SP_MUT_SPLIT_DIRECT))
		return ACTION_PUNCH;
	return fits ? ACTION_LEAF : ACTION_SPLIT;
}

static enum action decide(const struct tree *tree, uint32_t level, const struct plan *plan,
			  struct span part, uint64_t old)
{
	struct span slot = slot_span(tree, level, part.first);
	enum slot_kind kind = slot_kind(tree->format, level, old);
	bool whole = part.first == slot.first && part.end == slot.end;
	bool fits = whole && tree_has_leaves(tree, level);

	if (is_absent(&plan->target))
		return decide_absent(kind, whole);
	if (kind == SLOT_LINK)
		return ACTION_DESCEND;
	if (kind == SLOT_ABSENT && plan->target.keep_frames)
		return ACTION_NONE;
	fits = fits && is_aligned(wanted_frame(tree, plan, slot, old, part.first),
				  span_order(tree->format, level));
	if (kind == SLOT_LEAF)
		return decide_over_leaf(tree, level, plan, slot, part, old, fits);
	return fits ? ACTION_LEAF : ACTION_BUILD;
}

/* ---- prepare: count ---- */

/* A table as it is, or as it would be: the pieces of a leaf, or nothing. */
struct view {
	const uint64_t *table;
	uint64_t leaf;
};

static uint64_t view_load(const struct tree *tree, const struct view *view, uint32_t level,
			  uint32_t index)
{
	if (view->table)
		return load64(&view->table[index]);
	return view->leaf ? leaf_piece(tree, level + 1, view->leaf, index) : 0;
}

struct count {
	const struct tree *tree;
	struct plan *plan;
	uint32_t looks;
	bool stopped;
};

static bool is_full(const struct count *count)
{
	/* One whole table, and the path to it, in one step. */
	return count->plan->slots >= SP_STEP_SLOTS + MAX_LEVELS ||
	       count->plan->tables >= SP_STEP_TABLES || count->looks >= STEP_LOOKS;
}

static void count_part(struct count *count, const struct view *view, uint32_t level,
		       struct span part);

static void count_slot(struct count *count, uint32_t level, struct span part, uint64_t old)
{
	struct plan *plan = count->plan;
	struct view below = { 0 };

	switch (decide(count->tree, level, plan, part, old)) {
	case ACTION_NONE:
		break;
	case ACTION_CLEAR:
	case ACTION_LEAF:
		plan->slots++;
		plan->gone += slot_kind(count->tree->format, level, old) == SLOT_LINK ||
			      ((old & count->tree->format->present) && count->tree->owns_frames);
		break;
	case ACTION_DESCEND:
		/* The table itself may go when it ends up empty. */
		plan->slots++;
		plan->gone++;
		below.table = table_pointer(count->tree, slot_frame(count->tree->format, old));
		count_part(count, &below, level - 1, part);
		return;
	case ACTION_PUNCH:
		below.leaf = old;
		/* fall through */
	case ACTION_BUILD:
		plan->slots++;
		plan->tables++;
		count_part(count, &below, level - 1, part);
		return;
	case ACTION_SPLIT:
		/* Alone in its change: what came before it is a change of its own. */
		plan->split_only = plan->end == plan->first;
		plan->tables += plan->split_only;
		plan->slots += plan->split_only;
		count->stopped = true;
		return;
	}
	plan->end = part.end;
}

static void count_part(struct count *count, const struct view *view, uint32_t level,
		       struct span part)
{
	const struct tree *tree = count->tree;

	for (uint64_t first = part.first; first < part.end && !count->stopped;) {
		struct span slot = slot_span(tree, level, first);
		struct span piece = { first, min_u64(slot.end, part.end) };

		if (is_full(count)) {
			count->stopped = true;
			return;
		}
		count->looks++;
		count_slot(count, level, piece,
			   view_load(tree, view, level, slot_index(tree, level, first)));
		first = piece.end;
	}
}

/* A frame beyond what a slot can name would become rights of another frame. */
static bool names_frames(const struct format *format, const struct target *target, uint64_t count)
{
	uint64_t frames = (format->frame >> 12) + 1;

	return target->keep_frames || (target->mfn < frames && count <= frames - target->mfn);
}

enum sp_status tree_prepare(const struct tree *tree, uint64_t first, uint64_t end,
			    const struct target *target, struct plan *plan)
{
	struct count count = { .tree = tree, .plan = plan };
	struct view root = { .table = table_pointer(tree, tree->root.mfn) };
	uint64_t frames = tree_frames(tree);

	*plan = (struct plan){ .first = first, .end = first, .target = *target };
	plan->target.rights &= tree->format->rights_seen;
	if (first >= end)
		return SP_INVALID;
	/* What lies beyond the width is absent already. */
	if (!is_absent(&plan->target) &&
	    (end > frames || !names_frames(tree->format, target, end - first)))
		return SP_RANGE;
	if (!is_absent(&plan->target) &&
	    !format_holds(tree->format, plan->target.rights, target->memory))
		return SP_UNSUPPORTED;
	if (first < frames)
		count_part(&count, &root, tree->levels - 1u,
			   (struct span){ first, min_u64(end, frames) });
	if (!count.stopped)
		plan->end = end;
	return SP_OK;
}

/* ---- commit: make ---- */

struct make {
	struct tree *tree;
	const struct plan *plan;
	struct reserve *reserve;
	struct stale *stale;
};

static void let_go_leaf(struct make *make, uint32_t level, uint64_t leaf)
{
	const struct format *format = make->tree->format;

	if (make->tree->owns_frames)
		stale_let_go(make->stale,
			     (struct let_go){ .kind = GONE_FRAMES,
					      .mfn = slot_frame(format, leaf),
					      .count = BIT(span_order(format, level)),
					      .rights = (uint8_t)slot_rights(format, leaf),
					      .memory = (uint8_t)slot_memory(format, leaf) });
}

static void let_go_table(struct tree *tree, struct stale *stale, uint32_t level, uint64_t link,
			 enum let_go_kind kind)
{
	stale_let_go(stale, (struct let_go){ .kind = kind,
					     .mfn = slot_frame(tree->format, link),
					     .count = 1,
					     .level = (uint8_t)(level - 1) });
	tree->shape++;
}

/* What the old content of a slot leaves behind when `new` takes its place. */
static void let_go_old(struct make *make, uint32_t level, uint64_t old, uint64_t new)
{
	const struct format *format = make->tree->format;
	enum slot_kind kind = slot_kind(format, level, old);

	if (kind == SLOT_LINK)
		let_go_table(make->tree, make->stale, level, old, GONE_SUBTREE);
	if (kind == SLOT_LEAF &&
	    (!(new & format->present) || slot_frame(format, new) != slot_frame(format, old)))
		let_go_leaf(make, level, old);
}

/* A page from the reserve comes dirty: every slot is written, the pieces of `leaf`, or absent. */
static void fill_table(const struct tree *tree, uint64_t *table, uint32_t level, uint64_t leaf)
{
	for (uint32_t i = 0; i < slots_per_table(tree); i++)
		store64(&table[i], leaf ? leaf_piece(tree, level, leaf, i) : 0);
}

static void make_part(struct make *make, uint64_t *table, uint32_t level, struct span part,
		      bool unseen);

static void write_back_child(const struct tree *tree, const uint64_t *table)
{
	if (tree->write_back && !MUTANT_IS(*tree->mutant, SP_MUT_CHILD_NOT_WRITTEN_BACK))
		platform_write_back(tree->embedder, table,
				    sizeof(*table) << tree->format->slots_order);
}

/*
 * Absent or leaf -> table, in one store, when the table is complete and a walker that does not
 * snoop sees it so.
 */
static uint64_t link_table(struct make *make, uint64_t *slot, uint32_t level, struct span part,
			   uint64_t old, enum action action)
{
	struct tree *tree = make->tree;
	uint64_t mfn = make->reserve->page[--make->reserve->count].mfn;
	uint64_t *table = table_pointer(tree, mfn), link = mfn << 12 | tree->format->link[level];

	if (MUTANT_IS(*tree->mutant, SP_MUT_LINK_BEFORE_FILL))
		store64(slot, link);
	fill_table(tree, table, level, action == ACTION_BUILD ? 0 : old);
	if (action != ACTION_SPLIT)
		make_part(make, table, level - 1, part, true);
	write_back_child(tree, table);
	write_barrier();
	store64(slot, link);
	return link;
}

static bool is_empty_table(const struct tree *tree, const uint64_t *table)
{
	for (uint32_t i = 0; i < slots_per_table(tree); i++)
		if (load64(&table[i]) & tree->format->present)
			return false;
	return true;
}

/* After pieces went: a table without a present slot goes too. */
static bool unlink_if_empty(struct make *make, uint64_t *slot, uint32_t level, uint64_t old)
{
	struct tree *tree = make->tree;

	if (!is_absent(&make->plan->target) ||
	    !is_empty_table(tree, table_pointer(tree, slot_frame(tree->format, old))))
		return false;
	store64(slot, 0);
	let_go_table(tree, make->stale, level, old, GONE_TABLE);
	return true;
}

/* The negative controls: a decision from less than the old and the new entry (A1.2 to A1.5). */
static bool is_overlooked(const struct tree *tree, uint32_t level, uint64_t old, uint64_t new)
{
	const struct format *format = tree->format;
	enum slot_kind before = slot_kind(format, level, old),
		       after = slot_kind(format, level, new);
	/* Two values of each entry, with sentinels where it is no leaf. */
	uint64_t old_mfn = before == SLOT_LEAF ? slot_frame(format, old) : UINT64_MAX;
	uint64_t new_mfn = after == SLOT_LEAF ? slot_frame(format, new) : UINT64_MAX;
	uint32_t old_flags = before == SLOT_LEAF ? slot_rights(format, old) : 0;
	uint32_t new_flags = after == SLOT_LEAF ? slot_rights(format, new) : 0;

	return (MUTANT_IS(*tree->mutant, SP_MUT_SENTINELS) && old_mfn == new_mfn &&
		old_flags == new_flags) ||
	       (MUTANT_IS(*tree->mutant, SP_MUT_EMPTY_SKIPPED) && before == SLOT_LINK &&
		after == SLOT_ABSENT &&
		is_empty_table(tree, table_pointer(tree, slot_frame(format, old)))) ||
	       (MUTANT_IS(*tree->mutant, SP_MUT_SAME_FRAME) && before == SLOT_LEAF &&
		old_mfn == new_mfn) ||
	       (MUTANT_IS(*tree->mutant, SP_MUT_OLD_FRAME_OF_NEW) && before == SLOT_LEAF &&
		after == SLOT_ABSENT);
}

static void note(struct make *make, uint32_t level, struct span part, uint64_t old, uint64_t new,
		 enum action action)
{
	struct span span = slot_span(make->tree, level, part.first);

	if (MUTANTS_BUILT && is_overlooked(make->tree, level, old, new))
		return;
	if (action != ACTION_PUNCH)
		stale_note(make->stale, make->tree->format, level, span, old, new);
	else if (MUTANT_IS(*make->tree->mutant, SP_MUT_WIDTH_OF_PIECE))
		stale_note_punch(make->stale, make->tree->format, part);
	else
		stale_note_punch(make->stale, make->tree->format, span);
}

/* True where the slot itself was written. An unseen slot is of a table that is not linked yet. */
static bool make_slot(struct make *make, uint64_t *slot, uint32_t level, struct span part,
		      bool unseen)
{
	struct tree *tree = make->tree;
	uint64_t old = load64(slot), new = 0;
	enum action action = decide(tree, level, make->plan, part, old);

	switch (action) {
	case ACTION_NONE:
		return false;
	case ACTION_LEAF:
		new = make_leaf(tree, level,
				wanted_frame(tree, make->plan, slot_span(tree, level, part.first),
					     old, part.first),
				&make->plan->target);
		/* fall through */
	case ACTION_CLEAR:
		store64(slot, new);
		let_go_old(make, level, old, new);
		break;
	case ACTION_DESCEND:
		make_part(make, table_pointer(tree, slot_frame(tree->format, old)), level - 1, part,
			  false);
		if (!unlink_if_empty(make, slot, level, old))
			return false;
		break;
	case ACTION_BUILD:
	case ACTION_PUNCH:
	case ACTION_SPLIT:
		new = link_table(make, slot, level, part, old, action);
		break;
	}
	if (!unseen)
		note(make, level, part, old, new, action);
	return true;
}

static void make_part(struct make *make, uint64_t *table, uint32_t level, struct span part,
		      bool unseen)
{
	struct tree *tree = make->tree;
	uint64_t *low = NULL, *high = NULL;

	for (uint64_t first = part.first; first < part.end;) {
		struct span slot = slot_span(tree, level, first);
		struct span piece = { first, min_u64(slot.end, part.end) };
		uint64_t *at = &table[slot_index(tree, level, first)];

		if (make_slot(make, at, level, piece, unseen)) {
			low = low ? low : at;
			high = at;
		}
		first = piece.end;
	}
	if (low && !unseen && tree->write_back &&
	    !MUTANT_IS(*tree->mutant, SP_MUT_SLOT_NOT_WRITTEN_BACK))
		platform_write_back(tree->embedder, low, (size_t)(high - low + 1) * sizeof(*low));
}

/* The one slot that a split-only plan means: the leaf that spans its first frame. */
static void make_split(struct make *make)
{
	struct tree *tree = make->tree;
	uint64_t *table = table_pointer(tree, tree->root.mfn), *slot, old;
	uint32_t level = tree->levels - 1u;

	for (;; level--) {
		slot = &table[slot_index(tree, level, make->plan->first)];
		old = load64(slot);
		if (slot_kind(tree->format, level, old) == SLOT_LEAF)
			break;
		table = table_pointer(tree, slot_frame(tree->format, old));
	}
	note(make, level, (struct span){ make->plan->first, make->plan->first + 1 }, old,
	     link_table(make, slot, level, (struct span){ 0, 0 }, old, ACTION_SPLIT), ACTION_SPLIT);
	if (tree->write_back && !MUTANT_IS(*tree->mutant, SP_MUT_SLOT_NOT_WRITTEN_BACK))
		platform_write_back(tree->embedder, slot, sizeof(*slot));
}

void tree_commit(struct tree *tree, const struct plan *plan, struct reserve *reserve,
		 struct stale *stale)
{
	struct make make = { tree, plan, reserve, stale };

	if (plan->split_only)
		make_split(&make);
	else if (plan->first < tree_frames(tree))
		make_part(&make, table_pointer(tree, tree->root.mfn), tree->levels - 1u,
			  (struct span){ plan->first, min_u64(plan->end, tree_frames(tree)) },
			  false);
}

/* ---- reading ---- */

static const uint32_t none_chosen = SP_MUT_NONE;

void tree_make(struct tree *tree, const struct format *format, void *embedder, sp_mfn_t root,
	       uint32_t levels)
{
	uint64_t *table = platform_pointer(embedder, root);

	*tree = (struct tree){ .format = format,
			       .mutant = &none_chosen,
			       .embedder = embedder,
			       .root = root,
			       .levels = (uint8_t)levels,
			       .leaf_levels = 1 };
	for (uint32_t i = 0; i < slots_per_table(tree); i++)
		store64(&table[i], 0);
}

uint64_t tree_frames(const struct tree *tree)
{
	/* No format addresses more than 64 bits' worth of bytes. */
	return BIT(min_u64(span_order(tree->format, tree->levels), 64 - 12));
}

bool tree_find(const struct tree *tree, uint64_t frame, struct found *found)
{
	const struct format *format = tree->format;
	uint64_t table = tree->root.mfn, slot = 0;
	uint32_t level = tree->levels;

	*found = (struct found){ .count = UINT64_MAX - frame };
	if (frame >= tree_frames(tree))
		return false;
	do {
		level--;
		slot = load64(&table_pointer(tree, table)[slot_index(tree, level, frame)]);
		table = slot_frame(format, slot);
	} while (slot_kind(format, level, slot) == SLOT_LINK);
	found->level = level;
	found->count = slot_span(tree, level, frame).end - frame;
	if (!(slot & format->present))
		return false;
	found->mfn = slot_frame(format, slot) + (frame & (BIT(span_order(format, level)) - 1));
	found->rights = slot_rights(format, slot);
	found->memory = slot_memory(format, slot);
	return true;
}
