/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/unit.c - units: what was posted to them, and what they may execute next.
 *
 *   plain     a list of commands in no vendor's words, in order
 *   driver's  sync/ -> iommu/unit.c -> the driver's queue code -> its ring, in memory -> tail register
 *
 *               head           head + old                 tail
 *                 | others' posts | pending ...............|
 *
 * What others posted is of no domain here, and there is much of it: it is executed in one go. A slot
 * between head and tail is the unit's: it may fetch it at any moment. So nobody may store there, and from
 * that it follows that it does not matter when it fetches.
 */
#include <stdio.h>
#include <string.h>

#include "explore.h"
#include "memory.h"
#include "unit_driver.h"

#define RINGS	     ((uintptr_t)machine + MACHINE_BYTES)
#define OTHERS_NAME  200u /* a domain id of none of these domains */
#define POST_MOST    32u  /* descriptors of one post of others */
#define FIRST_NUMBER (0xffffffffull - RING_SLOTS / POST_MOST)

_Static_assert(sizeof(struct machine) <= MACHINE_BYTES, "the rings lie behind it");

void *unit_pointer(uint64_t mfn)
{
	if (mfn - RING_MFN >= UNITS * (RING_FRAMES + 1))
		return NULL;
	return (void *)(RINGS + (mfn - RING_MFN) * SP_FRAME_BYTES);
}

/* ---- plain units ---- */

static enum sp_status plain_post(struct observer *observer, const struct command *commands,
				 uint32_t count, uint64_t *number)
{
	struct explored_unit *unit = (struct explored_unit *)observer;

	/* The store to a tail register comes behind all stores. */
	buffer_wait();
	party_pause(WAIT_NONE);
	if (unit->count + count + 1 > machine->room)
		return SP_BUSY;
	for (uint32_t i = 0; i < count; i++)
		unit->queue[unit->count++] = (struct queued){ .command = commands[i] };
	*number = ++unit->asked;
	unit->queue[unit->count++] = (struct queued){ .wait = *number };
	return SP_OK;
}

static bool plain_has_reached(struct observer *observer, uint64_t number)
{
	return load64(&((struct explored_unit *)observer)->reached) >= number;
}

static const struct observer_ops plain_ops = { plain_post, plain_has_reached };

static void make_plain(struct explored_unit *unit, bool caching)
{
	unit->observer = (struct observer){ .ops = &plain_ops,
					    .column = caching ? COLUMN_VTD_CACHING : COLUMN_VTD,
					    .widest_order = 18 };
	unit->observed = &unit->observer;
	unit->clock = (uintptr_t)&unit->reached;
}

static void execute_plain(struct explored_unit *unit)
{
	const struct queued first = unit->queue[0];

	unit->count--;
	memmove(&unit->queue[0], &unit->queue[1], unit->count * sizeof(first));
	memset(&unit->queue[unit->count], 0, sizeof(first));
	if (first.wait)
		unit->reached = first.wait;
	else if (first.command.kind == COMMAND_ATC_PAGES || first.command.kind == COMMAND_ATC_ALL)
		cache_obey(&unit->atc, &first.command, UNIT_PLAIN);
	else
		cache_obey(&unit->cache, &first.command, UNIT_PLAIN);
}

/* ---- drivers' units ---- */

static bool make_drivers(struct explored_unit *unit, uint32_t index)
{
	uint64_t ring = RING_MFN + index * (RING_FRAMES + 1);
	const struct unit_place place = { .host = machine->host,
					  .registers = REGISTERS + 0x10000ull * index,
					  .ring = ring,
					  .completion = ring + RING_FRAMES,
					  .number = FIRST_NUMBER };
	struct made_unit made;

	unit->size = RING_SLOTS;
	unit->ring = unit_pointer(place.ring);
	unit->completion = unit_pointer(place.completion);
	made = unit->kind == UNIT_VTD ? vtd_make(&place) : amdvi_make(&place);
	unit->observed = made.observer;
	unit->lock = (uintptr_t)made.queue;
	unit->clock = (uintptr_t)made.reached;
	return made.observer != NULL;
}

