/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/scenario.h - what is measured, in which world, against which aim.
 *
 *   begin    the world is there: empty, a few tables, or 64 GiB full
 *     before  |  timed  |  after      once a round and side
 *   end
 */
#pragma once

#include "tests/bench/bench.h"

#define SCENARIO_COUNT 13
#define SIDES	       (1 + ROOFS * COMPILERS) /* the core, then A by gcc, A by clang, B ... */

enum work {
	WORK_MAP,
	WORK_UNMAP,  /* and settle */
	WORK_DETACH, /* the change alone: what is done under the lock */
	WORK_FIND,
	WORK_CLOSE
};

enum world {
	WORLD_EMPTY,
	WORLD_FEW, /* some leaf tables, kept by their last slot */
	WORLD_FULL
};

enum per {
	PER_CALL,
	PER_SLOT,
	PER_TABLE
};

struct scenario {
	const char *name;
	enum per per;
	enum work work;
	enum world world;
	uint32_t calls;
	uint64_t count; /* frames a call */
	bool cold;
	bool write_back;
	uint32_t rounds;
	char roof;     /* that the aim is told in */
	double aim;    /* times that roof; 0: none, or nanoseconds */
	double aim_ns; /* 0: none */
};

extern const struct scenario scenarios[SCENARIO_COUNT];

struct stage {
	const struct scenario *scenario;
	const struct subject *subject;
	struct side *side[SIDES];
	struct places places;
	uint64_t world_frames; /* of WORLD_FULL */
};

/* A walker that does not snoop is a unit with a format of its own. */
bool scenario_is_for(const struct scenario *scenario, const struct subject *subject);
/* `small`: enough to count instructions. */
void stage_begin(struct stage *stage, bool small);
void stage_end(struct stage *stage);
void stage_before(const struct stage *stage, struct side *side);
void stage_timed(const struct stage *stage, struct side *side);
void stage_after(const struct stage *stage, struct side *side);
/* By what a figure is divided: of a stage as timed, and of one operation as counted. */
double stage_units(const struct stage *stage);
double scenario_units(const struct scenario *scenario, const struct subject *subject);
/* Between timed and after: fails where the core's tables are not the rooflines'. */
void stage_check(const struct stage *stage);
