/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/report_page.c - the report's sections in their order, and what they share.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report.h"

const char *report_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

char *report_join(const json_t *list)
{
	char *text = memory_copy("");
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		char *more =
			memory_print("%s%s%s", text, i ? ", " : "", json_string_value(one) ?: "?");

		free(text);
		text = more;
	}
	return text;
}

const json_t *report_device(const json_t *document, const char *sbdf)
{
	const json_t *devices = json_object_get(json_object_get(document, "audit"), "devices"),
		     *one;
	size_t i;

	json_array_foreach(devices, i, one)
	{
		if (!strcmp(report_text(one, "sbdf"), sbdf))
			return one;
	}
	return NULL;
}

const char *report_class(const char *verdict)
{
	static const char *const classes[][2] = {
		{ "safe", "safe" },
		{ "conditional", "conditional" },
		{ "condition", "conditional" },
		{ "could not tell", "unknown" },
		{ "unsafe", "unsafe" },
		{ "impossible", "impossible" },
		{ "arrives", "safe" },
		{ "contained", "safe" },
		{ "blocked", "safe" },
		{ "leaked", "unsafe" },
		{ "LEAKED", "unsafe" },
		{ "NOT CONTAINED", "unsafe" },
		{ "unobservable", "unknown" },
		{ "not observable", "unknown" },
		{ "UNKNOWN", "unknown" },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (!strcmp(classes[i][0], verdict))
			return classes[i][1];
	}
	return "note";
}

/* In letters, not in bytes: names may have others than ASCII. */
char *report_cut(const char *text, size_t most)
{
	size_t letters = 0, keep = 0;

	for (size_t i = 0; text[i]; i++) {
		if (((unsigned char)text[i] & 0xc0) == 0x80)
			continue;
		if (++letters == most)
			keep = i;
	}
	return letters > most ? memory_print("%.*s…", (int)keep, text) : memory_copy(text);
}

void report_chip(struct html *page, const char *verdict)
{
	html_begin(page, "span");
	html_attribute(page, "class", "chip %s", report_class(verdict));
	html_print(page, "%s", verdict);
	html_end(page);
}

void report_picture(struct html *page, int width, int height, const char *what)
{
	html_begin(page, "figure");
	html_begin_class(page, "div", "scroll");
	html_begin(page, "svg");
	html_attribute(page, "viewBox", "0 0 %d %d", width, height);
	html_attribute(page, "role", "img");
	html_attribute(page, "aria-label", "%s", what);
}

void report_picture_end(struct html *page)
{
	html_end(page);
	html_end(page);
	html_end(page);
}

static void print_count(struct html *page, const json_t *devices, const char *verdict)
{
	const json_t *one;
	size_t count = 0, i;

	json_array_foreach(devices, i, one)
	{
		count += !strcmp(report_text(one, "verdict"), verdict);
	}
	if (!count)
		return;
	html_begin(page, "span");
	html_attribute(page, "class", "chip %s", report_class(verdict));
	html_print(page, "%zu %s", count, verdict);
	html_end(page);
}

static void print_head(struct html *page, const json_t *document)
{
	static const char *const verdicts[] = { "impossible", "unsafe", "could not tell",
						"conditional", "safe" };
	const json_t *functions = json_object_get(json_object_get(document, "list"), "functions");
	const json_t *devices = json_object_get(json_object_get(document, "audit"), "devices");

	html_begin(page, "header");
	html_text(page, "h1", NULL, report_text(document, "title"));
	html_begin_class(page, "p", "soft");
	html_print(
		page,
		"Which of its devices can be given to a guest, by sallyport %s. %zu PCI functions.",
		report_text(document, "sallyport"), json_array_size(functions));
	html_end(page);
	html_begin_class(page, "div", "chips");
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		print_count(page, devices, verdicts[i]);
	html_end(page);
	html_end(page);
}

static void print_section(struct html *page, const char *title, const char *lead,
			  void (*print)(struct html *, const json_t *), const json_t *document)
{
	html_begin(page, "section");
	html_text(page, "h2", NULL, title);
	html_text(page, "p", "soft", lead);
	print(page, document);
	html_end(page);
}

void report_page(struct html *page, const json_t *document)
{
	html_begin(page, "main");
	print_head(page, document);
	print_section(
		page, "Topology",
		"What is behind which bridge. A dashed edge is a gap: there a request can turn round to a "
		"neighbour without the IOMMU having seen it.",
		report_topology, document);
	print_section(
		page, "Groups",
		"A group is given to a guest as a whole. What shares one cannot be told apart by the IOMMU, or "
		"can reach its neighbours past it.",
		report_groups, document);
	print_section(page, "Findings", "What was found, where it stands, and what to do next.",
		      report_findings, document);
	print_section(
		page, "Addresses",
		"Who has which machine addresses, upwards. Heights grow with the logarithm of a range's size; "
		"a guest's memory must keep clear of what firmware reserves and of the interrupt window.",
		report_addresses, document);
	print_section(page, "Isolation", "Transfers that were aimed where they must not arrive.",
		      report_matrix, document);
	print_section(page, "Faults", "What IOMMUs blocked, by the kernel's log.", report_faults,
		      document);
	html_end(page);
}
