/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/merge.c - small pages that became one run are made large again, in every map.
 *
 *   mapped or retyped --paid--> tables of 4 KiB pages looked at --paid--> those of 2 MiB pages
 *
 * Whatever changed there must be paid first: no walker may hold an old piece beside the new leaf (X7).
 */
#include "sync/domain.h"

#define MERGE_LOOKS 64 /* what a look at one table counts, of the budget in slots */

/* The table under one slot, in every map. */
static void merge_at(struct sp_domain *domain, uint64_t frame, uint32_t level)
	MUST_HOLD(domain->lock)
{
	for (uint32_t i = 0; i <= MAX_UNITS; i++) {
		struct map *map = &domain->maps[i];
		struct stale stale;

		stale_begin(&stale, domain->gone, domain->gone_max);
		if (!domain_has_map(domain, i) || !limbo_room(domain) ||
		    !tree_merge(&map->tree, frame, level, &stale))
			continue;
		limbo_put(domain, i, &stale, ledger_enter(domain, map, &stale));
	}
}

/*
 * Looks at the table under one slot, where there is one of small pages; answers where to look next.
 * Holes and pages that are large already are passed over in one stride.
 */
static uint64_t merge_step(struct sp_domain *domain, uint64_t frame, uint32_t *budget)
	MUST_HOLD(domain->lock)
{
	uint32_t level = domain->merge_level;
	struct found found;
	bool mapped = tree_find(&domain->maps[0].tree, frame, &found);

	--*budget;
	if (mapped ? found.level >= level
		   : found.count >= BIT(span_order(domain->maps[0].tree.format, level)))
		return frame + found.count;
	*budget -= (uint32_t)min_u64(*budget, MERGE_LOOKS);
	merge_at(domain, frame, level);
	return frame + BIT(span_order(domain->maps[0].tree.format, level));
}

/* First all tables of small pages, then, when that is paid, those of the pages that came of it. */
void domain_merge(struct sp_domain *domain, uint32_t *budget)
{
	const struct format *format = domain->maps[0].tree.format;

	if (span_is_empty(domain->merge) || ledger_state(domain, domain->merge_number) != SP_OK)
		return;
	domain->merge_at = align_down(domain->merge_at, span_order(format, domain->merge_level));
	while (*budget && domain->merge_at < domain->merge.end)
		domain->merge_at = merge_step(domain, domain->merge_at, budget);
	if (domain->merge_at >= domain->merge.end) {
		if (domain->merge_level == 2)
			domain->merge = (struct span){ 0, 0 };
		domain->merge_level++;
		domain->merge_at = domain->merge.first;
		domain->merge_number = domain->ledger;
	}
	ledger_post(domain);
}
