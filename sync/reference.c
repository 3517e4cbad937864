/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/reference.c - how often each frame is referred to, exactly.
 *
 *   a leaf comes    references + 1, then the slot is stored     never seen with too few
 *   a leaf goes     the slot is cleared, then references - 1
 *   it could write  stale + 1 before that, - 1 when all have forgotten: by the rights that it had
 *
 * The count says who may make new translations, the ledger who may hold old ones. Counts of several
 * domains meet here, under a lock of the host's that ranks behind theirs.
 */
#include "sync/reference.h"

#define WRITES (CPU_WRITE | DEVICE_WRITE)

struct sp_frame *references_of(struct sp_host *host, uint64_t mfn)
{
	uint64_t index = mfn - host->counted_first;

	return mfn >= host->counted_first && index < host->counted_count ? &host->counted[index]
									 : NULL;
}

/* One page of a change, as it is and as it will be. */
struct page {
	struct sp_frame *old, *new; /* NULL: none, or not counted */
	uint64_t old_mfn;
	bool stays, was_writable, is_writable;
	bool is_ram;
};

static struct page look(struct sp_domain *domain, const struct counted *counted, uint64_t gfn)
{
	const struct target *target = counted->target;
	struct page page = { .old = NULL };
	struct found found;
	uint64_t mfn = target->mfn + (gfn - counted->span.first);
	bool is_mapped = tree_find(&domain->maps[0].tree, gfn, &found);
	bool comes = target->rights && (!target->keep_frames || is_mapped);

	if (is_mapped) {
		page.old_mfn = found.mfn;
		page.old = references_of(domain->host, found.mfn);
		page.was_writable = (found.rights & WRITES) != 0;
		page.is_ram = found.memory == MEMORY_WRITE_BACK;
	}
	if (comes) {
		page.new = target->keep_frames ? page.old : references_of(domain->host, mfn);
		page.is_writable = (target->rights & WRITES) != 0;
	}
	page.stays = is_mapped && comes && (target->keep_frames || mfn == found.mfn);
	return page;
}

/* ---- before anything changes ---- */

static enum sp_status check_exchange(const struct page *page, uint64_t gone)
{
	if (!page->new || page->stays)
		return SP_INVALID;
	if (!page->old || page->old_mfn != gone || !page->is_ram)
		return SP_NOT_FOUND;
	if (page->old->marks & FRAME_SEEN)
		return SP_INVALID;
	if (page->old->references != 1 || page->new->references || page->new->marks)
		return SP_REFERENCED;
	return SP_OK;
}

static enum sp_status check_page(const struct counted *counted, const struct page *page,
				 uint64_t index)
{
	enum sp_status status = SP_OK;

	if (counted->gone)
		status = check_exchange(page, counted->gone[index].mfn);
	if (status == SP_OK && page->new && !page->stays && (page->new->marks &FRAME_LEAVES))
		status = SP_REFERENCED;
	if (status == SP_OK && page->new && page->is_writable &&
	    (page->new->marks &FRAME_READ_ONLY))
		status = SP_REFERENCED;
	return status;
}

/* It stays, and loses its last right to be written. */
static bool is_revoked(const struct page *page)
{
	return page->old && page->stays && page->was_writable && !page->is_writable;
}

enum sp_status references_check(struct sp_domain *domain, struct counted *counted)
{
	struct sp_host *host = domain->host;
	enum sp_status status = SP_OK;
	uint64_t gfn = counted->span.first;

	counted->revoked_count = 0;
	lock_take(&host->counting, host->embedder);
	for (; gfn < counted->span.end && status == SP_OK; gfn++) {
		struct page page = look(domain, counted, gfn);

		status = check_page(counted, &page, gfn - counted->span.first);
		counted->revoked_count += is_revoked(&page);
		if (status != SP_OK || !counted->gone)
			continue;
		page.old->marks |= FRAME_SEEN;
		/* Given up as it is looked at: what the next frame says comes too late for it. */
		if (MUTANT(host, SP_MUT_EXCHANGE_TAKEN_FIRST))
			page.old->references--;
	}
	for (uint64_t at = counted->span.first; counted->gone && at < gfn; at++) {
		struct page page = look(domain, counted, at);

		if (page.old)
			page.old->marks &= ~(uint32_t)FRAME_SEEN;
	}
	lock_drop(&host->counting);
	return status;
}

/* ---- around the stores ---- */

