/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/rows.h - the isolation matrix.
 *
 * A row uses pages of its own and puts back what it changed. It judges by memory, by the device's
 * and the unit's registers and by fault records; what a guest says is no evidence.
 */
#pragma once

#include "platform/metal/report.h"
#include "platform/metal/stage.h"

#define ROW_COUNT	  15u
#define ROW_ARRIVAL	  1u

/* Rows that show an address out of bounds: they can be tried before anything translates. */
#define ROW_FIRST_ADDRESS 2u
#define ROW_LAST_ADDRESS  7u

typedef void row_function(struct stage *stage, struct finding *finding);

row_function row_arrival;				       /* row_address.c: 1 */
row_function row_beyond, row_other_guest, row_image, row_root; /* 2 to 5 */
row_function row_registers, row_messages;		       /* row_window.c: 6, 7 */
row_function row_unmapped, row_punched, row_revoked;	       /* row_change.c: 8 to 10 */
row_function row_replaced;				       /* 11 */
row_function row_under_way;				       /* row_under_way.c: 12 */
row_function row_released, row_handed_over;		       /* row_device.c: 13, 14 */
row_function row_other_cpu;				       /* row_cpu.c: 15 */

struct row {
	const char *name;
	row_function *run;
};

extern const struct row row_table[ROW_COUNT + 1]; /* from 1 */

/* One row, with nothing owed from before. */
void rows_run_one(struct stage *stage, unsigned int row, struct finding *finding);

/* All of them, in order, each reported. False: one leaked, or row 1 did not arrive. */
bool rows_run(struct stage *stage);
