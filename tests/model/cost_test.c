/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/cost_test.c - what a change may cost beside the core's own time (X8).
 *
 *   commands    those that section 7 requires, not one more
 *   time        two round trips to the slowest observer, however many there are
 *   the lock    so many slots a hold, whatever the range and however many units watch
 */
#include "cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"
#include "sync/domain.h"

#define SHARED	  0u /* of bench_modes */
#define SEPARATE  4u
#define MAPS	  2u
/* A step's slots, and at both ends a path of tables, each filled from first to last slot. */
#define MOST_HELD (MAPS * (SP_STEP_SLOTS + 2 * MAX_LEVELS * (1 + 512u)))

static const uint32_t unit_counts[] = { 1, 2, 8 };

static struct cost measure(enum cost_work work, uint32_t mode, uint32_t units)
{
	return cost_measure(&(struct cost_case){ .work = work, .mode = mode, .units = units });
}

static void issues_what_it_requires(enum cost_work work, uint32_t mode, uint32_t units)
{
	struct cost cost = measure(work, mode, units);

	if (cost.commands != cost.required)
		fail_msg("%s, %s, %u units: %u commands, required %u", cost_name(work),
			 bench_modes[mode].name, units, cost.commands, cost.required);
}

static void a_change_issues_the_commands_that_it_requires(void **state)
{
	(void)state;
	for (uint32_t mode = 0; mode < bench_mode_count; mode++)
		for (uint32_t i = 0; i < 3; i++)
			for (uint32_t work = COST_UNMAP_1; work < COST_CHURN; work++)
				if (work != COST_UNMAP_32768)
					issues_what_it_requires(work, mode, unit_counts[i]);
}

static void a_long_range_in_several_calls_issues_the_commands_of_one(void **state)
{
	(void)state;
	issues_what_it_requires(COST_UNMAP_32768, SHARED, 2);
	issues_what_it_requires(COST_UNMAP_32768, SEPARATE, 2);
}

static void new_pages_issue_no_command(void **state)
{
	(void)state;
	assert_int_equal(measure(COST_MAP_32768, SHARED, 2).commands, 0);
	assert_int_equal(measure(COST_MAP_32768, SEPARATE, 2).commands, 0);
}

/* Control: what the meter says of a policy that is not ours. */
static void a_page_at_a_time_issues_more_commands_than_required(void **state)
{
	struct cost cost = cost_measure(&(struct cost_case){
		.work = COST_UNMAP_16, .policy = COST_SYNCHRONOUS, .units = 2 });

	(void)state;
	assert_int_equal(cost.commands, 16 * cost.required);
	assert_int_equal(cost.kicks, 16);
}

/* A3: the same trace, flushed at each unmap, joined behind what is under way, and lazily. */
static void pages_that_go_lazily_cost_a_flush_a_wave(void **state)
{
	const uint32_t pages = COST_CHURN_WAVES * COST_CHURN_PAGES;

	(void)state;
	for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
		struct cost_case wanted = { .work = COST_CHURN_LAZY, .mode = mode, .units = 2 };
		struct cost lazy, at_unmap;

		if (bench_modes[mode].caches_not_present || bench_modes[mode].write_buffer)
			continue; /* each page that comes is told, and with it what went */
		lazy = cost_measure(&wanted);
		wanted.policy = COST_SYNCHRONOUS;
		at_unmap = cost_measure(&wanted);
		assert_int_equal(lazy.commands, lazy.required);
		assert_int_equal(lazy.kicks, COST_CHURN_WAVES);
		assert_int_equal(at_unmap.commands, 2 * pages);
		assert_int_equal(at_unmap.kicks, pages);
		assert_true(lazy.ns < at_unmap.ns);
	}
}

