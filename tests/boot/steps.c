/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/steps.c - what a part shows, step by step. */
#include "steps.h"

#include <stdarg.h>

void steps_find(struct nic_finding *finding, bool good, const char *format, ...)
{
	va_list arguments;

	finding->good = good;
	va_start(arguments, format);
	vsnprintf(finding->evidence, EVIDENCE_SIZE, format, arguments);
	va_end(arguments);
}

bool steps_are_good(const struct steps *steps)
{
	for (unsigned int i = 0; i < steps->count; i++)
		if (!steps->found[i].good)
			return false;
	return true;
}

void steps_print(const struct steps *steps, FILE *output)
{
	for (unsigned int i = 0; i < steps->count; i++)
		fprintf(output, "%s %s %s %u, %s: %s%s\n", steps->found[i].good ? "ok" : "not ok",
			steps->machine, steps->part, i + 1, steps->names[i],
			steps->found[i].evidence,
			steps->found[i].blind ? " # SKIP not observable on this QEMU" : "");
	fflush(output);
}

json_t *steps_json(const struct steps *steps, const char *qemu)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < steps->count; i++) {
		const struct nic_finding *found = &steps->found[i];
		json_t *step = json_pack("{s:s, s:b, s:s}", "step", steps->names[i], "good",
					 found->good, "evidence", found->evidence);

		if (found->blind)
			json_object_set_new(step, "observable", json_false());
		json_array_append_new(list, step);
	}
	return json_pack("{s:s, s:s, s:f, s:o}", "name", steps->machine, "qemu", qemu, "seconds",
			 steps->seconds, "steps", list);
}

bool steps_write(const char *path, json_t *list)
{
	json_t *all = json_pack("{s:o}", "machines", list);
	const bool written = all && json_dump_file(all, path, JSON_INDENT(2)) == 0;

	json_decref(all);
	return written;
}
