/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/interrupt.h - a unit's interrupt remapping entries.
 */
#pragma once

#include "iommu/unit.h"

/* One of the unit's that nobody uses; it is absent. SP_NO_SPACE. */
SP_MUST_USE enum sp_status interrupt_take(struct sp_host *host, struct unit *unit, uint32_t *index)
	MUST_HOLD(host->assign);
void interrupt_give(struct sp_host *host, struct unit *unit, uint32_t index)
	MUST_HOLD(host->assign);

/* What a function must send to use it. */
struct sp_message interrupt_message(const struct unit *unit, uint32_t index);

/*
 * Replaces an entry; on return the unit remembers nothing of the old one. SP_LOST: a present entry
 * was not written, an absent one was, and the old one may be remembered. Otherwise as
 * iommu_ops.set_irte, but never SP_BUSY. Waits.
 */
SP_MUST_USE enum sp_status interrupt_set(struct sp_host *host, struct unit *unit, uint32_t index,
					 const struct irte *irte) MUST_HOLD(host->assign);
