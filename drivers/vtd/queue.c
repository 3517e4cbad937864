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

#define ORDER_ALL    52u /* of frames: every address */
#define ENCODED_MOST 2u

static struct descriptor inval_context_all(void)
{
	return (struct descriptor){ INVAL_CONTEXT | field_put(INVAL_GRANULARITY, GRANULARITY_ALL),
				    0 };
}

/* 6.5.2.1: by source id and the domain id that the entry carried, all function bits compared. */
static struct descriptor inval_context_device(uint16_t requester, uint16_t domain)
{
	return (struct descriptor){ INVAL_CONTEXT | field_put(INVAL_GRANULARITY, GRANULARITY_PART) |
					    field_put(INVAL_DOMAIN, domain) |
					    field_put(INVAL_SOURCE, requester),
				    0 };
}

/* Scalable mode. 6.5.2.2: by the domain id that the PASID entry carried. All requests without PASID use number 0. */
static struct descriptor inval_pasid(uint16_t domain)
{
	return (struct descriptor){ INVAL_PASID | field_put(INVAL_GRANULARITY, PASID_PART) |
					    field_put(INVAL_DOMAIN, domain) |
					    field_put(INVAL_PASID_NUMBER, 0),
				    0 };
}

static struct descriptor inval_pasids_all(void)
{
	return (struct descriptor){ INVAL_PASID | field_put(INVAL_GRANULARITY, PASID_ALL), 0 };
}

static struct descriptor inval_iotlb_all(const struct vtd_unit *vtd)
{
	return (struct descriptor){
		INVAL_IOTLB | vtd->drain | field_put(INVAL_GRANULARITY, GRANULARITY_ALL), 0
	};
}

static struct descriptor inval_iotlb_domain(const struct vtd_unit *vtd, uint16_t domain)
{
	return (struct descriptor){ INVAL_IOTLB | vtd->drain |
					    field_put(INVAL_GRANULARITY, GRANULARITY_DOMAIN) |
					    field_put(INVAL_DOMAIN, domain),
				    0 };
}

/* 6.5.2.3: the hint keeps paging-structure caches, which is right only where no link changed. */
static struct descriptor inval_iotlb_pages(const struct vtd_unit *vtd,
					   const struct command *command)
{
	return (struct descriptor){ INVAL_IOTLB | vtd->drain |
					    field_put(INVAL_GRANULARITY, GRANULARITY_PART) |
					    field_put(INVAL_DOMAIN, command->name),
				    field_put(INVAL_HIGH_PAGE, command->first) |
					    field_put(INVAL_HIGH_ORDER, command->order) |
					    (command->links ? 0 : INVAL_HIGH_HINT) };
}

/*
 * 6.5.2.5: with S the address says the size too, 4K << order: its lowest order - 1 page bits are ones
 * and the next is zero. For order 52 that is every address.
 */
static struct descriptor inval_device(uint16_t requester, uint32_t depth, uint64_t first,
				      uint32_t order)
{
	uint64_t page = order ? align_down(first, order) | (BIT(order - 1) - 1) : first;

	return (struct descriptor){ INVAL_DEVICE | field_put(INVAL_DEPTH, depth & 31) |
					    field_put(INVAL_SOURCE, requester),
				    field_put(INVAL_HIGH_PAGE, page) |
					    (order ? INVAL_HIGH_SIZE : 0) };
}

static struct descriptor inval_interrupts_all(void)
{
	return (struct descriptor){ INVAL_INTERRUPT, 0 };
}

static struct descriptor inval_interrupt(uint32_t index)
{
	return (struct descriptor){
		INVAL_INTERRUPT | INVAL_BY_INDEX | field_put(INVAL_INDEX, index), 0
	};
}

/* Never with the interrupt flag: a wait that both stores and interrupts stops QEMU. */
static struct descriptor wait_for(const struct vtd_unit *vtd, uint64_t number)
{
	return (struct descriptor){ INVAL_WAIT | WAIT_STORES |
					    field_put(WAIT_DATA, number & 0xffffffff),
				    sp_maddr_from_mfn(vtd->completion).maddr };
}

