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
 * held. What a range covers wholly may be built without it (build.c).
 */
#include "sync/change.h"
#include "sync/reference.h"

#define RESERVE_PAGES ((uint32_t)(sizeof(((struct reserve *)0)->page) / sizeof(sp_mfn_t)))

struct plans {
	uint32_t tables, gone; /* sums */
	uint32_t split;	       /* index of the one that only splits; count if none */
	struct plan plan[1 + MAX_UNITS];
};

static enum sp_status plan_maps(const struct sp_domain *domain, struct span span,
				const struct wish *wishes, uint32_t count, struct plans *plans)
	MUST_HOLD(domain->lock)
{
	plans->tables = plans->gone = 0;
	plans->split = count;
	for (uint32_t i = 0; i < count; i++) {
		struct plan *plan = &plans->plan[i];
		enum sp_status status = tree_prepare(&domain->maps[wishes[i].map].tree, span.first,
						     span.end, &wishes[i].target, plan);

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
static enum sp_status plan_together(const struct sp_domain *domain, struct span span,
				    const struct wish *wishes, uint32_t count, struct plans *plans)
	MUST_HOLD(domain->lock)
{
	for (;;) {
		enum sp_status status = plan_maps(domain, span, wishes, count, plans);
		uint64_t least = span.end, most = span.first;

		if (status != SP_OK || plans->split < count)
			return status;
		for (uint32_t i = 0; i < count; i++) {
			least = min_u64(least, plans->plan[i].end);
			most = max_u64(most, plans->plan[i].end);
		}
		if (plans->gone > domain->gone_max || plans->tables > RESERVE_PAGES)
			least = span.first + (least - span.first + 1) / 2;
		else if (least == most)
			return SP_OK;
		span.end = least;
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
	begin_pause(&domain->large, stale->large, number);
	for (uint32_t walker = 0; walker < WALKER_COUNT; walker++)
		if (stale->kinds[walker] >> KIND_PUNCH & 1)
			begin_pause(&domain->punch, stale->span[walker][KIND_PUNCH], number);
}

/* Each map's part of the scratch; frames wait for what all maps owe, hence limbo comes last. */
static uint64_t commit_maps(struct sp_domain *domain, const struct plans *plans,
			    const struct wish *wishes, uint32_t count) MUST_HOLD(domain->lock)
{
	struct stale stale[1 + MAX_UNITS];
	struct let_go *gone = domain->gone;
	uint64_t number = domain->ledger;

	for (uint32_t i = 0; i < count; i++) {
		stale_begin(&stale[i], gone, plans->plan[i].gone);
		number = commit_map(domain, wishes[i].map, &plans->plan[i], &stale[i]);
		gone += stale[i].gone_count;
	}
	for (uint32_t i = 0; i < count; i++) {
		note_large(domain, &stale[i], number);
		limbo_put(domain, wishes[i].map, &stale[i], number);
	}
	return number;
}

static uint64_t commit_split(struct sp_domain *domain, const struct plans *plans,
			     const struct wish *wishes) MUST_HOLD(domain->lock)
{
	struct stale stale;

	stale_begin(&stale, domain->gone, domain->gone_max);
	return commit_map(domain, wishes[plans->split].map, &plans->plan[plans->split], &stale);
}

void change_note_merge(struct sp_domain *domain, const struct target *target, struct span span)
{
	if (target->rights == 0)
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
	if (!spans_overlap(span, pause->span))
		return false;
	ledger_collect(domain);
	if (ledger_paid(domain, pause->number) == SP_PENDING)
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

/*
 * What is settled already goes now: waiting for a ticket alone hands nothing back. What gathers is in
 * somebody's way, so it is wanted.
 */
enum sp_status change_busy(struct sp_domain *domain, struct sp_result *result)
{
	uint32_t budget = SP_STEP_SLOTS;

	ledger_collect(domain);
	limbo_settle(domain, &budget);
	ledger_want(domain, domain->ledger);
	result->ticket.number = domain->ledger;
	return SP_BUSY;
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

/* On the way up the device's map comes before the CPU's, on the way down the CPU's first. */
uint32_t change_next_map(const struct sp_domain *domain, uint32_t left, bool down)
{
	if (MUTANT(domain->host, SP_MUT_DEVICE_MAP_FIRST))
		down = false;
	return down ? lowest_bit(left) : order_floor(left);
}

/* A change of every map is listed under the lock, so that a map that came in between is written too. */
void change_list_maps(const struct sp_domain *domain, struct request *request)
{
	uint32_t left = domain->mapped;

	for (request->count = 0; left; request->count++) {
		uint32_t index = change_next_map(domain, left, request->down);
		struct wish *wish = &request->wishes[request->count];

		wish->map = index;
		wish->target = request->target;
		left &= ~(1u << index);
	}
}

void change_post(struct sp_domain *domain)
{
	ledger_post_change(domain);
	if (MUTANT(domain->host, SP_MUT_RELEASE_AT_UNLOCK))
		limbo_settle(domain, &(uint32_t){ SP_STEP_SLOTS });
}

/* "Signal on completion only": emulators do not hear of a step that leaves a rest. */
static void untell(struct sp_domain *domain) MUST_HOLD(domain->lock)
{
	for (uint32_t i = 1 + MAX_UNITS; i < ROOT_WATCH; i++)
		domain->watches[i].gathering = (struct debt){ 0 };
	domain->gate_owed = domain->gate.closed;
}

static enum sp_status commit(struct sp_domain *domain, const struct plans *plans,
			     const struct request *request, struct sp_result *result)
	MUST_HOLD(domain->lock)
{
	enum sp_status status = SP_OK;

	if (plans->split < request->count) {
		note_split(domain, request->span.first,
			   commit_split(domain, plans, request->wishes));
		status = change_busy(domain, result);
	} else {
		domain->lazy = request->target.lazy;
		result->ticket.number = commit_maps(domain, plans, request->wishes, request->count);
		domain->lazy = false;
		result->done = plans->plan[0].end - request->span.first;
		change_note_merge(domain, &request->wishes[0].target,
				  (struct span){ request->span.first, plans->plan[0].end });
		if (MUTANT(domain->host, SP_MUT_TOLD_AT_END) &&
		    plans->plan[0].end < request->span.end)
			untell(domain);
	}
	change_post(domain);
	return status;
}

/* The same where frames are counted: first who refers to them, then the stores. */
static enum sp_status commit_counted(struct sp_domain *domain, const struct plans *plans,
				     const struct request *request, struct sp_result *result)
	MUST_HOLD(domain->lock)
{
	struct counted counted = { .span = { request->span.first, plans->plan[0].end },
				   .target = &request->target,
				   .gone = request->gone };
	enum sp_status status = references_check(domain, &counted);

	if (status != SP_OK)
		return status;
	if (plans->gone + counted.revoked_count > limbo_room(domain))
		return change_busy(domain, result);
	references_take(domain, &counted);
	domain->counts = true;
	status = commit(domain, plans, request, result);
	references_note_revoked(domain, &counted, result->ticket.number);
	domain->counts = false;
	return status;
}

bool change_is_held_up(const struct sp_domain *domain, struct span span)
{
	return domain->state != DOMAIN_LIVE || spans_overlap(domain->reserving, span) ||
	       touches_reserved(domain, span) || is_claimed(domain, span) ||
	       spans_overlap(domain->split.span, span) || spans_overlap(domain->punch.span, span);
}

bool is_past(const struct sp_domain *domain, const uint64_t *sample)
{
	uint64_t differs = sample ? *sample ^ domain->generation : 0;

	if (MUTANT(domain->host, SP_MUT_GENERATION_NARROW))
		differs &= 1;
	return differs && !MUTANT(domain->host, SP_MUT_SAMPLE_UNCHECKED);
}

/* What others hold of the span, each for its own reason. */
static enum sp_status check_span(struct sp_domain *domain, const struct request *request,
				 struct sp_result *result) MUST_HOLD(domain->lock)
{
	if (domain->state != DOMAIN_LIVE)
		return SP_INVALID;
	if (is_past(domain, request->sample))
		return SP_STALE;
	if (!request->reserved && spans_overlap(domain->reserving, request->span))
		return change_busy(domain, result);
	if (!request->reserved && touches_reserved(domain, request->span))
		return SP_RESERVED_RANGE;
	if (is_claimed(domain, request->span) && !MUTANT(domain->host, SP_MUT_CLAIM_IGNORED))
		return change_busy(domain, result);
	return SP_OK;
}

/*
 * SP_PENDING: something is to be done without the lock first. Either build->tables tables are to be
 * filled for each map, or *tables pages must be in the reserve.
 */
static enum sp_status change_locked(struct sp_domain *domain, struct request *request,
				    struct sp_result *result, struct build *build, uint32_t *tables)
	MUST_HOLD(domain->lock)
{
	enum sp_status status = check_span(domain, request, result);
	struct plans plans;

	if (status != SP_OK)
		return status;
	if (request->all)
		change_list_maps(domain, request);
	if (awaits_pieces(domain, request))
		return change_busy(domain, result);
	status = plan_together(domain, request->span, request->wishes, request->count, &plans);
	if (status != SP_OK)
		return status;
	if (plans.gone > limbo_room(domain))
		return change_busy(domain, result);
	/* New tables are where small pages come from. */
	if (plans.tables && awaits(domain, &domain->large, request->span) &&
	    !MUTANT(domain->host, SP_MUT_LARGE_NOT_AWAITED))
		return change_busy(domain, result);
	/* More tables than this step can fill under the lock. */
	if (request->beside && plans.tables && plans.plan[0].end < request->span.end &&
	    build_begin(domain, request, plans.plan, build))
		return SP_PENDING;
	*tables = plans.tables;
	if (plans.tables > domain->reserve.count)
		return SP_PENDING;
	if (request->all && plans.split == request->count && references_are_kept(domain))
		return commit_counted(domain, &plans, request, result);
	return commit(domain, &plans, request, result);
}

/* SP_PENDING: *count pages more are allowed, of those that lack. Others may have brought some. */
static enum sp_status check_budget(struct sp_domain *domain, uint32_t tables, uint32_t *count,
				   struct sp_result *result)
{
	enum sp_status status = SP_OK;

	domain_take(domain);
	*count = 0;
	if (domain->reserve.count < tables) {
		*count = pages_allow(domain, tables - domain->reserve.count);
		status = SP_PENDING;
		if (!*count)
			status = domain->limbo.count ? change_busy(domain, result) : SP_NO_MEMORY;
	}
	domain_drop(domain);
	return status;
}

/*
 * Pages into the reserve; SP_OK: `tables` of them are there. The platform is asked without a lock,
 * so others may have filled the reserve meanwhile: then pages go back.
 */
static enum sp_status add_reserve(struct sp_domain *domain, uint32_t tables,
				  struct sp_result *result)
{
	sp_mfn_t page[RESERVE_PAGES];
	uint32_t count, taken;
	enum sp_status status = check_budget(domain, tables, &count, result);

	if (status != SP_PENDING)
		return status;
	taken = pages_take(domain, page, count);
	domain_take(domain);
	if (taken < count)
		status = ledger_gathers(domain) ? change_busy(domain, result) : SP_NO_MEMORY;
	domain->tables_used -= count - taken;
	while (taken && domain->reserve.count < RESERVE_PAGES)
		domain->reserve.page[domain->reserve.count++] = page[--taken];
	pages_give(domain, page, taken);
	domain_drop(domain);
	return status;
}

static enum sp_status change(struct sp_domain *domain, struct request *request,
			     struct sp_result *result)
{
	struct build build;
	enum sp_status status;
	uint32_t tables = 0;

	*result = (struct sp_result){ .ticket = { domain, 0 } };
	if (request->span.first >= request->span.end)
		return SP_INVALID;
	/* XSA-241: the stamp is read, and who knows what comes before it is used. */
	if (MUTANT(domain->host, SP_MUT_STAMP_INTERRUPTED))
		domain->stamp = domain->clock;
	do {
		build.tables = 0;
		domain_take(domain);
		status = change_locked(domain, request, result, &build, &tables);
		domain_drop(domain);
		if (status != SP_PENDING)
			return status;
		if (build.tables)
			status = build_beside(domain, request, &build, result);
		else
			while (status == SP_PENDING)
				status = add_reserve(domain, tables, result);
	} while (build.tables ? status == SP_PENDING : status == SP_OK);
	return status;
}

/* Who is asked to forget what is still there looks up again. */
static void ask_early(struct sp_domain *domain, struct span span)
{
	struct stale stale;

	domain_take(domain);
	stale_begin(&stale, NULL, 0);
	stale_add(&stale, WALKER_CPU, KIND_UNMAP, span);
	(void)ledger_enter(domain, &domain->maps[0], &stale);
	ledger_post(domain);
	domain_drop(domain);
}

enum sp_status domain_change(struct sp_domain *domain, struct span span,
			     const struct target *target, bool down, bool reserved,
			     const uint64_t *sample, struct sp_result *result)
{
	struct request request;

	if (MUTANT(domain->host, SP_MUT_REQUEST_EARLY) && down)
		ask_early(domain, span);
	if (span.end - span.first == 1 && !reserved && !domain->host->counted &&
	    change_single(domain, span.first, target, down, sample, result))
		return SP_OK;
	request.span = span;
	request.target = *target;
	request.all = true;
	request.down = down;
	request.reserved = reserved;
	request.beside = !down;
	request.sample = sample;
	request.gone = NULL;
	if (domain->host->counted) {
		request.beside = false;
		request.span.end = min_u64(span.end, span.first + SP_STEP_SLOTS);
	}
	return change(domain, &request, result);
}

enum sp_status domain_exchange(struct sp_domain *domain, struct span span,
			       const struct target *target, const sp_mfn_t *gone,
			       struct sp_result *result)
{
	struct request request = { .span = span, .target = *target, .all = true, .gone = gone };

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
		struct stale stale;
		bool empty;

		if (!domain_has_map(domain, i))
			continue;
		stale_begin(&stale, domain->gone, domain->gone_max);
		empty = tree_close(&map->tree,
				   (uint32_t)min_u64(limbo_room(domain), domain->gone_max), &stale);
		limbo_put(domain, i, &stale, ledger_enter(domain, map, &stale));
		ledger_post(domain);
		if (!empty)
			return false;
	}
	return true;
}
