/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/monitor.h - commands to the hypervisor while guests run: typed at the serial line,
 * or from a boot module whose name ends in .monitor, each line with its second.
 *
 *   12 release first 0000:00:03.0
 *   13 assign second 0000:00:03.0
 */
#pragma once

#include <sallyport/passthrough.h>

/* The seconds of the module's lines count from here. */
void monitor_start(struct sp_host *host);

/* Carries out what was typed or is due. CPU 0, often. */
void monitor_look(void);
