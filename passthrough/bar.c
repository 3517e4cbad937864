/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/bar.c - a function's registers in the memory of its owner.
 *
 *   BAR A  |####|####|##  |        B begins in the page where A ends: whoever gets A
 *   BAR B            |  ##|####|   gets a piece of B too. So neither is mapped, but if both
 *                                  are of one function (XSA-461)
 */
#include "passthrough/bar.h"

#include "p2m/types.h"
#include "pci/config.h"

static struct span pages_of(const struct sp_bar *bar)
{
	uint64_t end = bar->address.maddr + bar->bytes;

	return (struct span){ bar->address.maddr >> SP_FRAME_ORDER,
			      (end + SP_FRAME_BYTES - 1) >> SP_FRAME_ORDER };
}

static bool shares_page(const struct function *other, struct span pages)
{
	for (uint32_t i = 0; i < SP_BARS; i++) {
		struct span theirs = pages_of(&other->bar[i]);

		if (other->bar[i].bytes && theirs.first < pages.end && pages.first < theirs.end)
			return true;
	}
	return false;
}

static enum sp_status refuse(const struct sp_host *host, const struct function *function,
			     enum sp_status status, const char *why)
{
	config_log(host, SP_LOG_WARNING, function->sbdf, why);
	return status;
}

static enum sp_status check_bar(const struct sp_host *host, const struct function *function,
				uint32_t index)
{
	const struct sp_bar *bar = &function->bar[index];

	if (bar->bytes == 0)
		return refuse(host, function, SP_NOT_FOUND,
			      "has no memory at this base address register");
	if (bar->address.maddr % SP_FRAME_BYTES)
		return refuse(host, function, SP_UNSUPPORTED,
			      "its registers do not begin at a page: let firmware place them so");
	for (uint32_t i = 0; i < host->function_count; i++) {
		if (&host->functions[i] == function ||
		    !shares_page(&host->functions[i], pages_of(bar)))
			continue;
		return refuse(host, function, SP_UNSUPPORTED,
			      "its registers share a page with another function's: let firmware "
			      "place them apart");
	}
	return SP_OK;
}

/* A call of p2m.h, to the end: waits where it says busy. */
static enum sp_status finish(struct sp_host *host, enum sp_status status,
			     const struct sp_result *result)
{
	return status == SP_OK || status == SP_BUSY ? sp_wait(host, result->ticket) : status;
}

/* The CPUs lose it even where a unit is lost; but then a step that must be repeated cannot be. */
static enum sp_status unmap_run(struct sp_host *host, struct sp_domain *domain, struct span span)
{
	enum sp_status status = SP_OK;

	while (!span_is_empty(span)) {
		struct sp_result result;
		enum sp_status made = sp_p2m_unmap(domain, (sp_gfn_t){ span.first },
						   span.end - span.first, &result);
		enum sp_status waited = finish(host, made, &result);

		if (waited != SP_OK)
			status = waited;
		if (waited != SP_OK && made != SP_OK)
			break;
		span.first += result.done;
	}
	return status;
}

/* The guest's memory may have been changed since: only what is this BAR's goes. */
static enum sp_status unmap_bar(struct sp_host *host, struct sp_domain *domain,
				struct function *function, uint32_t index)
{
	struct span pages = pages_of(&function->bar[index]);
	uint64_t gfn = function->bar_gfn[index], count = pages.end - pages.first;
	enum sp_status status = SP_OK;

	for (uint64_t at = 0; at < count && (status == SP_OK || status == SP_LOST);) {
		struct sp_mapping mapping;
		bool is_mapped = sp_p2m_find(domain, (sp_gfn_t){ gfn + at }, &mapping) == SP_OK;
		enum sp_status unmapped = SP_OK;
		uint64_t run = min_u64(count - at, mapping.count ? mapping.count : 1);

		if (is_mapped && mapping.type == SP_MMIO && mapping.frame.mfn == pages.first + at)
			unmapped =
				unmap_run(host, domain, (struct span){ gfn + at, gfn + at + run });
		status = unmapped == SP_OK ? status : unmapped;
		at += run;
	}
	if (status == SP_OK)
		function->bar_mapped[index] = false;
	return status;
}

enum sp_status bar_unmap_all(struct sp_host *host, struct sp_domain *domain,
			     struct function *function)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < SP_BARS && (status == SP_OK || status == SP_LOST); i++) {
		enum sp_status unmapped = SP_OK;

		if (function->bar_mapped[i])
			unmapped = unmap_bar(host, domain, function, i);
		status = unmapped == SP_OK ? status : unmapped;
	}
	return status;
}

static enum sp_status map_run(struct sp_host *host, struct sp_domain *domain, uint64_t gfn,
			      struct span pages)
{
	enum sp_status status = SP_OK;

	while (!span_is_empty(pages) && status == SP_OK) {
		struct sp_result result;

		status = sp_p2m_map(domain, (sp_gfn_t){ gfn }, (sp_mfn_t){ pages.first },
				    pages.end - pages.first, SP_MMIO, &result);
		status = finish(host, status, &result);
		gfn += result.done;
		pages.first += result.done;
	}
	return status;
}

static enum sp_status map_bar(struct sp_host *host, struct function *function, uint32_t index,
			      sp_gfn_t first) MUST_HOLD(host->assign)
{
	enum sp_status status = check_bar(host, function, index);

	if (status == SP_OK && function->bar_mapped[index])
		status = unmap_bar(host, function->domain, function, index);
	if (status != SP_OK)
		return status;
	/* Noted before it is there: whatever comes of it is unmapped with the rest. */
	function->bar_gfn[index] = first.gfn;
	function->bar_mapped[index] = true;
	status = map_run(host, function->domain, first.gfn, pages_of(&function->bar[index]));
	if (status != SP_OK && unmap_bar(host, function->domain, function, index) == SP_OK)
		config_log(host, SP_LOG_WARNING, function->sbdf, "its registers were not mapped");
	return status;
}

enum sp_status sp_device_map_bar(struct sp_domain *domain, sp_sbdf_t sbdf, uint32_t bar,
				 sp_gfn_t first)
{
	struct sp_host *host = domain->host;
	struct function *function = function_find(host, sbdf);
	enum sp_status status = SP_INVALID;

	if (!function)
		return SP_NOT_FOUND;
	lock_take(&host->assign, host->embedder);
	if (bar < SP_BARS && function->domain == domain)
		status = map_bar(host, function, bar, first);
	lock_drop(&host->assign);
	return status;
}
