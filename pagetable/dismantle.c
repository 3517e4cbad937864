/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/dismantle.c - taking apart what everybody has forgotten, in bounded steps.
 *
 *   place.table[0]  index[0] ->   [ . | link | . ]
 *   place.table[1]  index[1] ->            [ leaf | leaf | . ]     <- depth 2
 *
 * Nothing is written into the tables. Children are handed back before the table that names them.
 * Of a table that its link calls a run the first slot is read. Tables of the lowest level link to
 * nothing: who does not own the frames in them does not read them at all.
 */
#include "pagetable/walk.h"

/* Leaves that follow one another: the first of them, what the next must hold, how many frames. */
struct leaves {
	uint64_t head, next, frames;
};

static void flush(const struct tree *tree, struct dismantle_sink *sink, struct leaves *leaves)
{
	const struct format *format = tree->format;

	if (leaves->frames && tree->owns_frames)
		sink->frames(sink, slot_frame(format, leaves->head), leaves->frames,
			     slot_rights(format, leaves->head), slot_memory(format, leaves->head));
	leaves->frames = 0;
}

static void take_leaves(const struct tree *tree, struct dismantle_sink *sink, struct leaves *leaves,
			uint32_t level, uint64_t first, uint32_t count)
{
	const struct format *format = tree->format;

	if (!leaves->frames || !same_translation(format, first, leaves->next)) {
		flush(tree, sink, leaves);
		leaves->head = first;
		leaves->next = first;
	}
	leaves->next += count * leaf_step(format, level);
	leaves->frames += (uint64_t)count << span_order(format, level);
}

/*
 * Whole tables whose links say what is in them, side by side, `most` at most; the first is one. Answers
 * how many. Nearly all of a large map is that, so what does not change is kept at hand.
 */
static uint32_t take_runs(const struct tree *tree, struct dismantle_sink *sink,
			  struct leaves *leaves, uint32_t level, const uint64_t *link,
			  uint32_t most)
{
	const struct format *format = tree->format;
	const uint64_t present = format->present, run = format->run, frame = format->frame;
	const uint64_t ignored = format->hardware | format->software;
	const uint32_t order = span_order(format, level) + format->slots_order;
	const uint64_t span = BIT(order + 12);
	const bool owns = tree->owns_frames;
	uint32_t count = 0;

	for (; count < most; count++) {
		uint64_t slot = load64(&link[count]), mfn = (slot & frame) >> 12;

		if (!(slot & present) || !(slot & run) ||
		    slot_kind(format, level + 1, slot) != SLOT_LINK)
			break;
		if (owns) {
			uint64_t first = load64(table_at(tree, mfn));

			if (leaves->frames && !((first ^ leaves->next) & ~ignored)) {
				leaves->next += span;
				leaves->frames += BIT(order);
			} else {
				take_leaves(tree, sink, leaves, level, first,
					    slots_per_table(format));
			}
		}
		sink->table(sink, mfn);
	}
	return count;
}

/* Slots of the table that the place stands in; at least one. Answers how many were looked at. */
static uint32_t take_slots(const struct tree *tree, struct dismantle *place, uint32_t level,
			   struct dismantle_sink *sink, struct leaves *leaves, uint32_t most)
{
	uint32_t at = place->depth - 1, index = place->index[at];
	const uint64_t *table = table_at(tree, place->table[at]);
	uint64_t slot = load64(&table[index]);
	uint32_t count = 1;

	most = (uint32_t)min_u64(most, slots_per_table(tree->format) - index);

	switch (slot_kind(tree->format, level, slot)) {
	case SLOT_ABSENT:
		count = count_absent(tree->format, &table[index], most);
		break;
	case SLOT_LEAF:
		count = count_following(tree->format, level, &table[index], most);
		take_leaves(tree, sink, leaves, level, slot, count);
		break;
	case SLOT_LINK:
		if (slot & tree->format->run) {
			count = take_runs(tree, sink, leaves, level - 1, &table[index], most);
			break;
		}
		place->table[place->depth] = slot_frame(tree->format, slot);
		place->index[place->depth++] = 0;
		break;
	}
	place->index[at] = index + count;
	return count;
}

/* Some slots, or the end of a table. */
static uint32_t step(const struct tree *tree, struct dismantle *place, uint32_t level,
		     struct dismantle_sink *sink, struct leaves *leaves, uint32_t most)
{
	uint32_t at = place->depth - 1;
	bool unread = level == at && !tree->owns_frames;

	if (!unread && place->index[at] < slots_per_table(tree->format))
		return take_slots(tree, place, level - at, sink, leaves, most);
	sink->table(sink, place->table[at]);
	place->depth--;
	return 1;
}

bool tree_dismantle(const struct tree *tree, struct dismantle *place, uint64_t mfn, uint32_t level,
		    struct dismantle_sink *sink, uint32_t *budget)
{
	struct leaves leaves = { .frames = 0 };

	if (place->depth == 0) {
		place->table[0] = mfn;
		place->index[0] = 0;
		place->depth = 1;
	}
	while (*budget && place->depth)
		*budget -= step(tree, place, level, sink, &leaves, *budget);
	flush(tree, sink, &leaves);
	return place->depth == 0;
}

/* The whole content of one root slot goes. */
static void close_slot(struct tree *tree, uint64_t *slot, struct span span, uint64_t old,
		       struct stale *stale)
{
	const struct format *format = tree->format;
	uint32_t level = tree->levels - 1u;
	bool is_leaf = slot_kind(format, level, old) == SLOT_LEAF;

	store64(slot, 0);
	tree->shape++;
	write_back(tree, slot, 1);
	stale_note(stale, format, level, span, old, 0);
	if (is_leaf && !tree->owns_frames)
		return;
	stale_let_go(stale, (struct let_go){ .kind = is_leaf ? GONE_FRAMES : GONE_SUBTREE,
					     .mfn = slot_frame(format, old),
					     .count = is_leaf ? span.end - span.first : 1,
					     .level = (uint8_t)(is_leaf ? level : level - 1),
					     .rights = (uint8_t)slot_rights(format, old),
					     .memory = (uint8_t)slot_memory(format, old) });
}

bool tree_close(struct tree *tree, uint32_t slots, struct stale *stale)
{
	const struct format *format = tree->format;
	uint32_t order = span_order(format, tree->levels - 1u);
	uint64_t *top = table_top(tree);

	for (uint64_t i = 0; i < slots_per_table(format); i++) {
		uint64_t old;

		i += count_absent(format, &top[i], slots_per_table(format) - (uint32_t)i);
		if (i == slots_per_table(format))
			break;
		if (!slots--)
			return false;
		old = load64(&top[i]);
		close_slot(tree, &top[i], (struct span){ i << order, (i + 1) << order }, old,
			   stale);
	}
	return true;
}
