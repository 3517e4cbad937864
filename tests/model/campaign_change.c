/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_change.c - steps that change a guest's memory, or ask what it is.
 *
 *   a patient step    waits where it is told SP_BUSY, goes on with the rest, sometimes waits at the end
 *   an impatient one  asks once, and leaves what it owes to others
 */
#include "campaign_world.h"

#include <stdio.h>

#define TRIES 200u

enum request_kind {
	REQUEST_MAP,
	REQUEST_UNMAP,
	REQUEST_RETYPE
};

struct request {
	enum request_kind kind;
	uint64_t gfn, count, mfn;
	enum sp_type type;
};

/* --- what may be answered -------------------------------------------------------------------- */

/* One table for CPU and device, with one set of rights: registers for the CPU alone have no entry. */
static bool cannot_hold(const struct world *world, const struct request *request)
{
	return request->kind == REQUEST_MAP && request->type == SP_MMIO &&
	       world->config.mode->cpu == SP_CPU_EPT &&
	       world->config.mode->tables == SP_TABLES_SHARED;
}

static bool touches_range(const struct world *world, const struct guest *guest,
			  const struct request *request)
{
	return world->device[1].owner == guest && request->gfn < RANGE + RANGE_FRAMES &&
	       request->gfn + request->count > RANGE;
}

static bool finds_no_ram(const struct guest *guest, const struct request *request)
{
	const struct cell *cell = cell_at(guest, request->gfn);

	return request->kind == REQUEST_RETYPE && !type_is_ram(cell ? cell->type : SP_HOLE);
}

static bool is_right(const struct world *world, const struct guest *guest,
		     const struct request *request, enum sp_status status)
{
	if (guest->state == GUEST_DIES)
		return status == SP_INVALID || status == SP_NOT_FOUND;
	if (finds_no_ram(guest, request))
		return status == SP_NOT_FOUND;
	if (touches_range(world, guest, request))
		return status == SP_RESERVED_RANGE;
	/* What is in the way may be told before what can never be. */
	if (cannot_hold(world, request))
		return status == SP_UNSUPPORTED || status == SP_BUSY;
	if (status == SP_NO_MEMORY)
		return world->refused || guest->tight;
	return status == SP_OK || status == SP_BUSY;
}

static bool did_right(const struct guest *guest, const struct request *request,
		      enum sp_status status, const struct sp_result *result)
{
	if (status != SP_OK)
		return result->done == 0;
	if (result->done == 0 || result->done > request->count)
		return false;
	for (uint64_t i = 0; request->kind == REQUEST_RETYPE && i < result->done; i++) {
		const struct cell *cell = cell_at(guest, request->gfn + i);

		if (!cell || !type_is_ram(cell->type))
			return false;
	}
	return result->ticket.domain == guest->domain;
}

/* --- asking ---------------------------------------------------------------------------------- */

static enum sp_status ask(struct world *world, const struct guest *guest,
			  const struct request *request, struct sp_result *result)
{
	const sp_gfn_t first = { request->gfn };

	world->outcome->operations++;
	switch (request->kind) {
	case REQUEST_MAP:
		return sp_p2m_map(guest->domain, first, (sp_mfn_t){ request->mfn }, request->count,
				  request->type, result);
	case REQUEST_UNMAP:
		return sp_p2m_unmap(guest->domain, first, request->count, result);
	case REQUEST_RETYPE:
		break;
	}
	return sp_p2m_set_type(guest->domain, first, request->count, request->type, result);
}

static void tell(struct world *world, const struct guest *guest, const struct request *request,
		 enum sp_status status, const struct sp_result *result)
{
	static const char *const names[] = { "map", "unmap", "retype" };
	char letter = guest_letter(world, guest);

	say(world, "%s %c %#llx + %#llx", names[request->kind], letter,
	    (unsigned long long)request->gfn, (unsigned long long)request->count);
	if (request->kind == REQUEST_MAP)
		say(world, " to mfn %#llx", (unsigned long long)request->mfn);
	if (request->kind != REQUEST_UNMAP)
		say(world, " as %s", type_name(request->type));
	say(world, ": %s, done %#llx, ticket %llu; ", sp_status_text(status),
	    (unsigned long long)result->done, (unsigned long long)result->ticket.number);
}

static void note(struct world *world, struct guest *guest, const struct request *request,
		 const struct sp_result *result)
{
	const struct cell cell = { request->mfn, request->type };

	expect_change(world, guest, request->gfn, result->done, cell,
		      request->kind == REQUEST_RETYPE, result->ticket.number);
	if (result->ticket.number > guest->last.number)
		guest->last = result->ticket;
}

