/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/assign.c - giving a device to a guest and taking it back.
 *
 *   check      refuses; nothing has changed
 *   map        a map of the unit's own enters the list, and is filled
 *   ranges     the function's own are mapped
 *   entry      requests reach the guest: the last step, and the only one that opens a way
 *
 * One assignment at a time: host->assign is held from check to end, across waits too. A wait serves
 * sp_progress(), which takes no such lock, and platform_relax() serves the mailbox of whoever waits
 * for host->assign; so no two wait for each other. What fails on the way ends in quarantine
 * (XSA-302, XSA-449).
 */
#include <sallyport/passthrough.h>

#include "iommu/attach.h"
#include "iommu/domain.h"
#include "iommu/fence.h"
#include "lib/text.h"
#include "memory.h"
#include "passthrough/bar.h"
#include "passthrough/fill.h"
#include "passthrough/group.h"
#include "passthrough/msi.h"
#include "passthrough/reserved.h"
#include "pci/config.h"

struct assign_plan {
	struct function *function;
	struct map_choice map;
};

static enum sp_status refuse(const struct sp_host *host, const struct function *function,
			     enum sp_status status, const char *why)
{
	struct text text = { .length = 0 };

	text_add(text_add(text_sbdf(&text, function->sbdf), ": not assigned: "), why);
	host_log(host, SP_LOG_WARNING, text.line);
	return status;
}

/* Whoever drives it can take its virtual functions from their owners, and read what they send. */
static enum sp_status check_physical(const struct sp_host *host, const struct sp_domain *domain,
				     const struct function *function)
{
	if (function->vf_count == 0 || domain->allow_physical ||
	    MUTANT(host, SP_MUT_PHYSICAL_UNCHECKED))
		return SP_OK;
	return refuse(host, function, SP_BUSY,
		      "its virtual functions are on, and it controls them: assign these");
}

static enum sp_status check_function(const struct sp_host *host, const struct function *function)
{
	if (function->header != 0)
		return refuse(host, function, SP_UNSUPPORTED,
			      "it is a bridge; assign what is behind it");
	if (!function->unit)
		return refuse(host, function, SP_NOT_FOUND, "no IOMMU covers it");
	if (observer_is_lost(&function->unit->observer))
		return refuse(host, function, SP_LOST, "its IOMMU does not answer");
	return SP_OK;
}

/* What its last owner may still reach of it; not when that domain was destroyed. */
static bool is_leaving(const struct function *function)
{
	struct sp_domain *domain = function->leaving;
	bool is_there;

	if (!domain)
		return false;
	/* Its slot may be somebody else's by now, who comes or goes at this moment. */
	domain_take(domain);
	is_there = domain->state != DOMAIN_FREE && domain->life == function->leaving_life;
	domain_drop(domain);
	return is_there;
}

static enum sp_status check_fence(const struct sp_host *host, const struct function *function)
	MUST_HOLD(host->assign)
{
	if (is_leaving(function))
		return refuse(host, function, SP_BUSY,
			      "its release was not finished: release it again");
	for (uint32_t i = 0; i < function->requester_count; i++) {
		if (fence_holds(function->unit, function->requester[i]))
			return refuse(host, function, SP_BUSY,
				      "it is fenced, or shares a requester id with a function "
				      "that is: a release must see a reset work first");
	}
	return SP_OK;
}

static enum sp_status check_owner(const struct sp_host *host, const struct sp_domain *domain,
				  const struct function *function, const struct sp_domain *leaving)
	MUST_HOLD(host->assign)
{
	const struct function *stranger = group_find_stranger(host, function, domain);
	struct text text = { .length = 0 };

	if (function->domain != function->quarantine && function->domain != leaving)
		return refuse(host, function, SP_BUSY, "it has an owner: release it first");
	if (!stranger)
		return SP_OK;
	text_add(text_sbdf(text_add(&text, "it shares a requester id with "), stranger->sbdf),
		 ", which has another owner: release that first");
	return refuse(host, function, SP_SHARED_REQUESTER, text.line);
}

