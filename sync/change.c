/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/change.c - a change, from begin to release.
 *
 *   lock   plan in every map ---- not enough pages? drop the lock, take some, plan again
 *          commit in every map    cannot fail
 *          ledger: a number       what each watch owes
 *          limbo: what was let go waits for that number
 *          post
 *   drop   kick
 *   ...    sp_progress(): collect, settle, merge
 *
 * All maps are written in one change, so that none is ever seen to disagree longer than the lock is
 * held.
 */
#include "sync/domain.h"

#define RESERVE_PAGES (sizeof(((struct reserve *)0)->page) / sizeof(sp_mfn_t))
#define MERGE_LOOKS   64 /* what a look at one table counts, of the budget in slots */

struct request {
	struct span span;
	struct target target;
	bool all;      /* every map, listed under the lock */
	bool down;     /* something is taken away */
	bool reserved; /* may touch domain->reserved */
	struct wish wishes[1 + MAX_UNITS];
	uint32_t count;
};

struct plans {
	struct plan plan[1 + MAX_UNITS];
	uint32_t tables, gone; /* sums */
	uint32_t split;	       /* index of the one that only splits; count if none */
};

static enum sp_status plan_maps(const struct sp_domain *domain, uint64_t first, uint64_t end,
				const struct wish *wishes, uint32_t count, struct plans *plans)
	MUST_HOLD(domain->lock)
{
	*plans = (struct plans){ .split = count };
	for (uint32_t i = 0; i < count; i++) {
		struct plan *plan = &plans->plan[i];
		enum sp_status status = tree_prepare(&domain->maps[wishes[i].map].tree, first, end,
						     &wishes[i].target, plan);

		if (status != SP_OK)
			return status;
		if (plan->split_only) {
			plans->split = i;
			plans->tables = plan->tables;
			plans->gone = plan->gone;
			return SP_OK;
		}
		plans->tables += plan->tables;
		plans->gone += plan->gone;
	}
	return SP_OK;
}

/* Every map covers the same frames: the least of what each can do in one step. */
static enum sp_status plan_together(const struct sp_domain *domain, uint64_t first, uint64_t end,
				    const struct wish *wishes, uint32_t count, struct plans *plans)
	MUST_HOLD(domain->lock)
{
	for (;;) {
		enum sp_status status = plan_maps(domain, first, end, wishes, count, plans);
		uint64_t least = end, most = first;

		if (status != SP_OK || plans->split < count)
			return status;
		for (uint32_t i = 0; i < count; i++) {
			least = min_u64(least, plans->plan[i].end);
			most = max_u64(most, plans->plan[i].end);
		}
		if (plans->gone > domain->gone_max || plans->tables > RESERVE_PAGES) {
			least = first + (least - first + 1) / 2;
		} else if (least == most) {
			return SP_OK;
		}
		end = least;
	}
}

static uint64_t commit_map(struct sp_domain *domain, uint32_t index, const struct plan *plan,
			   struct stale *stale) MUST_HOLD(domain->lock)
{
	struct map *map = &domain->maps[index];

	tree_commit(&map->tree, plan, &domain->reserve, stale);
	return ledger_enter(domain, map, stale);
}

static void begin_pause(struct pause *pause, struct span span, uint64_t number)
{
	if (span_is_empty(span))
		return;
	pause->span = span_join(pause->span, span);
	pause->number = number;
}

static void note_large(struct sp_domain *domain, const struct stale *stale, uint64_t number)
	MUST_HOLD(domain->lock)
{
	struct span punched = span_join(stale->span[WALKER_CPU][KIND_PUNCH],
					stale->span[WALKER_DEVICE][KIND_PUNCH]);

	begin_pause(&domain->punch, punched, number);
	begin_pause(&domain->large, stale->large, number);
}

/* Each map's part of the scratch; frames wait for what all maps owe, hence limbo comes last. */
static uint64_t commit_maps(struct sp_domain *domain, const struct plans *plans,
			    const struct wish *wishes, uint32_t count) MUST_HOLD(domain->lock)
{
	struct stale stale[1 + MAX_UNITS];
	struct let_go *gone = domain->gone;
	uint64_t number = domain->ledger;

	for (uint32_t i = 0; i < count; i++) {
		stale[i] = (struct stale){ .gone = gone, .gone_max = plans->plan[i].gone };
		number = commit_map(domain, wishes[i].map, &plans->plan[i], &stale[i]);
		gone += stale[i].gone_count;
	}
	for (uint32_t i = 0; i < count; i++)
		note_large(domain, &stale[i], number);
	for (uint32_t i = 0; i < count; i++)
		limbo_put(domain, wishes[i].map, &stale[i], number);
	return number;
}

