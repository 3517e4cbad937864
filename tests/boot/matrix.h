/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/matrix.h - the verdict over one machine, and over all.
 *
 *   serial of sallyport.elf ---------> report of rows -----+
 *                                                          +--> matrix --> totals
 *   serial of sallyport-mutants.elf --> report of controls-+
 */
#pragma once

#include "report.h"

enum {
	TROUBLE_COUNT = 8,
	TROUBLE_SIZE = 768
};

struct cell {
	enum result result;
	enum result control; /* RESULT_MISSING: not reported, or the row has none */
	char evidence[EVIDENCE_SIZE];
	char control_evidence[EVIDENCE_SIZE];
};

struct matrix {
	const struct machine *machine;
	struct cell rows[ROW_COUNT + 1];
	double seconds;
	/* What went wrong beside the rows: each line names a file to look into. */
	unsigned int trouble_count;
	char trouble[TROUBLE_COUNT][TROUBLE_SIZE];
};

struct totals {
	unsigned int contained;
	unsigned int leaked;
	unsigned int unobservable;
	unsigned int missing;
	unsigned int controls;
	unsigned int controls_leaked;
	bool good;
};

/* Unobservable, and known to be so on this machine: neither contained nor a failure. */
bool matrix_may_be_blind(const struct matrix *matrix, unsigned int number);

__attribute__((format(printf, 2, 3))) void matrix_trouble(struct matrix *matrix, const char *format,
							  ...);
void matrix_judge(struct matrix *matrix, const struct report *rows, const struct report *controls);
unsigned int matrix_count(const struct matrix *matrix, enum result result);
bool matrix_row_is_good(const struct matrix *matrix, unsigned int number);
bool matrix_control_is_good(const struct matrix *matrix, unsigned int number);
bool matrix_is_good(const struct matrix *matrix);
struct totals matrix_totals(const struct matrix *matrices, size_t count);
