/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/fault_count.h - a log's faults: the same device, kind and range of pages is one row with a count.
 */
#pragma once

#include "fault_line.h"
#include "log.h"

struct fault_row {
	struct fault_line line; /* of the first; its address is the lowest */
	uint64_t last_address;
	uint64_t count;
	struct log_line first, last; /* only their times */
};

struct fault_rows {
	struct fault_row *row; /* by the time of the first */
	size_t count;
	uint64_t lost;	/* faults that the kernel did not print */
	bool lost_more; /* and those that nobody counted */
};

struct fault_rows *fault_rows_read(const struct log *log);
void fault_rows_free(struct fault_rows *rows);

/* How many a second; negative: cannot be told, of one or without times. */
double fault_row_rate(const struct fault_row *row);
