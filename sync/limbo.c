/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/limbo.c - where frames, tables and subtrees wait until every observer has forgotten them.
 *
 *   head                                head + count
 *    | number 4 | number 4 | number 7 | ...  |      a ring, oldest first: the head settles first
 *
 * Nothing is written into what waits here: hardware may still walk it, and write accessed bits into
 * it.
 */
#include "memory.h"
#include "sync/reference.h"

uint32_t limbo_room(const struct sp_domain *domain)
{
	return domain->limbo.size - domain->limbo.count;
}

static uint32_t wrap(const struct limbo *limbo, uint32_t at)
{
	return at < limbo->size ? at : at - limbo->size;
}

struct release {
	struct dismantle_sink sink; /* first: the sink is cast back */
	struct sp_domain *domain;
	bool dropped; /* of the entry */
};

static void release_frames(struct dismantle_sink *sink, uint64_t mfn, uint64_t count,
			   uint32_t rights, enum memory_type memory)
{
	struct sp_domain *domain = ((struct release *)sink)->domain;
	struct sp_forgotten run = { .domain = domain->number, .first = { mfn }, .count = count };

	if (!domain->type_of || (MUTANTS_BUILT && !count))
		return;
	run.type = domain->type_of(rights, memory);
	/* Firmware's frames: never the embedder's, and their function's quarantine reaches them still. */
	if (run.type == SP_RESERVED)
		return;
	if (references_are_kept(domain))
		references_forget(domain->host, mfn, count, rights,
				  ((struct release *)sink)->dropped);
	platform_forgotten(domain->host->embedder, &run);
}

/* The embedder scrubs, and then the flush comes. */
static void tell_early(struct sp_domain *domain, struct let_go *gone)
{
	struct release release = { .domain = domain };

	release_frames(&release.sink, gone->mfn, gone->count, gone->rights,
		       (enum memory_type)gone->memory);
	gone->count = 0;
}

void limbo_put(struct sp_domain *domain, uint32_t map, const struct stale *stale, uint64_t number)
{
	struct limbo *limbo = &domain->limbo;
	bool may_be_walked = false;

	for (uint32_t i = 0; i < stale->gone_count; i++) {
		struct limbo_entry *entry =
			&limbo->entry[wrap(limbo, limbo->head + limbo->count++)];

		entry->gone = stale->gone[i];
		entry->number = number;
		entry->epoch = domain->epoch;
		entry->map = (uint8_t)map;
		/* Who lets go of everything at once has it counted when it is taken apart. */
		entry->dropped = domain->counts;
		if (entry->dropped)
			references_drop(domain, &entry->gone, map);
		may_be_walked |= entry->gone.kind == GONE_TABLE || entry->gone.kind == GONE_SUBTREE;
		if (MUTANT(domain->host, SP_MUT_SCRUB_BEFORE_FLUSH) &&
		    entry->gone.kind == GONE_FRAMES)
			tell_early(domain, &entry->gone);
	}
	if (!may_be_walked)
		return;
	/* Who begins to walk after this does not find what went (readers.c). */
	full_barrier();
	store64(&domain->epoch, domain->epoch + 1);
}

static void release_table(struct dismantle_sink *sink, uint64_t mfn)
{
	struct sp_domain *domain = ((struct release *)sink)->domain;

	domain->tables_used--;
	platform_frames_give(domain->host->embedder, (sp_mfn_t){ mfn }, 0);
}

/* As if what is taken apart were not forgotten yet. */
static void flush_batch(struct sp_domain *domain) MUST_HOLD(domain->lock)
{
	struct stale stale;

	stale_begin(&stale, NULL, 0);
	stale_add(&stale, WALKER_CPU, KIND_UNLINK, (struct span){ 0, 1 });
	(void)ledger_enter(domain, &domain->maps[0], &stale);
	ledger_post(domain);
}