bool unit_make(uint32_t index, const struct scope *scope)
{
	struct explored_unit *unit = &machine->unit[index];

	unit->kind = scope->unit;
	unit->map = scope->separate ? 1 : 0;
	unit->caching = scope->caching;
	unit->has_atc = scope->atc && index == 0;
	unit->moves = scope->moves;
	if (unit->kind == UNIT_PLAIN) {
		make_plain(unit, scope->caching);
		return true;
	}
	return make_drivers(unit, index);
}

static uint32_t wrap(const struct explored_unit *unit, uint32_t slot)
{
	return slot % unit->size;
}

static uint32_t pending_count(const struct explored_unit *unit)
{
	return wrap(unit, unit->tail + unit->size - unit->head) - unit->old;
}

static struct descriptor_read pending(const struct explored_unit *unit, uint32_t which)
{
	uint32_t slot = wrap(unit, unit->head + unit->old + which);

	return descriptor_read(unit->kind, &unit->ring[2 * slot]);
}

static bool may_pass_old(const struct explored_unit *unit, const struct descriptor_read *later)
{
	const struct descriptor_read command = { .kind = DESCRIPTOR_UNIT };
	const struct descriptor_read wait = { .kind = DESCRIPTOR_WAIT };

	return !unit->old || (descriptor_may_pass(unit->kind, later, &command) &&
			      descriptor_may_pass(unit->kind, later, &wait));
}

static bool may_execute(const struct explored_unit *unit, uint32_t which)
{
	struct descriptor_read later = pending(unit, which);

	for (uint32_t i = 0; i < which; i++) {
		struct descriptor_read earlier = pending(unit, i);

		if (!(unit->done >> i & 1) && !descriptor_may_pass(unit->kind, &later, &earlier))
			return false;
	}
	return may_pass_old(unit, &later);
}

static uint32_t drivers_choices(const struct explored_unit *unit)
{
	uint32_t count = pending_count(unit), choices = unit->old ? 1u << UNIT_OLD : 0;

	if (count > UNIT_PENDING) {
		violate("explorer: more is pending than it has choices for");
		count = UNIT_PENDING;
	}
	for (uint32_t i = 0; i < count; i++)
		if (!(unit->done >> i & 1) && may_execute(unit, i))
			choices |= 1u << i;
	return choices;
}

static void answer(const struct explored_unit *unit, const struct descriptor_read *wait)
{
	if (!wait->stores)
		return;
	if (unit_pointer(wait->at >> SP_FRAME_ORDER) != unit->completion ||
	    wait->at % SP_FRAME_BYTES)
		violate("R: a wait stores to 0x%llx, which is not its unit's",
			(unsigned long long)wait->at);
	else
		memcpy(unit->completion, &wait->value, wait->bytes);
}

static void execute_drivers(struct explored_unit *unit, uint32_t which)
{
	struct descriptor_read read;

	if (which == UNIT_OLD) {
		read = descriptor_read(unit->kind,
				       &unit->ring[2 * wrap(unit, unit->head + unit->old - 1)]);
		answer(unit, &read);
		unit->head = wrap(unit, unit->head + unit->old);
		unit->old = 0;
	} else {
		read = pending(unit, which);
		unit->done |= 1u << which;
		if (read.kind == DESCRIPTOR_WAIT)
			answer(unit, &read);
		else if (read.kind == DESCRIPTOR_BAD)
			violate("manual: the unit finds no descriptor in slot %u",
				wrap(unit, unit->head + unit->old + which));
		else
			cache_obey(read.kind == DESCRIPTOR_CACHE ? &unit->atc : &unit->cache,
				   &read.command, unit->kind);
	}
	for (; !unit->old && (unit->done & 1); unit->done >>= 1)
		unit->head = wrap(unit, unit->head + 1);
}

bool unit_has_slot(uint64_t at)
{
	for (uint32_t i = 0; i < machine->units; i++) {
		const struct explored_unit *unit = &machine->unit[i];
		uint64_t offset = at - (uintptr_t)unit->ring;

		if (unit->kind == UNIT_PLAIN || offset >= unit->size * 16ull)
			continue;
		if (wrap(unit, (uint32_t)(offset / 16) + unit->size - unit->head) <
		    wrap(unit, unit->tail + unit->size - unit->head))
			violate("R: slot %u is stored into, which unit %u has yet to execute",
				(uint32_t)(offset / 16), i);
		return true;
	}
	return false;
}

