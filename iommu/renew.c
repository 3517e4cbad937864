/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/renew.c - another root for devices: DMA cannot be repeated, so the new map is complete first.
 *
 *   new watch, new name, the same unit      from now on each change of the domain is told under both
 *   full barrier
 *   entries replaced, one store each        requests take the new map; there is no moment without one
 *   full barrier
 *   old watch: owes the entries, all that   posted, then waited for with no domain's lock held
 *   was translated under its name, caches
 *   of functions
 *   old watch ends, its map leaves          all have forgotten it
 */
#include "iommu/renew.h"

#include "iommu/attach.h"
#include "iommu/fence.h"
#include "iommu/names.h"
#include "memory.h"

enum sp_status renew_choose(struct sp_host *host, struct sp_domain *domain, const struct unit *unit,
			    struct map_choice *choice)
{
	const struct watch *watch;
	enum sp_status status = SP_NO_SPACE;

	(void)host;
	domain_take(domain);
	watch = attach_find_watch(domain, unit);
	for (uint32_t i = 1; watch && i <= MAX_UNITS && status != SP_OK; i++) {
		if (domain_has_map(domain, i))
			continue;
		*choice = (struct map_choice){ .index = i,
					       .is_new = true,
					       .levels = watch->map->tree.levels,
					       .frames = watch->map->tree.frames };
		status = SP_OK;
	}
	domain_drop(domain);
	return status;
}

struct renewal {
	struct watch *old, *fresh;
	struct map *old_map;
	uint16_t name, old_name;
};

static enum sp_status begin_watch(struct sp_domain *domain, struct unit *unit, uint32_t map,
				  struct renewal *renewal)
{
	enum sp_status status = name_take(unit, &renewal->name);

	if (status != SP_OK)
		return status;
	domain_take(domain);
	renewal->old = attach_find_watch(domain, unit);
	renewal->fresh =
		ledger_add_watch(domain, &unit->observer, &domain->maps[map], renewal->name);
	if (renewal->fresh) {
		renewal->old_map = renewal->old->map;
		renewal->old_name = renewal->old->name;
		for (uint32_t i = 0; i < renewal->old->atc_count; i++)
			renewal->fresh->atc[i] = renewal->old->atc[i];
		renewal->fresh->atc_count = renewal->old->atc_count;
	}
	domain_drop(domain);
	if (renewal->fresh)
		return SP_OK;
	name_give(unit, renewal->name);
	return SP_NO_SPACE;
}

static bool is_concerned(const struct function *function, const struct sp_domain *domain,
			 const struct unit *unit)
{
	return function->unit == unit && function->domain == domain;
}

static void replace_entries(const struct sp_host *host, const struct sp_domain *domain,
			    struct unit *unit, const struct renewal *renewal)
{
	const struct tree *tree = &renewal->fresh->map->tree;

	full_barrier();
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *function = &host->functions[i];
		const struct unit_entry entry = { tree->root, tree->levels, renewal->name,
						  function->ats };

		for (uint32_t j = 0;
		     is_concerned(function, domain, unit) && j < function->requester_count; j++)
			if (!fence_holds(unit, function->requester[j]))
				unit->ops->attach(unit, function->requester[j], &entry);
	}
	full_barrier();
}

/* Under the old name nothing is used any more. */
static struct sp_ticket owe(const struct sp_host *host, struct sp_domain *domain,
			    const struct unit *unit, const struct renewal *renewal)
{
	struct sp_ticket ticket = { domain, 0 };

	domain_take(domain);
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *function = &host->functions[i];

		for (uint32_t j = 0;
		     is_concerned(function, domain, unit) && j < function->requester_count; j++)
			ticket.number = ledger_enter_entry(domain, renewal->old,
							   function->requester[j], KIND_ASSIGN);
	}
	renewal->fresh->users = renewal->old->users;
	renewal->old->users = 0;
	renewal->old->atc_count = 0;
	/* A new domain id, and that is all: requests are looked up by their source (M8). */
	if (MUTANT(host, SP_MUT_RENEW_NAME_ALONE))
		renewal->old->gathering = (struct debt){ .owed = false };
	ledger_post(domain);
	domain_drop(domain);
	return ticket;
}

static void end_watch(struct sp_domain *domain, struct unit *unit, const struct renewal *renewal)
{
	domain_take(domain);
	renewal->old->gathering.owed = renewal->old->posted.owed = false;
	ledger_remove_watch(domain, renewal->old);
	domain_drop(domain);
	name_give(unit, renewal->old_name);
}

enum sp_status renew_move(struct sp_host *host, struct sp_domain *domain, struct unit *unit,
			  uint32_t map)
{
	struct renewal renewal;
	enum sp_status status = begin_watch(domain, unit, map, &renewal);

	if (status != SP_OK)
		return status;
	replace_entries(host, domain, unit, &renewal);
	status = sp_wait(host, owe(host, domain, unit, &renewal));
	if (status != SP_OK)
		return status;
	end_watch(domain, unit, &renewal);
	unit_map_leave(host, domain, (uint32_t)(renewal.old_map - domain->maps));
	return SP_OK;
}
