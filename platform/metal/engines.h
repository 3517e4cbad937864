/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/engines.h - the engines beside edu, each aimed where it may and where it may not.
 *
 *   guest A's own page            must arrive
 *   guest B's page                must not
 *   A's page after its unmap      must not, though the unit remembers the way
 */
#pragma once

#include "platform/metal/stage.h"

/*
 * Every NVMe controller and 82574 of the machine in turn, after stage_open(). A line for each shot,
 * one for the sum. False: a shot went otherwise, or there is no such device.
 */
bool engines_run(struct stage *stage);
