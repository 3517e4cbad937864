/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench_order.c - completions in every order, and release behind the last (A1.7).
 *
 *   unmap ... CPU leaves | unit 0 | unit 1 | device 0's cache | device 1's ... release
 *                        in every order, but that a device's cache comes behind its unit; and
 *                        between any two of them everybody goes by the page again
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum arrival {
	CPU_LEFT,
	UNIT_0,
	UNIT_1,
	CACHE_0,
	CACHE_1,
	ARRIVALS
};

static void set_answers(struct bench *bench, enum model_answers answers)
{
	model_set_answers(bench->model, 0, answers);
	model_set_answers(bench->model, 1, answers);
}

/* As far as the unit's own translations; what is behind them in the queue is the device's cache. */
static void step_unit(struct bench *bench, uint32_t unit)
{
	bool more = true;

	while (more) {
		uint32_t before = model_command_count(bench->model);

		more = model_step(bench->model, unit, 1) &&
		       (model_command_count(bench->model) == before ||
			model_command(bench->model, before).kind != MODEL_CMD_IOTLB_PAGES);
	}
}

static void arrive(struct bench *bench, enum arrival arrival)
{
	switch (arrival) {
	case CPU_LEFT:
		bench_leave(bench, bench->guest);
		return;
	case UNIT_0:
	case UNIT_1:
		step_unit(bench, arrival - UNIT_0);
		return;
	case CACHE_0:
	case CACHE_1:
		(void)model_step(bench->model, arrival - CACHE_0, 100);
		return;
	case ARRIVALS:
		return;
	}
}

/* Whoever still may fills its cache again from what others still have. */
static void refill(struct bench *bench)
{
	for (int write = 0; write < 2; write++) {
		(void)bench_dma(bench, BENCH_DEVICE, BENCH_GFN, write);
		(void)bench_dma(bench, BENCH_SECOND, BENCH_GFN, write);
	}
	(void)model_cpu_access(bench->model, 1, BENCH_GFN, MODEL_READ);
	model_look(bench->model);
}

static uint64_t unmap_warm_page(struct bench *bench)
{
	uint64_t mfn = model_guest_frame(bench->model);

	set_answers(bench, MODEL_AT_ONCE);
	bench_map(bench, bench->guest, BENCH_GFN, mfn, 1, SP_RAM);
	bench_settle(bench);
	bench_warm(bench, 2);
	set_answers(bench, MODEL_STEPPED);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	return mfn;
}

static void run_order(struct bench *bench, const uint8_t order[ARRIVALS])
{
	uint64_t mfn = unmap_warm_page(bench);

	for (uint32_t i = 0; i < ARRIVALS; i++) {
		refill(bench);
		(void)sp_progress(bench->host, 1000);
		if (model_forgotten_times(bench->model, mfn))
			bench_complain(bench, "oracle R: released behind %u of %u completions", i,
				       ARRIVALS);
		arrive(bench, (enum arrival)order[i]);
	}
	refill(bench);
	(void)sp_progress(bench->host, 1000);
	if (model_forgotten_times(bench->model, mfn) != 1)
		bench_complain(bench, "all have forgotten, and the page is not released");
}

static bool is_possible(const uint8_t *order, uint32_t count, enum arrival next)
{
	bool unit_was = next < CACHE_0;

	for (uint32_t i = 0; i < count; i++) {
		if (order[i] == next)
			return false;
		unit_was |= order[i] + (uint32_t)(CACHE_0 - UNIT_0) == next;
	}
	return unit_was;
}

/* All that begin with the first `count`. Answers how many. */
static uint32_t run_orders(struct bench *bench, uint8_t order[ARRIVALS], uint32_t count)
{
	uint32_t orders = 0;

	if (count == ARRIVALS) {
		run_order(bench, order);
		return 1;
	}
	for (uint8_t next = 0; next < ARRIVALS && !bench_complaint(bench); next++) {
		if (!is_possible(order, count, (enum arrival)next))
			continue;
		order[count] = next;
		orders += run_orders(bench, order, count + 1);
	}
	return orders;
}

const char *bench_run_orders(struct bench *bench, uint32_t *orders)
{
	uint8_t order[ARRIVALS];

	/* Keeps the table: what goes is the page alone. */
	bench_map(bench, bench->guest, BENCH_GFN + 1, model_guest_frame(bench->model), 1, SP_RAM);
	*orders = run_orders(bench, order, 0);
	set_answers(bench, MODEL_AT_ONCE);
	return bench_complaint(bench);
}
