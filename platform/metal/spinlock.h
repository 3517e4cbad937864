/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/spinlock.h - a lock of the platform itself; held with interrupts off, briefly. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "platform/metal/x86.h"

struct spinlock {
	atomic_bool held;
};

/* Returns whether interrupts were on, for spinlock_drop() to put back. */
static inline bool spinlock_take(struct spinlock *lock)
{
	bool were_on = interrupts_save();

	while (atomic_exchange_explicit(&lock->held, true, memory_order_acquire))
		pause();
	return were_on;
}

static inline void spinlock_drop(struct spinlock *lock, bool were_on)
{
	atomic_store_explicit(&lock->held, false, memory_order_release);
	interrupts_restore(were_on);
}

static inline bool spinlock_is_held(struct spinlock *lock)
{
	return atomic_load_explicit(&lock->held, memory_order_relaxed);
}
