/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/fill.h - slots in a row, as fast as this CPU stores: with its vector registers, which
 * the core may not touch.
 */
#pragma once

#include <stdint.h>

/* slot[i] = leaf + i frames, by the widest stores there are. */
void fill_slots(uint64_t *slot, uint32_t count, uint64_t leaf);
/* A whole table, past the caches; fill_fence() orders it before the link. */
void fill_table_past_cache(uint64_t *table, uint64_t leaf);
void fill_fence(void);
void clear_slots(uint64_t *slot, uint32_t count);
/* What fill_slots() uses here. */
const char *fill_width(void);
