/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/sriov.h - virtual functions: sp_pci_enable_vfs() of <sallyport/passthrough.h>, and what a reset
 * leaves of them. PCI Express base 6.0: chapter 9.
 */
#pragma once

#include "pci/function.h"

/*
 * A function is there. A virtual one has FFFFh for a vendor, always (9.3.4.1.1): its class, which is its
 * physical function's, is looked at instead.
 */
bool sriov_answers(const struct sp_host *host, const struct function *function);

/*
 * After a reset of a physical function: its virtual functions are on again, where they were. Waits 100
 * ms where there are any. SP_LOST: one does not answer.
 */
SP_MUST_USE enum sp_status sriov_put_back(struct sp_host *host, struct function *function);
