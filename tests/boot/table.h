/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/table.h - a machine's matrix for a person to read.
 */
#pragma once

#include "matrix.h"

/* What the place where the output goes can show. */
struct terminal {
	bool is_terminal;
	bool has_colour;
	bool has_utf8;
};

/* Sets the locale; colours obey NO_COLOR and TERM=dumb. */
struct terminal terminal_find(FILE *output);

void table_print(const struct matrix *matrix, const struct terminal *terminal, FILE *output);
