/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/atc.c - a function's own cache of translations: Address Translation Services. PCI
 * Express base 6.0, chapter 10; VT-d 4.1, 6.5.2.5; AMD 48882 2.4.4.
 *
 *   function --asks--> unit: IOTLB, tables --> function's cache --translated request--> memory
 *
 * A translated request is not looked up by the unit: the entry says whether such pass at all (VT-d
 * TT = 1, AMD I = 1), and the IOTLB is not asked. So only the function's own cache forgets for it. It
 * fills from the IOTLB, what is stale in there included (M10); it never remembers absence.
 */
#include "machine.h"

#define REFILLS 16u

bool atc_is_on(const struct function *function)
{
	return function->config.ats && function->space[ATS_AT + 7] & 0x80;
}

static struct unit *unit_of(struct model *model, const struct function *function)
{
	uint32_t unit = function->config.unit;

	return unit == MODEL_NO_UNIT ? NULL : &model->unit[unit];
}

static bool passes(struct model *model, struct unit *unit, uint16_t requester)
{
	return unit->config.vendor == MODEL_VTD ? vtd_lets_translated(model, unit, requester)
						: amdvi_lets_translated(model, unit, requester);
}

/* No fault is recorded of a request for a translation; what the unit had to look up, it remembers. */
static void ask(struct model *model, struct function *function, struct unit *unit,
		uint16_t requester, uint64_t dfn)
{
	bool looking = model->looking;
	struct model_reach reach;
	const struct entry *leaf;
	uint32_t domain;

	model->looking = true;
	reach.ok = passes(model, unit, requester);
	if (reach.ok)
		reach = unit_translate(model, unit, requester, dfn, 0, false, &domain);
	leaf = cache_find(model, &unit->cache, ENTRY_LEAF, requester, dfn);
	if (reach.ok && leaf && !leaf->absent && (leaf->rights & (MODEL_READ | MODEL_WRITE))) {
		struct entry copy = *leaf;

		copy.fresh = false;
		cache_add(model, &function->atc, &copy);
	}
	model->looking = looking;
}

void atc_speculate(struct model *model, struct function *function, uint64_t dfn)
{
	struct unit *unit = unit_of(model, function);

	if (unit && unit_is_translating(unit) && atc_is_on(function) &&
	    pci_can_master(model, function))
		ask(model, function, unit, pci_requester(model, function, 0), dfn);
}

/*
 * True where the function's own cache decides; false: the request goes untranslated, for the unit to
 * decide. The worst is that a right which the cache does not know of is believed missing.
 */
bool atc_translate(struct model *model, struct function *function, uint16_t requester, uint64_t dfn,
		   enum model_access access, struct model_reach *reach)
{
	struct unit *unit = unit_of(model, function);
	const struct entry *known;

	if (!unit || !unit_is_translating(unit) || !atc_is_on(function))
		return false;
	known = cache_find(model, &function->atc, ENTRY_LEAF, requester, dfn);
	if (!known) {
		ask(model, function, unit, requester, dfn);
		known = cache_find(model, &function->atc, ENTRY_LEAF, requester, dfn);
	}
	if (!known)
		return false;
	*reach = (struct model_reach){ .why = "the device's own cache" };
	if ((known->rights & access) != access)
		return true;
	reach->mfn = known->frame + (dfn - known->first);
	reach->ok = passes(model, unit, requester);
	if (!reach->ok)
		unit_translated_fault(model, unit, requester, dfn, access, reach);
	return true;
}

/* --- invalidation ---------------------------------------------------------------------------- */

static struct function *find(struct model *model, const struct unit *unit, uint16_t requester)
{
	for (uint32_t i = 0; i < model->config.device_count; i++) {
		struct function *function = &model->function[i];

		if (function->config.unit == unit->index &&
		    pci_requester(model, function, 0) == requester)
			return function;
	}
	return NULL;
}

bool atc_answers(struct model *model, const struct unit *unit, uint16_t requester)
{
	const struct function *function = find(model, unit, requester);

	return function && atc_is_on(function) && !function->atc_silent && !unit->answer_lost;
}

bool atc_goes_astray(struct model *model, const struct unit *unit, uint16_t requester)
{
	const struct function *function = find(model, unit, requester);

	return function && atc_is_on(function) && function->atc_astray;
}

struct range {
	uint64_t first;
	uint32_t order;
};

/* M6: what is wider than the invalidation may stay. */
static bool is_in_range(const struct entry *entry, const void *argument)
{
	const struct range *range = argument;

	return entry_within(entry, range->first, range->order);
}

/* M10: what was just dropped is asked for again, and the unit answers from what it still has. */
static void refill(struct model *model, struct function *function, const struct range *range)
{
	uint64_t again[REFILLS];
	uint32_t count = 0;

	for (uint32_t i = 0; i < function->atc.count && count < REFILLS; i++)
		if (is_in_range(&function->atc.entry[i], range))
			again[count++] = function->atc.entry[i].first;
	cache_drop(&function->atc, is_in_range, range);
	if (model->config.adversary == MODEL_ADVERSARY_NONE)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (model->config.adversary == MODEL_ADVERSARY_MAX || model_draw(model, 2) == 0)
			atc_speculate(model, function, again[i]);
}

void atc_invalidate(struct model *model, struct unit *unit, uint16_t requester, uint64_t first,
		    uint32_t order)
{
	struct function *function = find(model, unit, requester);
	struct range range = { first, order };

	command_log(model, &(struct model_command){ .unit = unit->index,
						    .kind = MODEL_CMD_ATC,
						    .requester = requester,
						    .first = first,
						    .order = order });
	if (!atc_answers(model, unit, requester))
		return;
	/* M11: its own transfers are drained by this alone. */
	device_drain_function(model, function);
	refill(model, function, &range);
}

/* --- queries --------------------------------------------------------------------------------- */

bool model_ats_is_on(const struct model *model, uint32_t sbdf)
{
	const struct function *function = pci_find((struct model *)(uintptr_t)model, sbdf);

	return function && atc_is_on(function);
}

void model_silence_atc(struct model *model, uint32_t sbdf, bool silent)
{
	pci_find(model, sbdf)->atc_silent = silent;
}

void model_misdirect_atc(struct model *model, uint32_t sbdf, bool astray)
{
	pci_find(model, sbdf)->atc_astray = astray;
}

bool model_atc_remembers(const struct model *model, uint32_t sbdf, uint64_t mfn)
{
	const struct function *function = pci_find((struct model *)(uintptr_t)model, sbdf);

	for (uint32_t i = 0; function && i < function->atc.count; i++)
		if (entry_reaches(&function->atc.entry[i], mfn, 1))
			return true;
	return false;
}
