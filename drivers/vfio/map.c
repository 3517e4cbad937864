/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vfio/map.c - memory comes: to the devices first, then to the CPUs.
 *
 *   check all  ->  pieces to the kernel, one by one  ->  the CPU's map
 *                    |  one is refused                     |  refused
 *                    `--> those before it go again <-------'
 *
 * Until the last step no vCPU knows the memory, so taking it back is no hole.
 */
#include "drivers/vfio/mirror.h"

#include "lib/host.h"

#include <errno.h>

/* One call's work. */
struct step {
	uint64_t gfn, mfn;
	uint64_t count; /* frames */
	enum sp_type type;
	uint32_t order;
};

static enum sp_status status_of(int error)
{
	switch (-error) {
	case ENOSPC:
		return SP_NO_SPACE;
	case ENOMEM:
		return SP_NO_MEMORY;
	default:
		return SP_INVALID;
	}
}

static enum sp_status check_arguments(const struct sp_vfio *mirror, const struct step *step)
{
	const uint64_t below = (1ull << step->order) - 1;

	if (step->order > SP_VFIO_ORDER_MAX || step->count == 0 ||
	    ((step->gfn | step->mfn | step->count) & below) != 0)
		return SP_INVALID;
	if (step->type != SP_RAM && step->type != SP_RAM_READONLY)
		return SP_INVALID;
	/* The smallest page of the kernel's IOMMU must go into a piece. */
	if ((mirror->info.page_sizes & ((2ull << (step->order + SP_FRAME_ORDER)) - 1)) == 0)
		return SP_UNSUPPORTED;
	return SP_OK;
}

static enum sp_status check_range(const struct sp_vfio *mirror, const struct step *step)
{
	const struct sp_vfio_info *info = &mirror->info;
	bool is_beyond = true;

	for (uint32_t i = 0; i < info->range_count; i++) {
		const uint64_t first = info->range[i].first.dfn;

		if (step->gfn >= first && step->gfn - first < info->range[i].count &&
		    step->count <= info->range[i].count - (step->gfn - first))
			return SP_OK;
		is_beyond &= step->gfn + step->count > first + info->range[i].count;
	}
	if (info->range_count == 0)
		return SP_OK;
	return is_beyond ? SP_RANGE : SP_RESERVED_RANGE;
}

/* The guest has nothing there, or the very same. */
static enum sp_status check_guest(const struct sp_vfio *mirror, const struct step *step)
{
	for (uint64_t at = 0; at < step->count;) {
		struct sp_mapping mapping = { .count = 0 };

		if (sp_p2m_find(mirror->config.domain, (sp_gfn_t){ step->gfn + at }, &mapping) ==
			    SP_OK &&
		    (mapping.frame.mfn != step->mfn + at || mapping.type != step->type))
			return SP_UNSUPPORTED;
		at += mapping.count ? mapping.count : 1;
	}
	return SP_OK;
}

static bool is_same_piece(const struct piece *piece, const struct step *step, uint64_t at)
{
	return piece->gfn == step->gfn + at && piece->mfn == step->mfn + at &&
	       piece->order == step->order && piece->type == step->type;
}

/*
 * SP_NOT_FOUND: nothing of the step is mapped yet. SP_OK: it is, as it is asked for. The step ends where
 * that ends.
 */
static enum sp_status check_book(const struct sp_vfio *mirror, struct step *step)
{
	const struct book *book = &mirror->book;
	uint32_t i = book_find(book, step->gfn);
	uint64_t same = 0;

	if (i == book->count || book->piece[i].gfn >= step->gfn + step->count)
		return SP_NOT_FOUND;
	if (book->piece[i].gfn > step->gfn) {
		step->count = (book->piece[i].gfn - step->gfn) & ~((1ull << step->order) - 1);
		return step->count ? SP_NOT_FOUND : SP_UNSUPPORTED;
	}
	if (book->piece[i].is_lost)
		return SP_LOST;
	if (piece_left(mirror, &book->piece[i]) != LEFT_ALL)
		return SP_BUSY;
	while (i < book->count && same < step->count && !book->piece[i].is_lost &&
	       is_same_piece(&book->piece[i], step, same))
		same += piece_frames(&book->piece[i++]);
	step->count = same;
	return same ? SP_OK : SP_UNSUPPORTED;
}

static enum sp_status map_piece(struct sp_vfio *mirror, const struct piece *piece)
{
	const struct sp_vfio_config *config = &mirror->config;
	const uint64_t frames = piece_frames(piece);
	void *address = config->address(config->argument, (sp_mfn_t){ piece->mfn }, frames);
	int result;

	if (!address)
		return SP_INVALID;
	result = config->calls->map(config->container, piece->gfn << SP_FRAME_ORDER, address,
				    frames << SP_FRAME_ORDER, piece->type == SP_RAM);
	return result == 0 ? SP_OK : status_of(result);
}

/* What no CPU knows goes again. */
static enum sp_status undo(struct sp_vfio *mirror, const struct step *step, enum sp_status status)
{
	const uint32_t first = book_find(&mirror->book, step->gfn);
	uint32_t count = 0;

	while (first + count < mirror->book.count &&
	       mirror->book.piece[first + count].gfn < step->gfn + step->count)
		count++;
	if (count == 0 || MUTANT(mirror->config.host, SP_MUT_VFIO_UNDO_SKIPPED))
		return status;
	return unmap_pieces(mirror, first, count) == SP_OK ? status : SP_LOST;
}

static enum sp_status map_to_devices(struct sp_vfio *mirror, const struct step *step)
{
	const uint64_t frames = 1ull << step->order;
	enum sp_status status = book_reserve(&mirror->book, (uint32_t)(step->count / frames));

	for (uint64_t at = 0; status == SP_OK && at < step->count; at += frames) {
		const struct piece piece = { .gfn = step->gfn + at,
					     .mfn = step->mfn + at,
					     .order = (uint8_t)step->order,
					     .type = (uint8_t)step->type };

		status = map_piece(mirror, &piece);
		if (status == SP_OK)
			book_insert(&mirror->book, &piece, 1);
	}
	return status == SP_OK ? SP_OK : undo(mirror, step, status);
}

static enum sp_status map_to_cpus(struct sp_vfio *mirror, const struct step *step,
				  struct sp_result *result)
{
	return sp_p2m_map(mirror->config.domain, (sp_gfn_t){ step->gfn }, (sp_mfn_t){ step->mfn },
			  step->count, step->type, result);
}

/* All is checked, and nothing of it is in the book. */
static enum sp_status map_both(struct sp_vfio *mirror, struct step *step, struct sp_result *result)
{
	enum sp_status status;

	if (MUTANT(mirror->config.host, SP_MUT_VFIO_CPU_FIRST)) {
		status = map_to_cpus(mirror, step, result);
		return status == SP_OK ? map_to_devices(mirror, step) : status;
	}
	status = map_to_devices(mirror, step);
	if (status != SP_OK)
		return status;
	status = map_to_cpus(mirror, step, result);
	if (status != SP_OK)
		return undo(mirror, step, status);
	/* The CPU's map may take less at once: what no CPU knows is no device's either. */
	step->gfn += result->done;
	step->count -= result->done;
	if (step->count != 0)
		(void)undo(mirror, step, SP_OK);
	return SP_OK;
}

static enum sp_status map_step(struct sp_vfio *mirror, struct step *step, struct sp_result *result)
{
	enum sp_status status = check_guest(mirror, step);

	if (status != SP_OK)
		return status;
	status = check_book(mirror, step);
	if (status == SP_OK)
		return map_to_cpus(mirror, step, result);
	if (status == SP_BUSY)
		result->ticket = mirror->ticket;
	return status == SP_NOT_FOUND ? map_both(mirror, step, result) : status;
}

/* Slots of one table are one step of the CPU's map: it is done whole, or not at all. */
static uint64_t one_table(uint64_t gfn, uint64_t count)
{
	const uint64_t left = SP_STEP_SLOTS - gfn % SP_STEP_SLOTS;

	return count < left ? count : left;
}

enum sp_status sp_vfio_map(struct sp_vfio *mirror, sp_gfn_t first, sp_mfn_t frame, uint64_t count,
			   enum sp_type type, uint32_t order, struct sp_result *result)
{
	struct step step = {
		.gfn = first.gfn, .mfn = frame.mfn, .count = count, .type = type, .order = order
	};
	enum sp_status status;

	*result = (struct sp_result){ .ticket = { mirror->config.domain, 0 } };
	if (type == SP_MMIO)
		return sp_p2m_map(mirror->config.domain, first, frame, count, type, result);
	status = check_arguments(mirror, &step);
	if (status == SP_OK)
		status = check_range(mirror, &step);
	if (status != SP_OK)
		return status;
	step.count = one_table(step.gfn, step.count);
	pthread_mutex_lock(&mirror->lock);
	status = map_step(mirror, &step, result);
	pthread_mutex_unlock(&mirror->lock);
	if (status != SP_OK)
		result->done = 0;
	return status;
}
