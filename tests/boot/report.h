/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/report.h - what the hypervisor says on its serial line.
 *
 *   row <n> <arrives|contained|leaked|unobservable|missing> "<evidence>"
 *   control <n> <leaked|contained|unobservable> "<evidence>"
 *   end rows | end controls
 *   refused: <reason>
 *
 * Every other line is for people and is passed over.
 */
#pragma once

#include "machines.h"

#include <stdio.h>

enum result {
	RESULT_MISSING, /* nothing was said */
	RESULT_ARRIVES,
	RESULT_CONTAINED,
	RESULT_LEAKED,
	RESULT_UNOBSERVABLE
};

enum report_kind {
	REPORT_ROWS,
	REPORT_CONTROLS
};

enum {
	EVIDENCE_SIZE = 512
};

struct finding {
	enum result result;
	char evidence[EVIDENCE_SIZE];
};

struct report {
	enum report_kind kind;
	struct finding rows[ROW_COUNT + 1];
	bool ended;
	unsigned int last; /* the row that was reported last, for progress */
	unsigned int line; /* lines read */
	unsigned int bad_lines;
	char first_bad[EVIDENCE_SIZE]; /* says which line and why */
	char refused[EVIDENCE_SIZE];   /* empty: it did not refuse */
};

const char *result_name(enum result result);
void report_start(struct report *report, enum report_kind kind);

/* Takes one line, with or without its end. */
void report_read_line(struct report *report, const char *line);

/* Reads the whole stream. */
void report_read(struct report *report, FILE *serial);
