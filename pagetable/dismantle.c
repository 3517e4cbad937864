/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/dismantle.c - taking apart what everybody has forgotten, in bounded steps.
 *
 *   place.table[0]  index[0] ->   [ . | link | . ]
 *   place.table[1]  index[1] ->            [ leaf | leaf | . ]     <- depth 2
 *
 * Nothing is written into the tables. Children are handed back before the table that names them.
 */
#include "memory.h"
#include "pagetable/engine.h"

struct run {
	uint64_t mfn, count;
	uint32_t rights;
	enum memory_type memory;
};

static void flush(const struct tree *tree, struct dismantle_sink *sink, struct run *run)
{
	if (run->count && tree->owns_frames)
		sink->frames(sink, run->mfn, run->count, run->rights, run->memory);
	run->count = 0;
}

static void take_leaf(const struct tree *tree, struct dismantle_sink *sink, struct run *run,
		      uint32_t level, uint64_t slot)
{
	uint64_t mfn = slot_frame(tree->format, slot);
	uint32_t rights = slot_rights(tree->format, slot);
	enum memory_type memory = slot_memory(tree->format, slot);

	if (run->count &&
	    (run->mfn + run->count != mfn || run->rights != rights || run->memory != memory))
		flush(tree, sink, run);
	if (!run->count)
		*run = (struct run){ .mfn = mfn, .rights = rights, .memory = memory };
	run->count += BIT(span_order(tree->format, level));
}

/* One slot, or the end of a table. */
static void step(const struct tree *tree, struct dismantle *place, uint32_t level,
		 struct dismantle_sink *sink, struct run *run)
{
	uint32_t at = place->depth - 1;
	const uint64_t *table;
	uint64_t slot;

	if (place->index[at] >> tree->format->slots_order) {
		sink->table(sink, place->table[at]);
		place->depth--;
		return;
	}
	table = platform_pointer(tree->embedder, (sp_mfn_t){ place->table[at] });
	slot = load64(&table[place->index[at]++]);
	switch (slot_kind(tree->format, level - at, slot)) {
	case SLOT_ABSENT:
		return;
	case SLOT_LEAF:
		take_leaf(tree, sink, run, level - at, slot);
		return;
	case SLOT_LINK:
		place->table[place->depth] = slot_frame(tree->format, slot);
		place->index[place->depth++] = 0;
		return;
	}
}

bool tree_dismantle(const struct tree *tree, struct dismantle *place, uint64_t mfn, uint32_t level,
		    struct dismantle_sink *sink, uint32_t *budget)
{
	struct run run = { 0 };

	if (place->depth == 0) {
		place->table[0] = mfn;
		place->index[0] = 0;
		place->depth = 1;
	}
	for (; *budget && place->depth; --*budget)
		step(tree, place, level, sink, &run);
	flush(tree, sink, &run);
	return place->depth == 0;
}

bool tree_close(struct tree *tree, uint32_t slots, struct stale *stale)
{
	const struct format *format = tree->format;
	uint64_t *root = platform_pointer(tree->embedder, tree->root);
	uint32_t level = tree->levels - 1u;

	for (uint64_t i = 0; i < BIT(format->slots_order); i++) {
		uint64_t old = load64(&root[i]), first = i << span_order(format, level);
		bool is_leaf = slot_kind(format, level, old) == SLOT_LEAF;

		if (!(old & format->present))
			continue;
		if (!slots--)
			return false;
		store64(&root[i], 0);
		tree->shape++;
		if (tree->write_back)
			platform_write_back(tree->embedder, &root[i], sizeof(root[i]));
		stale_note(stale, format, level,
			   (struct span){ first, first + BIT(span_order(format, level)) }, old, 0);
		if (is_leaf && !tree->owns_frames)
			continue;
		stale_let_go(stale,
			     (struct let_go){ .kind = is_leaf ? GONE_FRAMES : GONE_SUBTREE,
					      .mfn = slot_frame(format, old),
					      .count = is_leaf ? BIT(span_order(format, level)) : 1,
					      .level = (uint8_t)(is_leaf ? level : level - 1),
					      .rights = (uint8_t)slot_rights(format, old),
					      .memory = (uint8_t)slot_memory(format, old) });
	}
	return true;
}
