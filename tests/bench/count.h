/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/count.h - instructions, counted by callgrind: exact, and the same every time.
 *
 * The program runs under valgrind once and leaves a dump for each figure; the program that reports
 * reads them.
 */
#pragma once

#include "tests/bench/report.h"

bool count_is_possible(void); /* this runs under valgrind */
/* One figure: what the side does between stage_before() and stage_after(). */
void count_stage(const struct stage *stage, uint32_t row, uint32_t side);
/* What nothing costs: taken off every figure. */
void count_nothing(void);
/* Reads the dumps DUMPS.* into the rows; false where there is none. */
bool count_read(const char *dumps, struct row *rows, uint32_t count, const double *units);
