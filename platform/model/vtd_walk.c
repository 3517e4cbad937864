/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/vtd_walk.c - how a VT-d unit translates requests and messages. VT-d 3.4, 5.1, 7.1,
 * 9.
 *
 *   root[bus] --> context[device.function] --> domain id, width, second-stage table
 *   remappable message --> interrupt table[index] --> vector
 */
#include "machine.h"

#define B(n)	 (1ull << (n))
#define GSTS_TE	 (1u << 31)
#define GSTS_IRE (1u << 25)
#define GSTS_CFI (1u << 23)

bool vtd_load_words(struct model *model, const struct unit *unit, uint64_t maddr, uint64_t *words,
		    uint32_t count)
{
	uint64_t mfn = maddr >> FRAME_ORDER;
	bool answered = true;

	for (uint32_t i = 0; i < count && answered; i++)
		words[i] = ram_load(model, unit->view, maddr + 8ull * i, &answered);
	if (!answered)
		return false;
	if (ram_state(model, mfn) != FRAME_TABLE && ram_state(model, mfn) != FRAME_FIRMWARE)
		model_violate(
			model,
			"oracle R: unit %u reads a device's entry at 0x%llx, which is no table",
			unit->index, (unsigned long long)maddr);
	return true;
}

static bool load_pair(struct model *model, const struct unit *unit, uint64_t maddr, uint64_t *low,
		      uint64_t *high)
{
	uint64_t words[2];

	if (!vtd_load_words(model, unit, maddr, words, 2))
		return false;
	*low = words[0];
	*high = words[1];
	return true;
}

static bool exceeds(const struct model *model, uint64_t word)
{
	return (word & ~0xfffull & ~(B(model->config.address_bits) - 1)) != 0;
}

/* VT-d 9.1, 9.3, and the reasons of 7.1.3. */
static struct context load_context(struct model *model, const struct unit *unit, uint16_t requester)
{
	struct context context = { 0 };
	uint64_t low, high;

	if (!load_pair(model, unit, (unit->root_latched & ~0xfffull) + (requester >> 8) * 16u, &low,
		       &high))
		return (struct context){ .reason = 0x8 };
	if (!(low & 1))
		return (struct context){ .reason = 0x1 };
	if ((low & 0xffe) || high || exceeds(model, low))
		return (struct context){ .reason = 0xa };
	if (!load_pair(model, unit, (low & ~0xfffull) + (requester & 0xff) * 16u, &context.low,
		       &context.high))
		return (struct context){ .reason = 0x9 };
	if (!(context.low & 1))
		return (struct context){ .reason = 0x2 };
	if ((context.low & 0xff0) || (context.high & ~0xffff7full) || exceeds(model, context.low))
		context.reason = 0xb;
	return context;
}

/*
 * The entry as remembered; or as it is in memory, which is then remembered beside what was known
 * (M2).
 */
static struct context find_context(struct model *model, struct unit *unit, uint16_t requester,
				   bool fresh)
{
	struct entry *known =
		fresh ? NULL : cache_find(model, &unit->cache, ENTRY_DEVICE, requester, requester);
	struct context context;
	struct entry entry;

	if (vtd_is_scalable(unit))
		return vtd_find_scalable(model, unit, requester, fresh);
	if (known)
		return (struct context){ .reason = known->absent ? (uint32_t)known->word[2] : 0,
					 .low = known->word[0],
					 .high = known->word[1] };
	context = load_context(model, unit, requester);
	entry = (struct entry){ .kind = ENTRY_DEVICE,
				.look = requester,
				.first = requester,
				.domain = context.high >> 8 & 0xffff,
				.frame = context.low >> FRAME_ORDER,
				.word = { context.low, context.high, context.reason },
				.source = unit->root_latched };
	if (context.reason == 0) {
		if (fresh && (context.low >> 2 & 3) != 2)
			unit_check_tag(model, unit, &entry);
		cache_add(model, &unit->cache, &entry);
	} else if (context.reason <= 2 && unit->config.caches_not_present) {
		/* M3: absent, and remembered under domain 0. */
		entry.absent = true;
		entry.domain = 0;
		entry.word[0] = entry.word[1] = 0;
		cache_add(model, &unit->cache, &entry);
	}
	return context;
}

