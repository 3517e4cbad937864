/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/sync.h - the host, tickets, and what moves things forward.
 *
 * The library owns no thread and no timer. Changes are made by the calls of p2m.h and
 * passthrough.h; what a change owes (invalidations, and the frames that wait for them) is paid by
 * sp_progress(), which the embedder calls from idle and from a timer, and which every wait calls.
 */
#pragma once

#include <sallyport/platform.h>

struct sp_host;
struct sp_domain;

/* Sizes of the fixed tables of a host; 0 takes the default in brackets. */
struct sp_limits {
	uint32_t cpus;	  /* [8] at most SP_MAX_CPUS */
	uint32_t domains; /* [16] guests; quarantines are one a function and not counted here */
	uint32_t units;	  /* [8] at most 64; one domain's devices are behind 8 of them, or fewer */
	uint32_t functions; /* [64] PCI functions */
	uint32_t limbo; /* [1024] runs of frames that may wait, a guest; at least SP_STEP_SLOTS + 16
			 */
	uint32_t node;	/* where the library's own frames come from */
};

/*
 * One call writes at most this many slots that others see, or may see, and takes at most this many
 * table pages, a map; the path to a table not counted. Tables that it fills beside the tree are in
 * the second number alone.
 */
#define SP_STEP_SLOTS  512u
#define SP_STEP_TABLES 32u

/* Bytes that a host with these limits needs; 0 where a limit is beyond what can be. */
size_t sp_host_size(const struct sp_limits *limits);

/*
 * Makes a host in `memory` (16-byte aligned, at least sp_host_size() bytes, the embedder's until
 * the end). All state of the library is in there. NULL where memory or limits do not do.
 */
SP_MUST_USE struct sp_host *sp_host_create(void *memory, size_t bytes,
					   const struct sp_limits *limits, void *embedder);

/*
 * Frames that no map of a guest may ever hold, nor a device reach: the hypervisor's image, local
 * APICs, pages it traps. Units' registers are added by sp_iommu_start(). SP_NO_SPACE after 32
 * ranges. Before the first domain.
 */
SP_MUST_USE enum sp_status sp_host_forbid(struct sp_host *host, sp_mfn_t first, uint64_t count,
					  const char *why);

/* A point in a domain's ledger. A plain value; good until the domain is destroyed. */
struct sp_ticket {
	struct sp_domain *domain;
	uint64_t number;
};

/*
 * SP_OK: everything that the domain owed up to the ticket is paid, as far as sp_progress() has
 * seen. SP_PENDING: not yet. SP_LOST: an observer concerned was lost. Asking is wanting: what lazy
 * changes left untold up to the ticket is told now. Takes the domain's lock; interrupts on or off.
 */
SP_MUST_USE enum sp_status sp_poll(struct sp_host *host, struct sp_ticket ticket);

/*
 * Drives sp_progress() until sp_poll() has an answer. Interrupts on, no lock held. SP_OK or
 * SP_LOST.
 */
SP_MUST_USE enum sp_status sp_wait(struct sp_host *host, struct sp_ticket ticket);

/*
 * Posts what is owed, reads what was paid, hands back what is forgotten, merges small pages into
 * large ones: at most about `budget` table slots looked at, a domain. Answers the nanoseconds after
 * which it wants to be called again, 0 for at once, UINT64_MAX for nothing to do. Any CPU, no lock
 * held, interrupts on or off.
 */
uint64_t sp_progress(struct sp_host *host, uint32_t budget);

/*
 * Choose a defect to live with, in a build with -DSP_MUTANTS (lib/mutant.h has the numbers); else
 * SP_UNSUPPORTED.
 */
SP_MUST_USE enum sp_status sp_mutant_choose(struct sp_host *host, uint32_t mutant);
