/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/main.c - runs every scenario on every subject, the core and the rooflines in turn.
 *
 *   bench count               under callgrind: one operation of each, a dump for each figure
 *   bench count held          ... of what make check holds, without the rooflines
 *   bench report DUMPS JSON   measures time, adds the counts, prints the table, writes JSON
 *   bench counted DUMPS JSON  the counts alone
 *   bench join JSON SVG PART...  one report of several, and its picture
 *   bench compare BASE NOW    tells what became slower, by instructions
 *   bench hold TABLE DUMPS    the counts against a table, as TAP
 *   bench table DUMPS         such a table
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/count.h"

#define ROUNDS_MAX 64

enum mode {
	MODE_TIME,
	MODE_COUNT,
	MODE_HOLD, /* the core's counts of what is held */
	MODE_LIST  /* neither: the rows and their units */
};

struct bench {
	struct side *engine, *p2m, *roof[ROOFS * COMPILERS];
	struct row rows[ROW_MAX];
	double units[ROW_MAX]; /* of the counted stage */
	uint32_t count;
};

void bench_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

/* Of this thread alone: what others do on the machine is seen in the caches only. */
static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static double percentile(double *values, uint32_t count, uint32_t percent)
{
	qsort(values, count, sizeof(*values), compare_doubles);
	return values[(count - 1) * percent / 100];
}

/* What a look at the clock costs. */
static double clock_price(void)
{
	double price[ROUNDS_MAX];

	for (uint32_t i = 0; i < ROUNDS_MAX; i++) {
		price[i] = now();
		price[i] = now() - price[i];
	}
	return percentile(price, ROUNDS_MAX, 50);
}

static double time_once(const struct stage *stage, struct side *side, double price)
{
	double begin, ns;

	stage_before(stage, side);
	begin = now();
	stage_timed(stage, side);
	ns = now() - begin - price;
	return (ns > 0 ? ns : 0) / stage_units(stage);
}

/* After a destroy nothing is there to close. */
static void tidy(const struct stage *stage, struct side *side)
{
	if (stage->scenario->work == WORK_CLOSE) {
		arena_rewind(&side->arena);
		side->ops->open(side);
	} else {
		stage_after(stage, side);
	}
}

/* The first round is not measured: it brings the pages and checks the tables. */
static void check_once(const struct stage *stage)
{
	for (uint32_t i = 0; i < SIDES; i++)
		(void)time_once(stage, stage->side[i], 0);
	stage_check(stage);
	for (uint32_t i = 0; i < SIDES; i++)
		tidy(stage, stage->side[i]);
}

static void time_rounds(struct stage *stage, struct row *row)
{
	double ns[SIDES][ROUNDS_MAX], price = clock_price();
	uint32_t rounds = stage->scenario->rounds;

	check_once(stage);
	for (uint32_t round = 0; round < rounds; round++) {
		for (uint32_t turn = 0; turn < SIDES; turn++) {
			uint32_t i = (round + turn) % SIDES;

			ns[i][round] = time_once(stage, stage->side[i], price);
			tidy(stage, stage->side[i]);
		}
	}
	for (uint32_t i = 0; i < SIDES; i++) {
		row_figure(row, i)->ns = percentile(ns[i], rounds, 50);
		row_figure(row, i)->p10 = percentile(ns[i], rounds, 10);
	}
}

static void count_sides(const struct stage *stage, uint32_t row, uint32_t sides)
{
	for (uint32_t i = 0; i < sides; i++) {
		stage_before(stage, stage->side[i]);
		count_stage(stage, row, i);
		tidy(stage, stage->side[i]);
	}
}

static double table_bytes(const struct stage *stage)
{
	struct side *core = stage->side[0];
	uint32_t before = core->arena.used;
	double bytes;

	core->ops->map(core, &stage->places);
	/* The root is not in it. */
	bytes = (double)(core->arena.used - before) * SP_FRAME_BYTES;
	stage_after(stage, core);
	return bytes;
}

