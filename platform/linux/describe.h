/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/describe.h - a machine's functions as JSON, the form that list, tree and report share.
 *
 * Keys: sbdf, parent, ids, vendor, device, class, name, bridge, unit, group, type, driver, numa, acs, reserved,
 * requesters, reset, vfs, children. Null: none; "?": could not be read.
 */
#pragma once

#include <jansson.h>

#include "machine.h"

/* What Jansson made; where it made nothing the program ends: nobody may take a finding that is left out for none. */
json_t *describe_made(json_t *value);

/* Names of disks and interfaces, as text that can be printed. */
json_t *describe_children(const struct machine_function *function);

/* An array, of the functions that are chosen. */
json_t *describe_functions(const struct machine *machine, const bool *chosen);
json_t *describe_function(const struct machine *machine, const struct machine_function *function);