/* Of a function whose entry now lets its translated requests pass, or no longer does. */
static bool is_device_cache(const struct vtd_unit *vtd, uint16_t requester)
{
	for (uint32_t i = 0; i < vtd->unit.atc_count; i++)
		if (vtd->unit.atc[i].requester == requester)
			return true;
	return false;
}

/*
 * In scalable mode domain and table are in the PASID entry; the context entry only says whether ATS is let through,
 * and names no domain. What changed is forgotten from the top down.
 */
static uint32_t encode_entry(const struct vtd_unit *vtd, const struct command *command,
			     struct descriptor *out)
{
	uint32_t count = 0;

	if (!vtd->unit.scalable) {
		out[0] = inval_context_device(command->requester, command->name);
		return 1;
	}
	if (is_device_cache(vtd, command->requester) &&
	    !MUTANT(vtd->unit.host, SP_MUT_CONTEXT_KEPT))
		out[count++] = inval_context_device(command->requester, 0);
	if (MUTANT(vtd->unit.host, SP_MUT_PASID_KEPT))
		out[count++] = inval_context_device(command->requester, 0);
	else
		out[count++] = inval_pasid(command->name);
	return count;
}

static uint32_t encode_entries(const struct vtd_unit *vtd, struct descriptor *out)
{
	out[0] = inval_context_all();
	out[1] = inval_pasids_all();
	return vtd->unit.scalable ? 2 : 1;
}

/* How many descriptors, at most ENCODED_MOST; 0 for a command that no unit understands. */
static uint32_t encode(const struct vtd_unit *vtd, const struct command *command,
		       struct descriptor *out)
{
	switch (command->kind) {
	case COMMAND_ENTRY:
		return encode_entry(vtd, command, out);
	case COMMAND_ENTRIES:
		return encode_entries(vtd, out);
	case COMMAND_PAGES:
		if (vtd->unit.observer.no_pages || command->order > vtd->unit.observer.widest_order)
			out[0] = inval_iotlb_domain(vtd, command->name);
		else
			out[0] = inval_iotlb_pages(vtd, command);
		return 1;
	case COMMAND_DOMAIN:
		out[0] = inval_iotlb_domain(vtd, command->name);
		return 1;
	case COMMAND_ALL:
		out[0] = inval_iotlb_all(vtd);
		return 1;
	case COMMAND_ATC_PAGES:
		out[0] = inval_device(command->requester, command->depth, command->first,
				      command->order);
		return 1;
	case COMMAND_ATC_ALL:
		out[0] = inval_device(command->requester, command->depth, 0, ORDER_ALL);
		return 1;
	case COMMAND_FLUSH:
	case COMMAND_RUN:
		break;
	}
	return 0;
}

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
	put(vtd, wait_for(vtd, number));
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
		uint32_t more = encode(vtd, &commands[i], &encoded[total]);

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

/* 6.5.2: context before IOTLB, else the IOTLB refills through the old entry. */
static void put_everything(struct vtd_unit *vtd)
{
	if (vtd->unit.observer.lost && MUTANT(vtd->unit.host, SP_MUT_RECOVER_UNINVALIDATED))
		return;
	put(vtd, inval_context_all());
	if (vtd->unit.scalable)
		put(vtd, inval_pasids_all());
	put(vtd, inval_iotlb_all(vtd));
	if (vtd->unit.interrupt_remapping)
		put(vtd, inval_interrupts_all());
	/* 6.5.2.5: behind the IOTLB, else they are filled from it again. */
	for (uint32_t i = 0; i < vtd->unit.atc_count; i++)
		put(vtd,
		    inval_device(vtd->unit.atc[i].requester, vtd->unit.atc[i].depth, 0, ORDER_ALL));
}

uint64_t vtd_queue_forget_all(struct vtd_unit *vtd)
{
	put_everything(vtd);
	return show_next(vtd);
}

void vtd_queue_forget_interrupt(struct vtd_unit *vtd, uint32_t index)
{
	put(vtd, inval_interrupt(index));
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
		put(vtd, inval_context_all());
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
_Static_assert(QUEUE_SPARE >= 5 + UNIT_ATCS,
	       "a restart adds four invalidations, one of each device's cache, and a wait");
