/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/spinlock.h - a lock of the platform itself; held with interrupts off, briefly.
 *
 * In the order of who came: CPUs of a guest that want it again and again keep CPU 0 waiting for one turn
 * each, not for ever.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/metal/x86.h"

struct spinlock {
	_Atomic uint32_t next; /* the number that the next who comes takes */
	_Atomic uint32_t now;  /* whose turn it is; who has the lock writes */
};

/* Returns whether interrupts were on, for spinlock_drop() to put back. */
static inline bool spinlock_take(struct spinlock *lock)
{
	bool were_on = interrupts_save();
	uint32_t number = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

	while (atomic_load_explicit(&lock->now, memory_order_acquire) != number)
		pause();
	return were_on;
}

static inline void spinlock_drop(struct spinlock *lock, bool were_on)
{
	uint32_t number = atomic_load_explicit(&lock->now, memory_order_relaxed);

	atomic_store_explicit(&lock->now, number + 1, memory_order_release);
	interrupts_restore(were_on);
}

static inline bool spinlock_is_held(struct spinlock *lock)
{
	return atomic_load_explicit(&lock->now, memory_order_relaxed) !=
	       atomic_load_explicit(&lock->next, memory_order_relaxed);
}
