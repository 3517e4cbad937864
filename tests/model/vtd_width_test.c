/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/vtd_width_test.c - units that differ in what one invalidation can say and do: the widest span
 * (CAP.MAMV), none at all (PSI = 0), draining (DRD, DWD), snooping (C), a write buffer (RWBF).
 *
 * Every change of the matrix, on each of them, judged by R, A and E. Note n2: what a unit cannot say in pages
 * is said of the domain.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define VTD_SEPARATE 4
#define VTD_BUFFERED 8
#define VTD_SCALABLE 9

static const struct variety {
	const char *name;
	uint32_t mode;
	struct model_unit_config unit;
} varieties[] = {
	{ "single pages", VTD_SEPARATE, { .max_mask = MODEL_NO_MASK } },
	{ "two pages", VTD_SEPARATE, { .max_mask = 1 } },
	{ "1M", VTD_SEPARATE, { .max_mask = 8 } },
	{ "2M", VTD_SEPARATE, { .max_mask = 9 } },
	{ "no page-selective invalidation", VTD_SEPARATE, { .no_psi = true } },
	{ "drains by itself", VTD_SEPARATE, { .no_drain = true, .version = 2 } },
	{ "does not snoop", VTD_SEPARATE, { .not_coherent = true } },
	{ "scalable, entries snoop, walks do not", VTD_SCALABLE, { .walks_not_coherent = true } },
	{ "write buffer, 2M", VTD_BUFFERED, { .max_mask = 9 } },
	{ "write buffer, no page-selective invalidation", VTD_BUFFERED, { .no_psi = true } },
	{ "write buffer, does not snoop", VTD_BUFFERED, { .not_coherent = true } },
	{ "write buffer, caching mode", VTD_BUFFERED, { .caches_not_present = true } },
};
#define VARIETIES (sizeof(varieties) / sizeof(varieties[0]))

struct cell {
	const struct variety *variety;
	enum bench_change change;
	char name[120];
};

static void the_oracles_agree(void **state)
{
	const struct cell *cell = *state;
	const struct bench_config config = { .mode = &bench_modes[cell->variety->mode],
					     .adversary = MODEL_ADVERSARY_MAX,
					     .unit = cell->variety->unit };
	struct bench *bench = bench_make(&config);
	const char *complaint = bench_run(bench, cell->change);

	if (complaint)
		print_message("%s\n", complaint);
	assert_null(complaint);
	bench_free(bench);
}

/* A1.11: one page, one command, and it alone empties the write buffer. */
static void a_new_page_flushes_the_write_buffer_exactly_once(void **state)
{
	const struct bench_config config = { .mode = &bench_modes[VTD_BUFFERED],
					     .adversary = MODEL_ADVERSARY_MAX };
	struct bench *bench = bench_make(&config);
	uint32_t told = 0;

	(void)state;
	bench_map(bench, bench->guest, BENCH_GFN, model_guest_frame(bench->model), 1, SP_RAM);
	model_commands_reset(bench->model);
	bench_map(bench, bench->guest, BENCH_GFN + 1, model_guest_frame(bench->model), 1, SP_RAM);
	bench_settle(bench);
	for (uint32_t i = 0; i < model_command_count(bench->model); i++)
		told += model_command(bench->model, i).kind != MODEL_CMD_WAIT;
	assert_int_equal(told, 1);
	assert_int_equal(model_command(bench->model, 0).kind, MODEL_CMD_IOTLB_PAGES);
	assert_false(model_command(bench->model, 0).links);
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

/* M11: a transfer that was translated before the unmap has landed before the page is another's. */
static void what_is_under_way_lands_before_release(void **state)
{
	(void)state;
	for (uint8_t version = 1; version <= 2; version++) {
		const struct bench_config config = {
			.mode = &bench_modes[VTD_SEPARATE],
			.adversary = MODEL_ADVERSARY_MAX,
			.unit = { .no_drain = version > 1, .version = version },
		};
		struct bench *bench = bench_make(&config);
		uint64_t mfn = model_guest_frame(bench->model);
		uint32_t transfer;

		bench_map(bench, bench->guest, BENCH_GFN, mfn, 1, SP_RAM);
		transfer = model_dma_start(bench->model, BENCH_DEVICE, BENCH_GFN << 12, "y", 1);
		assert_int_not_equal(transfer, 0);
		(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
		bench_settle(bench);
		assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
		assert_false(model_dma_finish(bench->model, transfer));
		assert_null(bench_complaint(bench));
		bench_free(bench);
	}
}

int main(void)
{
	static struct cell cells[VARIETIES * BENCH_CHANGE_COUNT];
	static struct CMUnitTest tests[VARIETIES * BENCH_CHANGE_COUNT + 2];
	size_t count = 0;

	for (size_t i = 0; i < VARIETIES; i++) {
		for (uint32_t change = 0; change < BENCH_CHANGE_COUNT; change++, count++) {
			struct cell *cell = &cells[count];

			cell->variety = &varieties[i];
			cell->change = (enum bench_change)change;
			snprintf(cell->name, sizeof(cell->name), "%s, %s",
				 bench_change_name(cell->change), varieties[i].name);
			tests[count] = (struct CMUnitTest){ cell->name, the_oracles_agree, NULL,
							    NULL, cell };
		}
	}
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(
		a_new_page_flushes_the_write_buffer_exactly_once);
	tests[count++] =
		(struct CMUnitTest)cmocka_unit_test(what_is_under_way_lands_before_release);
	return _cmocka_run_group_tests("VT-d widths", tests, count, NULL, NULL);
}
