/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/json.c - writes out/matrix.json.
 *
 *   {"machines": [{"name", "qemu", "rows": [{"row", "name", "result", "control", "evidence"}]}]}
 */
#include "json.h"

#include <string.h>

/* A control that was not seen is null, like that of a row which has none. */
static json_t *control(const struct matrix *matrix, unsigned int number)
{
	if (matrix->rows[number].control == RESULT_MISSING)
		return json_null();
	return json_string(result_name(matrix->rows[number].control));
}

/* Evidence comes from a serial line: what is no UTF-8 there is shown as a question mark. */
static json_t *text(const char *evidence)
{
	json_t *value = json_string(evidence);
	char plain[EVIDENCE_SIZE];

	if (value)
		return value;
	snprintf(plain, sizeof(plain), "%s", evidence);
	for (char *at = plain; *at; at++)
		if (*at & 0x80)
			*at = '?';
	return json_string(plain);
}

static json_t *row(const struct matrix *matrix, unsigned int number)
{
	return json_pack("{s:i, s:s, s:s, s:o, s:o}", "row", (int)number, "name",
			 row_table[number].name, "result", result_name(matrix->rows[number].result),
			 "control", control(matrix, number), "evidence",
			 text(matrix->rows[number].evidence));
}

static json_t *machine(const struct matrix *matrix, const char *qemu)
{
	json_t *rows = json_array();

	for (unsigned int i = 1; i <= ROW_COUNT; i++)
		json_array_append_new(rows, row(matrix, i));
	return json_pack("{s:s, s:s, s:o}", "name", matrix->machine->name, "qemu", qemu, "rows",
			 rows);
}

json_t *json_from_matrices(const struct matrix *matrices, size_t count, const char *qemu)
{
	json_t *machines = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(machines, machine(&matrices[i], qemu));
	return json_pack("{s:o}", "machines", machines);
}

bool json_write(const char *path, const struct matrix *matrices, size_t count, const char *qemu)
{
	json_t *all = json_from_matrices(matrices, count, qemu);
	bool written = all && json_dump_file(all, path, JSON_INDENT(2)) == 0;

	json_decref(all);
	return written;
}
