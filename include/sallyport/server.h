/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/server.h - emulators of devices (IOREQ servers) that are told by a ring in shared memory.
 *
 *   the library --entries, produced--> one page --doorbell--> the server
 *               <------- acknowledged ---------'              unmaps, then says the number
 *
 * A page for each server, which library and server both map. The library writes requests and never
 * reads them back; of what the server writes it reads one word, once a look, and believes it only if
 * it is a number that was asked and not yet answered, said after it was asked. So nothing that a
 * server writes there can harm anybody but its own domain's progress. That it really has let go is
 * what holds() says: the embedder's own book of the mappings that it made for the server.
 *
 * At most one request is under way, of at most SP_FORGET_RUNS entries; what comes meanwhile joins, in
 * runs or to everything. So the ring never fills.
 */
#pragma once

#include <sallyport/p2m.h>

#define SP_RING_VERSION 1u
#define SP_RING_ENTRIES 16u
#define SP_RING_ALL	UINT64_MAX /* a count: everything of the domain */

/* Guest frames to forget: `count` from `first` on. Entries of one request carry its number. */
struct sp_ring_entry {
	uint64_t first, count, number, reserved;
};

/* All zero, but for version and entries, when it begins. */
struct sp_ring {
	/* The library's. */
	uint32_t version, entries;
	uint64_t produced; /* entries ever written; entry n is at n % entries. Written last */
	uint64_t asked;	   /* number of the last request */
	uint64_t reserved[5];
	/* The server's: everything up to this number is unmapped, and nobody uses it any more. */
	uint64_t acknowledged;
	uint64_t reserved_too[7];
	/* The library's. */
	struct sp_ring_entry entry[SP_RING_ENTRIES];
};

_Static_assert(offsetof(struct sp_ring, acknowledged) == 64 &&
		       offsetof(struct sp_ring, entry) == 128 &&
		       sizeof(struct sp_ring) <= SP_FRAME_BYTES,
	       "each side writes lines of its own, and all is in one page");

struct sp_server_config {
	struct sp_ring *ring; /* page-aligned, there until the server is removed */
	bool no_ranges;	      /* it knows no ranges: it is always asked for everything */
	/*
	 * There is a request; the server reads it in the ring, `what` is for the embedder's own book. Must
	 * not wait, nor call the library. May be NULL. Lock: domain.
	 */
	void (*doorbell)(void *argument, const struct sp_forget *what);
	/* As in struct sp_observer_config. */
	bool (*holds)(void *argument);
	void *argument;
};

/*
 * As sp_observer_add(), for an emulator with a ring; the ring begins anew. It ends by
 * sp_observer_remove(); sp_observer_reached() is refused.
 */
SP_MUST_USE enum sp_status sp_server_add(struct sp_domain *domain,
					 const struct sp_server_config *config,
					 struct sp_observer **server);
