/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/queue.c - the invalidation queue. VT-d 6.5.2.
 *
 *          reached             tail
 *             v                  v
 *   | free ...| cc iotlb wait | .. free, less QUEUE_SPARE |      ring
 *                         |
 *                         +--stores its number's low half--> completion
 *
 * Everything that was posted before a wait is done when its number is stored (6.5.2.8, 6.5.2.11). The head
 * register is not asked: what is free follows from the numbers reached.
 */
#include "drivers/vtd/unit.h"

#include "lib/text.h"
#include "memory.h"

/* 11.4.9: a queue of scalable mode has descriptors of 256 bits. */
static uint32_t slot_words(const struct vtd_unit *vtd)
{
	return vtd->unit.scalable ? 4 : 2;
}

static uint32_t slot_count(const struct vtd_unit *vtd)
{
	return QUEUE_DESCRIPTORS * 2 / slot_words(vtd);
}

static uint32_t in_use(const struct vtd_unit *vtd)
{
	uint32_t done = vtd->wait_end[vtd->unit.reached % QUEUE_WAITS];

	return (vtd->tail - done) % slot_count(vtd);
}

bool vtd_queue_has_room(const struct vtd_unit *vtd, uint32_t descriptors)
{
	if (MUTANT(vtd->unit.host, SP_MUT_QUEUE_OVERRUN))
		return true;
	return in_use(vtd) + descriptors + 1 + QUEUE_SPARE < slot_count(vtd) &&
	       vtd->unit.asked - vtd->unit.reached < QUEUE_WAITS - 1;
}

static void put(struct vtd_unit *vtd, struct descriptor descriptor)
{
	uint64_t *slot = (uint64_t *)vtd_pointer(vtd, vtd->ring) + slot_words(vtd) * vtd->tail;

	store64(slot, descriptor.low);
	store64(slot + 1, descriptor.high);
	vtd->tail = (vtd->tail + 1) % slot_count(vtd);
}

static void ring(const struct vtd_unit *vtd)
{
	unit_write64(&vtd->unit, VTD_IQT, (uint64_t)vtd->tail * slot_words(vtd) * 8);
}

/* The wait goes in, then the tail shows everything at once. */
static void show(struct vtd_unit *vtd, uint64_t number)
{
	put(vtd, vtd_encode_wait(vtd, number));
	vtd->wait_end[number % QUEUE_WAITS] = (uint16_t)vtd->tail;
	write_barrier();
	ring(vtd);
	if (MUTANT(vtd->unit.host, SP_MUT_WAIT_NOT_QUEUED))
		store64(&vtd->unit.reached, number);
}

static uint64_t show_next(struct vtd_unit *vtd)
{
	struct unit *unit = &vtd->unit;

	if (unit->asked == unit->reached)
		unit->asked_at = platform_now(unit->host->embedder);
	show(vtd, ++unit->asked);
	return unit->asked;
}

enum sp_status vtd_queue_post(struct unit *unit, const struct command *commands, uint32_t count,
			      uint64_t *number)
{
	struct vtd_unit *vtd = vtd_unit_of(unit);
	struct descriptor encoded[POST_COMMANDS * ENCODED_MOST];
	uint32_t total = 0, i;

	if (unit->observer.lost)
		return SP_LOST;
	if (count > POST_COMMANDS)
		return SP_INVALID;
	for (i = 0; i < count; i++) {
		uint32_t more = vtd_encode(vtd, &commands[i], &encoded[total]);

		if (!more)
			return SP_INVALID;
		total += more;
	}
	if (!vtd_queue_has_room(vtd, total))
		return SP_BUSY;
	for (i = 0; i < total; i++)
		put(vtd, encoded[i]);
	*number = show_next(vtd);
	return SP_OK;
}

static void put_everything(struct vtd_unit *vtd)
{
	struct descriptor everything[EVERYTHING_MOST];
	uint32_t count = vtd_encode_everything(vtd, everything);

	if (vtd->unit.observer.lost && MUTANT(vtd->unit.host, SP_MUT_RECOVER_UNINVALIDATED))
		return;
	for (uint32_t i = 0; i < count; i++)
		put(vtd, everything[i]);
}

uint64_t vtd_queue_forget_all(struct vtd_unit *vtd)
{
	put_everything(vtd);
	return show_next(vtd);
}

void vtd_queue_forget_interrupt(struct vtd_unit *vtd, uint32_t index)
{
	put(vtd, vtd_encode_interrupt(index));
	(void)show_next(vtd);
}

/* Before the queue is enabled: it begins at its first slot, and nothing is owed. */
void vtd_queue_reset(struct vtd_unit *vtd)
{
	vtd->tail = 0;
	vtd->restarted = false;
	vtd->wait_end[vtd->unit.reached % QUEUE_WAITS] = 0;
	store32(vtd_pointer(vtd, vtd->completion), (uint32_t)vtd->unit.reached);
	unit_write64(&vtd->unit, VTD_IQT, 0);
	unit_write64(&vtd->unit, VTD_IQA,
		     field_put(IQA_TABLE, vtd->ring.mfn) | field_put(IQA_SIZE, QUEUE_ORDER) |
			     (vtd->unit.scalable ? IQA_WIDE : 0));
}

/*
 * A wait stores 32 bits of its number. What lies between reached and asked is believed; anything else is no
 * number that was asked for, and is not guessed at.
 */
