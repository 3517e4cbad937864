/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/format_test.c - every format's row against a second opinion, bit by bit.
 */
#include "tests/unit/engine_fixture.h"

#include <stdio.h>

#define SOME_FRAME 0x123456ull

static uint32_t all_held(const struct opinion *opinion)
{
	uint32_t all = 0;

	for (uint32_t i = 0; i < opinion->held_count; i++)
		all |= opinion->held[i];
	return all;
}

static bool opinion_holds(const struct opinion *opinion, uint32_t rights)
{
	for (uint32_t i = 0; i < opinion->held_count; i++)
		if (opinion->held[i] == rights)
			return true;
	return false;
}

static uint64_t leaf_of(const struct format *format, uint32_t level, uint64_t mfn, uint32_t rights,
			enum memory_type memory)
{
	return mfn << 12 | format->leaf[level] | format_attributes(format, rights, memory);
}

/* Levels whose leaves the suite uses: 4 KiB, 2 MiB, 1 GiB. */
static uint32_t leaf_levels(const struct format *format)
{
	return format->levels_max < 3 ? format->levels_max : 3;
}

static void it_sees_the_rights_of_exactly_those_who_walk_it(void **state)
{
	const struct opinion *opinion = *state;

	assert_int_equal(opinion->format->rights_seen, all_held(opinion));
}

static void it_holds_exactly_the_pairs_of_rights_that_its_walkers_can_tell_apart(void **state)
{
	const struct opinion *opinion = *state;
	const struct format *format = opinion->format;

	for (uint32_t rights = 1; rights < 32; rights++)
		for (uint32_t memory = 0; memory < MEMORY_TYPE_COUNT; memory++)
			if (rights & format->rights_seen)
				assert_int_equal(
					format_holds(format, rights, (enum memory_type)memory),
					opinion_holds(opinion, rights & format->rights_seen));
	assert_false(format_holds(format, opinion->held[0], MEMORY_TYPE_COUNT));
}

static void a_leaf_is_read_by_its_walkers_as_it_was_made(void **state)
{
	const struct opinion *opinion = *state;
	const struct format *format = opinion->format;

	for (uint32_t level = 0; level < leaf_levels(format); level++) {
		for (uint32_t i = 0; i < opinion->held_count * MEMORY_TYPE_COUNT; i++) {
			enum memory_type memory = (enum memory_type)(i % MEMORY_TYPE_COUNT);
			uint32_t rights = opinion->held[i / MEMORY_TYPE_COUNT];
			uint64_t mfn = align_down(SOME_FRAME << 18, span_order(format, level));
			uint64_t slot = leaf_of(format, level, mfn, rights, memory);
			struct sight sight = opinion_read(opinion, level, slot);

			assert_null(sight.why);
			assert_int_equal(sight.kind, SIGHT_LEAF);
			assert_int_equal(sight.mfn, mfn);
			assert_int_equal(sight.rights, rights);
			assert_int_equal(sight.memory, opinion->cpu ? memory : MEMORY_WRITE_BACK);
			assert_int_equal(slot_kind(format, level, slot), SLOT_LEAF);
			assert_int_equal(slot_frame(format, slot), mfn);
			assert_int_equal(slot_rights(format, slot), rights);
			assert_int_equal(slot_memory(format, slot), sight.memory);
			assert_int_equal(slot & format->reserved_low[level], 0);
		}
	}
}

static void a_link_is_read_by_its_walkers_as_a_link_that_allows_everything(void **state)
{
	const struct opinion *opinion = *state;
	const struct format *format = opinion->format;

	for (uint32_t level = 1; level < format->levels_max; level++) {
		uint64_t slot = SOME_FRAME << 12 | format->link[level];
		struct sight sight = opinion_read(opinion, level, slot);

		assert_null(sight.why);
		assert_int_equal(sight.kind, SIGHT_TABLE);
		assert_int_equal(sight.mfn, SOME_FRAME);
		assert_int_equal(sight.rights, all_held(opinion));
		assert_int_equal(slot_kind(format, level, slot), SLOT_LINK);
		assert_int_equal(slot_frame(format, slot), SOME_FRAME);
	}
}

