/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/vtd_queue.c - invalidation of a VT-d unit, queued and by registers. VT-d 6.5.
 *
 *   descriptor, low word                                          high word
 *   1 context cache   4 grain, 16 domain, 32 source, 48 mask      -
 *   2 IOTLB           4 grain, 6 DW, 7 DR, 16 domain              63:12 address, 6 IH, 5:0 AM
 *   3 device cache    16 depth, 32 source                          63:12 address, 0 S
 *   4 interrupts      4 by index, 27 mask, 32 index               -
 *   5 wait            4 IF, 5 SW, 6 FN, 7 PD, 32 data             63:2 address
 *
 * What an invalidation may leave: pages wider than it (M6), paging-structure entries if its IH is
 * set (M7), the IOTLB if it is of the context cache alone (M8).
 */
#include "machine.h"

#define B(n)	    (1ull << (n))
#define GSTS_QIE    (1u << 26)
#define FSTS_IQE    (1u << 4)
#define FSTS_ITE    (1u << 6)
#define CONTEXT_MAY (0xfull | 3ull << 4 | 0xffffffffull << 16 | 3ull << 48)
#define IOTLB_MAY   (0xfull | 3ull << 4 | 3ull << 6 | 0xffffull << 16)
#define DEVICE_MAY  (0xfull | 0x1full << 16 | 0xffffull << 32)
#define IEC_MAY	    (0xfull | 1ull << 4 | 0x1fffffull << 27)
#define WAIT_MAY    (0xfull | 0xfull << 4 | 0xffffffffull << 32)

/* --- what goes ------------------------------------------------------------------------------- */

struct target {
	uint32_t domain, requester, mask;
	uint64_t first;
	uint32_t order;
	bool links, ignore_size;
};

static bool is_device(const struct entry *entry, const void *argument)
{
	(void)argument;
	return entry->kind == ENTRY_DEVICE;
}

static bool is_device_of_domain(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	return entry->kind == ENTRY_DEVICE && entry->domain == target->domain;
}

/* The domain is that of the entry remembered; an absent one is remembered under 0 (VT-d 6.1). */
static bool is_device_named(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	return is_device_of_domain(entry, argument) &&
	       (entry->look & ~(uint64_t)target->mask) == (target->requester & ~target->mask);
}

static bool is_translation(const struct entry *entry, const void *argument)
{
	(void)argument;
	return entry->kind == ENTRY_LEAF || entry->kind == ENTRY_LINK;
}

static bool is_translation_of_domain(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	return is_translation(entry, argument) && entry->domain == target->domain;
}

static bool is_in_pages(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	if (!is_translation_of_domain(entry, argument))
		return false;
	/* VT-d 6.5.3.3: one page under it is enough to drop a paging-structure entry. */
	if (entry->kind == ENTRY_LINK)
		return target->links && entry_touches(entry, target->first, target->order);
	return entry_within(entry, target->first, target->order);
}

/* VT-d 6.8: every invalidation flushes the write buffer first. */
static void begin(struct model *model, const struct model_command *command)
{
	ram_drain_buffer(model);
	command_log(model, command);
}

bool vtd_invalidate_context(struct model *model, struct unit *unit, uint32_t grain, uint32_t domain,
			    uint32_t requester, uint32_t mask)
{
	static const enum model_command_kind kinds[] = { MODEL_CMD_OTHER, MODEL_CMD_ENTRY_ALL,
							 MODEL_CMD_ENTRY_DOMAIN, MODEL_CMD_ENTRY };
	static const entry_test tests[] = { NULL, is_device, is_device_of_domain, is_device_named };
	static const uint8_t masks[] = { 0, 4, 6,
					 7 }; /* VT-d 11.4.4.3 FM: function bits to ignore */
	struct target target = { .domain = domain, .requester = requester, .mask = masks[mask] };
	struct model_command command = { .unit = unit->index, .kind = kinds[grain] };

	if (grain == 0)
		return false;
	command.domain = grain == 1 ? 0 : domain;
	command.requester = grain == 3 ? requester : 0;
	begin(model, &command);
	cache_drop(&unit->cache, tests[grain], &target);
	return true;
}

bool vtd_invalidate_iotlb(struct model *model, struct unit *unit, const struct model_command *asked)
{
	struct model_command command = *asked;
	struct target target = { .domain = asked->domain, .links = asked->links };
	bool pages = asked->kind == MODEL_CMD_IOTLB_PAGES;

	if (asked->kind == MODEL_CMD_OTHER)
		return false;
	if (pages && (unit->config.no_psi || asked->order > unit->config.max_mask))
		return false;
	if (!pages) {
		command.first = 0;
		command.order = ALL_ORDER;
		command.links = true;
	}
	if (asked->kind == MODEL_CMD_IOTLB_ALL)
		command.domain = 0;
	target.first = command.first;
	target.order = command.order;
	command.first = pages ? command.first >> command.order << command.order : 0;
	begin(model, &command);
	if (asked->kind == MODEL_CMD_IOTLB_ALL)
		cache_drop(&unit->cache, is_translation, &target);
	else
		cache_drop(&unit->cache, pages ? is_in_pages : is_translation_of_domain, &target);
	if (command.drains)
		device_drain(model, unit->index,
			     asked->kind == MODEL_CMD_IOTLB_ALL ? -1 : (int64_t)asked->domain);
	return true;
}

