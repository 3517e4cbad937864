/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/roof.c - what the machine allows: four fixed levels, nothing checked, nothing owed.
 *
 *   A  clears each new table, then fills it; unmap zeroes the slots
 *   B  does not clear what it fills; unmap detaches a table or subtree that the range covers
 *   C  is B with stores past the caches for leaf tables that the range covers
 *   G  is C by general registers alone, stores of 8 bytes: what the core's own flags allow
 *
 * Slots in a row are fill.c's, which has vector registers; all else is compiled as the core is, by
 * gcc and by clang, and the faster one counts. One fence a call. Bits come from the shape, which is
 * written by hand.
 */
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/bench/fill.h"

#define SLOTS	    512u
#define PENDING_MAX 64u
#define FRAME	    0x000ffffffffff000ull

struct pending {
	uint64_t mfn;
	uint32_t level; /* of the slots in the table */
};

struct roof {
	struct side side; /* first */
	char kind;
	uint64_t root[2];
	struct pending pending[PENDING_MAX];
	uint32_t pending_count;
};

static struct roof *roof_of(struct side *side)
{
	return (struct roof *)side;
}

static inline uint32_t index_at(uint32_t level, uint64_t frame)
{
	return (uint32_t)(frame >> 9 * level) & (SLOTS - 1);
}

static inline bool is_past_cache(const struct roof *roof)
{
	return roof->kind == 'C' || roof->kind == 'G';
}

static inline void fill_general(uint64_t *slot, uint32_t count, uint64_t leaf)
{
	uint64_t *end = slot + count;

	for (; count == SLOTS && slot < end; slot++, leaf += SP_FRAME_BYTES)
		__asm__ volatile("movnti %1, %0" : "=m"(*slot) : "r"(leaf));
	for (; slot < end; slot++, leaf += SP_FRAME_BYTES)
		*slot = leaf;
}

static inline void fill(const struct roof *roof, uint64_t *slot, uint32_t count, uint64_t leaf)
{
	if (roof->kind == 'G')
		fill_general(slot, count, leaf);
	else if (roof->kind == 'C' && count == SLOTS)
		fill_table_past_cache(slot, leaf);
	else
		fill_slots(slot, count, leaf);
}

static uint64_t *new_table(struct roof *roof, uint64_t *mfn)
{
	*mfn = arena_take(&roof->side.arena);
	return arena_table(&roof->side.arena, *mfn);
}

/* The table under one slot; a new one is empty. */
static inline uint64_t *table_under(struct roof *roof, const struct shape *shape, uint64_t *table,
				    uint32_t level, uint64_t frame)
{
	uint64_t *slot = &table[index_at(level, frame)], mfn;

	if (!*slot) {
		clear_slots(new_table(roof, &mfn), SLOTS);
		*slot = mfn << 12 | shape->link[level];
	}
	return arena_table(&roof->side.arena, (*slot & FRAME) >> 12);
}

/* Slots of one leaf table, new or there already. */
static inline void map_part(struct roof *roof, const struct shape *shape, uint64_t *slot,
			    uint64_t frame, uint32_t count, uint64_t leaf)
{
	uint32_t index = index_at(0, frame);
	uint64_t *table, mfn;

	if (*slot) {
		fill(roof, &arena_table(&roof->side.arena, (*slot & FRAME) >> 12)[index], count,
		     leaf);
		return;
	}
	table = new_table(roof, &mfn);
	if (roof->kind == 'A') {
		clear_slots(table, SLOTS);
	} else {
		clear_slots(table, index);
		clear_slots(&table[index + count], SLOTS - index - count);
	}
	fill(roof, &table[index], count, leaf);
	/* What went past the cache is in memory already. */
	if (roof->side.write_back && !is_past_cache(roof))
		arena_write_back(table, SP_FRAME_BYTES);
	*slot = mfn << 12 | shape->link[1];
}

static inline void map_range(struct roof *roof, uint32_t map, uint64_t first, uint64_t count)
{
	const struct shape *shape = roof->side.subject->shape[map];
	uint64_t *root = arena_table(&roof->side.arena, roof->root[map]);

	for (uint64_t end = first + count; first < end;) {
		uint32_t part = (uint32_t)min_u64(SLOTS - index_at(0, first), end - first);
		uint64_t *table = table_under(roof, shape, root, 3, first);

		table = table_under(roof, shape, table, 2, first);
		map_part(roof, shape, &table[index_at(1, first)], first, part,
			 (first + GUEST_MFN) << 12 | shape->leaf);
		first += part;
	}
	if (is_past_cache(roof) && count >= SLOTS)
		fill_fence();
}

