/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/report.h - the lines of the serial log that a program reads. */
#pragma once

enum row_result {
	ROW_ARRIVES,
	ROW_CONTAINED,
	ROW_LEAKED,
	ROW_UNOBSERVABLE,
	ROW_MISSING,
	ROW_RESULT_COUNT,
};

/* `row <n> <result> "<evidence>"` */
__attribute__((format(printf, 3, 4))) void report_row(unsigned int row, enum row_result result,
						      const char *evidence, ...);

/* `control <n> <result> "<evidence>"` */
__attribute__((format(printf, 3, 4))) void report_control(unsigned int row, enum row_result result,
							  const char *evidence, ...);

/* `end rows` and `end controls`: nothing follows that a program reads. */
void report_end_rows(void);
void report_end_controls(void);
