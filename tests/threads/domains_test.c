/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/domains_test.c - domains change side by side, come and go.
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TIME 1000u /* milliseconds */
#define EACH 4096u /* frames of a domain */

static struct worker changer(struct sp_domain *domain, uint32_t index)
{
	return (struct worker){ .run = life_of_changes,
				.domain = domain,
				.first = index * EACH,
				.mfn = FRAME_MFN + index * EACH,
				.count = EACH };
}

/* A device of its own for each; a CPU runs the first. */
static void change_domains(enum sp_tables tables)
{
	struct machine *machine = machine_make(2, 3 * EACH);
	struct sp_domain *domain[3];
	struct worker workers[5];

	for (uint32_t i = 0; i < 3; i++) {
		domain[i] = machine_domain(machine, i + 1, tables);
		workers[i] = changer(domain[i], i);
		assert_int_equal(machine_assign(machine, domain[i], i), SP_OK);
	}
	workers[3] = (struct worker){ .run = life_in_guest, .domain = domain[0] };
	workers[4] = (struct worker){ .run = life_of_progress };
	machine_run(machine, workers, 5, TIME);
	for (uint32_t i = 0; i < 3; i++) {
		machine_check_maps(machine, domain[i]);
		machine_release(machine, domain[i], i);
		machine_destroy(machine, domain[i]);
	}
	machine_free(machine);
}

static void three_domains_with_devices_change_in_shared_tables(void **state)
{
	(void)state;
	change_domains(SP_TABLES_SHARED);
}

static void three_domains_with_devices_change_in_separate_tables(void **state)
{
	(void)state;
	change_domains(SP_TABLES_SEPARATE);
}

/* Made, filled, given a device, entered, emptied by its end; the slot, ASID and domain ids return. */
static void life_of_domains(struct worker *worker)
{
	struct machine *machine = worker->machine;
	uint32_t number = 10 + worker->index;

	for (; worker_goes_on(worker); worker->rounds++) {
		bool with_device = random_below(&worker->seed, 2);
		struct sp_entry entry;

		worker->domain = machine_domain(
			machine, number,
			random_below(&worker->seed, 2) ? SP_TABLES_SHARED : SP_TABLES_SEPARATE);
		if (!worker->domain)
			return;
		(void)guest_map(machine, worker->domain, worker->first, worker->mfn, worker->count);
		if (with_device &&
		    machine_assign(machine, worker->domain, worker->function) != SP_OK)
			machine_complain(machine, "a new domain got no device");
		machine_enter(machine, worker->domain, &entry);
		if (!entry.flush)
			machine_complain(machine, "a new domain begins without a flush");
		sp_cpu_leave(worker->domain, true);
		if (with_device)
			machine_release(machine, worker->domain, worker->function);
		machine_destroy(machine, worker->domain);
		frames_await(machine, worker->mfn, worker->count);
	}
}

static struct worker maker(uint32_t index)
{
	return (struct worker){ .run = life_of_domains,
				.function = index,
				.first = index * EACH,
				.mfn = FRAME_MFN + index * EACH,
				.count = EACH / 4 };
}

static void domains_come_and_go_while_another_works(void **state)
{
	struct machine *machine = machine_make(2, 3 * EACH);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct worker workers[] = { maker(0),
				    maker(1),
				    changer(domain, 2),
				    { .run = life_in_guest, .domain = domain },
				    { .run = life_of_progress },
				    { .run = life_of_looks } };

	(void)state;
	assert_int_equal(machine_assign(machine, domain, 2), SP_OK);
	machine_run(machine, workers, 6, 2 * TIME);
	machine_release(machine, domain, 2);
	machine_destroy(machine, domain);
	machine_free(machine);
}

/* Firmware's range is looked for in every other guest: also in one that is just ending. */
static void life_of_reserving(struct worker *worker)
{
	struct machine *machine = worker->machine;

	for (; worker_goes_on(worker); worker->rounds++) {
		if (machine_assign(machine, worker->domain, RESERVED_FUNCTION) != SP_OK)
			machine_complain(machine, "the function with a range was not assigned");
		else
			machine_release(machine, worker->domain, RESERVED_FUNCTION);
	}
}

static void a_range_is_looked_for_in_domains_that_come_and_go(void **state)
{
	struct machine *machine = machine_make(2, 2 * EACH);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct worker workers[] = { maker(0),
				    maker(1),
				    { .run = life_of_reserving, .domain = domain },
				    { .run = life_of_progress } };

	(void)state;
	machine_run(machine, workers, 4, TIME);
	machine_destroy(machine, domain);
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_domains_with_devices_change_in_shared_tables),
		cmocka_unit_test(three_domains_with_devices_change_in_separate_tables),
		cmocka_unit_test(domains_come_and_go_while_another_works),
		cmocka_unit_test(a_range_is_looked_for_in_domains_that_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
