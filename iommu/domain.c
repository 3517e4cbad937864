/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/domain.c - which map of a domain a unit walks.
 *
 *   maps[0], the CPU's    if its format, levels and page sizes suit the unit, and snooping
 *   maps[n], another's    the same
 *   a map of its own      otherwise
 *
 * A map that is walked without snooping has been written back from its birth: to begin with it
 * later would mean to write back the whole tree under the lock. So a unit that does not snoop takes
 * a map of its own instead.
 */
#include "iommu/domain.h"

#define USUAL_LEVELS 4u

static bool fits(const struct sp_domain *domain, uint32_t index, const struct unit *unit)
	MUST_HOLD(domain->lock)
{
	const struct map *map = &domain->maps[index];
	const struct tree *tree = &map->tree;
	bool is_cpus = index == 0 && domain->cpu != SP_CPU_NONE;

	if (!domain_has_map(domain, index) || map->filling || !(unit->levels & BIT(tree->levels)))
		return false;
	/* A1.6: in shadow mode the option means nothing. */
	if (is_cpus && domain->cpu == SP_CPU_SHADOW && MUTANT(domain->host, SP_MUT_SHARE_HONOURED))
		return domain->shared == SP_TABLES_SHARED;
	if (is_cpus && (domain->shared != SP_TABLES_SHARED || tree->format != unit->shared_format))
		return false;
	if (!is_cpus && tree->format != unit->format && tree->format != unit->shared_format)
		return false;
	return !(tree->leaf_levels & ~unit->leaf_levels) && (unit->coherent || tree->write_back);
}

static bool is_free(const struct sp_domain *domain, uint32_t index) MUST_HOLD(domain->lock)
{
	return !domain_has_map(domain, index) && (index > 0 || domain->cpu == SP_CPU_NONE);
}

/*
 * The least that covers all that the CPU's map can hold, else the most that the unit walks; 0:
 * none.
 */
static uint8_t levels_for(const struct sp_domain *domain, const struct unit *unit)
	MUST_HOLD(domain->lock)
{
	uint32_t wanted = domain_has_map(domain, 0) ? domain->maps[0].tree.levels : USUAL_LEVELS;
	uint8_t levels = 0;

	for (uint8_t i = 1; i <= unit->format->levels_max && levels < wanted; i++) {
		if (unit->levels & BIT(i))
			levels = i;
	}
	return levels;
}

static uint64_t frames_within(const struct unit *unit, const struct format *format, uint32_t levels)
{
	uint32_t order = span_order(format, levels), wide = unit->address_bits - SP_FRAME_ORDER;

	return BIT(order < wide ? order : wide);
}

/*
 * The map that the unit watches already, else one that fits, else a free place; MAX_UNITS + 1:
 * none.
 */
static uint32_t place_for(const struct sp_domain *domain, const struct unit *unit)
	MUST_HOLD(domain->lock)
{
	for (uint32_t i = 0; i <= MAX_UNITS; i++) {
		if (domain->watches[i].observer == &unit->observer)
			return (uint32_t)(domain->watches[i].map - domain->maps);
	}
	for (uint32_t i = 0; i <= MAX_UNITS; i++) {
		if (fits(domain, i, unit))
			return i;
	}
	for (uint32_t i = 0; i <= MAX_UNITS; i++) {
		if (is_free(domain, i))
			return i;
	}
	return MAX_UNITS + 1;
}

enum sp_status unit_map_choose(struct sp_host *host, struct sp_domain *domain,
			       const struct unit *unit, struct map_choice *choice)
{
	const struct format *format = unit->format;
	enum sp_status status = SP_OK;
	const struct map *map;

	(void)host;
	domain_take(domain);
	choice->index = place_for(domain, unit);
	if (choice->index > MAX_UNITS) {
		status = SP_NO_SPACE;
	} else {
		map = &domain->maps[choice->index];
		choice->is_new = !domain_has_map(domain, choice->index);
		choice->levels = choice->is_new ? levels_for(domain, unit) : map->tree.levels;
		format = choice->is_new ? unit->format : map->tree.format;
	}
	domain_drop(domain);
	if (status != SP_OK)
		return status;
	choice->frames = frames_within(unit, format, choice->levels);
	return choice->levels ? SP_OK : SP_UNSUPPORTED;
}