static void read_completion(struct vtd_unit *vtd)
{
	struct unit *unit = &vtd->unit;
	uint32_t stored = load32(vtd_pointer(vtd, vtd->completion));
	uint32_t ahead = stored - (uint32_t)unit->reached;

	if (ahead == 0 || ahead > unit->asked - unit->reached)
		return;
	vtd->restarted = false;
	unit->asked_at = platform_now(unit->host->embedder);
	if (MUTANT(unit->host, SP_MUT_NUMBER_SPLICED))
		store64(&unit->reached, (unit->reached & ~(uint64_t)UINT32_MAX) | stored);
	else
		store64(&unit->reached, unit->reached + ahead);
}

/*
 * 6.5.2.10, 6.5.2.11: the queue stands still at the head, and the descriptors before the tail are not carried
 * out. Behind a device that did not answer (ITE) the head may have gone on, over waits that were then dropped and
 * others that may have been. What stands there is made harmless. False for a head that cannot be.
 */
static bool make_harmless(struct vtd_unit *vtd)
{
	uint64_t head = unit_read64(&vtd->unit, VTD_IQH) / (slot_words(vtd) * 8);
	uint32_t tail = vtd->tail;

	if (head >= slot_count(vtd))
		return false;
	vtd->tail = (uint32_t)head;
	while (vtd->tail != tail)
		put(vtd, vtd_encode_harmless());
	return true;
}

/*
 * A device answered what nobody asked (ICE): that answer counts for nothing, and the queue goes on. The wait
 * alone says what is done; whose answer fails to come, times out. Said once: a guest's device may do it for ever.
 */
static void note_stray(struct vtd_unit *vtd)
{
	unit_write32(&vtd->unit, VTD_FSTS, FSTS_ICE);
	if (!vtd->stray_told)
		vtd_log(vtd, SP_LOG_WARNING,
			"a device answers invalidations that nobody asked for");
	vtd->stray_told = true;
}

/*
 * Behind what was made harmless everything is forgotten: then the last number asked for is honestly reached. Once;
 * if that stops too, the unit is lost.
 */
static enum sp_status restart(struct vtd_unit *vtd, uint32_t errors)
{
	if (vtd->restarted || !make_harmless(vtd)) {
		vtd_log(vtd, SP_LOG_ERROR,
			"invalidation queue stopped again after a restart: lost");
		return SP_LOST;
	}
	vtd_log(vtd, SP_LOG_WARNING,
		"invalidation queue stopped by an error: restarted, everything is forgotten");
	vtd->restarted = true;
	if (!MUTANT(vtd->unit.host, SP_MUT_ERROR_CLEARED))
		put_everything(vtd);
	vtd->unit.asked_at = platform_now(vtd->unit.host->embedder);
	unit_write32(&vtd->unit, VTD_FSTS, errors);
	show(vtd, vtd->unit.asked);
	return SP_OK;
}

static enum sp_status report_silence(struct vtd_unit *vtd)
{
	struct text text = { .length = 0 };

	text_number(text_add(&text, "no answer in time: asked for "), vtd->unit.asked);
	text_number(text_add(&text, ", reached "), vtd->unit.reached);
	vtd_log(vtd, SP_LOG_ERROR, text.line);
	return SP_LOST;
}

enum sp_status vtd_queue_unblock(struct vtd_unit *vtd)
{
	uint32_t errors = unit_read32(&vtd->unit, VTD_FSTS) & FSTS_QUEUE;

	if (errors & FSTS_ICE)
		note_stray(vtd);
	if (!(errors & FSTS_STOPPED))
		return SP_OK;
	if (!make_harmless(vtd)) {
		vtd_log(vtd, SP_LOG_ERROR, "the invalidation queue stands where no queue is");
		return SP_LOST;
	}
	write_barrier();
	unit_write32(&vtd->unit, VTD_FSTS, errors & FSTS_STOPPED);
	ring(vtd);
	return SP_OK;
}

/* This number and no other: what an older wait stores says nothing of what was queued since. */
enum sp_status vtd_queue_await(struct vtd_unit *vtd, uint64_t number)
{
	void *embedder = vtd->unit.host->embedder;
	uint64_t begun = platform_now(embedder);

	while (load32(vtd_pointer(vtd, vtd->completion)) != (uint32_t)number) {
		if (platform_now(embedder) - begun > UNIT_DEADLINE)
			return report_silence(vtd);
		platform_relax(embedder);
	}
	return SP_OK;
}

enum sp_status vtd_queue_progress(struct unit *unit)
{
	struct vtd_unit *vtd = vtd_unit_of(unit);
	uint32_t errors;

	if (unit->observer.lost)
		return SP_LOST;
	if (unit->asked == unit->reached)
		return SP_OK;
	read_completion(vtd);
	if (unit->asked == unit->reached)
		return SP_OK;
	errors = unit_read32(unit, VTD_FSTS) & FSTS_QUEUE;
	if (errors & FSTS_ICE)
		note_stray(vtd);
	if (errors & FSTS_STOPPED)
		return restart(vtd, errors & FSTS_STOPPED);
	if (platform_now(unit->host->embedder) - unit->asked_at > UNIT_DEADLINE)
		return report_silence(vtd);
	return SP_OK;
}

_Static_assert(QUEUE_DESCRIPTORS * sizeof(struct descriptor) == (size_t)SP_FRAME_BYTES
									<< QUEUE_ORDER,
	       "VT-d 11.4.9: 2^QS pages of 256 descriptors");
_Static_assert(QUEUE_SPARE > EVERYTHING_MOST, "a restart adds what forgets everything, and a wait");
