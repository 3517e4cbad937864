/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/patch_test.c - a guest's code is written over, in every mode and under every adversary (A2.10,
 * A2.11).
 */
#include "bench_patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"
#include "sync/domain.h"

static const enum model_adversary adversaries[] = { MODEL_ADVERSARY_NONE, MODEL_ADVERSARY_RANDOM,
						    MODEL_ADVERSARY_MAX };

static struct bench *make(uint32_t mode, enum model_adversary adversary)
{
	const struct bench_config config = { .mode = &bench_modes[mode],
					     .adversary = adversary,
					     .seed = 3 + mode };

	return bench_make(&config);
}

static void run(const struct patch_case *wanted)
{
	for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
		for (uint32_t i = 0; i < 3; i++) {
			struct bench *bench = make(mode, adversaries[i]);
			const char *complaint = patch_run(bench, wanted);

			if (complaint)
				fail_msg("%s: %s", bench_modes[mode].name, complaint);
			bench_free(bench);
		}
	}
}

static void bytes_within_eight_are_written_by_one_store(void **state)
{
	static const struct patch_case cases[] = { { 64, 8, false, false },
						   { 67, 5, false, false },
						   { 4095, 1, true, false } };

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		run(&cases[i]);
}

static void longer_code_is_written_when_nobody_executes_it(void **state)
{
	(void)state;
	run(&(struct patch_case){ .offset = 70, .count = 15 });
	run(&(struct patch_case){ .offset = 63, .count = 2, .alone = true });
}

static void code_across_two_pages_is_written_when_nobody_executes_either(void **state)
{
	(void)state;
	run(&(struct patch_case){ .offset = 4090, .count = 15 });
}

static void a_piece_of_a_large_page_is_split_for_it(void **state)
{
	(void)state;
	run(&(struct patch_case){ .offset = 4090, .count = 16, .large = true });
}

/* ---- what is refused ---- */

static struct bench *make_with_page(uint64_t *mfn)
{
	struct bench *bench = make(0, MODEL_ADVERSARY_MAX);

	*mfn = model_guest_frame(bench->model);
	bench_map(bench, bench->guest, BENCH_GFN, *mfn, 1, SP_RAM);
	return bench;
}

static void what_is_no_memory_is_not_written(void **state)
{
	static const struct sp_patch patches[] = {
		{ .address = (BENCH_GFN + 9) << 12, .count = 4 },
		{ .address = (BENCH_GFN << 12) + 4090, .count = 12 }, /* the second page */
	};
	uint64_t mfn;
	struct bench *bench = make_with_page(&mfn);

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct sp_patch patch = patches[i];

		assert_int_equal(sp_p2m_patch(bench->guest, &patch), SP_NOT_FOUND);
	}
	for (uint32_t count = 0; count <= SP_PATCH_BYTES + 1; count += SP_PATCH_BYTES + 1) {
		struct sp_patch patch = { .address = BENCH_GFN << 12, .count = count };

		assert_int_equal(sp_p2m_patch(bench->guest, &patch), SP_INVALID);
	}
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

/* Somebody takes the page away in the window: nothing is written into what may be another's by now. */
static void a_page_that_goes_in_the_window_is_not_written(void **state)
{
	uint64_t mfn;
	struct bench *bench = make_with_page(&mfn);
	struct sp_patch patch = { .address = (BENCH_GFN << 12) + 60,
				  .count = 8,
				  .bytes = "patched" };
	struct sp_result result;

	(void)state;
	assert_int_equal(sp_p2m_patch(bench->guest, &patch), SP_BUSY);
	assert_int_equal(sp_wait(bench->host, patch.ticket), SP_OK);
	result = bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	bench_settle(bench);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	assert_int_equal(sp_p2m_patch(bench->guest, &patch), SP_NOT_FOUND);
	assert_int_equal(((uint8_t *)model_frame_bytes(bench->model, mfn))[60], 0);
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_within_eight_are_written_by_one_store),
		cmocka_unit_test(longer_code_is_written_when_nobody_executes_it),
		cmocka_unit_test(code_across_two_pages_is_written_when_nobody_executes_either),
		cmocka_unit_test(a_piece_of_a_large_page_is_split_for_it),
		cmocka_unit_test(what_is_no_memory_is_not_written),
		cmocka_unit_test(a_page_that_goes_in_the_window_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
