/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/renew.h - the functions of a domain behind one unit go on in another map of it.
 */
#pragma once

#include "iommu/domain.h"

/* A place for a map of the unit's own, beside the one that it walks: choice->is_new. SP_NO_SPACE. */
SP_MUST_USE enum sp_status renew_choose(struct sp_host *host, struct sp_domain *domain,
					const struct unit *unit, struct map_choice *choice)
	MUST_HOLD(host->assign);

/*
 * Every entry of theirs leads to the map, which is complete, under another name, one store each; what was
 * remembered under the old name is paid for, and the old map leaves where nobody walks it any more. What
 * it costs depends on the functions, not on what is mapped. SP_NO_SPACE: nothing changed. SP_LOST: the
 * entries are replaced, what the unit may remember stays owed, and its map stays. Waits; no lock of a
 * domain held.
 */
SP_MUST_USE enum sp_status renew_move(struct sp_host *host, struct sp_domain *domain,
				      struct unit *unit, uint32_t map) MUST_HOLD(host->assign);
