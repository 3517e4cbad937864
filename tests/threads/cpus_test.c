/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/cpus_test.c - CPUs enter and leave guests all the time, others take pages away.
 *
 * Each CPU uses what it remembers until an entry flushes it. A page that was forgotten is poisoned
 * and given a new life at once: whoever still touches it is found.
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TIME 1000u /* milliseconds */

/* Few frames, so that they are touched, taken and come back often. */
static struct worker taker(struct sp_domain *domain, uint32_t index, uint32_t count)
{
	return (struct worker){ .run = life_of_changes,
				.domain = domain,
				.first = index * count,
				.mfn = FRAME_MFN + index * count,
				.count = count };
}

static void take_pages_away(uint32_t units, uint32_t count, uint32_t cpus)
{
	struct machine *machine = machine_make(units, 2ull * count);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct worker workers[8];

	workers[0] = taker(domain, 0, count);
	workers[1] = taker(domain, 1, count);
	for (uint32_t i = 0; i < cpus; i++)
		workers[2 + i] = (struct worker){ .run = life_in_guest, .domain = domain };
	if (units)
		assert_int_equal(machine_assign(machine, domain, 0), SP_OK);
	machine_run(machine, workers, 2 + cpus, TIME);
	if (units)
		machine_release(machine, domain, 0);
	machine_destroy(machine, domain);
	machine_free(machine);
}

static void small_pages_go_and_no_cpu_touches_them_afterwards(void **state)
{
	(void)state;
	take_pages_away(0, 64, 3);
}

static void large_pages_go_and_no_cpu_touches_them_afterwards(void **state)
{
	(void)state;
	take_pages_away(0, 2048, 3);
}

static void neither_cpus_nor_a_device_touch_what_went(void **state)
{
	(void)state;
	take_pages_away(1, 256, 2);
}

/* Two guests on the same CPUs: what is remembered of the one is nothing of the other's. */
static void life_in_two_guests(struct worker *worker)
{
	struct machine *machine = worker->machine;
	struct cache *cache = &machine->cpu[worker->index].cache;

	for (; worker_goes_on(worker); worker->rounds++) {
		struct sp_domain *domain = &machine->host->domains[worker->rounds % 2];
		struct sp_entry entry;

		machine_enter(machine, domain, &entry);
		if (entry.flush)
			cache_forget_name(cache, entry.asid);
		for (uint32_t i = 0; i < 100; i++) {
			const struct way way = { .format = &format_npt,
						 .root = entry.root.maddr >> SP_FRAME_ORDER,
						 .levels = entry.levels,
						 .name = entry.asid };
			uint32_t reached;

			if (walk_touch(machine, cache, &way,
				       random_below(&worker->seed, machine->span), &reached) &&
			    reached != domain->number)
				machine_complain(machine, "domain %u reached domain %u",
						 domain->number, reached);
		}
		sp_cpu_leave(domain, true);
	}
}

static void cpus_change_between_two_guests_that_change(void **state)
{
	struct machine *machine = machine_make(0, 512);
	struct sp_domain *one = machine_domain(machine, 1, SP_TABLES_SEPARATE);
	struct sp_domain *two = machine_domain(machine, 2, SP_TABLES_SEPARATE);
	struct worker workers[] = {
		taker(one, 0, 256),
		taker(two, 1, 256),
		{ .run = life_in_two_guests },
		{ .run = life_in_two_guests },
	};

	(void)state;
	machine_run(machine, workers, 4, TIME);
	machine_destroy(machine, one);
	machine_destroy(machine, two);
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_pages_go_and_no_cpu_touches_them_afterwards),
		cmocka_unit_test(large_pages_go_and_no_cpu_touches_them_afterwards),
		cmocka_unit_test(neither_cpus_nor_a_device_touch_what_went),
		cmocka_unit_test(cpus_change_between_two_guests_that_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
