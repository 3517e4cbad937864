/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/matrix_test.c - A1.1: each change in each mode, judged by R, A and E.
 *
 * Once with caches that keep what was used, once with caches that also look between any two stores
 * of the core and use the oldest entry they have. All of it again with devices that keep translations
 * themselves (ATS), with an emulator that maps the guest's memory, with a second unit that must be
 * told (A1.15) and one that must not, and with units that cannot say in pages what is owed (note n2).
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct cell {
	struct bench_config config;
	enum bench_change change;
	char name[160];
};

static void the_oracles_agree(void **state)
{
	const struct cell *cell = *state;
	struct bench *bench = bench_make(&cell->config);
	const char *complaint = bench_run(bench, cell->change);

	if (complaint)
		print_message("%s\n", complaint);
	assert_null(complaint);
	bench_free(bench);
}

/* What else differs from a plain machine. */
enum variant {
	PLAIN,
	DEVICE_CACHE,
	EMULATOR,
	TWO_UNITS,
	IDLE_UNIT,
	NARROW, /* note n2 */
	NO_PAGES,
	VARIANT_COUNT
};

static const char *const variant_names[] = {
	[PLAIN] = "",
	[DEVICE_CACHE] = ", device cache",
	[EMULATOR] = ", emulator",
	[TWO_UNITS] = ", two units",
	[IDLE_UNIT] = ", a unit of others",
	[NARROW] = ", no mask beyond 2M",
	[NO_PAGES] = ", no pages",
};

static bool fill(struct cell *cell, const struct bench_mode *mode, enum bench_change change,
		 enum variant variant, bool max)
{
	cell->config = (struct bench_config){
		.mode = mode,
		.adversary = max ? MODEL_ADVERSARY_MAX : MODEL_ADVERSARY_NONE,
		.ats = variant == DEVICE_CACHE,
		.emulator = variant == EMULATOR,
		.outsiders = max ? MODEL_LATE : MODEL_AT_ONCE,
		.two_units = variant == TWO_UNITS,
		.idle_unit = variant == IDLE_UNIT,
		.unit.max_mask = variant == NARROW ? 9 : 0,
		.unit.no_psi = variant == NO_PAGES,
	};
	cell->change = change;
	snprintf(cell->name, sizeof(cell->name), "%s, %s, %s%s", bench_change_name(change),
		 mode->name, max ? "adversary looks" : "caches keep", variant_names[variant]);
	if ((variant == NARROW || variant == NO_PAGES) && mode->vendor != MODEL_VTD)
		return false;
	return bench_has(&cell->config, change);
}

/*
 * With caches that only keep what was used the machines are few; so they are for what happens to a
 * whole large page as it does to a small one.
 */
static bool is_wanted(enum bench_change change, enum variant variant, bool max)
{
	if (change > BENCH_MERGE_HUGE)
		return max && variant <= EMULATOR;
	return max || variant <= DEVICE_CACHE;
}

static size_t fill_mode(struct cell *cells, const struct bench_mode *mode)
{
	size_t count = 0;

	for (uint32_t i = 0; i < BENCH_CHANGE_COUNT * VARIANT_COUNT * 2; i++) {
		enum bench_change change = (enum bench_change)(i / 2 / VARIANT_COUNT);
		enum variant variant = (enum variant)(i / 2 % VARIANT_COUNT);
		bool max = i % 2;

		if (is_wanted(change, variant, max))
			count += fill(&cells[count], mode, change, variant, max);
	}
	return count;
}

int main(void)
{
	static struct cell cells[4000];
	static struct CMUnitTest tests[4000];
	size_t count = 0;

	for (uint32_t mode = 0; mode < bench_mode_count; mode++)
		count += fill_mode(&cells[count], &bench_modes[mode]);
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){ cells[i].name, the_oracles_agree, NULL, NULL,
						&cells[i] };
	return _cmocka_run_group_tests("matrix", tests, count, NULL, NULL);
}
