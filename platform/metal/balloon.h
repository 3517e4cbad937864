/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/balloon.h - memory that leaves a running guest, and comes again.
 *
 *   give       page --unmap, wait--> frame --.              .--> the free frames
 *   exchange   page --another frame, wait--> +-> forgotten -+
 *                                                           '--> the receiver, filled with a canary
 *   get        hole <--map-- a free frame, zeroed
 *
 * A frame goes on only when the library has handed it back: until then a device may write to it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <sallyport/p2m.h>

#include "platform/metal/hypercall_check.h"

struct vm;

/* A guest's part of it. */
struct balloon {
	enum call_right right;		/* guest.conf's `balloon` */
	_Atomic uint64_t wanted;	/* the monitor's wish, in all */
	_Atomic uint64_t left;		/* frames that left it, given or exchanged */
	_Atomic(struct vm *) receiver;	/* of what leaves; NULL: nobody */
	_Atomic uint64_t received;	/* pages from others, from BALLOON_FIRST_GFN on */
	uint32_t mutant;		/* of lib/mutant.h: tests only */
	uint64_t given, got, exchanged; /* the guest's lock */
	uint32_t refused;		/* a bit for each error that was logged; the guest's lock */
};

/* Where pages from others appear: 4 GiB, behind all that a guest of ours can have. */
#define BALLOON_FIRST_GFN 0x100000ull

/* The guest's block, from now on frame by frame in one book. */
void balloon_begin(struct vm *vm, sp_mfn_t first, uint64_t count);
/* Its domain is gone: every frame that is still its own is free. */
void balloon_end(struct vm *vm);

/* For hypercalls that were checked (hypercall_check.h), on a CPU of the guest's, with its lock. How many pages, or an error of hypercall.h. */
int64_t balloon_give(struct vm *vm, uint64_t gfn, uint64_t count);
int64_t balloon_get(struct vm *vm, uint64_t gfn, uint64_t count);
int64_t balloon_exchange(struct vm *vm, uint64_t gfn, uint64_t count);

/* One page of any guest's: mapped (frame NULL: unmapped), to the end, and paid. */
enum sp_status balloon_change(struct vm *vm, uint64_t gfn, const sp_mfn_t *frame);
/* RAM of the guest's, by a frame that is its own. */
bool balloon_find_own(struct vm *vm, uint64_t gfn, sp_mfn_t *frame);

/* For the monitor. The guest is asked for so many pages more; `receiver` gets them, NULL: nobody. */
void balloon_ask(struct vm *vm, uint64_t pages, struct vm *receiver);

/*
 * CPU 0. Looks at the canaries, and says once of each that is broken; `all` says how they stand.
 * False: one is broken.
 */
bool balloon_check(bool all);
