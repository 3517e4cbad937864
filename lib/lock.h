/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/lock.h - the core's own lock.
 *
 * A ticket lock: first come, first served, so that nobody starves. Order: host->assign, host->lock,
 * domain, queue; a lock of a lower rank is never taken while one of a higher rank is held. Critical
 * sections are bounded and wait for nothing; but host->assign, which makes one assignment at a time,
 * is held while that waits for its own debt.
 */
#pragma once

#include <stdint.h>

#include <sallyport/platform.h>

#include "annotate.h"
#include "memory.h"

struct CAPABILITY("lock") lock {
	uint32_t next;	  /* the number the next taker draws */
	uint32_t serving; /* the number that may go in */
};

static inline void lock_take(struct lock *lock, void *embedder) TAKES(*lock) UNCHECKED
{
	uint32_t mine = locked_add32(&lock->next, 1);

	while (load32(&lock->serving) != mine)
		platform_relax(embedder);
}

/* Somebody is in, or waits: what it answers may be old the next moment. */
static inline bool lock_is_taken(const struct lock *lock)
{
	return load32(&lock->serving) != load32(&lock->next);
}

static inline void lock_drop(struct lock *lock) DROPS(*lock) UNCHECKED
{
	store32(&lock->serving, lock->serving + 1);
}
