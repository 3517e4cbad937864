/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/matrix.c - the rules of judgement.
 *
 *   row 1 arrives, or no other row of its machine shows anything
 *   every other row is contained; but for the one that QEMU is known to be unable to show
 *   every control leaks: a row whose guard can be left out unseen proves nothing
 */
#include "matrix.h"

#include <stdarg.h>
#include <string.h>

void matrix_trouble(struct matrix *matrix, const char *format, ...)
{
	va_list arguments;

	if (matrix->trouble_count == TROUBLE_COUNT)
		return;
	va_start(arguments, format);
	vsnprintf(matrix->trouble[matrix->trouble_count++], TROUBLE_SIZE, format, arguments);
	va_end(arguments);
}

static void take_findings(struct matrix *matrix, const struct report *rows,
			  const struct report *controls)
{
	for (unsigned int i = 1; i <= ROW_COUNT; i++) {
		struct cell *cell = &matrix->rows[i];

		cell->result = rows->rows[i].result;
		cell->control = controls->rows[i].result;
		memcpy(cell->evidence, rows->rows[i].evidence, EVIDENCE_SIZE);
		memcpy(cell->control_evidence, controls->rows[i].evidence, EVIDENCE_SIZE);
	}
}

/* What the row itself said stays in its evidence. */
static void make_unobservable(struct cell *cell, const char *why)
{
	char said[EVIDENCE_SIZE];

	memcpy(said, cell->evidence, sizeof(said));
	snprintf(cell->evidence, sizeof(cell->evidence), "%s; said %s: %.400s", why,
		 result_name(cell->result), said);
	cell->result = RESULT_UNOBSERVABLE;
}

static void judge_positive_control(struct matrix *matrix)
{
	struct cell *first = &matrix->rows[ROW_ARRIVES];

	if (first->result == RESULT_ARRIVES)
		return;
	if (first->result != RESULT_MISSING && first->result != RESULT_UNOBSERVABLE)
		make_unobservable(first, "the device's own memory was not reached");
	for (unsigned int i = ROW_ARRIVES + 1; i <= ROW_COUNT; i++)
		if (matrix->rows[i].result != RESULT_MISSING &&
		    matrix->rows[i].result != RESULT_UNOBSERVABLE)
			make_unobservable(&matrix->rows[i], "row 1 did not arrive");
}

void matrix_judge(struct matrix *matrix, const struct report *rows, const struct report *controls)
{
	take_findings(matrix, rows, controls);
	judge_positive_control(matrix);
}

unsigned int matrix_count(const struct matrix *matrix, enum result result)
{
	unsigned int count = 0;

	for (unsigned int i = 1; i <= ROW_COUNT; i++)
		if (matrix->rows[i].result == result)
			count++;
	return count;
}

bool matrix_row_is_good(const struct matrix *matrix, unsigned int number)
{
	enum result wanted = number == ROW_ARRIVES ? RESULT_ARRIVES : RESULT_CONTAINED;

	return matrix->rows[number].result == wanted;
}

bool matrix_may_be_blind(const struct matrix *matrix, unsigned int number)
{
	return matrix->rows[number].result == RESULT_UNOBSERVABLE &&
	       number == matrix->machine->blind_row;
}

bool matrix_control_is_good(const struct matrix *matrix, unsigned int number)
{
	return !row_table[number].has_control || matrix->rows[number].control == RESULT_LEAKED;
}

bool matrix_is_good(const struct matrix *matrix)
{
	unsigned int bad = 0;

	for (unsigned int i = 1; i <= ROW_COUNT; i++) {
		if (!matrix_row_is_good(matrix, i) && !matrix_may_be_blind(matrix, i))
			bad++;
		if (!matrix_control_is_good(matrix, i))
			bad++;
	}
	return bad == 0 && matrix->trouble_count == 0 &&
	       matrix->rows[ROW_ARRIVES].result == RESULT_ARRIVES;
}

static void add(struct totals *totals, const struct matrix *matrix)
{
	totals->contained += matrix_count(matrix, RESULT_CONTAINED);
	totals->leaked += matrix_count(matrix, RESULT_LEAKED);
	totals->unobservable += matrix_count(matrix, RESULT_UNOBSERVABLE);
	totals->missing += matrix_count(matrix, RESULT_MISSING);
	for (unsigned int i = 1; i <= ROW_COUNT; i++) {
		if (!row_table[i].has_control)
			continue;
		totals->controls++;
		if (matrix->rows[i].control == RESULT_LEAKED)
			totals->controls_leaked++;
	}
	totals->good = totals->good && matrix_is_good(matrix);
}

struct totals matrix_totals(const struct matrix *matrices, size_t count)
{
	struct totals totals = { .good = count > 0 };

	for (size_t i = 0; i < count; i++)
		add(&totals, &matrices[i]);
	return totals;
}
