/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/start.c - all units, from discovery's end to shutdown.
 *
 *   resolve    which unit covers which function; firmware's ranges
 *   refuse     ranges that no device may reach
 *   quarantine every function has a complete table: its own ranges, nothing else
 *   entries    every requester id leads to its function's quarantine
 *   start      the units translate: no window was open before, and none is now
 */
#include "iommu/attach.h"
#include "iommu/domain.h"
#include "iommu/reserved.h"
#include "iommu/scope.h"
#include "lib/text.h"
#include "pci/config.h"

#define CLASS_IOMMU 0x0806u

static enum sp_status note_special(struct sp_host *host, const struct unit *unit)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0;
	     i < sizeof(unit->special) / sizeof(unit->special[0]) && status == SP_OK; i++) {
		struct span span = unit->special[i];

		if (!span_is_empty(span) &&
		    !host_treats_specially(host, span.first, span.end - span.first))
			status = host_add_special(host, span.first, span.end,
						  "addresses that a unit treats specially");
	}
	return status;
}

/* A unit's registers are no memory: whoever reached them could switch translation off. */
static enum sp_status forbid_ranges(struct sp_host *host)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < host->unit_count && status == SP_OK; i++) {
		const struct unit *unit = host->units[i];
		uint64_t end = unit->registers.maddr + unit->register_bytes + SP_FRAME_BYTES - 1;
		sp_mfn_t first = sp_mfn_from_maddr(unit->registers);

		status = sp_host_forbid(host, first, (end >> SP_FRAME_ORDER) - first.mfn,
					"registers of an IOMMU");
	}
	for (uint32_t i = 0; i < host->unit_count && status == SP_OK; i++)
		status = note_special(host, host->units[i]);
	if (status != SP_OK)
		host_log(host, SP_LOG_ERROR, "no room for ranges that are forbidden: forbid fewer");
	return status;
}

static enum sp_status refuse_range(const struct function *function,
				   const struct function_range *range, const struct sp_host *host,
				   const char *why)
{
	struct text text = { .length = 0 };

	text_hex(text_add(text_sbdf(&text, function->sbdf), ": reserved range at mfn "),
		 range->first_mfn);
	text_add(text_add(&text, " lies in "), why);
	host_log(host, SP_LOG_ERROR, text.line);
	return SP_RESERVED_RANGE;
}

/* A device's map never holds what the hypervisor forbids, whatever firmware asks for. */
static enum sp_status check_reserved(const struct sp_host *host, const struct function *function)
{
	for (uint32_t i = 0; i < function->reserved_count; i++) {
		const struct function_range *range = &function->reserved[i];
		const char *why = host_forbids(host, range->first_mfn, range->count);

		if (!why)
			why = host_treats_specially(host, range->first_mfn, range->count);
		if (why)
			return refuse_range(function, range, host, why);
	}
	return SP_OK;
}

/*
 * The unit itself is a function too on AMD, and its own requests are not translated. Bridges only
 * pass requests on.
 */
static void switch_off_uncovered(struct sp_host *host)
{
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *function = &host->functions[i];

		if (function->unit || function->header != 0 ||
		    function->class_code >> 8 == CLASS_IOMMU)
			continue;
		if (!(config_read16(host, function->sbdf, CONFIG_COMMAND) & COMMAND_MASTER))
			continue;
		function_set_master(host, function, false);
		config_log(host, SP_LOG_WARNING, function->sbdf,
			   "no unit covers it; its bus mastering is off");
	}
}

/* Each takes the lowest number it hears of, until nobody hears a lower one. */
static void find_groups(struct sp_host *host)
{
	bool changed = true;

	for (uint32_t i = 0; i < host->function_count; i++)
		host->functions[i].group = i;
	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < host->function_count; i++) {
			for (uint32_t j = 0; j < host->function_count; j++) {
				struct function *a = &host->functions[i], *b = &host->functions[j];

				if (a->group <= b->group || !attach_is_shared(a, b))
					continue;
				a->group = b->group;
				changed = true;
			}
		}
	}
}

static enum sp_status open_quarantine(struct sp_host *host, const struct unit *unit,
				      struct sp_domain **quarantine) MUST_HOLD(host->assign)
{
	enum sp_status status = domain_open(host, true, quarantine);

	return status == SP_OK ? unit_map_first(host, *quarantine, unit) : status;
}

/* The first of a group has the lowest number: it comes first. */
static enum sp_status give_quarantine(struct sp_host *host, struct function *function)
	MUST_HOLD(host->assign)
{
	struct function *first = &host->functions[function->group];

	if (!function->unit)
		return SP_OK;
	if (first != function) {
		function->quarantine = first->quarantine;
		return SP_OK;
	}
	return open_quarantine(host, function->unit, &function->quarantine);
}

