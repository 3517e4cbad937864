/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/amdvi_walk.c - how an AMD-Vi unit translates requests and messages. 48882 2.2.
 *
 *   device table[device] --> domain id, mode, host table; interrupt table --> vector
 *
 *   V  TV  mode   a request
 *   0  -   -      passes untranslated
 *   1  0   -      is aborted
 *   1  1   0      passes untranslated as IR and IW allow
 *   1  1   1..6   is translated
 */
#include "machine.h"

#define B(n)	    (1ull << (n))
#define ADDRESS	    0xffffffffff000ull
#define EVENT_IR_RW B(53)

enum {
	EVENT_BAD_ENTRY = 1,
	EVENT_PAGE_FAULT = 2,
	EVENT_TABLE_ERROR = 3, /* of the device table */
	EVENT_PAGE_TABLE_ERROR = 4,
	EVENT_BAD_REQUEST = 8
};

struct device {
	uint32_t reason; /* 0: the words were read */
	uint64_t word[4];
};

/*
 * 48882 2.2.2: 32 bytes an entry; an id beyond the table has none. Four loads: an update may be
 * seen in parts.
 */
static struct device load_device(struct model *model, const struct unit *unit, uint16_t requester)
{
	uint64_t bytes = ((unit->devtab & 0x1ff) + 1) * FRAME_BYTES;
	uint64_t at = (unit->devtab & ADDRESS) + requester * 32ull;
	struct device device = { .reason = 0 };
	bool answered;

	if (requester * 32ull >= bytes)
		return (struct device){ .reason = EVENT_BAD_ENTRY };
	for (uint32_t i = 0; i < 4; i++) {
		device.word[i] = ram_load(model, unit->view, at + i * 8, &answered);
		if (!answered)
			return (struct device){ .reason = EVENT_TABLE_ERROR };
	}
	if (ram_state(model, at >> FRAME_ORDER) != FRAME_TABLE &&
	    ram_state(model, at >> FRAME_ORDER) != FRAME_FIRMWARE)
		model_violate(
			model,
			"oracle R: unit %u reads a device's entry at 0x%llx, which is no table",
			unit->index, (unsigned long long)at);
	return device;
}

/* Cached in whatever state it is, valid or not (section 7, row 13: "always"). */
static struct device find_device(struct model *model, struct unit *unit, uint16_t requester,
				 bool fresh)
{
	const struct entry *known =
		fresh ? NULL : cache_find(model, &unit->cache, ENTRY_DEVICE, requester, requester);
	struct device device;
	struct entry entry = {
		.kind = ENTRY_DEVICE, .look = requester, .first = requester, .source = unit->devtab
	};

	if (known)
		return (struct device){ .word = { known->word[0], known->word[1], known->word[2],
						  known->word[3] } };
	device = load_device(model, unit, requester);
	if (device.reason)
		return device;
	for (uint32_t i = 0; i < 4; i++)
		entry.word[i] = device.word[i];
	entry.domain = device.word[1] & 0xffff;
	if ((device.word[0] & 3) == 3)
		entry.frame = (device.word[0] & ADDRESS) >> FRAME_ORDER;
	if (fresh && entry.frame)
		unit_check_tag(model, unit, &entry);
	cache_add(model, &unit->cache, &entry);
	return device;
}

static uint32_t levels_of(const struct device *device)
{
	return device->word[0] >> 9 & 7;
}

/* Reserved bits that a valid entry must not have, and modes that are no mode. */
static bool is_unsound(const struct unit *unit, const struct device *device)
{
	if (device->reason)
		return true;
	if ((device->word[2] & 1) && (device->word[2] & (0xfull << 52 | B(59))))
		return true;
	if (!(device->word[0] & B(0)))
		return false;
	return (device->word[0] & (B(63) | 0x7c)) || (device->word[3] & 0x7fff) ||
	       levels_of(device) > unit->config.max_levels;
}

/* IR and IW of the entry bound what the whole table can grant. */
static struct table table_of(const struct model *model, const struct unit *unit,
			     const struct device *device)
{
	uint8_t rights = 0;

	rights |= device->word[0] & B(61) ? MODEL_READ : 0;
	rights |= device->word[0] & B(62) ? MODEL_WRITE : 0;
	return (struct table){ .format = MODEL_AMDVI_TABLE,
			       .view = unit->view,
			       .root = (device->word[0] & ADDRESS) >> FRAME_ORDER,
			       .levels = levels_of(device),
			       .large = 0x3e,
			       .rights = rights,
			       .address_bits = model->config.address_bits };
}

