/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_frames.c - every frame that may be mapped: whose it is, and how often it must
 * be told as forgotten.
 *
 *   home      2048 frames of each guest; mapped at their own places they become large pages
 *   aperture  a GiB that is no RAM: the only thing large enough for a page of a GiB
 *   single    taken from the machine when mapped, given back when forgotten, then forged, and soon
 *             a table or somebody else's
 *   BAR       registers of the devices
 */
#include "campaign_world.h"

#define RAM_FIRST  (MODEL_RAM_BASE >> 12)
#define RAM_FRAMES 16384u

struct frame *frame_find(struct world *world, uint64_t mfn)
{
	if (mfn >= RAM_FIRST && mfn - RAM_FIRST < RAM_FRAMES)
		return &world->frame[mfn - RAM_FIRST];
	if (mfn >= APERTURE && mfn - APERTURE < GIANT)
		return &world->aperture[mfn - APERTURE];
	for (uint32_t i = 0; i < world->bar_count; i++)
		if (world->bar[i].mfn == mfn)
			return &world->bar[i].frame;
	return NULL;
}

bool frame_is_register(uint64_t mfn)
{
	return mfn < RAM_FIRST;
}

void frames_make(struct world *world)
{
	for (uint32_t i = 0; i < GUESTS; i++) {
		world->home[i] = model_guest_frames(world->model, 11);
		for (uint32_t j = 0; j < HOME; j++)
			frame_find(world, world->home[i] + j)->use = FRAME_IS_FREE;
	}
	for (uint32_t i = 0; i < GIANT; i++)
		world->aperture[i].use = FRAME_IS_FREE;
}

/* --- the ledger ------------------------------------------------------------------------------ */

void frame_enter(struct world *world, const struct guest *guest, struct cell cell)
{
	struct frame *frame = frame_find(world, cell.mfn);

	(void)guest;
	if (!frame || frame->use != FRAME_IS_FREE)
		complain(world, "the campaign maps mfn %#llx, which is not free",
			 (unsigned long long)cell.mfn);
	else
		frame->use = FRAME_IS_MAPPED;
}

static void become_free(struct world *world, struct frame *frame, uint64_t mfn)
{
	frame->use = FRAME_IS_FREE;
	if (!frame->single)
		return;
	*frame = (struct frame){ .use = FRAME_NOT_OURS };
	model_guest_give(world->model, mfn, 0);
}

void frame_displace(struct world *world, struct guest *guest, struct cell cell)
{
	struct frame *frame = frame_find(world, cell.mfn);

	if (frame->use == FRAME_TOLD_EARLY) {
		become_free(world, frame, cell.mfn);
		return;
	}
	frame->use = FRAME_WAITS;
	frame->type = (uint8_t)cell.type;
	frame->number = guest->number;
	guest->waiting++;
}

void frames_may_go(struct world *world, struct guest *guest, uint64_t gfn, uint64_t count, bool may)
{
	for (uint64_t i = 0; i < count; i++) {
		const struct cell *cell = cell_at(guest, gfn + i);
		struct frame *frame = cell && cell->type ? frame_find(world, cell->mfn) : NULL;

		if (!frame)
			continue;
		if (!may && frame->use == FRAME_TOLD_EARLY)
			complain(world, "ledger: mfn %#llx was told as forgotten, and is mapped",
				 (unsigned long long)cell->mfn);
		frame->may_go = may;
		frame->type = (uint8_t)cell->type;
		frame->number = guest->number;
	}
}

static struct guest *guest_numbered(struct world *world, uint32_t number)
{
	for (uint32_t i = 0; i < GUESTS; i++)
		if (world->guest[i].number == number)
			return &world->guest[i];
	return NULL;
}

