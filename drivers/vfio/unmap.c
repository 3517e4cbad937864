/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vfio/unmap.c - what a domain let go of is taken from its devices.
 *
 *   for each piece that the note touches    all of it still there    keep (the note is wider than what went)
 *                                           part of it still there   keep, and do not answer
 *                                           nothing of it there      unmap, whole
 *
 * Type 1 (v2) refuses to unmap a part of a mapping, and unmapping the whole would be a hole for DMA to
 * the rest. So the answer, and with it the release, waits until the rest has gone too.
 */
#include "drivers/vfio/mirror.h"

#include "lib/host.h"

/* What the guest has of one page of a piece, and to where that is so. */
struct seen {
	bool is_there;	 /* the very frame: to unmap it would be a hole */
	bool has_rights; /* ... with all that devices may do there */
	uint64_t count;
};

/* No lock: the change that left the note had written its slots before. */
static struct seen look(const struct sp_vfio *mirror, const struct piece *piece, uint64_t gfn)
{
	const bool kept = MUTANT(mirror->config.host, SP_MUT_VFIO_RIGHTS_KEPT);
	struct sp_mapping mapping = { .count = 0 };
	struct seen seen = { .count = 1 };

	if (sp_p2m_find(mirror->config.domain, (sp_gfn_t){ gfn }, &mapping) == SP_OK) {
		seen.is_there = mapping.frame.mfn == piece->mfn + (gfn - piece->gfn);
		seen.has_rights = piece->type != SP_RAM || mapping.type == SP_RAM || kept;
	}
	/* Frames of one page follow one another, and so do those of a piece. */
	if (mapping.count > 1)
		seen.count = mapping.count;
	return seen;
}

enum left piece_left(const struct sp_vfio *mirror, const struct piece *piece)
{
	bool all = true, some = false;

	for (uint64_t gfn = piece->gfn; gfn < piece_end(piece);) {
		const struct seen seen = look(mirror, piece, gfn);

		all &= seen.is_there && seen.has_rights;
		some |= seen.is_there;
		gfn += seen.count;
	}
	return all ? LEFT_ALL : some ? LEFT_PART : LEFT_NOTHING;
}

bool piece_is_left_outside(const struct sp_vfio *mirror, const struct piece *piece, uint64_t first,
			   uint64_t end)
{
	for (uint64_t gfn = piece->gfn; gfn < piece_end(piece); gfn++)
		if ((gfn < first || gfn >= end) && look(mirror, piece, gfn).is_there)
			return true;
	return false;
}

enum sp_status unmap_pieces(struct sp_vfio *mirror, uint32_t first, uint32_t count)
{
	struct book *book = &mirror->book;
	const uint64_t gfn = book->piece[first].gfn;
	const uint64_t bytes = (piece_end(&book->piece[first + count - 1]) - gfn) << SP_FRAME_ORDER;
	uint64_t unmapped = 0;
	const int result = mirror->config.calls->unmap(mirror->config.container,
						       gfn << SP_FRAME_ORDER, bytes, &unmapped);

	/* Less than asked: some of it is mapped yet. More: it was mapped as we never mapped it. */
	if ((result != 0 || unmapped != bytes) &&
	    !MUTANT(mirror->config.host, SP_MUT_VFIO_SHORT_BELIEVED)) {
		for (uint32_t i = first; i < first + count; i++)
			book->piece[i].is_lost = true;
		return SP_LOST;
	}
	book_remove(book, first, count);
	return SP_OK;
}

/* Pieces that lie in a row go in one call: how many from here on have nothing left. */
static uint32_t count_gone(const struct sp_vfio *mirror, uint32_t first, uint64_t end)
{
	const struct book *book = &mirror->book;
	uint32_t count = 0;

	for (uint32_t i = first; i < book->count && book->piece[i].gfn < end; i++, count++) {
		const struct piece *piece = &book->piece[i];

		if (piece->is_lost || piece_left(mirror, piece) != LEFT_NOTHING ||
		    (count && piece_end(piece - 1) != piece->gfn))
			break;
	}
	return count;
}

/* The worse of two answers. */
static enum sp_status worse(enum sp_status one, enum sp_status other)
{
	return one == SP_LOST || other == SP_OK ? one : other;
}

static enum sp_status forget_run(struct sp_vfio *mirror, uint64_t first, uint64_t end)
{
	enum sp_status status = SP_OK;
	uint32_t i = book_find(&mirror->book, first);

	while (i < mirror->book.count && mirror->book.piece[i].gfn < end) {
		const struct piece *piece = &mirror->book.piece[i];
		uint32_t gone = count_gone(mirror, i, end);

		if (piece->is_lost) {
			status = SP_LOST;
		} else if (!gone && piece_left(mirror, piece) == LEFT_PART) {
			if (MUTANT(mirror->config.host, SP_MUT_VFIO_HOLE))
				gone = 1;
			else
				status = worse(status, SP_UNSUPPORTED);
		}
		if (!gone)
			i++;
		else if (unmap_pieces(mirror, i, gone) != SP_OK)
			status = SP_LOST;
	}
	return status;
}

static enum sp_status forget_noted(struct sp_vfio *mirror)
{
	enum sp_status status = SP_OK;

	if (mirror->what.all)
		return forget_run(mirror, 0, UINT64_MAX);
	for (uint32_t i = 0; i < mirror->what.run_count; i++) {
		const struct sp_run *run = &mirror->what.run[i];

		status = worse(status, forget_run(mirror, run->first, run->first + run->count));
	}
	return status;
}

enum sp_status sp_vfio_progress(struct sp_vfio *mirror)
{
	enum sp_status status = SP_OK;
	uint64_t asked;

	pthread_mutex_lock(&mirror->lock);
	asked = atomic_load_explicit(&mirror->asked, memory_order_acquire);
	if (asked != atomic_load(&mirror->answered)) {
		status = forget_noted(mirror);
		if (status == SP_OK) {
			atomic_store(&mirror->answered, asked);
			status = sp_observer_reached(mirror->observer, asked);
		}
		if (status == SP_OK && atomic_load(&mirror->asked) != asked)
			status = SP_PENDING;
	}
	pthread_mutex_unlock(&mirror->lock);
	return status;
}

enum sp_status sp_vfio_wait(struct sp_vfio *mirror, struct sp_ticket ticket)
{
	struct sp_host *host = mirror->config.host;

	for (;;) {
		const enum sp_status paid = sp_poll(host, ticket);
		enum sp_status status;

		if (paid != SP_PENDING)
			return paid;
		status = sp_vfio_progress(mirror);
		if (status != SP_OK && status != SP_PENDING)
			return status;
		(void)sp_progress(host, SP_STEP_SLOTS);
		platform_relax(host->embedder);
	}
}