static void the_largest_frame_fits_and_touches_no_other_bit(void **state)
{
	const struct opinion *opinion = *state;
	const struct format *format = opinion->format;
	uint64_t last = BIT(40) - 1;

	assert_int_equal(format->frame, last << 12);
	for (uint32_t level = 0; level < leaf_levels(format); level++)
		assert_int_equal(format->leaf[level] & format->frame, 0);
	for (uint32_t level = 1; level < format->levels_max; level++)
		assert_int_equal(format->link[level] & format->frame, 0);
	assert_int_equal(slot_frame(format,
				    leaf_of(format, 0, last, opinion->held[0], MEMORY_WRITE_BACK)),
			 last);
}

static void accessed_and_dirty_change_nothing_that_a_walker_reads(void **state)
{
	const struct opinion *opinion = *state;
	const struct format *format = opinion->format;
	uint64_t bits = BIT(opinion->accessed) | BIT(opinion->dirty);

	assert_int_equal(format->hardware, bits);
	for (uint32_t level = 0; level < leaf_levels(format); level++) {
		uint64_t slot = leaf_of(format, level, 0, opinion->held[0], MEMORY_WRITE_BACK);
		struct sight clear = opinion_read(opinion, level, slot & ~bits);
		struct sight set = opinion_read(opinion, level, slot | bits);

		assert_int_equal(clear.kind, SIGHT_LEAF);
		assert_int_equal(set.kind, SIGHT_LEAF);
		assert_int_equal(clear.rights, set.rights);
		assert_int_equal(clear.mfn, set.mfn);
		assert_int_equal(slot_rights(format, slot & ~bits),
				 slot_rights(format, slot | bits));
	}
}

/* A bit is ours only where every walker, at every level, ignores it. */
static void software_bits_are_ignored_by_every_walker(void **state)
{
	const struct opinion *opinion = *state;
	const struct format *format = opinion->format;

	for (uint32_t number = 0; number < 64; number++) {
		for (uint32_t level = 0;
		     (format->software >> number & 1) && level < leaf_levels(format); level++) {
			uint64_t slot =
				leaf_of(format, level, 0, opinion->held[0], MEMORY_WRITE_BACK);
			struct sight plain = opinion_read(opinion, level, slot);
			struct sight marked = opinion_read(opinion, level, slot | BIT(number));

			assert_int_equal(slot & BIT(number), 0);
			assert_null(marked.why);
			assert_int_equal(marked.kind, plain.kind);
			assert_int_equal(marked.rights, plain.rights);
			assert_int_equal(marked.mfn, plain.mfn);
			assert_int_equal(marked.memory, plain.memory);
		}
	}
}

/* So is the one in links that says that a table is one run, at every level that has links. */
static void the_bit_of_runs_is_ignored_by_every_walker(void **state)
{
	const struct opinion *opinion = *state;
	const struct format *format = opinion->format;

	assert_int_equal(format->run & (format->run - 1), 0);
	assert_int_not_equal(format->run, 0);
	for (uint32_t level = 1; level < format->levels_max; level++) {
		uint64_t link = SOME_FRAME << 12 | format->link[level];
		struct sight plain = opinion_read(opinion, level, link);
		struct sight marked = opinion_read(opinion, level, link | format->run);

		assert_int_equal(link & format->run, 0);
		assert_int_equal(plain.kind, SIGHT_TABLE);
		assert_null(marked.why);
		assert_int_equal(marked.kind, plain.kind);
		assert_int_equal(marked.rights, plain.rights);
		assert_int_equal(marked.mfn, plain.mfn);
	}
}

