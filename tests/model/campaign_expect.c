/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_expect.c - oracle A: a flat array of what every guest frame is.
 *
 *   cell     what the last change made of it: what everybody reaches once that is paid
 *   pasts    what it was before each change whose ticket is not settled: may still be reached
 *
 *   p2m look-ups see the cell at once.
 */
#include "campaign_world.h"

#include <string.h>

/*
 * One begins at a GiB, one lies across the border of two, and one is a whole GiB: the only one that
 * can be one page of that size.
 */
const struct place places[PLACES] = {
	{ 0x40000, 0x40000 + 1024 },
	{ 0x80000 - 512, 0x80000 + 512 },
	{ 0x100000, 0x100000 + GIANT },
};

struct cell *cell_at(const struct guest *guest, uint64_t gfn)
{
	uint64_t index = 0;

	for (uint32_t i = 0; i < PLACES; i++) {
		if (gfn >= places[i].gfn && gfn < places[i].end)
			return &guest->cell[index + gfn - places[i].gfn];
		index += places[i].end - places[i].gfn;
	}
	return NULL;
}

bool type_is_ram(enum sp_type type)
{
	return type == SP_RAM || type == SP_RAM_READONLY;
}

/* --- changes --------------------------------------------------------------------------------- */

static bool joins(const struct past *past, uint64_t gfn, struct cell cell, uint64_t number)
{
	uint64_t run = cell.type ? past->cell.mfn + past->count : 0;

	return past->number == number && past->cell.type == cell.type &&
	       past->first + past->count == gfn && run == cell.mfn;
}

static void add_past(struct world *world, struct guest *guest, uint64_t gfn, struct cell cell,
		     uint64_t number)
{
	struct past *last = guest->past_count ? &guest->past[guest->past_count - 1] : NULL;

	if (number <= guest->settled)
		return;
	if (last && joins(last, gfn, cell, number))
		last->count++;
	else if (guest->past_count < PASTS)
		guest->past[guest->past_count++] = (struct past){ gfn, 1, cell, number };
	else
		complain(world, "the campaign has more pasts than it can keep");
}

static void change_cell(struct world *world, struct guest *guest, uint64_t gfn, struct cell *at,
			struct cell cell, uint64_t number)
{
	struct cell old = *at;
	bool stays = old.type && cell.type && old.mfn == cell.mfn;

	if (old.type == cell.type && old.mfn == cell.mfn)
		return;
	add_past(world, guest, gfn, old, number);
	if (old.type && !stays)
		frame_displace(world, guest, old);
	if (cell.type && !stays)
		frame_enter(world, guest, cell);
	*at = cell;
}

void expect_change(struct world *world, struct guest *guest, uint64_t gfn, uint64_t count,
		   struct cell cell, bool keep_frames, uint64_t number)
{
	for (uint32_t i = 0; i < PLACES; i++) {
		uint64_t first = gfn > places[i].gfn ? gfn : places[i].gfn;
		uint64_t end = gfn + count < places[i].end ? gfn + count : places[i].end;

		for (uint64_t at = first; at < end; at++) {
			struct cell *old = cell_at(guest, at);
			struct cell new = { cell.type ? cell.mfn + (at - gfn) : 0, cell.type };

			if (keep_frames)
				new.mfn = old->mfn;
			change_cell(world, guest, at, old, new, number);
		}
	}
}

/* --- tickets --------------------------------------------------------------------------------- */

void expect_settled(struct guest *guest, uint64_t number)
{
	uint32_t kept = 0;

	if (number > guest->settled)
		guest->settled = number;
	for (uint32_t i = 0; i < guest->past_count; i++)
		if (guest->past[i].number > guest->settled)
			guest->past[kept++] = guest->past[i];
	guest->past_count = kept;
}

/* Oldest first: where one is not settled no later one is. */
void expect_poll(struct world *world, struct guest *guest)
{
	enum sp_status status = SP_OK;

	while (guest->state == GUEST_LIVES && guest->past_count && status == SP_OK) {
		struct sp_ticket ticket = { guest->domain, guest->past[0].number };

		world->outcome->operations++;
		status = sp_poll(world->host, ticket);
		if (status == SP_OK)
			expect_settled(guest, ticket.number);
		else if (status != SP_PENDING)
			complain(world, "a ticket answers %s", sp_status_text(status));
	}
}