static void run_row(struct bench *bench, const struct scenario *scenario,
		    const struct subject *subject, enum mode mode)
{
	struct row *row = &bench->rows[bench->count];
	struct stage stage = { .scenario = scenario, .subject = subject };
	bool wants_memory = scenario->work == WORK_MAP && scenario->world == WORLD_EMPTY &&
			    scenario->count == GIB && !scenario->cold && !scenario->write_back;

	stage.side[0] = subject->whole_path ? bench->p2m : bench->engine;
	for (uint32_t i = 1; i < SIDES; i++)
		stage.side[i] = bench->roof[i - 1];
	*row = (struct row){ .scenario = scenario, .subject = subject, .bytes_a_gib = -1 };
	for (uint32_t i = 0; i < SIDES; i++)
		*row_figure(row, i) = (struct figure){ -1, -1, -1 };
	bench->units[bench->count] = scenario_units(scenario, subject);
	if (mode == MODE_LIST || (mode == MODE_HOLD && !row_is_held(scenario, subject))) {
		bench->count++;
		return;
	}
	stage_begin(&stage, mode != MODE_TIME);
	if (mode == MODE_TIME)
		time_rounds(&stage, row);
	else
		count_sides(&stage, bench->count, mode == MODE_HOLD ? 1 : SIDES);
	if (mode == MODE_TIME && wants_memory)
		row->bytes_a_gib = table_bytes(&stage);
	stage_end(&stage);
	bench->count++;
}

static struct bench *run(enum mode mode)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench)
		bench_fail("no memory");
	if (mode != MODE_LIST) {
		bench->engine = engine_side();
		bench->p2m = p2m_side();
		for (uint32_t i = 0; i < ROOFS; i++) {
			bench->roof[COMPILERS * i] = roof_side_gcc(ROOF_KINDS[i]);
			bench->roof[COMPILERS * i + 1] = roof_side_clang(ROOF_KINDS[i]);
		}
	}
	for (uint32_t i = 0; i < SCENARIO_COUNT; i++) {
		if (mode == MODE_TIME)
			fprintf(stderr, "bench: %s\n", scenarios[i].name);
		for (uint32_t j = 0; j < SUBJECT_COUNT; j++)
			if (scenario_is_for(&scenarios[i], &subjects[j]))
				run_row(bench, &scenarios[i], &subjects[j], mode);
	}
	return bench;
}

static int report(const char *dumps, const char *json, enum mode mode)
{
	struct bench *bench = run(mode);

	if (!count_read(dumps, bench->rows, bench->count, bench->units))
		fputs("bench: instructions were not counted: install valgrind\n", stderr);
	if (mode == MODE_TIME)
		report_table(bench->rows, bench->count, stdout);
	report_json(bench->rows, bench->count, json);
	free(bench);
	return 0;
}

static int hold(const char *table, const char *dumps)
{
	struct bench *bench = run(MODE_LIST);
	bool held = true;

	(void)count_read(dumps, bench->rows, bench->count, bench->units);
	if (table)
		held = hold_check(bench->rows, bench->count, table, stdout);
	else
		hold_write(bench->rows, bench->count, stdout);
	free(bench);
	return held ? 0 : 1;
}

static int count_all(enum mode mode)
{
	if (!count_is_possible())
		bench_fail("count is for valgrind --tool=callgrind --instr-atstart=no");
	count_nothing();
	free(run(mode));
	return 0;
}

int main(int count, char **words)
{
	const char *what = count > 1 ? words[1] : "";

	if (count == 2 && strcmp(what, "count") == 0)
		return count_all(MODE_COUNT);
	if (count == 3 && strcmp(what, "count") == 0 && strcmp(words[2], "held") == 0)
		return count_all(MODE_HOLD);
	if (count == 4 && strcmp(what, "report") == 0)
		return report(words[2], words[3], MODE_TIME);
	if (count == 4 && strcmp(what, "counted") == 0)
		return report(words[2], words[3], MODE_LIST);
	if (count > 4 && strcmp(what, "join") == 0) {
		report_join(words[2], words[3], &words[4], (uint32_t)count - 4);
		return 0;
	}
	if (count == 4 && strcmp(what, "compare") == 0)
		return report_compare(words[2], words[3], stdout) ? 0 : 1;
	if (count == 4 && strcmp(what, "hold") == 0)
		return hold(words[2], words[3]);
	if (count == 3 && strcmp(what, "table") == 0)
		return hold(NULL, words[2]);
	fputs("usage: bench count [held] | report DUMPS JSON | counted DUMPS JSON | compare BASE NOW |\n"
	      "       join JSON SVG PART... | hold TABLE DUMPS | table DUMPS\n",
	      stderr);
	return 2;
}
