/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/clock.h - who may still hold what was taken away: a clock that ticks with each flush.
 *
 *   clock      1      2      3      4      5          one tick before each flush begins
 *   observer   .      flushed = 3 -->.     .          the tick of its own last flush; 0: never
 *   page                     stamp = 3 or later       the clock when its slot had been cleared
 *
 * A flush covers what was stamped before its tick. What bears the same number may have been cleared
 * before the flush or behind it: nobody knows, so equality flushes.
 *
 * A clock of few bits comes round: it then stands at 0 until every observer has flushed, and whoever
 * asks meanwhile flushes. Stamps that are ahead of the clock are from before that, and all have flushed
 * since. The core's clocks have 64 bits and do not come round; the unit test has them of 4.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_BITS 64u

static inline uint64_t clock_next(uint64_t now, uint32_t bits)
{
	return (now + 1) & (UINT64_MAX >> (64 - bits));
}

/* True where an observer that flushed last at tick `flushed` may hold what was stamped `stamp`. */
static inline bool clock_must_flush(uint64_t now, uint64_t flushed, uint64_t stamp)
{
	if (now == 0 || flushed == 0)
		return true;
	return stamp <= now && flushed <= stamp;
}
