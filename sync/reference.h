/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/reference.h - the counts of sallyport/exchange.h, as changes keep them.
 *
 *   lock     plan -> references_check()   may refuse, has counted nothing
 *                    references_take()    what comes, and what may be remembered of what goes
 *            commit
 *            limbo_put() -> references_drop()             what went
 *   ...      limbo_settle() -> references_forget()        nobody remembers it
 */
#pragma once

#include <sallyport/exchange.h>

#include "sync/domain.h"

enum {
	FRAME_LEAVES = 1,    /* exchanged, and not yet forgotten */
	FRAME_READ_ONLY = 2, /* sp_frame_forbid_write() */
	FRAME_SEEN = 4	     /* while a list is checked for doubles */
};

/* One change of a guest whose frames are counted: at most SP_STEP_SLOTS of them. */
struct counted {
	struct span span;
	const struct target *target;
	const sp_mfn_t *gone; /* of an exchange; else NULL */
	uint32_t revoked_count;
	uint64_t revoked[SP_STEP_SLOTS / 64]; /* bit n: frame n stays, and may be written no more */
};

static inline bool references_are_kept(const struct sp_domain *domain)
{
	return domain->host->counted && domain->type_of;
}

/* NULL: it is not counted. Lock: host->counting. */
struct sp_frame *references_of(struct sp_host *host, uint64_t mfn);

/* SP_OK, SP_REFERENCED, SP_NOT_FOUND, SP_INVALID; also how many frames will be revoked. */
enum sp_status references_check(struct sp_domain *domain, struct counted *counted)
	MUST_HOLD(domain->lock);
void references_take(struct sp_domain *domain, struct counted *counted) MUST_HOLD(domain->lock);
/* Frames that stay wait in limbo too, until nobody remembers that they could be written. */
void references_note_revoked(struct sp_domain *domain, const struct counted *counted,
			     uint64_t number) MUST_HOLD(domain->lock);
/* Leaves of these rights are gone; a subtree's too. */
void references_drop(struct sp_domain *domain, const struct let_go *gone, uint32_t map)
	MUST_HOLD(domain->lock);
/* Nobody remembers them. `dropped`: references_drop() was called for them. */
void references_forget(struct sp_host *host, uint64_t mfn, uint64_t count, uint32_t rights,
		       bool dropped);
