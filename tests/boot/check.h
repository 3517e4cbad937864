/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/check.h - every row, control and refusal as a line of `make check`.
 */
#pragma once

#include "matrix.h"

/* How many tests one machine is, without what goes wrong beside the rows. */
unsigned int check_count(void);

/* Prints `ok` and `not ok` lines; true when no test failed. */
bool check_matrix(const struct matrix *matrix, FILE *output);
bool check_probe(const struct probe *probe, const char *amiss, FILE *output);
