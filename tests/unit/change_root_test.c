/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/change_root_test.c - everything is invalidated while somebody builds tables beside the tree
 * (A2.4).
 *
 *   fault    sample --- frames looked for --- claim --- pages filled, no lock --- link? no: it began before
 *                                                         ^
 *                                                         everything goes; the tables above are there anew
 */
#include "change_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define GFN    0x40000ull
#define MFN    0x80001ull /* aligned for no large page */
#define OTHER  0x200001ull
#define TABLE  512ull
#define TABLES 9ull

static struct fixture *builder;
static bool is_due;
static enum sp_status answered;
static struct sp_ticket ticket;

static void map_neighbour(void)
{
	struct sp_result result;

	assert_int_equal(sp_p2m_map(builder->domain, (sp_gfn_t){ GFN + 500 * TABLE },
				    (sp_mfn_t){ OTHER }, 1, SP_RAM, &result),
			 SP_OK);
}

/* Tables are filled now: nobody sees them, and the lock is free. */
static void look(const void *to)
{
	const struct sp_domain *domain = builder->domain;
	struct sp_result result;

	(void)to;
	if (!is_due || !domain->claims[0].number || domain->lock.next != domain->lock.serving)
		return;
	is_due = false;
	answered = sp_p2m_invalidate_all(builder->domain, &result);
	ticket = result.ticket;
	/* Now what would link the tables is there again, in the new tree. */
	map_neighbour();
}

static struct fixture *make(void)
{
	builder = fixture_make(SP_TABLES_SEPARATE, 0, COLUMN_AMDVI);
	map_neighbour();
	is_due = true;
	fixture_looks.before_store = look;
	return builder;
}

static void finish(void)
{
	fixture_looks.before_store = NULL;
	assert_int_equal(answered, SP_OK);
	fixture_settle(builder);
	assert_int_equal(sp_poll(builder->host, ticket), SP_OK);
	fixture_free(builder);
}

static bool is_mapped(uint64_t gfn)
{
	struct sp_mapping mapping;

	return sp_p2m_find(builder->domain, (sp_gfn_t){ gfn }, &mapping) == SP_OK;
}

static enum sp_status fault(struct sp_result *result)
{
	return sp_p2m_map_sampled(builder->domain, sp_p2m_sample(builder->domain),
				  (sp_gfn_t){ GFN }, (sp_mfn_t){ MFN }, TABLES * TABLE, SP_RAM,
				  result);
}

static void a_fault_that_builds_beside_the_old_tree_installs_nothing(void **state)
{
	struct sp_result result;
	uint32_t used;

	(void)state;
	(void)make();
	assert_int_equal(fault(&result), SP_STALE);
	assert_false(is_due);
	assert_int_equal(result.done, 0);
	assert_int_equal(builder->domain->claimed, 0);
	for (uint64_t i = 0; i < TABLES * TABLE; i++)
		assert_false(is_mapped(GFN + i));
	fixture_settle(builder);
	/* What was built went back: the new tree alone is there, and the reserve. */
	used = builder->domain->tables_used - builder->domain->reserve.count;
	assert_in_range(used, 1, 8);
	assert_int_equal(fault(&result), SP_OK);
	assert_true(is_mapped(GFN));
	finish();
}

/* Who maps without a sample wants it whatever happened before: it comes into the new tree. */
static void a_map_that_builds_beside_the_old_tree_comes_into_the_new_one(void **state)
{
	struct sp_result result;

	(void)state;
	(void)make();
	assert_int_equal(sp_p2m_map(builder->domain, (sp_gfn_t){ GFN }, (sp_mfn_t){ MFN },
				    TABLES * TABLE, SP_RAM, &result),
			 SP_OK);
	assert_false(is_due);
	assert_int_equal(result.done, TABLES * TABLE);
	for (uint64_t i = 0; i < TABLES * TABLE; i++)
		assert_true(is_mapped(GFN + i));
	finish();
}

/* SP_MUT_SAMPLE_UNCHECKED: the same fault is installed behind everything. */
static void without_the_check_it_is_installed(void **state)
{
	struct sp_result result;

	(void)state;
	(void)make();
	assert_int_equal(sp_mutant_choose(builder->host, SP_MUT_SAMPLE_UNCHECKED), SP_OK);
	assert_int_equal(fault(&result), SP_OK);
	assert_true(is_mapped(GFN));
	assert_int_equal(sp_mutant_choose(builder->host, SP_MUT_NONE), SP_OK);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_that_builds_beside_the_old_tree_installs_nothing),
		cmocka_unit_test(a_map_that_builds_beside_the_old_tree_comes_into_the_new_one),
		cmocka_unit_test(without_the_check_it_is_installed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
