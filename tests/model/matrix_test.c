/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/matrix_test.c - A1.1 for this slice: each change in each mode, judged by R, A and E.
 *
 * Once with caches that keep what was used, once with caches that also look between any two stores
 * of the core and use the oldest entry they have. All of it again with devices that keep translations
 * themselves (ATS), and with an emulator that maps the guest's memory.
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

#define OTHERS 3 /* nobody else; device caches; an emulator */

/* Cell `index` of changes x adversaries x others, in one mode. */
static void fill(struct cell *cell, uint32_t mode, uint32_t index)
{
	static const char *const names[OTHERS] = { "", ", device cache", ", emulator" };
	bool max = index % 2;
	uint32_t others = index / 2 % OTHERS;

	cell->config.mode = &bench_modes[mode];
	cell->config.adversary = max ? MODEL_ADVERSARY_MAX : MODEL_ADVERSARY_NONE;
	cell->config.ats = others == 1;
	cell->config.emulator = others == 2;
	cell->config.outsiders = max ? MODEL_LATE : MODEL_AT_ONCE;
	cell->change = (enum bench_change)(index / (2 * OTHERS));
	snprintf(cell->name, sizeof(cell->name), "%s, %s, %s%s", bench_change_name(cell->change),
		 bench_modes[mode].name, max ? "adversary looks" : "caches keep", names[others]);
}

int main(void)
{
	static struct cell cells[800];
	static struct CMUnitTest tests[800];
	size_t count = 0;

	for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
		for (uint32_t index = 0; index < 2 * OTHERS * BENCH_CHANGE_COUNT;
		     index++, count++) {
			fill(&cells[count], mode, index);
			tests[count] = (struct CMUnitTest){ cells[count].name, the_oracles_agree,
							    NULL, NULL, &cells[count] };
		}
	}
	return _cmocka_run_group_tests("matrix", tests, count, NULL, NULL);
}
