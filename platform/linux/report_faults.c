/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/report_faults.c - faults over time, as a picture, then what each means.
 *
 *   0000:04:00.0  not mapped      o====o         5 times
 *   0000:06:00.0  interrupt             o        once
 *                                61.0   61.8     as the log has the time
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report.h"

enum {
	WIDTH = 1120,
	ROW = 30,
	TOP = 14,
	LEFT = 330,
	RIGHT = 960,
};

struct times {
	double first, last;
	const char *first_text, *last_text; /* as the log has them */
	size_t count;
};

static bool has_time(const json_t *fault)
{
	return json_is_number(json_object_get(fault, "at"));
}

static double first_of(const json_t *fault)
{
	return json_number_value(json_object_get(fault, "at"));
}

static double last_of(const json_t *fault)
{
	const json_t *seconds = json_object_get(fault, "seconds");

	return first_of(fault) + (json_is_number(seconds) ? json_number_value(seconds) : 0);
}

static struct times times_of(const json_t *faults)
{
	struct times times = { .count = 0 };
	const json_t *one;
	size_t i;

	json_array_foreach(faults, i, one)
	{
		if (!has_time(one))
			continue;
		if (!times.count || first_of(one) < times.first) {
			times.first = first_of(one);
			times.first_text = report_text(one, "first");
		}
		if (!times.count || last_of(one) > times.last) {
			times.last = last_of(one);
			times.last_text = report_text(one, "last");
		}
		times.count++;
	}
	return times;
}

static int x_of(const struct times *times, double at)
{
	double all = times->last - times->first;

	return all > 0 ? LEFT + (int)((at - times->first) / all * (RIGHT - LEFT))
		       : (LEFT + RIGHT) / 2;
}

/* To be freed. */
static char *count_text(const json_t *fault)
{
	json_int_t count = json_integer_value(json_object_get(fault, "count"));

	return count == 1 ? memory_copy("once") : memory_print("%lld times", (long long)count);
}

/* To be freed; "": the log has no times. */
static char *time_text(const json_t *fault)
{
	const char *first = report_text(fault, "first"), *last = report_text(fault, "last");

	if (!*first || !strcmp(first, last))
		return memory_copy(first);
	return memory_print("%s to %s", first, last);
}

/* More faults, a larger dot: by the logarithm. */
static void draw_dot(struct html *page, int x, int y, double count)
{
	html_begin(page, "circle");
	html_attribute(page, "cx", "%d", x);
	html_attribute(page, "cy", "%d", y);
	html_attribute(page, "r", "%d", 4 + (int)fmin(7, 1.6 * log10(count < 1 ? 1 : count)));
	html_end(page);
}

static void draw_fault(struct html *page, const struct times *times, const json_t *fault, int y)
{
	json_int_t count = json_integer_value(json_object_get(fault, "count"));
	char *kind = report_cut(report_text(fault, "kind"), 30);
	char *times_text = count_text(fault), *when = time_text(fault);
	const char *sbdf = report_text(fault, "sbdf");
	int first = x_of(times, first_of(fault)), last = x_of(times, last_of(fault));

	html_begin(page, "g");
	html_text(page, "title", NULL, when);
	html_svg_line(page, LEFT, y, RIGHT, y, "grid");
	html_svg_text(page, 12, y + 4, "id", *sbdf ? sbdf : "the unit");
	html_svg_text(page, 118, y + 4, "small", kind);
	html_svg_line(page, first, y, last, y, "span");
	draw_dot(page, first, y, (double)count);
	if (last > first)
		draw_dot(page, last, y, 1);
	html_svg_text(page, RIGHT + 24, y + 4, "small", times_text);
	html_end(page);
	free(kind);
	free(times_text);
	free(when);
}

static void draw(struct html *page, const json_t *faults, const struct times *times)
{
	int y = TOP, bottom = TOP + ROW * (int)times->count;
	const json_t *one;
	size_t i;

	report_picture(page, WIDTH, bottom + 26, "faults over time");
	json_array_foreach(faults, i, one)
	{
		if (!has_time(one))
			continue;
		draw_fault(page, times, one, y + ROW / 2);
		y += ROW;
	}
	html_svg_text(page, LEFT, bottom + 16, "mono", times->first_text);
	if (times->last > times->first)
		html_svg_text(page, RIGHT, bottom + 16, "mono end", times->last_text);
	report_picture_end(page);
}

static void print_source(struct html *page, const json_t *fault)
{
	char *children = report_join(json_object_get(fault, "children")),
	     *shared = report_join(json_object_get(fault, "shared")), *times = count_text(fault);
	const char *sbdf = report_text(fault, "sbdf"), *driver = report_text(fault, "driver");

	html_begin(page, "h3");
	html_text(page, "code", NULL, *sbdf ? sbdf : "the unit");
	html_print(page, " %s, %s ", report_text(fault, "kind"), times);
	html_begin_class(page, "span", "soft");
	html_print(page, "%s%s%s%s%s", driver, *driver && *children ? ", " : "", children,
		   *shared ? "; shares its id with " : "", shared);
	html_end(page);
	html_end(page);
	free(children);
	free(shared);
	free(times);
}

static void print_fault(struct html *page, const json_t *fault)
{
	const char *code = report_text(fault, "code");
	char *when = time_text(fault);

	html_begin_class(page, "div", "device");
	print_source(page, fault);
	html_begin_class(page, "p", "evidence");
	html_print(page, "%s", report_text(fault, "address"));
	if (*code)
		html_print(page, "; %s%s%s", code, *report_text(fault, "reason") ? ": " : "",
			   report_text(fault, "reason"));
	if (*when)
		html_print(page, "; at %s", when);
	html_end(page);
	html_text(page, "p", NULL, report_text(fault, "means"));
	if (*report_text(fault, "next"))
		html_text(page, "span", "next", report_text(fault, "next"));
	html_end(page);
	free(when);
}

static void print_lost(struct html *page, const json_t *faults)
{
	json_int_t lost = json_integer_value(json_object_get(faults, "lost")),
		   gone = json_integer_value(json_object_get(faults, "gone"));
	bool more = json_is_true(json_object_get(faults, "lost_more"));

	html_begin(page, "p");
	if (lost)
		html_print(page, "%lld more were not printed by the kernel (rate limit). ",
			   (long long)lost);
	if (more)
		html_print(page, "A unit dropped faults because its log was full. ");
	if (gone)
		html_print(
			page,
			"%lld records of the kernel's log were overwritten before they were read.",
			(long long)gone);
	html_end(page);
}

void report_faults(struct html *page, const json_t *document)
{
	const json_t *said = json_object_get(document, "faults"),
		     *faults = json_object_get(said, "faults"), *one;
	struct times times = times_of(faults);
	size_t i;

	if (!json_is_array(faults)) {
		html_begin(page, "p");
		html_print(page, "The log could not be read: %s", report_text(said, "trouble"));
		html_end(page);
		return;
	}
	if (!json_array_size(faults))
		html_text(page, "p", NULL, "None.");
	print_lost(page, said);
	if (times.count)
		draw(page, faults, &times);
	json_array_foreach(faults, i, one)
	{
		print_fault(page, one);
	}
}