uint32_t unit_tag(uint32_t index, uint32_t domain)
{
	const struct explored_unit *unit = &machine->unit[index];

	if (!unit->moves)
		return UNIT_NAME + domain;
	return unit->root == machine_root(domain, unit->map) ? unit->name : 0;
}

void unit_lead(uint32_t index, uint64_t root, uint32_t name)
{
	struct explored_unit *unit = &machine->unit[index];

	buffer_wait();
	party_pause(WAIT_NONE);
	unit->root = root;
	unit->name = name;
	caches_look();
}

/* ---- how a driver's queue begins ---- */

/* What others post: so many descriptors, with their wait. */
static void post_others(struct explored_unit *unit, uint32_t descriptors)
{
	struct command commands[POST_MOST] = { { .kind = COMMAND_DOMAIN } };
	uint64_t number;

	for (uint32_t i = 0; i < descriptors - 1; i++)
		commands[i] = (struct command){ .kind = COMMAND_DOMAIN, .name = OTHERS_NAME };
	if (unit->observed->ops->post(unit->observed, commands, descriptors - 1, &number) != SP_OK)
		violate("explorer: a queue is full before it was filled");
}

static void post_up_to(struct explored_unit *unit, uint32_t descriptors, uint32_t each)
{
	while (descriptors) {
		uint32_t now = descriptors < each ? descriptors : each;

		post_others(unit, now);
		descriptors -= now;
	}
}

/* All of the ring but its last slot was used once, and answered; numbers stand before 2^32. */
static void go_to_end(struct explored_unit *unit)
{
	while (unit->tail != unit->size - 1 && !is_violated()) {
		uint32_t left = unit->size - 1 - unit->tail;

		post_others(unit, left < POST_MOST ? left : POST_MOST);
		unit->old = wrap(unit, unit->tail + unit->size - unit->head);
		execute_drivers(unit, UNIT_OLD);
		(void)sp_progress(machine->host, 1);
	}
}

/* Drivers keep 16 slots for a restart, one is never filled, and 255 waits may be under way. */
#define FULL  (RING_SLOTS - 18)
#define WAITS 254u

void unit_begin(uint32_t index, enum unit_queue queue)
{
	struct explored_unit *unit = &machine->unit[index];

	if (unit->kind == UNIT_PLAIN || queue == QUEUE_EMPTY)
		return;
	go_to_end(unit);
	if (queue == QUEUE_FULL)
		post_up_to(unit, FULL, POST_MOST);
	if (queue == QUEUE_WAITS)
		post_up_to(unit, 2 * WAITS, 2);
	unit->old = wrap(unit, unit->tail + unit->size - unit->head);
}

/* ---- all of them ---- */

uint32_t unit_choices(uint32_t index)
{
	const struct explored_unit *unit = &machine->unit[index];

	return unit->kind == UNIT_PLAIN ? unit->count != 0 : drivers_choices(unit);
}

void unit_execute(uint32_t index, uint32_t which)
{
	struct explored_unit *unit = &machine->unit[index];

	if (unit->kind == UNIT_PLAIN)
		execute_plain(unit);
	else
		execute_drivers(unit, which);
	caches_look();
}

bool unit_is_idle(uint32_t index)
{
	const struct explored_unit *unit = &machine->unit[index];

	return unit->kind == UNIT_PLAIN ? !unit->count : unit->head == unit->tail;
}

const char *unit_text(uint32_t index, uint32_t which)
{
	static const char *const words[] = { "what is no descriptor", "an entry's invalidation",
					     "an invalidation of its own",
					     "a device's cache's invalidation", "a wait" };
	const struct explored_unit *unit = &machine->unit[index];
	struct descriptor_read read;

	if (unit->kind == UNIT_PLAIN)
		return unit->queue[0].wait ? "a wait" : "a command";
	if (which == UNIT_OLD)
		return "all that others posted";
	read = pending(unit, which);
	if (read.kind == DESCRIPTOR_WAIT && !read.stores)
		return "a wait that holds what is behind it";
	return words[read.kind];
}
