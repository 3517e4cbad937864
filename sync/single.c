/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/single.c - one page, and nothing in its way: the change that is made most often.
 *
 *   lock   does anybody hold anything of it? is it one store in every map? else change.c
 *          a store in each map; what it owes, and what was let go, as in any change
 *   drop
 *
 * No plan, no pages, no wish for each map. A page that comes where nothing was owes nothing to most
 * observers: then the store is all. What this buys is in docs/performance.md.
 */
#include "sync/change.h"

struct single {
	uint64_t frame;
	const struct target *target;
	struct one one[1 + MAX_UNITS]; /* of each map */
};

static bool prepare(const struct sp_domain *domain, struct single *single) MUST_HOLD(domain->lock)
{
	if (!limbo_room(domain))
		return false;
	for (uint32_t left = domain->mapped; left; left &= left - 1) {
		uint32_t index = lowest_bit(left);

		if (!tree_prepare_one(&domain->maps[index].tree, single->frame, single->target,
				      &single->one[index]))
			return false;
	}
	return true;
}

/* What is let go is kept until every map has been written: it waits for what all of them owe. */
static void store(struct sp_domain *domain, const struct single *single, uint32_t index,
		  struct stale *stale) MUST_HOLD(domain->lock)
{
	struct map *map = &domain->maps[index];
	const struct one *one = &single->one[index];

	tree_store_one(&map->tree, single->frame, single->target, one);
	if (one_is_new(&map->tree, one) && !ledger_cares(domain, map, KIND_MAP))
		return;
	stale_begin(stale, domain->gone, domain->gone_max);
	tree_note_one(&map->tree, single->frame, one, stale);
	(void)ledger_enter(domain, map, stale);
}

/* In the order of change_list_maps(). */
static void commit(struct sp_domain *domain, const struct single *single, bool down)
	MUST_HOLD(domain->lock)
{
	uint64_t before = domain->ledger;
	struct stale stale[1 + MAX_UNITS];

	domain->lazy = single->target->lazy;
	for (uint32_t left = domain->mapped; left;) {
		uint32_t index = change_next_map(domain, left, down);

		stale[index].gone_count = 0;
		store(domain, single, index, &stale[index]);
		left &= ~(1u << index);
	}
	/* One map alone owns frames. */
	for (uint32_t left = domain->mapped; left; left &= left - 1)
		if (stale[lowest_bit(left)].gone_count)
			limbo_put(domain, lowest_bit(left), &stale[lowest_bit(left)],
				  domain->ledger);
	domain->lazy = false;
	if (domain->ledger != before)
		change_post(domain);
}

bool change_single(struct sp_domain *domain, uint64_t frame, const struct target *target, bool down,
		   const uint64_t *sample, struct sp_result *result)
{
	struct single single;
	bool made;

	single.frame = frame;
	single.target = target;
	domain_take(domain);
	made = !is_past(domain, sample) &&
	       !change_is_held_up(domain, (struct span){ frame, frame + 1 }) &&
	       prepare(domain, &single);
	if (made) {
		commit(domain, &single, down);
		*result = (struct sp_result){ .done = 1, .ticket = { domain, domain->ledger } };
		change_note_merge(domain, target, (struct span){ frame, frame + 1 });
	}
	domain_drop(domain);
	return made;
}
