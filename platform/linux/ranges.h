/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/ranges.h - who has which machine addresses: memory, what firmware reserves, where interrupts are
 * written to, base address registers.
 */
#pragma once

#include <jansson.h>

#include "machine.h"

/*
 * An array of {"kind": "memory", "firmware", "interrupts", "bar", "first": "0x..", "last": "0x..", "what": ".." or null,
 * "of": [sbdf..]}, upwards. `*memory_seen`: the map of memory could be read.
 */
json_t *ranges_describe(const struct machine *machine, bool *memory_seen);
