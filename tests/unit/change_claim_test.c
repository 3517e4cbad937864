/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/change_claim_test.c - large maps built beside the trees, and who comes to their range
 * meanwhile.
 *
 *   map ---- claim ---- pages filled, no lock ---- link
 *                         ^
 *                         meanwhile(), once: what another CPU does then
 */
#include "change_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define GFN    0x40000ull
#define MFN    0x80001ull  /* aligned for no large page */
#define OTHER  0x200001ull /* frames of somebody else */
#define TABLE  512ull
#define TABLES 9ull
#define INSIDE (GFN + 3 * TABLE + 7)

static struct fixture *builder;
static void (*meanwhile)(struct fixture *fixture);
static enum sp_status answered;
static struct sp_ticket ticket;

static bool is_building(const struct fixture *fixture)
{
	const struct sp_domain *domain = fixture->domain;

	return domain->claims[0].number && domain->lock.next == domain->lock.serving;
}

/* Tables are filled now: nobody sees them, and the lock is free. */
static void look(const void *to)
{
	void (*what)(struct fixture *) = meanwhile;

	(void)to;
	if (!what || !is_building(builder))
		return;
	meanwhile = NULL;
	what(builder);
}

static struct fixture *make(enum sp_tables tables, uint32_t units, void (*what)(struct fixture *))
{
	builder = fixture_make(tables, units, COLUMN_AMDVI);
	/* The tables above are there: a neighbour has them. */
	fixture_map(builder, GFN + 600 * TABLE, OTHER + 0x10000, 1, SP_RAM);
	fixture_map(builder, GFN - 1, OTHER + 0x20000, 1, SP_RAM);
	fixture_map(builder, GFN, MFN, 1, SP_RAM);
	meanwhile = what;
	answered = SP_STATUS_COUNT;
	fixture_looks.before_store = look;
	return builder;
}

static void finish(struct fixture *fixture)
{
	fixture_looks.before_store = NULL;
	assert_null(meanwhile);
	fixture_settle(fixture);
	fixture_free(fixture);
}

static enum sp_status map(struct fixture *fixture, uint64_t gfn, uint64_t mfn, uint64_t count,
			  struct sp_result *result)
{
	return sp_p2m_map(fixture->domain, (sp_gfn_t){ gfn }, (sp_mfn_t){ mfn }, count, SP_RAM,
			  result);
}

/* Everything from the second table on, by calls that each do what they can. */
static uint64_t map_all(struct fixture *fixture)
{
	uint64_t done = TABLE, calls = 0;

	for (; done < TABLES * TABLE; calls++) {
		struct sp_result result;

		assert_int_equal(map(fixture, GFN + done, MFN + done, TABLES * TABLE - done,
				     &result),
				 SP_OK);
		assert_true(result.done > 0);
		done += result.done;
	}
	return calls;
}

static void expect_at(struct fixture *fixture, uint64_t gfn, uint64_t mfn)
{
	struct sp_mapping mapping;

	assert_int_equal(sp_p2m_find(fixture->domain, (sp_gfn_t){ gfn }, &mapping), SP_OK);
	assert_int_equal(mapping.frame.mfn, mfn);
	assert_int_equal(mapping.type, SP_RAM);
}

static void expect_all(struct fixture *fixture)
{
	for (uint64_t i = TABLE; i < TABLES * TABLE; i++)
		expect_at(fixture, GFN + i, MFN + i);
	expect_at(fixture, GFN - 1, OTHER + 0x20000);
}

static void expect_in_map(struct fixture *fixture, uint32_t index)
{
	for (uint64_t i = TABLE; i < TABLES * TABLE; i++) {
		struct found found;

		assert_true(tree_find(&fixture->domain->maps[index].tree, GFN + i, &found));
		assert_int_equal(found.mfn, MFN + i);
	}
}

/* ---- what is built ---- */

static void find_a_hole(struct fixture *fixture)
{
	struct sp_mapping mapping;

	for (uint64_t i = 1; i < TABLES; i++)
		assert_int_equal(sp_p2m_find(fixture->domain, (sp_gfn_t){ GFN + i * TABLE },
					     &mapping),
				 SP_NOT_FOUND);
}

static void a_large_map_is_built_unseen_and_linked_in_one_call(void **state)
{
	static const enum sp_tables modes[] = { SP_TABLES_SHARED, SP_TABLES_SEPARATE };

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct fixture *fixture = make(modes[i], 1, find_a_hole);

		assert_int_equal(map_all(fixture), 1);
		expect_all(fixture);
		if (modes[i] == SP_TABLES_SEPARATE)
			expect_in_map(fixture, 1);
		assert_int_equal(fixture->domain->claims[0].number, 0);
		fixture_unmap(fixture, GFN, TABLES * TABLE);
		fixture_settle(fixture);
		assert_int_equal(fixture_came_back(fixture, MFN, TABLES * TABLE),
				 1 + (TABLES - 1) * TABLE);
		finish(fixture);
	}
}

