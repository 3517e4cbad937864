/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/cost.h - what changes cost on the model: commands, waits, kicks, time, slots under a
 * lock (X8).
 *
 *   ours         one call for the range; all observers are told, then waited for
 *   synchronous  a call for each page, and each observer is told when the one before has answered;
 *                nothing is lazy: each unmap is flushed, and waited for
 *
 * Time is the machine's: a unit takes COST_COMMAND_NS for each command, a CPU in guest mode
 * COST_KICK_NS to leave. What the core computes meanwhile takes none: make bench measures that.
 */
#pragma once

#include "bench.h"

#define COST_COMMAND_NS	 500u
#define COST_KICK_NS	 1600u

#define COST_CHURN_PAGES 64u
#define COST_CHURN_WAVES 8u

enum cost_work {
	COST_MAP_512, /* as 4K */
	COST_MAP_32768,
	COST_UNMAP_1,
	COST_UNMAP_16,
	COST_UNMAP_512,
	COST_UNMAP_32768,
	COST_SPLIT,  /* of 2 MiB, paid, and a piece made read-only */
	COST_MERGE,  /* the last page of 2 MiB arrives */
	COST_ATTACH, /* a function comes from quarantine */
	COST_DETACH, /* and goes back; without its reset */
	COST_CHURN,  /* pages come and go one by one, and after COST_CHURN_PAGES are wanted back */
	COST_CHURN_LAZY, /* the same trace; they go lazily */
	COST_WORK_COUNT
};

enum cost_policy {
	COST_OURS,
	COST_SYNCHRONOUS
};

struct cost_case {
	enum cost_work work;
	enum cost_policy policy;
	uint32_t mode; /* of bench_modes */
	uint32_t units;
	bool cpu_outside;
};

struct cost {
	uint32_t calls;
	uint32_t commands, required; /* without the waits */
	uint32_t waits, kicks;
	uint64_t ns;   /* until all is released */
	uint64_t held; /* slots written in the longest hold of a domain's lock */
	uint32_t read; /* of the model's transcript */
};

const char *cost_name(enum cost_work work);
/* From the command to the store of the wait behind it, or from the kick to the exit. */
uint64_t cost_round_trip(const struct cost_case *wanted);
/* The meter of `held`: this machine's stores count from now on; NULL: nobody's. */
void cost_watch_lock(struct model *model);
uint64_t cost_held(void);
/* On a machine of its own; asserts that no oracle objects. */
struct cost cost_measure(const struct cost_case *wanted);
