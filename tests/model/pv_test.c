/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/pv_test.c - direct paging: the linear map and the private roots as observers (A0.1 to A0.10).
 *
 * In each test that names a mutant the oracle is content without it and objects with it.
 */
#include "pv_scenes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sync/domain.h"

#define RANDOM_SEEDS 40u

static void content(pv_scene scene)
{
	assert_string_equal(scene(SP_MUT_NONE), "");
}

/* By the oracle with this letter. */
static void killed(pv_scene scene, uint32_t mutant, char oracle)
{
	char wanted[] = "oracle ?";

	content(scene);
	wanted[7] = oracle;
	assert_memory_equal(scene(mutant), wanted, 8);
}

/* ---- A0.1, A0.2 ---- */

/* Every schedule that the model has of so small a case: who looks when, who answers when, who is where. */
static uint32_t for_all_schedules(uint32_t mutant)
{
	struct pv_schedule schedule = { .seed = 1 };
	uint32_t count = 0, objections = 0;

	for (schedule.level = 1; schedule.level <= 3; schedule.level++) {
		for (uint32_t i = 0; i < 8 * 2 * 3 * 2 * 2; i++) {
			schedule.warm = i % 8;
			schedule.apart = i / 8 % 2;
			schedule.other = i / 16 % 3;
			schedule.adversary =
				i / 48 % 2 ? MODEL_ADVERSARY_MAX : MODEL_ADVERSARY_NONE;
			schedule.answers = i / 96 % 2 ? MODEL_LATE : MODEL_AT_ONCE;
			objections += pv_replay(&schedule, mutant)[0] != 0;
			count++;
		}
	}
	return mutant ? count - objections : objections;
}

static void the_second_update_lands_in_the_new_table_in_every_schedule(void **state)
{
	(void)state;
	assert_int_equal(for_all_schedules(SP_MUT_NONE), 0);
}

static void without_the_flush_it_lands_in_the_old_table_in_every_schedule(void **state)
{
	(void)state;
	assert_int_equal(for_all_schedules(SP_MUT_PV_LINEAR_UNPAID), 0);
}

static void flushed_at_the_return_to_the_guest_it_lands_in_the_old_table(void **state)
{
	(void)state;
	assert_int_equal(for_all_schedules(SP_MUT_PV_FLUSH_AT_RETURN), 0);
}

/* An adversary that may also forget: whatever it draws, nothing goes wrong. */
static void the_second_update_lands_in_the_new_table_whatever_is_forgotten(void **state)
{
	struct pv_schedule schedule = { .adversary = MODEL_ADVERSARY_RANDOM,
					.answers = MODEL_LATE };

	(void)state;
	for (uint32_t i = 0; i < RANDOM_SEEDS * 3; i++) {
		schedule.seed = i + 1;
		schedule.level = 1 + i % 3;
		schedule.warm = i % 8;
		schedule.other = i / 3 % 3;
		assert_string_equal(pv_replay(&schedule, SP_MUT_NONE), "");
	}
}

/* ---- A0.3 ---- */

static void tables_owe_a_flush_on_every_dirty_cpu_and_no_copy(void **state)
{
	(void)state;
	content(pv_scene_scope_of_tables);
}

static void a_root_that_one_cpu_has_is_copied_there_alone(void **state)
{
	(void)state;
	killed(pv_scene_scope_of_own_root, SP_MUT_PV_ROOTS_EVERYWHERE, 'E');
}

static void a_root_that_others_have_is_copied_there_too(void **state)
{
	(void)state;
	killed(pv_scene_scope_of_shared_root, SP_MUT_PV_REMOTE_ROOTS_KEPT, 'A');
}

static void a_new_entry_of_a_root_owes_copies_and_no_flush(void **state)
{
	(void)state;
	content(pv_scene_new_root_entry);
	killed(pv_scene_new_root_entry, SP_MUT_CELL(KIND_LINK, COLUMN_ROOT, SP_MUT_CELL_NOTHING),
	       'A');
}

