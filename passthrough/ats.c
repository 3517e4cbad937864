/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/ats.c - whether a function may keep translations in a cache of its own.
 *
 *   assigned, off ---asked for---> on ---asked for, or any move---> off
 */
#include <sallyport/passthrough.h>

#include "iommu/attach.h"
#include "lib/text.h"
#include "pci/ats.h"

static enum sp_status refuse(const struct sp_host *host, const struct function *function,
			     enum sp_status status, const char *why)
{
	struct text text = { .length = 0 };

	text_add(text_add(text_sbdf(&text, function->sbdf), ": ATS stays as it is: "), why);
	host_log(host, SP_LOG_WARNING, text.line);
	return status;
}

static bool is_alone(const struct sp_host *host, const struct function *function)
{
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *other = &host->functions[i];

		if (other != function && other->group == function->group)
			return false;
	}
	return function->requester_count == 1;
}

/* What the function and its unit can do. */
static enum sp_status check_hardware(const struct sp_host *host, const struct function *function)
{
	if (!function->unit->device_caches)
		return refuse(host, function, SP_UNSUPPORTED, "its unit knows no device caches");
	if (!ats_find(host, function))
		return refuse(host, function, SP_UNSUPPORTED, "it has no such capability");
	/* A unit's command names one requester; what others with its id keep, it could not name. */
	if (!is_alone(host, function))
		return refuse(host, function, SP_UNSUPPORTED,
			      "its requests carry several ids, or shared ones");
	return SP_OK;
}

static enum sp_status check(struct sp_host *host, const struct function *function)
	MUST_HOLD(host->assign)
{
	if (!function->unit)
		return SP_NOT_FOUND;
	if (!host->started)
		return SP_INVALID;
	if (function->domain == function->quarantine)
		return refuse(host, function, SP_INVALID, "it is in quarantine; assign it first");
	if (observer_is_lost(&function->unit->observer))
		return refuse(host, function, SP_LOST, "its unit does not answer");
	if (function->fenced)
		return refuse(host, function, SP_BUSY, "it is fenced; release it");
	if (function_is_master(host, function))
		return refuse(host, function, SP_BUSY,
			      "its bus mastering is on; switch that off first");
	return check_hardware(host, function);
}

static enum sp_status set_ats(struct sp_host *host, struct function *function, bool on)
	MUST_HOLD(host->assign)
{
	enum sp_status status;

	if (function->unit && function->ats == on)
		return SP_OK;
	status = check(host, function);
	return status == SP_OK ? attach_set_ats(host, function, on) : status;
}

enum sp_status sp_device_set_ats(struct sp_host *host, sp_sbdf_t sbdf, bool on)
{
	struct function *function = function_find(host, sbdf);
	enum sp_status status;

	if (!function)
		return SP_NOT_FOUND;
	lock_take(&host->assign, host->embedder);
	status = set_ats(host, function, on);
	lock_drop(&host->assign);
	return status;
}