static uint64_t commit_split(struct sp_domain *domain, const struct plans *plans,
			     const struct wish *wishes) MUST_HOLD(domain->lock)
{
	struct stale stale = { .gone = domain->gone, .gone_max = domain->gone_max };

	return commit_map(domain, wishes[plans->split].map, &plans->plan[plans->split], &stale);
}

/* Small pages that became a run are merged when this change is paid. */
static void note_merge(struct sp_domain *domain, const struct wish *wish, struct span span)
	MUST_HOLD(domain->lock)
{
	if (wish->target.rights == 0)
		return;
	domain->merge = span_join(domain->merge, span);
	domain->merge_at = domain->merge.first;
	domain->merge_level = 1;
	domain->merge_number = domain->ledger;
}

static void note_split(struct sp_domain *domain, uint64_t frame, uint64_t number)
	MUST_HOLD(domain->lock)
{
	uint32_t widest = span_order(domain->maps[0].tree.format, 2);
	struct span span = { align_down(frame, widest), align_down(frame, widest) + BIT(widest) };

	begin_pause(&domain->split, span, number);
}

/* X7: until that is paid somebody may use the old large page beside a small one that differs from it. */
static bool awaits(struct sp_domain *domain, struct pause *pause, struct span span)
	MUST_HOLD(domain->lock)
{
	if (span_is_empty(pause->span) || span.first >= pause->span.end ||
	    pause->span.first >= span.end)
		return false;
	ledger_collect(domain);
	if (ledger_state(domain, pause->number) == SP_PENDING)
		return true;
	*pause = (struct pause){ .number = 0 };
	return false;
}

/* A piece that goes differs from nothing: only what gives something waits. */
static bool awaits_pieces(struct sp_domain *domain, const struct request *request)
	MUST_HOLD(domain->lock)
{
	bool gives = false;

	for (uint32_t i = 0; i < request->count; i++)
		gives |= request->wishes[i].target.rights != 0;
	if (awaits(domain, &domain->split, request->span) &&
	    !MUTANT(domain->host, SP_MUT_SPLIT_NOT_AWAITED))
		return true;
	return gives && awaits(domain, &domain->punch, request->span) &&
	       !MUTANT(domain->host, SP_MUT_PUNCH_NOT_AWAITED);
}

/* What is settled already goes now: waiting for a ticket alone hands nothing back. */
static enum sp_status busy(struct sp_domain *domain, struct sp_result *result)
	MUST_HOLD(domain->lock)
{
	uint32_t budget = SP_STEP_SLOTS;

	ledger_collect(domain);
	limbo_settle(domain, &budget);
	result->ticket.number = domain->ledger;
	return SP_BUSY;
}

static bool spans_overlap(struct span a, struct span b)
{
	return a.first < b.end && b.first < a.end;
}

/* What firmware reserved for a device stays as it is while the device is here (XSA-378). */
static bool touches_reserved(const struct sp_domain *domain, struct span span)
	MUST_HOLD(domain->lock)
{
	for (uint32_t i = 0; i < domain->reserved_count; i++)
		if (spans_overlap(span, domain->reserved[i]))
			return true;
	return false;
}

/*
 * A change of every map is listed under the lock, so that a map that came in between is written too.
 * On the way up the device's map comes before the CPU's, on the way down the CPU's first.
 */
static void list_wishes(const struct sp_domain *domain, struct request *request)
	MUST_HOLD(domain->lock)
{
	request->count = 0;
	for (uint32_t i = 0; i <= MAX_UNITS; i++) {
		uint32_t index = request->down ? i : MAX_UNITS - i;

		if (domain->maps[index].used)
			request->wishes[request->count++] =
				(struct wish){ .map = index, .target = request->target };
	}
}

static enum sp_status commit(struct sp_domain *domain, const struct plans *plans,
			     const struct request *request, struct sp_result *result)
	MUST_HOLD(domain->lock)
{
	enum sp_status status = SP_OK;

	if (plans->split < request->count) {
		note_split(domain, request->span.first,
			   commit_split(domain, plans, request->wishes));
		status = busy(domain, result);
	} else {
		result->ticket.number = commit_maps(domain, plans, request->wishes, request->count);
		result->done = plans->plan[0].end - request->span.first;
		note_merge(domain, &request->wishes[0],
			   (struct span){ request->span.first, plans->plan[0].end });
	}
	ledger_post(domain);
	if (MUTANT(domain->host, SP_MUT_RELEASE_AT_UNLOCK))
		limbo_settle(domain, &(uint32_t){ SP_STEP_SLOTS });
	return status;
}