static enum sp_status fill_quarantine(struct sp_host *host, const struct function *function)
	MUST_HOLD(host->assign)
{
	enum sp_status status = SP_OK;
	struct sp_ticket ticket;

	if (!function->unit)
		return SP_OK;
	for (uint32_t i = 0; i < function->reserved_count && status == SP_OK; i++) {
		const struct function_range *range = &function->reserved[i];
		struct span span = { range->first_mfn, range->first_mfn + range->count };

		status = reserved_update(host, function->quarantine, span, 0, NULL, &ticket);
	}
	return status;
}

static enum sp_status enter_quarantine(struct sp_host *host, struct function *function)
	MUST_HOLD(host->assign)
{
	enum sp_status status;

	if (!function->unit)
		return SP_OK;
	status = attach_prepare(host, function, function->quarantine, 0);
	if (status == SP_OK)
		attach_first(host, function);
	return status;
}

static enum sp_status log_function(const struct sp_host *host, const struct function *function,
				   enum sp_status status)
{
	struct text text = { .length = 0 };

	if (status == SP_OK)
		return SP_OK;
	text_add(text_sbdf(&text, function->sbdf), ": no quarantine can be made for it: ");
	host_log(host, SP_LOG_ERROR, text_add(&text, sp_status_text(status))->line);
	return status;
}

/* Every member of a group has its quarantine before any of them is filled. */
static enum sp_status quarantine_all(struct sp_host *host) MUST_HOLD(host->assign)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < host->function_count && status == SP_OK; i++)
		status = log_function(host, &host->functions[i],
				      give_quarantine(host, &host->functions[i]));
	for (uint32_t i = 0; i < host->function_count && status == SP_OK; i++) {
		struct function *function = &host->functions[i];

		status = log_function(host, function, fill_quarantine(host, function));
		if (status == SP_OK)
			status = log_function(host, function, enter_quarantine(host, function));
	}
	return status;
}

/* Progress and faults look at it, from any CPU. */
static void set_started(struct unit *unit, bool started)
{
	lock_take(&unit->queue, unit->host->embedder);
	unit->started = started;
	lock_drop(&unit->queue);
}

static enum sp_status start_units(struct sp_host *host)
{
	for (uint32_t i = 0; i < host->unit_count; i++) {
		struct unit *unit = host->units[i];
		enum sp_status status = unit->ops->start(unit);
		struct text text = { .length = 0 };

		set_started(unit, status == SP_OK);
		text_hex(text_add(&text, "unit at "), unit->registers.maddr);
		if (status == SP_OK) {
			host_log(host, SP_LOG_INFO, text_add(&text, " translates")->line);
			continue;
		}
		text_add(text_add(&text, " did not start: "), sp_status_text(status));
		host_log(host, SP_LOG_ERROR, text.line);
		return status;
	}
	return SP_OK;
}

/* Once: a second time, functions would have their ranges twice. */
static enum sp_status resolve(struct sp_host *host)
{
	if (host->unit_count == 0) {
		host_log(host, SP_LOG_ERROR,
			 "no IOMMU was found: no device can be given to a guest");
		return SP_NOT_FOUND;
	}
	if (host->resolved)
		return SP_INVALID;
	host->resolved = true;
	return scope_resolve(host);
}

enum sp_status sp_iommu_survey(struct sp_host *host)
{
	return resolve(host);
}

static enum sp_status start(struct sp_host *host) MUST_HOLD(host->assign)
{
	enum sp_status status = resolve(host);

	if (status == SP_OK)
		status = forbid_ranges(host);
	for (uint32_t i = 0; i < host->function_count && status == SP_OK; i++)
		status = check_reserved(host, &host->functions[i]);
	if (status != SP_OK)
		return status;
	switch_off_uncovered(host);
	find_groups(host);
	status = quarantine_all(host);
	if (status == SP_OK)
		status = start_units(host);
	host->started = status == SP_OK;
	return status;
}

enum sp_status sp_iommu_start(struct sp_host *host)
{
	enum sp_status status;

	lock_take(&host->assign, host->embedder);
	status = start(host);
	lock_drop(&host->assign);
	return status;
}

void sp_iommu_stop(struct sp_host *host)
{
	lock_take(&host->assign, host->embedder);
	sp_crash_stop(host);
	for (uint32_t i = 0; i < host->unit_count; i++) {
		struct unit *unit = host->units[i];

		bool was_started = unit->started;

		set_started(unit, false);
		if (was_started)
			unit->ops->stop(unit);
	}
	host->started = false;
	lock_drop(&host->assign);
}

void sp_crash_stop(struct sp_host *host)
{
	for (uint32_t i = 0; i < host->function_count; i++)
		function_set_master(host, &host->functions[i], false);
}

void sp_iommu_prefer_scalable(struct sp_host *host, bool prefer)
{
	host->prefer_scalable = prefer;
}