static bool has_memory_at_special(struct sp_domain *domain)
{
	const struct sp_host *host = domain->host;

	for (uint32_t i = 0; i < host->special_count; i++) {
		struct span span = { host->special[i].first, host->special[i].end };

		if (fill_finds_memory(domain, span))
			return true;
	}
	return false;
}

static enum sp_status check_memory(struct sp_host *host, struct sp_domain *domain,
				   struct assign_plan *plan) MUST_HOLD(host->assign)
{
	const struct function *function = plan->function;
	enum sp_status status = unit_map_choose(host, domain, function->unit, &plan->map);

	if (status != SP_OK)
		return refuse(host, function, status, "its IOMMU can hold no map of the domain");
	if (fill_finds_memory(domain, (struct span){ plan->map.frames, UINT64_MAX }))
		return refuse(host, function, SP_RANGE,
			      "memory of the domain lies beyond what its IOMMU can address");
	if (has_memory_at_special(domain) && !MUTANT(host, SP_MUT_SPECIAL_UNCHECKED))
		return refuse(host, function, SP_RESERVED_RANGE,
			      "memory of the domain lies where IOMMUs treat addresses specially");
	return SP_OK;
}

/* Without remapping a device writes any message it likes, to any CPU (XSA-3). */
static enum sp_status check_messages(struct sp_host *host, const struct sp_domain *domain,
				     const struct function *function)
{
	if (function->unit->interrupt_remapping || domain->allow_unremapped)
		return SP_OK;
	config_log(host, SP_LOG_WARNING, function->sbdf,
		   "its unit cannot remap interrupts, so it could send any; allow_unremapped says "
		   "that this is accepted");
	return SP_UNSUPPORTED;
}

/* `leaving`: the owner it is handed over from, or NULL. */
static enum sp_status check_assign(struct sp_host *host, struct sp_domain *domain, sp_sbdf_t sbdf,
				   const struct sp_domain *leaving, struct assign_plan *plan)
	MUST_HOLD(host->assign)
{
	enum sp_status status;

	if (!host->started || domain->quarantine || domain->state != DOMAIN_LIVE)
		return SP_INVALID;
	plan->function = function_find(host, sbdf);
	if (!plan->function)
		return SP_NOT_FOUND;
	status = check_function(host, plan->function);
	if (status == SP_OK)
		status = check_physical(host, domain, plan->function);
	if (status == SP_OK)
		status = check_fence(host, plan->function);
	if (status == SP_OK)
		status = check_messages(host, domain, plan->function);
	if (status == SP_OK)
		status = check_owner(host, domain, plan->function, leaving);
	if (status == SP_OK)
		status = check_memory(host, domain, plan);
	if (status == SP_OK)
		status = reserved_check(host, domain, plan->function, leaving);
	return status;
}

static enum sp_status open_map(struct sp_host *host, struct sp_domain *domain,
			       const struct assign_plan *plan) MUST_HOLD(host->assign)
{
	const struct map_choice *map = &plan->map;
	enum sp_status status;

	if (!map->is_new)
		return SP_OK;
	status = unit_map_open(host, domain, plan->function->unit, map);
	if (status == SP_OK)
		status = fill_map(domain, map->index, map->frames);
	if (status == SP_OK)
		status = reserved_refresh(host, domain);
	if (status == SP_OK)
		unit_map_filled(host, domain, map->index);
	return status;
}

/* What no function of the domain uses any more; the way to it is closed, or was never open. */
static enum sp_status leave(struct sp_host *host, struct sp_domain *domain,
			    const struct function *function) MUST_HOLD(host->assign)
{
	enum sp_status status = reserved_leave(host, domain, function);

	attach_end_watch(host, domain, function->unit);
	unit_maps_leave(host, domain);
	return status;
}

/* Until it has left the domain altogether; what a domain that is gone had of it went with that. */
static void begin_leaving(struct function *function, struct sp_domain *domain)
{
	function->leaving = domain;
	function->leaving_life = domain->life;
}

/*
 * The first moment in which the function reaches the guest is the entry's store in attach_move().
 */
static enum sp_status open_way(struct sp_host *host, struct sp_domain *domain,
			       struct function *function) MUST_HOLD(host->assign)
{
	enum sp_status status, back;

