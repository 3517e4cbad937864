/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/ledger.c - who owes what to whom, and since when.
 *
 *   number   1   2   3   4   5            one for each change that owed something
 *   CPUs     x       x   x                posted: 1 .. 3, gathering: 4
 *   unit A       x   x       x            posted: 2, gathering: 3, 5
 *
 * For each watch at most one debt is posted and one gathers, so a queue sized for that never fills;
 * what gathers is joined. Number n is settled when no watch has unpaid debt that began at n or
 * before.
 */
#include "sync/domain.h"

struct watch *ledger_add_watch(struct sp_domain *domain, struct observer *observer, struct map *map,
			       uint16_t name)
{
	/* Emulators have places of their own: each unit finds one, always. */
	bool is_emulator = observer->column == COLUMN_EMULATOR;
	uint32_t first = is_emulator ? 1 + MAX_UNITS : CPU_WATCH + 1;
	uint32_t end = is_emulator ? ROOT_WATCH : 1 + MAX_UNITS;

	for (uint32_t i = first; i < end; i++) {
		struct watch *watch = &domain->watches[i];

		if (watch->observer)
			continue;
		*watch = (struct watch){ .observer = observer,
					 .map = map,
					 .kinds = debt_kinds(domain->host, observer->column),
					 .name = name };
		domain->watching |= 1u << i;
		return watch;
	}
	return NULL;
}

void ledger_remove_watch(struct sp_domain *domain, struct watch *watch)
{
	if (ledger_owes(watch))
		platform_panic(domain->host->embedder, "a watch ended that still owes");
	domain->watching &= ~(1u << (watch - domain->watches));
	*watch = (struct watch){ 0 };
}

enum sp_status ledger_add_atc(struct sp_domain *domain, struct watch *watch, struct atc atc)
{
	(void)domain;
	if (watch->atc_count == WATCH_ATCS)
		return SP_NO_SPACE;
	watch->atc[watch->atc_count++] = atc;
	return SP_OK;
}

static void remove_atc(struct atc *atc, uint8_t *count, uint16_t requester)
{
	for (uint32_t i = 0; i < *count; i++) {
		if (atc[i].requester != requester)
			continue;
		atc[i] = atc[--*count];
		return;
	}
}

void ledger_remove_atc(struct sp_domain *domain, struct watch *watch, uint16_t requester)
{
	(void)domain;
	remove_atc(watch->atc, &watch->atc_count, requester);
}

void ledger_forgive_atc(struct sp_domain *domain, struct watch *watch, uint16_t requester)
{
	(void)domain;
	remove_atc(watch->gathering.atc_all, &watch->gathering.atc_all_count, requester);
}

bool ledger_owes(const struct watch *watch)
{
	return watch->gathering.owed || watch->posted.owed;
}

/* The next number; a watch that owes from now on remembers where that began. */
static uint64_t take_number(struct sp_domain *domain)
{
	uint64_t number = ++domain->ledger;

	if (!domain->lazy)
		domain->wanted = number;
	for (uint32_t left = domain->watching; left; left &= left - 1) {
		struct watch *watch = &domain->watches[lowest_bit(left)];

		if (watch->gathering.owed && !watch->gathering_first)
			watch->gathering_first = number;
	}
	return number;
}

/* Shadows know machine frames: those that went ... */
static bool enter_gone(struct sp_domain *domain, struct watch *watch, const struct stale *stale,
		       enum change_kind kind)
{
	bool owed = false;

	for (uint32_t i = 0; i < stale->gone_count; i++) {
		const struct let_go *gone = &stale->gone[i];

		if (gone->kind == GONE_FRAMES)
			owed |= debt_add(&watch->gathering, domain->host, COLUMN_SHADOW, kind,
					 (struct span){ gone->mfn, gone->mfn + gone->count });
	}
	return owed;
}

/* ... and those that stay, with fewer rights or another memory type. */
static bool enter_staying(struct sp_domain *domain, struct watch *watch, struct span span,
			  enum change_kind kind)
{
	const struct tree *tree = &watch->map->tree;
	bool owed = false;
	struct found found;

	for (uint64_t frame = span.first; frame < span.end && !watch->gathering.whole;
	     frame += found.count) {
		uint64_t count;

		if (!tree_find(tree, frame, &found))
			continue;
		count = min_u64(found.count, span.end - frame);
		owed |= debt_add(&watch->gathering, domain->host, COLUMN_SHADOW, kind,
				 (struct span){ found.mfn, found.mfn + count });
	}
	return owed;
}

