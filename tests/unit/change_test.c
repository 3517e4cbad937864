/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/change_test.c - the life of a change: ledger, limbo, tickets, budget.
 */
#include "change_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GFN 0x40000
#define MFN 0x80000

static struct fixture *separate(void)
{
	return fixture_make(SP_TABLES_SEPARATE, 1, COLUMN_AMDVI);
}

/* Scattered frames: no run that a large page could hold. */
static void map_scattered(struct fixture *fixture, uint64_t gfn, uint64_t mfn, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		fixture_map(fixture, gfn + i, mfn + 2 * i, 1, SP_RAM);
}

static struct sp_result unmap(struct fixture *fixture, uint64_t gfn, uint64_t count)
{
	struct sp_result result;

	assert_int_equal(sp_p2m_unmap(fixture->domain, (sp_gfn_t){ gfn }, count, &result), SP_OK);
	assert_int_equal(result.done, count);
	return result;
}

static void an_unmapped_page_comes_back_only_after_the_unit_has_answered(void **state)
{
	struct fixture *fixture = separate();
	struct sp_result result;

	(void)state;
	map_scattered(fixture, GFN, MFN, 4);
	fixture_forget_commands(fixture);
	result = unmap(fixture, GFN + 1, 1);
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(sp_poll(fixture->host, result.ticket), SP_PENDING);
	assert_int_equal(fixture_came_back(fixture, MFN + 2, 1), 0);

	fixture_answer(fixture);
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(sp_poll(fixture->host, result.ticket), SP_OK);
	assert_int_equal(fixture_came_back(fixture, MFN + 2, 1), 1);
	assert_int_equal(fixture->run[0].type, SP_RAM);
	assert_int_equal(fixture->run[0].domain, 1);
	fixture_free(fixture);
}

static void an_unmapped_page_comes_back_only_after_the_cpus_have_left(void **state)
{
	struct fixture *fixture = separate();
	struct sp_entry entry;
	struct sp_result result;

	(void)state;
	map_scattered(fixture, GFN, MFN, 4);
	fixture->self = 2;
	assert_int_equal(sp_cpu_enter(fixture->domain, &entry), SP_OK);
	assert_true(entry.flush);
	fixture_forget_commands(fixture);
	result = unmap(fixture, GFN, 1);
	assert_int_equal(fixture->kicks, 1);
	assert_int_equal(fixture->kicked.word[0], 1u << 2);
	fixture_answer(fixture);
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(sp_poll(fixture->host, result.ticket), SP_PENDING);
	assert_int_equal(fixture_came_back(fixture, MFN, 1), 0);

	sp_cpu_leave(fixture->domain, true);
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(sp_poll(fixture->host, result.ticket), SP_OK);
	assert_int_equal(fixture_came_back(fixture, MFN, 1), 1);
	/* What sleeps under the tag goes with the next entry, and only with that. */
	assert_int_equal(sp_cpu_enter(fixture->domain, &entry), SP_OK);
	assert_true(entry.flush);
	sp_cpu_leave(fixture->domain, true);
	assert_int_equal(sp_cpu_enter(fixture->domain, &entry), SP_OK);
	assert_false(entry.flush);
	sp_cpu_leave(fixture->domain, true);
	fixture_free(fixture);
}

static void an_entry_that_was_not_made_still_owes_its_flush(void **state)
{
	struct fixture *fixture = separate();
	struct sp_entry entry;

	(void)state;
	assert_int_equal(sp_cpu_enter(fixture->domain, &entry), SP_OK);
	assert_true(entry.flush);
	sp_cpu_leave(fixture->domain, false);
	assert_int_equal(sp_cpu_enter(fixture->domain, &entry), SP_OK);
	assert_true(entry.flush);
	sp_cpu_leave(fixture->domain, true);
	fixture_free(fixture);
}

