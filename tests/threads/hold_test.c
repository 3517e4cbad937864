/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/hold_test.c - how much is stored while a domain's lock is held.
 *
 * The machine notes the most stores of any one hold: of calls, of waits, of progress. What it is must
 * depend neither on the range nor on how many CPUs want the domain.
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "memory.h"

#define TIME	   1000u /* milliseconds */
#define SMALL_RUN  2048u
#define LARGE_RUN  65536u
#define AT	   BIT(27) /* a gfn at a border of 512 GiB */
#define EACH	   2048u
#define ONE_STORE  8u /* the slot, and what asks the CPUs: far from any table */
/* One call: so many slots, and at both ends a path of tables, each filled from first to last slot. */
#define MOST(maps) ((maps) * (SP_STEP_SLOTS + 2 * MAX_LEVELS * (1 + 512u)) + ONE_STORE)

static uint64_t stores_of_map(struct machine *machine, struct sp_domain *domain, uint64_t count)
{
	store64(&machine->most_stores, 0);
	/* One frame beside: nothing but small pages. */
	guest_wait(machine, guest_map(machine, domain, AT, NUMBERS_MFN + 1, count));
	return load64(&machine->most_stores);
}

static uint64_t stores_of_unmap(struct machine *machine, struct sp_domain *domain, uint64_t count)
{
	store64(&machine->most_stores, 0);
	guest_wait(machine, guest_unmap(machine, domain, AT, count));
	return load64(&machine->most_stores);
}

static void a_longer_range_is_not_more_under_the_lock(void **state)
{
	struct machine *machine = machine_make(2, 0);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SEPARATE);
	uint64_t map[2], unmap[2];

	(void)state;
	assert_int_equal(machine_assign(machine, domain, 0), SP_OK);
	map[0] = stores_of_map(machine, domain, SMALL_RUN);
	unmap[0] = stores_of_unmap(machine, domain, SMALL_RUN);
	map[1] = stores_of_map(machine, domain, LARGE_RUN);
	unmap[1] = stores_of_unmap(machine, domain, LARGE_RUN);
	print_message("stores in one hold: map %llu, %llu; unmap %llu, %llu; allowed %u\n",
		      (unsigned long long)map[0], (unsigned long long)map[1],
		      (unsigned long long)unmap[0], (unsigned long long)unmap[1], MOST(2));
	assert_in_range(map[0], SP_STEP_SLOTS, MOST(2));
	assert_in_range(map[1], SP_STEP_SLOTS, map[0] + ONE_STORE);
	/* One for each table of the range, until the call has done its share. */
	assert_in_range(unmap[1], unmap[0], 2 * (SP_STEP_SLOTS + 2 * MAX_LEVELS) + ONE_STORE);
	machine_release(machine, domain, 0);
	machine_destroy(machine, domain);
	machine_free(machine);
}

/* 2 MiB in small pages, 1 GiB in 2 MiB pages, 512 GiB in 1 GiB pages: a table each. */
static void unmapping_a_whole_subtree_is_one_store_a_map(void **state)
{
	static const uint32_t orders[] = { 9, 18, 27 };
	struct machine *machine = machine_make(2, 0);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SEPARATE);

	(void)state;
	assert_int_equal(machine_assign(machine, domain, 0), SP_OK);
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t count = BIT(orders[i]), mfn = align_down(NUMBERS_MFN, 27) + BIT(28);

		/* Not aligned for a larger page than those of its table. */
		mfn += i ? BIT(orders[i] - 9) : 1;
		guest_wait(machine, guest_map(machine, domain, AT, mfn, count));
		assert_in_range(stores_of_unmap(machine, domain, count), 1, 2 * ONE_STORE);
	}
	machine_release(machine, domain, 0);
	machine_destroy(machine, domain);
	machine_free(machine);
}

static void more_cpus_are_not_more_under_the_lock(void **state)
{
	struct machine *machine = machine_make(2, 3 * EACH);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SEPARATE);
	struct worker workers[5];

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(machine_assign(machine, domain, i), SP_OK);
	for (uint32_t i = 0; i < 3; i++)
		workers[i] = (struct worker){ .run = life_of_changes,
					      .domain = domain,
					      .first = i * EACH,
					      .mfn = FRAME_MFN + i * EACH,
					      .count = EACH };
	workers[3] = (struct worker){ .run = life_in_guest, .domain = domain };
	workers[4] = (struct worker){ .run = life_of_progress };
	machine_run(machine, workers, 5, TIME);
	print_message("stores in one hold: %llu; allowed %u\n",
		      (unsigned long long)machine->most_stores, MOST(3));
	assert_in_range(machine->most_stores, 1, MOST(3));
	for (uint32_t i = 0; i < 2; i++)
		machine_release(machine, domain, i);
	machine_destroy(machine, domain);
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_longer_range_is_not_more_under_the_lock),
		cmocka_unit_test(unmapping_a_whole_subtree_is_one_store_a_map),
		cmocka_unit_test(more_cpus_are_not_more_under_the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