	function_set_master(host, function, false);
	group_silence(host, function);
	status = attach_move(host, function, domain, KIND_ASSIGN);
	if (status == SP_OK)
		return SP_OK;
	/* The unit is lost: the way is closed again, and what it may remember stays owed. */
	back = attach_move(host, function, function->quarantine, KIND_RELEASE);
	return back == SP_OK ? status : back;
}

static enum sp_status do_assign(struct sp_host *host, struct sp_domain *domain,
				const struct assign_plan *plan) MUST_HOLD(host->assign)
{
	struct function *function = plan->function;
	enum sp_status status = open_map(host, domain, plan);

	for (uint32_t i = 0; i < SP_BARS; i++)
		function->bar_mapped[i] = false;
	if (status == SP_OK)
		status = reserved_enter(host, domain, function);
	if (status == SP_OK)
		status = attach_prepare(host, function, domain, plan->map.index);
	if (status == SP_OK)
		status = open_way(host, domain, function);
	if (status == SP_OK)
		return SP_OK;
	if (leave(host, domain, function) != SP_OK) {
		begin_leaving(function, domain);
		config_log(host, SP_LOG_ERROR, function->sbdf,
			   "its reserved ranges stay in the domain that was to get it: release it");
	}
	return refuse(host, function, status, sp_status_text(status));
}

static enum sp_status assign(struct sp_host *host, struct sp_domain *domain, sp_sbdf_t sbdf)
	MUST_HOLD(host->assign)
{
	struct assign_plan plan;
	enum sp_status status = check_assign(host, domain, sbdf, NULL, &plan);

	return status == SP_OK ? do_assign(host, domain, &plan) : status;
}

static enum sp_status reset(struct sp_host *host, struct function *function, struct sp_domain *old)
	MUST_HOLD(host->assign)
{
	enum sp_status status = function_reset(host, function);

	/* 10.5.1.3: a reset empties the function's own cache, whether its unit could be asked or not. */
	if (status == SP_OK)
		attach_end_ats(host, function, old);
	if (status != SP_UNSUPPORTED)
		return status;
	config_log(host, SP_LOG_INFO, function->sbdf,
		   function->fenced ? "knows no function level reset; it stays fenced"
				    : "knows no function level reset; it keeps its state, in "
				      "quarantine");
	return function->fenced ? SP_UNSUPPORTED : SP_OK;
}

/* The first thing that went wrong; a fence falls only where nothing did. */
static enum sp_status finish_release(struct sp_host *host, struct sp_domain *domain,
				     struct function *function, enum sp_status status)
	MUST_HOLD(host->assign)
{
	enum sp_status was_reset = reset(host, function, domain);

	status = status == SP_OK ? was_reset : status;
	if (status == SP_OK && function->fenced)
		status = fence_lift(host, function);
	if (status == SP_OK)
		function->leaving = NULL;
	return status;
}

/*
 * Goes on after a loss: what can be closed is closed. What then remains of it in the domain goes
 * when this is called again.
 */
static enum sp_status release(struct sp_host *host, struct sp_domain *domain,
			      struct function *function, enum change_kind kind)
	MUST_HOLD(host->assign)
{
	enum sp_status status, left = SP_OK;

	function_set_master(host, function, false);
	status = bar_unmap_all(host, domain, function);
	if (status != SP_OK && status != SP_LOST)
		return status;
	left = msi_clear_all(host, function);
	status = status == SP_OK ? left : status;
	begin_leaving(function, domain);
	if (function->domain == domain)
		left = attach_move(host, function, function->quarantine, kind);
	status = status == SP_OK ? left : status;
	left = leave(host, domain, function);
	status = status == SP_OK ? left : status;
	return finish_release(host, domain, function, status);
}

/* Its reset would take them from under their owners. */
static bool has_owned_vfs(const struct sp_host *host, const struct function *function)
	MUST_HOLD(host->assign)
{
	for (uint32_t i = 0; i < function->vf_count; i++) {
		const struct function *vf = &host->functions[function->first_vf + i];

		if (vf->domain != vf->quarantine)
			return true;
	}
	return false;
}

