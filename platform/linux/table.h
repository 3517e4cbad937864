/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/table.h - rows for people, from the same JSON objects that --json prints.
 *
 *   {"sbdf": "0000:00:02.0", "group": 4, "children": ["eth0"]}  -->  0000:00:02.0     4  eth0
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct column {
	const char *name; /* as -o has it */
	const char *key;  /* of the objects */
	const char *what; /* one line, for -o help */
	bool usual;	  /* shown unless -o says otherwise */
	bool right;	  /* numbers */
	bool wrap;	  /* may take several lines */
};

struct table {
	const struct column *column;
	size_t column_count;
	const char *pick; /* of -o; NULL: the usual */
	bool no_headings;
	/* The escape sequence for a cell on a terminal; "": none. NULL: no colours at all. */
	const char *(*colour)(const char *key, const char *text);
	bool tree; /* rows name the one above them by "parent", themselves by "sbdf" or "name" */
};

/* Ends the program with EXIT_USAGE where -o names what is not there, with EXIT_FINE after -o help. */
void table_print(const struct table *table, const json_t *rows);

/* The document of --json: {"sallyport": version, NAME: rows}; takes the rows. */
void table_print_json(const char *name, json_t *rows);

/* Standard output is a terminal that wants colours: NO_COLOR, TERM. */
bool table_has_colour(void);
