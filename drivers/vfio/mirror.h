/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vfio/mirror.h - a domain's map as the kernel's VFIO has it.
 *
 *   change, domain's lock held              sp_vfio_progress(), may sleep
 *   ---------------------------             -----------------------------
 *   forget(): what, then asked = n   --->   reads both; unmaps; answered = n; sp_observer_reached(n)
 *
 * forget() must not wait, and an ioctl may; so it leaves a note. There is one note at most: the next
 * comes after the answer. The lock is held across the kernel's calls, and ranks before the domain's.
 */
#pragma once

#include "drivers/vfio/book.h"

#include <pthread.h>
#include <stdatomic.h>

struct sp_vfio {
	struct sp_vfio_config config;
	struct sp_vfio_info info;
	struct sp_observer *observer;

	struct sp_forget what;	   /* written before asked, read after it */
	_Atomic uint64_t asked;	   /* the domain's lock */
	_Atomic uint64_t answered; /* lock */

	pthread_mutex_t lock;
	struct book book;	 /* lock */
	struct sp_ticket ticket; /* lock; of the last change that took something away */
};

/* unmap.c; lock. */

/* Asks the kernel, and takes them out of the book; SP_LOST, and they stay in it, where it does not do it. */
SP_MUST_USE enum sp_status unmap_pieces(struct sp_vfio *mirror, uint32_t first, uint32_t count);
/* How much of a piece the guest still has as it was mapped. */
enum left {
	LEFT_NOTHING,
	LEFT_PART,
	LEFT_ALL
};
enum left piece_left(const struct sp_vfio *mirror, const struct piece *piece);
/* The guest has some of it that lies outside of these frames. */
bool piece_is_left_outside(const struct sp_vfio *mirror, const struct piece *piece, uint64_t first,
			   uint64_t end);
