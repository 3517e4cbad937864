/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/attach.c - where a function's requests lead.
 *
 *   new domain: the unit watches its map    from now on each change there is told to the unit
 *   full barrier
 *   entries replaced, one store each        requests take the new way
 *   full barrier
 *   old domain: owes the entries, and all   posted, then waited for with no domain's lock held
 *   that was translated under its name
 *   old watch: no user left? it ends        and its name may be taken anew: all have forgotten it
 */
#include "iommu/attach.h"

#include "iommu/fence.h"
#include "iommu/names.h"
#include "memory.h"
#include "pci/ats.h"
#include "pci/requester.h"

struct ids {
	uint32_t count;
	uint16_t id[FUNCTION_REQUESTERS];
};

bool attach_is_shared(const struct function *a, const struct function *b)
{
	return a->unit == b->unit && requester_is_shared(a, b);
}

/*
 * Another function uses the id too, and is with an owner: the id stays where that owner needs it. At
 * bring-up those that come later are with nobody yet.
 */
static bool is_kept(const struct sp_host *host, const struct function *function, uint16_t id)
{
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *other = &host->functions[i];

		if (other != function && other->domain && other->domain != other->quarantine &&
		    attach_is_shared(function, other) && requester_has(other, id))
			return true;
	}
	return false;
}

static struct ids moving_ids(const struct sp_host *host, const struct function *function)
{
	struct ids ids = { .count = 0 };

	for (uint32_t i = 0; i < function->requester_count; i++) {
		if (!is_kept(host, function, function->requester[i]))
			ids.id[ids.count++] = function->requester[i];
	}
	return ids;
}

struct watch *attach_find_watch(struct sp_domain *domain, const struct unit *unit)
{
	struct watch *idle = NULL;

	/* Two where one took over from the other, and the unit was lost before it forgot (renew.c). */
	for (uint32_t i = CPU_WATCH + 1; i <= MAX_UNITS; i++) {
		if (domain->watches[i].observer != &unit->observer)
			continue;
		if (domain->watches[i].users)
			return &domain->watches[i];
		idle = &domain->watches[i];
	}
	return idle;
}

static enum sp_status begin_watch(struct sp_domain *domain, struct unit *unit, uint32_t map)
{
	enum sp_status status;
	struct watch *watch;
	uint16_t name;

	domain_take(domain);
	watch = attach_find_watch(domain, unit);
	domain_drop(domain);
	if (watch)
		return SP_OK;
	status = name_take(unit, &name);
	if (status != SP_OK)
		return status;
	domain_take(domain);
	watch = ledger_add_watch(domain, &unit->observer, &domain->maps[map], name);
	domain_drop(domain);
	if (watch)
		return SP_OK;
	name_give(unit, name);
	return SP_NO_SPACE;
}

enum sp_status attach_prepare(struct sp_host *host, const struct function *function,
			      struct sp_domain *domain, uint32_t map)
{
	struct ids ids = moving_ids(host, function);
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < ids.count && status == SP_OK; i++)
		status = function->unit->ops->prepare_entry(function->unit, ids.id[i]);
	return status == SP_OK ? begin_watch(domain, function->unit, map) : status;
}

static struct unit_entry entry_of(const struct watch *watch, bool ats)
{
	return (struct unit_entry){ watch->map->tree.root, watch->map->tree.levels, watch->name,
				    ats };
}

/* The new domain's side. The entries show it only when the watch is in its list. */
static void lead_to(struct unit *unit, const struct ids *ids, struct sp_domain *domain)
{
	struct unit_entry entry;
	struct watch *watch;

	domain_take(domain);
	watch = attach_find_watch(domain, unit);
	watch->users = (uint16_t)(watch->users + ids->count);
	entry = entry_of(watch, false);
	domain_drop(domain);
	full_barrier();
	for (uint32_t i = 0; i < ids->count; i++) {
		if (!fence_holds(unit, ids->id[i]))
			unit->ops->attach(unit, ids->id[i], &entry);
	}
	full_barrier();
}

/* The old domain's side: what it owes is known once the entries are stored. */
static struct sp_ticket owe(struct unit *unit, const struct ids *ids, struct sp_domain *domain,
			    enum change_kind kind)
{
	struct sp_ticket ticket = { domain, 0 };
	struct watch *watch;

	domain_take(domain);
	watch = attach_find_watch(domain, unit);
	for (uint32_t i = 0; i < ids->count; i++) {
		ticket.number = ledger_enter_entry(domain, watch, ids->id[i], kind);
		ledger_remove_atc(domain, watch, ids->id[i]);
	}
	watch->users = (uint16_t)(watch->users - ids->count);
	ledger_post(domain);
	domain_drop(domain);
	return ticket;
}

/*
 * No entry leads to the watch's map, and all that was cached under its name is gone: what other
 * changes of the domain have entered since is owed by nobody. Only a lost unit may still remember
 * something.
 */
void attach_end_watch(struct sp_host *host, struct sp_domain *domain, struct unit *unit)
{
	struct watch *watch;
	uint16_t name = 0;

	(void)host;
	if (domain->quarantine || observer_is_lost(&unit->observer) ||
	    MUTANT(domain->host, SP_MUT_WATCH_KEPT))
		return;
	domain_take(domain);
	watch = attach_find_watch(domain, unit);
	if (watch && watch->users == 0) {
		name = watch->name;
		watch->gathering.owed = false;
		watch->posted.owed = false;
		ledger_remove_watch(domain, watch);
	}
	domain_drop(domain);
	if (name)
		name_give(unit, name);
}