static bool is_untranslated(const struct device *device)
{
	return !(device->word[0] & B(0)) || ((device->word[0] & B(1)) && levels_of(device) == 0);
}

/* --- requests -------------------------------------------------------------------------------- */

struct request {
	struct model *model;
	struct unit *unit;
	uint16_t requester;
	uint64_t dfn;
	enum model_access access;
	uint32_t domain;
};

/* `flags`: PR 52, PE 54, RZ 55. */
static struct model_reach blocked(const struct request *request, uint64_t code, uint64_t flags)
{
	uint64_t rw = request->access == MODEL_WRITE ? EVENT_IR_RW : 0;
	uint64_t domain = code == EVENT_PAGE_FAULT ? (uint64_t)request->domain << 32 : 0;

	amdvi_event(request->model, request->unit,
		    code << 60 | flags | rw | domain | request->requester,
		    request->dfn << FRAME_ORDER);
	return (struct model_reach){ .ok = false,
				     .reason = (uint32_t)code,
				     .why = "AMD-Vi event code" };
}

static struct model_reach judge_walk(const struct request *request, const struct walk *walk)
{
	switch (walk->end.kind) {
	case SLOT_ABSENT:
		return blocked(request, EVENT_PAGE_FAULT, 0);
	case SLOT_BAD:
		return blocked(request, EVENT_PAGE_FAULT, B(52) | B(55));
	case SLOT_LOST:
		return blocked(request, EVENT_PAGE_TABLE_ERROR, 0);
	case SLOT_LINK:
	case SLOT_LEAF:
		break;
	}
	if ((walk->end.rights & request->access) != request->access)
		return blocked(request, EVENT_PAGE_FAULT, B(52) | B(54));
	return (struct model_reach){ .ok = true,
				     .mfn = walk->end.frame +
					    (request->dfn & ((1ull << walk->end.order) - 1)) };
}

static bool is_beyond(uint64_t dfn, uint32_t levels)
{
	return levels < 6 && dfn >> 9 * levels;
}

static struct model_reach walk_tables(struct request *request)
{
	struct model *model = request->model;
	struct unit *unit = request->unit;
	struct device device = find_device(model, unit, request->requester, false);
	struct table table = table_of(model, unit, &device);
	struct entry leaf = { .look = request->requester,
			      .absent = unit->config.caches_not_present };
	struct walk walk;

	if (is_unsound(unit, &device))
		return blocked(request, device.reason ? device.reason : EVENT_BAD_ENTRY, B(55));
	request->domain = leaf.domain = device.word[1] & 0xffff;
	if (!(device.word[0] & B(0)))
		return (struct model_reach){ .ok = true, .mfn = request->dfn };
	if (!(device.word[0] & B(1)))
		return blocked(request, EVENT_PAGE_FAULT, 0);
	if (levels_of(&device) == 0) {
		if ((table.rights & request->access) != request->access)
			return blocked(request, EVENT_PAGE_FAULT, B(52) | B(54));
		return (struct model_reach){ .ok = true, .mfn = request->dfn };
	}
	if (is_beyond(request->dfn, table.levels))
		return blocked(request, EVENT_PAGE_FAULT, 0);
	walk = unit_walk(model, unit, &table, leaf, request->dfn, false);
	return judge_walk(request, &walk);
}

/* 48882 2.2.2.1: I, bit 96 of the entry. */
bool amdvi_lets_translated(struct model *model, struct unit *unit, uint16_t requester)
{
	struct device device = find_device(model, unit, requester, false);

	return !is_unsound(unit, &device) && (device.word[0] & 3) == 3 && (device.word[1] & B(32));
}

static void speculate(struct model *model, struct unit *unit, uint16_t requester, uint64_t dfn)
{
	for (int fresh = 0; fresh < 2; fresh++) {
		struct device device = find_device(model, unit, requester, fresh);
		struct table table = table_of(model, unit, &device);
		struct entry leaf = { .look = requester,
				      .domain = device.word[1] & 0xffff,
				      .absent = unit->config.caches_not_present };

		if (is_unsound(unit, &device))
			model_violate(
				model,
				"format: unit %u finds an unsound device table entry of %04x: 0x%llx",
				unit->index, requester, (unsigned long long)device.word[0]);
		else if (is_untranslated(&device))
			model_violate(
				model,
				"window: the device table entry of %04x lets everything through",
				requester);
		else if ((device.word[0] & B(1)) && !is_beyond(dfn, table.levels))
			unit_prefetch(model, unit, &table, leaf, dfn);
	}
}

