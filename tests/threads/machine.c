/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/machine.c - bring-up, the threads' beginning and end, and what must be true then.
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "memory.h"
#include "sallyport/passthrough.h"

#define GIVE_UP 20000u /* milliseconds: a machine that stands still so long never goes on */

static void plug_functions(struct machine *machine)
{
	for (uint32_t i = 0; i < MACHINE_FUNCTIONS; i++) {
		machine->config[i][0] = 0x51111af4 + (i << 16);
		machine->config[i][2] = 0xff000000;
	}
}

static void start_units(struct machine *machine)
{
	for (uint32_t i = 0; i < machine->unit_count; i++) {
		machine->unit[i] = unit_make(machine, i);
		assert_non_null(machine->unit[i]);
	}
	for (uint32_t i = 0; i < MACHINE_FUNCTIONS; i++) {
		uint16_t id = sp_sbdf_requester(machine_function(i));
		struct scope scope = { .unit = &machine->unit[i % machine->unit_count]->unit,
				       .kind = SCOPE_RANGE,
				       .first = id,
				       .last = id };

		assert_int_equal(scope_add(machine->host, &scope), SP_OK);
	}
	assert_int_equal(sp_pci_scan(machine->host, 0), SP_OK);
	assert_int_equal(sp_function_reserve(machine->host, machine_function(RESERVED_FUNCTION),
					     (sp_mfn_t){ RESERVED_MFN }, RESERVED_FRAMES, true),
			 SP_OK);
	assert_int_equal(sp_iommu_start(machine->host), SP_OK);
	machine->pages_at_start = MACHINE_PAGES - machine->free_count;
	machine->power = 1;
	for (uint32_t i = 0; i < machine->unit_count; i++)
		unit_power(machine->unit[i]);
}

static void *allocate(size_t alignment, size_t bytes)
{
	void *memory;

	bytes = (bytes + alignment - 1) / alignment * alignment;
	memory = aligned_alloc(alignment, bytes);
	assert_non_null(memory);
	memset(memory, 0, bytes);
	return memory;
}

struct machine *machine_make(uint32_t units, uint64_t span)
{
	const struct sp_limits limits = { .cpus = MACHINE_CPUS,
					  .domains = MACHINE_DOMAINS,
					  .functions = MACHINE_FUNCTIONS };
	size_t bytes = sp_host_size(&limits);
	struct machine *machine = allocate(64, sizeof(*machine));

	machine->page = allocate(4096, MACHINE_PAGES * sizeof(*machine->page));
	machine->frame = allocate(64, MACHINE_FRAMES * sizeof(*machine->frame));
	machine->span = span;
	machine->unit_count = units;
	pthread_mutex_init(&machine->pool, NULL);
	pthread_mutex_init(&machine->mouth, NULL);
	for (uint32_t i = 0; i < MACHINE_PAGES; i++)
		machine->free_page[machine->free_count++] = MACHINE_PAGES - 1 - i;
	plug_functions(machine);
	machine->arena = allocate(64, bytes);
	machine->host = sp_host_create(machine->arena, bytes, &limits, machine);
	assert_non_null(machine->host);
	if (units)
		start_units(machine);
	return machine;
}

struct sp_domain *machine_domain(struct machine *machine, uint32_t number, enum sp_tables tables)
{
	const struct sp_domain_config config = { .number = number,
						 .cpu = SP_CPU_NPT,
						 .tables = tables,
						 .table_budget = 600,
						 .cpu_large_pages = 6,
						 .asid = (uint16_t)number };
	struct sp_domain *domain = NULL;

	if (sp_domain_create(machine->host, &config, &domain) != SP_OK)
		machine_complain(machine, "domain %u was not made", number);
	return domain;
}

void machine_enter(struct machine *machine, struct sp_domain *domain, struct sp_entry *entry)
{
	while (sp_cpu_enter(domain, entry) != SP_OK)
		(void)sp_progress(machine->host, SP_STEP_SLOTS);
}

void machine_destroy(struct machine *machine, struct sp_domain *domain)
{
	uint64_t begin = platform_now(machine);
	enum sp_status status = sp_domain_destroy(domain);

	while (status == SP_PENDING && platform_now(machine) - begin < GIVE_UP * 1000000ull) {
		(void)sp_progress(machine->host, SP_STEP_SLOTS);
		platform_relax(machine);
		status = sp_domain_destroy(domain);
	}
	if (status != SP_OK)
		machine_complain(machine, "destroying a domain ended with \"%s\"",
				 sp_status_text(status));
}

static void switch_off(struct machine *machine)
{
	store32(&machine->power, 0);
	for (uint32_t i = 0; i < machine->unit_count; i++)
		unit_join(machine->unit[i]);
}

bool machine_has_complaints(struct machine *machine)
{
	bool any;

	pthread_mutex_lock(&machine->mouth);
	any = machine->complaints != 0;
	pthread_mutex_unlock(&machine->mouth);
	return any;
}

static void check(struct machine *machine)
{
	if (machine->complaints)
		fail_msg("%u complaints, the first: %s", machine->complaints, machine->complaint);
}

static void release(struct machine *machine)
{
	free(machine->page);
	free(machine->frame);
	free(machine->arena);
	free(machine);
}

void machine_free(struct machine *machine)
{
	switch_off(machine);
	check(machine);
	for (uint32_t i = 0; i < MACHINE_FRAMES; i++)
		assert_int_equal(machine->frame[i].mapped, 0);
	assert_int_equal(MACHINE_PAGES - machine->free_count, machine->pages_at_start);
	release(machine);
}

void machine_abandon(struct machine *machine)
{
	switch_off(machine);
	check(machine);
	release(machine);
}

/* ---- threads ---- */

uint64_t random_below(uint64_t *seed, uint64_t limit)
{
	/* xorshift64 */
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return limit ? *seed % limit : 0;
}

bool machine_goes_on(const struct machine *machine)
{
	return !load32(&machine->stop);
}

bool worker_goes_on(const struct worker *worker)
{
	return worker->rounds == 0 || machine_goes_on(worker->machine);
}

static void *begin(void *argument)
{
	struct worker *worker = argument;

	here = (struct here){ .cpu = worker->index };
	worker->run(worker);
	return NULL;
}

void machine_sleep(uint32_t milliseconds)
{
	const struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

bool worker_begin(struct machine *machine, struct worker *worker, uint32_t cpu)
{
	worker->machine = machine;
	worker->index = cpu;
	worker->seed = 0x9e3779b97f4a7c15 * cpu;
	return pthread_create(&worker->thread, NULL, begin, worker) == 0;
}

void machine_run(struct machine *machine, struct worker *workers, uint32_t count,
		 uint32_t milliseconds)
{
	assert_in_range(count, 1, MACHINE_CPUS - 1);
	machine->stop = 0;
	/* The main thread is CPU 0. */
	for (uint32_t i = 0; i < count; i++)
		assert_true(worker_begin(machine, &workers[i], i + 1));
	machine_sleep(milliseconds);
	store32(&machine->stop, 1);
	for (uint32_t i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	check(machine);
	print_message("rounds of %u threads:", count);
	for (uint32_t i = 0; i < count; i++)
		print_message(" %llu", (unsigned long long)workers[i].rounds);
	print_message("\n");
}
