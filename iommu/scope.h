/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/scope.h - firmware's words about functions, resolved into the functions that were found.
 */
#pragma once

#include "iommu/unit.h"
#include "pci/function.h"

/*
 * Gives each function its unit, the aliases of its requester id and its reserved ranges.
 * SP_MALFORMED, logged.
 */
SP_MUST_USE enum sp_status scope_resolve(struct sp_host *host);
