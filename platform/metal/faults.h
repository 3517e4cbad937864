/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/faults.h - what the units report: said of the first few, counted of all, and stopped
 * where it does not end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sallyport/iommu.h>

#define FAULTS_FUNCTIONS 64u
#define FAULTS_SAID	 4u  /* of one function, in one second */
#define FAULTS_STORM	 32u /* of one function, in one second: it is not going to stop */

/* What one function did. */
struct faults_of {
	sp_sbdf_t function;
	uint64_t count;
	uint64_t since; /* when the second began that `recent` counts in */
	uint32_t recent;
	bool stopped;
};

struct faults {
	uint32_t functions;
	uint64_t uncounted; /* of functions beyond FAULTS_FUNCTIONS */
	struct faults_of of[FAULTS_FUNCTIONS];
};

enum faults_verdict {
	FAULTS_SAY,
	FAULTS_COUNT, /* enough was said in this second */
	FAULTS_STOP,  /* once for each function: nobody needs to hear more, stop it */
};

enum faults_verdict faults_note(struct faults *faults, const struct sp_fault *fault, uint64_t now);

/* NULL: none so far. */
const struct faults_of *faults_find(const struct faults *faults, sp_sbdf_t function);