/* CPU 1's entry falls between the asker's two steps: the full barriers make one see the other. */
static void a_cpu_that_enters_while_it_is_asked_is_kicked_or_flushes(void **state)
{
	struct fixture *fixture = separate();
	struct sp_entry entry;
	struct sp_result result;

	(void)state;
	map_scattered(fixture, GFN, MFN, 2);
	fixture->self = 1;
	assert_int_equal(sp_cpu_enter(fixture->domain, &entry), SP_OK);
	sp_cpu_leave(fixture->domain, true);
	result = unmap(fixture, GFN, 1);
	assert_int_equal(sp_cpu_enter(fixture->domain, &entry), SP_OK);
	assert_true(entry.flush);
	fixture_answer(fixture);
	assert_int_equal(sp_wait(fixture->host, result.ticket), SP_OK);
	sp_cpu_leave(fixture->domain, true);
	fixture_free(fixture);
}

static void a_change_that_owes_nothing_waits_for_what_was_owed_before(void **state)
{
	struct fixture *fixture = separate();
	struct sp_result unmapped, mapped;

	(void)state;
	map_scattered(fixture, GFN, MFN, 2);
	unmapped = unmap(fixture, GFN, 1);
	assert_int_equal(sp_p2m_map(fixture->domain, (sp_gfn_t){ GFN }, (sp_mfn_t){ MFN + 99 }, 1,
				    SP_RAM, &mapped),
			 SP_OK);
	assert_int_equal(sp_poll(fixture->host, mapped.ticket), SP_PENDING);
	fixture_answer(fixture);
	assert_int_equal(sp_wait(fixture->host, mapped.ticket), SP_OK);
	assert_int_equal(sp_poll(fixture->host, unmapped.ticket), SP_OK);
	fixture_free(fixture);
}

static void what_gathers_while_a_post_is_under_way_is_joined_into_one(void **state)
{
	struct fixture *fixture = separate();
	struct sp_result result = { 0 };

	(void)state;
	map_scattered(fixture, GFN, MFN, 64);
	fixture_forget_commands(fixture);
	for (uint64_t i = 0; i < 32; i++)
		result = unmap(fixture, GFN + i, 1);
	assert_int_equal(fixture->unit[0].posts, 1);
	fixture_answer(fixture);
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(fixture->unit[0].posts, 2);
	/* A request under way never pays for what came after it. */
	assert_int_equal(fixture_came_back(fixture, MFN, 1), 1);
	assert_int_equal(fixture_came_back(fixture, MFN + 1, 127), 0);
	assert_int_equal(sp_poll(fixture->host, result.ticket), SP_PENDING);
	assert_int_equal(fixture->unit[0].command_count, 2);
	assert_int_equal(fixture->unit[0].command[1].kind, COMMAND_PAGES);
	assert_int_equal(fixture->unit[0].command[1].first, GFN);
	assert_int_equal(fixture->unit[0].command[1].order, 5);
	assert_false(fixture->unit[0].command[1].links);
	fixture_settle(fixture);
	assert_int_equal(fixture_came_back(fixture, MFN, 64), 32);
	fixture_free(fixture);
}

static void a_full_queue_pushes_back_and_loses_nothing(void **state)
{
	struct fixture *fixture = separate();
	struct sp_result result;

	(void)state;
	map_scattered(fixture, GFN, MFN, 4);
	fixture_forget_commands(fixture);
	fixture->unit[0].full = true;
	result = unmap(fixture, GFN, 1);
	fixture_answer(fixture);
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(sp_poll(fixture->host, result.ticket), SP_PENDING);
	assert_int_equal(fixture_came_back(fixture, MFN, 1), 0);
	fixture->unit[0].full = false;
	fixture_settle(fixture);
	assert_int_equal(sp_poll(fixture->host, result.ticket), SP_OK);
	assert_int_equal(fixture->unit[0].posts, 1);
	fixture_free(fixture);
}

