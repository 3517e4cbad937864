/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m/pv.h - frames of a guest with direct paging: what each is used as, and how often.
 *
 *   NONE --devices may write--> WRITABLE --that is forgotten--> NONE       p2m: read-only, writable
 *     |
 *     +--validated, slot by slot--> L1 .. L4 --last use ends--> taken apart --forgotten--> NONE
 */
#pragma once

#include "sync/domain.h"

struct pv_frame {
	bool is_owned, pinned;
	bool turning;	    /* devices are just given, or lose, the right to write: nobody else's */
	bool is_listed;	    /* in pv->apart */
	bool validating;    /* on the way down to where validation is: a cycle ends there */
	uint8_t type;	    /* enum sp_pv_type */
	uint16_t validated; /* tables: slots of which a reference is held, from the first */
	uint32_t uses;	    /* as its type: by entries, and by CPUs that have it loaded */
	uint32_t mapped;    /* by L1 entries */
	uint32_t next;	    /* in pv->apart: index + 1 */
	uint64_t number;    /* of the ledger: what it was before is not forgotten before that */
};

/* All of it: the domain's lock. */
struct pv {
	uint64_t first, count;
	uint32_t apart; /* tables that lost their last use: index + 1, the last to come first */
	struct pv_frame frame[];
};

/* What one hold of the lock may do, and what it met that cannot be done under it. */
struct pv_step {
	uint32_t budget; /* slots */
	uint64_t turn;	 /* SP_PENDING: devices are to ... */
	bool writable;	 /* ... get, or lose, the right to write this frame */
};

#define PV_STEP_SLOTS (8u * DIRECT_SLOTS)

bool pv_is_sound(const struct sp_pv_config *config);
void pv_open(struct sp_domain *domain, const struct sp_pv_config *config) MUST_HOLD(domain->lock);

/* NULL where it is not the domain's. */
struct pv_frame *pv_find(const struct sp_domain *domain, uint64_t mfn) MUST_HOLD(domain->lock);
uint64_t *pv_pointer(const struct sp_domain *domain, uint64_t mfn);

static inline bool pv_is_table(const struct pv_frame *frame)
{
	return frame->type >= SP_PV_L1;
}

/* Level of the entries in a table; 0: they lead to pages. */
static inline uint32_t pv_level(const struct pv_frame *frame)
{
	return frame->type - (uint32_t)SP_PV_L1;
}

static inline bool pv_is_own_slot(const struct sp_domain *domain, uint32_t level, uint32_t index)
{
	return level == DIRECT_ROOT && index >= domain->direct.linear_slot &&
	       index - domain->direct.linear_slot < domain->direct.own_slots;
}

/*
 * One use more as this type, for which the frame becomes it. SP_PENDING: what step->turn says comes
 * first, without the lock. SP_BUSY: the ledger's last number comes first, or another call. SP_INVALID,
 * SP_LOST. In all these cases nothing that counts has changed.
 */
enum sp_status pv_get_type(struct sp_domain *domain, uint64_t mfn, enum sp_pv_type type,
			   struct pv_step *step) MUST_HOLD(domain->lock);
void pv_put_type(struct sp_domain *domain, uint64_t mfn) MUST_HOLD(domain->lock);
/* The same of whatever an entry at this level leads to. */
enum sp_status pv_get_entry(struct sp_domain *domain, uint32_t level, uint64_t entry,
			    struct pv_step *step) MUST_HOLD(domain->lock);
void pv_put_entry(struct sp_domain *domain, uint32_t level, uint64_t entry) MUST_HOLD(domain->lock);
/* The last use of this table has ended. */
void pv_list_apart(struct sp_domain *domain, uint64_t mfn) MUST_HOLD(domain->lock);
/* Takes apart what is listed; false: not all of it yet. */
bool pv_take_apart(struct sp_domain *domain, struct pv_step *step) MUST_HOLD(domain->lock);
/* What step->turn says. SP_PENDING: try again what asked for it. lock: not held. */
enum sp_status pv_turn(struct sp_domain *domain, const struct pv_step *step,
		       struct sp_result *result);
