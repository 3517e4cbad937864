/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/renew.c - all that a unit has of a domain becomes obsolete at once, and its devices go on.
 *
 *   another map      of the unit's own, in the domain's list: from now on each change writes it too
 *   filled           from the CPU's map, beside the one that is walked (fill.c), reserved ranges too
 *   renew_move()     entries, one store each; what was remembered is paid for; the old map leaves
 *
 * Never a hole for DMA: an entry leads to the one complete map or to the other.
 */
#include <sallyport/passthrough.h>

#include "iommu/renew.h"
#include "passthrough/fill.h"
#include "passthrough/reserved.h"
#include "pci/function.h"

static enum sp_status renew(struct sp_host *host, struct sp_domain *domain,
			    const struct function *function) MUST_HOLD(host->assign)
{
	struct unit *unit = function->unit;
	struct map_choice choice;
	enum sp_status status = renew_choose(host, domain, unit, &choice);

	if (status == SP_OK)
		status = unit_map_open(host, domain, unit, &choice);
	if (status == SP_OK && !MUTANT(host, SP_MUT_RENEW_EMPTY))
		status = fill_map(domain, choice.index, choice.frames);
	if (status == SP_OK && !MUTANT(host, SP_MUT_RENEW_EMPTY))
		status = reserved_refresh(host, domain);
	if (status == SP_OK) {
		unit_map_filled(host, domain, choice.index);
		status = renew_move(host, domain, unit, choice.index);
	}
	/* What nobody came to walk. */
	if (status != SP_OK && status != SP_LOST)
		unit_maps_leave(host, domain);
	return status;
}

enum sp_status sp_device_renew(struct sp_domain *domain, sp_sbdf_t sbdf)
{
	struct sp_host *host = domain->host;
	const struct function *function = function_find(host, sbdf);
	enum sp_status status = SP_INVALID;

	if (!function)
		return SP_NOT_FOUND;
	lock_take(&host->assign, host->embedder);
	if (host->started && !domain->quarantine && function->unit && function->domain == domain)
		status = observer_is_lost(&function->unit->observer)
				 ? SP_LOST
				 : renew(host, domain, function);
	lock_drop(&host->assign);
	return status;
}
