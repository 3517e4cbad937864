/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/summary.h - what parts have left in OUT/PART.json, as one table.
 *
 *   PART  MACHINE        ROWS  SEEN  SECONDS  WHAT
 *   nic   amdvi-shared      7     7       12  500 sent, 500 came back
 *
 * ROWS that were run, how many of them are as they should be and could be SEEN, and the row that says most.
 */
#pragma once

#include "run.h"

#include <jansson.h>

/* Of one machine of a part. */
struct summary_line {
	unsigned int rows, seen, bad; /* neither seen nor bad: this QEMU does not show it */
	double seconds;		      /* 0: nobody measured */
	char what[EVIDENCE_SIZE];
};

/* The n-th machine of a part's file; false: it has no so many. `machine` is its name. */
bool summary_read(const json_t *file, const char *part, size_t n, char *machine, size_t size,
		  struct summary_line *line);

/* False: a part has no file, or one that is none; it is said which. */
bool summary_print(const char *out, char **parts, size_t count, const struct terminal *terminal,
		   FILE *output);