bool world_wait(struct world *world, struct guest *guest, struct sp_ticket ticket)
{
	enum sp_status status;

	cpus_land(world);
	world->outcome->operations++;
	status = sp_wait(world->host, ticket);
	say(world, "wait %llu: %s; ", (unsigned long long)ticket.number, sp_status_text(status));
	if (status != SP_OK)
		complain(world, "a wait answers %s", sp_status_text(status));
	else
		expect_settled(guest, ticket.number);
	return status == SP_OK;
}

/* One call, judged; what it did is in the array. */
static enum sp_status ask_and_judge(struct world *world, struct guest *guest,
				    const struct request *request, struct sp_result *result)
{
	enum sp_status status;

	*result = (struct sp_result){ .done = 0 };
	status = ask(world, guest, request, result);
	tell(world, guest, request, status, result);
	if (!is_right(world, guest, request, status))
		complain(world, "a change of %#llx + %#llx answers %s",
			 (unsigned long long)request->gfn, (unsigned long long)request->count,
			 sp_status_text(status));
	else if (!did_right(guest, request, status, result))
		complain(world, "a change of %#llx frames answers %s and that %#llx are done",
			 (unsigned long long)request->count, sp_status_text(status),
			 (unsigned long long)result->done);
	else if (status == SP_OK)
		note(world, guest, request, result);
	return status;
}

static void change(struct world *world, struct guest *guest, struct request request, bool patient)
{
	struct sp_result result;
	uint32_t tries = 0;

	if (guest->past_count > PASTS / 2)
		world_settle(world);
	while (request.count && !has_complaint(world)) {
		enum sp_status status = ask_and_judge(world, guest, &request, &result);

		if (!patient || (status != SP_OK && status != SP_BUSY))
			return;
		if (status == SP_BUSY && !world_wait(world, guest, result.ticket))
			return;
		if (++tries == TRIES + request.count)
			complain(world, "a change is busy for ever");
		request.gfn += result.done;
		request.mfn += result.done;
		request.count -= result.done;
		/* What follows memory may be none; and a range that was found busy may differ now. */
		if (request.kind == REQUEST_RETYPE && finds_no_ram(guest, &request))
			return;
	}
}

static bool wants_wait(struct dice *dice)
{
	return dice_one_in(dice, 4);
}

/* --- what is asked --------------------------------------------------------------------------- */

/* Mostly where there is little room, so that changes meet. */
uint64_t some_gfn(struct dice *dice)
{
	uint64_t which = dice_roll(dice, 16);
	const struct place *place = &places[which < 8 ? 0 : which < 14 ? 1 : 2];
	uint64_t frames = place->end - place->gfn;

	if (dice_one_in(dice, 2))
		return place->gfn + (frames / 2 & ~511ull) + dice_roll(dice, 16);
	return place->gfn + dice_roll(dice, frames);
}

/* To the end of its place at most. */
static void some_range(struct dice *dice, struct request *request)
{
	static const uint64_t most[] = { 1, 1, 8, 64, 700 };
	uint64_t style = dice_roll(dice, 8), end = 0;

	request->gfn = some_gfn(dice);
	request->count = 1 + dice_roll(dice, most[style < 5 ? style : 0]);
	if (style >= 5) {
		request->gfn &= ~511ull;
		request->count = style == 7 ? 1024 : 512;
	}
	for (uint32_t i = 0; i < PLACES; i++)
		if (request->gfn >= places[i].gfn && request->gfn < places[i].end)
			end = places[i].end;
	/* The whole GiB, sometimes: all of it, or what of it is free in a row. */
	if (end - request->gfn > HOME && dice_one_in(dice, 4)) {
		request->gfn = places[PLACES - 1].gfn;
		request->count = GIANT;
	}
	if (request->count > end - request->gfn)
		request->count = end - request->gfn;
}

static enum sp_type some_type(struct dice *dice)
{
	static const enum sp_type types[] = { SP_RAM, SP_RAM, SP_RAM, SP_RAM_READONLY, SP_MMIO };

	return types[dice_roll(dice, 5)];
}

void step_map(struct world *world, struct guest *guest, struct dice *dice)
{
	struct request request = { .kind = REQUEST_MAP };
	bool patient = !dice_one_in(dice, 3);

	some_range(dice, &request);
	request.type = some_type(dice);
	request.mfn = frame_choose(world, guest, request.gfn, &request.count, dice);
	/* Out of line by one a GiB is 512 tables of small pages, which takes too long. */
	if (request.count > guest->most ||
	    (request.count > HOME && request.mfn % 512 != request.gfn % 512))
		request.count = HOME;
	if (!request.mfn)
		return;
	change(world, guest, request, patient);
	frame_return(world, request.mfn);
	if (wants_wait(dice) && guest->state == GUEST_LIVES)
		world_wait(world, guest, guest->last);
}

