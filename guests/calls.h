/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/calls.h - hypercalls that no guest should get by with, for both rings: every number, every
 * argument.
 */
#pragma once

#include <stdint.h>

#include "platform/metal/hypercall.h"

#define CALLS_FRAMES 0x8000ull /* of the hostile guest's memory: guests/two.conf */

/* How the garbage fared. */
struct calls_outcome {
	unsigned int tried, refused;
};

static inline int64_t call(uint64_t number, uint64_t first, uint64_t count)
{
	int64_t answer;

	__asm__ volatile("vmmcall" : "=a"(answer) : "a"(number), "b"(first), "c"(count) : "memory");
	return answer;
}

static inline void calls_try(struct calls_outcome *outcome, uint64_t number, uint64_t first,
			     uint64_t count)
{
	outcome->tried++;
	outcome->refused += call(number, first, count) < 0;
}

/* Edges: of its memory, of a call, of registers, of the machine's special addresses, of 64 bits. */
static const uint64_t calls_edges[] = {
	0,
	1,
	511,
	512,
	513,
	CALLS_FRAMES - 1,
	CALLS_FRAMES,
	CALLS_FRAMES + 1,
	0xb0000,
	0xfec00,
	0xfed80,
	0xfed90,
	0xfee00,
	0x100000,
	1ull << 31,
	1ull << 32,
	1ull << 40,
	1ull << 51,
	1ull << 52,
	1ull << 63,
	~0ull - 511,
	~0ull - 1,
	~0ull,
};
#define CALLS_EDGES (sizeof(calls_edges) / sizeof(calls_edges[0]))

/* What a guest that may call could be given: all that is within its memory. */
static inline int calls_are_within(uint64_t first, uint64_t count)
{
	return count != 0 && count <= HYPERCALL_PAGES_MAX && first < CALLS_FRAMES &&
	       count <= CALLS_FRAMES - first;
}

/* Numbers that are no call: small ones, single bits, all but single bits, and the calls' neighbours. */
static inline void calls_unknown(struct calls_outcome *outcome)
{
	for (uint64_t n = 0; n < 64; n++) {
		calls_try(outcome, n, 0, 1);
		calls_try(outcome, 1ull << n, 0, 1);
		calls_try(outcome, ~(1ull << n), 0, 1);
		calls_try(outcome, HYPERCALL_LAST + 1 + n, 0, 1);
		calls_try(outcome, HYPERCALL_VERSION - 1 - n, 0, 1);
		calls_try(outcome, HYPERCALL_GIVE | 1ull << 32 | n << 33, 0, 1);
	}
}

/* Every pair of edges, but for those that are within its memory. */
static inline void calls_foreign(struct calls_outcome *outcome, uint64_t number)
{
	for (unsigned int i = 0; i < CALLS_EDGES; i++) {
		for (unsigned int k = 0; k < CALLS_EDGES; k++) {
			if (!calls_are_within(calls_edges[i], calls_edges[k]))
				calls_try(outcome, number, calls_edges[i], calls_edges[k]);
		}
	}
}

/* Its functions as its bus has them: 00:01.0 to 00:03.0. */
static inline int calls_is_function(uint64_t name)
{
	return name == 1 << 3 || name == 2 << 3 || name == 3 << 3;
}

/* Functions that it has not, the host bridge among them, and what nobody can be asked. */
static inline void calls_foreign_functions(struct calls_outcome *outcome)
{
	for (uint64_t name = 0; name < 0x200; name++) {
		if (!calls_is_function(name))
			calls_try(outcome, HYPERCALL_FAULTS, name, HYPERCALL_FAULT_COUNT);
		calls_try(outcome, HYPERCALL_FAULTS, name, HYPERCALL_FAULT_ADDRESS + 1 + name);
		calls_try(outcome, HYPERCALL_FAULTS, name | 1ull << 32, HYPERCALL_FAULT_ADDRESS);
	}
	for (unsigned int i = 0; i < CALLS_EDGES; i++) {
		calls_try(outcome, HYPERCALL_FAULTS, calls_edges[i], HYPERCALL_FAULT_ADDRESS);
		calls_try(outcome, HYPERCALL_FAULTS, 1 << 3, calls_edges[i] | 2);
	}
}

/* Pages that it has: to get them once more would be to lose what is in them. */
static inline void calls_get_unasked(struct calls_outcome *outcome)
{
	for (uint64_t gfn = 0; gfn < CALLS_FRAMES; gfn += 97)
		calls_try(outcome, HYPERCALL_GET, gfn, 1);
}
