/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/claims_test.c - tables built beside the trees, while others change the same range.
 *
 *   large   map eight tables of small pages, unmap them
 *   small   a page here and there, in the middle of what they build
 *   looks   find what is whole, or nothing
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"

#define TIME   1500u /* milliseconds */
#define AT     BIT(27)
#define TABLES 8u
#define COUNT  (TABLES * 512ull)
#define LARGE  3u
#define SMALL  2u

/* No large page fits its frames: each builder has numbers of its own. */
static uint64_t frames_of(const struct worker *worker)
{
	return NUMBERS_MFN + 1 + worker->index * BIT(16);
}

static void life_of_builders(struct worker *worker)
{
	struct machine *machine = worker->machine;

	for (; worker_goes_on(worker); worker->rounds++) {
		(void)guest_map(machine, worker->domain, worker->first, frames_of(worker),
				worker->count);
		guest_wait(machine,
			   guest_unmap(machine, worker->domain, worker->first, worker->count));
	}
}

static void life_of_pages(struct worker *worker)
{
	struct machine *machine = worker->machine;

	for (; worker_goes_on(worker); worker->rounds++) {
		uint64_t at = random_below(&worker->seed, worker->count);

		(void)guest_map(machine, worker->domain, worker->first + at, frames_of(worker) + at,
				1);
		if (worker->rounds % 2)
			guest_wait(machine,
				   guest_unmap(machine, worker->domain, worker->first + at, 1));
	}
}

/* Whoever mapped it: what is found at a page is its number in that worker's frames. */
static void life_of_finds(struct worker *worker)
{
	for (; worker_goes_on(worker); worker->rounds++) {
		uint64_t at = random_below(&worker->seed, worker->count);
		struct sp_mapping mapping;

		if (sp_p2m_find(worker->domain, (sp_gfn_t){ worker->first + at }, &mapping) !=
		    SP_OK)
			continue;
		if ((mapping.frame.mfn - NUMBERS_MFN - 1) % BIT(16) != at)
			machine_complain(worker->machine, "page %#llx leads to %#llx",
					 (unsigned long long)at,
					 (unsigned long long)mapping.frame.mfn);
	}
}

static void run(enum sp_tables tables, uint64_t apart)
{
	struct machine *machine = machine_make(2, 0);
	struct sp_domain *domain = machine_domain(machine, 1, tables);
	struct worker workers[LARGE + SMALL + 2];

	store32(&machine->slow_takes, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(machine_assign(machine, domain, i), SP_OK);
	/* The tables above stay. */
	(void)guest_map(machine, domain, AT - 1, NUMBERS_MFN, 1);
	(void)guest_map(machine, domain, AT + BIT(17), NUMBERS_MFN, 1);
	for (uint32_t i = 0; i < LARGE + SMALL + 2; i++)
		workers[i] = (struct worker){ .run = i < LARGE		 ? life_of_builders
						     : i < LARGE + SMALL ? life_of_pages
									 : life_of_finds,
					      .domain = domain,
					      .first = AT + (i < LARGE ? i * apart : 0),
					      .count = COUNT };
	workers[LARGE + SMALL + 1].run = life_of_progress;
	machine_run(machine, workers, LARGE + SMALL + 2, TIME);
	store32(&machine->slow_takes, 0);
	guest_wait(machine, guest_unmap(machine, domain, AT, BIT(17)));
	machine_check_maps(machine, domain);
	for (uint32_t i = 0; i < 2; i++)
		machine_release(machine, domain, i);
	machine_destroy(machine, domain);
	machine_free(machine);
}

static void the_same_range_is_built_by_several_and_changed_by_others(void **state)
{
	(void)state;
	run(SP_TABLES_SHARED, 0);
	run(SP_TABLES_SEPARATE, 0);
}

static void ranges_beside_one_another_are_built_at_the_same_time(void **state)
{
	(void)state;
	run(SP_TABLES_SEPARATE, COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_range_is_built_by_several_and_changed_by_others),
		cmocka_unit_test(ranges_beside_one_another_are_built_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
