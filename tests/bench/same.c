/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/same.c - did both sides write the same tables? Nothing is timed that is not the same
 * work.
 */
#include <stdio.h>

#include "tests/bench/bench.h"

#define SLOTS 512u
#define FRAME 0x000ffffffffff000ull

struct comparison {
	const struct side *a, *b;
	uint64_t leaves, ours;
	char *text;
	size_t text_bytes;
};

static const uint64_t *table_of(const struct side *side, uint64_t slot)
{
	return arena_table(&side->arena, (slot & FRAME) >> 12);
}

static bool is_empty(const struct side *side, uint32_t level, uint64_t slot)
{
	const uint64_t *table;

	if (!slot || level == 0)
		return !slot;
	table = table_of(side, slot);
	for (uint32_t i = 0; i < SLOTS; i++)
		if (!is_empty(side, level - 1, table[i]))
			return false;
	return true;
}

static bool same(struct comparison *comparison, uint32_t level, const uint64_t *a,
		 const uint64_t *b);

static bool same_slot(struct comparison *comparison, uint32_t level, uint64_t a, uint64_t b)
{
	if (level == 0) {
		comparison->leaves += a != 0;
		return a == b;
	}
	if (!a || !b)
		return is_empty(comparison->a, level, a) && is_empty(comparison->b, level, b);
	/* The core has bits of its own in links. */
	return ((a ^ b) & ~(FRAME | comparison->ours)) == 0 &&
	       same(comparison, level - 1, table_of(comparison->a, a), table_of(comparison->b, b));
}

static bool same(struct comparison *comparison, uint32_t level, const uint64_t *a,
		 const uint64_t *b)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		if (same_slot(comparison, level, a[i], b[i]))
			continue;
		/* The deepest place speaks. */
		if (!comparison->text[0])
			snprintf(comparison->text, comparison->text_bytes,
				 "level %u slot %u: %#llx, roofline %#llx", level, i,
				 (unsigned long long)a[i], (unsigned long long)b[i]);
		return false;
	}
	return true;
}

const char *same_tables(const struct side *a, const struct side *b, uint64_t *leaves)
{
	static char text[120];
	struct comparison comparison = { a, b, 0, 0, text, sizeof(text) };
	bool is_same = true;

	text[0] = '\0';
	for (uint32_t map = 0; map < a->subject->maps && is_same; map++) {
		comparison.ours = a->subject->shape[map]->format->run;
		is_same = same(&comparison, 3, arena_table(&a->arena, a->ops->root(a, map)),
			       arena_table(&b->arena, b->ops->root(b, map)));
	}
	*leaves = comparison.leaves;
	return is_same ? NULL : text;
}

static uint64_t *first_leaf(const struct side *side)
{
	uint64_t *table = arena_table(&side->arena, side->ops->root(side, 0)), *slot = table;

	for (uint32_t level = 4; level-- > 0;) {
		for (slot = table; slot < table + SLOTS && !*slot; slot++)
			;
		if (slot == table + SLOTS)
			bench_fail("nothing is mapped where a wrong bit was to be tried");
		table = arena_table(&side->arena, (*slot & FRAME) >> 12);
		if (level == 0)
			break;
	}
	return slot;
}

bool same_finds_a_wrong_bit(struct side *a, struct side *b)
{
	uint64_t *slot = first_leaf(b), leaves;
	bool found;

	*slot ^= 1ull << 52;
	found = same_tables(a, b, &leaves) != NULL;
	*slot ^= 1ull << 52;
	return found;
}
