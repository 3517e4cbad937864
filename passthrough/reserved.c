/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/reserved.c - firmware's ranges of a function, in its owner's memory.
 *
 *   assign:   ranges mapped | entry to the guest
 *   release:                  entry to quarantine | ranges unmapped, if nobody else needs them
 *
 * So the function reaches its ranges at every moment (XSA-400), and the former owner reaches them
 * no longer than the function is his (XSA-378).
 */
#include "passthrough/reserved.h"

#include "iommu/reserved.h"
#include "lib/text.h"
#include "p2m/types.h"
#include "pci/config.h"

static struct span span_of(const struct function_range *range)
{
	return (struct span){ range->first_mfn, range->first_mfn + range->count };
}

static enum sp_status refuse(const struct sp_host *host, const struct function *function,
			     const struct function_range *range, const char *why)
{
	struct text text = { .length = 0 };

	text_hex(text_add(text_sbdf(&text, function->sbdf), ": its reserved range at mfn "),
		 range->first_mfn);
	host_log(host, SP_LOG_WARNING, text_add(&text, why)->line);
	return SP_RESERVED_RANGE;
}

/* Reserved already, for another function of the domain. */
static bool is_entered(struct sp_domain *domain, struct span span)
{
	bool found = false;

	domain_take(domain);
	for (uint32_t i = 0; i < domain->reserved_count; i++)
		found |= domain->reserved[i].first == span.first &&
			 domain->reserved[i].end == span.end;
	domain_drop(domain);
	return found;
}

/*
 * Another guest may come or go while it is looked at: nothing of it is read without its lock, and a
 * slot that nobody lives in holds nothing.
 */
static struct found find_in(struct sp_domain *domain, uint64_t frame)
{
	struct found found = { .count = UINT64_MAX - frame };

	domain_take(domain);
	if (domain_has_map(domain, 0))
		(void)tree_find(&domain->maps[0].tree, frame, &found);
	domain_drop(domain);
	return found;
}

/* Something is mapped in the range; or, with `same`, some frame of it at its own number. */
static bool finds_mapping(struct sp_domain *domain, struct span span, bool same)
{
	bool is_found = false;

	while (!span_is_empty(span) && !is_found) {
		struct found found = find_in(domain, span.first);

		is_found = found.rights && (!same || found.mfn == span.first);
		span.first += found.count ? found.count : 1;
	}
	return is_found;
}

static bool is_reached_elsewhere(struct sp_host *host, const struct sp_domain *domain,
				 const struct sp_domain *leaving, struct span span)
{
	for (uint32_t i = 0; i < host->domain_count; i++) {
		struct sp_domain *other = &host->domains[i];

		/* A domain that ends still reaches what was not forgotten; a free slot nothing. */
		if (other == domain || other == leaving || other->quarantine)
			continue;
		if (finds_mapping(other, span, true))
			return true;
	}
	return false;
}

enum sp_status reserved_check(struct sp_host *host, struct sp_domain *domain,
			      const struct function *function, const struct sp_domain *leaving)
{
	for (uint32_t i = 0; i < function->reserved_count; i++) {
		const struct function_range *range = &function->reserved[i];
		struct span span = span_of(range);

		if (is_reached_elsewhere(host, domain, leaving, span))
			return refuse(host, function, range, " is in another guest's reach");
		if (is_entered(domain, span))
			continue;
		if (finds_mapping(domain, span, false))
			return refuse(host, function, range,
				      " is memory of the guest: leave a hole there");
	}
	return SP_OK;
}

static enum sp_status update(struct sp_host *host, struct sp_domain *domain,
			     const struct function_range *range, const struct function *joining)
	MUST_HOLD(host->assign)
{
	uint32_t cpu_rights = p2m_types[SP_RESERVED].rights & CPU_RIGHTS;
	struct sp_ticket ticket = { domain, 0 };
	enum sp_status status =
		reserved_update(host, domain, span_of(range), cpu_rights, joining, &ticket);

	return status == SP_OK ? sp_wait(host, ticket) : status;
}

/*
 * p2m maps it for reading and writing and keeps others off it; then the rights that firmware named.
 */
enum sp_status reserved_enter(struct sp_host *host, struct sp_domain *domain,
			      const struct function *function)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < function->reserved_count && status == SP_OK; i++) {
		const struct function_range *range = &function->reserved[i];

		status = p2m_reserve(domain, range->first_mfn, range->count);
		if (status == SP_OK)
			status = update(host, domain, range, function);
	}
	return status;
}

enum sp_status reserved_refresh(struct sp_host *host, struct sp_domain *domain)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < host->function_count && status == SP_OK; i++) {
		const struct function *function = &host->functions[i];

		for (uint32_t j = 0;
		     function->domain == domain && j < function->reserved_count && status == SP_OK;
		     j++)
			status = update(host, domain, &function->reserved[j], NULL);
	}
	return status;
}

static bool is_needed(const struct sp_host *host, const struct sp_domain *domain,
		      const struct function *leaving, const struct function_range *range)
{
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *other = &host->functions[i];

		for (uint32_t j = 0;
		     other != leaving && other->domain == domain && j < other->reserved_count;
		     j++) {
			if (other->reserved[j].first_mfn == range->first_mfn &&
			    other->reserved[j].count == range->count)
				return true;
		}
	}
	return false;
}

enum sp_status reserved_leave(struct sp_host *host, struct sp_domain *domain,
			      const struct function *function)
{
	enum sp_status result = SP_OK;

	for (uint32_t i = 0; i < function->reserved_count; i++) {
		const struct function_range *range = &function->reserved[i];
		enum sp_status status;

		if (is_needed(host, domain, function, range))
			status = update(host, domain, range, NULL);
		else
			status = p2m_unreserve(domain, range->first_mfn, range->count);
		if (status != SP_OK)
			result = status;
	}
	return result;
}

enum sp_status sp_function_reserve(struct sp_host *host, sp_sbdf_t sbdf, sp_mfn_t first,
				   uint64_t count, bool writable)
{
	struct function *function = function_find(host, sbdf);

	if (!function)
		return SP_NOT_FOUND;
	/* Its quarantine is complete, and its ranges are in there. */
	if (host->started || function->quarantine || count == 0 || first.mfn + count <= first.mfn)
		return SP_INVALID;
	if (host_forbids(host, first.mfn, count) || host_treats_specially(host, first.mfn, count))
		return SP_RESERVED_RANGE;
	if (function->reserved_count == FUNCTION_RESERVED)
		return SP_NO_SPACE;
	function->reserved[function->reserved_count++] =
		(struct function_range){ first.mfn, count, true, writable };
	return SP_OK;
}
