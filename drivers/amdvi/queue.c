/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/queue.c - the command buffer. 48882 2.4 Commands.
 *
 *          reached             tail
 *             v                  v
 *   | free ...| device pages wait | .. free, less QUEUE_SPARE |      ring
 *                             |
 *                             +--stores its number--> completion
 *
 * A COMPLETION_WAIT stores when everything before it is done (2.4.1). The head register is not asked (QEMU 7.2
 * leaves it at the ring's size after the last slot): what is free follows from the numbers reached.
 */
#include "drivers/amdvi/unit.h"

#include "lib/text.h"
#include "memory.h"

#define ORDER_ALL      52u /* of frames: every address */

/* What a post of one generic command becomes, at most, on a unit without INVALIDATE_IOMMU_ALL. */
#define WORST_COMMANDS (REQUESTERS > UNIT_NAMES ? REQUESTERS : UNIT_NAMES)

static uint64_t opcode(uint32_t code)
{
	return field_put(COMMAND_OPCODE, code);
}

static struct descriptor inval_device(uint32_t requester)
{
	return (struct descriptor){ opcode(OPCODE_DEVICE) | field_put(DEVICE_ID, requester), 0 };
}

static struct descriptor inval_interrupts(uint32_t requester)
{
	return (struct descriptor){ opcode(OPCODE_INTERRUPTS) | field_put(DEVICE_ID, requester),
				    0 };
}

static struct descriptor inval_all(void)
{
	return (struct descriptor){ opcode(OPCODE_ALL), 0 };
}

/*
 * 2.4.3: with S the address says the size too, 4K << order: its lowest order - 1 page bits are ones and the next
 * is zero. For order 52 that is 7FFF_FFFF_FFFF_F000, the manual's name for everything.
 */
static uint64_t sized_address(uint64_t first, uint32_t order)
{
	uint64_t page;

	if (order == 0)
		return field_put(PAGES_HIGH_ADDRESS, first);
	page = align_down(first, order) | (BIT(order - 1) - 1);
	return field_put(PAGES_HIGH_ADDRESS, page) | PAGES_HIGH_SIZE;
}

static struct descriptor inval_pages(uint32_t domain, uint64_t first, uint32_t order, bool links)
{
	return (struct descriptor){ opcode(OPCODE_PAGES) | field_put(PAGES_DOMAIN, domain),
				    sized_address(first, order) | (links ? PAGES_HIGH_LINKS : 0) };
}

/* What no table's entry covers: links are kept that span more (M7). */
static uint32_t order_of(const struct amdvi_unit *amdvi, const struct command *command)
{
	if (MUTANT(amdvi->unit.host, SP_MUT_LINKS_AT_4K) && command->links)
		return 0;
	return command->order;
}

static struct descriptor inval_domain(uint32_t domain)
{
	return inval_pages(domain, 0, ORDER_ALL, true);
}

/* 2.4.4: sized like the unit's own; the queue is the requester's. */
static struct descriptor inval_device_cache(uint16_t requester, uint32_t depth, uint64_t first,
					    uint32_t order)
{
	return (struct descriptor){ opcode(OPCODE_DEVICE_CACHE) | field_put(DEVICE_ID, requester) |
					    field_put(DEVICE_DEPTH, depth) |
					    field_put(DEVICE_QUEUE, requester),
				    sized_address(first, order) };
}

/*
 * 2.4: nothing but such a wait says what is executed first. So one is between invalidations of entries and of
 * translations, and between the unit's own and those of devices' caches: else what was told first may be filled
 * again from what is not yet forgotten.
 */
static struct descriptor wait_between(const struct amdvi_unit *amdvi)
{
	bool holds = !MUTANT(amdvi->unit.host, SP_MUT_NOT_HELD_BACK);

	return (struct descriptor){ opcode(OPCODE_WAIT) | (holds ? WAIT_HOLDS : 0), 0 };
}

/* Stores without an interrupt: nobody listens for one. */
static struct descriptor wait_for(const struct amdvi_unit *amdvi, uint64_t number)
{
	uint64_t place = sp_maddr_from_mfn(amdvi->completion).maddr;

	return (struct descriptor){ opcode(OPCODE_WAIT) | WAIT_STORES | (place & WAIT_PLACE),
				    number };
}

static bool has_invalidate_all(const struct amdvi_unit *amdvi)
{
	return amdvi->features & FEATURE_INVALIDATE_ALL;
}

static uint32_t names_in_use(const struct unit *unit)
{
	uint32_t i, count = 0;

	for (i = 1; i < unit->name_count; i++)
		count += (unit->names[i / 64] & BIT(i % 64)) != 0;
	return count;
}

/* How many of the unit's own a command needs; 0 for one that no unit understands. */
static uint32_t size_of(const struct amdvi_unit *amdvi, const struct command *command)
{
	switch (command->kind) {
	case COMMAND_ENTRY:
	case COMMAND_PAGES:
	case COMMAND_DOMAIN:
		return 1;
	case COMMAND_ATC_PAGES:
	case COMMAND_ATC_ALL:
		return 1;
	case COMMAND_ENTRIES:
		return has_invalidate_all(amdvi) ? 1 : amdvi->requester_count + 1;
	case COMMAND_ALL:
		return has_invalidate_all(amdvi) ? 1 : names_in_use(&amdvi->unit) + 1;
	case COMMAND_FLUSH:
	case COMMAND_RUN:
		break;
	}
	return 0;
}

static uint32_t in_use(const struct amdvi_unit *amdvi)
{
	uint32_t done = amdvi->wait_end[amdvi->unit.reached % QUEUE_WAITS];

	return (amdvi->tail - done) % QUEUE_DESCRIPTORS;
}

bool amdvi_queue_has_room(const struct amdvi_unit *amdvi, uint32_t descriptors)
{
	if (MUTANT(amdvi->unit.host, SP_MUT_QUEUE_OVERRUN))
		return true;
	return in_use(amdvi) + descriptors + 1 + QUEUE_SPARE < QUEUE_DESCRIPTORS &&
	       amdvi->unit.asked - amdvi->unit.reached < QUEUE_WAITS - 1;
}

static void put(struct amdvi_unit *amdvi, struct descriptor descriptor)
{
	uint64_t *slot = (uint64_t *)amdvi_pointer(amdvi, amdvi->ring) + 2 * amdvi->tail;

	store64(slot, descriptor.low);
	store64(slot + 1, descriptor.high);
	amdvi->tail = (amdvi->tail + 1) % QUEUE_DESCRIPTORS;
}

static void put_entries(struct amdvi_unit *amdvi)
{
	uint32_t i;

	if (has_invalidate_all(amdvi)) {
		put(amdvi, inval_all());
		return;
	}
	for (i = 0; i < amdvi->requester_count; i++)
		put(amdvi, inval_device(amdvi->requesters[i]));
}

/* The last id is the driver's own, of blocked requesters, who have no translations. */
static void put_all(struct amdvi_unit *amdvi)
{
	uint32_t i;

	if (has_invalidate_all(amdvi)) {
		put(amdvi, inval_all());
		return;
	}
	for (i = 1; i < amdvi->unit.name_count; i++)
		if (amdvi->unit.names[i / 64] & BIT(i % 64))
			put(amdvi, inval_domain(i));
}

/* Those of every function behind the unit that has ATS on, after the unit's own. */
static void put_device_caches(struct amdvi_unit *amdvi)
{
	uint32_t i;

	if (amdvi->unit.atc_count)
		put(amdvi, wait_between(amdvi));
	for (i = 0; i < amdvi->unit.atc_count; i++)
		put(amdvi, inval_device_cache(amdvi->unit.atc[i].requester,
					      amdvi->unit.atc[i].depth, 0, ORDER_ALL));
}

static void encode(struct amdvi_unit *amdvi, const struct command *command)
{
	switch (command->kind) {
	case COMMAND_ENTRY:
		put(amdvi, inval_device(command->requester));
		return;
	case COMMAND_ENTRIES:
		put_entries(amdvi);
		return;
	case COMMAND_PAGES:
		put(amdvi, command->order > amdvi->unit.observer.widest_order
				   ? inval_domain(command->name)
				   : inval_pages(command->name, command->first,
						 order_of(amdvi, command), command->links));
		return;
	case COMMAND_DOMAIN:
		put(amdvi, inval_domain(command->name));
		return;
	case COMMAND_ALL:
		put_all(amdvi);
		return;
	case COMMAND_ATC_PAGES:
		put(amdvi, inval_device_cache(command->requester, command->depth, command->first,
					      command->order));
		return;
	case COMMAND_ATC_ALL:
		put(amdvi, inval_device_cache(command->requester, command->depth, 0, ORDER_ALL));
		return;
	case COMMAND_FLUSH:
	case COMMAND_RUN:
		return;
	}
}

/* The wait goes in, then the tail shows everything at once. */
static void show(struct amdvi_unit *amdvi, uint64_t number)
{
	put(amdvi, wait_for(amdvi, number));
	amdvi->wait_end[number % QUEUE_WAITS] = (uint16_t)amdvi->tail;
	write_barrier();
	unit_write64(&amdvi->unit, AMDVI_COMMAND_TAIL, field_put(RING_PLACE, amdvi->tail));
	if (MUTANT(amdvi->unit.host, SP_MUT_WAIT_NOT_QUEUED))
		store64(&amdvi->unit.reached, number);
}

static uint64_t show_next(struct amdvi_unit *amdvi)
{
	struct unit *unit = &amdvi->unit;

	if (unit->asked == unit->reached)
		unit->asked_at = platform_now(unit->host->embedder);
	show(amdvi, ++unit->asked);
	return unit->asked;
}

/* What is filled from what: entries, translations, devices' caches. */
static uint32_t rank_of(const struct command *command)
{
	if (command->kind == COMMAND_ENTRY || command->kind == COMMAND_ENTRIES)
		return 0;
	return command->kind == COMMAND_ATC_PAGES || command->kind == COMMAND_ATC_ALL ? 2 : 1;
}

/* A device's cache waits for what was posted before, too. */
static bool is_held_back(const struct command *commands, uint32_t i)
{
	return i == 0 ? rank_of(&commands[0]) == 2
		      : rank_of(&commands[i]) > rank_of(&commands[i - 1]);
}

enum sp_status amdvi_queue_post(struct unit *unit, const struct command *commands, uint32_t count,
				uint64_t *number)
{
	struct amdvi_unit *amdvi = amdvi_unit_of(unit);
	uint32_t i, needed = 0;

	if (unit->observer.lost)
		return SP_LOST;
	if (count > POST_COMMANDS)
		return SP_INVALID;
	for (i = 0; i < count; i++) {
		if (!size_of(amdvi, &commands[i]))
			return SP_INVALID;
		needed += size_of(amdvi, &commands[i]) + is_held_back(commands, i);
	}
	/* More than the ring ever holds: waiting would not help. */
	if (needed + 1 + QUEUE_SPARE >= QUEUE_DESCRIPTORS)
		return SP_INVALID;
	if (!amdvi_queue_has_room(amdvi, needed))
		return SP_BUSY;
	for (i = 0; i < count; i++) {
		if (is_held_back(commands, i))
			put(amdvi, wait_between(amdvi));
		encode(amdvi, &commands[i]);
	}
	*number = show_next(amdvi);
	return SP_OK;
}

uint64_t amdvi_queue_forget_all(struct amdvi_unit *amdvi)
{
	if (!amdvi->unit.observer.lost || !MUTANT(amdvi->unit.host, SP_MUT_RECOVER_UNINVALIDATED))
		put(amdvi, inval_all());
	put_device_caches(amdvi);
	return show_next(amdvi);
}

/* Device before pages, as everywhere: else the pages come back through the old entry. */
uint64_t amdvi_queue_forget_ids(struct amdvi_unit *amdvi, uint32_t first, uint32_t count)
{
	uint32_t i;

	for (i = first; i < first + count; i++)
		put(amdvi, inval_device(i));
	put(amdvi, wait_between(amdvi));
	for (i = first; i < first + count; i++) {
		put(amdvi, inval_interrupts(i));
		put(amdvi, inval_domain(i));
	}
	put_device_caches(amdvi);
	return show_next(amdvi);
}

void amdvi_queue_forget_interrupts(struct amdvi_unit *amdvi, uint16_t requester)
{
	put(amdvi, inval_device(requester));
	put(amdvi, wait_between(amdvi));
	put(amdvi, inval_interrupts(requester));
	(void)show_next(amdvi);
}

/*
 * Commands are off (3.4.1: the base may only change then). The ring begins at its first slot, nothing is owed.
 * A wait of the old ring may still be answered, after an error stopped it: honest, but where that wait lay says
 * nothing of the new ring.
 */
void amdvi_queue_reset(struct amdvi_unit *amdvi)
{
	amdvi->tail = 0;
	__builtin_memset(amdvi->wait_end, 0, sizeof(amdvi->wait_end));
	store64(amdvi_pointer(amdvi, amdvi->completion), amdvi->unit.reached);
	unit_write64(&amdvi->unit, AMDVI_COMMAND_BASE,
		     field_put(RING_BASE, amdvi->ring.mfn) |
			     field_put(RING_LENGTH, order_floor(QUEUE_DESCRIPTORS)));
	unit_write64(&amdvi->unit, AMDVI_COMMAND_HEAD, 0);
	unit_write64(&amdvi->unit, AMDVI_COMMAND_TAIL, 0);
}

/* Only a number that was asked for is believed. */
static void read_completion(struct amdvi_unit *amdvi)
{
	struct unit *unit = &amdvi->unit;
	uint64_t stored = load64(amdvi_pointer(amdvi, amdvi->completion));

	if (stored <= unit->reached || stored > unit->asked)
		return;
	amdvi->restarted = false;
	unit->asked_at = platform_now(unit->host->embedder);
	store64(&unit->reached, stored);
}

/*
 * 2.4, 2.5.6: after an illegal command or an error in fetching one the unit stands still; what follows is not
 * carried out. The ring begins anew, everything is forgotten, and behind it the last number asked for is honestly
 * reached. Once; if that stops too, the unit is lost.
 */
static enum sp_status restart(struct amdvi_unit *amdvi)
{
	if (amdvi->restarted || !has_invalidate_all(amdvi)) {
		amdvi_log(amdvi, SP_LOG_ERROR,
			  "command buffer stopped and cannot be restarted: lost");
		return SP_LOST;
	}
	amdvi_log(amdvi, SP_LOG_WARNING,
		  "command buffer stopped by an error: restarted, everything is forgotten");
	amdvi_set_control(amdvi, CONTROL_COMMANDS, 0);
	amdvi_queue_reset(amdvi);
	amdvi_set_control(amdvi, 0, CONTROL_COMMANDS);
	amdvi->restarted = true;
	amdvi->unit.asked_at = platform_now(amdvi->unit.host->embedder);
	put(amdvi, inval_all());
	put_device_caches(amdvi);
	show(amdvi, amdvi->unit.asked);
	return SP_OK;
}

static enum sp_status report_silence(struct amdvi_unit *amdvi)
{
	struct text text = { .length = 0 };

	text_number(text_add(&text, "no answer in time: asked for "), amdvi->unit.asked);
	text_number(text_add(&text, ", reached "), amdvi->unit.reached);
	amdvi_log(amdvi, SP_LOG_ERROR, text.line);
	return SP_LOST;
}

/* This number and no other: what an older wait stores says nothing of what was queued since. */
enum sp_status amdvi_queue_await(struct amdvi_unit *amdvi, uint64_t number)
{
	void *embedder = amdvi->unit.host->embedder;
	uint64_t begun = platform_now(embedder);

	while (load64(amdvi_pointer(amdvi, amdvi->completion)) != number) {
		if (platform_now(embedder) - begun > UNIT_DEADLINE)
			return report_silence(amdvi);
		platform_relax(embedder);
	}
	return SP_OK;
}

enum sp_status amdvi_queue_progress(struct unit *unit)
{
	struct amdvi_unit *amdvi = amdvi_unit_of(unit);

	if (unit->observer.lost)
		return SP_LOST;
	if (unit->asked == unit->reached)
		return SP_OK;
	read_completion(amdvi);
	if (unit->asked == unit->reached)
		return SP_OK;
	if (!(unit_read64(unit, AMDVI_STATUS) & STATUS_COMMANDS_RUN))
		return restart(amdvi);
	if (platform_now(unit->host->embedder) - unit->asked_at > UNIT_DEADLINE)
		return report_silence(amdvi);
	return SP_OK;
}

_Static_assert(QUEUE_DESCRIPTORS * sizeof(struct descriptor) == (size_t)SP_FRAME_BYTES
									<< QUEUE_ORDER,
	       "48882 2.4: commands of 128 bits");
_Static_assert(QUEUE_SPARE >= 3 + UNIT_ATCS,
	       "a restart adds one invalidation, two waits, and one of each device's cache");
_Static_assert(2 * WORST_COMMANDS + 3 + QUEUE_SPARE < QUEUE_DESCRIPTORS,
	       "a post without INVALIDATE_IOMMU_ALL fits, with its waits");