static bool enter_shadows(struct sp_domain *domain, struct watch *watch, const struct stale *stale)
{
	bool owed = false;

	for (uint32_t kinds = stale->kinds[WALKER_CPU]; kinds; kinds &= kinds - 1) {
		enum change_kind kind = (enum change_kind)lowest_bit(kinds);
		struct span span = stale->span[WALKER_CPU][kind];

		if (debt_is_whole(domain->host, COLUMN_SHADOW, kind))
			owed |= debt_add(&watch->gathering, domain->host, COLUMN_SHADOW, kind,
					 span);
		else if (kind == KIND_REVOKE || kind == KIND_ATTRIBUTE)
			owed |= enter_staying(domain, watch, span, kind);
		else
			owed |= enter_gone(domain, watch, stale, kind);
	}
	return owed;
}

/* What owes nothing costs nothing. Mutants come and go while a watch stands, and a device's cache. */
static uint32_t kinds_owed(const struct sp_domain *domain, const struct watch *watch,
			   uint32_t kinds)
{
	if (MUTANTS_BUILT)
		return kinds & (debt_kinds(domain->host, watch->observer->column) |
				debt_kinds(domain->host, COLUMN_ATC));
	return watch->atc_count ? kinds : kinds & watch->kinds;
}

static bool enter_kinds(struct sp_domain *domain, struct watch *watch, const struct stale *stale,
			enum walker walker, uint32_t kinds)
{
	bool owed = false;

	for (kinds = kinds_owed(domain, watch, kinds); kinds; kinds &= kinds - 1) {
		uint32_t kind = lowest_bit(kinds);
		struct span span = stale->span[walker][kind];

		owed |= debt_add(&watch->gathering, domain->host, watch->observer->column,
				 (enum change_kind)kind, span);
		if (watch->atc_count)
			owed |= debt_add(&watch->gathering, domain->host, COLUMN_ATC,
					 (enum change_kind)kind, span);
	}
	return owed;
}

static bool enter_watch(struct sp_domain *domain, struct watch *watch, const struct stale *stale)
{
	enum walker walker = watch_is_units(watch) ? WALKER_DEVICE : WALKER_CPU;

	return enter_kinds(domain, watch, stale, walker, stale->kinds[walker]);
}

/* "domain == current": the CPU that makes the change has run the guest. */
static bool is_current(const struct sp_domain *domain)
{
	return domain->cpu_states &&
	       domain->cpu_states[platform_self(domain->host->embedder)].reached != 0;
}

/* What mutants leave of the kinds that an emulator must hear of. */
static uint32_t mutated_kinds(const struct sp_domain *domain, const struct watch *watch,
			      const struct stale *stale, uint32_t kinds)
{
	const struct sp_host *host = domain->host;
	const uint32_t leaves = 1u << KIND_UNMAP | 1u << KIND_REPLACE;

	if (MUTANT(host, SP_MUT_SERVER_UNMAP_ONLY))
		kinds &= ~(1u << KIND_REPLACE);
	if (MUTANT(host, SP_MUT_DOWNGRADE_UNTOLD))
		kinds &= ~(1u << KIND_REVOKE);
	for (uint32_t left = kinds & leaves; left; left &= left - 1) {
		struct span span = stale->span[WALKER_CPU][lowest_bit(left)];
		bool is_large = span.end - span.first >= 512;

		if (MUTANT(host, is_large ? SP_MUT_SERVER_SMALL_ONLY : SP_MUT_SERVER_LARGE_ONLY))
			kinds &= ~(1u << lowest_bit(left));
	}
	if ((MUTANT(host, SP_MUT_FIRST_SERVER_ONLY) && watch > &domain->watches[1 + MAX_UNITS]) ||
	    (MUTANT(host, SP_MUT_REMOTE_UNTOLD) && !is_current(domain)) ||
	    (MUTANT(host, SP_MUT_REQUEST_EARLY) && stale->gone_count))
		return 0;
	return kinds;
}

static bool enter_emulator(struct sp_domain *domain, struct watch *watch, const struct stale *stale)
{
	uint32_t kinds = emulator_kinds(domain, stale);
	bool owed = false;

	if (MUTANTS_BUILT)
		kinds = mutated_kinds(domain, watch, stale, kinds);
	if (!MUTANT(domain->host, SP_MUT_SERVER_TOLD_ALL))
		return enter_kinds(domain, watch, stale, WALKER_CPU, kinds);
	for (kinds = stale->kinds[WALKER_CPU]; kinds; kinds &= kinds - 1)
		owed |= debt_add(&watch->gathering, domain->host, COLUMN_EMULATOR, KIND_UNMAP,
				 stale->span[WALKER_CPU][lowest_bit(kinds)]);
	return owed;
}

