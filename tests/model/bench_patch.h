/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench_patch.h - a guest's code is written over while its CPU executes it (A2.10, A2.11).
 *
 * Answers the first complaint, or NULL. Beside R and A there is C: a CPU executed what is neither the old
 * code nor the new (platform/model/code.c).
 */
#pragma once

#include "bench.h"

struct patch_case {
	uint32_t offset; /* in the first of two pages; another follows it */
	uint32_t count;
	bool large; /* they are pieces of a large page */
	bool alone; /* the guest's device has left */
};

const char *patch_run(struct bench *bench, const struct patch_case *wanted);
