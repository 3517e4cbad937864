/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/attach.h - where a function's requests lead.
 */
#pragma once

#include "iommu/unit.h"
#include "pci/function.h"

/*
 * The two may be seen as one: they are behind the same unit, and a requester id of the one may come
 * from the other.
 */
bool attach_is_shared(const struct function *a, const struct function *b);

/*
 * Everything that may be refused before attach_move(): places for the function's entries, a name, a
 * watch of the domain's map. SP_NO_MEMORY, SP_NO_SPACE; what was taken is given back.
 */
SP_MUST_USE enum sp_status attach_prepare(struct sp_host *host, const struct function *function,
					  struct sp_domain *domain, uint32_t map)
	MUST_HOLD(host->assign);

/* The unit's watch of the domain, or NULL. */
struct watch *attach_find_watch(struct sp_domain *domain, const struct unit *unit)
	MUST_HOLD(domain->lock);

/* The first time, to its quarantine, before the unit translates: nothing is owed. */
void attach_first(struct sp_host *host, struct function *function) MUST_HOLD(host->assign);

/*
 * Replaces the function's entries and pays for the old ones; on return the unit remembers nothing
 * of the old domain for this function. SP_LOST: the entries are replaced, what the unit may
 * remember stays owed. No lock of a domain held; waits.
 */
SP_MUST_USE enum sp_status attach_move(struct sp_host *host, struct function *function,
				       struct sp_domain *domain, enum change_kind kind)
	MUST_HOLD(host->assign);

/*
 * An assigned function with one requester id that nobody shares, bus mastering off. On: SP_NO_SPACE,
 * SP_LOST. Off, also with every attach_move(): what its cache held is forgotten on return, unless
 * SP_LOST. Waits.
 */
SP_MUST_USE enum sp_status attach_set_ats(struct sp_host *host, struct function *function, bool on)
	MUST_HOLD(host->assign);
/* The function of `old` was seen to forget, by that or by its reset. */
void attach_end_ats(struct sp_host *host, struct function *function, struct sp_domain *old)
	MUST_HOLD(host->assign);

/* The unit's watch of a domain ends if it has no users and owes nothing; its name is given back. */
void attach_end_watch(struct sp_host *host, struct sp_domain *domain, struct unit *unit)
	MUST_HOLD(host->assign);