/* SP_PENDING: *tables pages must be in the reserve first. */
static enum sp_status change_locked(struct sp_domain *domain, struct request *request,
				    struct sp_result *result, uint32_t *tables)
	MUST_HOLD(domain->lock)
{
	struct plans plans;
	enum sp_status status;

	if (domain->state != DOMAIN_LIVE)
		return SP_INVALID;
	if (!request->reserved && spans_overlap(domain->reserving, request->span))
		return busy(domain, result);
	if (!request->reserved && touches_reserved(domain, request->span))
		return SP_RESERVED_RANGE;
	if (request->all)
		list_wishes(domain, request);
	if (awaits_pieces(domain, request))
		return busy(domain, result);
	status = plan_together(domain, request->span.first, request->span.end, request->wishes,
			       request->count, &plans);
	if (status != SP_OK)
		return status;
	if (plans.gone > limbo_room(domain))
		return busy(domain, result);
	/* New tables are where small pages come from. */
	if (plans.tables && awaits(domain, &domain->large, request->span) &&
	    !MUTANT(domain->host, SP_MUT_LARGE_NOT_AWAITED))
		return busy(domain, result);
	*tables = plans.tables;
	if (plans.tables > domain->reserve.count)
		return SP_PENDING;
	return commit(domain, &plans, request, result);
}

/* SP_PENDING: one page more is needed and may be taken. Others may have brought what is missing. */
static enum sp_status check_budget(struct sp_domain *domain, uint32_t tables,
				   struct sp_result *result)
{
	enum sp_status status = SP_PENDING;

	domain_take(domain);
	if (domain->reserve.count >= tables)
		status = SP_OK;
	else if (domain->tables_used >= domain->table_budget &&
		 !MUTANT(domain->host, SP_MUT_BUDGET_UNCHECKED))
		status = domain->limbo.count ? busy(domain, result) : SP_NO_MEMORY;
	else
		domain->tables_used++;
	domain_drop(domain);
	return status;
}

/*
 * One page more in the reserve; SP_OK: `tables` of them are there. The platform is asked without a
 * lock, so others may have filled the reserve meanwhile: then the page goes back.
 */
static enum sp_status add_reserve(struct sp_domain *domain, uint32_t tables,
				  struct sp_result *result)
{
	enum sp_status status = check_budget(domain, tables, result);
	sp_mfn_t page;
	bool taken;

	if (status != SP_PENDING)
		return status;
	taken = platform_frames_take(domain->host->embedder, domain->node, 0, &page) == SP_OK;
	domain_take(domain);
	if (taken && domain->reserve.count < RESERVE_PAGES) {
		domain->reserve.page[domain->reserve.count++] = page;
	} else {
		domain->tables_used--;
		if (taken)
			platform_frames_give(domain->host->embedder, page, 0);
	}
	domain_drop(domain);
	return taken ? SP_PENDING : SP_NO_MEMORY;
}

static enum sp_status change(struct sp_domain *domain, struct request *request,
			     struct sp_result *result)
{
	enum sp_status status;
	uint32_t tables;

	*result = (struct sp_result){ .ticket = { domain, 0 } };
	if (request->span.first >= request->span.end)
		return SP_INVALID;
	for (;;) {
		domain_take(domain);
		status = change_locked(domain, request, result, &tables);
		domain_drop(domain);
		if (status != SP_PENDING)
			return status;
		while (status == SP_PENDING)
			status = add_reserve(domain, tables, result);
		if (status != SP_OK)
			return status;
	}
}

enum sp_status domain_change(struct sp_domain *domain, struct span span,
			     const struct target *target, bool down, bool reserved,
			     struct sp_result *result)
{
	struct request request = {
		.span = span, .target = *target, .all = true, .down = down, .reserved = reserved
	};

	return change(domain, &request, result);
}

enum sp_status domain_change_maps(struct sp_domain *domain, struct span span,
				  const struct wish *wishes, uint32_t count,
				  struct sp_result *result)
{
	struct request request = { .span = span, .reserved = true, .count = count };

	for (uint32_t i = 0; i < count; i++)
		request.wishes[i] = wishes[i];
	return change(domain, &request, result);
}

bool domain_let_go(struct sp_domain *domain)
{
	for (uint32_t i = 0; i <= MAX_UNITS; i++) {
		struct map *map = &domain->maps[i];
		struct stale stale = { .gone = domain->gone, .gone_max = domain->gone_max };
		bool empty;

		if (!map->used)
			continue;
		empty = tree_close(&map->tree,
				   (uint32_t)min_u64(limbo_room(domain), domain->gone_max), &stale);
		limbo_put(domain, i, &stale, ledger_enter(domain, map, &stale));
		ledger_post(domain);
		if (!empty)
			return false;
	}
	return true;
}

/* The table under one slot, in every map. */
static void merge_at(struct sp_domain *domain, uint64_t frame, uint32_t level)
	MUST_HOLD(domain->lock)
{
	for (uint32_t i = 0; i <= MAX_UNITS; i++) {
		struct map *map = &domain->maps[i];
		struct stale stale = { .gone = domain->gone, .gone_max = domain->gone_max };

		if (!map->used || !limbo_room(domain) ||
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
