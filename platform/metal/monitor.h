/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/monitor.h - commands to the hypervisor while guests run: typed at the serial line,
 * or from a boot module whose name ends in .monitor, each line with its second (script.h).
 */
#pragma once

#include <sallyport/passthrough.h>

struct vm;

/*
 * The seconds of the module's lines count from here. What is typed goes to the guest `front`, to the
 * monitor where that is NULL; Ctrl-] leads to the monitor, its command `front` back to a guest.
 */
void monitor_start(struct sp_host *host, struct vm *front);

/* Carries out what was typed or is due. CPU 0, often. */
void monitor_look(void);