/* The same frames at the same places, perhaps as something else. */
void step_map_again(struct world *world, struct guest *guest, struct dice *dice)
{
	struct request request = { .kind = REQUEST_MAP };
	bool patient = !dice_one_in(dice, 3);
	const struct cell *cell;
	uint64_t count = 0;

	some_range(dice, &request);
	request.type = some_type(dice);
	cell = cell_at(guest, request.gfn);
	if (!cell->type || guest->state != GUEST_LIVES || frame_is_register(cell->mfn))
		return;
	request.mfn = cell->mfn;
	while (count < request.count && cell[count].type && cell[count].mfn == request.mfn + count)
		count++;
	request.count = count;
	change(world, guest, request, patient);
	if (wants_wait(dice))
		world_wait(world, guest, guest->last);
}

void step_unmap(struct world *world, struct guest *guest, struct dice *dice)
{
	struct request request = { .kind = REQUEST_UNMAP };
	bool patient = !dice_one_in(dice, 3);

	some_range(dice, &request);
	/* Across places, and what lies between them. */
	if (dice_one_in(dice, 16)) {
		request.gfn = places[0].gfn + 512 * dice_roll(dice, 2);
		request.count = places[1].end - request.gfn - 512 * dice_roll(dice, 2);
	}
	change(world, guest, request, patient);
	if (wants_wait(dice) && guest->state == GUEST_LIVES)
		world_wait(world, guest, guest->last);
}

void step_retype(struct world *world, struct guest *guest, struct dice *dice)
{
	struct request request = { .kind = REQUEST_RETYPE };
	bool patient = !dice_one_in(dice, 3);

	some_range(dice, &request);
	request.type = dice_one_in(dice, 2) ? SP_RAM : SP_RAM_READONLY;
	change(world, guest, request, patient);
	if (wants_wait(dice) && guest->state == GUEST_LIVES)
		world_wait(world, guest, guest->last);
}

/* A whole 2 MiB anew, of the guest's own frames: time breaks large pages faster than it makes them. */
void step_renew(struct world *world, struct guest *guest, struct dice *dice)
{
	struct request request = { .kind = REQUEST_UNMAP };

	if (guest->state != GUEST_LIVES)
		return;
	request.gfn = some_gfn(dice) & ~511ull;
	request.count = 512;
	change(world, guest, request, true);
	if (!has_complaint(world))
		world_settle(world);
	request.mfn = frame_own(world, guest, request.gfn, &request.count);
	if (!request.mfn || request.count != 512 || has_complaint(world))
		return;
	request.kind = REQUEST_MAP;
	request.type = dice_one_in(dice, 4) ? SP_RAM_READONLY : SP_RAM;
	change(world, guest, request, true);
}

/* Many small changes, far apart, while nobody waits: more than a debt has ranges for. */
void step_burst(struct world *world, struct guest *guest, struct dice *dice)
{
	uint64_t count = 4 + dice_roll(dice, 8);

	while (count-- && !has_complaint(world)) {
		struct request request = { .kind = REQUEST_UNMAP };
		const struct cell *cell;

		request.gfn = some_gfn(dice);
		request.count = 1;
		cell = cell_at(guest, request.gfn);
		if (type_is_ram(cell->type) && dice_one_in(dice, 2)) {
			request.kind = REQUEST_RETYPE;
			request.type = cell->type == SP_RAM ? SP_RAM_READONLY : SP_RAM;
		}
		change(world, guest, request, false);
	}
}

/* No memory lies in the message window: whoever it is may get a device. */
void step_forbidden(struct world *world, struct guest *guest, struct dice *dice)
{
	const sp_gfn_t window = { 0xfee00 + dice_roll(dice, 256) };
	const sp_mfn_t frame = { APERTURE + dice_roll(dice, GIANT) };
	uint64_t count = 1 + dice_roll(dice, 600);
	struct sp_result result;
	enum sp_status status = sp_p2m_map(guest->domain, window, frame, count, SP_RAM, &result);

	world->outcome->operations++;
	say(world, "map %c %#llx in the message window: %s", guest_letter(world, guest),
	    (unsigned long long)window.gfn, sp_status_text(status));
	if (status != SP_RESERVED_RANGE)
		complain(world, "memory in the message window: %s", sp_status_text(status));
}

void step_find(struct world *world, struct guest *guest, struct dice *dice)
{
	if (guest->state == GUEST_LIVES)
		expect_find(world, guest, some_gfn(dice));
}

void step_wait(struct world *world, struct guest *guest, struct dice *dice)
{
	(void)dice;
	if (guest->state == GUEST_LIVES)
		world_wait(world, guest, guest->last);
}
