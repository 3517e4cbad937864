/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/change_enter_test.c - a CPU that enters while another asks, with x86's store buffer between them.
 *
 *   CPU 1 (enters)                         CPU 0 (asks)
 *   in_guest = 1, still in its buffer
 *   reads asked: nothing new
 *                                          unmaps, asks, reads in_guest
 *   the buffer drains, the guest runs
 *
 * With the full barrier the store is out before asked is read, and CPU 0 sees it. Without, CPU 0 sees
 * nobody in the guest, and the page goes while CPU 1 still remembers it.
 */
#include "change_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define GFN 0x40000
#define MFN 0x80000

static struct fixture *machine;
static struct sp_result asked;
static bool buffered, has_asked;

static struct cpu_state *entering(void)
{
	return &machine->domain->cpu_states[1];
}

static void before_store(const void *to)
{
	if (to == &entering()->in_guest)
		buffered = true;
}

static void at_full_barrier(void)
{
	buffered = false;
}

/* CPU 0's part, in the moment after CPU 1 has read what is asked. */
static void ask(void)
{
	uint64_t shown = entering()->in_guest;

	has_asked = true;
	if (buffered)
		entering()->in_guest = 0;
	buffered = false;
	machine->self = 0;
	assert_int_equal(sp_p2m_unmap(machine->domain, (sp_gfn_t){ GFN }, 1, &asked), SP_OK);
	machine->self = 1;
	fixture_answer(machine);
	(void)sp_progress(machine->host, 1000);
	entering()->in_guest = shown;
}

static void before_load(const void *from)
{
	if (from == &entering()->reached && !has_asked)
		ask();
}

/* True where the page came back while CPU 1 runs and may still remember it. */
static bool page_came_back_too_early(enum sp_mutant mutant)
{
	struct sp_entry entry;
	bool early;

	machine = fixture_make(SP_TABLES_SEPARATE, 1, COLUMN_AMDVI);
	fixture_map(machine, GFN, MFN, 1, SP_RAM);
	fixture_map(machine, GFN + 1, MFN + 7, 1, SP_RAM);
	machine->self = 1;
	assert_int_equal(sp_cpu_enter(machine->domain, &entry), SP_OK);
	sp_cpu_leave(machine->domain, true);

	assert_int_equal(sp_mutant_choose(machine->host, mutant), SP_OK);
	has_asked = buffered = false;
	fixture_looks = (struct fixture_looks){ before_load, before_store, at_full_barrier };
	assert_int_equal(sp_cpu_enter(machine->domain, &entry), SP_OK);
	fixture_looks = (struct fixture_looks){ NULL, NULL, NULL };
	assert_true(has_asked);
	early = !entry.flush && fixture_came_back(machine, MFN, 1);
	if (!early)
		assert_int_equal(machine->kicks, 1);
	sp_cpu_leave(machine->domain, true);
	assert_int_equal(sp_mutant_choose(machine->host, SP_MUT_NONE), SP_OK);
	fixture_free(machine);
	return early;
}

static void with_the_barrier_a_cpu_that_enters_is_seen_and_kicked(void **state)
{
	(void)state;
	assert_false(page_came_back_too_early(SP_MUT_NONE));
}

static void without_the_barrier_a_page_goes_while_a_cpu_remembers_it(void **state)
{
	(void)state;
	assert_true(page_came_back_too_early(SP_MUT_ENTER_WITHOUT_BARRIER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_the_barrier_a_cpu_that_enters_is_seen_and_kicked),
		cmocka_unit_test(without_the_barrier_a_page_goes_while_a_cpu_remembers_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
