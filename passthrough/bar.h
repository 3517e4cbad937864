/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/bar.h - a function's registers in the memory of its owner.
 */
#pragma once

#include "pci/function.h"
#include "sync/domain.h"

/*
 * All of them, where they were mapped by sp_device_map_bar() and still are, in the domain that owns
 * or owned it. SP_LOST: what can be unmapped is; the rest when it is called again. Waits.
 */
SP_MUST_USE enum sp_status bar_unmap_all(struct sp_host *host, struct sp_domain *domain,
					 struct function *function) MUST_HOLD(host->assign);
