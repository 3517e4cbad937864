/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/table.c - prints a machine's matrix with libsmartcols.
 */
#include "table.h"

#include <langinfo.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum column {
	COLUMN_MARK,
	COLUMN_ROW,
	COLUMN_NAME,
	COLUMN_RESULT,
	COLUMN_CONTROL,
	COLUMN_EVIDENCE
};

static bool has_text(const char *variable)
{
	const char *value = getenv(variable);

	return value && value[0] != '\0';
}

struct terminal terminal_find(FILE *output)
{
	const char *kind = getenv("TERM");
	struct terminal found = { .is_terminal = isatty(fileno(output)) == 1 };

	setlocale(LC_CTYPE, "");
	found.has_colour =
		found.is_terminal && !has_text("NO_COLOR") && !(kind && strcmp(kind, "dumb") == 0);
	found.has_utf8 = found.is_terminal && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	return found;
}

static bool is_good(const struct matrix *matrix, unsigned int number)
{
	return matrix_row_is_good(matrix, number) && matrix_control_is_good(matrix, number);
}

static const char *mark(const struct matrix *matrix, unsigned int number,
			const struct terminal *terminal)
{
	if (is_good(matrix, number))
		return terminal->has_utf8 ? "\u2713" : "+";
	if (matrix->rows[number].result == RESULT_UNOBSERVABLE &&
	    matrix_control_is_good(matrix, number))
		return "?";
	return terminal->has_utf8 ? "\u2717" : "!";
}

static const char *control_name(const struct matrix *matrix, unsigned int number)
{
	return row_table[number].has_control ? result_name(matrix->rows[number].control) : "-";
}

/* A colour says nothing that a word does not say too. */
static void colour(struct libscols_line *line, const struct matrix *matrix, unsigned int number)
{
	const char *result = matrix_row_is_good(matrix, number) ? "green" : "red";
	const char *control = matrix_control_is_good(matrix, number) ? "green" : "red";

	if (matrix->rows[number].result == RESULT_UNOBSERVABLE)
		result = "brown";
	scols_cell_set_color(scols_line_get_cell(line, COLUMN_MARK), result);
	scols_cell_set_color(scols_line_get_cell(line, COLUMN_RESULT), result);
	if (row_table[number].has_control)
		scols_cell_set_color(scols_line_get_cell(line, COLUMN_CONTROL), control);
}

/* A control that did not leak has something to say that is more urgent than the row's evidence. */
static const char *evidence(const struct matrix *matrix, unsigned int number)
{
	const struct cell *cell = &matrix->rows[number];

	if (matrix_row_is_good(matrix, number) && !matrix_control_is_good(matrix, number) &&
	    cell->control_evidence[0] != '\0')
		return cell->control_evidence;
	return cell->evidence;
}

static bool add_line(struct libscols_table *table, const struct matrix *matrix, unsigned int number,
		     const struct terminal *terminal)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char text[12];

	if (!line)
		return false;
	snprintf(text, sizeof(text), "%u", number);
	if (scols_line_set_data(line, COLUMN_MARK, mark(matrix, number, terminal)) ||
	    scols_line_set_data(line, COLUMN_ROW, text) ||
	    scols_line_set_data(line, COLUMN_NAME, row_table[number].name) ||
	    scols_line_set_data(line, COLUMN_RESULT, result_name(matrix->rows[number].result)) ||
	    scols_line_set_data(line, COLUMN_CONTROL, control_name(matrix, number)) ||
	    scols_line_set_data(line, COLUMN_EVIDENCE, evidence(matrix, number)))
		return false;
	if (terminal->has_colour)
		colour(line, matrix, number);
	return true;
}

static bool add_columns(struct libscols_table *table, const struct terminal *terminal)
{
	return scols_table_new_column(table, "", 1, 0) &&
	       scols_table_new_column(table, "row", 2, SCOLS_FL_RIGHT) &&
	       scols_table_new_column(table, "DMA aimed at", 28, 0) &&
	       scols_table_new_column(table, "result", 12, 0) &&
	       scols_table_new_column(table, "control", 12, 0) &&
	       scols_table_new_column(table, "evidence", 0.5,
				      terminal->is_terminal ? SCOLS_FL_WRAP : 0);
}

static bool fill(struct libscols_table *table, const struct matrix *matrix,
		 const struct terminal *terminal)
{
	if (!add_columns(table, terminal))
		return false;
	for (unsigned int i = 1; i <= ROW_COUNT; i++)
		if (!add_line(table, matrix, i, terminal))
			return false;
	return true;
}

void table_print(const struct matrix *matrix, const struct terminal *terminal, FILE *output)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return;
	scols_table_set_stream(table, output);
	scols_table_enable_colors(table, terminal->has_colour);
	scols_table_enable_ascii(table, !terminal->has_utf8);
	scols_table_set_termforce(table, terminal->is_terminal ? SCOLS_TERMFORCE_ALWAYS
							       : SCOLS_TERMFORCE_NEVER);
	if (!fill(table, matrix, terminal) || scols_print_table(table) != 0)
		fprintf(output, "the table of %s cannot be printed: out of memory\n",
			matrix->machine->name);
	scols_unref_table(table);
}