static void every_unit_of_the_map_is_told_and_waited_for(void **state)
{
	struct fixture *fixture = fixture_make(SP_TABLES_SEPARATE, 2, COLUMN_AMDVI);
	struct sp_result result;

	(void)state;
	map_scattered(fixture, GFN, MFN, 4);
	fixture_forget_commands(fixture);
	result = unmap(fixture, GFN, 1);
	assert_int_equal(fixture->unit[0].posts, 1);
	assert_int_equal(fixture->unit[1].posts, 1);
	assert_int_equal(fixture->unit[1].command[0].name, 8);
	fixture->unit[0].reached = fixture->unit[0].asked;
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(sp_poll(fixture->host, result.ticket), SP_PENDING);
	assert_int_equal(fixture_came_back(fixture, MFN, 1), 0);
	fixture_settle(fixture);
	assert_int_equal(fixture_came_back(fixture, MFN, 1), 1);
	fixture_free(fixture);
}

static void a_piece_of_a_large_page_goes_in_one_store_and_the_whole_page_is_forgotten(void **state)
{
	struct fixture *fixture = separate();
	struct command *command = &fixture->unit[0].command[0];

	(void)state;
	fixture_map(fixture, GFN, MFN, 512, SP_RAM);
	fixture_forget_commands(fixture);
	(void)unmap(fixture, GFN + 5, 1);
	assert_int_equal(fixture->unit[0].command_count, 1);
	assert_int_equal(command->kind, COMMAND_PAGES);
	assert_int_equal(command->first, GFN);
	assert_int_equal(command->order, 9);
	assert_true(command->links);
	fixture_settle(fixture);
	assert_int_equal(fixture_came_back(fixture, MFN, 512), 1);
	fixture_free(fixture);
}

static void a_right_of_a_piece_changes_only_after_the_split_is_paid(void **state)
{
	struct fixture *fixture = separate();
	struct sp_result result;
	struct sp_mapping mapping;

	(void)state;
	fixture_map(fixture, GFN, MFN, 512, SP_RAM);
	fixture_forget_commands(fixture);
	assert_int_equal(sp_p2m_set_type(fixture->domain, (sp_gfn_t){ GFN + 5 }, 1, SP_RAM_READONLY,
					 &result),
			 SP_BUSY);
	assert_int_equal(result.done, 0);
	assert_int_equal(sp_p2m_find(fixture->domain, (sp_gfn_t){ GFN + 5 }, &mapping), SP_OK);
	assert_int_equal(mapping.type, SP_RAM);
	fixture->meanwhile = fixture_answer;
	/* once for the CPU's map, once for the device's */
	while (sp_p2m_set_type(fixture->domain, (sp_gfn_t){ GFN + 5 }, 1, SP_RAM_READONLY,
			       &result) == SP_BUSY)
		assert_int_equal(sp_wait(fixture->host, result.ticket), SP_OK);
	assert_int_equal(result.done, 1);
	assert_int_equal(sp_p2m_find(fixture->domain, (sp_gfn_t){ GFN + 5 }, &mapping), SP_OK);
	assert_int_equal(mapping.type, SP_RAM_READONLY);
	assert_int_equal(fixture->frames_forgotten, 0);
	fixture_free(fixture);
}

/* X7: between the split and its payment a device may use the old page and the new piece at once. */
static bool a_piece_changes_before_its_split_is_paid(enum sp_mutant mutant)
{
	struct fixture *fixture = fixture_make(SP_TABLES_SHARED, 1, COLUMN_AMDVI);
	struct sp_result result, split;
	enum sp_status status;

	fixture_map(fixture, GFN, MFN, 512, SP_RAM);
	assert_int_equal(sp_mutant_choose(fixture->host, mutant), SP_OK);
	assert_int_equal(sp_p2m_set_type(fixture->domain, (sp_gfn_t){ GFN + 5 }, 1, SP_RAM_READONLY,
					 &split),
			 SP_BUSY);
	status = sp_p2m_set_type(fixture->domain, (sp_gfn_t){ GFN + 7 }, 1, SP_RAM_READONLY,
				 &result);
	assert_int_equal(sp_poll(fixture->host, split.ticket), SP_PENDING);
	if (status == SP_BUSY) {
		fixture_settle(fixture);
		assert_int_equal(sp_poll(fixture->host, result.ticket), SP_OK);
		assert_int_equal(sp_p2m_set_type(fixture->domain, (sp_gfn_t){ GFN + 7 }, 1,
						 SP_RAM_READONLY, &result),
				 SP_OK);
	}
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_NONE), SP_OK);
	fixture_free(fixture);
	return status == SP_OK;
}