/* What reserved_low forbids, some walker refuses. */
static void reserved_bits_make_a_leaf_unreadable(void **state)
{
	const struct opinion *opinion = *state;
	const struct format *format = opinion->format;

	for (uint32_t level = 0; level < leaf_levels(format); level++) {
		for (uint32_t number = 0; number < 64; number++) {
			uint64_t slot =
				leaf_of(format, level, 0, opinion->held[0], MEMORY_WRITE_BACK);

			if (format->reserved_low[level] >> number & 1)
				assert_int_not_equal(
					opinion_read(opinion, level, slot | BIT(number)).kind,
					SIGHT_LEAF);
		}
	}
}

static void the_absent_value_is_zero(void **state)
{
	const struct opinion *opinion = *state;

	for (uint32_t level = 0; level < opinion->format->levels_max; level++) {
		assert_int_equal(slot_kind(opinion->format, level, 0), SLOT_ABSENT);
		assert_int_equal(opinion_read(opinion, level, 0).kind, SIGHT_ABSENT);
	}
}

/* 9 bits a level from bit 12 on: the widths that the manuals give. */
static void a_slot_spans_what_the_manual_says(void **state)
{
	const struct opinion *opinion = *state;
	const struct format *format = opinion->format;
	static const uint8_t orders[] = { 0, 9, 18, 27, 36, 45 };

	assert_in_range(format->levels_max, 1, MAX_LEVELS);
	for (uint32_t level = 0; level < format->levels_max; level++)
		assert_int_equal(span_order(format, level),
				 format == &format_toy ? level : orders[level]);
}

struct format_case {
	const char *name;
	void (*run)(void **state);
};

int main(void)
{
	static const struct format_case list[] = {
		{ "it_sees_the_rights_of_exactly_those_who_walk_it",
		  it_sees_the_rights_of_exactly_those_who_walk_it },
		{ "it_holds_exactly_the_pairs_of_rights_that_its_walkers_can_tell_apart",
		  it_holds_exactly_the_pairs_of_rights_that_its_walkers_can_tell_apart },
		{ "a_leaf_is_read_by_its_walkers_as_it_was_made",
		  a_leaf_is_read_by_its_walkers_as_it_was_made },
		{ "a_link_is_read_by_its_walkers_as_a_link_that_allows_everything",
		  a_link_is_read_by_its_walkers_as_a_link_that_allows_everything },
		{ "the_largest_frame_fits_and_touches_no_other_bit",
		  the_largest_frame_fits_and_touches_no_other_bit },
		{ "accessed_and_dirty_change_nothing_that_a_walker_reads",
		  accessed_and_dirty_change_nothing_that_a_walker_reads },
		{ "the_bit_of_runs_is_ignored_by_every_walker",
		  the_bit_of_runs_is_ignored_by_every_walker },
		{ "software_bits_are_ignored_by_every_walker",
		  software_bits_are_ignored_by_every_walker },
		{ "reserved_bits_make_a_leaf_unreadable", reserved_bits_make_a_leaf_unreadable },
		{ "the_absent_value_is_zero", the_absent_value_is_zero },
		{ "a_slot_spans_what_the_manual_says", a_slot_spans_what_the_manual_says },
	};
	enum {
		LIST = sizeof(list) / sizeof(list[0])
	};
	static struct CMUnitTest cases[LIST * OPINION_COUNT];
	static char names[LIST * OPINION_COUNT][160];

	for (uint32_t i = 0; i < LIST * OPINION_COUNT; i++) {
		const struct opinion *opinion = &opinions[i % OPINION_COUNT];

		snprintf(names[i], sizeof(names[i]), "%s (%s)", list[i / OPINION_COUNT].name,
			 opinion->format->name);
		cases[i] = (struct CMUnitTest){ .name = names[i],
						.test_func = list[i / OPINION_COUNT].run,
						.initial_state = (void *)(uintptr_t)opinion };
	}
	return cmocka_run_group_tests_name("format", cases, NULL, NULL);
}