/* Some of it: it was forgotten as a whole, so nobody is told anything for its pieces. */
static bool release_subtree(struct sp_domain *domain, const struct limbo_entry *entry,
			    struct release *release, uint32_t *budget)
{
	const struct tree *tree = &domain->maps[entry->map].tree;
	uint64_t mfn = entry->gone.mfn;

	if (MUTANT(domain->host, SP_MUT_RECLAIM_CURRENT) && entry->gone.level + 1u == tree->levels)
		mfn = tree->root.mfn;
	if (MUTANT(domain->host, SP_MUT_RECLAIM_FLUSHES))
		flush_batch(domain);
	return tree_dismantle(tree, &domain->limbo.place, mfn, entry->gone.level, &release->sink,
			      budget);
}

/* True when the entry is gone altogether. */
static bool release_entry(struct sp_domain *domain, const struct limbo_entry *entry,
			  struct release *release, uint32_t *budget) MUST_HOLD(domain->lock)
{
	release->dropped = entry->dropped;
	switch (entry->gone.kind) {
	case GONE_RIGHTS:
		references_forget(domain->host, entry->gone.mfn, entry->gone.count,
				  entry->gone.rights, true);
		break;
	case GONE_FRAMES:
		release_frames(&release->sink, entry->gone.mfn, entry->gone.count,
			       entry->gone.rights, (enum memory_type)entry->gone.memory);
		break;
	case GONE_TABLE:
		release_table(&release->sink, entry->gone.mfn);
		break;
	case GONE_SUBTREE:
		return release_subtree(domain, entry, release, budget);
	}
	--*budget;
	return true;
}

/* Any of the watches from first to end, which is not one of them. */
static bool watches_owe(const struct sp_domain *domain, uint32_t first, uint32_t end)
	MUST_HOLD(domain->lock)
{
	for (uint32_t i = first; i < end; i++)
		if (domain->watches[i].observer && ledger_owes(&domain->watches[i]))
			return true;
	return false;
}

/* A's rule of release, and what mutants make of it. */
static bool may_release(const struct sp_domain *domain, const struct limbo_entry *entry)
	MUST_HOLD(domain->lock)
{
	if (MUTANT(domain->host, SP_MUT_RELEASE_WITHOUT_WAIT) ||
	    MUTANT(domain->host, SP_MUT_RELEASE_AT_UNLOCK))
		return true;
	if (MUTANT(domain->host, SP_MUT_LAZY_UNFILTERED) && entry->number > domain->wanted)
		return true;
	if (MUTANT(domain->host, SP_MUT_RELEASE_AFTER_CPUS))
		return !ledger_owes(&domain->watches[CPU_WATCH]);
	if (MUTANT(domain->host, SP_MUT_RELEASE_AFTER_UNITS))
		return !watches_owe(domain, CPU_WATCH + 1, 1 + MAX_UNITS);
	if (MUTANT(domain->host, SP_MUT_RELEASE_AFTER_EMULATORS))
		return !watches_owe(domain, 1 + MAX_UNITS, ROOT_WATCH);
	if ((entry->gone.kind == GONE_TABLE || entry->gone.kind == GONE_SUBTREE) &&
	    !readers_have_left(domain, entry->epoch))
		return false;
	return ledger_state(domain, entry->number) == SP_OK;
}

/*
 * From the oldest on: what comes meanwhile lies behind, so whatever a budget is spent on has an end,
 * however fast others let go.
 */
void limbo_settle(struct sp_domain *domain, uint32_t *budget)
{
	struct limbo *limbo = &domain->limbo;
	struct release release = { .sink = { release_frames, release_table }, .domain = domain };
	const bool newest_first = MUTANT(domain->host, SP_MUT_RECLAIM_NEWEST);

	while (*budget && limbo->count) {
		uint32_t at =
			newest_first ? wrap(limbo, limbo->head + limbo->count - 1) : limbo->head;

		if (!may_release(domain, &limbo->entry[at]) ||
		    !release_entry(domain, &limbo->entry[at], &release, budget))
			return;
		limbo->count--;
		if (!newest_first)
			limbo->head = wrap(limbo, limbo->head + 1);
	}
}
