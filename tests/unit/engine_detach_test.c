/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_detach_test.c - whole subtrees go by one store, and are taken apart when all
 * have forgotten.
 */
#include "tests/unit/engine_fixture.h"

/* Leaves of every size that the tree has, with holes between, under the slot at `level`. */
static void populate(struct machine *machine, uint32_t level)
{
	uint64_t base = machine_base(machine), span = machine_span(machine, level);
	uint32_t all = machine_all_rights(machine), few = machine_few_rights(machine);

	machine_map(machine, base + 1, 1, machine_fresh(machine), all);
	machine_map(machine, base + span - 1, 1, machine_fresh(machine), few);
	for (uint32_t size = 1; size < level && size < 3; size++) {
		uint64_t first = base + machine_span(machine, size);

		if (machine_can(machine, size) && first + machine_span(machine, size) < base + span)
			machine_map(machine, first, machine_span(machine, size),
				    machine_fresh(machine), all);
	}
	if (machine_slots(machine) > 2)
		machine_map(machine, base + 100, 60, machine_fresh(machine), all);
	/* Above it stays what it is. */
	if (base + span < machine_frames(machine))
		machine_map(machine, base + span, 1, machine_fresh(machine), all);
}

static uint32_t detach(struct machine *machine, uint32_t level)
{
	uint64_t base = machine_base(machine), end = base + machine_span(machine, level),
		 shape = machine->tree.shape;
	struct target target = { .rights = 0 };
	uint32_t tables;
	struct step step;

	populate(machine, level);
	tables = machine_tables(machine);
	machine_step(machine, base, end, &target, &step);
	machine_assert_clean(machine);
	assert_int_equal(step.plan.end, end);
	assert_int_equal(step.live_stores, 1);
	assert_int_equal(step.tables, 0);
	assert_int_equal(step.stale.gone_count, 1);
	assert_int_equal(step.stale.gone[0].kind, GONE_SUBTREE);
	assert_int_equal(step.stale.gone[0].level, level - 1);
	assert_int_equal(step.stale.gone[0].count, 1);
	assert_true(machine->tree.shape > shape);
	return tables - machine_tables(machine);
}

static void a_whole_region_goes_in_one_store_and_is_handed_back_as_a_subtree(void **state)
{
	const struct subject *subject = *state;

	for (uint32_t level = 1; level < subject->levels; level++) {
		struct machine *machine = machine_make(subject);

		assert_true(detach(machine, level) >= level);
		machine_settle(machine, 0);
		machine_free(machine);
	}
}

/* The fixture checks each frame and each table: once, in any budget, and nothing written. */
static void a_subtree_is_dismantled_completely_in_any_budget(void **state)
{
	static const uint32_t budgets[] = { 1, 2, 3, 511, 512, 513, 100000 };
	const struct subject *subject = *state;

	for (uint32_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		struct machine *machine = machine_make(subject);
		uint32_t level = subject->levels < 4 ? subject->levels - 1u : 3;

		if (level) {
			detach(machine, level);
			machine_settle(machine, budgets[i]);
		}
		machine_free(machine);
	}
}

static void no_frames(struct dismantle_sink *sink, uint64_t mfn, uint64_t count, uint32_t rights,
		      enum memory_type memory)
{
	(void)sink;
	(void)rights;
	(void)memory;
	fail_msg("%#llx frames at %#llx are not this tree's", (unsigned long long)count,
		 (unsigned long long)mfn);
}

static void any_table(struct dismantle_sink *sink, uint64_t mfn)
{
	(void)sink;
	(void)mfn;
}

static void a_tree_that_owns_no_frames_lets_tables_go_alone(void **state)
{
	struct machine *machine = machine_make(*state);
	struct dismantle_sink sink = { no_frames, any_table };
	struct dismantle place = { 0 };
	uint32_t budget = 1000000;
	struct step step;

	machine->tree.owns_frames = false;
	if (machine->tree.levels > 1 && machine_slots(machine) > 2) {
		uint64_t base = machine_base(machine);
		struct target target = { .rights = 0 };

		populate(machine, 1);
		machine_step(machine, base + 1, base + 2, &target, &step);
		assert_int_equal(step.stale.gone_count, 0);
		machine_step(machine, base, base + machine_span(machine, 1), &target, &step);
		assert_int_equal(step.stale.gone_count, 1);
		assert_int_equal(step.stale.gone[0].kind, GONE_SUBTREE);
		assert_true(tree_dismantle(&machine->tree, &place, step.stale.gone[0].mfn, 0, &sink,
					   &budget));
		machine_assert_clean(machine);
	}
	machine_free(machine);
}