/* The caller need not know: a first and a last table that are not covered wholly, and what is there. */
static void edges_and_what_is_there_are_written_in_place(void **state)
{
	struct fixture *fixture = make(SP_TABLES_SEPARATE, 1, find_a_hole);

	(void)state;
	fixture_map(fixture, GFN + 5 * TABLE, OTHER, 3, SP_RAM);
	meanwhile = NULL;
	fixture_map(fixture, GFN + 1, MFN + 1, TABLES * TABLE - 2, SP_RAM);
	for (uint64_t i = 0; i < TABLES * TABLE - 1; i++)
		expect_at(fixture, GFN + i, MFN + i);
	assert_int_equal(fixture_came_back(fixture, OTHER, 3), 3);
	finish(fixture);
}

/* ---- who comes meanwhile ---- */

static void overlap(struct fixture *fixture)
{
	struct sp_result result;

	assert_int_equal(sp_p2m_unmap(fixture->domain, (sp_gfn_t){ INSIDE }, 1, &result), SP_BUSY);
	assert_int_equal(map(fixture, GFN + TABLES * TABLE - 1, OTHER, 2, &result), SP_BUSY);
	assert_int_equal(result.done, 0);
	ticket = result.ticket;
	assert_int_equal(sp_poll(fixture->host, ticket), SP_PENDING);
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(sp_poll(fixture->host, ticket), SP_PENDING);
}

static void a_change_that_overlaps_gets_busy_and_the_ticket_of_the_claim(void **state)
{
	struct fixture *fixture = make(SP_TABLES_SEPARATE, 1, overlap);
	struct sp_result result;

	(void)state;
	assert_int_equal(map_all(fixture), 1);
	expect_all(fixture);
	fixture_answer(fixture);
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(sp_poll(fixture->host, ticket), SP_OK);
	assert_int_equal(sp_p2m_unmap(fixture->domain, (sp_gfn_t){ INSIDE }, 1, &result), SP_OK);
	finish(fixture);
}

static void go_beside(struct fixture *fixture)
{
	struct sp_result result;

	assert_int_equal(sp_p2m_unmap(fixture->domain, (sp_gfn_t){ GFN - 1 }, 1, &result), SP_OK);
	/* The large page that it may be a piece of is forgotten before another comes (X7). */
	fixture_answer(fixture);
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(map(fixture, GFN - 1, OTHER + 0x20000, 1, &result), SP_OK);
	assert_int_equal(map(fixture, GFN + TABLES * TABLE, OTHER, 1, &result), SP_OK);
	/* And one that is built itself. */
	assert_int_equal(map(fixture, GFN + 20 * TABLE, OTHER + TABLE, 3 * TABLE, &result), SP_OK);
	assert_int_equal(result.done, 3 * TABLE);
	assert_int_equal(fixture->domain->claims[1].number, 0);
}

static void changes_beside_the_claim_go_on(void **state)
{
	struct fixture *fixture = make(SP_TABLES_SEPARATE, 1, go_beside);

	(void)state;
	assert_int_equal(map_all(fixture), 1);
	expect_all(fixture);
	expect_at(fixture, GFN + TABLES * TABLE, OTHER);
	expect_at(fixture, GFN + 22 * TABLE + 5, OTHER + 3 * TABLE + 5);
	finish(fixture);
}

/* ---- given up ---- */

static void add_a_map(struct fixture *fixture)
{
	assert_int_equal(domain_add_map(fixture->domain, 2, &format_vtd, 4, 7, false), SP_OK);
}

static void a_map_that_comes_meanwhile_is_written_too(void **state)
{
	struct fixture *fixture = make(SP_TABLES_SEPARATE, 1, add_a_map);

	(void)state;
	(void)map_all(fixture);
	expect_all(fixture);
	expect_in_map(fixture, 1);
	expect_in_map(fixture, 2);
	finish(fixture);
}

static void unmap_all_else(struct fixture *fixture)
{
	struct sp_result result;

	assert_int_equal(sp_p2m_unmap(fixture->domain, (sp_gfn_t){ GFN }, 1, &result), SP_OK);
}

static void the_table_above_may_go_meanwhile(void **state)
{
	struct fixture *fixture = make(SP_TABLES_SHARED, 0, unmap_all_else);
	uint64_t pages = fixture->pages_used;

	(void)state;
	/* The last neighbour in the same 1 GiB goes while its tables are built. */
	(void)map_all(fixture);
	expect_all(fixture);
	fixture_unmap(fixture, GFN, TABLES * TABLE);
	fixture_settle(fixture);
	assert_in_range(fixture->pages_used, pages - 2, pages + 4);
	finish(fixture);
}

static void destroy(struct fixture *fixture)
{
	answered = sp_domain_destroy(fixture->domain);
	fixture_answer(fixture);
	/* Again and again: it is not gone while somebody builds in it. */
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(sp_domain_destroy(fixture->domain), SP_PENDING);
}

static void a_domain_that_ends_meanwhile_waits_for_the_builder(void **state)
{
	struct fixture *fixture = make(SP_TABLES_SHARED, 0, destroy);
	struct sp_result result;

	(void)state;
	assert_int_equal(map(fixture, GFN + TABLE, MFN + TABLE, TABLES * TABLE, &result),
			 SP_INVALID);
	assert_int_equal(answered, SP_PENDING);
	finish(fixture);
}

