/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engines/e1000e.h - an Intel 82574 network controller, made to read and write memory on command.
 *
 *   e1000e_begin -> e1000e_progress ... SP_OK -> e1000e_start -> e1000e_progress ... SP_OK -> ..
 *
 * Freestanding, for guests of 32 or 64 bits, hypervisors and tools. A transfer is a frame that the
 * controller sends to itself: read at one bus address, written at another. It is in loopback
 * meanwhile, so nothing reaches the wire. Nothing here waits: the caller has the deadline.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sallyport/status.h>

#define E1000E_VENDOR	    0x8086u
#define E1000E_DEVICE	    0x10d3u
#define E1000E_BAR_BYTES    0x20000u
#define E1000E_MEMORY_BYTES 256u /* two rings */
#define E1000E_TRANSFER_MIN 60u	 /* a shorter frame would be padded */
#define E1000E_TRANSFER_MAX 1514u

enum e1000e_state {
	E1000E_RESETTING,
	E1000E_READY,
	E1000E_MOVING,
};

struct e1000e {
	/* The caller's, before e1000e_begin(). */
	uintptr_t registers; /* BAR 0, mapped uncached */
	void *memory;	     /* E1000E_MEMORY_BYTES, aligned to as many, in a row on the bus */
	uint64_t memory_bus;

	enum e1000e_state state;
	uint32_t written; /* bytes, by the last transfer that is over */
};

/* Resets the controller. SP_NOT_FOUND: its registers read as all ones. */
SP_MUST_USE enum sp_status e1000e_begin(struct e1000e *e1000e);

/* The next step. SP_PENDING: call again. SP_OK: ready; the last transfer is over. */
SP_MUST_USE enum sp_status e1000e_progress(struct e1000e *e1000e);

/*
 * Reads `bytes` at one bus address and writes them at another. SP_BUSY: not ready. SP_INVALID:
 * fewer than E1000E_TRANSFER_MIN or more than E1000E_TRANSFER_MAX.
 */
SP_MUST_USE enum sp_status e1000e_start(struct e1000e *e1000e, uint64_t from, uint64_t to,
					uint32_t bytes);

/* A transfer that does not end is given up: both directions off, ready for the next. */
void e1000e_abandon(struct e1000e *e1000e);
