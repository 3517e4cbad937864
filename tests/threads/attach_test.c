/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/attach_test.c - units join and leave the maps of a domain that is being changed.
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"
#include "sallyport/passthrough.h"

#define TIME 1000u /* milliseconds */
#define EACH 1024u /* frames of a worker */

static struct worker changer(struct sp_domain *domain, uint32_t index)
{
	return (struct worker){ .run = life_of_changes,
				.domain = domain,
				.first = index * EACH,
				.mfn = FRAME_MFN + index * EACH,
				.count = EACH };
}

/* There and back again; bus mastering too. */
static void life_of_a_device(struct worker *worker)
{
	struct machine *machine = worker->machine;

	for (; worker_goes_on(worker); worker->rounds++) {
		enum sp_status status = machine_assign(machine, worker->domain, worker->function);

		if (status != SP_OK) {
			machine_complain(machine, "function %u was not assigned: %s",
					 worker->function, sp_status_text(status));
			return;
		}
		if (sp_device_set_master(machine->host, machine_function(worker->function), true) !=
		    SP_OK)
			machine_complain(machine, "bus mastering stayed off");
		for (uint32_t i = 0; i < 4; i++)
			platform_relax(machine);
		machine_release(machine, worker->domain, worker->function);
	}
}

/*
 * Function 0 stays; function 1, behind the other unit, comes and goes. Each time a second map is
 * made, filled from the first, watched, opened, closed and taken apart.
 */
static void come_and_go(enum sp_tables tables)
{
	struct machine *machine = machine_make(2, 3 * EACH);
	struct sp_domain *domain = machine_domain(machine, 1, tables);
	struct worker workers[] = {
		changer(domain, 0),
		changer(domain, 1),
		{ .run = life_of_a_device, .domain = domain, .function = 1 },
		{ .run = life_in_guest, .domain = domain },
		{ .run = life_of_looks, .domain = domain },
		{ .run = life_of_progress },
	};

	assert_int_equal(machine_assign(machine, domain, 0), SP_OK);
	/* What stays mapped is found by every filling. */
	guest_wait(machine, guest_map(machine, domain, 2 * EACH, FRAME_MFN + 2 * EACH, EACH));
	machine_run(machine, workers, sizeof(workers) / sizeof(workers[0]), 2 * TIME);
	assert_int_equal(machine_assign(machine, domain, 1), SP_OK);
	machine_check_maps(machine, domain);
	machine_release(machine, domain, 1);
	machine_release(machine, domain, 0);
	machine_destroy(machine, domain);
	machine_free(machine);
}

static void a_second_map_comes_and_goes_beside_a_shared_one(void **state)
{
	(void)state;
	come_and_go(SP_TABLES_SHARED);
}

static void a_second_map_comes_and_goes_beside_a_separate_one(void **state)
{
	(void)state;
	come_and_go(SP_TABLES_SEPARATE);
}

/* Ends assigned: whoever stops first leaves nothing agreed that is not so. */
static void life_of_arrivals(struct worker *worker)
{
	life_of_a_device(worker);
	if (machine_assign(worker->machine, worker->domain, worker->function) != SP_OK)
		machine_complain(worker->machine, "the last assignment was refused");
}

static void a_late_map_agrees_with_changes_made_while_it_was_filled(void **state)
{
	struct machine *machine = machine_make(2, 4 * EACH);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SEPARATE);
	struct worker workers[] = {
		changer(domain, 0),
		changer(domain, 1),
		changer(domain, 2),
		{ .run = life_of_arrivals, .domain = domain, .function = 1 },
	};

	(void)state;
	guest_wait(machine, guest_map(machine, domain, 3 * EACH, FRAME_MFN + 3 * EACH, EACH));
	machine_run(machine, workers, sizeof(workers) / sizeof(workers[0]), TIME);
	machine_check_maps(machine, domain);
	machine_release(machine, domain, 1);
	machine_destroy(machine, domain);
	machine_free(machine);
}