static void no_piece_changes_before_its_split_is_paid(void **state)
{
	(void)state;
	assert_false(a_piece_changes_before_its_split_is_paid(SP_MUT_NONE));
}

static void without_the_pause_a_piece_changes_too_early(void **state)
{
	(void)state;
	assert_true(a_piece_changes_before_its_split_is_paid(SP_MUT_SPLIT_NOT_AWAITED));
}

static struct fixture *walked;
static bool table_was_given_back;
static uint32_t loads_before; /* of the walk's slots: three links, then the leaf */

/* In the middle of a look-up, on another CPU: the table that is being walked is let go and paid for. */
static void unmap_meanwhile(const void *from)
{
	struct sp_domain *domain = walked->domain;
	uint32_t pages = walked->pages_used;

	if (from == &domain->epoch || from == &domain->maps[0].tree.top ||
	    (from >= (void *)domain->cpu_states &&
	     from < (void *)(domain->cpu_states + FIXTURE_CPUS)))
		return;
	if (loads_before--)
		return;
	fixture_looks.before_load = NULL;
	walked->self = 0;
	(void)unmap(walked, GFN, 512);
	fixture_answer(walked);
	(void)sp_progress(walked->host, 100000);
	table_was_given_back = walked->pages_used < pages;
	walked->self = 1;
}

static struct sp_mapping a_walked_table(enum sp_mutant mutant)
{
	struct sp_mapping mapping;
	enum sp_status status;

	walked = fixture_make(SP_TABLES_SHARED, 1, COLUMN_AMDVI);
	map_scattered(walked, GFN, MFN, 4);
	assert_int_equal(sp_mutant_choose(walked->host, mutant), SP_OK);
	walked->self = 1;
	fixture_looks.before_load = unmap_meanwhile;
	loads_before = 3;
	status = sp_p2m_find(walked->domain, (sp_gfn_t){ GFN + 1 }, &mapping);
	assert_true(mutant || status == SP_OK);
	assert_null(fixture_looks.before_load);
	walked->self = 0;
	assert_int_equal(sp_mutant_choose(walked->host, SP_MUT_NONE), SP_OK);
	fixture_settle(walked);
	assert_int_equal(fixture_came_back(walked, MFN, 8), 4);
	fixture_free(walked);
	return mapping;
}

static void a_table_stays_while_a_look_up_walks_it(void **state)
{
	(void)state;
	assert_int_equal(a_walked_table(SP_MUT_NONE).frame.mfn, MFN + 2);
	assert_false(table_was_given_back);
}

static void without_the_epoch_a_table_goes_under_a_look_up(void **state)
{
	(void)state;
	(void)a_walked_table(SP_MUT_READERS_IGNORED);
	assert_true(table_was_given_back);
}

/* Far apart: what lies between must not be looked at table by table. */
static void merging_passes_over_holes_in_one_stride(void **state)
{
	struct fixture *fixture = separate();
	struct sp_result result;
	uint32_t calls = 0;

	(void)state;
	assert_int_equal(sp_p2m_map(fixture->domain, (sp_gfn_t){ 1 }, (sp_mfn_t){ MFN }, 1, SP_RAM,
				    &result),
			 SP_OK);
	assert_int_equal(sp_p2m_map(fixture->domain, (sp_gfn_t){ (1ull << 36) - 1 },
				    (sp_mfn_t){ MFN + 5 }, 1, SP_RAM, &result),
			 SP_OK);
	while (sp_progress(fixture->host, 1000) != UINT64_MAX)
		calls++;
	assert_in_range(calls, 0, 10);
	fixture_free(fixture);
}

