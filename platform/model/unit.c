/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/unit.c - what both kinds of unit have in common.
 *
 *   IOTLB                      found by requester and address, dropped by domain id (M8)
 *   paging-structure cache     found by domain id and address, dropped by domain id
 *
 * On AMD the manual does not say how the IOTLB is found; the worst is assumed, the same as on VT-d.
 */
#include "machine.h"

void unit_reset(struct model *model, uint32_t index)
{
	struct unit *unit = &model->unit[index];

	*unit = (struct unit){ .config = model->config.unit[index], .index = index };
	unit->view = unit->config.write_buffer	 ? VIEW_UNIT
		     : unit->config.not_coherent ? VIEW_MEMORY
						 : VIEW_CPU;
	unit->walk_view = unit->view == VIEW_CPU && unit->config.walks_not_coherent ? VIEW_MEMORY
										    : unit->view;
	unit->fectl = unit->iectl = 1u << 31;
	if (unit->config.translating && !firmware_leave_translating(model, unit))
		model_violate(model, "model: no memory for the tables that firmware left");
}

struct unit *unit_at(struct model *model, uint64_t maddr, uint64_t *offset)
{
	for (uint32_t i = 0; i < model->config.unit_count; i++) {
		struct unit *unit = &model->unit[i];
		uint64_t bytes = unit->config.vendor == MODEL_VTD ? 0x1000 : 0x4000;

		*offset = maddr - unit->config.base;
		if (*offset < bytes)
			return unit;
	}
	return NULL;
}

bool unit_is_translating(const struct unit *unit)
{
	return unit->config.vendor == MODEL_VTD ? unit->gsts >> 31 & 1 : unit->control & 1;
}

struct model_reach unit_translate(struct model *model, struct unit *unit, uint16_t requester,
				  uint64_t dfn, enum model_access access, bool speculative,
				  uint32_t *domain)
{
	*domain = 0;
	if (unit->config.vendor == MODEL_VTD)
		return vtd_translate(model, unit, requester, dfn, access, speculative, domain);
	return amdvi_translate(model, unit, requester, dfn, access, speculative, domain);
}

bool unit_message(struct model *model, struct unit *unit, uint16_t requester, uint64_t maddr,
		  uint32_t data, uint32_t *reason)
{
	bool delivered = unit->config.vendor == MODEL_VTD
				 ? vtd_message(model, unit, requester, maddr, data, reason)
				 : amdvi_message(model, unit, requester, maddr, data, reason);

	model->messages_blocked += !delivered;
	return delivered;
}

void model_deliver(struct model *model, uint8_t vector)
{
	model->messages[vector]++;
}

uint32_t model_messages(const struct model *model, uint8_t vector)
{
	return model->messages[vector];
}

uint32_t model_messages_blocked(const struct model *model)
{
	return model->messages_blocked;
}

/* VT-d 7.1.3: reason Dh. 48882 2.5: an invalid request of the device. */
void unit_translated_fault(struct model *model, struct unit *unit, uint16_t requester, uint64_t dfn,
			   enum model_access access, struct model_reach *reach)
{
	bool is_vtd = unit->config.vendor == MODEL_VTD;

	reach->reason = is_vtd ? 0xd : 0x8;
	if (is_vtd)
		vtd_fault(model, unit, requester, dfn << FRAME_ORDER, access == MODEL_WRITE,
			  reach->reason);
	else
		amdvi_event(model, unit, (uint64_t)reach->reason << 60 | requester,
			    dfn << FRAME_ORDER);
}

/*
 * Walks from the root, or from what the paging-structure cache offers, and remembers what it saw.
 */
struct walk unit_walk(struct model *model, struct unit *unit, const struct table *table,
		      struct entry leaf, uint64_t dfn, bool from_root)
{
	struct entry link = { .look = leaf.domain, .domain = leaf.domain };
	struct start start = walk_root(table);
	const struct entry *known = NULL;
	struct walk walk;