static void forget(struct world *world, struct guest *guest, uint64_t mfn, enum sp_type type)
{
	struct frame *frame = frame_find(world, mfn);
	bool is_early = frame && frame->use == FRAME_IS_MAPPED && frame->may_go;
	unsigned long long shown = mfn;

	if (!frame || (frame->use != FRAME_WAITS && !is_early)) {
		complain(world, "ledger: mfn %#llx is told as forgotten, and is %s", shown,
			 frame && frame->use == FRAME_IS_MAPPED ? "mapped" : "not mapped at all");
		return;
	}
	if (!guest || frame->number != guest->number)
		complain(world, "ledger: mfn %#llx of domain %u is told of another", shown,
			 frame->number);
	if (frame->type != type)
		complain(world, "ledger: mfn %#llx was %s and is told as %s", shown,
			 type_name((enum sp_type)frame->type), type_name(type));
	if (is_early) {
		frame->use = FRAME_TOLD_EARLY;
		return;
	}
	if (guest)
		guest->waiting--;
	become_free(world, frame, mfn);
}

void frame_forgotten(struct model *model, const struct sp_forgotten *run, void *argument)
{
	struct world *world = argument;
	struct guest *guest = guest_numbered(world, run->domain);

	(void)model;
	for (uint64_t i = 0; i < run->count; i++)
		forget(world, guest, run->first.mfn + i, run->type);
}

void frames_judge_end(struct world *world)
{
	uint64_t left = 0;

	for (uint32_t i = 0; i < RAM_FRAMES; i++)
		left += world->frame[i].use > FRAME_IS_FREE;
	for (uint32_t i = 0; i < GIANT; i++)
		left += world->aperture[i].use > FRAME_IS_FREE;
	for (uint32_t i = 0; i < world->bar_count; i++)
		left += world->bar[i].frame.use > FRAME_IS_FREE;
	if (left)
		complain(world, "ledger: every guest is gone, and %llu frames were never told",
			 (unsigned long long)left);
}

/* --- what to map ----------------------------------------------------------------------------- */

/* The frame whose place gfn is, in its owner's eyes; 0: none. */
static uint64_t own_frame(const struct world *world, const struct guest *owner, uint64_t gfn)
{
	uint64_t index = 0;

	for (uint32_t i = 0; i < PLACES; i++) {
		if (gfn >= places[i].gfn && gfn < places[i].end) {
			index += gfn - places[i].gfn;
			return i == PLACES - 1 ? APERTURE + index
					       : world->home[owner - world->guest] + index;
		}
		index += i < PLACES - 1 ? places[i].end - places[i].gfn : 0;
	}
	return 0;
}

static uint64_t count_free(struct world *world, uint64_t mfn, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		const struct frame *frame = frame_find(world, mfn + i);

		if (!frame || frame->use != FRAME_IS_FREE)
			return i;
	}
	return count;
}

uint64_t frame_own(struct world *world, const struct guest *guest, uint64_t gfn, uint64_t *count)
{
	uint64_t mfn = own_frame(world, guest, gfn);

	*count = count_free(world, mfn, *count);
	return *count ? mfn : 0;
}

static uint64_t take_single(struct world *world, uint64_t *count)
{
	uint64_t mfn = model_guest_frame(world->model);

	*count = 1;
	if (mfn)
		*frame_find(world, mfn) = (struct frame){ .use = FRAME_IS_FREE, .single = true };
	return mfn;
}

void frame_return(struct world *world, uint64_t mfn)
{
	struct frame *frame = frame_find(world, mfn);

	if (!frame || !frame->single || frame->use != FRAME_IS_FREE)
		return;
	*frame = (struct frame){ .use = FRAME_NOT_OURS };
	model_guest_give(world->model, mfn, 0);
}

/*
 * Mostly the guest's own frames, so that runs grow together; else those of the other guest, or the
 * same out of line by one, which no large page can hold.
 */
uint64_t frame_choose(struct world *world, const struct guest *guest, uint64_t gfn, uint64_t *count,
		      struct dice *dice)
{
	uint64_t style = dice_roll(dice, 10), mfn = own_frame(world, guest, gfn);

	if (style == 0)
		mfn = own_frame(world, &world->guest[guest == world->guest], gfn);
	else if (style == 1)
		mfn++;
	else if (style == 2)
		return take_single(world, count);
	*count = count_free(world, mfn, *count);
	return *count ? mfn : 0;
}
