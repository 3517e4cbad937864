/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/reserved.h - what functions need of firmware's ranges, and the maps that must have it.
 */
#pragma once

#include "iommu/unit.h"
#include "pci/function.h"

/*
 * Makes [first, end) what the functions of the domain need there, in every map: gfn == mfn, with
 * these CPU rights and the device rights that firmware named; absent where nobody needs it.
 * `joining` counts as one of the domain's functions, or is NULL. Waits where it must; *ticket is
 * the last change.
 */
SP_MUST_USE enum sp_status reserved_update(struct sp_host *host, struct sp_domain *domain,
					   struct span span, uint32_t cpu_rights,
					   const struct function *joining, struct sp_ticket *ticket)
	MUST_HOLD(host->assign);
