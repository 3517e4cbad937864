/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/memory/memory.h - the twin of lib/plain/memory.h that shows every access to the model first.
 *
 * The model may do anything at such a moment: a device walks, a cache fills, an entry is used. What a walker
 * sees between two stores of the core is therefore tested, not argued.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Called before the access. The machine is the calling thread's current one (model.h). */
void model_before_load(const void *from, uint32_t bytes);
/* What this CPU loads, where memory holds `value`: another's store may not be seen yet. */
uint64_t model_after_load(const void *from, uint32_t bytes, uint64_t value);
void model_before_store(const void *to, uint32_t bytes);
void model_at_barrier(bool full);
/* After a store past the caches: it is on its way to memory; by the barrier at the latest it is there. */
void model_after_past_cache(const void *to);
void model_at_past_cache_barrier(void);
void model_at_locked(const void *at);

static inline uint32_t load32(const uint32_t *from)
{
	model_before_load(from, 4);
	return (uint32_t)model_after_load(from, 4, __atomic_load_n(from, __ATOMIC_ACQUIRE));
}

static inline uint64_t load64(const uint64_t *from)
{
	model_before_load(from, 8);
	return model_after_load(from, 8, __atomic_load_n(from, __ATOMIC_ACQUIRE));
}

static inline void store32(uint32_t *to, uint32_t value)
{
	model_before_store(to, 4);
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

static inline void store64(uint64_t *to, uint64_t value)
{
	model_before_store(to, 8);
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

/* One moment for the model: it looks before, never between the halves. */
static inline void store128(uint64_t *to, uint64_t low, uint64_t high)
{
	model_before_store(to, 16);
	__atomic_store_n(to, low, __ATOMIC_RELEASE);
	__atomic_store_n(to + 1, high, __ATOMIC_RELEASE);
}

static inline void store64_past_cache(uint64_t *to, uint64_t value)
{
	store64(to, value);
	model_after_past_cache(to);
}

static inline void past_cache_barrier(void)
{
	model_at_past_cache_barrier();
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Locked, as what is wider. */
static inline bool exchange64(uint64_t *to, uint64_t *old, uint64_t value)
{
	model_before_store(to, 16);
	return __atomic_compare_exchange_n(to, old, value, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static inline uint32_t locked_add32(uint32_t *to, uint32_t value)
{
	model_at_locked(to);
	return __atomic_fetch_add(to, value, __ATOMIC_SEQ_CST);
}

static inline void write_barrier(void)
{
	model_at_barrier(false);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void full_barrier(void)
{
	model_at_barrier(true);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
