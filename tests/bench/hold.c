/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/hold.c - instruction counts against a table that is committed.
 *
 *   count <= table + 10 %            passes
 *   count >  table + 10 %            fails: it became slower
 *   count <  table - 10 %            passes, and asks for a new table: else what was won could be
 *                                    lost again unseen
 *
 * Counts belong to a compiler: the table names the one that it was made with.
 */
#include <string.h>

#include "tests/bench/report.h"

#define SLACK 0.10

enum verdict {
	VERDICT_SLOWER,
	VERDICT_HELD,
	VERDICT_FASTER
};

/* Caches and sizes make no difference to a count: those rows would say it twice. */
bool row_is_held(const struct scenario *scenario, const struct subject *subject)
{
	if (scenario->cold || scenario->count > GIB)
		return false;
	return subject->held || (scenario->write_back && subject->shape[0]->format == &format_vtd);
}

static enum verdict judge(double held, double now)
{
	if (now > held * (1 + SLACK))
		return VERDICT_SLOWER;
	return now < held * (1 - SLACK) ? VERDICT_FASTER : VERDICT_HELD;
}

static void name_row(const struct row *row, char *name, size_t bytes)
{
	snprintf(name, bytes, "%s | %s | %s", row->scenario->name, row->subject->name,
		 row_path(row));
}

/* Below 0 where the table has no such row. */
static double find_held(FILE *table, const struct row *row)
{
	char line[256], name[128], wanted[128];
	double held;

	name_row(row, wanted, sizeof(wanted));
	rewind(table);
	while (fgets(line, sizeof(line), table))
		if (sscanf(line, "%lf | %127[^\n]", &held, name) == 2 && strcmp(name, wanted) == 0)
			return held;
	return -1;
}

void hold_write(const struct row *rows, uint32_t count, FILE *output)
{
	fprintf(output,
		"# SPDX-License-Identifier: BSD-2-Clause\n"
		"#\n"
		"# tests/bench/counts - instructions a unit, as `make counts` left them; tests/bench/hold.c.\n"
		"# Compiler: %s\n"
		"#\n"
		"# instructions | work | format | path\n\n",
		__VERSION__);
	for (uint32_t i = 0; i < count; i++) {
		char name[128];

		if (!row_is_held(rows[i].scenario, rows[i].subject))
			continue;
		if (rows[i].core.instructions < 0)
			bench_fail("no instruction count of %s: is valgrind installed?",
				   rows[i].scenario->name);
		name_row(&rows[i], name, sizeof(name));
		fprintf(output, "%.10g | %s\n", rows[i].core.instructions, name);
	}
}

static bool hold_row(FILE *table, const struct row *row, FILE *output)
{
	double held = find_held(table, row), now = row->core.instructions;
	enum verdict verdict = held < 0 || now < 0 ? VERDICT_SLOWER : judge(held, now);
	char name[128];

	name_row(row, name, sizeof(name));
	fprintf(output, "%s - %s: %.6g instructions a %s, the table says %.6g\n",
		verdict == VERDICT_SLOWER ? "not ok" : "ok", name, now, row_unit(row), held);
	if (held < 0)
		fputs("# not in the table: `make counts`, and commit it\n", output);
	if (verdict == VERDICT_FASTER)
		fprintf(output, "# %s fell by %.0f %%: `make counts`, and commit it\n", name,
			(1 - now / held) * 100);
	return verdict != VERDICT_SLOWER;
}

/* The control: each count an eighth above its table must be noticed, and a twentieth not. */
static bool control(const struct row *rows, uint32_t count, FILE *output)
{
	bool noticed = true;

	for (uint32_t i = 0; i < count; i++) {
		double now = rows[i].core.instructions;

		if (now > 0)
			noticed &= judge(now, now * 1.125) == VERDICT_SLOWER &&
				   judge(now, now * 1.05) == VERDICT_HELD;
	}
	fprintf(output, "%s - every count an eighth above its table is noticed\n",
		noticed ? "ok" : "not ok");
	return noticed;
}

static void compare_compilers(FILE *table, FILE *output)
{
	char line[256], compiler[128];

	rewind(table);
	while (fgets(line, sizeof(line), table))
		if (sscanf(line, "# Compiler: %127[^\n]", compiler) == 1 &&
		    strcmp(compiler, __VERSION__) != 0)
			fprintf(output, "# counted with compiler %s, the table with %s\n",
				__VERSION__, compiler);
}

bool hold_check(const struct row *rows, uint32_t count, const char *path, FILE *output)
{
	FILE *table = fopen(path, "r");
	uint32_t held = 0;
	bool all = true;

	if (!table)
		bench_fail("%s cannot be read", path);
	compare_compilers(table, output);
	for (uint32_t i = 0; i < count; i++) {
		if (!row_is_held(rows[i].scenario, rows[i].subject))
			continue;
		held++;
		all &= hold_row(table, &rows[i], output);
	}
	all &= control(rows, count, output);
	fprintf(output, "1..%u\n", held + 1);
	fclose(table);
	return all;
}