static void small_pages_that_are_one_run_become_a_large_page_in_both_maps(void **state)
{
	struct fixture *fixture = separate();
	struct sp_mapping mapping;
	struct found found;

	(void)state;
	for (uint64_t i = 0; i < 512; i += 64)
		fixture_map(fixture, GFN + i, MFN + i, 64, SP_RAM);
	assert_int_equal(sp_p2m_find(fixture->domain, (sp_gfn_t){ GFN + 77 }, &mapping), SP_OK);
	assert_int_equal(mapping.order, 9);
	assert_int_equal(mapping.frame.mfn, MFN + 77);
	assert_true(tree_find(&fixture->domain->maps[1].tree, GFN + 77, &found));
	assert_int_equal(found.level, 1);
	/* three tables a map remain: the root and the two under it */
	assert_int_equal(fixture->pages_used - fixture->domain->reserve.count, 6);
	fixture_free(fixture);
}

static void a_whole_region_goes_by_one_store_and_comes_back_whole(void **state)
{
	struct fixture *fixture = separate();
	uint32_t before;

	(void)state;
	map_scattered(fixture, GFN, MFN, 512);
	map_scattered(fixture, GFN + 512, MFN + 2048, 1);
	before = fixture->pages_used;
	fixture_forget_commands(fixture);
	(void)unmap(fixture, GFN, 512);
	assert_int_equal(fixture->unit[0].command_count, 1);
	assert_int_equal(fixture->unit[0].command[0].order, 9);
	assert_true(fixture->unit[0].command[0].links);
	assert_int_equal(fixture->pages_used, before);
	/* taken apart in bounded steps */
	fixture_answer(fixture);
	for (uint32_t i = 0; i < 4; i++)
		(void)sp_progress(fixture->host, 50);
	assert_in_range(fixture->frames_forgotten, 1, 200);
	fixture_settle(fixture);
	assert_int_equal(fixture->frames_forgotten, 512);
	assert_int_equal(fixture->pages_used, before - 2);
	fixture_free(fixture);
}

static void same_as_before(struct fixture *fixture, uint64_t gfn, uint64_t count, uint64_t mfn)
{
	for (uint64_t i = 0; i < count; i++) {
		struct sp_mapping mapping;

		assert_int_equal(sp_p2m_find(fixture->domain, (sp_gfn_t){ gfn + i }, &mapping),
				 SP_OK);
		assert_int_equal(mapping.frame.mfn, mfn + i);
		assert_int_equal(mapping.type, SP_RAM);
	}
}

/* One operation that needs table pages in both maps: refused at the n-th page for every n. */
static void a_refused_page_leaves_every_translation_as_it_was(void **state)
{
	enum sp_status status = SP_NO_MEMORY;

	(void)state;
	for (uint32_t n = 1; status == SP_NO_MEMORY; n++) {
		struct fixture *fixture = separate();
		struct sp_result result;
		struct sp_mapping mapping;

		fixture_map(fixture, GFN, MFN, 512, SP_RAM);
		fixture->refuse_take = fixture->takes + n;
		status = sp_p2m_map(fixture->domain, (sp_gfn_t){ GFN + (1ull << 27) },
				    (sp_mfn_t){ MFN + 4096 + 1 }, 1024, SP_RAM, &result);
		same_as_before(fixture, GFN, 512, MFN);
		if (status == SP_NO_MEMORY) {
			assert_int_equal(result.done, 0);
			assert_int_equal(sp_p2m_find(fixture->domain,
						     (sp_gfn_t){ GFN + (1ull << 27) }, &mapping),
					 SP_NOT_FOUND);
		}
		fixture->refuse_take = 0;
		fixture_free(fixture);
		assert_in_range(n, 1, 20);
	}
	assert_int_equal(status, SP_OK);
}

static void a_domain_stays_within_its_budget_of_table_pages(void **state)
{
	struct fixture *fixture = separate();
	enum sp_status status = SP_OK;

	(void)state;
	for (uint64_t i = 0; i < 400 && status == SP_OK; i++) {
		struct sp_result result;

		status = sp_p2m_map(fixture->domain, (sp_gfn_t){ i << 18 }, (sp_mfn_t){ MFN + 1 },
				    1, SP_RAM, &result);
	}
	assert_int_equal(status, SP_NO_MEMORY);
	assert_in_range(fixture->pages_used, 390, 400);
	fixture_free(fixture);
}