/* By what the leaf allowed, not by what comes in its place. */
static bool leaves_stale(const struct sp_host *host, const struct page *page)
{
	if (MUTANT(host, SP_MUT_ROLE_BY_NEW_TYPE))
		return page->old && page->is_writable;
	return page->old && page->was_writable && !(page->stays && page->is_writable);
}

static void take_page(struct sp_domain *domain, struct counted *counted, const struct page *page,
		      uint64_t index)
{
	if (page->new && !page->stays) {
		page->new->references++;
		page->new->writers += page->is_writable;
	}
	if (page->new && page->stays)
		page->new->writers += (uint32_t)page->is_writable - (uint32_t)page->was_writable;
	if (page->old && leaves_stale(domain->host, page))
		page->old->stale++;
	if (is_revoked(page))
		counted->revoked[index / 64] |= BIT(index % 64);
	if (counted->gone)
		page->old->marks |= FRAME_LEAVES;
}

void references_take(struct sp_domain *domain, struct counted *counted)
{
	struct sp_host *host = domain->host;

	for (uint32_t i = 0; i < SP_STEP_SLOTS / 64; i++)
		counted->revoked[i] = 0;
	lock_take(&host->counting, host->embedder);
	for (uint64_t gfn = counted->span.first; gfn < counted->span.end; gfn++) {
		struct page page = look(domain, counted, gfn);

		take_page(domain, counted, &page, gfn - counted->span.first);
	}
	lock_drop(&host->counting);
}

void references_note_revoked(struct sp_domain *domain, const struct counted *counted,
			     uint64_t number)
{
	for (uint64_t i = 0; i < counted->span.end - counted->span.first; i++) {
		struct let_go gone = { .count = 1, .kind = GONE_RIGHTS, .rights = WRITES };
		struct stale stale = { .gone = &gone, .gone_count = 1, .gone_max = 1 };
		struct found found;

		if (!(counted->revoked[i / 64] >> i % 64 & 1) ||
		    !tree_find(&domain->maps[0].tree, counted->span.first + i, &found))
			continue;
		gone.mfn = found.mfn;
		limbo_put(domain, 0, &stale, number);
	}
}

/* ---- what went ---- */

static void drop(struct sp_host *host, uint64_t mfn, uint64_t count, uint32_t rights)
{
	for (uint64_t i = 0; i < count; i++) {
		struct sp_frame *frame = references_of(host, mfn + i);

		if (!frame)
			continue;
		frame->references -= frame->references != 0;
		frame->writers -= (rights & WRITES) && frame->writers;
	}
}

struct drop_sink {
	struct dismantle_sink sink; /* first: the sink is cast back */
	struct sp_host *host;
};

static void drop_frames(struct dismantle_sink *sink, uint64_t mfn, uint64_t count, uint32_t rights,
			enum memory_type memory)
{
	(void)memory;
	drop(((struct drop_sink *)sink)->host, mfn, count, rights);
}

static void pass_table(struct dismantle_sink *sink, uint64_t mfn)
{
	(void)sink;
	(void)mfn;
}

void references_drop(struct sp_domain *domain, const struct let_go *gone, uint32_t map)
{
	struct drop_sink sink = { { drop_frames, pass_table }, domain->host };
	const struct tree *tree = &domain->maps[map].tree;
	struct dismantle place = { .depth = 0 };
	uint32_t budget = UINT32_MAX;

	lock_take(&domain->host->counting, domain->host->embedder);
	if (gone->kind == GONE_FRAMES)
		drop(domain->host, gone->mfn, gone->count, gone->rights);
	/* It is read alone; of a step's frames, not more. */
	else if (gone->kind == GONE_SUBTREE && tree->owns_frames)
		(void)tree_dismantle(tree, &place, gone->mfn, gone->level, &sink.sink, &budget);
	lock_drop(&domain->host->counting);
}

void references_forget(struct sp_host *host, uint64_t mfn, uint64_t count, uint32_t rights,
		       bool dropped)
{
	lock_take(&host->counting, host->embedder);
	if (!dropped)
		drop(host, mfn, count, rights);
	for (uint64_t i = 0; i < count; i++) {
		struct sp_frame *frame = references_of(host, mfn + i);

		if (!frame)
			continue;
		frame->stale -= dropped && (rights & WRITES) && frame->stale;
		if (!frame->references)
			frame->marks &= ~(uint32_t)FRAME_LEAVES;
	}
	lock_drop(&host->counting);
}
