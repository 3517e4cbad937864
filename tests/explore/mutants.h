/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/mutants.h - which negative controls the explorer must find by itself.
 */
#pragma once

#include "explore.h"

struct explored_mutant {
	enum sp_mutant mutant;
	const char *name;
	const char *why_not; /* NULL: it is found */
};

extern const struct explored_mutant explored_mutants[];
extern const uint32_t explored_mutant_count;
