/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/fence.c - a function that is not trusted to stop: its entries are blocked.
 *
 *   fence   bus master off | entries blocked, one store each | what they led to owes entry and domain
 *   ...     release moves the accounts to quarantine; the entries stay blocked
 *   lift    after a reset that was seen to work: entries to quarantine | every entry forgotten
 *
 * A blocked entry is present, over an empty table, with translation on (docs/design.md, section 3).
 * Who shares the id is blocked with it: the unit cannot tell them apart.
 */
#include "iommu/fence.h"

#include "memory.h"
#include "pci/config.h"
#include "pci/requester.h"

struct tickets {
	uint32_t count;
	struct sp_ticket ticket[FUNCTION_REQUESTERS];
};

bool fence_holds(const struct unit *unit, uint16_t id)
{
	const struct sp_host *host = unit->host;

	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *function = &host->functions[i];

		if (function->fenced && function->unit == unit && requester_has(function, id))
			return true;
	}
	return false;
}

/* Whose user the id is: an owner's, of any function that uses it, else quarantine's. */
static struct sp_domain *home_of(struct sp_host *host, const struct function *function, uint16_t id)
	MUST_HOLD(host->assign)
{
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *other = &host->functions[i];

		if (other->unit == function->unit && other->domain != other->quarantine &&
		    requester_has(other, id))
			return other->domain;
	}
	return function->quarantine;
}

/*
 * `every`: the unit may remember the id's entry as blocked, under a name that is no watch's (VT-d
 * 6.5.2.1 compares it); only forgetting every entry finds that.
 */
static struct sp_ticket owe(struct sp_domain *domain, const struct unit *unit, uint16_t id,
			    bool every)
{
	struct sp_ticket ticket = { domain, 0 };
	struct watch *watch;

	domain_take(domain);
	watch = attach_find_watch(domain, unit);
	ticket.number = ledger_enter_entry(domain, watch, id, every ? KIND_ASSIGN : KIND_RELEASE);
	watch->gathering.every_entry |= every;
	ledger_post(domain);
	domain_drop(domain);
	return ticket;
}

/* Each is waited for, also behind one that is lost; the first loss is told. */
static enum sp_status await_all(struct sp_host *host, const struct tickets *tickets)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < tickets->count; i++) {
		enum sp_status waited = sp_wait(host, tickets->ticket[i]);

		status = status == SP_OK ? waited : status;
	}
	return status;
}

static enum sp_status fence(struct sp_host *host, struct function *function) MUST_HOLD(host->assign)
{
	struct unit *unit = function->unit;
	struct tickets tickets = { .count = 0 };

	function_set_master(host, function, false);
	function->fenced = true;
	config_log(host, SP_LOG_WARNING, function->sbdf,
		   "is fenced: blocked, until its release has seen a reset work");
	for (uint32_t i = 0; i < function->requester_count; i++)
		unit->ops->fence(unit, function->requester[i]);
	full_barrier();
	for (uint32_t i = 0; i < function->requester_count; i++) {
		uint16_t id = function->requester[i];

		tickets.ticket[tickets.count++] = owe(home_of(host, function, id), unit, id, false);
	}
	return await_all(host, &tickets);
}

static void lead_home(struct sp_domain *domain, struct unit *unit, uint16_t id)
{
	const struct watch *watch;
	struct unit_entry entry;

	domain_take(domain);
	watch = attach_find_watch(domain, unit);
	entry = (struct unit_entry){ watch->map->tree.root, watch->map->tree.levels, watch->name,
				     false };
	domain_drop(domain);
	full_barrier();
	unit->ops->attach(unit, id, &entry);
	full_barrier();
}

enum sp_status fence_lift(struct sp_host *host, struct function *function)
{
	struct unit *unit = function->unit;
	struct tickets tickets = { .count = 0 };

	function->fenced = false;
	for (uint32_t i = 0; i < function->requester_count; i++) {
		uint16_t id = function->requester[i];
		struct sp_domain *home = home_of(host, function, id);

		if (fence_holds(unit, id))
			continue;
		lead_home(home, unit, id);
		tickets.ticket[tickets.count++] = owe(home, unit, id, true);
	}
	return await_all(host, &tickets);
}

enum sp_status sp_function_fence(struct sp_host *host, sp_sbdf_t sbdf)
{
	struct function *function = function_find(host, sbdf);
	enum sp_status status = SP_OK;

	if (!function || !function->unit)
		return SP_NOT_FOUND;
	if (function->header != 0)
		return SP_UNSUPPORTED;
	lock_take(&host->assign, host->embedder);
	if (!host->started)
		status = SP_INVALID;
	else if (!function->fenced)
		status = fence(host, function);
	lock_drop(&host->assign);
	return status;
}
