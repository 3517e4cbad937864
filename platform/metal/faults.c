/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/faults.c - what the units report, function by function.
 *
 *   |<------ one second ------>|
 *   say say say say count count .. count STOP count ..      the 32nd of a second is one too many
 *
 * A line costs more than a fault: a guest that may fault as it likes must not fill the log (XSA-5).
 */
#include "platform/metal/faults.h"

#include <stddef.h>

#define SECOND 1000000000ull

const struct faults_of *faults_find(const struct faults *faults, sp_sbdf_t function)
{
	for (uint32_t i = 0; i < faults->functions; i++) {
		if (faults->of[i].function.sbdf == function.sbdf)
			return &faults->of[i];
	}
	return NULL;
}

static struct faults_of *find_or_add(struct faults *faults, sp_sbdf_t function, uint64_t now)
{
	for (uint32_t i = 0; i < faults->functions; i++) {
		if (faults->of[i].function.sbdf == function.sbdf)
			return &faults->of[i];
	}
	if (faults->functions == FAULTS_FUNCTIONS)
		return NULL;
	faults->of[faults->functions] = (struct faults_of){ .function = function, .since = now };
	return &faults->of[faults->functions++];
}

enum faults_verdict faults_note(struct faults *faults, const struct sp_fault *fault, uint64_t now)
{
	struct faults_of *of = find_or_add(faults, fault->requester, now);

	if (of == NULL) {
		faults->uncounted++;
		return FAULTS_COUNT;
	}
	if (now - of->since >= SECOND) {
		of->since = now;
		of->recent = 0;
	}
	of->count++;
	of->recent++;
	if (of->recent >= FAULTS_STORM && !of->stopped) {
		of->stopped = true;
		return FAULTS_STOP;
	}
	return of->recent <= FAULTS_SAID && !of->stopped ? FAULTS_SAY : FAULTS_COUNT;
}
