/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_merge_test.c - when a table becomes a leaf again, and when it must not.
 */
#include "tests/unit/engine_fixture.h"

#include <string.h>

/* Fills the table under the slot at `level` slot by slot: in one change it would become a leaf. */
static uint64_t make_run(struct machine *machine, uint32_t level)
{
	uint64_t base = machine_base(machine), piece = machine_span(machine, level - 1),
		 mfn = machine_fresh(machine);

	for (uint32_t i = 0; i < machine_slots(machine); i++) {
		uint64_t frame = base + i * piece;

		machine_map(machine, frame, piece, mfn + i * piece, machine_all_rights(machine));
		/* As hardware would, in some. */
		if (machine_random(machine, 2))
			looks_touch(machine, machine->page, frame);
	}
	if (machine->tree.write_back)
		memcpy(machine->seen, machine->page, (size_t)machine->top * SP_FRAME_BYTES);
	return mfn;
}

/* Calls the test once for each level at which the tree may have large leaves. */
static void at_each_level(void **state, void (*run)(struct machine *machine, uint32_t level))
{
	for (uint32_t level = 1; level < 3; level++) {
		struct machine *machine = machine_make(*state);

		if (machine_can(machine, level))
			run(machine, level);
		machine_settle(machine, 0);
		machine_free(machine);
	}
}

static void merge_of_a_run(struct machine *machine, uint32_t level)
{
	uint64_t base = machine_base(machine), end = base + machine_span(machine, level), shape;
	uint32_t tables;
	struct step step;

	make_run(machine, level);
	tables = machine_tables(machine);
	shape = machine->tree.shape;
	assert_true(machine_merge(machine, base + 1, level, &step));
	assert_int_equal(step.live_stores, 1);
	assert_int_equal(step.stale.gone_count, 1);
	assert_int_equal(step.stale.gone[0].kind, GONE_TABLE);
	assert_int_equal(step.stale.gone[0].level, level - 1);
	assert_int_equal(machine_tables(machine), tables - 1);
	assert_true(machine->tree.shape > shape);
	for (uint32_t walker = 0; walker < WALKER_COUNT; walker++) {
		struct span span = step.stale.span[walker][KIND_MERGE];

		assert_true(span_is_empty(span) || (span.first == base && span.end == end));
	}
	/* A leaf is no table: the second time there is nothing to do. */
	assert_false(machine_merge(machine, base, level, &step));
}

static void a_table_that_is_one_run_becomes_a_leaf_in_one_store(void **state)
{
	at_each_level(state, merge_of_a_run);
}

static void merge_upwards(struct machine *machine, uint32_t level)
{
	uint64_t base = machine_base(machine), below = machine_span(machine, level - 1);
	struct step step;
	struct found found;

	make_run(machine, level);
	/* Split one piece once more, if it can be: two merges bring it back. */
	if (level > 1) {
		machine_unmap(machine, base + below, 1);
		machine_map(machine, base + below, 1,
			    oracle_find(&machine->oracle, base).mfn + below,
			    machine_all_rights(machine));
		assert_false(machine_merge(machine, base, level, &step));
		assert_true(machine_merge(machine, base + below, level - 1, &step));
	}
	assert_true(machine_merge(machine, base, level, &step));
	assert_true(tree_find(&machine->tree, base + below, &found));
	assert_int_equal(found.level, level);
	/* And down again, with every translation kept. */
	machine_unmap(machine, base + 1, 1);
}

static void what_was_split_is_merged_level_by_level(void **state)
{
	at_each_level(state, merge_upwards);
}

/* Changes one slot of the run, asks, and puts it back. */
static void refuse_with(struct machine *machine, uint32_t level, const struct target *target)
{
	uint64_t base = machine_base(machine), piece = machine_span(machine, level - 1);
	uint32_t last = machine_slots(machine) - 1,
		 odd = (uint32_t)machine_random(machine, last + 1ull);
	struct step step;

	for (uint32_t i = 0; i < 3; i++) {
		uint32_t at = i == 0 ? 0 : i == 1 ? last : odd;
		uint64_t frame = base + at * piece;
		struct view was = oracle_find(&machine->oracle, frame);
		struct target back = { .mfn = was.mfn, .rights = was.rights, .memory = was.memory };

		assert_int_equal(machine_change(machine, frame, frame + piece, target), SP_OK);
		assert_false(machine_merge(machine, base, level, &step));
		assert_int_equal(step.live_stores, 0);
		assert_int_equal(step.stale.gone_count, 0);
		assert_int_equal(machine_change(machine, frame, frame + piece, &back), SP_OK);
	}
}

