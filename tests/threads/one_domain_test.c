/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/one_domain_test.c - several CPUs change one domain, others look it up.
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"

#define TIME	 1000u /* milliseconds */
#define EACH	 4096u /* frames of a worker */
#define CHANGERS 3u
#define BUILDERS 11u /* each wants 18 pages, and the reserve holds 120 */

/* Frame n of the machine is only ever at gfn n. */
static struct worker changer(struct sp_domain *domain, uint32_t index)
{
	return (struct worker){ .run = life_of_changes,
				.domain = domain,
				.first = index * EACH,
				.mfn = FRAME_MFN + index * EACH,
				.count = EACH };
}

static void change_apart(uint32_t units, enum sp_tables tables)
{
	struct machine *machine = machine_make(units, CHANGERS * EACH);
	struct sp_domain *domain = machine_domain(machine, 1, tables);
	struct worker workers[CHANGERS + 3];

	for (uint32_t i = 0; i < units; i++)
		assert_int_equal(machine_assign(machine, domain, i), SP_OK);
	for (uint32_t i = 0; i < CHANGERS; i++)
		workers[i] = changer(domain, i);
	workers[CHANGERS] = (struct worker){ .run = life_of_looks, .domain = domain };
	workers[CHANGERS + 1] = (struct worker){ .run = life_of_looks, .domain = domain };
	workers[CHANGERS + 2] = (struct worker){ .run = life_in_guest, .domain = domain };
	machine_run(machine, workers, CHANGERS + 3, TIME);
	machine_check_maps(machine, domain);
	for (uint32_t i = 0; i < units; i++)
		machine_release(machine, domain, i);
	machine_destroy(machine, domain);
	machine_free(machine);
}

static void disjoint_ranges_change_side_by_side_in_one_table(void **state)
{
	(void)state;
	change_apart(1, SP_TABLES_SHARED);
}

static void disjoint_ranges_change_side_by_side_in_three_tables(void **state)
{
	(void)state;
	change_apart(2, SP_TABLES_SEPARATE);
}

/* All of them want the same range, each with frames of its own. */
static void overlapping_ranges_change_and_no_frame_is_lost_or_reached_late(void **state)
{
	struct machine *machine = machine_make(2, EACH);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct worker workers[CHANGERS + 2];

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(machine_assign(machine, domain, i), SP_OK);
	for (uint32_t i = 0; i < CHANGERS; i++) {
		workers[i] = changer(domain, i);
		workers[i].first = 0;
		workers[i].overlaps = true;
	}
	workers[CHANGERS] = (struct worker){ .run = life_in_guest, .domain = domain };
	workers[CHANGERS + 1] = (struct worker){ .run = life_of_progress, .domain = domain };
	machine_run(machine, workers, CHANGERS + 2, TIME);
	machine_check_maps(machine, domain);
	for (uint32_t i = 0; i < 2; i++)
		machine_release(machine, domain, i);
	machine_destroy(machine, domain);
	machine_free(machine);
}

/* All plan before any of them commits: each finds the reserve empty. */
static pthread_barrier_t together;

static void life_of_builders(struct worker *worker)
{
	pthread_barrier_wait(&together);
	for (; worker_goes_on(worker); worker->rounds++) {
		/* Across a border of 512 GiB: six new tables in each map. */
		uint64_t gfn = (1 + worker->index * 16 + worker->rounds % 16) * BIT(27) - 8;

		(void)guest_map(worker->machine, worker->domain, gfn, NUMBERS_MFN + gfn, 16);
		guest_wait(worker->machine, guest_unmap(worker->machine, worker->domain, gfn, 16));
	}
}

static void build(struct machine *machine)
{
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SEPARATE);
	struct worker workers[BUILDERS];

	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(machine_assign(machine, domain, i), SP_OK);
	for (uint32_t i = 0; i < BUILDERS; i++)
		workers[i] = (struct worker){ .run = life_of_builders, .domain = domain };
	machine_run(machine, workers, BUILDERS, TIME / 5);
	for (uint32_t i = 0; i < 2; i++)
		machine_release(machine, domain, i);
	machine_destroy(machine, domain);
}

/* What one took for its change another may use, and what is too much goes back. */
static void many_take_table_pages_at_once_and_none_is_refused(void **state)
{
	struct machine *machine = machine_make(2, 0);

	(void)state;
	store32(&machine->slow_takes, 8);
	pthread_barrier_init(&together, NULL, BUILDERS);
	for (uint32_t i = 0; i < 5; i++)
		build(machine);
	pthread_barrier_destroy(&together);
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disjoint_ranges_change_side_by_side_in_one_table),
		cmocka_unit_test(disjoint_ranges_change_side_by_side_in_three_tables),
		cmocka_unit_test(overlapping_ranges_change_and_no_frame_is_lost_or_reached_late),
		cmocka_unit_test(many_take_table_pages_at_once_and_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
