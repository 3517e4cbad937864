/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/plain/memory.h - every access to memory that another party sees: slots, entries, queues,
 * clocks.
 *
 * There are two of this file, chosen by include path, with the same functions: this one, and the
 * model's (platform/model/memory/memory.h), which shows each access to the model first. The core
 * includes "memory.h".
 *
 * x86: stores are seen in program order, so write_barrier() only stops the compiler; a load may
 * pass an earlier store to another address, which full_barrier() stops.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline uint32_t load32(const uint32_t *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static inline uint64_t load64(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static inline void store32(uint32_t *to, uint32_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

static inline void store64(uint64_t *to, uint64_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

/*
 * Sixteen bytes, aligned, in one store that no walker sees half of (SDM 3A 9.1.1; APM 2 7.3.2:
 * cmpxchg16b).
 */
static inline void store128(uint64_t *to, uint64_t low, uint64_t high)
{
	uint64_t old_low = to[0], old_high = to[1];
	bool done;

	do {
		__asm__ volatile("lock cmpxchg16b %1"
				 : "=@ccz"(done), "+m"(*(__uint128_t *)to), "+a"(old_low),
				   "+d"(old_high)
				 : "b"(low), "c"(high)
				 : "memory");
	} while (!done);
}

/*
 * A store straight to memory, past the caches (SDM 1 10.4.6.2; APM 1 3.9: movnti). Others see such
 * stores in any order, and may see later ones first, until past_cache_barrier().
 */
static inline void store64_past_cache(uint64_t *to, uint64_t value)
{
	__asm__ volatile("movnti %1, %0" : "=m"(*to) : "r"(value));
}

static inline void past_cache_barrier(void)
{
	__asm__ volatile("sfence" : : : "memory");
}

/* One store where *old is still there, else *old is what is. As a full barrier. */
static inline bool exchange64(uint64_t *to, uint64_t *old, uint64_t value)
{
	return __atomic_compare_exchange_n(to, old, value, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* Answers what was there. As a full barrier, for stores before it and loads behind. */
static inline uint32_t locked_add32(uint32_t *to, uint32_t value)
{
	return __atomic_fetch_add(to, value, __ATOMIC_SEQ_CST);
}

static inline void write_barrier(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void full_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
