/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/change_fixture.c - the platform of the tests of sync/ and p2m/.
 */
#include "change_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"

/* Each access of the core to shared memory comes by here; tests look in between. */
struct fixture_looks fixture_looks;

void model_before_load(const void *from, uint32_t bytes)
{
	(void)bytes;
	if (fixture_looks.before_load)
		fixture_looks.before_load(from);
}

void model_before_store(const void *to, uint32_t bytes)
{
	(void)bytes;
	if (fixture_looks.before_store)
		fixture_looks.before_store(to);
}

void model_after_past_cache(const void *to)
{
	(void)to;
}

void model_at_past_cache_barrier(void) {}
uint64_t model_after_load(const void *from, uint32_t bytes, uint64_t value)
{
	(void)from;
	(void)bytes;
	return value;
}

/* x86: as a full barrier. */
void model_at_locked(const void *at)
{
	(void)at;
	model_at_barrier(true);
}

void model_at_barrier(bool full)
{
	if (full && fixture_looks.at_full_barrier)
		fixture_looks.at_full_barrier();
}

#define PAGE_MFN FIXTURE_MFN

enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	struct fixture *fixture = embedder;

	(void)node;
	assert_int_equal(order, 0);
	if (++fixture->takes == fixture->refuse_take)
		return SP_NO_MEMORY;
	for (uint32_t i = 0; i < FIXTURE_PAGES; i++) {
		if (fixture->page_used[i])
			continue;
		fixture->page_used[i] = true;
		fixture->pages_used++;
		memset(fixture->page[i], 0xff, sizeof(fixture->page[i])); /* dirty on purpose */
		first->mfn = PAGE_MFN + i;
		return SP_OK;
	}
	return SP_NO_MEMORY;
}

void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order)
{
	struct fixture *fixture = embedder;

	assert_int_equal(order, 0);
	assert_true(fixture->page_used[first.mfn - PAGE_MFN]);
	fixture->page_used[first.mfn - PAGE_MFN] = false;
	fixture->pages_used--;
	memset(fixture->page[first.mfn - PAGE_MFN], 0xee, sizeof(fixture->page[0]));
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	struct fixture *fixture = embedder;

	assert_in_range(frame.mfn, PAGE_MFN, PAGE_MFN + FIXTURE_PAGES - 1);
	assert_true(fixture->page_used[frame.mfn - PAGE_MFN]);
	return fixture->page[frame.mfn - PAGE_MFN];
}

uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes)
{
	(void)embedder;
	(void)bytes;
	fail_msg("register read at %#llx", (unsigned long long)address.maddr);
	return 0;
}

void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	(void)embedder;
	(void)bytes;
	(void)value;
	fail_msg("register write at %#llx", (unsigned long long)address.maddr);
}

uint32_t platform_config_read(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes)
{
	(void)embedder;
	(void)function;
	(void)offset;
	(void)bytes;
	return UINT32_MAX;
}

void platform_config_write(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes,
			   uint32_t value)
{
	(void)embedder;
	(void)function;
	(void)offset;
	(void)bytes;
	(void)value;
}

void platform_write_back(void *embedder, const void *first, size_t bytes)
{
	(void)embedder;
	(void)first;
	(void)bytes;
}

void platform_kick(void *embedder, const struct sp_cpu_set *cpus)
{
	struct fixture *fixture = embedder;

	fixture->kicks++;
	fixture->kicked = *cpus;
}

uint64_t platform_now(void *embedder)
{
	struct fixture *fixture = embedder;

	return fixture->now += 100;
}

uint32_t platform_self(void *embedder)
{
	return ((struct fixture *)embedder)->self;
}

void platform_relax(void *embedder)
{
	struct fixture *fixture = embedder;

	if (fixture->meanwhile)
		fixture->meanwhile(fixture);
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	struct fixture *fixture = embedder;

	(void)level;
	snprintf(fixture->log, sizeof(fixture->log), "%s", line);
}

void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	struct fixture *fixture = embedder;

	assert_in_range(fixture->run_count, 0, FIXTURE_RUNS - 1);
	fixture->run[fixture->run_count++] = *run;
	fixture->frames_forgotten += run->count;
}

void platform_lost(void *embedder, const struct sp_lost *lost)
{
	(void)embedder;
	(void)lost;
}

void platform_panic(void *embedder, const char *line)
{
	(void)embedder;
	fprintf(stderr, "panic: %s\n", line);
	abort();
}

/* ---- units that answer when told to ---- */

static enum sp_status unit_post(struct observer *observer, const struct command *commands,
				uint32_t count, uint64_t *number)
{
	struct fixture_unit *unit = (struct fixture_unit *)observer;

	if (unit->full)
		return SP_BUSY;
	for (uint32_t i = 0; i < count; i++)
		if (unit->command_count < FIXTURE_COMMANDS)
			unit->command[unit->command_count++] = commands[i];
	unit->posts++;
	*number = ++unit->asked;
	return SP_OK;
}

