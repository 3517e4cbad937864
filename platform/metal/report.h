/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/report.h - the lines of the serial log that a program reads. */
#pragma once

#define EVIDENCE_BYTES 400u

enum row_result {
	ROW_ARRIVES,
	ROW_CONTAINED,
	ROW_LEAKED,
	ROW_UNOBSERVABLE,
	ROW_RESULT_COUNT,
};

/* What came of a row, and what was seen. */
struct finding {
	enum row_result result;
	char evidence[EVIDENCE_BYTES];
};

__attribute__((format(printf, 3, 4))) void report_find(struct finding *finding,
						       enum row_result result, const char *evidence,
						       ...);
const char *report_word(enum row_result result);

/* `row <n> <result> "<evidence>"`, and `control` likewise. */
void report_row(unsigned int row, const struct finding *finding);
void report_control(unsigned int row, const struct finding *finding);

/* `end rows` and `end controls`: nothing follows that a program reads. */
void report_end_rows(void);
void report_end_controls(void);
