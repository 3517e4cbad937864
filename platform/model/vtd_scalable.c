/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/vtd_scalable.c - how a VT-d unit finds a table in scalable mode. VT-d 3.4.3, 6.2.2, 7.1.3, 9.2, 9.4,
 * 9.5, 9.6.
 *
 *   root[bus] lower, upper --> context[device.function & 127] --> directory[PASID >> 6] --> table[PASID & 63]
 *    0 P, 63:12                 0 P, 2 DTE, 11:9 PDTS, 63:12       0 P, 63:12               0 P, 4:2 AW, 8:6 PGTT,
 *                               64+ 19:0 RID_PASID                                          63:12; 64+ 15:0 DID
 *
 * A context entry is remembered by source, and names no domain; a PASID entry by source and PASID, under the domain
 * that it carries. Either may be kept when the other goes (M1, M8). Only second stage and pass-through are known.
 */
#include "machine.h"

#define B(n) (1ull << (n))

#define CONTEXT_MUST_0 \
	0x1e0ull /* of the first word; also 1 FPD, 3 PASIDE, 4 PRE, which nobody here asks for */
#define CONTEXT_EXTRAS 0x1aull
#define PASID_MUST_0   0xe20ull
#define SECOND_STAGE   2u
#define PASS_THROUGH   4u
#define HIGH_MAY       (0xffffull | B(23))

static bool exceeds(const struct model *model, uint64_t word)
{
	return (word & ~0xfffull & ~(B(model->config.address_bits) - 1)) != 0;
}

static uint64_t table_at(uint64_t word)
{
	return word & ~0xfffull;
}

/* The words of a context entry in low, high; reason otherwise. */
static struct context load_context(struct model *model, const struct unit *unit, uint16_t requester)
{
	uint64_t half, words[4];

	if (!vtd_load_words(model, unit, table_at(unit->root_latched) + (requester >> 7) * 8ull,
			    &half, 1))
		return (struct context){ .reason = 0x38 };
	if (!(half & 1))
		return (struct context){ .reason = 0x39 };
	if ((half & 0xffe) || exceeds(model, half))
		return (struct context){ .reason = 0x3a };
	if (!vtd_load_words(model, unit, table_at(half) + (requester & 0x7f) * 32ull, words, 4))
		return (struct context){ .reason = 0x40 };
	if (!(words[0] & 1))
		return (struct context){ .reason = 0x41 };
	if ((words[0] & CONTEXT_MUST_0) || exceeds(model, words[0]) || words[1] >> 20 || words[2] ||
	    words[3])
		return (struct context){ .reason = 0x42 };
	if ((words[0] & CONTEXT_EXTRAS) || ((words[0] & 4) && !unit->config.ats))
		return (struct context){ .reason = 0x43 };
	/* ECAP.RPS is 0: requests without PASID have number 0. */
	if (words[1])
		return (struct context){ .reason = 0x48 };
	return (struct context){ .low = words[0], .high = words[1] };
}

static struct context load_pasid(struct model *model, const struct unit *unit, uint64_t directory,
				 uint32_t pasid)
{
	uint64_t entry, words[8];

	if (!vtd_load_words(model, unit, table_at(directory) + (pasid >> 6) * 8ull, &entry, 1))
		return (struct context){ .reason = 0x50 };
	if (!(entry & 1))
		return (struct context){ .reason = 0x51 };
	if ((entry & 0xffc) || exceeds(model, entry))
		return (struct context){ .reason = 0x52 };
	if (!vtd_load_words(model, unit, table_at(entry) + (pasid & 63) * 64ull, words, 8))
		return (struct context){ .reason = 0x58 };
	if (!(words[0] & 1))
		return (struct context){ .reason = 0x59 };
	if ((words[0] & PASID_MUST_0) || exceeds(model, words[0]) || (words[1] & ~HIGH_MAY) ||
	    (words[1] & B(23) && unit->walk_view != VIEW_CPU) || words[2] || words[3] || words[4] ||
	    words[5] || words[6] || words[7])
		return (struct context){ .reason = 0x5a };
	return (struct context){ .low = words[0], .high = words[1] };
}

/* --- what is remembered ---------------------------------------------------------------------- */

static struct entry entry_for(const struct unit *unit, enum entry_kind kind, uint16_t requester,
			      const struct context *context)
{
	bool is_pasid = kind == ENTRY_PASID;

	return (struct entry){ .kind = kind,
			       .look = requester,
			       .first = is_pasid ? 0 : requester,
			       .domain = is_pasid ? context->high & 0xffff : 0,
			       .frame = context->low >> FRAME_ORDER,
			       .word = { context->low, context->high, context->reason },
			       .source = unit->root_latched };
}

static bool is_absent(uint32_t reason)
{
	return reason == 0x39 || reason == 0x41 || reason == 0x51 || reason == 0x59;
}

/* M3: absent only in caching mode, and then under domain 0. */
static void remember(struct model *model, struct unit *unit, struct entry entry)
{
	uint32_t reason = (uint32_t)entry.word[2];

	entry.absent = is_absent(reason);
	if (entry.absent ? unit->config.caches_not_present : !reason)
		cache_add(model, &unit->cache, &entry);
}

static bool find_known(struct model *model, struct unit *unit, enum entry_kind kind,
		       uint16_t requester, struct context *context)
{
	const struct entry *known = cache_find(model, &unit->cache, kind, requester,
					       kind == ENTRY_PASID ? 0 : requester);

	if (known)
		*context = (struct context){ .low = known->word[0],
					     .high = known->word[1],
					     .reason = (uint32_t)known->word[2] };
	return known;
}

/* A PASID entry and its context entry as legacy mode would say it. */
static struct context in_legacy_words(const struct context *context, const struct context *pasid)
{
	uint32_t type = pasid->low >> 6 & 7;
	uint64_t passes = context->low >> 2 & 1;

	if (type != SECOND_STAGE && type != PASS_THROUGH)
		return (struct context){ .reason = 0x5b };
	return (struct context){ .low = table_at(pasid->low) | 1 |
					(type == PASS_THROUGH ? 2 : passes) << 2,
				 .high = (pasid->low >> 2 & 7) | (pasid->high & 0xffff) << 8 };
}

struct context vtd_find_scalable(struct model *model, struct unit *unit, uint16_t requester,
				 bool fresh)
{
	struct context context, pasid;

	if (fresh || !find_known(model, unit, ENTRY_DEVICE, requester, &context)) {
		context = load_context(model, unit, requester);
		remember(model, unit, entry_for(unit, ENTRY_DEVICE, requester, &context));
	}
	if (context.reason)
		return context;
	if (fresh || !find_known(model, unit, ENTRY_PASID, requester, &pasid)) {
		struct entry entry;

		pasid = load_pasid(model, unit, context.low, 0);
		entry = entry_for(unit, ENTRY_PASID, requester, &pasid);
		if (fresh && !pasid.reason && (pasid.low >> 6 & 7) == SECOND_STAGE)
			unit_check_tag(model, unit, &entry);
		remember(model, unit, entry);
	}
	return pasid.reason ? pasid : in_legacy_words(&context, &pasid);
}
