/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/build.c - large maps: tables are filled beside the trees, without the lock, then linked.
 *
 *   lock   plan; nothing is there: claim the range, with the ledger's next number
 *   drop
 *          pages from the platform, filled; whoever comes to the range gets SP_BUSY and that number
 *   lock   link: one store a table, device's map first; ledger; post; the claim ends
 *   drop
 *
 * The claim is what makes it right: nobody writes the slots that are found absent, until they are
 * linked. What it does not cover is looked at again: the domain may be ending, a map may have come
 * or gone, or begun anew, the table above may have been unlinked with its last neighbour. Then what was built goes
 * back to the platform, for nobody saw it, and the request is planned afresh. Whoever holds a claim
 * waits for nothing.
 */
#include "sync/change.h"

#define LEAST_TABLES 2u /* fewer are filled under the lock in one step anyway */

bool is_claimed(const struct sp_domain *domain, struct span span)
{
	for (uint32_t i = 0; domain->claimed && i < DOMAIN_CLAIMS; i++)
		if (domain->claims[i].number && spans_overlap(domain->claims[i].span, span))
			return true;
	return false;
}

static uint32_t find_free_claim(const struct sp_domain *domain) MUST_HOLD(domain->lock)
{
	uint32_t claim = 0;

	while (claim < DOMAIN_CLAIMS && domain->claims[claim].number)
		claim++;
	return claim;
}

/* Tables that every map can take. */
static uint32_t count_tables(const struct sp_domain *domain, const struct request *request,
			     const struct plan *plan) MUST_HOLD(domain->lock)
{
	uint32_t tables = SP_STEP_TABLES / request->count;

	for (uint32_t i = 0; i < request->count && tables; i++)
		tables = tree_count_beside(&domain->maps[request->wishes[i].map].tree, &plan[i],
					   request->span.end, tables);
	return tables;
}

bool build_begin(struct sp_domain *domain, const struct request *request, const struct plan *plan,
		 struct build *build)
{
	uint32_t claim = find_free_claim(domain);
	uint32_t tables = claim < DOMAIN_CLAIMS ? count_tables(domain, request, plan) : 0;
	uint64_t first = request->span.first;

	if (tables < LEAST_TABLES)
		return false;
	build->pages = pages_allow(domain, tables * request->count);
	build->tables = build->pages / request->count;
	if (build->tables < LEAST_TABLES) {
		domain->tables_used -= build->pages;
		build->tables = 0;
		return false;
	}
	build->claim = claim;
	build->maps_added = domain->maps_added;
	build->generation = domain->generation;
	for (uint32_t i = 0; i < request->count; i++) {
		build->tree[i] = domain->maps[request->wishes[i].map].tree;
		build->leaf[i] = tree_leaf_beside(&build->tree[i], &plan[i]);
	}
	domain->claims[claim] =
		(struct claim){ .span = { first, first + ((uint64_t)build->tables << span_order(
								  build->tree[0].format, 1)) },
				.number = ++domain->ledger };
	domain->claimed++;
	return true;
}

/* Each map's tables lie side by side in build->page. */
static void fill_tables(const struct request *request, const struct build *build)
{
	for (uint32_t i = 0; i < request->count; i++)
		for (uint32_t index = 0; index < build->tables; index++)
			tree_fill_beside(&build->tree[i], build->leaf[i], index,
					 build->page[i * build->tables + index]);
}

/* The domain has the maps that were built for, and each the table that links. */
static bool can_link(const struct sp_domain *domain, const struct request *request,
		     const struct build *build) MUST_HOLD(domain->lock)
{
	struct request now = *request;

	if (domain->state != DOMAIN_LIVE || domain->maps_added != build->maps_added ||
	    domain->generation != build->generation)
		return false;
	change_list_maps(domain, &now);
	if (now.count != request->count)
		return false;
	for (uint32_t i = 0; i < now.count; i++)
		if (now.wishes[i].map != request->wishes[i].map ||
		    !tree_can_link(&domain->maps[now.wishes[i].map].tree, request->span.first))
			return false;
	return true;
}

static void link_tables(struct sp_domain *domain, const struct request *request,
			const struct build *build, struct sp_result *result) MUST_HOLD(domain->lock)
{
	struct span span = domain->claims[build->claim].span;

	for (uint32_t i = 0; i < request->count; i++) {
		struct map *map = &domain->maps[request->wishes[i].map];
		struct stale stale;

		stale_begin(&stale, NULL, 0);
		tree_link_beside(&map->tree, span.first, &build->page[i * build->tables],
				 build->tables, &stale);
		(void)ledger_enter(domain, map, &stale);
	}
	result->done = span.end - span.first;
	result->ticket.number = domain->ledger;
	change_note_merge(domain, &request->wishes[0].target, span);
}

enum sp_status build_beside(struct sp_domain *domain, struct request *request, struct build *build,
			    struct sp_result *result)
{
	uint32_t wanted = build->tables * request->count;
	uint32_t taken = pages_take(domain, build->page, wanted);
	enum sp_status status = SP_PENDING;

	/* Too few: how far they reach is for the ordinary way to say. */
	if (taken == wanted)
		fill_tables(request, build);
	else
		request->beside = false;
	domain_take(domain);
	domain->tables_used -= build->pages - taken;
	if (taken == wanted && can_link(domain, request, build)) {
		link_tables(domain, request, build, result);
		status = SP_OK;
	} else {
		pages_give(domain, build->page, taken);
	}
	domain->claims[build->claim].number = 0;
	domain->claimed--;
	ledger_post(domain);
	domain_drop(domain);
	return status;
}
