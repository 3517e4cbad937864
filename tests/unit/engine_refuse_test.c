/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_refuse_test.c - what prepare refuses, what it promises, and that it changes
 * nothing.
 */
#include "tests/unit/engine_fixture.h"

/* Something of every kind: refusals are tried over it. */
static struct machine *populated(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t base = machine_base(machine), span = machine_slots(machine);

	machine_map(machine, base, span, machine_fresh(machine), machine_all_rights(machine));
	machine_unmap(machine, base + 1, 1);
	machine_map(machine, machine_frames(machine) - 1, 1, machine_fresh(machine),
		    machine_few_rights(machine));
	return machine;
}

static void refuse(struct machine *machine, uint64_t first, uint64_t end, struct target target,
		   enum sp_status status)
{
	struct plan plan;

	assert_int_equal(machine_prepare(machine, first, end, &target, &plan), status);
	machine_assert_clean(machine);
}

static void frames_beyond_the_tree_are_refused(void **state)
{
	struct machine *machine = populated(state);
	uint64_t frames = machine_frames(machine), mfn = machine_fresh(machine);
	struct target map = { .mfn = mfn, .rights = machine_all_rights(machine) };
	struct target keep = { .rights = machine_all_rights(machine), .keep_frames = true };

	assert_int_equal(machine->tree.frames, frames);
	refuse(machine, frames, frames + 1, map, SP_RANGE);
	refuse(machine, frames - 1, frames + 1, map, SP_RANGE);
	refuse(machine, 0, frames + 1, keep, SP_RANGE);
	refuse(machine, frames - 1, UINT64_MAX, map, SP_RANGE);
	refuse(machine, frames + machine_base(machine), frames + machine_base(machine) + 1, map,
	       SP_RANGE);
	machine_free(machine);
}

static void what_lies_beyond_the_tree_is_absent_already(void **state)
{
	struct machine *machine = populated(state);
	uint64_t frames = machine_frames(machine);
	struct target absent = { .rights = 0 };
	struct step step;

	machine_step(machine, frames, frames + 7, &absent, &step);
	assert_int_equal(step.plan.end, frames + 7);
	assert_int_equal(step.live_stores, 0);
	machine_step(machine, frames - 1, frames + 7, &absent, &step);
	machine_assert_clean(machine);
	assert_int_equal(step.plan.end, frames + 7);
	assert_false(oracle_find(&machine->oracle, frames - 1).rights);
	machine_free(machine);
}

/* 52 bits of address: a frame beyond would set bits that mean something else. */
static void machine_frames_that_no_slot_can_name_are_refused(void **state)
{
	struct machine *machine = populated(state);
	uint64_t base = machine_base(machine), last = BIT(40) - 1;
	struct target target = { .rights = machine_all_rights(machine) };

	target.mfn = last + 1;
	refuse(machine, base, base + 1, target, SP_RANGE);
	target.mfn = last;
	refuse(machine, base, base + 2, target, SP_RANGE);
	target.mfn = UINT64_MAX;
	refuse(machine, base, base + 2, target, SP_RANGE);
	target.mfn = BIT(52);
	refuse(machine, base, base + 1, target, SP_RANGE);
	machine_map(machine, base + 1, 1, last, machine_all_rights(machine));
	machine_free(machine);
}

static void a_range_that_is_empty_or_reversed_is_refused(void **state)
{
	struct machine *machine = populated(state);
	struct target target = { .mfn = machine_fresh(machine),
				 .rights = machine_all_rights(machine) };

	refuse(machine, 5, 5, target, SP_INVALID);
	refuse(machine, 6, 5, target, SP_INVALID);
	target.rights = 0;
	refuse(machine, 6, 5, target, SP_INVALID);
	machine_free(machine);
}

static bool is_held(const struct machine *machine, uint32_t rights)
{
	for (uint32_t i = 0; i < machine->opinion->held_count; i++)
		if (machine->opinion->held[i] == (rights & machine_all_rights(machine)))
			return true;
	return false;
}

static void rights_that_the_format_does_not_hold_are_refused_and_change_no_byte(void **state)
{
	struct machine *machine = populated(state);
	uint64_t base = machine_base(machine), mfn = machine_fresh(machine);

	for (uint32_t rights = 1; rights < 32; rights++) {
		struct target target = { .mfn = mfn, .rights = rights };

		if (!(rights & machine_all_rights(machine)) || is_held(machine, rights))
			continue;
		refuse(machine, base, base + 2, target, SP_UNSUPPORTED);
		target.keep_frames = true;
		refuse(machine, base, base + 2, target, SP_UNSUPPORTED);
	}
	refuse(machine, base, base + 2,
	       (struct target){ .mfn = mfn,
				.rights = machine_all_rights(machine),
				.memory = MEMORY_TYPE_COUNT },
	       SP_UNSUPPORTED);
	machine_free(machine);
}

static void every_pair_of_rights_that_the_format_holds_is_held_exactly(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t base = machine_base(machine);

	for (uint32_t rights = 1; rights < 32; rights++) {
		for (uint32_t memory = 0; memory < MEMORY_TYPE_COUNT; memory++) {
			struct target target = { .mfn = machine_fresh(machine),
						 .rights = rights,
						 .memory = (enum memory_type)memory };

			if (!(rights & machine_all_rights(machine)) || !is_held(machine, rights))
				continue;
			assert_int_equal(machine_change(machine, base,
							base + machine_slots(machine), &target),
					 SP_OK);
			verify_find_at(machine, base + 1);
			machine_assert_clean(machine);
		}
	}
	machine_settle(machine, 0);
	machine_free(machine);
}

