/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/domain.h - which map of a domain a unit walks: the CPU's where it can, another unit's, or
 * one of its own.
 */
#pragma once

#include "iommu/unit.h"

struct map_choice {
	uint32_t index;	 /* in domain->maps */
	bool is_new;	 /* not there yet */
	uint8_t levels;	 /* of the new one */
	uint64_t frames; /* how many the unit can address through it */
};

/* Only who holds host->assign adds or removes maps. SP_UNSUPPORTED, SP_NO_SPACE. */
SP_MUST_USE enum sp_status unit_map_choose(struct sp_host *host, struct sp_domain *domain,
					   const struct unit *unit, struct map_choice *choice)
	MUST_HOLD(host->assign);

/* The one map of a new quarantine. */
SP_MUST_USE enum sp_status unit_map_first(struct sp_host *host, struct sp_domain *quarantine,
					  const struct unit *unit) MUST_HOLD(host->assign);

/*
 * A new map enters the domain's list, empty and `filling`: from now on every change writes it too.
 */
SP_MUST_USE enum sp_status unit_map_open(struct sp_host *host, struct sp_domain *domain,
					 const struct unit *unit, const struct map_choice *choice)
	MUST_HOLD(host->assign);
void unit_map_filled(struct sp_host *host, struct sp_domain *domain, uint32_t index)
	MUST_HOLD(host->assign);

/*
 * A map that no unit watches any more leaves the list, and its tables come back. Not the CPU's.
 * Waits.
 */
void unit_map_leave(struct sp_host *host, struct sp_domain *domain, uint32_t index)
	MUST_HOLD(host->assign);
/* Each of them: an earlier one may have had to stay for a unit that was lost. */
void unit_maps_leave(struct sp_host *host, struct sp_domain *domain) MUST_HOLD(host->assign);

/*
 * domain_change_maps() until all is done; *ticket is the last. Waits where it
 * must. What was done stays on failure.
 */
SP_MUST_USE enum sp_status unit_map_change(struct sp_domain *domain, struct span span,
					   struct wish *wishes, uint32_t count,
					   struct sp_ticket *ticket);