static void devices_go_to_three_domains_from_three_cpus(void **state)
{
	struct machine *machine = machine_make(2, 3 * EACH);
	struct sp_domain *domain[3];
	struct worker workers[8];

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		domain[i] = machine_domain(machine, i + 1, SP_TABLES_SHARED);
		workers[i] = changer(domain[i], i);
		workers[3 + i] = (struct worker){ .run = life_of_a_device,
						  .domain = domain[i],
						  .function = i };
	}
	workers[6] = (struct worker){ .run = life_of_looks };
	workers[7] = (struct worker){ .run = life_of_progress };
	machine_run(machine, workers, 8, TIME);
	for (uint32_t i = 0; i < 3; i++)
		machine_destroy(machine, domain[i]);
	machine_free(machine);
}

/* From hand to hand; a function that another CPU just handed on is refused, not taken. */
static void life_of_handing(struct worker *worker)
{
	struct machine *machine = worker->machine;
	sp_sbdf_t function = machine_function(0);
	struct sp_function_info info;

	for (; worker_goes_on(worker); worker->rounds++) {
		struct sp_domain *other = &machine->host->domains[worker->rounds % 2];
		enum sp_status status;

		if (sp_function_info(machine->host, 0, &info) != SP_OK || !info.owner)
			continue;
		status = sp_device_hand_over(info.owner, other, function);
		if (status != SP_OK && status != SP_INVALID && status != SP_BUSY)
			machine_complain(machine, "handing over ended with \"%s\"",
					 sp_status_text(status));
	}
}

static void a_function_handed_over_by_two_cpus_has_one_owner(void **state)
{
	struct machine *machine = machine_make(1, 0);
	struct sp_domain *one = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct sp_domain *two = machine_domain(machine, 2, SP_TABLES_SHARED);
	struct worker workers[] = {
		{ .run = life_of_handing },
		{ .run = life_of_handing },
		{ .run = life_of_progress },
	};
	struct sp_function_info info;

	(void)state;
	assert_int_equal(sp_device_assign(one, machine_function(0)), SP_OK);
	machine_run(machine, workers, 3, TIME / 2);
	assert_int_equal(sp_function_info(machine->host, 0, &info), SP_OK);
	assert_non_null(info.owner);
	assert_int_equal(sp_device_release(info.owner, machine_function(0)), SP_OK);
	machine_destroy(machine, one);
	machine_destroy(machine, two);
	machine_free(machine);
}

/* Wants memory where firmware's range goes: refused, or there until it is taken away again. */
static void life_of_squatting(struct worker *worker)
{
	struct machine *machine = worker->machine;
	uint64_t gfn = RESERVED_MFN - 1, count = RESERVED_FRAMES + 2;

	for (; worker_goes_on(worker); worker->rounds++) {
		struct sp_mapping mapping;
		struct sp_result result;
		enum sp_status status =
			sp_p2m_map(worker->domain, (sp_gfn_t){ gfn },
				   (sp_mfn_t){ NUMBERS_MFN + gfn }, count, SP_RAM, &result);

		if (status != SP_OK) {
			if (status != SP_RESERVED_RANGE && status != SP_BUSY)
				machine_complain(machine, "mapped with \"%s\"",
						 sp_status_text(status));
			continue;
		}
		for (uint64_t i = 0; i < count; i++)
			if (sp_p2m_find(worker->domain, (sp_gfn_t){ gfn + i }, &mapping) != SP_OK ||
			    mapping.frame.mfn != NUMBERS_MFN + gfn + i)
				machine_complain(machine, "a range was reserved over memory");
		guest_wait(machine, guest_unmap(machine, worker->domain, gfn, count));
		__atomic_fetch_add(&machine->squats, 1, __ATOMIC_RELAXED);
	}
}