/* The shortest way to one slot: three loads and a store. False where a table is missing. */
static inline bool map_one(const struct roof *roof, uint32_t map, uint64_t frame)
{
	const uint64_t leaf = roof->side.subject->shape[map]->leaf;
	uint64_t *table = arena_table(&roof->side.arena, roof->root[map]);

	for (uint32_t level = 3; level > 0; level--) {
		uint64_t slot = table[index_at(level, frame)];

		if (!slot)
			return false;
		table = arena_table(&roof->side.arena, (slot & FRAME) >> 12);
	}
	table[index_at(0, frame)] = (frame + GUEST_MFN) << 12 | leaf;
	return true;
}

static void map_singles(struct roof *roof, const struct places *places)
{
	for (uint32_t i = 0; i < places->calls; i++)
		for (uint32_t map = 0; map < roof->side.subject->maps; map++)
			if (!map_one(roof, map, places->first[i]))
				map_range(roof, map, places->first[i], 1);
}

static void roof_map(struct side *side, const struct places *places)
{
	if (places->count == 1) {
		map_singles(roof_of(side), places);
		return;
	}
	for (uint32_t i = 0; i < places->calls; i++)
		for (uint32_t map = 0; map < side->subject->maps; map++)
			map_range(roof_of(side), map, places->first[i], places->count);
}

static void detach(struct roof *roof, uint64_t *slot, uint32_t level)
{
	if (roof->pending_count == PENDING_MAX)
		bench_fail("a roofline detached more than %u subtrees", PENDING_MAX);
	roof->pending[roof->pending_count++] = (struct pending){ (*slot & FRAME) >> 12, level - 1 };
	*slot = 0;
}

/* Answers how many frames were done. */
static inline uint64_t unmap_part(struct roof *roof, uint64_t *table, uint64_t first,
				  uint64_t count)
{
	uint32_t part;

	for (uint32_t level = 3; level > 0; level--) {
		uint64_t *slot = &table[index_at(level, first)];

		if (count > 1 && level < 3 && roof->kind != 'A' && count >= BIT(9 * level) &&
		    is_aligned(first, 9 * level)) {
			detach(roof, slot, level);
			return BIT(9 * level);
		}
		table = arena_table(&roof->side.arena, (*slot & FRAME) >> 12);
	}
	part = (uint32_t)min_u64(SLOTS - index_at(0, first), count);
	if (part == 1)
		table[index_at(0, first)] = 0;
	else
		clear_slots(&table[index_at(0, first)], part);
	return part;
}

static void roof_unmap(struct side *side, const struct places *places)
{
	struct roof *roof = roof_of(side);

	for (uint32_t i = 0; i < places->calls; i++) {
		for (uint32_t map = 0; map < side->subject->maps; map++) {
			uint64_t *root = arena_table(&side->arena, roof->root[map]);

			for (uint64_t done = 0; done < places->count;)
				done += unmap_part(roof, root, places->first[i] + done,
						   places->count - done);
		}
	}
}

/* Links are read, leaves are not. */
static void give_subtree(struct roof *roof, uint64_t mfn, uint32_t level)
{
	const uint64_t *table = arena_table(&roof->side.arena, mfn);

	for (uint32_t i = 0; level > 0 && i < SLOTS; i++)
		if (table[i])
			give_subtree(roof, (table[i] & FRAME) >> 12, level - 1);
	arena_give(&roof->side.arena, mfn);
}

static void roof_settle(struct side *side)
{
	struct roof *roof = roof_of(side);

	while (roof->pending_count) {
		struct pending pending = roof->pending[--roof->pending_count];

		give_subtree(roof, pending.mfn, pending.level);
	}
}

static uint64_t roof_find(struct side *side, const struct places *places)
{
	struct roof *roof = roof_of(side);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < places->calls; i++) {
		const uint64_t *table = arena_table(&side->arena, roof->root[0]);
		uint64_t slot = 0;

		for (uint32_t level = 4; level-- > 0;) {
			slot = table[index_at(level, places->first[i])];
			if (!slot)
				break;
			table = arena_table(&side->arena, (slot & FRAME) >> 12);
		}
		sum += (slot & FRAME) >> 12;
	}
	return sum;
}

static void roof_open(struct side *side)
{
	for (uint32_t map = 0; map < side->subject->maps; map++)
		clear_slots(new_table(roof_of(side), &roof_of(side)->root[map]), SLOTS);
}

static void roof_close(struct side *side)
{
	roof_settle(side);
	for (uint32_t map = 0; map < side->subject->maps; map++)
		give_subtree(roof_of(side), roof_of(side)->root[map], 3);
}

static uint64_t roof_root(const struct side *side, uint32_t map)
{
	return ((const struct roof *)side)->root[map];
}

static const struct side_ops roof_ops = {
	roof_open, roof_close, roof_map, roof_unmap, roof_settle, roof_find, roof_root,
};

struct side *roof_side(char kind)
{
	struct roof *roof = calloc(1, sizeof(*roof));

	if (!roof)
		bench_fail("no memory");
	roof->side.ops = &roof_ops;
	roof->kind = kind;
	arena_make(&roof->side.arena);
	return &roof->side;
}
