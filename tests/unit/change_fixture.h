/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/change_fixture.h - a host, one guest's domain and units that answer when the test says so.
 *
 * The units keep every command they were told, for the test to read; the platform keeps what was
 * handed back. No hardware is modelled here: that is platform/model's work.
 */
#pragma once

#include "p2m/types.h"
#include "sync/domain.h"

#define FIXTURE_PAGES	 512
#define FIXTURE_MFN	 0x1000 /* of the first page */
#define FIXTURE_COMMANDS 64
#define FIXTURE_RUNS	 4096
#define FIXTURE_CPUS	 4

struct fixture_unit {
	struct observer observer; /* first */
	struct command command[FIXTURE_COMMANDS];
	uint32_t command_count, posts;
	uint64_t asked, reached;
	bool full; /* the queue has no room */
};

struct fixture {
	struct sp_host *host;
	void *arena;
	struct sp_domain *domain;
	struct fixture_unit unit[2];

	uint64_t page[FIXTURE_PAGES][512] __attribute__((aligned(4096)));
	bool page_used[FIXTURE_PAGES];
	uint32_t pages_used, takes, refuse_take; /* the n-th take is refused; 0: none */

	struct sp_forgotten run[FIXTURE_RUNS];
	uint32_t run_count;
	uint64_t frames_forgotten;
	uint32_t kicks, self;
	struct sp_cpu_set kicked;
	uint64_t now;
	char log[200];

	/* called before each relax: what the rest of the machine does while somebody waits */
	void (*meanwhile)(struct fixture *fixture);
};

struct fixture_looks {
	void (*before_load)(const void *from);
	void (*before_store)(const void *to);
	void (*at_full_barrier)(void);
};
extern struct fixture_looks fixture_looks;

/* A separate map for unit 0 (and 1): maps[1]; both columns as given. */
struct fixture *fixture_make(enum sp_tables tables, uint32_t units, enum observer_column column);
void fixture_free(struct fixture *fixture);

/* Everything posted to every unit counts as done. */
void fixture_answer(struct fixture *fixture);
/* All of it, waiting where the call asks for it. */
void fixture_map(struct fixture *fixture, uint64_t gfn, uint64_t mfn, uint64_t count,
		 enum sp_type type);
void fixture_unmap(struct fixture *fixture, uint64_t gfn, uint64_t count);
/* Progress until nothing is left to do. */
void fixture_settle(struct fixture *fixture);
void fixture_forget_commands(struct fixture *fixture);
/* How many of the frames [mfn, mfn + count) came back. */
uint64_t fixture_came_back(const struct fixture *fixture, uint64_t mfn, uint64_t count);