static void one_slot_differs(struct machine *machine, uint32_t level)
{
	uint32_t all = machine_all_rights(machine);
	struct step step;

	make_run(machine, level);
	refuse_with(machine, level, &(struct target){ .rights = 0 });
	refuse_with(machine, level,
		    &(struct target){ .mfn = machine_fresh(machine), .rights = all });
	refuse_with(machine, level,
		    &(struct target){ .keep_frames = true, .rights = machine_few_rights(machine) });
	if (machine->opinion->cpu)
		refuse_with(machine, level,
			    &(struct target){ .keep_frames = true,
					      .rights = all,
					      .memory = MEMORY_WRITE_THROUGH });
	assert_true(machine_merge(machine, machine_base(machine), level, &step));
}

static void a_table_with_one_slot_that_differs_is_left_alone(void **state)
{
	at_each_level(state, one_slot_differs);
}

static void unaligned(struct machine *machine, uint32_t level)
{
	uint64_t base = machine_base(machine), piece = machine_span(machine, level - 1);
	struct step step;

	machine_map(machine, base, machine_span(machine, level), machine_fresh(machine) + piece,
		    machine_all_rights(machine));
	assert_false(machine_merge(machine, base, level, &step));
}

static void a_run_whose_first_frame_is_not_aligned_is_left_alone(void **state)
{
	at_each_level(state, unaligned);
}

static void levels_of_no_use(struct machine *machine, uint32_t level)
{
	uint64_t base = machine_base(machine);
	struct step step;

	make_run(machine, level);
	machine->tree.leaf_levels &= (uint8_t)~BIT(level);
	assert_false(machine_merge(machine, base, level, &step));
	machine->tree.leaf_levels = machine->subject->leaf_levels;
	assert_false(machine_merge(machine, base, 0, &step));
	assert_false(machine_merge(machine, base, machine->tree.levels, &step));
	assert_true(machine_merge(machine, base, level, &step));
}

static void a_level_that_may_hold_no_leaf_is_never_merged(void **state)
{
	at_each_level(state, levels_of_no_use);
}

/* A frame beyond the tree has the same low bits as one in it. */
static void beyond_the_tree(struct machine *machine, uint32_t level)
{
	struct step step = { 0 };

	make_run(machine, level);
	machine_keep_shadow(machine);
	assert_false(tree_merge(&machine->tree, machine_base(machine) + machine_frames(machine),
				level, &step.stale));
	assert_true(machine_is_as_shadow(machine));
}

static void a_frame_beyond_the_tree_merges_nothing(void **state)
{
	at_each_level(state, beyond_the_tree);
}

static void nothing_there(struct machine *machine, uint32_t level)
{
	struct step step;

	assert_false(machine_merge(machine, machine_base(machine), level, &step));
	assert_false(machine_merge(machine, machine_frames(machine) - 1, level, &step));
}

static void where_nothing_is_mapped_nothing_is_merged(void **state)
{
	at_each_level(state, nothing_there);
}

int main(void)
{
#define TEST(name)          \
	{                   \
#name, name \
	}
	static const struct conformance_test tests[] = {
		TEST(a_table_that_is_one_run_becomes_a_leaf_in_one_store),
		TEST(what_was_split_is_merged_level_by_level),
		TEST(a_table_with_one_slot_that_differs_is_left_alone),
		TEST(a_run_whose_first_frame_is_not_aligned_is_left_alone),
		TEST(a_level_that_may_hold_no_leaf_is_never_merged),
		TEST(a_frame_beyond_the_tree_merges_nothing),
		TEST(where_nothing_is_mapped_nothing_is_merged),
	};

	return run_conformance("engine_merge", tests, sizeof(tests) / sizeof(tests[0]));
}
