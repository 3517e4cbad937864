/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/summary.c - what parts have left in OUT/PART.json, as one table.
 *
 * The matrix and `two` write "rows" with a "result", all others "steps" that are "good".
 */
#include "summary.h"

#include <libsmartcols/libsmartcols.h>
#include <string.h>

enum column {
	COLUMN_PART,
	COLUMN_MACHINE,
	COLUMN_ROWS,
	COLUMN_SEEN,
	COLUMN_SECONDS,
	COLUMN_WHAT
};

/*
 * The row of a part that says most, counted from 1, or by its name where there may be more one day; of the
 * others the first.
 */
static const struct {
	const char *part;
	size_t row;
	const char *name;
} telling[] = {
	{ "matrix", 9, NULL },	{ "nic", 3, NULL },
	{ "move", 2, NULL },	{ "two", 20, NULL },
	{ "smp", 3, NULL },	{ "linux", 0, "verify proves that an edu is contained" },
	{ "balloon", 2, NULL }, { "boot", 5, NULL },
	{ "dpdk", 4, NULL },	{ "change", 6, NULL },
	{ "disk", 2, NULL },	{ "display", 4, NULL },
	{ "serve", 4, NULL },	{ "typing", 2, NULL },
	{ "vf", 4, NULL },	{ "patch", 2, NULL },
};

static bool is_telling(const json_t *rows, size_t n, size_t row, const char *name)
{
	const char *step = json_string_value(json_object_get(json_array_get(rows, n), "step"));

	return name ? step && strcmp(step, name) == 0 : n + 1 == row;
}

static const json_t *telling_row(const json_t *rows, const char *part)
{
	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++)
		for (size_t n = 0; n < json_array_size(rows); n++)
			if (strcmp(telling[i].part, part) == 0 &&
			    is_telling(rows, n, telling[i].row, telling[i].name))
				return json_array_get(rows, n);
	return json_array_get(rows, 0);
}

static bool is_bad(const json_t *row)
{
	const char *result = json_string_value(json_object_get(row, "result"));

	if (!result)
		return !json_is_true(json_object_get(row, "good"));
	return strcmp(result, "contained") != 0 && strcmp(result, "arrives") != 0 &&
	       strcmp(result, "unobservable") != 0;
}

static bool is_unseen(const json_t *row)
{
	const char *result = json_string_value(json_object_get(row, "result"));

	return json_is_false(json_object_get(row, "observable")) ||
	       (result && strcmp(result, "unobservable") == 0);
}

bool summary_read(const json_t *file, const char *part, size_t n, char *machine, size_t size,
		  struct summary_line *line)
{
	const json_t *of = json_array_get(json_object_get(file, "machines"), n);
	const json_t *rows = json_object_get(of, "steps"), *row;
	const char *name = json_string_value(json_object_get(of, "name")), *what;
	size_t i;

	*line = (struct summary_line){
		.seconds = json_number_value(json_object_get(of, "seconds")),
	};
	if (!rows)
		rows = json_object_get(of, "rows");
	if (!name || !rows)
		return false;
	json_array_foreach(rows, i, row)
	{
		line->rows++;
		line->bad += is_bad(row);
		line->seen += !is_bad(row) && !is_unseen(row);
	}
	what = json_string_value(json_object_get(telling_row(rows, part), "evidence"));
	snprintf(line->what, sizeof(line->what), "%s", what ? what : "");
	snprintf(machine, size, "%s", name);
	return true;
}

/* A colour says nothing that a number does not say too. */
static void add_line(struct libscols_table *table, const char *part, const char *machine,
		     const struct summary_line *summary)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char number[32];

	scols_line_set_data(line, COLUMN_PART, part);
	scols_line_set_data(line, COLUMN_MACHINE, machine);
	snprintf(number, sizeof(number), "%u", summary->rows);
	scols_line_set_data(line, COLUMN_ROWS, number);
	snprintf(number, sizeof(number), "%u", summary->seen);
	scols_line_set_data(line, COLUMN_SEEN, number);
	if (summary->bad)
		scols_cell_set_color(scols_line_get_cell(line, COLUMN_SEEN), "red");
	snprintf(number, sizeof(number), "%.0f", summary->seconds);
	scols_line_set_data(line, COLUMN_SECONDS, summary->seconds > 0 ? number : "-");
	scols_line_set_data(line, COLUMN_WHAT, summary->what);
}

static struct libscols_table *new_table(const struct terminal *terminal, FILE *output)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return NULL;
	scols_table_enable_colors(table, terminal->has_colour);
	scols_table_set_stream(table, output);
	if (!terminal->is_terminal)
		scols_table_set_termwidth(table, 120);
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_new_column(table, "PART", 0, 0);
	scols_table_new_column(table, "MACHINE", 0, 0);
	scols_table_new_column(table, "ROWS", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "SEEN", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "SECONDS", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "WHAT", 0, SCOLS_FL_TRUNC);
	return table;
}

/* How many rows are bad, or (unsigned) -1. */
static unsigned int add_part(struct libscols_table *table, const char *out, const char *part)
{
	char path[PATH_SIZE], machine[64];
	struct summary_line line;
	json_error_t error;
	json_t *file;
	unsigned int bad = 0;

	snprintf(path, sizeof(path), "%s/%s.json", out, part);
	file = json_load_file(path, 0, &error);
	if (!file) {
		fprintf(stderr, "boot: %s: %s\n", path, error.text);
		return ~0u;
	}
	for (size_t n = 0; summary_read(file, part, n, machine, sizeof(machine), &line); n++) {
		add_line(table, part, machine, &line);
		bad += line.bad;
	}
	json_decref(file);
	return bad;
}

bool summary_print(const char *out, char **parts, size_t count, const struct terminal *terminal,
		   FILE *output)
{
	struct libscols_table *table = new_table(terminal, output);
	bool good = table != NULL;

	for (size_t i = 0; table && i < count; i++)
		good = add_part(table, out, parts[i]) == 0 && good;
	if (table)
		scols_print_table(table);
	scols_unref_table(table);
	fprintf(output, "\n%s\n",
		good ? "every row is as it should be; what is not SEEN this QEMU does not show"
		     : "NOT every row is as it should be");
	return good;
}