/* Rights of those who do not walk it alone: to this map the range is to be absent. */
static void rights_that_nobody_here_looks_at_map_nothing(void **state)
{
	struct machine *machine = populated(state);
	uint64_t base = machine_base(machine);
	uint32_t foreign = 31 & ~machine_all_rights(machine);

	if (foreign) {
		machine_map(machine, base, 2, machine_fresh(machine), foreign);
		assert_false(oracle_find(&machine->oracle, base).rights);
		verify_find_at(machine, base);
		machine_assert_clean(machine);
	}
	machine_free(machine);
}

/* ---- promises ---- */

/* Pages are refused by the caller, between prepare and commit: it simply comes no further. */
static void a_change_given_up_after_prepare_leaves_no_trace(void **state)
{
	struct machine *machine = populated(state);
	uint64_t base = machine_base(machine), frames = machine_frames(machine),
		 shape = machine->tree.shape;
	struct target targets[] = {
		{ .rights = 0 },
		{ .mfn = machine_fresh(machine), .rights = machine_all_rights(machine) },
		{ .mfn = machine_fresh(machine) + 1, .rights = machine_few_rights(machine) },
		{ .rights = machine_few_rights(machine), .keep_frames = true },
	};
	struct plan plan;

	for (uint32_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		for (uint64_t count = 1; base + count <= frames && count < 3000;
		     count = count * 3 + 1) {
			assert_int_equal(machine_prepare(machine, base, base + count, &targets[i],
							 &plan),
					 SP_OK);
			assert_true(plan.end > base || plan.split_only);
			machine_assert_clean(machine);
		}
	}
	assert_int_equal(machine->tree.shape, shape);
	verify_tree(machine);
	verify_find(machine);
	machine_assert_clean(machine);
	machine_free(machine);
}

/* Walks the whole range, counting steps; the fixture holds every plan to its bounds. */
static uint32_t count_steps(struct machine *machine, uint64_t first, uint64_t end,
			    struct target target)
{
	uint32_t steps = 0;
	struct step step;

	for (uint64_t at = first; at < end; steps++) {
		machine_step(machine, at, end, &target, &step);
		machine_assert_clean(machine);
		assert_int_equal(step.status, SP_OK);
		target.mfn += step.plan.end - at;
		at = step.plan.end;
	}
	return steps;
}

static void a_change_too_large_for_one_step_goes_on_where_it_stopped(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t span = machine_slots(machine), tables = machine->tree.levels > 1 ? 20 : 1, count,
		 first;
	struct target target = { .mfn = machine_fresh(machine) + 2,
				 .rights = machine_all_rights(machine) };
	struct target absent = { .rights = 0 };

	/* Frames that no large leaf can map, ends that are no borders. */
	count = min_u64(tables * span, machine_frames(machine) / 2) - 2;
	first = machine_base(machine) + 1;
	if (count > SP_STEP_SLOTS) {
		assert_true(count_steps(machine, first, first + count, target) >=
			    count / SP_STEP_SLOTS);
		target = (struct target){ .rights = machine_few_rights(machine),
					  .keep_frames = true };
		assert_true(count_steps(machine, first, first + count, target) >=
			    count / SP_STEP_SLOTS);
		verify_find(machine);
		/* Whole tables go by one store each, or all at once. */
		assert_true(count_steps(machine, first, first + count, absent) < 8);
	}
	assert_int_equal(machine->oracle.count == 0, machine_tables(machine) == 1);
	machine_settle(machine, 0);
	machine_free(machine);
}

/* Even where nothing is to be done, the lock is not held for as long as the range is. */
static void a_step_looks_at_a_bounded_number_of_slots(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t span = machine_slots(machine), count;
	struct target target = { .mfn = machine_fresh(machine) + 1,
				 .rights = machine_all_rights(machine) };
	struct plan plan;

	count = min_u64(12 * span, machine_frames(machine) / 2);
	if (count > 8 * SP_STEP_SLOTS) {
		machine_map(machine, machine_base(machine), count, target.mfn, target.rights);
		assert_int_equal(machine_prepare(machine, machine_base(machine),
						 machine_base(machine) + count, &target, &plan),
				 SP_OK);
		assert_true(plan.end < machine_base(machine) + count);
		assert_true(plan.end > machine_base(machine) + SP_STEP_SLOTS);
		/* And once more, to the end: it does come there. */
		assert_true(count_steps(machine, machine_base(machine),
					machine_base(machine) + count, target) < 8);
	}
	machine_assert_clean(machine);
	machine_free(machine);
}

int main(void)
{
#define TEST(name)          \
	{                   \
#name, name \
	}
	static const struct conformance_test tests[] = {
		TEST(frames_beyond_the_tree_are_refused),
		TEST(what_lies_beyond_the_tree_is_absent_already),
		TEST(machine_frames_that_no_slot_can_name_are_refused),
		TEST(a_range_that_is_empty_or_reversed_is_refused),
		TEST(rights_that_the_format_does_not_hold_are_refused_and_change_no_byte),
		TEST(every_pair_of_rights_that_the_format_holds_is_held_exactly),
		TEST(rights_that_nobody_here_looks_at_map_nothing),
		TEST(a_change_given_up_after_prepare_leaves_no_trace),
		TEST(a_change_too_large_for_one_step_goes_on_where_it_stopped),
		TEST(a_step_looks_at_a_bounded_number_of_slots),
	};

	return run_conformance("engine_refuse", tests, sizeof(tests) / sizeof(tests[0]));
}
