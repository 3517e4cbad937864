/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/vtd_fetch.c - how a VT-d unit goes through its queue, and what may go wrong. VT-d
 * 6.5.2.10, 6.5.2.11.
 *
 *   head                         tail
 *    v                            v
 *   | device cache | iotlb | wait |       the device does not answer: what is behind may be fetched
 *          |          `-----`--> held     too, and is held back with it
 *          |
 *          |-- answer:   all that is held is done, in order
 *          `-- time-out: ITE, nothing more is fetched; held waits are aborted, and of the rest
 *                        nothing is sure (M10)
 *
 * A descriptor that is not understood stops the queue with the head at it (IQE). An answer that
 * nobody asked for stops nothing (ICE).
 */
#include "machine.h"

#define GSTS_QIE  (1u << 26)
#define FSTS_IQE  (1u << 4)
#define FSTS_ICE  (1u << 5)
#define FSTS_ITE  (1u << 6)
#define TYPE(low) ((low)&0xf)
#define DEVICE	  3u
#define WAIT	  5u
#define ERRORS_IN 24u /* descriptors, one of which meets an error */

static bool is_wait(const struct held *held)
{
	return TYPE(held->low) == WAIT;
}

static uint16_t requester_of(const struct held *held)
{
	return held->low >> 32 & 0xffff;
}

/* --- errors ---------------------------------------------------------------------------------- */

/* 11.4.10.8 IQERCD: which descriptor error, whose time-out, whose stray completion. */
static void raise_error(struct unit *unit, uint32_t bit, uint64_t record)
{
	unit->fsts |= bit;
	unit->iqercd |= record;
	unit->failed = true;
	unit->queue_stopped |= bit != FSTS_ICE;
}

static bool is_about_to(struct model *model, struct unit *unit, enum model_queue_error error)
{
	if (unit->fail_next == error) {
		unit->fail_next = MODEL_ERROR_NONE;
		return true;
	}
	return unit->config.queue_errors && !unit->failed && model_draw(model, ERRORS_IN) == 0;
}

/* The worst of two: some units look at the head again at once, some when the tail is written. */
static bool resumes_by_itself(struct model *model)
{
	return model->config.adversary == MODEL_ADVERSARY_MAX ||
	       (model->config.adversary == MODEL_ADVERSARY_RANDOM && model_draw(model, 2) == 0);
}

void vtd_clear_errors(struct model *model, struct unit *unit, uint32_t bits)
{
	bool was_stopped = unit->queue_stopped;

	unit->fsts &= ~(bits & (FSTS_IQE | FSTS_ICE | FSTS_ITE));
	unit->queue_stopped &= (unit->fsts & (FSTS_IQE | FSTS_ITE)) != 0;
	if (!(unit->fsts & (FSTS_IQE | FSTS_ICE | FSTS_ITE)))
		unit->iqercd = 0;
	if (was_stopped && !unit->queue_stopped && resumes_by_itself(model))
		unit_ring(model, unit);
}

void model_fail_next(struct model *model, uint32_t unit, enum model_queue_error error)
{
	model->unit[unit].fail_next = error;
}

/* --- what is held ---------------------------------------------------------------------------- */

static void complete_held(struct model *model, struct unit *unit)
{
	uint32_t count = unit->held_count;

	unit->held_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		(void)vtd_perform(model, unit, unit->held[i].low, unit->held[i].high);
		unit->failed &= !is_wait(&unit->held[i]);
	}
}

/* M10: waits are aborted; of the others the worst is that they were not done. */
static void time_out(struct model *model, struct unit *unit)
{
	uint32_t count = unit->held_count;

	unit->held_count = 0;
	unit->answer_lost = false;
	raise_error(unit, FSTS_ITE, (uint64_t)requester_of(&unit->held[0]) << 32);
	for (uint32_t i = 1; i < count; i++)
		if (!is_wait(&unit->held[i]) && TYPE(unit->held[i].low) != DEVICE &&
		    model->config.adversary == MODEL_ADVERSARY_RANDOM && model_draw(model, 2))
			(void)vtd_perform(model, unit, unit->held[i].low, unit->held[i].high);
}

void vtd_settle_held(struct model *model, struct unit *unit)
{
	if (!unit->held_count || unit->config.answers == MODEL_NEVER)
		return;
	if (atc_answers(model, unit, requester_of(&unit->held[0])))
		complete_held(model, unit);
	else if (model->now - unit->held_since >= unit->config.patience)
		time_out(model, unit);
}

static void hold(struct model *model, struct unit *unit, struct held held)
{
	if (!unit->held_count) {
		unit->held_since = model->now;
		unit->held_room = model->config.adversary == MODEL_ADVERSARY_NONE
					  ? 1
					  : 1 + (uint32_t)model_draw(model, HELD_AT_MOST);
	}
	unit->held[unit->held_count++] = held;
}

/* A device's cache is told, and answers; or the answer is awaited. */
static bool tell_device(struct model *model, struct unit *unit, struct held held)
{
	uint16_t requester = requester_of(&held);

	unit->answer_lost = is_about_to(model, unit, MODEL_ERROR_TIMEOUT);
	if (!vtd_perform(model, unit, held.low, held.high))
		return false;
	if (atc_goes_astray(model, unit, requester) ||
	    is_about_to(model, unit, MODEL_ERROR_COMPLETION))
		raise_error(unit, FSTS_ICE, (uint64_t)requester << 48);
	if (!atc_answers(model, unit, requester))
		hold(model, unit, held);
	return true;
}

/* --- fetching -------------------------------------------------------------------------------- */

static uint64_t load_word(struct model *model, const struct unit *unit, uint64_t maddr)
{
	bool answered;
	/* VT-d 6.5.2: the queue is snooped whatever ECAP.C says. */
	uint64_t word = ram_load(model, VIEW_CPU, maddr, &answered);

	if (!answered || ram_state(model, maddr >> FRAME_ORDER) != FRAME_TABLE)
		model_violate(model,
			      "contract: the queue of unit %u is no frame of the core, 0x%llx",
			      unit->index, (unsigned long long)maddr);
	return word;
}

static bool can_fetch(const struct unit *unit)
{
	return (unit->gsts & GSTS_QIE) && !unit->queue_stopped && unit->iqh != unit->iqt &&
	       (!unit->held_count || unit->held_count < unit->held_room);
}

/* In order, one after another (M9). False: it is not understood. */
static bool take(struct model *model, struct unit *unit, struct held held)
{
	if (unit->held_count) {
		hold(model, unit, held);
		return true;
	}
	if (is_about_to(model, unit, MODEL_ERROR_DESCRIPTOR))
		return false;
	unit->failed &= !is_wait(&held);
	return TYPE(held.low) == DEVICE ? tell_device(model, unit, held)
					: vtd_perform(model, unit, held.low, held.high);
}

/* IQA.DW: descriptors of 256 bits, of which those here use the first half; the other is reserved. */
static bool is_padded(struct model *model, const struct unit *unit, uint64_t at)
{
	return !(unit->iqa & 0x800) ||
	       (!load_word(model, unit, at + 16) && !load_word(model, unit, at + 24));
}

/* The queue stands at an error until that is cleared (VT-d 6.5.2.10). */
static bool fetch_one(struct model *model, struct unit *unit)
{
	uint32_t bytes = FRAME_BYTES << (unit->iqa & 7);
	uint64_t at = (unit->iqa & ~0xfffull) + unit->iqh;
	struct held held = { load_word(model, unit, at), load_word(model, unit, at + 8) };

	if (unit->iqt >= bytes || !is_padded(model, unit, at) || !take(model, unit, held)) {
		raise_error(unit, FSTS_IQE, unit->iqt >= bytes ? 1 : 3);
		return false;
	}
	unit->iqh = (unit->iqh + (unit->iqa & 0x800 ? 32 : 16)) % bytes;
	return true;
}

uint32_t vtd_execute(struct model *model, struct unit *unit, uint32_t count)
{
	uint32_t done = 0;

	while (done < count && (can_fetch(unit) || unit->held_count)) {
		if (!can_fetch(unit)) {
			vtd_settle_held(model, unit);
			if (unit->held_count)
				break;
		} else if (fetch_one(model, unit)) {
			done++;
		}
	}
	return done;
}