static bool is_interrupt(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	return entry->kind == ENTRY_INTERRUPT && entry_touches(entry, target->first, target->order);
}

static void invalidate_interrupts(struct model *model, struct unit *unit, uint64_t low)
{
	struct target target = { .first = 0, .order = ALL_ORDER };

	if (low & B(4)) {
		target.first = low >> 32 & 0xffff;
		target.order = low >> 27 & 0x1f;
	}
	begin(model, &(struct model_command){ .unit = unit->index,
					      .kind = MODEL_CMD_INTERRUPTS,
					      .first = target.first,
					      .order = target.order });
	cache_drop(&unit->cache, is_interrupt, &target);
}

/* --- descriptors ----------------------------------------------------------------------------- */

static bool perform_context(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
{
	if ((low & ~CONTEXT_MAY) || high)
		return false;
	return vtd_invalidate_context(model, unit, low >> 4 & 3, low >> 16 & 0xffff,
				      low >> 32 & 0xffff, low >> 48 & 3);
}

static bool perform_iotlb(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
{
	static const enum model_command_kind kinds[] = { MODEL_CMD_OTHER, MODEL_CMD_IOTLB_ALL,
							 MODEL_CMD_IOTLB_DOMAIN,
							 MODEL_CMD_IOTLB_PAGES };
	struct model_command asked = { .unit = unit->index,
				       .kind = kinds[low >> 4 & 3],
				       .domain = low >> 16 & 0xffff,
				       .first = high >> FRAME_ORDER,
				       .order = high & 0x3f,
				       .links = !(high & B(6)),
				       .drains = (low >> 6 & 3) == 3 };

	if ((low & ~IOTLB_MAY) || (high & 0xf80))
		return false;
	return vtd_invalidate_iotlb(model, unit, &asked);
}

static bool perform_wait(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
{
	if ((low & ~WAIT_MAY) || (high & 3))
		return false;
	command_log(model, &(struct model_command){ .unit = unit->index, .kind = MODEL_CMD_WAIT });
	if (low & B(5))
		unit_store_status(model, unit, high, low >> 32, 4);
	if (low & B(4)) {
		unit->ics |= 1;
		if (!(unit->iectl & 1u << 31))
			model_deliver(model, 0);
		else
			unit->iectl |= 1u << 30;
	}
	return true;
}

/*
 * VT-d 6.5.2.5: with S the lowest zero bit from bit 12 on is the size. 6.5.2.11: without an answer the
 * queue stops behind it, and nothing that waits is completed.
 */
static bool perform_device_cache(struct model *model, struct unit *unit, uint64_t low,
				 uint64_t high)
{
	uint64_t page = high >> FRAME_ORDER;
	uint32_t order = high & 1 ? (uint32_t)__builtin_ctzll(~page) + 1 : 0;
	uint16_t requester = low >> 32 & 0xffff;

	if (!unit->config.ats || (low & ~DEVICE_MAY) || (high & 0xffe))
		return false;
	if (!unit_is_translating(unit))
		model_violate(model, "manual: a device's cache is told while translation is off "
				     "(VT-d 4.3)");
	order = order < ALL_ORDER ? order : ALL_ORDER;
	atc_invalidate(model, unit, requester, order < ALL_ORDER ? page >> order << order : 0,
		       order);
	if (!atc_answers(model, unit, requester)) {
		unit->fsts |= FSTS_ITE;
		unit->queue_stopped = true;
	}
	return true;
}

static bool perform(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
{
	switch (low & 0xf) {
	case 1:
		return perform_context(model, unit, low, high);
	case 2:
		return perform_iotlb(model, unit, low, high);
	case 3:
		return perform_device_cache(model, unit, low, high);
	case 4:
		if ((low & ~IEC_MAY) || high)
			return false;
		invalidate_interrupts(model, unit, low);
		return true;
	case 5:
		return perform_wait(model, unit, low, high);
	default:
		return false;
	}
}

static uint64_t fetch(struct model *model, const struct unit *unit, uint64_t maddr)
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

/*
 * In order, one after another (M9). A bad descriptor stops the queue with the head at it, until the
 * error is cleared and the tail written again (VT-d 6.5.2.9).
 */
uint32_t vtd_execute(struct model *model, struct unit *unit, uint32_t count)
{
	uint32_t bytes = FRAME_BYTES << (unit->iqa & 7), done = 0;
	uint64_t base = unit->iqa & ~0xfffull;

	while (done < count && (unit->gsts & GSTS_QIE) && !unit->queue_stopped &&
	       unit->iqh != unit->iqt) {
		uint64_t low = fetch(model, unit, base + unit->iqh);
		uint64_t high = fetch(model, unit, base + unit->iqh + 8);

		if (unit->iqt >= bytes || !perform(model, unit, low, high)) {
			unit->fsts |= FSTS_IQE;
			unit->queue_stopped = true;
			break;
		}
		unit->iqh = (unit->iqh + 16) % bytes;
		done++;
	}
	return done;
}