static bool enter_any(struct sp_domain *domain, struct watch *watch, const struct stale *stale)
{
	if (watch->observer->column == COLUMN_EMULATOR)
		return enter_emulator(domain, watch, stale);
	return watch->observer->column == COLUMN_SHADOW ? enter_shadows(domain, watch, stale)
							: enter_watch(domain, watch, stale);
}

bool ledger_cares(const struct sp_domain *domain, const struct map *map, enum change_kind kind)
{
	for (uint32_t left = domain->watching; left; left &= left - 1) {
		const struct watch *watch = &domain->watches[lowest_bit(left)];

		if (watch->map == map && kinds_owed(domain, watch, 1u << kind))
			return true;
	}
	return false;
}

/*
 * When the slots had been stored, and what gathers has the stamp of its last: one that is read before, or
 * kept from the first, is older than what CPUs filled since.
 */
static void stamp_cpus(struct sp_domain *domain, bool gathered) MUST_HOLD(domain->lock)
{
	if ((MUTANT(domain->host, SP_MUT_STAMP_BEFORE_CLEAR) && gathered) ||
	    MUTANT(domain->host, SP_MUT_STAMP_INTERRUPTED))
		return;
	domain->stamp = domain->clock;
}

uint64_t ledger_enter(struct sp_domain *domain, const struct map *map, const struct stale *stale)
{
	bool gathered = domain->watches[CPU_WATCH].gathering.owed;
	uint32_t owing = 0;

	for (uint32_t left = domain->watching; left; left &= left - 1) {
		uint32_t index = lowest_bit(left);
		struct watch *watch = &domain->watches[index];

		if (watch->map != map)
			continue;
		if (MUTANT(domain->host, SP_MUT_FIRST_UNIT_ONLY) &&
		    watch > &domain->watches[CPU_WATCH + 1])
			continue;
		if (enter_any(domain, watch, stale))
			owing |= 1u << index;
	}
	if (!owing)
		return domain->ledger;
	(void)take_number(domain);
	if (owing & 1u << CPU_WATCH)
		stamp_cpus(domain, gathered);
	if (owing & EMULATOR_WATCHES)
		domain->gate_owed = domain->ledger;
	return domain->ledger;
}

uint64_t ledger_enter_entry(struct sp_domain *domain, struct watch *watch, uint16_t requester,
			    enum change_kind kind)
{
	const struct span whole = { 0, UINT64_MAX };

	debt_add_entry(&watch->gathering, domain->host, watch->observer->column, kind, requester);
	debt_add_atc(&watch->gathering, domain->host, watch, requester, kind);
	/* AMD 48882 2.4.4 reads as if the entry's invalidation were enough; it is not (XSA-442). */
	if (!(MUTANT(domain->host, SP_MUT_RELEASE_UNPAID) && kind == KIND_RELEASE) &&
	    !(MUTANT(domain->host, SP_MUT_HAND_OVER_UNPAID) && kind == KIND_HAND_OVER))
		(void)debt_add(&watch->gathering, domain->host, watch->observer->column, kind,
			       whole);
	return take_number(domain);
}

void ledger_enter_direct(struct sp_domain *domain, enum change_kind kind, bool has_copies)
{
	const struct span whole = { 0, UINT64_MAX };
	bool owed = false;

	if (!MUTANT(domain->host, SP_MUT_PV_LINEAR_UNPAID))
		owed = debt_add(&domain->watches[CPU_WATCH].gathering, domain->host, COLUMN_LINEAR,
				kind, whole);
	if (has_copies)
		owed |= debt_add(&domain->watches[ROOT_WATCH].gathering, domain->host, COLUMN_ROOT,
				 kind, whole);
	if (owed)
		(void)take_number(domain);
}

/* What gathers. An emulator is told at once, also of what goes lazily: its guest waits at the gate. */
static bool is_to_be_told(const struct sp_domain *domain, const struct watch *watch)
	MUST_HOLD(domain->lock)
{
	return watch->gathering_first <= domain->wanted ||
	       watch->observer->column == COLUMN_EMULATOR;
}

bool ledger_is_wanted(const struct sp_domain *domain, const struct watch *watch)
{
	return watch->posted.owed || (watch->gathering.owed && is_to_be_told(domain, watch));
}

bool ledger_gathers(const struct sp_domain *domain)
{
	for (uint32_t left = domain->watching; left; left &= left - 1) {
		const struct watch *watch = &domain->watches[lowest_bit(left)];

		if (watch->gathering.owed && !is_to_be_told(domain, watch))
			return true;
	}
	return false;
}

