/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/group.c - functions that a unit cannot tell apart, because they share a requester id.
 *
 *   PCIe-to-PCI bridge --- function A   \  both send as (secondary bus, 0, 0):
 *                      +-- function B   /  one entry, so one owner, or none
 */
#include "passthrough/group.h"

#include "iommu/attach.h"
#include "pci/config.h"

const struct function *group_find_owned(const struct sp_host *host, const struct function *function)
{
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *other = &host->functions[i];

		if (other != function && other->domain != other->quarantine &&
		    attach_is_shared(function, other))
			return other;
	}
	return NULL;
}

const struct function *group_find_stranger(const struct sp_host *host,
					   const struct function *function,
					   const struct sp_domain *domain)
{
	const struct function *other = group_find_owned(host, function);

	/* All who are owned and share with it have one owner: each was let in by this check. */
	if (!other || other->domain == domain || MUTANT(host, SP_MUT_ALIAS_UNCHECKED))
		return NULL;
	return other;
}

void group_silence(struct sp_host *host, const struct function *function)
{
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *other = &host->functions[i];

		/* A bridge must go on passing the function's own requests. */
		if (other == function || other->header != 0 || other->domain != other->quarantine ||
		    !attach_is_shared(function, other))
			continue;
		config_log(host, SP_LOG_INFO, other->sbdf,
			   "shares a requester id with a function that is being assigned; its bus "
			   "mastering is off");
		function_set_master(host, other, false);
	}
}
