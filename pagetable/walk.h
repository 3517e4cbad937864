/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/walk.h - tables, slots and spans: what every walk through a tree is made of.
 *
 *   level 2   root      [ . | link | . ]         slot: one 64-bit entry, written by one store
 *                            |
 *   level 1   table     [ leaf | link | . ]      a leaf here spans 2^span_order(level) frames
 *                                 |
 *   level 0   table     [ leaf | leaf | . ]      part: the frames of a table that a change is about
 *
 * Only the files of pagetable/ include this.
 */
#pragma once

#include "lib/mutant.h"
#include "memory.h"
#include "pagetable/engine.h"

static inline uint64_t *table_at(const struct tree *tree, uint64_t mfn)
{
	return platform_pointer(tree->embedder, (sp_mfn_t){ mfn });
}

/* Others may look up while the tree gets another root: they see the one or the other. */
static inline uint64_t *table_top(const struct tree *tree)
{
	return (uint64_t *)(uintptr_t)load64(&tree->top);
}

static inline uint64_t *table_under(const struct tree *tree, uint64_t link)
{
	return table_at(tree, slot_frame(tree->format, link));
}

static inline uint32_t slots_per_table(const struct format *format)
{
	return 1u << format->slots_order;
}

static inline uint32_t slot_index(const struct format *format, uint32_t level, uint64_t frame)
{
	return (uint32_t)(frame >> span_order(format, level)) & (slots_per_table(format) - 1);
}

static inline struct span slot_span(const struct format *format, uint32_t level, uint64_t frame)
{
	uint32_t order = span_order(format, level);
	uint64_t first = align_down(frame, order);

	return (struct span){ first, first + BIT(order) };
}

/* What a slot of this level grows by from one leaf to the next, where frames follow one another. */
static inline uint64_t leaf_step(const struct format *format, uint32_t level)
{
	return BIT(span_order(format, level) + 12);
}

/* Hardware writes some bits whenever it likes, and ours mean nothing to who walks. */
static inline bool same_translation(const struct format *format, uint64_t a, uint64_t b)
{
	return ((a ^ b) & ~(format->hardware | format->software)) == 0;
}

/* The same, but for the frame. */
static inline bool same_attributes(const struct format *format, uint64_t a, uint64_t b)
{
	return same_translation(format, a | format->frame, b | format->frame);
}

/*
 * The loops below are most of what a long run costs. Four values run side by side, so that none waits
 * for the one before; loads are joined before they are asked, so that four slots cost one branch.
 */

/* How many slots from here on are absent, `most` at most. */
static inline uint32_t count_absent(const struct format *format, const uint64_t *slot,
				    uint32_t most)
{
	const uint64_t present = format->present, *at = slot, *end = slot + most;

	for (; at + 8 <= end; at += 8)
		if ((load64(&at[0]) | load64(&at[1]) | load64(&at[2]) | load64(&at[3]) |
		     load64(&at[4]) | load64(&at[5]) | load64(&at[6]) | load64(&at[7])) &
		    present)
			break;
	while (at < end && !(load64(at) & present))
		at++;
	return (uint32_t)(at - slot);
}

/* How many leaves follow one another from here on, `most` at most; the first is one. */
static inline uint32_t count_following(const struct format *format, uint32_t level,
				       const uint64_t *slot, uint32_t most)
{
	const uint64_t mask = ~(format->hardware | format->software),
		       step = leaf_step(format, level), stride = 4 * step;
	const uint64_t *at = slot, *end = slot + most;
	uint64_t a = load64(slot), b = a + step, c = b + step, d = c + step;

	for (; at + 4 <= end; at += 4) {
		if (((load64(&at[0]) ^ a) | (load64(&at[1]) ^ b) | (load64(&at[2]) ^ c) |
		     (load64(&at[3]) ^ d)) &
		    mask)
			break;
		a += stride;
		b += stride;
		c += stride;
		d += stride;
	}
	for (; at < end && !((load64(at) ^ a) & mask); at++)
		a += step;
	return (uint32_t)(at - slot);
}

static inline void fill_past_cache(uint64_t *slot, uint32_t count, uint64_t value, uint64_t step)
{
	for (; count; count--, value += step)
		store64_past_cache(slot++, value);
}

/* `count` slots: a first value, and what the next one has more. */
static inline void fill(uint64_t *slot, uint32_t count, uint64_t value, uint64_t step)
{
	const uint64_t stride = 4 * step;
	uint64_t a = value, b = a + step, c = b + step, d = c + step;

	for (; count >= 8; count -= 8, slot += 8) {
		store64(&slot[0], a);
		store64(&slot[1], b);
		store64(&slot[2], c);
		store64(&slot[3], d);
		a += stride;
		b += stride;
		c += stride;
		d += stride;
		store64(&slot[4], a);
		store64(&slot[5], b);
		store64(&slot[6], c);
		store64(&slot[7], d);
		a += stride;
		b += stride;
		c += stride;
		d += stride;
	}
	for (; count; count--, a += step)
		store64(slot++, a);
}

static inline void clear(uint64_t *slot, uint32_t count)
{
	for (; count >= 8; count -= 8, slot += 8) {
		store64(&slot[0], 0);
		store64(&slot[1], 0);
		store64(&slot[2], 0);
		store64(&slot[3], 0);
		store64(&slot[4], 0);
		store64(&slot[5], 0);
		store64(&slot[6], 0);
		store64(&slot[7], 0);
	}
	for (; count; count--)
		store64(slot++, 0);
}

static inline bool is_written_past_cache(const struct tree *tree)
{
	return tree->write_back && !MUTANT_IS(*tree->mutant, SP_MUT_CHILD_NOT_WRITTEN_BACK);
}

/*
 * A whole table that nobody sees, for whoever does not snoop in memory already: a barrier is all that
 * it needs before it is linked.
 */
static inline void fill_unseen(const struct tree *tree, uint64_t *table, uint64_t value,
			       uint64_t step)
{
	if (is_written_past_cache(tree))
		fill_past_cache(table, slots_per_table(tree->format), value, step);
	else
		fill(table, slots_per_table(tree->format), value, step);
}

/* Before the link of a table that fill_unseen() filled. */
static inline void order_unseen(const struct tree *tree)
{
	if (is_written_past_cache(tree) && !MUTANT_IS(*tree->mutant, SP_MUT_PAST_CACHE_UNORDERED))
		past_cache_barrier();
}

static inline void write_back(const struct tree *tree, const uint64_t *slot, uint32_t count)
{
	if (tree->write_back && count)
		platform_write_back(tree->embedder, slot, count * sizeof(*slot));
}

static inline void write_back_slots(const struct tree *tree, const uint64_t *slot, uint32_t count)
{
	if (!MUTANT_IS(*tree->mutant, SP_MUT_SLOT_NOT_WRITTEN_BACK))
		write_back(tree, slot, count);
}