/* --- accesses -------------------------------------------------------------------------------- */

static uint32_t rights_of(enum sp_type type, bool is_device)
{
	switch (type) {
	case SP_RAM:
		return is_device ? MODEL_READ | MODEL_WRITE
				 : MODEL_READ | MODEL_WRITE | MODEL_EXECUTE;
	case SP_RAM_READONLY:
		return is_device ? MODEL_READ : MODEL_READ | MODEL_EXECUTE;
	case SP_MMIO:
		return is_device ? 0 : MODEL_READ | MODEL_WRITE;
	case SP_RESERVED:
		return MODEL_READ | MODEL_WRITE;
	case SP_RAM_HELD:
		return MODEL_READ;
	case SP_HOLE:
	case SP_TYPE_COUNT:
		break;
	}
	return 0;
}

static bool explains(const struct cell *cell, uint64_t offset, const struct reached *reached)
{
	bool may = rights_of(cell->type, reached->is_device) & (uint32_t)reached->access;

	return reached->ok ? may && cell->mfn + offset == reached->mfn : !may;
}

static bool is_explained(const struct guest *guest, const struct reached *reached)
{
	static const struct cell hole;
	const struct cell *cell = cell_at(guest, reached->gfn);

	if (explains(cell ? cell : &hole, 0, reached))
		return true;
	for (uint32_t i = 0; i < guest->past_count; i++) {
		const struct past *past = &guest->past[i];
		uint64_t offset = reached->gfn - past->first;

		if (offset < past->count && explains(&past->cell, offset, reached))
			return true;
	}
	return false;
}

static const char *access_name(enum model_access access)
{
	return access == MODEL_READ ? "reads" : access == MODEL_WRITE ? "writes" : "executes";
}

void expect_reach(struct world *world, struct guest *guest, const struct reached *reached)
{
	const struct cell *cell = cell_at(guest, reached->gfn);
	enum sp_type type = cell ? cell->type : SP_HOLE;

	if (is_explained(guest, reached))
		return;
	complain(world, "oracle A: %s %s gfn %#llx of %c %s mfn %#llx, which is %s mfn %#llx",
		 reached->who, access_name(reached->access), (unsigned long long)reached->gfn,
		 guest_letter(world, guest), reached->ok ? "and reaches" : "and is blocked,",
		 (unsigned long long)reached->mfn, type_name(type),
		 (unsigned long long)(cell ? cell->mfn : 0));
}

/* --- look-ups -------------------------------------------------------------------------------- */

/* The run that the answer promises, at its begin, its end and in its middle. */
static bool run_is_true(const struct guest *guest, uint64_t gfn, const struct sp_mapping *found)
{
	const uint64_t probes[] = { 0, found->count / 2, found->count - 1 };

	for (uint32_t i = 0; i < 3; i++) {
		const struct cell *cell = cell_at(guest, gfn + probes[i]);

		if ((cell ? cell->type : SP_HOLE) != found->type)
			return false;
		if (found->type && cell->mfn != found->frame.mfn + probes[i])
			return false;
	}
	return true;
}

void expect_find(struct world *world, struct guest *guest, uint64_t gfn)
{
	struct sp_mapping found = { .type = SP_HOLE };
	enum sp_status status = sp_p2m_find(guest->domain, (sp_gfn_t){ gfn }, &found);

	world->outcome->operations++;
	say(world, "find %c %#llx: %s, count %llu, order %u", guest_letter(world, guest),
	    (unsigned long long)gfn, type_name(found.type), (unsigned long long)found.count,
	    found.order);
	if ((status == SP_OK) != (found.type != SP_HOLE) || !found.count)
		complain(world, "a look-up contradicts itself: %s, %s", sp_status_text(status),
			 type_name(found.type));
	else if (!run_is_true(guest, gfn, &found))
		complain(world, "oracle A: gfn %#llx of %c is found as %s mfn %#llx, count %llu",
			 (unsigned long long)gfn, guest_letter(world, guest), type_name(found.type),
			 (unsigned long long)found.frame.mfn, (unsigned long long)found.count);
}
