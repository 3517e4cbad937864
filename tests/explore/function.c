/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/function.c - a function that goes from one domain to the other, by iommu/attach.c.
 *
 * Where its entry leads is the explorer's own word: the drivers' entries of 16 and 32 bytes are tested on the
 * model. What is owed for it, to whom, and when its name is free again is the core's.
 */
#include "iommu/attach.h"
#include "unit_driver.h"

static enum sp_status prepare_entry(struct unit *unit, uint16_t requester)
{
	(void)unit;
	(void)requester;
	return SP_OK;
}

static void attach(struct unit *unit, uint16_t requester, const struct unit_entry *entry)
{
	(void)requester;
	unit_lead(unit->index, entry->root.mfn, entry->name);
}

bool function_make(struct sp_host *host, struct observer *observer, struct sp_domain *first)
{
	static struct iommu_ops ops;
	struct unit *unit = (struct unit *)observer;
	struct function *function = host_alloc(host, sizeof(*function));

	if (!function)
		return false;
	ops = *unit->ops;
	ops.prepare_entry = prepare_entry;
	ops.attach = attach;
	unit->ops = &ops;
	function->unit = unit;
	function->requester[0] = 16;
	function->requester_count = 1;
	function->quarantine = first;
	host->functions = function;
	host->function_count = 1;
	if (attach_prepare(host, function, first, 0) != SP_OK)
		return false;
	attach_first(host, function);
	return true;
}

enum sp_status function_move(struct sp_host *host, struct sp_domain *domain)
{
	struct function *function = host->functions;
	enum sp_status status = attach_prepare(host, function, domain, 0);

	if (status != SP_OK)
		return status;
	return attach_move(host, function, domain,
			   domain->number == 1 ? KIND_HAND_OVER : KIND_RELEASE);
}