static struct model_reach blocked(struct model *model, struct unit *unit, uint16_t requester,
				  uint64_t dfn, enum model_access access, uint32_t reason)
{
	vtd_fault(model, unit, requester, dfn << FRAME_ORDER, access == MODEL_WRITE, reason);
	return (struct model_reach){ .ok = false, .reason = reason, .why = "VT-d fault reason" };
}

/* VT-d 7.1.3: in legacy mode a hole is a missing right. */
static uint32_t right_reason(const struct unit *unit, enum model_access access)
{
	if (vtd_is_scalable(unit))
		return access == MODEL_WRITE ? 0x85 : 0x86;
	return access == MODEL_WRITE ? 0x5 : 0x6;
}

static uint32_t walk_reason(const struct unit *unit, const struct walk *walk,
			    enum model_access access)
{
	bool scalable = vtd_is_scalable(unit);

	switch (walk->end.kind) {
	case SLOT_ABSENT:
		return scalable ? 0x79 : right_reason(unit, access);
	case SLOT_BAD:
		return scalable ? 0x7a : 0xc;
	case SLOT_LOST:
		return scalable ? 0x78 : 0x7;
	case SLOT_LINK:
	case SLOT_LEAF:
		break;
	}
	if ((walk->end.rights & access) != access)
		return right_reason(unit, access);
	if (walk->end.frame >> 8 == 0xfee)
		return scalable ? 0x87 : 0xe;
	return 0;
}

/* VT-d 9.3: AW 1 is three levels, 39 bits; 2 is four, 3 is five. */
static struct table table_of(const struct model *model, const struct unit *unit,
			     const struct context *context)
{
	return (struct table){ .format = MODEL_VTD_TABLE,
			       .view = unit->walk_view,
			       .root = context->low >> FRAME_ORDER,
			       .levels = (uint32_t)(context->high & 7) + 2,
			       .large = unit->config.large_pages,
			       .rights = 7,
			       .address_bits = model->config.address_bits };
}

/* Second stage only; 0 is what the entry may say here. */
static uint32_t check_type(const struct unit *unit, const struct context *context,
			   const struct table *table)
{
	if (context->reason)
		return context->reason;
	if ((context->low >> 2 & 3) == 2)
		return 0;
	if (table->levels <= 5 && (unit->config.walk_levels >> table->levels & 1) &&
	    !(context->low >> 2 & (unit->config.ats ? 2 : 3)))
		return 0;
	return vtd_is_scalable(unit) ? 0x5b : 0x3;
}

/* VT-d 9.3: translation type 1 lets requests for translations and translated ones pass. */
bool vtd_lets_translated(struct model *model, struct unit *unit, uint16_t requester)
{
	struct context context = find_context(model, unit, requester, false);

	return !context.reason && (context.low >> 2 & 3) == 1;
}

/* Absent is sound. */
static bool is_unsound(uint32_t reason)
{
	return reason >= 3 && reason != 0x39 && reason != 0x41 && reason != 0x51 && reason != 0x59;
}

static void speculate(struct model *model, struct unit *unit, uint16_t requester, uint64_t dfn)
{
	/* The entry in memory now, and the one that is remembered: either may be used. */
	for (int fresh = 0; fresh < 2; fresh++) {
		struct context context = find_context(model, unit, requester, fresh);
		struct table table = table_of(model, unit, &context);
		struct entry leaf = { .look = requester,
				      .domain = context.high >> 8 & 0xffff,
				      .absent = unit->config.caches_not_present };

		if (is_unsound(context.reason) ||
		    (!context.reason && check_type(unit, &context, &table)))
			model_violate(
				model,
				"format: unit %u finds an unsound context entry of %04x: 0x%llx 0x%llx",
				unit->index, requester, (unsigned long long)context.low,
				(unsigned long long)context.high);
		else if (!context.reason && (context.low >> 2 & 3) == 2)
			model_violate(model,
				      "window: the context entry of %04x lets everything through",
				      requester);
		else if (!context.reason && !(dfn >> 9 * table.levels))
			unit_prefetch(model, unit, &table, leaf, dfn);
	}
}