static void a_page_is_released_within_two_round_trips_however_many_units(void **state)
{
	(void)state;
	for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
		for (uint32_t i = 0; i < 3; i++) {
			for (int outside = 0; outside < 2; outside++) {
				struct cost_case wanted = { .work = COST_UNMAP_1,
							    .mode = mode,
							    .units = unit_counts[i],
							    .cpu_outside = outside };
				uint64_t trip = cost_round_trip(&wanted);

				assert_in_range(cost_measure(&wanted).ns, trip, 2 * trip);
			}
		}
	}
}

/* SP_MUT_POSTED_IN_TURN */
static void observers_told_in_turn_take_longer_than_two_round_trips(void **state)
{
	(void)state;
	for (int outside = 0; outside < 2; outside++) {
		struct cost_case wanted = { .work = COST_UNMAP_1,
					    .policy = COST_SYNCHRONOUS,
					    .units = 8,
					    .cpu_outside = outside };

		assert_true(cost_measure(&wanted).ns > 2 * cost_round_trip(&wanted));
	}
}

static void a_subtree_is_released_as_soon_as_a_page(void **state)
{
	(void)state;
	assert_int_equal(measure(COST_UNMAP_512, SEPARATE, 2).ns,
			 measure(COST_UNMAP_1, SEPARATE, 2).ns);
}

static void a_hold_of_the_lock_is_bounded_and_the_same_for_any_number_of_units(void **state)
{
	(void)state;
	for (uint32_t work = 0; work < COST_CHURN; work++) {
		uint64_t one;

		if (work == COST_MAP_32768 || work == COST_UNMAP_32768)
			continue;
		one = measure(work, SEPARATE, 2).held;
		assert_in_range(one, 0, MOST_HELD);
		assert_int_equal(measure(work, SEPARATE, 8).held, one);
	}
}

static void a_longer_range_is_not_held_longer(void **state)
{
	uint64_t map = measure(COST_MAP_512, SEPARATE, 1).held,
		 unmap = measure(COST_UNMAP_16, SEPARATE, 1).held;

	(void)state;
	assert_in_range(map, 1, MOST_HELD);
	/* Whether a step ends in a table or at its end makes a path's difference. */
	assert_in_range(measure(COST_MAP_32768, SEPARATE, 1).held, 1, MOST_HELD);
	/* 64 tables are 64 stores a map. */
	assert_in_range(measure(COST_UNMAP_32768, SEPARATE, 1).held, unmap, MAPS * 64);
}

/* Control: the meter of the lock. */
static void a_hold_that_writes_more_is_noticed(void **state)
{
	struct bench_config config = { .mode = &bench_modes[SEPARATE] };
	struct bench *bench = bench_make(&config);
	uint64_t slot;

	(void)state;
	cost_watch_lock(bench->model);
	domain_take(bench->guest);
	slot = sp_maddr_from_mfn(bench->guest->maps[0].tree.root).maddr + 8 * 300;
	for (uint32_t i = 0; i <= MOST_HELD; i++)
		model_store(bench->model, slot, 0, true);
	domain_drop(bench->guest);
	assert_true(cost_held() > MOST_HELD);
	cost_watch_lock(NULL);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_issues_the_commands_that_it_requires),
		cmocka_unit_test(a_long_range_in_several_calls_issues_the_commands_of_one),
		cmocka_unit_test(new_pages_issue_no_command),
		cmocka_unit_test(a_page_at_a_time_issues_more_commands_than_required),
		cmocka_unit_test(pages_that_go_lazily_cost_a_flush_a_wave),
		cmocka_unit_test(a_page_is_released_within_two_round_trips_however_many_units),
		cmocka_unit_test(observers_told_in_turn_take_longer_than_two_round_trips),
		cmocka_unit_test(a_subtree_is_released_as_soon_as_a_page),
		cmocka_unit_test(
			a_hold_of_the_lock_is_bounded_and_the_same_for_any_number_of_units),
		cmocka_unit_test(a_longer_range_is_not_held_longer),
		cmocka_unit_test(a_hold_that_writes_more_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
