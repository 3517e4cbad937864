/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/looking/memory.h - lets a test look before every store of the engine.
 *
 * Comes after "memory.h", whichever twin the include path has: from here on the engine's stores
 * are those below. A store that bypasses them is found too, because the fixture compares whole
 * pages.
 */
#pragma once

#include <stdint.h>

/*
 * The fixture's: called before the store, with the bits that it changes. What the store before it did
 * is visible by now.
 */
void look_before_store(const void *to, uint32_t bytes, uint64_t changes);

static inline void looking_store64(uint64_t *to, uint64_t value)
{
	look_before_store(to, sizeof(*to), __atomic_load_n(to, __ATOMIC_RELAXED) ^ value);
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

/* In memory by the barrier, not before: the fixture's look_at_barrier() takes it there. */
void look_at_barrier(const void *to);

static inline void looking_store64_past_cache(uint64_t *to, uint64_t value)
{
	looking_store64(to, value);
	look_at_barrier(to);
}

static inline void looking_past_cache_barrier(void)
{
	look_at_barrier(0);
}

#define store64(to, value)	      looking_store64(to, value)
#define store64_past_cache(to, value) looking_store64_past_cache(to, value)
#define past_cache_barrier()	      looking_past_cache_barrier()
