/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/report_groups.c - groups with their members' verdicts, and every finding.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report.h"

static void print_member(struct html *page, const json_t *document, const json_t *function)
{
	const char *sbdf = report_text(function, "sbdf");
	const json_t *device = report_device(document, sbdf);
	bool bridge = json_is_true(json_object_get(function, "bridge"));

	html_begin(page, "li");
	html_text(page, "code", NULL, sbdf);
	html_print(page, " %s ", report_text(function, "name"));
	if (bridge)
		html_text(page, "span", "soft", "(bridge)");
	else if (device)
		report_chip(page, report_text(device, "verdict"));
	if (device && !bridge && *report_text(device, "reason")) {
		html_begin_class(page, "span", "soft");
		html_print(page, " %s", report_text(device, "reason"));
		html_end(page);
	}
	html_end(page);
}

/* `number` NULL: of no group. */
static void print_group(struct html *page, const json_t *document, const json_t *functions,
			const json_t *number)
{
	const char *type = NULL, *unit = NULL;
	const json_t *one;
	size_t i;

	html_begin_class(page, "div", "group");
	html_begin(page, "h3");
	if (number)
		html_print(page, "group %d ", (int)json_integer_value(number));
	else
		html_print(page, "in no group: VFIO cannot take these");
	json_array_foreach(functions, i, one)
	{
		if (number && json_equal(json_object_get(one, "group"), number) && !type) {
			type = report_text(one, "type");
			unit = report_text(one, "unit");
		}
	}
	html_begin_class(page, "span", "soft");
	html_print(page, "%s%s%s", type ?: "", type && *type && unit && *unit ? ", " : "",
		   unit ?: "");
	html_end(page);
	html_end(page);
	html_begin(page, "ul");
	json_array_foreach(functions, i, one)
	{
		const json_t *group = json_object_get(one, "group");

		if (number ? json_equal(group, number) : !json_is_integer(group))
			print_member(page, document, one);
	}
	html_end(page);
	html_end(page);
}

static int compare(const void *a, const void *b)
{
	json_int_t one = json_integer_value(*(const json_t *const *)a),
		   other = json_integer_value(*(const json_t *const *)b);

	return (one > other) - (one < other);
}

void report_groups(struct html *page, const json_t *document)
{
	const json_t *functions = json_object_get(json_object_get(document, "list"), "functions"),
		     *one;
	const json_t **number = memory_take(json_array_size(functions) + 1, sizeof(*number));
	size_t count = 0, i;
	bool none = false;

	json_array_foreach(functions, i, one)
	{
		const json_t *group = json_object_get(one, "group");
		bool known = false;

		for (size_t j = 0; j < count; j++)
			known |= json_equal(number[j], group);
		if (!json_is_integer(group))
			none = true;
		else if (!known)
			number[count++] = group;
	}
	qsort(number, count, sizeof(json_t *), compare);
	html_begin_class(page, "div", "groups");
	for (i = 0; i < count; i++)
		print_group(page, document, functions, number[i]);
	if (none)
		print_group(page, document, functions, NULL);
	html_end(page);
	free(number);
}

static void print_finding(struct html *page, const json_t *finding)
{
	char *peers = report_join(json_object_get(finding, "peers"));

	html_begin_class(page, "div", "finding");
	html_begin(page, "p");
	report_chip(page, report_text(finding, "weight"));
	html_print(page, " ");
	html_text(page, "b", NULL, report_text(finding, "brief"));
	html_print(page, " ");
	html_text(page, "code", "soft", report_text(finding, "id"));
	html_end(page);
	html_text(page, "p", NULL, report_text(finding, "evidence"));
	if (*peers) {
		html_begin_class(page, "p", "soft");
		html_print(page, "about: %s", peers);
		html_end(page);
	}
	if (*report_text(finding, "next"))
		html_text(page, "span", "next", report_text(finding, "next"));
	html_end(page);
	free(peers);
}

static void print_findings(struct html *page, const json_t *findings)
{
	const json_t *one;
	size_t i;

	json_array_foreach(findings, i, one)
	{
		print_finding(page, one);
	}
}

static void print_device(struct html *page, const json_t *device)
{
	html_begin_class(page, "div", "device");
	html_begin(page, "h3");
	html_text(page, "code", NULL, report_text(device, "sbdf"));
	html_print(page, " %s ", report_text(device, "name"));
	report_chip(page, report_text(device, "verdict"));
	html_end(page);
	print_findings(page, json_object_get(device, "findings"));
	html_end(page);
}

void report_findings(struct html *page, const json_t *document)
{
	const json_t *audit = json_object_get(document, "audit"), *one;
	size_t i;

	if (!json_is_array(json_object_get(audit, "devices"))) {
		html_begin(page, "p");
		html_print(page, "None: the audit could not be made: %s",
			   report_text(audit, "trouble"));
		html_end(page);
		return;
	}
	if (json_array_size(json_object_get(audit, "host"))) {
		html_begin_class(page, "div", "device");
		html_text(page, "h3", NULL, "The host");
		print_findings(page, json_object_get(audit, "host"));
		html_end(page);
	}
	json_array_foreach(json_object_get(audit, "devices"), i, one)
	{
		if (json_array_size(json_object_get(one, "findings")))
			print_device(page, one);
	}
}
