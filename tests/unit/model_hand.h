/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/model_hand.h - driving the model by hand: registers, tables and commands without the
 * core.
 *
 * Entries are written out here as the manuals draw them. Nothing is shared with the core or with
 * the model.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model.h"

#define HAND_DEVICE 0x0010u /* 00:02.0 */
#define HAND_OTHER  0x0018u /* 00:03.0 */

/* A frame for tables, emptied in every view. */
static inline uint64_t hand_table(struct model *model, uint32_t order)
{
	sp_mfn_t first;

	assert_int_equal(platform_frames_take(model, 0, order, &first), SP_OK);
	for (uint64_t i = 0; i < 1ull << order; i++) {
		uint64_t *slots = platform_pointer(model, (sp_mfn_t){ first.mfn + i });

		for (uint32_t n = 0; n < 512; n++)
			slots[n] = 0;
		platform_write_back(model, slots, 4096);
	}
	return first.mfn;
}

static inline void hand_set(struct model *model, uint64_t table, uint64_t index, uint64_t value)
{
	model_store(model, (table << 12) + index * 8, value, true);
}

static inline void hand_write(struct model *model, uint64_t offset, uint32_t bytes, uint64_t value)
{
	platform_mmio_write(model, (sp_maddr_t){ model_unit_base(model, 0) + offset }, bytes,
			    value);
}

static inline uint64_t hand_read(struct model *model, uint64_t offset, uint32_t bytes)
{
	return platform_mmio_read(model, (sp_maddr_t){ model_unit_base(model, 0) + offset }, bytes);
}

/* Whether a write of a byte by the device arrives, and where it then was. */
static inline struct model_dma hand_dma(struct model *model, uint64_t address, bool write)
{
	uint8_t byte = 0x5a;

	return model_dma(model, HAND_DEVICE, address, &byte, 1, write);
}

static inline void hand_clean(struct model *model)
{
	if (model_verdict(model))
		print_error("verdict: %s\n", model_verdict(model));
	assert_null(model_verdict(model));
}
