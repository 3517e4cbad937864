/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/msi.h - which interrupts a function may raise.
 */
#pragma once

#include "pci/function.h"

/*
 * All of a function's entries become absent. SP_LOST: they are, but its unit may remember them; to
 * be called again. Waits.
 */
SP_MUST_USE enum sp_status msi_clear_all(struct sp_host *host, struct function *function)
	MUST_HOLD(host->assign);
