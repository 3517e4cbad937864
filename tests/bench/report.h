/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/report.h - rows of results: to read, to keep, to compare.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "tests/bench/scenario.h"

struct figure {
	double ns, p10;	     /* a unit of the scenario; below 0: not measured */
	double instructions; /* below 0: not counted */
};

struct row {
	const struct scenario *scenario;
	const struct subject *subject;
	struct figure core, roof[ROOFS][COMPILERS];
	double bytes_a_gib; /* of tables; below 0: not of this row */
};

#define ROW_MAX (SCENARIO_COUNT * SUBJECT_COUNT)

/* Where the side's figure goes. */
struct figure *row_figure(struct row *row, uint32_t side);

/* Of the two compilers' the least of each: nobody asks for more than the machine was seen to do. */
struct figure row_roof_of(const struct row *row, uint32_t roof);
/* The one that the aim of the row is told in. */
struct figure row_roof(const struct row *row);
/* Of the core to that roof; below 0 where one of them was not measured. */
double row_ratio(const struct row *row);
/* As people write it: "<= 1.5 A". */
void row_aim(const struct row *row, char *text, size_t bytes);
/* 1 reached, 0 missed, -1 nobody can tell, or no aim. */
int row_verdict(const struct row *row);
const char *row_path(const struct row *row);
const char *row_unit(const struct row *row);
const char *cpu_name(void);

void report_table(const struct row *rows, uint32_t count, FILE *output);
void report_json(const struct row *rows, uint32_t count, const char *path);
/* One report of several; drawn where `svg` says. */
void report_join(const char *path, const char *svg, char **parts, uint32_t count);
void report_svg(const json_t *list, const char *path);
/*
 * Compares two files by their instruction counts; true where nothing became slower by more than
 * one in a hundred.
 */
bool report_compare(const char *base, const char *now, FILE *output);

/* ---- hold.c: make check ---- */

/* A dozen operations, each by a few paths. */
bool row_is_held(const struct scenario *scenario, const struct subject *subject);
void hold_write(const struct row *rows, uint32_t count, FILE *output);
/* TAP; true where no count is more than a tenth above the table's. */
bool hold_check(const struct row *rows, uint32_t count, const char *path, FILE *output);
