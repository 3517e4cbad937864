/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/counting/memory.h - the plain memory.h, and a count of what this thread stores.
 *
 * The accesses are the plain one's own: ThreadSanitizer judges what the library does, not a twin of
 * it.
 */
#pragma once

#define store64 plain_store64
#include "lib/plain/memory.h"
#undef store64
#define store64_past_cache(to, value) store64(to, value)

extern _Thread_local uint64_t counted_stores;

static inline void store64(uint64_t *to, uint64_t value)
{
	counted_stores++;
	plain_store64(to, value);
}