void ledger_want(struct sp_domain *domain, uint64_t number)
{
	if (number <= domain->wanted)
		return;
	domain->wanted = number;
	ledger_post(domain);
}

static void post_watch(struct sp_domain *domain, struct watch *watch)
{
	struct command commands[POST_COMMANDS];
	uint32_t count = debt_commands(&watch->gathering, domain->host, watch, commands);

	/* A queue without room: it gathers on, and the next progress tries again. */
	if (watch->observer->ops->post(watch->observer, commands, count, &watch->posted_number) !=
	    SP_OK)
		return;
	watch->posted = watch->gathering;
	watch->posted_first = watch->gathering_first;
	watch->gathering = (struct debt){ 0 };
	watch->gathering_first = 0;
}

/* All are told before one is waited for: a change takes as long as the slowest, not as all together. */
static void post(struct sp_domain *domain, uint32_t left) MUST_HOLD(domain->lock)
{
	/* Before an emulator is asked: from its answer on no CPU is in the guest that was there before. */
	if (domain->gate_owed > load64(&domain->gate.closed))
		gate_close(domain);
	if (MUTANT(domain->host, SP_MUT_REQUEST_PUT_OFF) && !is_current(domain))
		left &= ~EMULATOR_WATCHES;
	for (; left; left &= left - 1) {
		struct watch *watch = &domain->watches[lowest_bit(left)];

		/* XSA-346: put off to the end of the batch, and its pages do not wait for it. */
		if (MUTANT(domain->host, SP_MUT_FLUSH_DEFERRED) &&
		    watch > &domain->watches[CPU_WATCH] && domain->limbo.count)
			continue;
		if (!watch->posted.owed && ledger_is_wanted(domain, watch))
			post_watch(domain, watch);
		if (watch->posted.owed && MUTANT(domain->host, SP_MUT_POSTED_IN_TURN))
			return;
	}
}

void ledger_post(struct sp_domain *domain)
{
	post(domain, domain->watching);
}

void ledger_post_change(struct sp_domain *domain)
{
	bool is_put_off = domain->batches && !MUTANT(domain->host, SP_MUT_BATCH_IGNORED);

	post(domain, domain->watching & ~(is_put_off ? EMULATOR_WATCHES : 0));
}

void ledger_collect(struct sp_domain *domain)
{
	uint32_t paid = 0;

	for (uint32_t left = domain->watching; left; left &= left - 1) {
		struct watch *watch = &domain->watches[lowest_bit(left)];

		if (!watch->posted.owed)
			continue;
		if (watch->observer->ops->has_reached(watch->observer, watch->posted_number) ||
		    MUTANT(domain->host, SP_MUT_WAIT_NOT_AWAITED)) {
			watch->posted = (struct debt){ 0 };
			if (MUTANT(domain->host, SP_MUT_GATHERED_FORGOTTEN))
				watch->gathering = (struct debt){ 0 };
			paid |= 1u << lowest_bit(left);
		}
	}
	if (paid & EMULATOR_WATCHES)
		gate_open(domain);
}

bool ledger_owes_up_to(const struct sp_domain *domain, const struct watch *watch, uint64_t number)
{
	if (watch->posted.owed && watch->posted_first <= number)
		return true;
	return watch->gathering.owed && watch->gathering_first <= number &&
	       !MUTANT(domain->host, SP_MUT_FLUSH_DEFERRED);
}

/* Whoever waits for a range that is being built waits for a number that it holds. */
static bool is_held(const struct sp_domain *domain, uint64_t number) MUST_HOLD(domain->lock)
{
	for (uint32_t i = 0; domain->claimed && i < DOMAIN_CLAIMS; i++)
		if (domain->claims[i].number && domain->claims[i].number <= number)
			return true;
	return false;
}

enum sp_status ledger_paid(const struct sp_domain *domain, uint64_t number)
{
	enum sp_status status = SP_OK;

	for (uint32_t left = domain->watching; left; left &= left - 1) {
		const struct watch *watch = &domain->watches[lowest_bit(left)];

		if (!ledger_owes_up_to(domain, watch, number))
			continue;
		/* What a lost observer may remember stays owed: a guess frees nothing. */
		if (observer_is_lost(watch->observer))
			return SP_LOST;
		status = SP_PENDING;
	}
	return status;
}

enum sp_status ledger_state(const struct sp_domain *domain, uint64_t number)
{
	enum sp_status status = ledger_paid(domain, number);

	return status == SP_OK && is_held(domain, number) ? SP_PENDING : status;
}