	if (!from_root)
		known = cache_find(model, &unit->cache, ENTRY_LINK, leaf.domain, dfn);
	if (known)
		start = (struct start){ known->frame, known->level, known->rights };
	walk = walk_from(model, table, start, dfn, "a unit");
	walk_remember(model, &unit->cache, &walk, dfn, &leaf, &link);
	return walk;
}

/*
 * VT-d 6.2.2.1, A1.13: one domain id, one table, or links remembered under it lead a neighbour
 * astray. An entry that shows its new table while it still has its old id does just that. Entries
 * of another root table are firmware's, and of another time.
 */
void unit_check_tag(struct model *model, const struct unit *unit, const struct entry *entry)
{
	for (uint32_t i = 0; i < unit->cache.count; i++) {
		const struct entry *other = &unit->cache.entry[i];

		if (other->kind != entry->kind || other->absent || other->domain != entry->domain ||
		    other->source != entry->source || other->frame == entry->frame || !other->frame)
			continue;
		model_violate(
			model,
			"format: unit %u finds domain id %u with two tables, mfn 0x%llx and 0x%llx: "
			"the entry of %04x is shown in parts",
			unit->index, entry->domain, (unsigned long long)other->frame,
			(unsigned long long)entry->frame, (unsigned)entry->look);
		return;
	}
}

/*
 * What a unit may do unasked: walk from the top, and from anything it remembers; all it sees must
 * be sound.
 */
void unit_prefetch(struct model *model, struct unit *unit, const struct table *table,
		   struct entry leaf, uint64_t dfn)
{
	struct walk walk = unit_walk(model, unit, table, leaf, dfn, true);

	walk_judge(model, &walk, dfn, "a unit");
	unit_walk(model, unit, table, leaf, dfn, false);
}

/* --- the queue ------------------------------------------------------------------------------- */

uint32_t unit_execute(struct model *model, struct unit *unit, uint32_t count)
{
	if (unit->config.answers == MODEL_NEVER)
		return 0;
	return unit->config.vendor == MODEL_VTD ? vtd_execute(model, unit, count)
						: amdvi_execute(model, unit, count);
}

static bool has_commands(const struct unit *unit)
{
	return unit->config.vendor == MODEL_VTD ? unit->iqh != unit->iqt
						: unit->cmd_head != unit->cmd_tail;
}

void unit_pass_time(struct model *model, struct unit *unit)
{
	while (unit->busy && unit->done_at <= model->now) {
		unit->busy = unit_execute(model, unit, 1) && has_commands(unit);
		unit->done_at += unit->config.command_ns;
	}
}

/* A store to the tail register: at once, or noted for later. */
void unit_ring(struct model *model, struct unit *unit)
{
	if (unit->config.answers == MODEL_TIMED && !unit->busy) {
		unit->busy = true;
		unit->done_at = model->now + unit->config.command_ns;
	}
	if (unit->config.answers == MODEL_AT_ONCE)
		unit_execute(model, unit, UINT32_MAX);
}

uint32_t model_step(struct model *model, uint32_t unit, uint32_t count)
{
	uint32_t done;

	model_take_lock(model);
	done = unit_execute(model, &model->unit[unit], count);
	model_drop_lock(model);
	return done;
}

void model_set_answers(struct model *model, uint32_t unit, enum model_answers answers)
{
	model_take_lock(model);
	model->unit[unit].config.answers = answers;
	if (answers == MODEL_AT_ONCE)
		answer_land_all(model, &model->unit[unit]);
	unit_ring(model, &model->unit[unit]);
	model_drop_lock(model);
}

/* Completion words live in frames that the core took for them. */
void unit_store_status(struct model *model, const struct unit *unit, uint64_t maddr, uint64_t value,
		       uint32_t bytes)
{
	uint64_t mfn = maddr >> FRAME_ORDER;

	if (!ram_holds(model, mfn) || ram_state(model, mfn) != FRAME_TABLE)
		model_violate(
			model,
			"contract: unit %u is told to store a completion at 0x%llx, no frame of the core",
			unit->index, (unsigned long long)maddr);
	ram_store(model, maddr, &value, bytes);
}