static bool unit_has_reached(struct observer *observer, uint64_t number)
{
	return ((struct fixture_unit *)observer)->reached >= number;
}

static const struct observer_ops unit_ops = { unit_post, unit_has_reached };

static void add_unit(struct fixture *fixture, uint32_t index, struct map *map,
		     enum observer_column column)
{
	struct fixture_unit *unit = &fixture->unit[index];
	struct watch *watch;

	unit->observer =
		(struct observer){ .ops = &unit_ops, .column = column, .widest_order = 18 };
	domain_take(fixture->domain);
	watch = ledger_add_watch(fixture->domain, &unit->observer, map, (uint16_t)(7 + index));
	domain_drop(fixture->domain);
	assert_non_null(watch);
	watch->users = 1;
}

struct fixture *fixture_make(enum sp_tables tables, uint32_t units, enum observer_column column)
{
	struct fixture *fixture = aligned_alloc(4096, (sizeof(*fixture) + 4095) / 4096 * 4096);
	const struct sp_limits limits = { .cpus = FIXTURE_CPUS, .domains = 2, .functions = 2 };
	const struct sp_domain_config config = { .number = 1,
						 .cpu = SP_CPU_NPT,
						 .tables = tables,
						 .table_budget = 400,
						 .cpu_large_pages = 6,
						 .asid = 1 };
	size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;
	struct map *map;

	memset(fixture, 0, sizeof(*fixture));
	fixture->arena = aligned_alloc(64, bytes);
	fixture->host = sp_host_create(fixture->arena, bytes, &limits, fixture);
	assert_non_null(fixture->host);
	assert_int_equal(sp_domain_create(fixture->host, &config, &fixture->domain), SP_OK);
	map = &fixture->domain->maps[0];
	if (tables == SP_TABLES_SEPARATE && units) {
		map = &fixture->domain->maps[1];
		assert_int_equal(domain_add_map(fixture->domain, 1, &format_amdvi, 4, 7, false),
				 SP_OK);
	}
	for (uint32_t i = 0; i < units; i++)
		add_unit(fixture, i, map, column);
	return fixture;
}

static void finish(struct fixture *fixture)
{
	enum sp_status status = SP_PENDING;

	fixture->unit[0].full = fixture->unit[1].full = false;
	for (uint32_t i = CPU_WATCH + 1; i <= MAX_UNITS; i++)
		fixture->domain->watches[i].users = 0;
	for (uint32_t i = 0; i < 100000 && status == SP_PENDING; i++) {
		fixture_answer(fixture);
		fixture->run_count = 0;
		status = sp_domain_destroy(fixture->domain);
	}
	assert_int_equal(status, SP_OK);
	assert_int_equal(fixture->pages_used, 0);
}

void fixture_free(struct fixture *fixture)
{
	finish(fixture);
	free(fixture->arena);
	free(fixture);
}

void fixture_answer(struct fixture *fixture)
{
	for (uint32_t i = 0; i < 2; i++)
		fixture->unit[i].reached = fixture->unit[i].asked;
}

void fixture_settle(struct fixture *fixture)
{
	do {
		fixture_answer(fixture);
	} while (sp_progress(fixture->host, 100000) != UINT64_MAX);
}

void fixture_map(struct fixture *fixture, uint64_t gfn, uint64_t mfn, uint64_t count,
		 enum sp_type type)
{
	while (count) {
		struct sp_result result;
		enum sp_status status = sp_p2m_map(fixture->domain, (sp_gfn_t){ gfn },
						   (sp_mfn_t){ mfn }, count, type, &result);

		if (status == SP_BUSY)
			fixture_settle(fixture);
		else
			assert_int_equal(status, SP_OK);
		gfn += result.done;
		mfn += result.done;
		count -= result.done;
	}
	fixture_settle(fixture);
}

void fixture_unmap(struct fixture *fixture, uint64_t gfn, uint64_t count)
{
	while (count) {
		struct sp_result result;
		enum sp_status status =
			sp_p2m_unmap(fixture->domain, (sp_gfn_t){ gfn }, count, &result);

		if (status == SP_BUSY)
			fixture_settle(fixture);
		else
			assert_int_equal(status, SP_OK);
		gfn += result.done;
		count -= result.done;
	}
}

void fixture_forget_commands(struct fixture *fixture)
{
	for (uint32_t i = 0; i < 2; i++) {
		fixture->unit[i].command_count = 0;
		fixture->unit[i].posts = 0;
	}
	fixture->kicks = 0;
}

uint64_t fixture_came_back(const struct fixture *fixture, uint64_t mfn, uint64_t count)
{
	uint64_t frames = 0;

	for (uint32_t i = 0; i < fixture->run_count; i++) {
		uint64_t first = max_u64(fixture->run[i].first.mfn, mfn);
		uint64_t end =
			min_u64(fixture->run[i].first.mfn + fixture->run[i].count, mfn + count);

		frames += first < end ? end - first : 0;
	}
	return frames;
}
