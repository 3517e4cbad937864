/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/parts.h - what is booted beside the matrix. */
#pragma once

#include "run.h"

enum {
	MACHINE_LIMIT = 16
};

struct choice;

struct part {
	const char *name;
	const struct machine *machines;
	const size_t *machine_count;
	bool (*run)(const struct runner *runner, const struct choice *choice);
};

/* What the command line asks for. */
struct choice {
	bool is_check;
	const struct part *part; /* NULL: the matrix */
	bool has_probes;	 /* of a check of all machines */
	size_t count;
	const struct machine *machines[MACHINE_LIMIT];
};

/* NULL: there is none of this name. */
const struct part *part_find(const char *name);
