/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/vtd_queue.c - what an invalidation of a VT-d unit does, queued and by registers. VT-d
 * 6.5. vtd_fetch.c fetches descriptors.
 *
 *   descriptor, low word                                          high word
 *   1 context cache   4 grain, 16 domain, 32 source, 48 mask      -
 *   2 IOTLB           4 grain, 6 DW, 7 DR, 16 domain              63:12 address, 6 IH, 5:0 AM
 *   3 device cache    16 depth, 32 source, 12 and 52 PF            63:12 address, 0 S
 *   4 interrupts      4 by index, 27 mask, 32 index               -
 *   5 wait            4 IF, 5 SW, 6 FN, 7 PD, 32 data             63:2 address
 *   7 PASID cache     4 grain, 16 domain, 32 PASID                 -
 *
 * What an invalidation may leave: pages wider than it (M6), paging-structure entries if its IH is
 * set (M7), the IOTLB if it is of the context cache alone (M8).
 */
#include "machine.h"

#define B(n)	    (1ull << (n))
#define CONTEXT_MAY (0xfull | 3ull << 4 | 0xffffffffull << 16 | 3ull << 48)
#define IOTLB_MAY   (0xfull | 3ull << 4 | 3ull << 6 | 0xffffull << 16)
#define DEVICE_MAY  (0xfull | 0x1full << 16 | 0xffffull << 32)
#define DEVICE_PF   (0xfull << 12 | 0xfffull << 52)
#define IEC_MAY	    (0xfull | 1ull << 4 | 0x1fffffull << 27)
#define PASID_MAY   (0xfull | 3ull << 4 | 0xffffull << 16 | 0xfffffull << 32)
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

/* In scalable mode the entry names no domain, and the command's is ignored. */
static bool is_device_alone(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	return entry->kind == ENTRY_DEVICE &&
	       (entry->look & ~(uint64_t)target->mask) == (target->requester & ~target->mask);
}

static bool is_pasid(const struct entry *entry, const void *argument)
{
	(void)argument;
	return entry->kind == ENTRY_PASID;
}

static bool is_pasid_of_domain(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	return entry->kind == ENTRY_PASID && entry->domain == target->domain;
}

static bool is_pasid_named(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	return is_pasid_of_domain(entry, argument) && entry->first == target->first;
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
	command.domain = grain == 1 || vtd_is_scalable(unit) ? 0 : domain;
	command.requester = grain == 3 ? requester : 0;
	begin(model, &command);
	cache_drop(&unit->cache,
		   grain == 3 && vtd_is_scalable(unit) ? is_device_alone : tests[grain], &target);
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
	/* VT-d 6.5.4: what is not supported is ignored; from major version 2 on it is not asked for. */
	command.drains &= !unit->config.no_drain;
	command.drains |= unit->config.version > 1;
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

/* VT-d 6.5.2.2: grain 0 a domain's, 1 one PASID of it, 3 all. */
static bool perform_pasid(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
{
	static const enum model_command_kind kinds[] = { MODEL_CMD_PASID_DOMAIN, MODEL_CMD_PASID,
							 MODEL_CMD_OTHER, MODEL_CMD_PASID_ALL };
	static const entry_test tests[] = { is_pasid_of_domain, is_pasid_named, NULL, is_pasid };
	uint32_t grain = low >> 4 & 3;
	struct target target = { .domain = low >> 16 & 0xffff, .first = low >> 32 & 0xfffff };

	if (!unit->config.scalable || (low & ~PASID_MAY) || high || grain == 2)
		return false;
	begin(model, &(struct model_command){ .unit = unit->index,
					      .kind = kinds[grain],
					      .domain = grain == 3 ? 0 : target.domain,
					      .first = grain == 1 ? target.first : 0 });
	cache_drop(&unit->cache, tests[grain], &target);
	return true;
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

/* VT-d 6.5.2.5: with S the lowest zero bit from bit 12 on is the size. What is not answered is held. */
static bool perform_device_cache(struct model *model, struct unit *unit, uint64_t low,
				 uint64_t high)
{
	uint64_t page = high >> FRAME_ORDER;
	uint32_t order = high & 1 ? (uint32_t)__builtin_ctzll(~page) + 1 : 0;
	uint16_t requester = low >> 32 & 0xffff;

	if (!unit->config.ats || (low & ~(DEVICE_MAY | DEVICE_PF)) || (high & 0xffe))
		return false;
	if ((low >> 12 & 0xf) + (low >> 52 << 4) != (unit->config.throttles ? requester : 0u))
		return false;
	if (!unit_is_translating(unit))
		model_violate(model, "manual: a device's cache is told while translation is off "
				     "(VT-d 4.3)");
	order = order < ALL_ORDER ? order : ALL_ORDER;
	atc_invalidate(model, unit, requester, order < ALL_ORDER ? page >> order << order : 0,
		       order);
	return true;
}

bool vtd_perform(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
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
	case 7:
		return perform_pasid(model, unit, low, high);
	default:
		return false;
	}
}
