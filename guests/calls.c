/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/calls.c - hypercalls from a program of the hostile guest, which guest.conf lets only its kernel
 * make: all of them are to be refused, also those that would be in order.
 *
 * "two: control calls-of-ring-3 REFUSED of TRIED" is its word; the hypervisor's is what counts.
 */
#include <stdio.h>

#include "guests/calls.h"

int main(void)
{
	struct calls_outcome outcome = { 0, 0 };

	calls_unknown(&outcome);
	for (uint64_t number = HYPERCALL_VERSION; number <= HYPERCALL_LAST; number++) {
		calls_foreign(&outcome, number);
		calls_try(&outcome, number, CALLS_FRAMES - 8, 1);
	}
	calls_get_unasked(&outcome);
	calls_foreign_functions(&outcome);
	calls_try(&outcome, HYPERCALL_FAULTS, 1 << 3, HYPERCALL_FAULT_COUNT);
	printf("two: calls of ring 3: %u tried, %u refused\n", outcome.tried, outcome.refused);
	return outcome.tried != outcome.refused;
}
