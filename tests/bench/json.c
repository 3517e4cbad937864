/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/json.c - out/bench.json, and what changed between two of them.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/report.h"

#define SLACK 0.01

/* null for what was not measured. */
static json_t *number(double value)
{
	return value < 0 ? json_null() : json_real(value);
}

static void add_roofs(json_t *object, const struct row *row)
{
	json_t *all = json_object();

	for (uint32_t i = 0; i < ROOFS; i++) {
		struct figure figure = row_roof_of(row, i);
		char name[2] = { ROOF_KINDS[i], '\0' };

		json_object_set_new(all, name,
				    json_pack("{s:o, s:o, s:o}", "ns", number(figure.ns), "p10",
					      number(figure.p10), "instructions",
					      number(figure.instructions)));
	}
	json_object_set_new(object, "rooflines", all);
}

static json_t *object_of(const struct row *row)
{
	const struct figure *core = &row->core;
	struct figure roof = row_roof(row);
	char aim[32], name[2] = { row->scenario->roof, '\0' };
	int verdict = row_verdict(row);
	json_t *object;

	row_aim(row, aim, sizeof(aim));
	object = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:s}",
			   "scenario", row->scenario->name, "format", row->subject->name, "path",
			   row_path(row), "unit", row_unit(row), "ns", number(core->ns), "p10",
			   number(core->p10), "roofline", name, "roofline_ns", number(roof.ns),
			   "ratio", number(row_ratio(row)), "instructions",
			   number(core->instructions), "roofline_instructions",
			   number(roof.instructions), "aim", aim, "verdict",
			   verdict < 0 ? "none"
			   : verdict   ? "reached"
				       : "missed");
	if (!object)
		bench_fail("no memory for the report");
	add_roofs(object, row);
	if (row->bytes_a_gib >= 0)
		json_object_set_new(object, "table_bytes_a_gib",
				    json_integer((json_int_t)row->bytes_a_gib));
	json_object_set_new(object, "cpu", json_string(cpu_name()));
	return object;
}

static void write_list(const json_t *list, const char *path)
{
	if (json_dump_file(list, path, JSON_INDENT(1) | JSON_REAL_PRECISION(10)) != 0)
		bench_fail("%s cannot be written", path);
}

void report_json(const struct row *rows, uint32_t count, const char *path)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, object_of(&rows[i]));
	write_list(list, path);
	json_decref(list);
}

/* ---- several reports ---- */

static json_t *read_list(const char *path)
{
	json_error_t error;
	json_t *list = json_load_file(path, 0, &error);

	if (!json_is_array(list))
		bench_fail("%s is no report of make bench: %s", path, error.text);
	return list;
}

void report_join(const char *path, const char *svg, char **parts, uint32_t count)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < count; i++) {
		json_t *part = read_list(parts[i]);

		if (json_array_extend(all, part) != 0)
			bench_fail("no memory for the report");
		json_decref(part);
	}
	write_list(all, path);
	report_svg(all, svg);
	json_decref(all);
}

static bool has_same(const json_t *a, const json_t *b, const char *key)
{
	const char *one = json_string_value(json_object_get(a, key)),
		   *other = json_string_value(json_object_get(b, key));

	return one && other && strcmp(one, other) == 0;
}

static const json_t *find_base(const json_t *list, const json_t *now)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *base = json_array_get(list, i);

		if (has_same(base, now, "scenario") && has_same(base, now, "format") &&
		    has_same(base, now, "path"))
			return base;
	}
	return NULL;
}

/* Tells what changed; true where it became slower. */
static bool compare_row(const json_t *base, const json_t *now, FILE *output)
{
	double before = json_number_value(json_object_get(base, "instructions")),
	       after = json_number_value(json_object_get(now, "instructions"));
	bool slower = after > before * (1 + SLACK);

	if (slower || after < before * (1 - SLACK))
		fprintf(output, "%-7s %s, %s, %s: %.2f -> %.2f instructions a %s (%+.1f %%)\n",
			slower ? "SLOWER" : "faster",
			json_string_value(json_object_get(now, "scenario")),
			json_string_value(json_object_get(now, "format")),
			json_string_value(json_object_get(now, "path")), before, after,
			json_string_value(json_object_get(now, "unit")),
			(after / before - 1) * 100);
	return slower;
}

static bool is_counted(const json_t *row)
{
	return row && json_is_number(json_object_get(row, "instructions"));
}

bool report_compare(const char *base, const char *now, FILE *output)
{
	json_t *old = read_list(base), *new = read_list(now);
	size_t compared = 0, slower = 0, left_out = 0;

	for (size_t i = 0; i < json_array_size(new); i++) {
		const json_t *row = json_array_get(new, i), *before = find_base(old, row);

		if (!is_counted(row) || !is_counted(before)) {
			left_out++;
			continue;
		}
		compared++;
		slower += compare_row(before, row, output);
	}
	json_decref(old);
	json_decref(new);
	if (!compared)
		bench_fail("no instruction counts to compare in %s and %s: is valgrind installed?",
			   base, now);
	fprintf(output, "%zu rows compared, %zu slower by more than 1 %%, %zu without counts\n",
		compared, slower, left_out);
	return slower == 0;
}
