/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/report_topology.c - the tree of functions, as a picture.
 *
 *   root complex 0000:00
 *   +- 0000:00:1c.0  a bridge                 ACS
 *   :  +- 0000:01:00.0  behind its gap        driver  group 12  [verdict]
 *
 * A row for each function, indented by what it is behind; an edge leads from a bridge down to each.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report.h"

enum {
	WIDTH = 1120,
	ROW = 34,
	INDENT = 28,
	LEFT = 14,
	DRIVER_X = 700,
	ACS_X = 560,
	GROUP_X = 930,
	VERDICT_X = 1000,
	LETTERS_DIVISOR = 7, /* pixels of a letter */
};

struct row {
	const json_t *function; /* NULL: a root complex */
	char name[16];
	int depth, parent; /* row, or -1 */
	bool gap;	   /* what is below can turn round here */
};

struct tree {
	struct row *row;
	size_t count;
	const json_t *document;
};

/* An evidence of a gap begins with the function where it is. */
static bool has_gap(const json_t *document, const char *sbdf)
{
	const json_t *devices = json_object_get(json_object_get(document, "audit"), "devices"),
		     *device, *finding;
	size_t i, j;

	json_array_foreach(devices, i, device)
	{
		json_array_foreach(json_object_get(device, "findings"), j, finding)
		{
			if (!strcmp(report_text(finding, "id"), "acs-gap") &&
			    !strncmp(report_text(finding, "evidence"), sbdf, strlen(sbdf)))
				return true;
		}
	}
	return false;
}

static int add_row(struct tree *tree, const json_t *function, const char *name, int depth,
		   int parent)
{
	struct row *row;

	tree->row = memory_grow(tree->row, tree->count, sizeof(*row));
	row = &tree->row[tree->count];
	row->function = function;
	snprintf(row->name, sizeof(row->name), "%s", name);
	row->depth = depth;
	row->parent = parent;
	row->gap = function && has_gap(tree->document, name);
	return (int)tree->count++;
}

static void add_below(struct tree *tree, const json_t *functions, const char *parent, int depth,
		      int at)
{
	const json_t *one;
	size_t i;

	json_array_foreach(functions, i, one)
	{
		const char *sbdf = report_text(one, "sbdf");

		if (!strcmp(report_text(one, "parent"), parent))
			add_below(tree, functions, sbdf, depth + 1,
				  add_row(tree, one, sbdf, depth, at));
	}
}

/* Functions that are behind no bridge, by segment and bus: "0000:00". */
static void add_roots(struct tree *tree, const json_t *functions)
{
	char last[8] = "";
	const json_t *one;
	size_t i;
	int at = -1;

	json_array_foreach(functions, i, one)
	{
		const char *sbdf = report_text(one, "sbdf");

		if (*report_text(one, "parent"))
			continue;
		if (strncmp(sbdf, last, 7) != 0) {
			snprintf(last, sizeof(last), "%s", sbdf);
			at = add_row(tree, NULL, last, 0, -1);
		}
		add_below(tree, functions, sbdf, 2, add_row(tree, one, sbdf, 1, at));
	}
}

static int x_of(const struct row *row)
{
	return LEFT + row->depth * INDENT;
}

static int y_of(const struct tree *tree, const struct row *row)
{
	return ROW * (int)(row - tree->row) + ROW / 2 + 6;
}

/* At the bridge above; or at a function of several, which its slot's others reach. */
static bool is_gap(const struct tree *tree, const struct row *row)
{
	return tree->row[row->parent].gap ||
	       (row->gap && !json_is_true(json_object_get(row->function, "bridge")));
}

static void draw_edge(struct html *page, const struct tree *tree, const struct row *row)
{
	const struct row *parent = &tree->row[row->parent];
	int x = x_of(parent) + 12, y = y_of(tree, row);

	html_begin_class(page, "path", is_gap(tree, row) ? "gap" : "edge");
	html_attribute(page, "d", "M%d %dV%dH%d", x, y_of(tree, parent) + 13, y, x_of(row));
	html_end(page);
}

/* Gaps last: what they share with others of a bridge must not hide them. */
static void draw_edges(struct html *page, const struct tree *tree, bool gaps)
{
	for (size_t i = 0; i < tree->count; i++) {
		const struct row *row = &tree->row[i];

		if (row->parent >= 0 && is_gap(tree, row) == gaps)
			draw_edge(page, tree, row);
	}
}

