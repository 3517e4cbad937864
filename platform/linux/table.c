/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/table.c - rows for people, by libsmartcols, from the same JSON objects that --json prints.
 */
#include "table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "memory.h"
#include "say.h"
#include "version.h"

bool table_has_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (!no_color || !*no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

/* What a cell shows; to be freed. */
static char *text_of(const json_t *value)
{
	const json_t *item;
	char *text;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return memory_copy(json_string_value(value));
	case JSON_INTEGER:
		return memory_print("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		return memory_print("%.1f", json_real_value(value));
	case JSON_TRUE:
		return memory_copy("yes");
	case JSON_FALSE:
		return memory_copy("no");
	case JSON_NULL:
		return memory_copy("-");
	case JSON_OBJECT:
		return memory_copy(json_string_value(json_object_get(value, "text")) ?: "-");
	case JSON_ARRAY:
		break;
	}
	text = memory_copy(json_array_size(value) ? "" : "-");
	json_array_foreach(value, i, item)
	{
		char *one = text_of(item), *more = memory_print("%s%s%s", text, i ? "," : "", one);

		free(one);
		free(text);
		text = more;
	}
	return text;
}

static const struct column *find_column(const struct table *table, const char *name, size_t length)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (strlen(table->column[i].name) == length &&
		    !strncasecmp(table->column[i].name, name, length))
			return &table->column[i];
	}
	return NULL;
}

static void print_help(const struct table *table)
{
	for (size_t i = 0; i < table->column_count; i++)
		printf("  %-12s %s%s\n", table->column[i].name, table->column[i].what,
		       table->column[i].usual ? "" : " (not among the usual)");
	exit(EXIT_FINE);
}

/* How many of `shown` are filled. */
static size_t pick_columns(const struct table *table, const struct column **shown)
{
	const char *at = table->pick;
	size_t count = 0;

	if (at && !strcmp(at, "help"))
		print_help(table);
	for (size_t i = 0; i < table->column_count && (!at || *at == '+'); i++) {
		if (table->column[i].usual)
			shown[count++] = &table->column[i];
	}
	at = at && *at == '+' ? at + 1 : at;
	while (at && *at) {
		size_t length = strcspn(at, ",");
		const struct column *column = find_column(table, at, length);

		if (!column)
			say_fatal(EXIT_USAGE, "-o %.*s: no such column; -o help lists them",
				  (int)length, at);
		if (count < 2 * table->column_count)
			shown[count++] = column;
		at += length + (at[length] == ',');
	}
	return count;
}

static const char *name_of(const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "sbdf"));

	return name ?: json_string_value(json_object_get(row, "name"));
}

/* The line of the row that is above this one, among those printed so far. */
static struct libscols_line *line_above(struct libscols_line *const *lines, const json_t *rows,
					size_t count, const json_t *row)
{
	const char *parent = json_string_value(json_object_get(row, "parent"));

	for (size_t i = 0; parent && i < count; i++) {
		const char *name = name_of(json_array_get(rows, i));

		if (name && !strcmp(name, parent))
			return lines[i];
	}
	return NULL;
}

static struct libscols_table *make_table(const struct table *table,
					 const struct column *const *shown, size_t count)
{
	struct libscols_table *printed = scols_new_table();

	if (!printed)
		say_fatal(EXIT_UNKNOWN, "out of memory");
	scols_table_enable_noheadings(printed, table->no_headings);
	scols_table_enable_colors(printed, table->colour && table_has_colour());
	/* Cut to the terminal's width for people; whole when piped. */
	for (size_t i = 0; i < count; i++) {
		int flags = (shown[i]->right ? SCOLS_FL_RIGHT : 0) |
			    (shown[i]->wrap ? SCOLS_FL_WRAP : 0) |
			    (table->tree && i == 0 ? SCOLS_FL_TREE : 0);

		scols_table_new_column(printed, shown[i]->name, 0, flags);
	}
	return printed;
}

static void set_colour(const struct table *table, const struct column *column,
		       struct libscols_line *line, size_t place, const char *text)
{
	const char *colour = table->colour ? table->colour(column->key, text) : "";

	if (*colour)
		scols_cell_set_color(scols_line_get_cell(line, place), colour);
}

void table_print(const struct table *table, const json_t *rows)
{
	const struct column **shown = memory_take(2 * table->column_count, sizeof(*shown));
	struct libscols_line **lines =
		memory_take(json_array_size(rows), sizeof(struct libscols_line *));
	size_t count, i;
	const json_t *row;
	struct libscols_table *printed;

	scols_init_debug(0);
	count = pick_columns(table, shown);
	printed = make_table(table, shown, count);
	json_array_foreach(rows, i, row)
	{
		struct libscols_line *above = table->tree ? line_above(lines, rows, i, row) : NULL;

		lines[i] = scols_table_new_line(printed, above);
		for (size_t j = 0; j < count; j++) {
			const json_t *value = json_object_get(row, shown[j]->key);
			char *text = value ? text_of(value) : memory_copy("-");

			scols_line_set_data(lines[i], j, text);
			set_colour(table, shown[j], lines[i], j, text);
			free(text);
		}
	}
	scols_print_table(printed);
	scols_unref_table(printed);
	free(lines);
	free(shown);
}

void table_print_json(const char *name, json_t *rows)
{
	json_t *document = json_pack("{s:s, s:o}", "sallyport", SALLYPORT_VERSION, name, rows);

	if (!document)
		say_fatal(EXIT_UNKNOWN, "out of memory");
	json_dumpf(document, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(document);
}
