/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/change_run_test.c - tables that their links call one run: what comes back of them.
 *
 *   [ link, run ] -> [n | n+1 | n+2 ...]      taken apart by a look at the first slot
 *   [ link      ] -> [n | m | n+2 ...]        slot by slot: no run since the second changed
 */
#include "change_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define GFN   0x40000ull
#define MFN   0x80001ull /* aligned for no large page */
#define OTHER 0x200001ull
#define COUNT 1024ull

static struct fixture *make(void)
{
	struct fixture *fixture = fixture_make(SP_TABLES_SEPARATE, 1, COLUMN_AMDVI);

	fixture_map(fixture, GFN, MFN, COUNT, SP_RAM);
	return fixture;
}

static void unmap_all(struct fixture *fixture)
{
	fixture->run_count = 0;
	/* The table above goes too, so the links are read. */
	fixture_unmap(fixture, GFN, BIT(18));
	fixture_settle(fixture);
}

static bool is_run(const struct fixture *fixture, uint64_t gfn)
{
	const struct tree *tree = &fixture->domain->maps[0].tree;
	const uint64_t *table = (const uint64_t *)(uintptr_t)tree->top;

	for (uint32_t level = tree->levels - 1u; level > 1; level--)
		table = fixture->page[slot_frame(tree->format, table[gfn >> 9 * level & 511]) -
				      FIXTURE_MFN];
	return table[gfn >> 9 & 511] & tree->format->run;
}

static void what_was_mapped_whole_comes_back_as_one_run(void **state)
{
	struct fixture *fixture = make();

	(void)state;
	assert_true(is_run(fixture, GFN) && is_run(fixture, GFN + 512));
	unmap_all(fixture);
	assert_int_equal(fixture_came_back(fixture, MFN, COUNT), COUNT);
	assert_in_range(fixture->run_count, 1, 2);
	fixture_free(fixture);
}

/* Each way in which one page of a run may become something else. */
static void a_page_that_changes_ends_the_run(void **state)
{
	(void)state;
	for (uint32_t way = 0; way < 3; way++) {
		struct fixture *fixture = make();
		struct sp_result result;

		if (way == 0)
			fixture_map(fixture, GFN + 7, OTHER, 1, SP_RAM);
		if (way == 1)
			fixture_unmap(fixture, GFN + 7, 1);
		if (way == 2)
			assert_int_equal(sp_p2m_set_type(fixture->domain, (sp_gfn_t){ GFN + 7 }, 1,
							 SP_RAM_READONLY, &result),
					 SP_OK);
		fixture_settle(fixture);
		assert_false(is_run(fixture, GFN));
		assert_true(is_run(fixture, GFN + 512));
		unmap_all(fixture);
		assert_int_equal(fixture_came_back(fixture, OTHER, 1), way == 0);
		assert_int_equal(fixture_came_back(fixture, MFN, COUNT), COUNT - (way < 2));
		assert_true(fixture->run_count > 2 || way == 1);
		fixture_free(fixture);
	}
}

static void what_changes_nothing_leaves_the_run(void **state)
{
	struct fixture *fixture = make();

	(void)state;
	fixture_map(fixture, GFN + 7, MFN + 7, 40, SP_RAM);
	assert_true(is_run(fixture, GFN));
	unmap_all(fixture);
	assert_int_equal(fixture_came_back(fixture, MFN, COUNT), COUNT);
	fixture_free(fixture);
}

static uint64_t count_replaced(enum sp_mutant mutant)
{
	struct fixture *fixture = make();
	uint64_t back;

	assert_int_equal(sp_mutant_choose(fixture->host, mutant), SP_OK);
	fixture_map(fixture, GFN + 7, OTHER, 1, SP_RAM);
	unmap_all(fixture);
	back = fixture_came_back(fixture, OTHER, 1);
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_NONE), SP_OK);
	fixture_free(fixture);
	return back;
}

static void where_the_run_is_not_ended_a_frame_is_lost(void **state)
{
	(void)state;
	assert_int_equal(count_replaced(SP_MUT_NONE), 1);
	assert_int_equal(count_replaced(SP_MUT_RUN_KEPT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_mapped_whole_comes_back_as_one_run),
		cmocka_unit_test(a_page_that_changes_ends_the_run),
		cmocka_unit_test(what_changes_nothing_leaves_the_run),
		cmocka_unit_test(where_the_run_is_not_ended_a_frame_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
