/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/change.h - what change.c and those who do parts of its work tell each other.
 */
#pragma once

#include "sync/domain.h"

/* A change that somebody asked for. */
struct request {
	struct span span;
	struct target target;
	bool all;		/* every map, listed under the lock */
	bool down;		/* something is taken away */
	bool reserved;		/* may touch domain->reserved */
	bool beside;		/* tables may be built beside the trees */
	const uint64_t *sample; /* the caller's; NULL: none */
	const sp_mfn_t *gone;	/* of an exchange: the frames that it gives up */
	uint32_t count;
	struct wish wishes[1 + MAX_UNITS];
};

/* pages.c: table pages, from the platform and against the domain's budget. */

/* Takes up to `wanted` from the budget; answers how many. */
uint32_t pages_allow(struct sp_domain *domain, uint32_t wanted) MUST_HOLD(domain->lock);
/* How many the platform gave. No lock of a domain is held. */
uint32_t pages_take(const struct sp_domain *domain, sp_mfn_t *page, uint32_t count);
void pages_give(struct sp_domain *domain, const sp_mfn_t *page, uint32_t count)
	MUST_HOLD(domain->lock);

/* build.c: tables filled beside the trees, in a range that is claimed. */

struct build {
	uint32_t tables; /* for each map; 0: nothing is built */
	uint32_t claim;	 /* index in domain->claims */
	uint32_t pages;	 /* taken from the budget */
	uint64_t maps_added, generation;
	struct tree tree[1 + MAX_UNITS]; /* as it was; of each wish */
	uint64_t leaf[1 + MAX_UNITS];	 /* the first of all */
	sp_mfn_t page[SP_STEP_TABLES];
};

/* Claims what the request may have built; false: nothing. plan: of each wish, where it begins. */
bool build_begin(struct sp_domain *domain, const struct request *request, const struct plan *plan,
		 struct build *build) MUST_HOLD(domain->lock);
/*
 * Builds, and links it all. SP_PENDING: it was given up, nobody saw it, and the request is to be
 * tried without. lock: not held.
 */
enum sp_status build_beside(struct sp_domain *domain, struct request *request, struct build *build,
			    struct sp_result *result);

/* change.c */

/* Of the maps that are left (bit n: maps[n]), whichever is written first. */
uint32_t change_next_map(const struct sp_domain *domain, uint32_t left, bool down)
	MUST_HOLD(domain->lock);
/* In the order in which they are written: on the way up the device's map first, else the CPU's. */
void change_list_maps(const struct sp_domain *domain, struct request *request)
	MUST_HOLD(domain->lock);
/* Small pages of the span that became a run are merged when what was done is paid. */
void change_note_merge(struct sp_domain *domain, const struct target *target, struct span span)
	MUST_HOLD(domain->lock);
/* Somebody holds some of the span, for whatever reason; or the domain is no more. */
bool change_is_held_up(const struct sp_domain *domain, struct span span) MUST_HOLD(domain->lock);
/* What is settled goes back now; SP_BUSY, and the ticket of the last number. */
enum sp_status change_busy(struct sp_domain *domain, struct sp_result *result)
	MUST_HOLD(domain->lock);
/* What was entered is told. */
void change_post(struct sp_domain *domain) MUST_HOLD(domain->lock);

/* single.c: a change of one page in every map. False: it is more than that, and nothing was done. */
bool change_single(struct sp_domain *domain, uint64_t frame, const struct target *target, bool down,
		   const uint64_t *sample, struct sp_result *result);