static void a_full_limbo_answers_busy_and_a_ticket_that_helps(void **state)
{
	struct fixture *fixture = separate();
	enum sp_status status = SP_OK;
	struct sp_result result;
	uint64_t unmapped = 0;

	(void)state;
	map_scattered(fixture, GFN, MFN, 1100);
	while (unmapped < 1100 && status == SP_OK) {
		status = sp_p2m_unmap(fixture->domain, (sp_gfn_t){ GFN + unmapped }, 1, &result);
		unmapped += result.done;
	}
	assert_int_equal(status, SP_BUSY);
	assert_int_equal(fixture->frames_forgotten, 0);
	fixture->meanwhile = fixture_answer;
	assert_int_equal(sp_wait(fixture->host, result.ticket), SP_OK);
	fixture_settle(fixture);
	fixture_unmap(fixture, GFN + unmapped, 1100 - unmapped);
	fixture_settle(fixture);
	assert_int_equal(fixture->frames_forgotten, 1100);
	fixture_free(fixture);
}

static void refused_calls_say_why_and_change_nothing(void **state)
{
	struct fixture *fixture = separate();
	struct sp_result result;
	struct sp_domain *domain = fixture->domain;
	const sp_gfn_t gfn = { GFN };
	const sp_mfn_t mfn = { MFN };

	(void)state;
	assert_int_equal(sp_host_forbid(fixture->host, (sp_mfn_t){ 0xfee00 }, 1,
					"a local APIC's registers"),
			 SP_OK);
	assert_int_equal(sp_p2m_map(domain, gfn, mfn, 0, SP_RAM, &result), SP_INVALID);
	assert_int_equal(sp_p2m_map(domain, gfn, mfn, 1, SP_HOLE, &result), SP_INVALID);
	assert_int_equal(sp_p2m_map(domain, gfn, mfn, 1, SP_RESERVED, &result), SP_INVALID);
	assert_int_equal(sp_p2m_map(domain, (sp_gfn_t){ UINT64_MAX }, mfn, 2, SP_RAM, &result),
			 SP_INVALID);
	assert_int_equal(sp_p2m_map(domain, (sp_gfn_t){ 1ull << 36 }, mfn, 1, SP_RAM, &result),
			 SP_RANGE);
	assert_int_equal(sp_p2m_map(domain, gfn, (sp_mfn_t){ 1ull << 40 }, 1, SP_RAM, &result),
			 SP_RANGE);
	assert_int_equal(sp_p2m_map(domain, gfn, (sp_mfn_t){ 0xfedff }, 2, SP_MMIO, &result),
			 SP_RESERVED_RANGE);
	assert_string_equal(fixture->log, "a local APIC's registers");
	assert_int_equal(sp_p2m_map(domain, (sp_gfn_t){ 0xfee10 }, mfn, 1, SP_RAM, &result),
			 SP_RESERVED_RANGE);
	assert_string_equal(fixture->log, "the interrupt message window");
	assert_int_equal(sp_p2m_set_type(domain, gfn, 1, SP_RAM_READONLY, &result), SP_NOT_FOUND);
	assert_int_equal(sp_p2m_unmap(domain, (sp_gfn_t){ 1ull << 36 }, 1, &result), SP_OK);
	assert_int_equal(fixture->unit[0].posts, 0);
	fixture_free(fixture);
}

static void a_shared_ept_map_refuses_mmio_for_the_cpu_alone(void **state)
{
	struct fixture *fixture = separate();
	const struct sp_domain_config config = {
		.number = 2, .cpu = SP_CPU_EPT, .tables = SP_TABLES_SHARED, .table_budget = 20
	};
	struct sp_domain *domain;
	struct sp_result result;

	(void)state;
	assert_int_equal(sp_domain_create(fixture->host, &config, &domain), SP_OK);
	assert_int_equal(sp_p2m_map(domain, (sp_gfn_t){ GFN }, (sp_mfn_t){ MFN }, 1, SP_MMIO,
				    &result),
			 SP_UNSUPPORTED);
	assert_int_equal(sp_p2m_map(domain, (sp_gfn_t){ GFN }, (sp_mfn_t){ MFN }, 1,
				    SP_RAM_READONLY, &result),
			 SP_OK);
	while (sp_domain_destroy(domain) == SP_PENDING)
		(void)sp_progress(fixture->host, 100);
	fixture_free(fixture);
}

