/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/reserved.h - firmware's ranges of a function, in its owner's memory.
 */
#pragma once

#include "pci/function.h"
#include "sync/domain.h"

/*
 * SP_RESERVED_RANGE, logged: other memory of the domain lies there, or another guest (but for
 * `leaving`) reaches the range.
 */
SP_MUST_USE enum sp_status reserved_check(struct sp_host *host, struct sp_domain *domain,
					  const struct function *function,
					  const struct sp_domain *leaving) MUST_HOLD(host->assign);

/* Maps them in every map of the domain, before the function's entry leads there. Waits. */
SP_MUST_USE enum sp_status reserved_enter(struct sp_host *host, struct sp_domain *domain,
					  const struct function *function) MUST_HOLD(host->assign);

/* Those of all functions of the domain once more, for the sake of a map that is new in the list. */
SP_MUST_USE enum sp_status reserved_refresh(struct sp_host *host, struct sp_domain *domain)
	MUST_HOLD(host->assign);

/* After the function's entry led away: unmaps what no other function of the domain needs. Waits. */
SP_MUST_USE enum sp_status reserved_leave(struct sp_host *host, struct sp_domain *domain,
					  const struct function *function) MUST_HOLD(host->assign);
