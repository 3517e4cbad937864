/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_opinion.h - a second opinion on every format: how its walkers read a slot.
 *
 * Written from the manuals, bit by bit, and not from pagetable/: a typing error in one is found
 * by the other. A slot that no walker could read, or that two walkers of one table read
 * differently, is BROKEN, and says why.
 */
#pragma once

#include "pagetable/format.h"

enum sight_kind {
	SIGHT_ABSENT,
	SIGHT_LEAF,
	SIGHT_TABLE,
	SIGHT_BROKEN
};

struct sight {
	enum sight_kind kind;
	uint64_t mfn;	 /* of the leaf's first frame, or of the table */
	uint32_t rights; /* what this slot allows; a walk allows what all its slots allow */
	enum memory_type memory;
	const char *why; /* SIGHT_BROKEN */
};

/* Level 0 has the 4 KiB leaves. */
typedef struct sight (*slot_reader)(uint32_t level, uint64_t slot);

struct opinion {
	const struct format *format;
	slot_reader cpu, device; /* NULL: does not walk it */
	uint32_t held_count;
	uint8_t held[32]; /* pairs of rights, as enum rights, that it can hold; of those who walk it */
	uint8_t accessed; /* number of the bit that hardware may set in leaves and links */
	uint8_t dirty;	  /* ... in leaves */
};

const struct opinion *opinion_of(const struct format *format);
struct sight opinion_read(const struct opinion *opinion, uint32_t level, uint64_t slot);

/* Every format once. */
#define OPINION_COUNT 7u
extern const struct opinion opinions[OPINION_COUNT];
