/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/check.c - every row, control and refusal as a line of `make check`.
 */
#include "check.h"

unsigned int check_count(void)
{
	unsigned int count = 0;

	for (unsigned int i = 1; i <= ROW_COUNT; i++)
		count += row_table[i].has_control ? 2 : 1;
	return count;
}

static bool check_row(const struct matrix *matrix, unsigned int number, FILE *output)
{
	const struct cell *cell = &matrix->rows[number];
	bool skipped = matrix_may_be_blind(matrix, number);
	bool good = matrix_row_is_good(matrix, number);

	fprintf(output, "%s %s row %u, %s: %s%s", good || skipped ? "ok" : "not ok",
		matrix->machine->name, number, row_table[number].name, result_name(cell->result),
		skipped ? " # SKIP not observable on this QEMU" : "");
	if (!good && !skipped)
		fprintf(output, ", %s was expected: %s",
			number == ROW_ARRIVES ? "arrives" : "contained", cell->evidence);
	fprintf(output, "\n");
	return good || skipped;
}

static bool check_control(const struct matrix *matrix, unsigned int number, FILE *output)
{
	const struct cell *cell = &matrix->rows[number];
	bool good = matrix_control_is_good(matrix, number);

	if (!row_table[number].has_control)
		return true;
	fprintf(output, "%s %s control %u, %s: %s", good ? "ok" : "not ok", matrix->machine->name,
		number, row_table[number].name, result_name(cell->control));
	if (!good)
		fprintf(output, ", leaked was expected: %s", cell->control_evidence);
	fprintf(output, "\n");
	return good;
}

bool check_matrix(const struct matrix *matrix, FILE *output)
{
	bool good = matrix->trouble_count == 0;

	for (unsigned int i = 0; i < matrix->trouble_count; i++)
		fprintf(output, "not ok %s %s\n", matrix->machine->name, matrix->trouble[i]);
	for (unsigned int i = 1; i <= ROW_COUNT; i++) {
		good = check_row(matrix, i, output) && good;
		good = check_control(matrix, i, output) && good;
	}
	return good;
}

bool check_probe(const struct probe *probe, const char *amiss, FILE *output)
{
	bool good = amiss[0] == '\0';

	fprintf(output, "%s %s says \"%s...%s\" and ends %s%s%s\n", good ? "ok" : "not ok",
		probe->machine.name, probe->starts, probe->names,
		probe->ends_well ? "well" : "with failure", good ? "" : ": ", amiss);
	return good;
}
