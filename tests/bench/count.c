/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/count.c - begins and ends callgrind's counting, and reads its dumps.
 *
 *   desc: Trigger: Client Request: bench 17 0     row 17, side 0
 *   ...
 *   totals: 1234
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
/* Without valgrind's header nothing is counted, and the report says so. */
#define RUNNING_ON_VALGRIND		 0
#define CALLGRIND_START_INSTRUMENTATION	 ((void)0)
#define CALLGRIND_STOP_INSTRUMENTATION	 ((void)0)
#define CALLGRIND_ZERO_STATS		 ((void)0)
#define CALLGRIND_DUMP_STATS_AT(message) ((void)(message))
#endif

#include "tests/bench/count.h"

#define TRIGGER "desc: Trigger: Client Request: bench "
#define NOTHING ROW_MAX

bool count_is_possible(void)
{
	return RUNNING_ON_VALGRIND != 0;
}

static void do_nothing(const struct stage *stage, struct side *side)
{
	(void)stage;
	(void)side;
}

/* The same call for all, so that what it costs itself can be taken off. */
static void count(void (*work)(const struct stage *, struct side *), const struct stage *stage,
		  struct side *side, const char *name)
{
	CALLGRIND_START_INSTRUMENTATION;
	CALLGRIND_ZERO_STATS;
	work(stage, side);
	CALLGRIND_DUMP_STATS_AT(name);
	CALLGRIND_STOP_INSTRUMENTATION;
}

void count_stage(const struct stage *stage, uint32_t row, uint32_t side)
{
	char name[40];

	snprintf(name, sizeof(name), "bench %u %u", row, side);
	count(stage_timed, stage, stage->side[side], name);
}

void count_nothing(void)
{
	char name[40];

	snprintf(name, sizeof(name), "bench %u 0", NOTHING);
	count(do_nothing, NULL, NULL, name);
}

static bool read_dump(const char *path, unsigned int *row, unsigned int *side, double *total)
{
	FILE *file = fopen(path, "r");
	bool is_named = false, has_total = false;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, TRIGGER, strlen(TRIGGER)) == 0)
			is_named = sscanf(line + strlen(TRIGGER), "%u %u", row, side) == 2;
		has_total |= sscanf(line, "totals: %lf", total) == 1;
	}
	if (file)
		fclose(file);
	return is_named && has_total && *row <= NOTHING && *side < SIDES;
}

static double find_nothing(const glob_t *found)
{
	for (size_t i = 0; i < found->gl_pathc; i++) {
		unsigned int row, side;
		double total;

		if (read_dump(found->gl_pathv[i], &row, &side, &total) && row == NOTHING)
			return total;
	}
	return 0;
}

bool count_read(const char *dumps, struct row *rows, uint32_t count, const double *units)
{
	char pattern[512];
	bool any = false;
	double nothing;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s.*", dumps);
	if (glob(pattern, 0, NULL, &found) != 0)
		return false;
	nothing = find_nothing(&found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		unsigned int row, side;
		double total;

		if (!read_dump(found.gl_pathv[i], &row, &side, &total) || row >= count)
			continue;
		row_figure(&rows[row], side)->instructions = (total - nothing) / units[row];
		any = true;
	}
	globfree(&found);
	return any;
}