/* --- queries --------------------------------------------------------------------------------- */

uint64_t model_unit_base(const struct model *model, uint32_t unit)
{
	return model->unit[unit].config.base;
}

bool model_unit_translating(const struct model *model, uint32_t unit)
{
	return unit_is_translating(&model->unit[unit]);
}

bool model_unit_remembers(const struct model *model, uint32_t unit, uint64_t mfn)
{
	const struct cache *cache = &model->unit[unit].cache;

	for (uint32_t i = 0; i < cache->count; i++)
		if (entry_reaches(&cache->entry[i], mfn, 1))
			return true;
	return false;
}

static bool lies_in(uint64_t maddr, uint64_t bytes, uint64_t mfn, uint64_t count)
{
	uint64_t first = maddr >> FRAME_ORDER, frames = (bytes + FRAME_BYTES - 1) >> FRAME_ORDER;

	return first < mfn + count && mfn < first + frames;
}

/* Only what is switched on is read by the unit. */
static bool vtd_points_to(const struct unit *unit, uint64_t mfn, uint64_t count, const char **what)
{
	*what = "root table";
	if ((unit->gsts >> 31 & 1) &&
	    lies_in(unit->root_latched & ~0xfffull, FRAME_BYTES, mfn, count))
		return true;
	*what = "queue";
	if ((unit->gsts >> 26 & 1) &&
	    lies_in(unit->iqa & ~0xfffull, (uint64_t)FRAME_BYTES << (unit->iqa & 7), mfn, count))
		return true;
	*what = "interrupt table";
	return (unit->gsts >> 25 & 1) && lies_in(unit->irta_latched & ~0xfffull,
						 32ull << (unit->irta_latched & 15), mfn, count);
}

static bool amdvi_points_to(const struct unit *unit, uint64_t mfn, uint64_t count,
			    const char **what)
{
	const uint64_t address = 0xffffffffff000ull;

	if (!(unit->control & 1))
		return false;
	*what = "device table";
	if (lies_in(unit->devtab & address, ((unit->devtab & 0x1ff) + 1) * FRAME_BYTES, mfn, count))
		return true;
	*what = "command buffer";
	if ((unit->control >> 12 & 1) &&
	    lies_in(unit->cmdbuf & address, 16ull << (unit->cmdbuf >> 56 & 15), mfn, count))
		return true;
	*what = "event log";
	return (unit->control >> 2 & 1) &&
	       lies_in(unit->evtlog & address, 16ull << (unit->evtlog >> 56 & 15), mfn, count);
}

bool unit_points_to(const struct unit *unit, uint64_t mfn, uint64_t count, const char **what)
{
	return unit->config.vendor == MODEL_VTD ? vtd_points_to(unit, mfn, count, what)
						: amdvi_points_to(unit, mfn, count, what);
}

/* Translation goes off: any function that may still master the bus reaches everything. */
void unit_window(struct model *model, const struct unit *unit)
{
	for (uint32_t i = 0; i < model->config.device_count; i++) {
		struct function *function = &model->function[i];

		if (function->config.unit == unit->index &&
		    function->config.kind == MODEL_ENDPOINT &&
		    model_is_master(model, function->config.sbdf))
			model_violate(
				model,
				"window: unit %u stops translating while %02x:%02x.%x masters the bus",
				unit->index, function->config.sbdf >> 8 & 0xff,
				function->config.sbdf >> 3 & 31, function->config.sbdf & 7);
	}
}

/* Translation goes on: what slept since a release must have been invalidated. */
void unit_wake(struct model *model, const struct unit *unit)
{
	for (uint32_t i = 0; i < unit->cache.count; i++)
		if (unit->cache.entry[i].condemned)
			model_violate(
				model,
				"oracle R: unit %u translates again and wakes an entry of a released frame",
				unit->index);
}
