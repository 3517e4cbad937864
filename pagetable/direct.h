/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/direct.h - entries of tables that a guest writes itself, x86-64, four levels. SDM 3A 5.5.
 *
 *    63   62..52   51            12   11..9   8   7   6   5   4   3   2    1    0
 *   | XD | ignored | frame          | ignored | - | - | D | A | - | - | US | RW | P |
 *
 * A guest may set what is named; the rest must be 0: no large pages, no global ones (they outlive a
 * flush), no memory types.
 */
#pragma once

#include "pagetable/stale.h"

#define DIRECT_SLOTS	512u
#define DIRECT_ROOT	3u /* level of the root's entries; level 0 leads to pages */

#define DIRECT_PRESENT	BIT(0)
#define DIRECT_WRITABLE BIT(1)

static inline uint64_t direct_frame(uint64_t entry)
{
	return (entry & BITS(51, 12)) >> 12;
}

static inline uint32_t direct_index(uint64_t address, uint32_t level)
{
	return (uint32_t)(address >> (12 + 9 * level)) % DIRECT_SLOTS;
}

/* Nothing but what is the guest's to set. An absent entry is the guest's wholly. */
bool direct_is_sound(uint64_t entry);
/* What the store does to those who remember the old entry; KIND_COUNT: nothing. */
enum change_kind direct_change(uint32_t level, uint64_t old, uint64_t new);
/* The hypervisor's own entry, which leads back to its table. */
uint64_t direct_linear_entry(uint64_t root);

uint64_t direct_load(const uint64_t *slot);
void direct_store(uint64_t *slot, uint64_t entry);