static enum sp_status try_release(struct sp_host *host, struct sp_domain *domain,
				  struct function *function) MUST_HOLD(host->assign)
{
	bool is_left = is_leaving(function) && function->leaving == domain;

	if (!host->started || domain->quarantine)
		return SP_INVALID;
	if (has_owned_vfs(host, function)) {
		config_log(
			host, SP_LOG_WARNING, function->sbdf,
			"not released: virtual functions of it have owners: release these first");
		return SP_BUSY;
	}
	if (function->domain == domain || is_left)
		return release(host, domain, function, KIND_RELEASE);
	if (function->fenced && function->domain == function->quarantine && !is_leaving(function))
		return finish_release(host, domain, function, SP_OK);
	return SP_INVALID;
}

enum sp_status sp_device_assign(struct sp_domain *domain, sp_sbdf_t sbdf)
{
	struct sp_host *host = domain->host;
	enum sp_status status;

	lock_take(&host->assign, host->embedder);
	status = assign(host, domain, sbdf);
	lock_drop(&host->assign);
	return status;
}

enum sp_status sp_device_release(struct sp_domain *domain, sp_sbdf_t sbdf)
{
	struct sp_host *host = domain->host;
	struct function *function = function_find(host, sbdf);
	enum sp_status status;

	if (!function)
		return SP_NOT_FOUND;
	lock_take(&host->assign, host->embedder);
	status = try_release(host, domain, function);
	lock_drop(&host->assign);
	return status;
}

static enum sp_status hand_over(struct sp_host *host, struct sp_domain *from, struct sp_domain *to,
				sp_sbdf_t sbdf) MUST_HOLD(host->assign)
{
	struct assign_plan plan;
	enum sp_status status = check_assign(host, to, sbdf, from, &plan);

	if (status == SP_OK && (from == to || from->quarantine || plan.function->domain != from))
		status = SP_INVALID;
	if (status == SP_OK && has_owned_vfs(host, plan.function))
		status = SP_BUSY;
	if (status == SP_OK)
		status = release(host, from, plan.function, KIND_HAND_OVER);
	return status == SP_OK ? assign(host, to, sbdf) : status;
}

enum sp_status sp_device_hand_over(struct sp_domain *from, struct sp_domain *to, sp_sbdf_t sbdf)
{
	struct sp_host *host = from->host;
	enum sp_status status;

	if (to->host != host)
		return SP_INVALID;
	lock_take(&host->assign, host->embedder);
	status = hand_over(host, from, to, sbdf);
	lock_drop(&host->assign);
	return status;
}

static enum sp_status check_master(const struct sp_host *host, const struct function *function)
	MUST_HOLD(host->assign)
{
	if (!host->started)
		return SP_OK;
	if (function->fenced)
		return refuse(host, function, SP_INVALID,
			      "it is fenced, so its bus mastering stays off");
	if (!function->unit && function->header == 0)
		return refuse(host, function, SP_UNSUPPORTED,
			      "no IOMMU covers it, so its bus mastering stays off");
	if (function->domain == function->quarantine && function->header == 0 &&
	    group_find_owned(host, function))
		return refuse(host, function, SP_SHARED_REQUESTER,
			      "its requests would reach the owner of a function that shares its "
			      "requester id");
	return SP_OK;
}

static enum sp_status set_master(struct sp_host *host, const struct function *function, bool on)
	MUST_HOLD(host->assign)
{
	enum sp_status status = on ? check_master(host, function) : SP_OK;

	if (status != SP_OK)
		return status;
	function_set_master(host, function, on);
	/* Who finds the unit lost says so and then writes; here it is written and then asked. */
	full_barrier();
	if (!on || !function->unit || !observer_is_lost(&function->unit->observer))
		return SP_OK;
	function_set_master(host, function, false);
	return SP_LOST;
}

enum sp_status sp_device_set_master(struct sp_host *host, sp_sbdf_t sbdf, bool on)
{
	const struct function *function = function_find(host, sbdf);
	enum sp_status status;

	if (!function)
		return SP_NOT_FOUND;
	lock_take(&host->assign, host->embedder);
	status = set_master(host, function, on);
	lock_drop(&host->assign);
	return status;
}
