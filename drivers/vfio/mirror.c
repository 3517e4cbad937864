/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/vfio/mirror.c - a mirror comes and goes; what is taken away is checked before it goes. */
#include "drivers/vfio/mirror.h"

#include "lib/host.h"

#include <stdlib.h>

/* dma_entry_limit of vfio_iommu_type1, where the kernel does not say what is left. */
#define ENTRIES_BY_DEFAULT 65535u

/* The domain's lock is held: a note, for sp_vfio_progress(). */
static bool leave_note(void *argument, const struct sp_forget *what)
{
	struct sp_vfio *mirror = argument;

	mirror->what = *what;
	atomic_store_explicit(&mirror->asked, what->number, memory_order_release);
	/* True would say that it is done. */
	return MUTANT(mirror->config.host, SP_MUT_VFIO_NOT_AWAITED);
}

static bool still_holds(void *argument)
{
	struct sp_vfio *mirror = argument;

	return atomic_load(&mirror->answered) != atomic_load(&mirror->asked) &&
	       !MUTANT(mirror->config.host, SP_MUT_VFIO_NOT_AWAITED);
}

static bool is_whole(const struct sp_vfio_config *config)
{
	return config->host && config->domain && config->calls && config->address;
}

enum sp_status sp_vfio_open(const struct sp_vfio_config *config, struct sp_vfio **opened)
{
	struct sp_observer_config observer = { .forget = leave_note, .holds = still_holds };
	struct sp_vfio *mirror;
	enum sp_status status = SP_INVALID;

	if (!is_whole(config))
		return SP_INVALID;
	mirror = calloc(1, sizeof(*mirror));
	if (!mirror)
		return SP_NO_MEMORY;
	mirror->config = *config;
	pthread_mutex_init(&mirror->lock, NULL);
	observer.argument = mirror;
	if (config->calls->info(config->container, &mirror->info) == 0) {
		const uint32_t left = mirror->info.entries == UINT32_MAX ? ENTRIES_BY_DEFAULT
									 : mirror->info.entries;

		mirror->book.limit = config->limit && config->limit < left ? config->limit : left;
		status = sp_observer_add(config->domain, &observer, &mirror->observer);
	}
	if (status == SP_OK) {
		*opened = mirror;
		return SP_OK;
	}
	pthread_mutex_destroy(&mirror->lock);
	free(mirror);
	return status;
}

void sp_vfio_closed(struct sp_vfio *mirror)
{
	sp_observer_remove(mirror->observer);
	book_free(&mirror->book);
	pthread_mutex_destroy(&mirror->lock);
	free(mirror);
}

/* Pieces need not lie in a row: what lies between was never mapped, and counts for nothing. */
enum sp_status sp_vfio_close(struct sp_vfio *mirror)
{
	enum sp_status status = SP_OK;

	pthread_mutex_lock(&mirror->lock);
	for (uint32_t i = mirror->book.count; i-- > 0;)
		if (unmap_pieces(mirror, i, 1) != SP_OK)
			status = SP_LOST;
	pthread_mutex_unlock(&mirror->lock);
	if (status == SP_OK)
		sp_vfio_closed(mirror);
	return status;
}

uint32_t sp_vfio_pieces(struct sp_vfio *mirror)
{
	uint32_t count;

	pthread_mutex_lock(&mirror->lock);
	count = mirror->book.count;
	pthread_mutex_unlock(&mirror->lock);
	return count;
}

/* Of no piece that is touched is anything left then. */
static bool are_whole(const struct sp_vfio *mirror, uint64_t first, uint64_t end)
{
	const struct book *book = &mirror->book;

	for (uint32_t i = book_find(book, first); i < book->count && book->piece[i].gfn < end; i++)
		if (piece_is_left_outside(mirror, &book->piece[i], first, end))
			return false;
	return true;
}

/* One step ends between two pieces. */
static uint64_t end_of_step(const struct book *book, uint64_t first, uint64_t end)
{
	uint64_t step = first + SP_STEP_SLOTS;
	uint32_t i;

	if (step >= end)
		return end;
	i = book_find(book, step);
	if (i < book->count && book->piece[i].gfn < step && book->piece[i].gfn > first)
		step = book->piece[i].gfn;
	return step;
}

enum sp_status sp_vfio_unmap(struct sp_vfio *mirror, sp_gfn_t first, uint64_t count,
			     struct sp_result *result)
{
	enum sp_status status = SP_UNSUPPORTED;

	*result = (struct sp_result){ .ticket = { mirror->config.domain, 0 } };
	if (count == 0 || first.gfn + count < first.gfn)
		return SP_INVALID;
	pthread_mutex_lock(&mirror->lock);
	if (are_whole(mirror, first.gfn, first.gfn + count) ||
	    MUTANT(mirror->config.host, SP_MUT_VFIO_HOLE)) {
		const uint64_t end = end_of_step(&mirror->book, first.gfn, first.gfn + count);

		status = sp_p2m_unmap(mirror->config.domain, first, end - first.gfn, result);
		if (status == SP_OK)
			mirror->ticket = result->ticket;
	}
	pthread_mutex_unlock(&mirror->lock);
	return status;
}

enum sp_status sp_vfio_set_type(struct sp_vfio *mirror, sp_gfn_t first, uint64_t count,
				enum sp_type type, struct sp_result *result)
{
	const uint64_t end = first.gfn + count;
	enum sp_status status = SP_OK;

	*result = (struct sp_result){ .ticket = { mirror->config.domain, 0 } };
	pthread_mutex_lock(&mirror->lock);
	for (uint32_t i = book_find(&mirror->book, first.gfn);
	     i < mirror->book.count && mirror->book.piece[i].gfn < end; i++)
		if (mirror->book.piece[i].type != (uint8_t)type)
			status = SP_UNSUPPORTED;
	if (status == SP_OK)
		status = sp_p2m_set_type(mirror->config.domain, first, count, type, result);
	pthread_mutex_unlock(&mirror->lock);
	return status;
}
