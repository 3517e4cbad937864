/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/report.c - the table for people.
 */
#include <libsmartcols/libsmartcols.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/fill.h"
#include "tests/bench/report.h"

struct figure *row_figure(struct row *row, uint32_t side)
{
	return side ? &row->roof[(side - 1) / COMPILERS][(side - 1) % COMPILERS] : &row->core;
}

static double least(double a, double b)
{
	/* Below 0 is what was not measured. */
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

struct figure row_roof_of(const struct row *row, uint32_t roof)
{
	struct figure best = row->roof[roof][0];

	for (uint32_t i = 1; i < COMPILERS; i++) {
		const struct figure *other = &row->roof[roof][i];

		best.instructions = least(best.instructions, other->instructions);
		if (best.ns >= 0 && other->ns >= best.ns)
			continue;
		best.ns = other->ns;
		best.p10 = other->p10;
	}
	return best;
}

struct figure row_roof(const struct row *row)
{
	return row_roof_of(row, (uint32_t)(row->scenario->roof - 'A'));
}

void row_aim(const struct row *row, char *text, size_t bytes)
{
	if (row->scenario->aim > 0)
		snprintf(text, bytes, "<= %.1f %c", row->scenario->aim, row->scenario->roof);
	else if (row->scenario->aim_ns > 0)
		snprintf(text, bytes, "<= %.2f ns", row->scenario->aim_ns);
	else
		snprintf(text, bytes, "-");
}

double row_ratio(const struct row *row)
{
	double ns = row->core.ns, roof = row_roof(row).ns;

	/* A single detaching store is less than the clock can see. */
	return ns < 0 || roof <= 0 ? -1 : ns / roof;
}

int row_verdict(const struct row *row)
{
	const struct scenario *scenario = row->scenario;
	double ns = row->core.ns;

	if (ns < 0 || (scenario->aim <= 0 && scenario->aim_ns <= 0))
		return -1;
	if (scenario->aim_ns > 0)
		return ns <= scenario->aim_ns;
	return ns <= scenario->aim * row_roof(row).ns;
}

const char *row_path(const struct row *row)
{
	return row->subject->whole_path ? "p2m" : "engine";
}

const char *row_unit(const struct row *row)
{
	static const char *const units[] = {
		[PER_CALL] = "call", [PER_SLOT] = "slot", [PER_TABLE] = "table"
	};

	return units[row->scenario->per];
}

const char *cpu_name(void)
{
	static char name[100] = "unknown";
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "model name : %99[^\n]", name) == 1)
			break;
	if (file)
		fclose(file);
	return name;
}

enum cell_column {
	CELL_WORK,
	CELL_FORMAT,
	CELL_PATH,
	CELL_NS,
	CELL_P10,
	CELL_A,
	CELL_B,
	CELL_C,
	CELL_G,
	CELL_RATIO,
	CELL_AIM,
	CELL_VERDICT,
	CELL_INSTRUCTIONS,
	CELL_ROOF_INSTRUCTIONS,
	CELL_COUNT
};

static void put(struct libscols_line *line, enum cell_column column, const char *text)
{
	(void)scols_line_set_data(line, column, text);
}

/* Three digits that say something; a dash for what was not measured. */
static void put_number(struct libscols_line *line, enum cell_column column, double value)
{
	char text[32] = "-";

	if (value >= 0)
		snprintf(text, sizeof(text), "%.*f", value < 1 ? 3 : value < 100 ? 1 : 0, value);
	put(line, column, text);
}

static void fill_line(struct libscols_line *line, const struct row *row)
{
	static const char *const verdicts[] = { "-", "MISSED", "reached" };
	char aim[32], work[80];

	snprintf(work, sizeof(work), "%s (%s)", row->scenario->name, row_unit(row));
	row_aim(row, aim, sizeof(aim));
	put(line, CELL_WORK, work);
	put(line, CELL_FORMAT, row->subject->name);
	put(line, CELL_PATH, row_path(row));
	put_number(line, CELL_NS, row->core.ns);
	put_number(line, CELL_P10, row->core.p10);
	for (uint32_t i = 0; i < ROOFS; i++)
		put_number(line, (enum cell_column)(CELL_A + i), row_roof_of(row, i).ns);
	put_number(line, CELL_RATIO, row_ratio(row));
	put(line, CELL_AIM, aim);
	put(line, CELL_VERDICT, verdicts[row_verdict(row) + 1]);
	put_number(line, CELL_INSTRUCTIONS, row->core.instructions);
	put_number(line, CELL_ROOF_INSTRUCTIONS, row_roof(row).instructions);
}

static bool add_columns(struct libscols_table *table)
{
	static const char *const names[CELL_COUNT] = {
		"work (per)", "format", "path",	 "ns",	"p10",	   "A",	    "B",
		"C",	      "G",	"ratio", "aim", "verdict", "instr", "roof instr",
	};

	for (uint32_t i = 0; i < CELL_COUNT; i++) {
		bool is_text = i <= CELL_PATH || i == CELL_AIM || i == CELL_VERDICT;

		if (!scols_table_new_column(table, names[i], 0, is_text ? 0 : SCOLS_FL_RIGHT))
			return false;
	}
	return true;
}

static void print_memory(const struct row *rows, uint32_t count, FILE *output)
{
	for (uint32_t i = 0; i < count; i++)
		if (rows[i].bytes_a_gib >= 0)
			fprintf(output, "tables of 1 GiB as 4K, %s, %s: %.0f bytes\n",
				rows[i].subject->name, row_path(&rows[i]), rows[i].bytes_a_gib);
}

static void print_verdicts(const struct row *rows, uint32_t count, FILE *output)
{
	uint32_t reached = 0, missed = 0;

	for (uint32_t i = 0; i < count; i++) {
		int verdict = row_verdict(&rows[i]);

		reached += verdict == 1;
		missed += verdict == 0;
	}
	fprintf(output, "%u rows reach their aim, %u miss it, %u have none\n", reached, missed,
		count - reached - missed);
}

void report_table(const struct row *rows, uint32_t count, FILE *output)
{
	struct libscols_table *table = scols_new_table();

	if (!table || !add_columns(table))
		bench_fail("no memory for the report");
	scols_table_set_stream(table, output);
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	for (uint32_t i = 0; i < count; i++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		if (!line)
			bench_fail("no memory for the report");
		fill_line(line, &rows[i]);
	}
	if (scols_print_table(table) != 0)
		bench_fail("the report cannot be written");
	scols_unref_table(table);
	fprintf(output,
		"\n%s; ns are medians, p10 the least disturbed; A, B, C are rooflines with stores "
		"of %s bytes, G is one\nwith stores of 8, as the core's are; ratio: to the one of the aim.\n",
		cpu_name(), fill_width());
	print_verdicts(rows, count, output);
	print_memory(rows, count, output);
}
