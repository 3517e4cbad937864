/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/root_test.c - everything is invalidated at once, side by side with everything else (A2.1,
 * A2.6): what a call stores under the lock, and that each frame and each page comes back once.
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "memory.h"

#define TIME  700u /* milliseconds */
#define EACH  4096u
#define FAULT 16u /* frames */

/* Waits where waiting helps. */
static enum sp_status begin_anew(struct machine *machine, struct sp_domain *domain,
				 struct sp_result *result)
{
	enum sp_status status;

	do {
		status = sp_p2m_invalidate_all(domain, result);
		if (status == SP_BUSY && result->ticket.domain)
			guest_wait(machine, result->ticket);
	} while (status == SP_BUSY && result->ticket.domain);
	return status;
}

/* ---- A2.1 ---- */

struct price {
	uint64_t stores, holds;
};

static struct price price_of(struct machine *machine, struct sp_domain *domain, uint64_t pages)
{
	struct sp_result result;
	struct price price;
	uint32_t holds;

	/* One frame beside: nothing but small pages. */
	guest_wait(machine, guest_map(machine, domain, 0, NUMBERS_MFN + 1, pages));
	store64(&machine->most_stores, 0);
	holds = load32(&domain->lock.next);
	assert_int_equal(sp_p2m_invalidate_all(domain, &result), SP_OK);
	price.holds = load32(&domain->lock.next) - holds;
	price.stores = load64(&machine->most_stores);
	guest_wait(machine, result.ticket);
	/* Nothing is written into what is taken apart, and it ends. */
	store64(&machine->most_stores, 0);
	while (sp_progress(machine->host, SP_STEP_SLOTS) != UINT64_MAX)
		;
	assert_in_range(load64(&machine->most_stores), 0, 2);
	return price;
}

static void what_it_costs_does_not_depend_on_what_is_mapped(void **state)
{
	static const uint64_t pages[] = { 1, 1000, 1000000 };
	struct machine *machine = machine_make(0, 0);
	const struct sp_domain_config config = {
		.number = 1, .cpu = SP_CPU_NPT, .table_budget = UINT32_MAX, .asid = 1
	};
	struct sp_domain *domain;
	struct price first;

	(void)state;
	assert_int_equal(sp_domain_create(machine->host, &config, &domain), SP_OK);
	first = price_of(machine, domain, pages[0]);
	print_message("stores in the longest hold: %llu; holds: %llu\n",
		      (unsigned long long)first.stores, (unsigned long long)first.holds);
	assert_in_range(first.stores, 1, 16);
	for (uint32_t i = 1; i < 3; i++) {
		struct price price = price_of(machine, domain, pages[i]);

		assert_memory_equal(&price, &first, sizeof(price));
	}
	machine_destroy(machine, domain);
	machine_free(machine);
}

/* ---- A2.6 ---- */

/* When its own ticket is settled nothing of before is there, whoever else invalidates meanwhile. */
static void life_of_roots(struct worker *worker)
{
	for (; worker_goes_on(worker); worker->rounds++) {
		struct sp_result result;
		enum sp_status status = begin_anew(worker->machine, worker->domain, &result);

		if (status != SP_OK) {
			machine_complain(worker->machine, "everything is to go: \"%s\"",
					 sp_status_text(status));
			return;
		}
		guest_wait(worker->machine, result.ticket);
	}
}

/* A fault handler: samples, looks for frames that are nobody's, maps them. */
static void life_of_faults(struct worker *worker)
{
	struct machine *machine = worker->machine;

	for (; worker_goes_on(worker); worker->rounds++) {
		uint64_t at = random_below(&worker->seed, worker->count / FAULT) * FAULT, done = 0;
		uint64_t sample = sp_p2m_sample(worker->domain);
		enum sp_status status = SP_OK;
		struct sp_result result;

		if (!frames_are_free(machine, worker->mfn + at, FAULT))
			continue;
		frames_begin(machine, worker->domain, worker->first + at, worker->mfn + at, FAULT);
		while (done < FAULT && status != SP_STALE) {
			status = sp_p2m_map_sampled(worker->domain, sample,
						    (sp_gfn_t){ worker->first + at + done },
						    (sp_mfn_t){ worker->mfn + at + done },
						    FAULT - done, SP_RAM, &result);
			if (status == SP_BUSY)
				guest_wait(machine, result.ticket);
			else if (status != SP_OK && status != SP_STALE)
				machine_complain(machine, "a fault was refused: \"%s\"",
						 sp_status_text(status));
			done += result.done;
		}
		/* What is not installed is nobody's again. */
		for (; done < FAULT; done++) {
			struct frame *frame = &machine->frame[worker->mfn + at + done - FRAME_MFN];

			frame->tag = UINT64_MAX;
			store32(&frame->mapped, 0);
		}
	}
	worker_clear(worker);
}

static struct worker of_range(void (*run)(struct worker *), struct sp_domain *domain,
			      uint32_t index)
{
	return (struct worker){ .run = run,
				.domain = domain,
				.first = index * EACH,
				.mfn = FRAME_MFN + index * EACH,
				.count = EACH };
}

static void roots_faults_and_ranges_change_side_by_side(void **state)
{
	struct machine *machine = machine_make(0, 2 * EACH);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct worker workers[8] = {
		{ .run = life_of_roots, .domain = domain },
		{ .run = life_of_roots, .domain = domain },
		of_range(life_of_changes, domain, 0),
		of_range(life_of_faults, domain, 1),
		{ .run = life_in_guest, .domain = domain },
		{ .run = life_in_guest, .domain = domain },
		{ .run = life_of_looks, .domain = domain },
		{ .run = life_of_progress, .domain = domain },
	};

	(void)state;
	workers[2].overlaps = true;
	machine_run(machine, workers, 8, TIME);
	machine_destroy(machine, domain);
	machine_free(machine);
}

/* Until the domain ends under them. */
static void life_to_the_end(struct worker *worker)
{
	struct sp_result result;
	enum sp_status status;

	for (; (status = begin_anew(worker->machine, worker->domain, &result)) == SP_OK;
	     worker->rounds++)
		guest_wait(worker->machine, result.ticket);
	if (status != SP_INVALID)
		machine_complain(worker->machine, "a domain that ends answers \"%s\"",
				 sp_status_text(status));
}

static void life_of_the_end(struct worker *worker)
{
	machine_sleep(20);
	machine_destroy(worker->machine, worker->domain);
	worker->rounds++;
}

static void a_domain_ends_while_others_invalidate_it(void **state)
{
	struct machine *machine = machine_make(0, 0);

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
		struct worker workers[3] = {
			{ .run = life_to_the_end, .domain = domain },
			{ .run = life_to_the_end, .domain = domain },
			{ .run = life_of_the_end, .domain = domain },
		};

		guest_wait(machine, guest_map(machine, domain, 0, NUMBERS_MFN + 1, EACH));
		machine_run(machine, workers, 3, 30);
	}
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_costs_does_not_depend_on_what_is_mapped),
		cmocka_unit_test(roots_faults_and_ranges_change_side_by_side),
		cmocka_unit_test(a_domain_ends_while_others_invalidate_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
