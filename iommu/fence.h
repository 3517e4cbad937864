/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/fence.h - a function that is not trusted to stop: its entries are blocked.
 */
#pragma once

#include "iommu/attach.h"

/* A fenced function uses the id: its entry stays blocked, wherever it is to lead. */
bool fence_holds(const struct unit *unit, uint16_t id);

/*
 * After a reset that was seen to work: the function's entries lead again to whom they are accounted
 * to, its quarantine or the owner of a function that shares the id. SP_LOST. Waits.
 */
SP_MUST_USE enum sp_status fence_lift(struct sp_host *host, struct function *function)
	MUST_HOLD(host->assign);