enum sp_status unit_map_open(struct sp_host *host, struct sp_domain *domain,
			     const struct unit *unit, const struct map_choice *choice)
{
	(void)host;
	if (!choice->is_new)
		return SP_OK;
	/*
	 * Before it is used, nobody looks at this word but us: so there is no moment in which it
	 * seems filled.
	 */
	domain->maps[choice->index].filling = true;
	return domain_add_map(domain, choice->index, unit->format, choice->levels,
			      unit->leaf_levels, !unit->coherent);
}

void unit_map_filled(struct sp_host *host, struct sp_domain *domain, uint32_t index)
{
	(void)host;
	domain_take(domain);
	domain->maps[index].filling = false;
	domain_drop(domain);
}

enum sp_status unit_map_first(struct sp_host *host, struct sp_domain *quarantine,
			      const struct unit *unit)
{
	struct map_choice choice;
	enum sp_status status = unit_map_choose(host, quarantine, unit, &choice);

	if (status == SP_OK)
		status = unit_map_open(host, quarantine, unit, &choice);
	if (status == SP_OK)
		unit_map_filled(host, quarantine, choice.index);
	return status;
}

static bool is_watched(const struct sp_domain *domain, uint32_t index) MUST_HOLD(domain->lock)
{
	for (uint32_t i = 0; i <= MAX_UNITS; i++) {
		if (domain->watches[i].observer && domain->watches[i].map == &domain->maps[index])
			return true;
	}
	return false;
}

/* Out of the list: no change writes it any more. */
static bool withdraw(struct sp_domain *domain, uint32_t index)
{
	struct map *map = &domain->maps[index];
	bool leaves;

	domain_take(domain);
	leaves = index > 0 && domain_has_map(domain, index) && !is_watched(domain, index);
	if (leaves) {
		domain->mapped &= ~(1u << index);
		map->filling = true;
	}
	domain_drop(domain);
	return leaves;
}

static bool waits_in_limbo(const struct sp_domain *domain, uint32_t index) MUST_HOLD(domain->lock)
{
	const struct limbo *limbo = &domain->limbo;

	for (uint32_t i = 0; i < limbo->count; i++) {
		if (limbo->entry[(limbo->head + i) % limbo->size].map == index)
			return true;
	}
	return false;
}

/* SP_OK: empty, and nothing of it waits. SP_LOST: a lost unit holds up the domain's limbo. */
static enum sp_status close_step(struct sp_domain *domain, uint32_t index)
{
	struct map *map = &domain->maps[index];
	enum sp_status status;
	struct stale stale;
	bool empty;

	domain_take(domain);
	stale_begin(&stale, domain->gone, domain->gone_max);
	empty = tree_close(&map->tree, (uint32_t)min_u64(limbo_room(domain), domain->gone_max),
			   &stale);
	limbo_put(domain, index, &stale, domain->ledger);
	ledger_want(domain, domain->ledger);
	status = ledger_state(domain, domain->ledger);
	if (status == SP_OK && !(empty && !waits_in_limbo(domain, index)))
		status = SP_PENDING;
	domain_drop(domain);
	return status;
}

void unit_map_leave(struct sp_host *host, struct sp_domain *domain, uint32_t index)
{
	struct map *map = &domain->maps[index];
	enum sp_status status;

	if (!withdraw(domain, index))
		return;
	for (status = close_step(domain, index); status == SP_PENDING;
	     status = close_step(domain, index)) {
		wait_step(host);
	}
	domain_take(domain);
	if (status == SP_OK) {
		platform_frames_give(host->embedder, map->tree.root, 0);
		domain->tables_used--;
		*map = (struct map){ .filling = false };
	} else {
		/* It goes with the domain, and still `filling`, is nobody's choice until then. */
		domain->mapped |= 1u << index;
	}
	domain_drop(domain);
}

void unit_maps_leave(struct sp_host *host, struct sp_domain *domain)
{
	for (uint32_t i = 1; i <= MAX_UNITS; i++)
		unit_map_leave(host, domain, i);
}

enum sp_status unit_map_change(struct sp_domain *domain, struct span span, struct wish *wishes,
			       uint32_t count, struct sp_ticket *ticket)
{
	enum sp_status status = SP_OK;

	while (!span_is_empty(span) && status == SP_OK) {
		struct sp_result result;

		status = domain_change_maps(domain, span, wishes, count, &result);
		*ticket = result.ticket;
		if (status == SP_BUSY)
			status = sp_wait(domain->host, result.ticket);
		span.first += result.done;
		for (uint32_t i = 0; i < count; i++)
			wishes[i].target.mfn += result.done;
	}
	return status;
}
