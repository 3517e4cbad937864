/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/pages.c - table pages: the domain's budget, and the platform that gives them.
 *
 *   budget   first, under the lock: linked, in reserve, being filled and in limbo, all count
 *   take     from the platform, without any lock of a domain
 *   give     what is not used, and the budget with it
 */
#include "sync/change.h"

uint32_t pages_allow(struct sp_domain *domain, uint32_t wanted)
{
	uint32_t left = domain->table_budget > domain->tables_used
				? domain->table_budget - domain->tables_used
				: 0;

	if (left < wanted && !MUTANT(domain->host, SP_MUT_BUDGET_UNCHECKED))
		wanted = left;
	domain->tables_used += wanted;
	return wanted;
}

uint32_t pages_take(const struct sp_domain *domain, sp_mfn_t *page, uint32_t count)
{
	uint32_t taken = 0;

	while (taken < count &&
	       platform_frames_take(domain->host->embedder, domain->node, 0, &page[taken]) == SP_OK)
		taken++;
	return taken;
}

void pages_give(struct sp_domain *domain, const sp_mfn_t *page, uint32_t count)
{
	domain->tables_used -= count;
	while (count)
		platform_frames_give(domain->host->embedder, page[--count], 0);
}