static void firmwares_ranges_are_out_of_reach_until_they_are_given_up(void **state)
{
	struct fixture *fixture = separate();
	struct sp_result result;
	struct sp_mapping mapping;

	(void)state;
	fixture->meanwhile = fixture_answer;
	assert_int_equal(p2m_reserve(fixture->domain, 0x7000, 3), SP_OK);
	assert_int_equal(sp_p2m_find(fixture->domain, (sp_gfn_t){ 0x7002 }, &mapping), SP_OK);
	assert_int_equal(mapping.type, SP_RESERVED);
	assert_int_equal(mapping.frame.mfn, 0x7002);
	assert_int_equal(sp_p2m_unmap(fixture->domain, (sp_gfn_t){ 0x7001 }, 1, &result),
			 SP_RESERVED_RANGE);
	assert_int_equal(sp_p2m_map(fixture->domain, (sp_gfn_t){ 0x6fff }, (sp_mfn_t){ MFN }, 2,
				    SP_RAM, &result),
			 SP_RESERVED_RANGE);
	assert_int_equal(p2m_unreserve(fixture->domain, 0x7000, 3), SP_OK);
	assert_int_equal(sp_p2m_find(fixture->domain, (sp_gfn_t){ 0x7002 }, &mapping),
			 SP_NOT_FOUND);
	map_scattered(fixture, 0x7001, MFN, 1);
	assert_int_equal(p2m_reserve(fixture->domain, 0x7000, 3), SP_RESERVED_RANGE);
	fixture_free(fixture);
}

static void hosts_of_impossible_size_are_refused(void **state)
{
	const struct sp_limits wide = { .cpus = SP_MAX_CPUS + 1 }, small = { .limbo = 16 };
	const struct sp_limits usual = { 0 };
	_Alignas(64) static char memory[4096];

	(void)state;
	assert_int_equal(sp_host_size(&wide), 0);
	assert_int_equal(sp_host_size(&small), 0);
	assert_true(sp_host_size(&usual) > sizeof(memory));
	assert_null(sp_host_create(memory, sizeof(memory), &usual, NULL));
	assert_null(sp_host_create(memory + 1, sizeof(memory) - 1, &usual, NULL));
	assert_null(sp_host_create(NULL, 1u << 30, &usual, NULL));
}

/* ---- negative controls: with the guard left out, what the guard is for goes wrong ---- */

static void without_the_wait_a_page_comes_back_too_early(void **state)
{
	struct fixture *fixture = separate();

	(void)state;
	map_scattered(fixture, GFN, MFN, 4);
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_RELEASE_WITHOUT_WAIT), SP_OK);
	(void)unmap(fixture, GFN, 1);
	(void)sp_progress(fixture->host, 1000);
	assert_int_equal(fixture_came_back(fixture, MFN, 1), 1);
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_NONE), SP_OK);
	fixture_free(fixture);
}

static void with_the_piece_as_width_the_large_page_is_not_forgotten(void **state)
{
	struct fixture *fixture = separate();

	(void)state;
	fixture_map(fixture, GFN, MFN, 512, SP_RAM);
	fixture_forget_commands(fixture);
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_WIDTH_OF_PIECE), SP_OK);
	(void)unmap(fixture, GFN + 5, 1);
	assert_int_equal(fixture->unit[0].command[0].order, 0);
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_NONE), SP_OK);
	fixture_free(fixture);
}

static void without_the_budget_a_guest_takes_all_table_pages(void **state)
{
	struct fixture *fixture = separate();

	(void)state;
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_BUDGET_UNCHECKED), SP_OK);
	for (uint64_t i = 0; fixture->pages_used <= 401; i++) {
		struct sp_result result;

		assert_int_equal(sp_p2m_map(fixture->domain, (sp_gfn_t){ i << 18 },
					    (sp_mfn_t){ MFN + 1 }, 1, SP_RAM, &result),
				 SP_OK);
	}
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_NONE), SP_OK);
	fixture_free(fixture);
}

