/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/arena.h - table frames, as fast as they can be had: a bump, and a stack of what came
 * back.
 *
 *   base -> [ used | used | free | used |  ...never used yet...  ]
 *                            ^ on the stack      ^ top
 *
 * A frame comes dirty, as it was left. The rooflines take from here too, so that the price of a
 * frame is the same for all.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sallyport/address.h>

#define ARENA_FRAMES (1u << 17)
#define ARENA_MFN    (1ull << 20) /* of the first frame */

struct arena {
	unsigned char *base;
	uint32_t *free; /* stack */
	uint32_t free_count, top, used;
	uint32_t ever; /* the highest top there was */
};

void arena_make(struct arena *arena);
/* Nothing is used: the next frames are the first ones again, in order. */
void arena_rewind(struct arena *arena);
/* No line of any frame that was ever used stays in a cache. */
void arena_chill(struct arena *arena);
void arena_exhausted(void) __attribute__((cold, noreturn));
/* Writes the lines of these bytes to memory, and waits for it. */
void arena_write_back(const void *first, uint64_t bytes);

static inline uint64_t arena_take(struct arena *arena)
{
	arena->used++;
	if (arena->free_count)
		return ARENA_MFN + arena->free[--arena->free_count];
	if (arena->top == ARENA_FRAMES)
		arena_exhausted();
	return ARENA_MFN + arena->top++;
}

static inline void arena_give(struct arena *arena, uint64_t mfn)
{
	arena->used--;
	arena->free[arena->free_count++] = (uint32_t)(mfn - ARENA_MFN);
}

static inline uint64_t *arena_table(const struct arena *arena, uint64_t mfn)
{
	return (uint64_t *)(void *)(arena->base + (mfn - ARENA_MFN) * SP_FRAME_BYTES);
}