/* Piece by piece: the last one takes its table with it, and all above that have nothing else. */
static void the_last_page_of_a_table_takes_the_table_with_it(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t base = machine_base(machine);
	struct target target = { .rights = 0 };
	uint32_t unlinked = 0;
	struct step step;

	machine_map(machine, base, 1, machine_fresh(machine), machine_all_rights(machine));
	machine_map(machine, base + 1, 1, machine_fresh(machine), machine_all_rights(machine));
	machine_unmap(machine, base, 1);
	machine_step(machine, base + 1, base + 2, &target, &step);
	machine_assert_clean(machine);
	for (uint32_t i = 0; i < step.stale.gone_count; i++)
		unlinked += step.stale.gone[i].kind == GONE_TABLE;
	assert_int_equal(unlinked, machine->tree.levels - 1u);
	assert_int_equal(machine_tables(machine), 1);
	machine_settle(machine, 0);
	machine_free(machine);
}

static void a_run_of_frames_is_handed_back_as_one(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t base = machine_base(machine), mfn = machine_fresh(machine) + 1;
	uint64_t count = machine_frames(machine) < 400 ? 2 : 300;
	struct target target = { .rights = 0 };
	struct step step;

	machine_map(machine, base, count, mfn, machine_all_rights(machine));
	machine_map(machine, base + count, 1, machine_fresh(machine), machine_all_rights(machine));
	machine_step(machine, base, base + count, &target, &step);
	machine_assert_clean(machine);
	assert_int_equal(step.plan.end, base + count);
	if (machine_slots(machine) > 2) {
		assert_int_equal(step.stale.gone_count, 1);
		assert_int_equal(step.stale.gone[0].count, count);
		assert_int_equal(step.stale.gone[0].mfn, mfn);
		assert_int_equal(step.stale.gone[0].rights, machine_all_rights(machine));
	}
	machine_settle(machine, 0);
	machine_free(machine);
}

static void populate_root(struct machine *machine)
{
	uint64_t span = machine_span(machine, machine->tree.levels - 1u),
		 frames = machine_frames(machine);
	uint32_t all = machine_all_rights(machine);

	for (uint32_t i = 0; i < 2; i++)
		machine_map(machine, i * span, 1, machine_fresh(machine), all);
	machine_map(machine, frames - 1, 1, machine_fresh(machine), all);
	/* A leaf in the root itself, where it may be. */
	if (machine->tree.levels <= 3 && frames / span > 3 &&
	    machine_can(machine, machine->tree.levels - 1u))
		machine_map(machine, 2 * span, span, machine_fresh(machine), all);
}

static void a_tree_is_closed_in_bounded_parts(void **state)
{
	struct machine *machine = machine_make(*state);
	uint32_t rounds = 0;
	struct step step;
	bool closed;

	populate_root(machine);
	assert_false(machine_close(machine, 0, &step));
	do {
		uint64_t shape = machine->tree.shape;

		closed = machine_close(machine, 1, &step);
		assert_true(step.live_stores <= 1);
		assert_true(step.live_stores == 0 || machine->tree.shape > shape);
		rounds++;
	} while (!closed);
	assert_in_range(rounds, 2, 5);
	assert_int_equal(machine_tables(machine), 1);
	assert_int_equal(machine->oracle.count, 0);
	machine_settle(machine, 0);
	machine_free(machine);
}

static void a_tree_is_closed_at_once_where_there_is_room(void **state)
{
	struct machine *machine = machine_make(*state);
	struct step step;

	populate_root(machine);
	assert_true(machine_close(machine, 600, &step));
	assert_int_equal(machine_tables(machine), 1);
	machine_settle(machine, 0);
	assert_true(machine_close(machine, 0, &step));
	machine_free(machine);
}

int main(void)
{
#define TEST(name)          \
	{                   \
#name, name \
	}
	static const struct conformance_test tests[] = {
		TEST(a_whole_region_goes_in_one_store_and_is_handed_back_as_a_subtree),
		TEST(a_subtree_is_dismantled_completely_in_any_budget),
		TEST(a_tree_that_owns_no_frames_lets_tables_go_alone),
		TEST(the_last_page_of_a_table_takes_the_table_with_it),
		TEST(a_run_of_frames_is_handed_back_as_one),
		TEST(a_tree_is_closed_in_bounded_parts),
		TEST(a_tree_is_closed_at_once_where_there_is_room),
	};

	return run_conformance("engine_detach", tests, sizeof(tests) / sizeof(tests[0]));
}
