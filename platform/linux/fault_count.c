/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/fault_count.c - a log's faults: the same device, kind and range of pages is one row with a count.
 *
 *   lines --> struct fault_row, one each --> by key and address --> neighbours joined --> by time
 */
#include "fault_count.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* Pages of one buffer or ring are near each other; below 1 MiB is firmware's and never joined with what is above. */
#define NEAR_BYTES (1ull << 20)
#define LOW_BYTES  (1ull << 20)

static bool is_low(uint64_t address)
{
	return address < LOW_BYTES;
}

static int compare_number(uint64_t left, uint64_t right)
{
	return left < right ? -1 : left > right;
}

/* What makes two faults the same but for where and when. */
static int compare_keys(const struct fault_line *a, const struct fault_line *b)
{
	const uint64_t left[] = { a->vendor,	  a->event,	  a->has_device, a->has_segment,
				  a->device.sbdf, a->code,	  a->has_code,	 a->kind,
				  a->write,	  a->has_address, a->has_pasid,	 a->pasid,
				  a->flags,	  a->domain };
	const uint64_t right[] = { b->vendor,	   b->event,	   b->has_device, b->has_segment,
				   b->device.sbdf, b->code,	   b->has_code,	  b->kind,
				   b->write,	   b->has_address, b->has_pasid,  b->pasid,
				   b->flags,	   b->domain };
	int order = 0;

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]) && !order; i++)
		order = compare_number(left[i], right[i]);
	return order;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct fault_row *left = a, *right = b;
	int order = compare_keys(&left->line, &right->line);

	return order ? order : compare_number(left->line.address, right->line.address);
}

static bool is_earlier(const struct log_line *left, const struct log_line *right)
{
	return left->clock == right->clock && left->clock != LOG_NO_TIME &&
	       left->seconds < right->seconds;
}

static int compare_times(const void *a, const void *b)
{
	const struct fault_row *left = a, *right = b;

	if (is_earlier(&left->first, &right->first))
		return -1;
	if (is_earlier(&right->first, &left->first))
		return 1;
	return compare_addresses(a, b);
}

static bool belongs(const struct fault_row *row, const struct fault_row *next)
{
	if (compare_keys(&row->line, &next->line))
		return false;
	/* An index is not an address: each entry is another row. */
	if (row->line.kind == SP_FAULT_INTERRUPT)
		return row->line.address == next->line.address;
	return is_low(row->line.address) == is_low(next->line.address) &&
	       next->line.address - row->last_address <= NEAR_BYTES;
}

static void join(struct fault_row *row, const struct fault_row *next)
{
	row->last_address = next->last_address;
	row->count += next->count;
	if (is_earlier(&next->first, &row->first))
		row->first = next->first;
	if (is_earlier(&row->last, &next->last))
		row->last = next->last;
}

static void add(struct fault_rows *rows, const struct fault_line *fault,
		const struct log_line *line)
{
	struct log_line time = *line;

	time.text = NULL;
	if (fault->event == FAULT_LOST) {
		rows->lost += fault->lost;
		rows->lost_more = rows->lost_more || !fault->lost;
		return;
	}
	rows->row = memory_grow(rows->row, rows->count, sizeof(*rows->row));
	rows->row[rows->count++] = (struct fault_row){ .line = *fault,
						       .last_address = fault->address,
						       .count = 1,
						       .first = time,
						       .last = time };
}

static void join_all(struct fault_rows *rows)
{
	size_t kept = 0;

	if (!rows->count)
		return;
	qsort(rows->row, rows->count, sizeof(*rows->row), compare_addresses);
	for (size_t i = 1; i < rows->count; i++) {
		if (belongs(&rows->row[kept], &rows->row[i]))
			join(&rows->row[kept], &rows->row[i]);
		else
			rows->row[++kept] = rows->row[i];
	}
	rows->count = kept + 1;
	qsort(rows->row, rows->count, sizeof(*rows->row), compare_times);
}

/* The second half says "fault reason" and names no device. */
static bool is_second_half(const char *text)
{
	return strstr(text, "fault reason ") && !strstr(text, "Request device [");
}

struct fault_rows *fault_rows_read(const struct log *log)
{
	struct fault_rows *rows = memory_take(1, sizeof(*rows));
	const struct log_line *begun = NULL;
	struct fault_line fault;

	for (size_t i = 0; i < log->count; i++) {
		const struct log_line *line = &log->line[i];
		enum fault_verdict verdict;

		if (begun && is_second_half(line->text)) {
			fault_line_decode(line->text, true, &fault);
			add(rows, &fault, begun);
			begun = NULL;
			continue;
		}
		/* Its end was lost: a fault all the same. */
		if (begun)
			add(rows, &fault, begun);
		verdict = fault_line_decode(line->text, false, &fault);
		begun = verdict == FAULT_HALF ? line : NULL;
		if (verdict == FAULT_WHOLE)
			add(rows, &fault, line);
	}
	if (begun)
		add(rows, &fault, begun);
	join_all(rows);
	return rows;
}

void fault_rows_free(struct fault_rows *rows)
{
	free(rows->row);
	free(rows);
}

double fault_row_rate(const struct fault_row *row)
{
	double seconds = row->last.seconds - row->first.seconds;

	if (row->count < 2 || row->first.clock == LOG_NO_TIME ||
	    row->first.clock != row->last.clock || seconds <= 0)
		return -1;
	return (double)(row->count - 1) / seconds;
}
