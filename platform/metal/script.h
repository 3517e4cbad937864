/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/script.h - commands with the second at which each is due.
 *
 *   12 release first 0000:00:03.0     once, at second 12
 *   3/1 stats                         from second 3 on, each second
 *
 * Lines are in the order of their seconds; those without one are comments.
 */
#pragma once

#include "platform/metal/conf_text.h"

#define SCRIPT_REPEATS 4u

struct script {
	struct conf_text rest; /* what is not yet due */
	uint32_t repeats;
	struct script_repeat {
		struct conf_text line;
		uint64_t due, every; /* seconds */
	} repeat[SCRIPT_REPEATS];
};

void script_begin(struct script *script, struct conf_text text);

/* A line that is due so many nanoseconds after the beginning; false: none is. A repeat too many is carried out once. */
bool script_next(struct script *script, uint64_t nanoseconds, struct conf_text *line);
