/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_oracle.h - what a map should hold: a flat array of frames, kept as sorted
 * pieces.
 *
 *   piece: [first, end) -> view.mfn, view.mfn + 1, ...   all with the same rights and memory type
 *
 * It knows nothing of tables and levels. Pieces that continue one another are one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pagetable/format.h"

#define ORACLE_PIECES 6000u

/* What one frame translates to. */
struct view {
	uint64_t mfn;
	uint32_t rights; /* 0: absent */
	enum memory_type memory;
};

struct piece {
	uint64_t first, end;
	struct view view; /* of the first frame */
};

struct oracle {
	uint32_t count;
	struct piece piece[ORACLE_PIECES];
};

static inline bool view_is_equal(struct view a, struct view b)
{
	return a.rights == b.rights && (!a.rights || (a.mfn == b.mfn && a.memory == b.memory));
}

void oracle_copy(struct oracle *to, const struct oracle *from);
struct view oracle_find(const struct oracle *oracle, uint64_t frame);
/* Frames from `frame` that continue what is there, hole or piece. */
uint64_t oracle_extent(const struct oracle *oracle, uint64_t frame);

/* Frames of [first, end) become `wanted`, counted up; rights 0 makes them absent. */
void oracle_map(struct oracle *oracle, uint64_t first, uint64_t end, struct view wanted);
/* Those that are present keep their frame and get the rights and memory type of `wanted`. */
void oracle_keep(struct oracle *oracle, uint64_t first, uint64_t end, struct view wanted);

/* Machine frames in runs, in order: for comparing what was lost with what was handed back. */
struct run {
	uint64_t mfn, count;
	uint32_t rights;
	enum memory_type memory;
};

struct runs {
	uint32_t count;
	struct run run[ORACLE_PIECES];
};

void runs_add(struct runs *runs, struct run run);
/* Sorts, and joins what continues. */
void runs_order(struct runs *runs);
bool runs_are_equal(const struct runs *a, const struct runs *b);

/* What `before` maps and `after` does not map to the same frame, appended. */
void oracle_lost(const struct oracle *before, const struct oracle *after, struct runs *lost);
