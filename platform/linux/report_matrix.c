/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/report_matrix.c - the isolation matrix, of `verify --json` or of the demo's matrix.json: a table of what
 * was tried against whom, then the evidence.
 */
#include <string.h>

#include "report.h"

/* The demo names rows "name", `verify` names them "row"; columns are machines, or devices. */
static const char *row_name(const json_t *row)
{
	const char *name = report_text(row, "name");

	return *name ? name : report_text(row, "row");
}

static const char *column_name(const json_t *column)
{
	const char *name = report_text(column, "name");

	return *name ? name : report_text(column, "sbdf");
}

static const json_t *find_row(const json_t *column, const char *name)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(column, "rows"), i, row)
	{
		if (!strcmp(row_name(row), name))
			return row;
	}
	return NULL;
}

static void print_cell(struct html *page, const json_t *row)
{
	html_begin(page, "td");
	if (row) {
		report_chip(page, report_text(row, "result"));
		if (*report_text(row, "control")) {
			html_begin_class(page, "span", "soft");
			html_print(page, " control: %s", report_text(row, "control"));
			html_end(page);
		}
	}
	html_end(page);
}

static void print_heads(struct html *page, const json_t *columns)
{
	const json_t *column;
	size_t i;

	html_begin(page, "tr");
	html_text(page, "th", NULL, "DMA aimed at");
	json_array_foreach(columns, i, column)
	{
		html_text(page, "th", NULL, column_name(column));
	}
	html_end(page);
}

/* A row that an earlier column has too was printed with it. */
static bool is_new(const json_t *columns, size_t before, const char *name)
{
	for (size_t i = 0; i < before; i++) {
		if (find_row(json_array_get(columns, i), name))
			return false;
	}
	return true;
}

static void print_rows(struct html *page, const json_t *columns)
{
	const json_t *column, *row;
	size_t i, j, k;

	json_array_foreach(columns, i, column)
	{
		json_array_foreach(json_object_get(column, "rows"), j, row)
		{
			if (!is_new(columns, i, row_name(row)))
				continue;
			html_begin(page, "tr");
			html_text(page, "td", NULL, row_name(row));
			for (k = 0; k < json_array_size(columns); k++)
				print_cell(page,
					   find_row(json_array_get(columns, k), row_name(row)));
			html_end(page);
		}
	}
}

static void print_evidence(struct html *page, const json_t *column)
{
	const json_t *row;
	size_t i;

	html_begin_class(page, "div", "device");
	html_begin(page, "h3");
	html_print(page, "%s %s", column_name(column), report_text(column, "engine"));
	html_end(page);
	html_text(page, "p", NULL, report_text(column, "trouble"));
	json_array_foreach(json_object_get(column, "rows"), i, row)
	{
		html_begin_class(page, "p", "evidence");
		html_text(page, "b", NULL, row_name(row));
		html_print(page, ": %s", report_text(row, "evidence"));
		html_end(page);
	}
	html_end(page);
}

void report_matrix(struct html *page, const json_t *document)
{
	const json_t *proof = json_object_get(document, "proof"),
		     *columns =
			     json_object_get(proof, "verify") ?: json_object_get(proof, "machines"),
		     *column;
	size_t i;

	if (!json_array_size(columns)) {
		html_begin(page, "p");
		html_print(page, "Nothing was tried. ");
		html_text(page, "code", NULL, "sallyport verify --json DEVICE");
		html_print(page, " on the machine tries, and --verify takes what it printed.");
		html_end(page);
		return;
	}
	html_begin_class(page, "div", "scroll");
	html_begin(page, "table");
	html_begin(page, "thead");
	print_heads(page, columns);
	html_end(page);
	html_begin(page, "tbody");
	print_rows(page, columns);
	html_end(page);
	html_end(page);
	html_end(page);
	json_array_foreach(columns, i, column)
	{
		print_evidence(page, column);
	}
}