void attach_first(struct sp_host *host, struct function *function)
{
	struct ids ids = { .count = 0 };

	/*
	 * An id that several functions use leads to the quarantine that they share; once is enough.
	 */
	for (uint32_t i = 0; i < function->requester_count; i++) {
		bool is_done = false;

		for (const struct function *other = host->functions; other < function; other++)
			is_done |= other->quarantine == function->quarantine &&
				   attach_is_shared(function, other) &&
				   requester_has(other, function->requester[i]);
		if (!is_done)
			ids.id[ids.count++] = function->requester[i];
	}
	lead_to(function->unit, &ids, function->quarantine);
	function->domain = function->quarantine;
}

static bool unit_owes_up_to(struct sp_domain *domain, const struct unit *unit, uint64_t number)
{
	const struct watch *watch;
	bool owes;

	domain_take(domain);
	ledger_collect(domain);
	watch = attach_find_watch(domain, unit);
	owes = ledger_owes_up_to(domain, watch, number);
	domain_drop(domain);
	return owes;
}

/* The ticket speaks for all units of the domain; that another is lost says nothing of this one. */
static void await_unit(struct sp_host *host, const struct unit *unit, struct sp_ticket ticket)
{
	while (!observer_is_lost(&unit->observer) &&
	       unit_owes_up_to(ticket.domain, unit, ticket.number)) {
		wait_step(host);
	}
}

enum sp_status attach_move(struct sp_host *host, struct function *function,
			   struct sp_domain *domain, enum change_kind kind)
{
	struct ids ids = moving_ids(host, function);
	struct sp_domain *old = function->domain;
	enum sp_status status = SP_OK;

	if (ids.count) {
		struct sp_ticket ticket;

		lead_to(function->unit, &ids, domain);
		ticket = owe(function->unit, &ids, old, kind);
		if (!MUTANT(host, SP_MUT_MOVE_NOT_AWAITED))
			status = sp_wait(host, ticket);
		if (status == SP_LOST)
			await_unit(host, function->unit, ticket);
	}
	function->domain = domain;
	if (status == SP_OK)
		attach_end_watch(host, old, function->unit);
	if (status == SP_OK || !observer_is_lost(&function->unit->observer))
		attach_end_ats(host, function, old);
	return status;
}

/*
 * Nobody will tell it anything any more, and only then is it off: a function whose ATS is off need not
 * answer an invalidation, and its unit's queue would stand still.
 */
void attach_end_ats(struct sp_host *host, struct function *function, struct sp_domain *old)
{
	struct watch *watch;

	if (!function->ats)
		return;
	domain_take(old);
	watch = attach_find_watch(old, function->unit);
	if (watch)
		ledger_forgive_atc(old, watch, function->requester[0]);
	domain_drop(old);
	unit_remove_atc(function->unit, function->requester[0]);
	ats_set(host, function, false);
	function->ats = false;
}

/* The function's own entry again, with or without ATS; and what the old one owes. */
static struct sp_ticket change_own_entry(const struct function *function, bool ats)
{
	struct ids id = { .count = 1, .id = { function->requester[0] } };
	struct sp_domain *domain = function->domain;
	struct unit *unit = function->unit;
	struct sp_ticket ticket = { domain, 0 };
	struct unit_entry entry;
	struct watch *watch;

	domain_take(domain);
	watch = attach_find_watch(domain, unit);
	entry = entry_of(watch, ats);
	domain_drop(domain);
	full_barrier();
	unit->ops->attach(unit, id.id[0], &entry);
	full_barrier();
	domain_take(domain);
	ticket.number = ledger_enter_entry(domain, watch, id.id[0], KIND_ASSIGN);
	if (!ats)
		ledger_remove_atc(domain, watch, id.id[0]);
	ledger_post(domain);
	domain_drop(domain);
	return ticket;
}

/* The watch has it in its list, and the unit too, before any way is opened to its cache. */
static enum sp_status enlist_atc(struct sp_host *host, struct function *function)
{
	struct atc atc = { function->requester[0], (uint8_t)ats_depth(host, function) };
	struct sp_domain *domain = function->domain;
	enum sp_status status = unit_add_atc(function->unit, atc);

	if (status != SP_OK)
		return status;
	domain_take(domain);
	status = ledger_add_atc(domain, attach_find_watch(domain, function->unit), atc);
	domain_drop(domain);
	if (status != SP_OK)
		unit_remove_atc(function->unit, atc.requester);
	return status;
}

/*
 * On: the function, which answers from now on and gets no translation yet; the lists; and last its
 * entry, the only step that opens a way. Off: the reverse.
 */
enum sp_status attach_set_ats(struct sp_host *host, struct function *function, bool on)
{
	enum sp_status status = SP_OK;

	if (on) {
		ats_set(host, function, true);
		status = enlist_atc(host, function);
		function->ats = status == SP_OK;
		if (status != SP_OK)
			ats_set(host, function, false);
	}
	if (status == SP_OK)
		status = sp_wait(host, change_own_entry(function, on));
	if (status == SP_OK && !on)
		attach_end_ats(host, function, function->domain);
	return status;
}