struct model_reach amdvi_translate(struct model *model, struct unit *unit, uint16_t requester,
				   uint64_t dfn, enum model_access access, bool speculative,
				   uint32_t *domain)
{
	struct request request = { model, unit, requester, dfn, access, 0 };
	const struct entry *leaf;
	struct model_reach reach;

	if (!(unit->control & 1))
		return (struct model_reach){ .ok = true, .mfn = dfn };
	if (speculative) {
		speculate(model, unit, requester, dfn);
		return (struct model_reach){ .ok = false };
	}
	/* 48882 2.1.2: the range below 1 TiB is HyperTransport's own. */
	if (dfn >= 0xfd00000 && dfn < 0x10000000)
		return blocked(&request, EVENT_BAD_REQUEST, 0);
	leaf = cache_find(model, &unit->cache, ENTRY_LEAF, requester, dfn);
	if (!leaf) {
		reach = walk_tables(&request);
		*domain = request.domain;
		return reach;
	}
	*domain = request.domain = leaf->domain;
	if (leaf->absent)
		return blocked(&request, EVENT_PAGE_FAULT, 0);
	if ((leaf->rights & access) != access)
		return blocked(&request, EVENT_PAGE_FAULT, B(52) | B(54));
	return (struct model_reach){ .ok = true, .mfn = leaf->frame + (dfn - leaf->first) };
}

/* --- messages -------------------------------------------------------------------------------- */

/*
 * 48882 2.2.5: an entry is 4 bytes, or 16 with GAEn. Answers whether it remaps, and to which
 * vector.
 */
static bool find_interrupt(struct model *model, struct unit *unit, uint16_t requester,
			   const struct device *device, uint32_t index, uint8_t *vector)
{
	bool wide = unit->control >> 17 & 1, answered, second;
	uint64_t at = (device->word[2] & 0xfffffffffffc0ull) + index * (wide ? 16ull : 4ull);
	const struct entry *known =
		cache_find(model, &unit->cache, ENTRY_INTERRUPT, requester, index);
	struct entry entry = { .kind = ENTRY_INTERRUPT, .look = requester, .first = index };
	uint64_t low, high;

	if (index >= 1u << (device->word[2] >> 1 & 15))
		return false;
	low = ram_load(model, unit->view, at, &answered);
	high = ram_load(model, unit->view, at + 8, &second);
	if (!known && !answered)
		return false;
	if (!wide)
		low = (uint32_t)(low >> 8 * (at & 4));
	entry.word[0] = known ? known->word[0] : low;
	entry.word[1] = known ? known->word[1] : high;
	if (!(entry.word[0] & 1))
		return false;
	if (!known)
		cache_add(model, &unit->cache, &entry);
	*vector = (uint8_t)(wide ? entry.word[1] : entry.word[0] >> 16);
	return true;
}

/*
 * 48882 2.2.5: IV and IntCtl decide, also where V is 0: abort, pass, remap by the low 11 bits of
 * the data.
 */
bool amdvi_message(struct model *model, struct unit *unit, uint16_t requester, uint64_t maddr,
		   uint32_t data, uint32_t *reason)
{
	struct request request = { model, unit, requester, maddr >> FRAME_ORDER, MODEL_WRITE, 0 };
	struct device device;
	uint8_t vector = (uint8_t)data;
	uint32_t control;

	*reason = 0;
	if (!(unit->control & 1)) {
		model_deliver(model, vector);
		return true;
	}
	device = find_device(model, unit, requester, false);
	control = device.word[2] >> 60 & 3;
	if (is_unsound(unit, &device)) {
		*reason = blocked(&request, EVENT_BAD_ENTRY, B(55)).reason;
		return false;
	}
	if ((device.word[2] & 1) && control != 1 &&
	    (control != 2 ||
	     !find_interrupt(model, unit, requester, &device, data & 0x7ff, &vector))) {
		request.domain = device.word[1] & 0xffff;
		*reason = blocked(&request, EVENT_PAGE_FAULT, B(51)).reason;
		return false;
	}
	model_deliver(model, vector);
	return true;
}
