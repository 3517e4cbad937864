/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/nvme_virtual.h - the hypervisor's own driver of an NVMe controller whose virtual functions
 * are on (option vfs): without it they have neither queues nor interrupts, and stay offline.
 *
 *   physical function --> a domain of its own, 5 frames --> gives up, is reset, gives away, stays
 *
 * The only driver of this kind: another device with SR-IOV needs its physical function's like this.
 */
#pragma once

#include <stdbool.h>

#include <sallyport/passthrough.h>

/*
 * After machine_host_start(), before any guest has a virtual function. Each gets an equal part of the
 * flexible queues and interrupts, and the namespace of its own number where that can be attached. No
 * such controller: nothing. Refuses one that does not do as it is told.
 */
void nvme_virtual_begin(struct sp_host *host);

/* When no guest has one any more. False, with a line: not all came back. */
bool nvme_virtual_end(void);