static void without_the_check_memory_lies_in_the_message_window(void **state)
{
	struct fixture *fixture = separate();
	struct sp_result result;

	(void)state;
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_SPECIAL_UNCHECKED), SP_OK);
	assert_int_equal(sp_p2m_map(fixture->domain, (sp_gfn_t){ 0xfee10 }, (sp_mfn_t){ MFN }, 1,
				    SP_RAM, &result),
			 SP_OK);
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_NONE), SP_OK);
	fixture_free(fixture);
}

/* No slot has a bit that says its type: the CPU's rights and the memory type must. */
static void every_type_is_known_by_its_looks_and_nothing_else_is(void **state)
{
	uint32_t known = 0;

	(void)state;
	for (uint32_t i = 0; i < SP_TYPE_COUNT; i++) {
		enum sp_type type = SP_TYPE_COUNT;

		assert_true(p2m_type_of(p2m_types[i].rights, p2m_types[i].memory, &type));
		assert_int_equal(type, i);
	}
	for (uint32_t i = 0; i < MEMORY_TYPE_COUNT * (CPU_RIGHTS + 1); i++) {
		enum sp_type type;

		known += p2m_type_of(i % (CPU_RIGHTS + 1), (enum memory_type)(i / (CPU_RIGHTS + 1)),
				     &type);
	}
	assert_int_equal(known, SP_TYPE_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unmapped_page_comes_back_only_after_the_unit_has_answered),
		cmocka_unit_test(an_unmapped_page_comes_back_only_after_the_cpus_have_left),
		cmocka_unit_test(an_entry_that_was_not_made_still_owes_its_flush),
		cmocka_unit_test(a_cpu_that_enters_while_it_is_asked_is_kicked_or_flushes),
		cmocka_unit_test(a_change_that_owes_nothing_waits_for_what_was_owed_before),
		cmocka_unit_test(what_gathers_while_a_post_is_under_way_is_joined_into_one),
		cmocka_unit_test(a_full_queue_pushes_back_and_loses_nothing),
		cmocka_unit_test(every_unit_of_the_map_is_told_and_waited_for),
		cmocka_unit_test(
			a_piece_of_a_large_page_goes_in_one_store_and_the_whole_page_is_forgotten),
		cmocka_unit_test(a_right_of_a_piece_changes_only_after_the_split_is_paid),
		cmocka_unit_test(no_piece_changes_before_its_split_is_paid),
		cmocka_unit_test(without_the_pause_a_piece_changes_too_early),
		cmocka_unit_test(a_table_stays_while_a_look_up_walks_it),
		cmocka_unit_test(without_the_epoch_a_table_goes_under_a_look_up),
		cmocka_unit_test(merging_passes_over_holes_in_one_stride),
		cmocka_unit_test(small_pages_that_are_one_run_become_a_large_page_in_both_maps),
		cmocka_unit_test(a_whole_region_goes_by_one_store_and_comes_back_whole),
		cmocka_unit_test(a_refused_page_leaves_every_translation_as_it_was),
		cmocka_unit_test(a_domain_stays_within_its_budget_of_table_pages),
		cmocka_unit_test(a_full_limbo_answers_busy_and_a_ticket_that_helps),
		cmocka_unit_test(refused_calls_say_why_and_change_nothing),
		cmocka_unit_test(a_shared_ept_map_refuses_mmio_for_the_cpu_alone),
		cmocka_unit_test(firmwares_ranges_are_out_of_reach_until_they_are_given_up),
		cmocka_unit_test(hosts_of_impossible_size_are_refused),
		cmocka_unit_test(without_the_wait_a_page_comes_back_too_early),
		cmocka_unit_test(with_the_piece_as_width_the_large_page_is_not_forgotten),
		cmocka_unit_test(without_the_budget_a_guest_takes_all_table_pages),
		cmocka_unit_test(without_the_check_memory_lies_in_the_message_window),
		cmocka_unit_test(every_type_is_known_by_its_looks_and_nothing_else_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
