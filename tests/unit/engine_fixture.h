/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_fixture.h - a machine of nothing but page-table pages, for the engine's
 * conformance suite.
 *
 *   oracle   what every frame should translate to
 *   page[]   what the CPU stored            <- a walker that snoops reads here
 *   seen[]   what was written back of it    <- a walker that does not
 *   shadow[] page[] as it was before the change
 *
 * machine_step() makes one prepare and one commit, and looks before every store of the engine.
 * What it finds wrong is kept in `verdict`, so that a test with a mutant can ask for it;
 * machine_change() fails the test on it.
 */
#pragma once

#include "tests/unit/looking/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/mutant.h"
#include "pagetable/engine.h"
#include "tests/unit/engine_opinion.h"
#include "tests/unit/engine_oracle.h"

#define POOL_PAGES  768u
#define POOL_FIRST  0xab0000ull /* mfn of page 0 */
#define PAGE_SLOTS  512u
#define SAMPLES_MAX 128u

/* One tree that the suite runs on. */
struct subject {
	const char *name;
	const struct format *format;
	uint8_t levels, leaf_levels;
	bool write_back;
};

#define SUBJECT_COUNT 22u
extern const struct subject subjects[SUBJECT_COUNT];

enum page_state {
	PAGE_FREE,
	PAGE_TAKEN, /* in the tree, or in a reserve */
	PAGE_GONE   /* let go: hardware may walk it, nobody writes it */
};

/* What is looked at between two stores. */
struct looks {
	bool on;
	bool forbidden; /* no store at all */
	bool visible;	/* since the last look something changed that a walker can see */
	uint32_t sample_count;
	uint64_t sample[SAMPLES_MAX];
	struct view before[SAMPLES_MAX], after[SAMPLES_MAX];
	uint64_t stores, live_stores, write_backs, count;
	const void *past_cache[PAGE_SLOTS * 4]; /* stored, not in memory yet */
	uint32_t past_cache_count;
	bool live[POOL_PAGES];	 /* linked when the change began */
	bool linked[POOL_PAGES]; /* linked since */
	uint64_t announced[POOL_PAGES][PAGE_SLOTS / 64];
};

struct machine {
	struct tree tree;
	uint32_t mutant; /* enum sp_mutant */
	const struct subject *subject;
	const struct opinion *opinion;
	uint64_t (*page)[PAGE_SLOTS];
	uint64_t (*seen)[PAGE_SLOTS];
	uint64_t (*shadow)[PAGE_SLOTS];
	uint8_t state[POOL_PAGES];
	uint32_t top; /* pages from here on were never taken */
	struct looks looks;
	struct oracle oracle, before, after;
	struct runs lost, released; /* what the oracle misses, what was handed back */
	struct let_go *pending;	    /* tables and subtrees not yet taken apart */
	uint32_t pending_count;
	struct let_go *gone; /* of the last step */
	uint64_t random, next_mfn;
	char verdict[200]; /* empty: nothing wrong */
};

/* One prepare and, where it was not refused, one commit. */
struct step {
	enum sp_status status;
	struct plan plan;
	bool is_one;	    /* it went the short way (pagetable/one.c) */
	struct stale stale; /* stale.gone is the machine's, until the next step */
	uint32_t tables;    /* pages used */
	uint64_t live_stores;
};

struct machine *machine_make(const struct subject *subject);
void machine_free(struct machine *machine);

void machine_blame(struct machine *machine, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void machine_assert_clean(const struct machine *machine);
uint64_t machine_random(struct machine *machine, uint64_t below);

/* Only prepare; blames a change of any byte. */
enum sp_status machine_prepare(struct machine *machine, uint64_t first, uint64_t end,
			       const struct target *target, struct plan *plan);
void machine_step(struct machine *machine, uint64_t first, uint64_t end,
		  const struct target *target, struct step *step);
/* Steps until the whole range is as wished, paying after each; fails the test on any verdict. */
enum sp_status machine_change(struct machine *machine, uint64_t first, uint64_t end,
			      const struct target *target);
void machine_map(struct machine *machine, uint64_t first, uint64_t count, uint64_t mfn,
		 uint32_t rights);
void machine_unmap(struct machine *machine, uint64_t first, uint64_t count);
bool machine_merge(struct machine *machine, uint64_t frame, uint32_t level, struct step *step);
bool machine_close(struct machine *machine, uint32_t slots, struct step *step);
/* Takes apart what was let go: what comes back must be what was lost. Budget 0: random ones. */
void machine_settle(struct machine *machine, uint32_t budget);

/* What the target makes of a frame, as this map can hold it. */
struct view machine_view(const struct machine *machine, const struct target *target, uint64_t mfn);
/* The pair of rights with everything this map can hold. */
uint32_t machine_all_rights(const struct machine *machine);
uint64_t machine_frames(const struct machine *machine);
uint32_t machine_slots(const struct machine *machine);
uint32_t machine_page(struct machine *machine, uint64_t mfn); /* POOL_PAGES: none, and blamed */
uint32_t machine_tables(const struct machine *machine);	      /* pages in the tree */
uint64_t machine_take_page(struct machine *machine);	      /* its mfn; comes dirty */
void machine_give_page(struct machine *machine, uint64_t mfn);

/* Where tests begin: aligned for a leaf of level 2, in the middle of a tree that has it. */
uint64_t machine_base(const struct machine *machine);
/* A leaf may stand at this level. */
bool machine_can(const struct machine *machine, uint32_t level);
uint64_t machine_span(const struct machine *machine, uint32_t level); /* frames of a slot */
uint64_t machine_fresh(struct machine *machine);	    /* an mfn as aligned as the base */
uint32_t machine_few_rights(const struct machine *machine); /* fewer than all, the same who walk */
void machine_keep_shadow(struct machine *machine);
bool machine_is_as_shadow(const struct machine *machine);

uint64_t (*machine_make_pages(void))[PAGE_SLOTS];

/* engine_looks.c */
void looks_use(struct machine *machine); /* whose stores are looked at */
void looks_begin(struct machine *machine, uint64_t first, uint64_t end);
void looks_end(struct machine *machine);
struct view looks_walk(struct machine *machine, uint64_t (*memory)[PAGE_SLOTS], uint64_t frame,
		       uint32_t *level);
/* Accessed and dirty bits appear, as hardware may set them at any time, in what it can reach. */
void looks_touch(struct machine *machine, uint64_t (*memory)[PAGE_SLOTS], uint64_t frame);

/* engine_verify.c: the whole tree, slot by slot, against the oracle and against itself. */
void verify_tree(struct machine *machine);
/* Every frame through tree_find(). */
void verify_find(struct machine *machine);
void verify_find_at(struct machine *machine, uint64_t frame);
/* What the change from shadow[] to page[] made stale, slot by slot; blames any difference. */
void verify_stale(struct machine *machine, const struct stale *stale);

/* A test that runs once for every subject. */
struct conformance_test {
	const char *name;
	void (*run)(void **state); /* *state is the subject */
};

int run_conformance(const char *group, const struct conformance_test *tests, uint32_t count);