static struct model_reach walk_tables(struct model *model, struct unit *unit, uint16_t requester,
				      uint64_t dfn, enum model_access access, uint32_t *domain)
{
	struct context context = find_context(model, unit, requester, false);
	struct table table = table_of(model, unit, &context);
	uint32_t reason = check_type(unit, &context, &table);
	struct entry leaf = { .look = requester, .absent = unit->config.caches_not_present };
	struct walk walk;

	if (reason)
		return blocked(model, unit, requester, dfn, access, reason);
	*domain = leaf.domain = context.high >> 8 & 0xffff;
	if ((context.low >> 2 & 3) == 2)
		return (struct model_reach){ .ok = true, .mfn = dfn };
	if (dfn >> 9 * table.levels)
		return blocked(model, unit, requester, dfn, access,
			       vtd_is_scalable(unit) ? 0x84 : 0x4);
	walk = unit_walk(model, unit, &table, leaf, dfn, false);
	reason = walk_reason(unit, &walk, access);
	if (reason)
		return blocked(model, unit, requester, dfn, access, reason);
	return (struct model_reach){
		.ok = true, .mfn = walk.end.frame + (dfn & ((1ull << walk.end.order) - 1))
	};
}

struct model_reach vtd_translate(struct model *model, struct unit *unit, uint16_t requester,
				 uint64_t dfn, enum model_access access, bool speculative,
				 uint32_t *domain)
{
	const struct entry *leaf;

	if (!(unit->gsts & GSTS_TE))
		return (struct model_reach){ .ok = true, .mfn = dfn };
	if (speculative) {
		speculate(model, unit, requester, dfn);
		return (struct model_reach){ .ok = false };
	}
	/* M8: by source and address, before any context entry is looked at. */
	leaf = cache_find(model, &unit->cache, ENTRY_LEAF, requester, dfn);
	if (!leaf)
		return walk_tables(model, unit, requester, dfn, access, domain);
	*domain = leaf->domain;
	if (leaf->absent || (leaf->rights & access) != access)
		return blocked(model, unit, requester, dfn, access, right_reason(unit, access));
	return (struct model_reach){ .ok = true, .mfn = leaf->frame + (dfn - leaf->first) };
}

/* --- messages -------------------------------------------------------------------------------- */

/* VT-d 9.10; reasons of 7.1.2. 0: may pass. */
static uint32_t check_interrupt(struct model *model, struct unit *unit, uint16_t requester,
				uint32_t index, uint64_t *low)
{
	const struct entry *known = cache_find(model, &unit->cache, ENTRY_INTERRUPT, 0, index);
	struct entry entry = { .kind = ENTRY_INTERRUPT, .first = index };
	uint64_t at = (unit->irta_latched & ~0xfffull) + index * 16ull, high;

	if (index >= 2u << (unit->irta_latched & 15))
		return 0x21;
	if (known) {
		*low = known->word[0];
		high = known->word[1];
	} else {
		if (!load_pair(model, unit, at, low, &high))
			return 0x23;
		entry.word[0] = *low;
		entry.word[1] = high;
		if ((*low & 1) || unit->config.caches_not_present)
			cache_add(model, &unit->cache, &entry);
	}
	if (!(*low & 1))
		return 0x22;
	if ((high >> 20) || (*low & 0xff00f000))
		return 0x24;
	return (high >> 18 & 3) == 1 && (high & 0xffff) != requester ? 0x26 : 0;
}

/* VT-d 5.1.5: the address tells the format, and with SHV the data is added to the handle. */
bool vtd_message(struct model *model, struct unit *unit, uint16_t requester, uint64_t maddr,
		 uint32_t data, uint32_t *reason)
{
	uint32_t index = (uint32_t)(maddr >> 5 & 0x7fff) | (uint32_t)(maddr >> 2 & 1) << 15;
	uint64_t entry = 0;

	*reason = 0;
	if (!(unit->gsts & GSTS_IRE)) {
		model_deliver(model, (uint8_t)data);
		return true;
	}
	if (!(maddr & B(4))) {
		/* Compatibility format passes only where software asked for it. */
		*reason = unit->gsts & GSTS_CFI ? 0 : 0x25;
		entry = (uint64_t)(data & 0xff) << 16;
		index = 0;
	} else {
		index += maddr & B(3) ? data & 0xffff : 0;
		*reason = check_interrupt(model, unit, requester, index, &entry);
	}
	if (*reason) {
		vtd_fault(model, unit, requester, (uint64_t)index << 48, true, *reason);
		return false;
	}
	model_deliver(model, (uint8_t)(entry >> 16));
	return true;
}
