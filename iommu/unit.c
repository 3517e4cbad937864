/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/unit.c - a unit as an observer: its queue, its clock, the names it puts on domains.
 *
 *   post:      asked = number of the wait behind the commands
 *   progress:  reached = number of the last wait seen completed; asked > reached for too long: lost
 */
#include "iommu/unit.h"

#include "iommu/names.h"
#include "lib/text.h"
#include "memory.h"
#include "pci/function.h"

static struct unit *unit_of(struct observer *observer)
{
	return (struct unit *)observer;
}

static void queue_take(struct unit *unit) TAKES(unit->queue)
{
	lock_take(&unit->queue, unit->host->embedder);
}

static void queue_drop(struct unit *unit) DROPS(unit->queue)
{
	lock_drop(&unit->queue);
}

static enum sp_status post_locked(struct unit *unit, const struct command *commands, uint32_t count,
				  uint64_t *number) MUST_HOLD(unit->queue)
{
	enum sp_status status;

	if (unit->observer.lost)
		return SP_LOST;
	/*
	 * A unit that does not translate remembers nothing: start() begins with a global
	 * invalidation.
	 */
	if (!unit->started) {
		*number = unit->reached;
		return SP_OK;
	}
	status = unit->ops->post(unit, commands, count, number);
	if (status != SP_OK)
		return status;
	if (unit->asked == load64(&unit->reached))
		unit->asked_at = platform_now(unit->host->embedder);
	unit->asked = *number;
	return SP_OK;
}

static enum sp_status unit_post(struct observer *observer, const struct command *commands,
				uint32_t count, uint64_t *number)
{
	struct unit *unit = unit_of(observer);
	enum sp_status status;

	queue_take(unit);
	status = post_locked(unit, commands, count, number);
	queue_drop(unit);
	return status;
}

static bool unit_has_reached(struct observer *observer, uint64_t number)
{
	return load64(&unit_of(observer)->reached) >= number;
}

static const struct observer_ops unit_observer_ops = { unit_post, unit_has_reached };

/* True the one time that the unit turns out to be lost. */
static bool progress_finds_loss(struct unit *unit, struct sp_lost *what)
{
	uint64_t before;
	bool lost = false;

	queue_take(unit);
	before = unit->reached;
	if (unit->started && !unit->lost_told && unit->asked != before) {
		lost = unit->ops->progress(unit) == SP_LOST;
		/* The oldest wait was answered: the next one has the whole time from now. */
		if (unit->reached != before)
			unit->asked_at = platform_now(unit->host->embedder);
	}
	if (lost && MUTANT(unit->host, SP_MUT_ABORT_IS_COMPLETION)) {
		store64(&unit->reached, unit->asked);
		lost = false;
	}
	if (lost) {
		*what = (struct sp_lost){ unit->registers, unit->asked, unit->reached };
		unit->lost_told = true;
		store32(&unit->observer.lost, true);
	}
	queue_drop(unit);
	return lost;
}

/*
 * Nothing is freed on a guess: what the unit may remember stays in limbo, and nothing new goes
 * through it.
 */
static void lose(struct sp_host *host, struct unit *unit, const struct sp_lost *lost)
{
	struct text text = { .length = 0 };

	/*
	 * Whoever sets bus mastering looks at `lost` after his write: one of the two writes last.
	 */
	full_barrier();
	for (uint32_t i = 0; i < host->function_count; i++) {
		if (host->functions[i].unit == unit)
			function_set_master(host, &host->functions[i], false);
	}
	text_hex(text_add(&text, "unit at "), unit->registers.maddr);
	text_add(&text, " does not answer; bus mastering of its functions is off");
	host_log(host, SP_LOG_ERROR, text.line);
	platform_lost(host->embedder, lost);
}

static void iommu_progress(struct sp_host *host)
{
	for (uint32_t i = 0; i < host->unit_count; i++) {
		struct sp_lost lost;

		if (progress_finds_loss(host->units[i], &lost))
			lose(host, host->units[i], &lost);
	}
}

struct unit *unit_new(struct sp_host *host, size_t bytes, const struct iommu_ops *ops)
{
	struct unit *unit = NULL;

	if (host->unit_count < HOST_UNITS && host->unit_count < host->limits.units)
		unit = host_alloc(host, bytes);
	if (!unit) {
		host_log(host, SP_LOG_ERROR, "no room for one more unit; raise sp_limits.units");
		return NULL;
	}
	unit->observer.ops = &unit_observer_ops;
	unit->host = host;
	unit->ops = ops;
	unit->index = host->unit_count;
	host->units[host->unit_count++] = unit;
	host->units_progress = iommu_progress;
	return unit;
}

enum sp_status name_take(struct unit *unit, uint16_t *name)
{
	uint32_t count = unit->name_count < UNIT_NAMES ? unit->name_count : UNIT_NAMES;
	enum sp_status status = SP_NO_SPACE;

	queue_take(unit);
	/* 0 is never used: in caching mode absent context entries carry it (VT-d 6.1). */
	for (uint32_t i = 1; i < count && status != SP_OK; i++) {
		if (unit->names[i / 64] & BIT(i % 64))
			continue;
		unit->names[i / 64] |= BIT(i % 64);
		*name = (uint16_t)i;
		status = SP_OK;
	}
	queue_drop(unit);
	return status;
}

void name_give(struct unit *unit, uint16_t name)
{
	queue_take(unit);
	unit->names[name / 64] &= ~BIT(name % 64);
	queue_drop(unit);
}

enum sp_status unit_add_atc(struct unit *unit, struct atc atc)
{
	enum sp_status status = SP_NO_SPACE;

	queue_take(unit);
	if (unit->atc_count < UNIT_ATCS) {
		unit->atc[unit->atc_count++] = atc;
		status = SP_OK;
	}
	queue_drop(unit);
	return status;
}

void unit_remove_atc(struct unit *unit, uint16_t requester)
{
	queue_take(unit);
	for (uint32_t i = 0; i < unit->atc_count; i++) {
		if (unit->atc[i].requester == requester)
			unit->atc[i--] = unit->atc[--unit->atc_count];
	}
	queue_drop(unit);
}

enum sp_status sp_unit_info(struct sp_host *host, uint32_t index, struct sp_unit_info *info)
{
	struct unit *unit;

	if (index >= host->unit_count)
		return SP_NOT_FOUND;
	unit = host->units[index];
	queue_take(unit);
	*info = (struct sp_unit_info){ .vendor = unit->vendor,
				       .registers = unit->registers,
				       .segment = unit->segment,
				       .started = unit->started,
				       .lost = unit->observer.lost,
				       .coherent = unit->coherent,
				       .caches_not_present = unit->not_present_cached,
				       .interrupt_remapping = unit->interrupt_remapping,
				       .scalable = unit->scalable,
				       .levels = unit->levels,
				       .large_pages = unit->leaf_levels & 6,
				       .domain_ids = unit->name_count,
				       .posted = unit->asked,
				       .reached = unit->reached };
	queue_drop(unit);
	return SP_OK;
}

_Static_assert(offsetof(struct unit, observer) == 0, "unit_of() casts back");
