/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/root.c - invalidate everything: the CPU's map goes on from another root, an empty one.
 *
 *   page, cleared                    no lock; refused: nothing has changed
 *   lock   may it be? limbo has room? else SP_BUSY, and nothing has changed
 *          root, generation          two words; whoever enters, looks up or faults from now on sees them
 *          ledger, limbo             a number, one entry: the old root and all that is under it
 *          post                      CPUs are asked
 *   drop   kick
 *   ...    forgotten by all: taken apart in bounded steps, and nobody is told anything for it (limbo.c)
 *
 * What it costs depends on the CPUs, never on what is mapped. It is for maps that faults fill again;
 * DMA cannot be repeated, so where a device walks, or has a map of its own, it is refused.
 */
#include "memory.h"
#include "sync/change.h"

/* A unit walks one of the maps, or is just about to. */
static bool has_units(const struct sp_domain *domain) MUST_HOLD(domain->lock)
{
	bool has = (domain->mapped & ~1u) != 0 || !span_is_empty(domain->reserving);

	for (uint32_t left = domain->watching; left; left &= left - 1)
		has |= watch_is_units(&domain->watches[lowest_bit(left)]);
	return has;
}

static enum sp_status check(struct sp_domain *domain, uint32_t life, struct sp_result *result)
	MUST_HOLD(domain->lock)
{
	if (domain->state != DOMAIN_LIVE || domain->life != life)
		return SP_INVALID;
	if (has_units(domain)) {
		/* No ticket of a change helps: a device has to leave. */
		result->ticket.domain = NULL;
		return SP_BUSY;
	}
	return limbo_room(domain) ? SP_OK : change_busy(domain, result);
}

/* Against the budget, as every table: SP_OK, and *life and *tree are the domain's. */
static enum sp_status allow_root(struct sp_domain *domain, uint32_t *life, struct tree *tree,
				 struct sp_result *result)
{
	enum sp_status status;

	domain_take(domain);
	*life = domain->life;
	*tree = domain->maps[0].tree;
	status = check(domain, *life, result);
	if (status == SP_OK && !pages_allow(domain, 1))
		status = domain->limbo.count ? change_busy(domain, result) : SP_NO_MEMORY;
	domain_drop(domain);
	return status;
}

static void begin_anew(struct sp_domain *domain, sp_mfn_t root, struct sp_result *result)
	MUST_HOLD(domain->lock)
{
	struct map *map = &domain->maps[0];
	struct stale stale;

	stale_begin(&stale, domain->gone, domain->gone_max);
	tree_begin_anew(&map->tree, root, &stale);
	store64(&domain->generation, domain->generation + 1);
	domain->merge = (struct span){ 0, 0 };
	result->ticket.number = ledger_enter(domain, map, &stale);
	limbo_put(domain, 0, &stale, result->ticket.number);
	change_post(domain);
}

enum sp_status domain_begin_anew(struct sp_domain *domain, struct sp_result *result)
{
	enum sp_status status;
	struct tree tree;
	uint32_t life;
	sp_mfn_t root;
	bool taken;

	*result = (struct sp_result){ .ticket = { domain, 0 } };
	status = allow_root(domain, &life, &tree, result);
	if (status != SP_OK)
		return status;
	taken = pages_take(domain, &root, 1) == 1;
	if (taken)
		tree_clear(&tree, root);
	domain_take(domain);
	/* Others may have come meanwhile, and the domain may be another's by now. */
	status = taken ? check(domain, life, result) : SP_NO_MEMORY;
	if (status == SP_OK)
		begin_anew(domain, root, result);
	else if (domain->life == life)
		domain->tables_used--;
	domain_drop(domain);
	if (taken && status != SP_OK)
		platform_frames_give(domain->host->embedder, root, 0);
	return status;
}
