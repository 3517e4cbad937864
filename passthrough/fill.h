/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/fill.h - a late map learns what the guest's memory is.
 */
#pragma once

#include "iommu/unit.h"

/* Something in the span is memory that the domain's devices would reach. */
bool fill_finds_memory(struct sp_domain *domain, struct span span);

/*
 * Makes the first `frames` of a map that is in the domain's list what the CPU's map says. On return
 * the two agree, and stay so by themselves. Waits where a change must.
 */
SP_MUST_USE enum sp_status fill_map(struct sp_domain *domain, uint32_t index, uint64_t frames);
