/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/tickets_test.c - progress from everywhere, tickets that several wait for, CPUs that
 * wait for each other.
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"

#define TIME 1000u /* milliseconds */
#define EACH 2048u /* frames of a worker */

static struct worker changer(struct sp_domain *domain, uint32_t index)
{
	return (struct worker){ .run = life_of_changes,
				.domain = domain,
				.first = index * EACH,
				.mfn = FRAME_MFN + index * EACH,
				.count = EACH };
}

static void progress_is_made_by_four_cpus_at_once(void **state)
{
	struct machine *machine = machine_make(2, 2 * EACH);
	struct sp_domain *domain[2];
	struct worker workers[6];

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		domain[i] = machine_domain(machine, i + 1, SP_TABLES_SEPARATE);
		assert_int_equal(machine_assign(machine, domain[i], i), SP_OK);
		workers[i] = changer(domain[i], i);
	}
	for (uint32_t i = 2; i < 6; i++)
		workers[i] = (struct worker){ .run = life_of_progress };
	machine_run(machine, workers, 6, TIME);
	for (uint32_t i = 0; i < 2; i++) {
		machine_release(machine, domain[i], i);
		machine_destroy(machine, domain[i]);
	}
	machine_free(machine);
}

/* The last ticket that somebody got; all others may wait for it too. */
static uint64_t last_number;

static void life_of_making_tickets(struct worker *worker)
{
	for (; worker_goes_on(worker); worker->rounds++) {
		uint64_t gfn = worker->first + worker->rounds % 16;
		struct sp_ticket ticket;

		frames_await(worker->machine, FRAME_MFN + gfn, 1);
		(void)guest_map(worker->machine, worker->domain, gfn, FRAME_MFN + gfn, 1);
		ticket = guest_unmap(worker->machine, worker->domain, gfn, 1);
		store64(&last_number, ticket.number);
	}
	frames_await(worker->machine, FRAME_MFN + worker->first, 16);
}

/* What is settled once stays so, and everything before it is settled too. */
static void life_of_waiting(struct worker *worker)
{
	struct machine *machine = worker->machine;
	struct sp_ticket ticket = { worker->domain, 0 };

	for (; worker_goes_on(worker); worker->rounds++) {
		ticket.number = load64(&last_number);
		guest_wait(machine, ticket);
		while (ticket.number) {
			if (sp_poll(machine->host, ticket) != SP_OK)
				machine_complain(machine, "a settled ticket is no more");
			ticket.number /= 2;
		}
	}
}

static void one_ticket_is_waited_for_by_four_cpus(void **state)
{
	struct machine *machine = machine_make(1, 16);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct worker workers[6];

	(void)state;
	last_number = 0;
	assert_int_equal(machine_assign(machine, domain, 0), SP_OK);
	workers[0] = (struct worker){ .run = life_of_making_tickets, .domain = domain };
	workers[1] = (struct worker){ .run = life_in_guest, .domain = domain };
	for (uint32_t i = 2; i < 6; i++)
		workers[i] = (struct worker){ .run = life_of_waiting, .domain = domain };
	machine_run(machine, workers, 6, TIME);
	machine_release(machine, domain, 0);
	machine_destroy(machine, domain);
	machine_free(machine);
}

#define IN_GUEST 2000000u /* nanoseconds: long enough that others want it out first */

/*
 * In the guest until kicked, then taking a page away from the others, who do the same: each waits for
 * the exits of all, and all for its own.
 */
static void life_of_mutual_waits(struct worker *worker)
{
	struct machine *machine = worker->machine;
	struct cpu *cpu = &machine->cpu[worker->index];
	uint64_t gfn = worker->index;

	for (; worker_goes_on(worker); worker->rounds++) {
		uint64_t begin = platform_now(machine);
		struct sp_entry entry;

		guest_wait(machine, guest_map(machine, worker->domain, gfn, FRAME_MFN + gfn, 1));
		machine_enter(machine, worker->domain, &entry);
		while (!load32(&cpu->kicked) && platform_now(machine) - begin < IN_GUEST)
			;
		worker->count += load32(&cpu->kicked);
		store32(&cpu->kicked, 0);
		sp_cpu_leave(worker->domain, true);
		guest_wait(machine, guest_unmap(machine, worker->domain, gfn, 1));
		frames_await(machine, FRAME_MFN + gfn, 1);
	}
}

static void cpus_that_wait_for_each_other_all_finish(void **state)
{
	struct machine *machine = machine_make(1, 0);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct worker workers[3];
	uint64_t kicks = 0;

	(void)state;
	/* On a crowded machine two may be in the guest at once only now and then. */
	for (uint32_t tries = 0; tries < 20 && !kicks; tries++) {
		for (uint32_t i = 0; i < 3; i++)
			workers[i] =
				(struct worker){ .run = life_of_mutual_waits, .domain = domain };
		machine_run(machine, workers, 3, TIME);
		for (uint32_t i = 0; i < 3; i++)
			kicks += workers[i].count;
	}
	assert_int_not_equal(kicks, 0);
	machine_destroy(machine, domain);
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_is_made_by_four_cpus_at_once),
		cmocka_unit_test(one_ticket_is_waited_for_by_four_cpus),
		cmocka_unit_test(cpus_that_wait_for_each_other_all_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