static void refused_pages_go_back_and_the_rest_is_done_in_place(void **state)
{
	struct fixture *fixture = make(SP_TABLES_SEPARATE, 1, NULL);
	uint32_t pages = fixture->pages_used, used = fixture->domain->tables_used;
	uint32_t reserve = fixture->domain->reserve.count;
	struct sp_result result;

	(void)state;
	fixture->refuse_take = fixture->takes + 7;
	assert_int_equal(map(fixture, GFN + TABLE, MFN + TABLE, (TABLES - 1) * TABLE, &result),
			 SP_OK);
	assert_int_equal(result.done, TABLE);
	assert_int_equal(fixture->domain->claims[0].number, 0);
	/* One table in each map, and what the reserve has more or less. */
	assert_int_equal(fixture->pages_used + reserve, pages + 2 + fixture->domain->reserve.count);
	assert_int_equal(fixture->domain->tables_used + reserve,
			 used + 2 + fixture->domain->reserve.count);
	/* What is as wished and one table in place, then the others. */
	assert_int_equal(map_all(fixture), 2);
	expect_all(fixture);
	finish(fixture);
}

static void what_is_built_counts_against_the_budget(void **state)
{
	struct fixture *fixture = make(SP_TABLES_SEPARATE, 1, NULL);
	struct sp_domain *domain = fixture->domain;
	enum sp_status status = SP_OK;

	(void)state;
	domain->table_budget = domain->tables_used + 7;
	for (uint64_t done = TABLE; status == SP_OK;) {
		struct sp_result result;

		status = map(fixture, GFN + done, MFN + done, 100 * TABLE, &result);
		done += result.done;
		assert_true(domain->tables_used <= domain->table_budget);
	}
	assert_int_equal(status, SP_NO_MEMORY);
	assert_in_range(domain->tables_used, domain->table_budget - 1, domain->table_budget);
	finish(fixture);
}

/* ---- its negative control ---- */

static bool used_before[FIXTURE_PAGES];

static void map_inside(struct fixture *fixture)
{
	struct sp_result result;

	for (uint32_t i = 0; i < FIXTURE_PAGES; i++)
		used_before[i] = fixture->page_used[i];
	answered = map(fixture, INSIDE, OTHER, 1, &result);
	/* What it took and is in no reserve is a table of the tree. */
	for (uint32_t i = 0; i < FIXTURE_PAGES; i++)
		used_before[i] |= !fixture->page_used[i];
}

/* Answers whether the other's frame comes back when all is unmapped. */
static bool a_frame_mapped_meanwhile_comes_back(enum sp_mutant mutant)
{
	struct fixture *fixture = make(SP_TABLES_SHARED, 1, map_inside);
	uint64_t back;

	assert_int_equal(sp_mutant_choose(fixture->host, mutant), SP_OK);
	(void)map_all(fixture);
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_NONE), SP_OK);
	fixture_looks.before_store = NULL;
	if (answered == SP_BUSY)
		fixture_map(fixture, INSIDE, OTHER, 1, SP_RAM);
	fixture_unmap(fixture, GFN, TABLES * TABLE);
	fixture_settle(fixture);
	back = fixture_came_back(fixture, OTHER, 1);
	/* Its table is nobody's any more: only so can the fixture end. */
	for (uint32_t i = 0; i < FIXTURE_PAGES && !back; i++)
		if (!used_before[i] && fixture->page_used[i])
			platform_frames_give(fixture, (sp_mfn_t){ FIXTURE_MFN + i }, 0);
	finish(fixture);
	return back == 1;
}

static void a_frame_mapped_behind_a_claim_is_not_lost(void **state)
{
	(void)state;
	assert_true(a_frame_mapped_meanwhile_comes_back(SP_MUT_NONE));
	assert_int_equal(answered, SP_BUSY);
}

static void without_the_claim_a_frame_is_lost(void **state)
{
	(void)state;
	assert_false(a_frame_mapped_meanwhile_comes_back(SP_MUT_CLAIM_IGNORED));
	assert_int_equal(answered, SP_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_map_is_built_unseen_and_linked_in_one_call),
		cmocka_unit_test(edges_and_what_is_there_are_written_in_place),
		cmocka_unit_test(a_change_that_overlaps_gets_busy_and_the_ticket_of_the_claim),
		cmocka_unit_test(changes_beside_the_claim_go_on),
		cmocka_unit_test(a_map_that_comes_meanwhile_is_written_too),
		cmocka_unit_test(the_table_above_may_go_meanwhile),
		cmocka_unit_test(a_domain_that_ends_meanwhile_waits_for_the_builder),
		cmocka_unit_test(refused_pages_go_back_and_the_rest_is_done_in_place),
		cmocka_unit_test(what_is_built_counts_against_the_budget),
		cmocka_unit_test(a_frame_mapped_behind_a_claim_is_not_lost),
		cmocka_unit_test(without_the_claim_a_frame_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
