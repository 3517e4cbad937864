/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/steps.h - what a part shows, step by step: as lines of `make check`, and as JSON.
 *
 *   {"machines": [{"name", "qemu", "seconds", "steps": [{"step", "good", "evidence"}]}]}
 */
#pragma once

#include "nic.h"

#include <jansson.h>

/* The steps of one machine. */
struct steps {
	const char *part, *machine;
	const char *const *names;
	const struct nic_finding *found;
	unsigned int count;
	double seconds;
};

__attribute__((format(printf, 3, 4))) void steps_find(struct nic_finding *finding, bool good,
						      const char *format, ...);
bool steps_are_good(const struct steps *steps);
/* A line `ok` or `not ok` for each. */
void steps_print(const struct steps *steps, FILE *output);
/* An object, to which a part may add what it has beside its steps. */
json_t *steps_json(const struct steps *steps, const char *qemu);
/* Writes {"machines": list}, and drops the list. */
bool steps_write(const char *path, json_t *list);
