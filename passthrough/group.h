/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/group.h - functions that a unit cannot tell apart, because they share a requester id.
 */
#pragma once

#include "pci/function.h"

/*
 * One that shares a requester id with the function and has another owner than the domain, or NULL.
 */
const struct function *group_find_stranger(const struct sp_host *host,
					   const struct function *function,
					   const struct sp_domain *domain) MUST_HOLD(host->assign);

/* One that shares a requester id with the function and has an owner, or NULL. */
const struct function *group_find_owned(const struct sp_host *host, const struct function *function)
	MUST_HOLD(host->assign);

/*
 * Those that share a requester id and belong to nobody: bus mastering off, for what they sent under
 * the shared id would reach the new owner's memory.
 */
void group_silence(struct sp_host *host, const struct function *function) MUST_HOLD(host->assign);