static void draw_label(struct html *page, int x, int y, int width, const char *class,
		       const char *text)
{
	char *both = memory_print("%s strong middle", class);

	html_svg_rect(page, x, y - 10, width, 20, class);
	html_svg_text(page, x + width / 2, y + 4, both, text);
	free(both);
}

static void draw_root(struct html *page, const struct tree *tree, const struct row *row)
{
	char *text = memory_print("root complex, bus %s", row->name);

	html_svg_rect(page, x_of(row), y_of(tree, row) - 13, 210, 26, "root");
	html_svg_text(page, x_of(row) + 10, y_of(tree, row) + 4, "strong", text);
	free(text);
}

/* Driver, disks and interfaces. */
static char *use_of(const json_t *function)
{
	char *children = report_join(json_object_get(function, "children")), *text;
	const char *driver = report_text(function, "driver");

	text = memory_print("%s%s%s", *driver ? driver : "no driver", *children ? ": " : "",
			    children);
	free(children);
	return text;
}

static void draw_acs(struct html *page, const struct tree *tree, const struct row *row)
{
	const char *acs = report_text(row->function, "acs"), *on;
	char *text;

	if (!*acs && !row->gap)
		return;
	/* What is on; what else there could be is in the title. */
	on = strstr(acs, " of ");
	text = memory_print("%sACS %.*s", row->gap ? "gap: " : "", on ? (int)(on - acs) : 4,
			    *acs ? acs : "none");
	if (row->gap)
		draw_label(page, ACS_X, y_of(tree, row), DRIVER_X - ACS_X - 12, "unsafe", text);
	else
		html_svg_text(page, ACS_X, y_of(tree, row) + 4, "small", text);
	free(text);
}

static void draw_function(struct html *page, const struct tree *tree, const struct row *row)
{
	const json_t *device = report_device(tree->document, row->name);
	const json_t *group = json_object_get(row->function, "group");
	bool bridge = json_is_true(json_object_get(row->function, "bridge"));
	const char *acs = report_text(row->function, "acs");
	int x = x_of(row), y = y_of(tree, row),
	    room = (bridge || row->gap ? ACS_X : DRIVER_X) - x - 118;
	char *name = report_cut(report_text(row->function, "name"),
				(size_t)(room / LETTERS_DIVISOR)),
	     *use = use_of(row->function), *driver = report_cut(use, 32);

	html_begin(page, "g");
	html_begin(page, "title");
	html_print(page, "%s%s%s", report_text(row->function, "name"), *acs ? "; ACS: " : "", acs);
	html_end(page);
	html_svg_rect(page, x, y - 13, WIDTH - 8 - x, 26, "box");
	html_svg_text(page, x + 8, y + 4, "id", row->name);
	html_svg_text(page, x + 112, y + 4, NULL, name);
	draw_acs(page, tree, row);
	html_svg_text(page, DRIVER_X, y + 4, "small", driver);
	if (json_is_integer(group)) {
		char *text = memory_print("group %d", (int)json_integer_value(group));

		html_svg_text(page, GROUP_X + 58, y + 4, "small end", text);
		free(text);
	}
	if (device && !bridge)
		draw_label(page, VERDICT_X, y, 104, report_class(report_text(device, "verdict")),
			   report_text(device, "verdict"));
	html_end(page);
	free(name);
	free(use);
	free(driver);
}

void report_topology(struct html *page, const json_t *document)
{
	struct tree tree = { .document = document };
	const json_t *functions = json_object_get(json_object_get(document, "list"), "functions");

	add_roots(&tree, functions);
	if (!tree.count) {
		html_text(page, "p", NULL, "The machine shows no PCI function.");
		return;
	}
	report_picture(page, WIDTH, ROW * (int)tree.count + 12, "the tree of PCI functions");
	draw_edges(page, &tree, false);
	draw_edges(page, &tree, true);
	for (size_t i = 0; i < tree.count; i++) {
		if (tree.row[i].function)
			draw_function(page, &tree, &tree.row[i]);
		else
			draw_root(page, &tree, &tree.row[i]);
	}
	report_picture_end(page);
	free(tree.row);
}