/* ---- A0.4, A0.5 ---- */

static void a_batch_that_is_refused_halfway_pays_for_what_it_did_once_a_cpu(void **state)
{
	(void)state;
	killed(pv_scene_refused_halfway, SP_MUT_PV_ERROR_UNTOLD, 'A');
}

static void the_cpus_of_the_owner_are_told_not_those_of_who_asks(void **state)
{
	(void)state;
	content(pv_scene_owner_here);
	killed(pv_scene_owner_elsewhere, SP_MUT_PV_CALLERS_CPUS, 'A');
}

/* ---- A0.6 to A0.10 ---- */

static void a_table_with_few_references_is_remembered_all_the_same(void **state)
{
	(void)state;
	killed(pv_scene_replay_l2, SP_MUT_PV_COUNT_TRUSTED, 'A');
	killed(pv_scene_unhooked, SP_MUT_PV_COUNT_TRUSTED, 'R');
}

static void what_nobody_remembers_owes_nothing(void **state)
{
	content(pv_scene_nothing_owed);
	killed(pv_scene_nothing_owed, SP_MUT_CELL(KIND_LINK, COLUMN_LINEAR, SP_MUT_CELL_ALL), 'E');
	killed(pv_scene_nothing_owed, SP_MUT_CELL(KIND_GRANT, COLUMN_LINEAR, SP_MUT_CELL_ALL), 'E');
	(void)state;
}

static void an_idle_cpu_is_asked_until_it_runs_on_other_tables(void **state)
{
	(void)state;
	killed(pv_scene_idle, SP_MUT_PV_LEFT_WITH_GUEST, 'R');
}

/* The entry of an L3 that changes is a link on the guest's way, and link and leaf on linear ways. */
static void an_entry_that_is_used_at_two_levels_is_forgotten_in_both_uses(void **state)
{
	(void)state;
	killed(pv_scene_replay_l3, SP_MUT_PV_ONE_USE, 'A');
	killed(pv_scene_replay_root, SP_MUT_PV_ONE_USE, 'A');
}

static void a_table_comes_back_when_a_cpu_that_never_stops_has_forgotten_it(void **state)
{
	(void)state;
	killed(pv_scene_tight_loop, SP_MUT_RELEASE_WITHOUT_WAIT, 'R');
	killed(pv_scene_tight_loop, SP_MUT_WAIT_NOT_AWAITED, 'R');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_update_lands_in_the_new_table_in_every_schedule),
		cmocka_unit_test(without_the_flush_it_lands_in_the_old_table_in_every_schedule),
		cmocka_unit_test(flushed_at_the_return_to_the_guest_it_lands_in_the_old_table),
		cmocka_unit_test(the_second_update_lands_in_the_new_table_whatever_is_forgotten),
		cmocka_unit_test(tables_owe_a_flush_on_every_dirty_cpu_and_no_copy),
		cmocka_unit_test(a_root_that_one_cpu_has_is_copied_there_alone),
		cmocka_unit_test(a_root_that_others_have_is_copied_there_too),
		cmocka_unit_test(a_new_entry_of_a_root_owes_copies_and_no_flush),
		cmocka_unit_test(a_batch_that_is_refused_halfway_pays_for_what_it_did_once_a_cpu),
		cmocka_unit_test(the_cpus_of_the_owner_are_told_not_those_of_who_asks),
		cmocka_unit_test(a_table_with_few_references_is_remembered_all_the_same),
		cmocka_unit_test(what_nobody_remembers_owes_nothing),
		cmocka_unit_test(an_idle_cpu_is_asked_until_it_runs_on_other_tables),
		cmocka_unit_test(an_entry_that_is_used_at_two_levels_is_forgotten_in_both_uses),
		cmocka_unit_test(a_table_comes_back_when_a_cpu_that_never_stops_has_forgotten_it),
	};

	return cmocka_run_group_tests_name("pv", tests, NULL, NULL);
}