/* Assigned, the range leads to itself; not assigned, nothing of it is left. */
static void life_of_reserving(struct worker *worker)
{
	struct machine *machine = worker->machine;

	for (; worker_goes_on(worker); worker->rounds++) {
		struct sp_mapping mapping;
		enum sp_status status = machine_assign(machine, worker->domain, RESERVED_FUNCTION);

		if (status == SP_RESERVED_RANGE)
			continue;
		if (status != SP_OK)
			machine_complain(machine, "assigned with \"%s\"", sp_status_text(status));
		for (uint64_t i = 0; i < RESERVED_FRAMES; i++) {
			status = sp_p2m_find(worker->domain, (sp_gfn_t){ RESERVED_MFN + i },
					     &mapping);
			if (status != SP_OK || mapping.type != SP_RESERVED ||
			    mapping.frame.mfn != RESERVED_MFN + i)
				machine_complain(machine, "a reserved frame is not there");
		}
		machine_release(machine, worker->domain, RESERVED_FUNCTION);
	}
}

static void memory_and_a_reserved_range_never_share_a_frame(void **state)
{
	struct machine *machine = machine_make(2, 0);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct worker workers[] = {
		{ .run = life_of_reserving, .domain = domain },
		{ .run = life_of_squatting, .domain = domain },
		{ .run = life_of_progress },
	};

	(void)state;
	machine_run(machine, workers, 3, TIME);
	assert_int_not_equal(machine->squats, 0);
	machine_destroy(machine, domain);
	machine_free(machine);
}

/* Changes until the unit is lost: then each wait ends, and says so. */
static void life_until_lost(struct worker *worker)
{
	struct machine *machine = worker->machine;
	enum sp_status status = SP_OK;

	for (; status == SP_OK; worker->rounds++) {
		uint64_t gfn = NUMBERS_MFN + worker->index * 1024 + worker->rounds % 512;
		struct sp_result result;

		status = sp_p2m_map(worker->domain, (sp_gfn_t){ gfn }, (sp_mfn_t){ gfn }, 1, SP_RAM,
				    &result);
		if (status == SP_OK)
			status = sp_p2m_unmap(worker->domain, (sp_gfn_t){ gfn }, 1, &result);
		if (status == SP_OK || status == SP_BUSY)
			status = sp_wait(machine->host, result.ticket);
	}
	if (status != SP_LOST)
		machine_complain(machine, "the loss of a unit was told as \"%s\"",
				 sp_status_text(status));
}

static void life_of_the_end(struct worker *worker)
{
	struct machine *machine = worker->machine;

	for (uint32_t i = 0; i < 200; i++)
		platform_relax(machine);
	store32(&machine->unit[0]->dead, 1);
	worker->rounds = 1;
}

static void a_unit_is_lost_while_changes_run_and_every_wait_ends(void **state)
{
	struct machine *machine = machine_make(1, 0);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct worker workers[] = {
		{ .run = life_until_lost, .domain = domain },
		{ .run = life_until_lost, .domain = domain },
		{ .run = life_of_the_end },
		{ .run = life_of_looks },
		{ .run = life_of_progress },
	};

	(void)state;
	assert_int_equal(machine_assign(machine, domain, 0), SP_OK);
	machine_run(machine, workers, 5, TIME / 2);
	assert_int_equal(machine->lost, 1);
	assert_int_equal(sp_device_assign(domain, machine_function(2)), SP_LOST);
	assert_int_equal(sp_device_release(domain, machine_function(0)), SP_LOST);
	machine_abandon(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_map_comes_and_goes_beside_a_shared_one),
		cmocka_unit_test(a_second_map_comes_and_goes_beside_a_separate_one),
		cmocka_unit_test(a_late_map_agrees_with_changes_made_while_it_was_filled),
		cmocka_unit_test(devices_go_to_three_domains_from_three_cpus),
		cmocka_unit_test(a_function_handed_over_by_two_cpus_has_one_owner),
		cmocka_unit_test(memory_and_a_reserved_range_never_share_a_frame),
		cmocka_unit_test(a_unit_is_lost_while_changes_run_and_every_wait_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
