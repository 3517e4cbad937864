/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/order_test.c - who is waited for, in which order they may answer, and who is not
 * waited for (A1.7, A1.14, A1.15).
 */
#include "sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define LARGE 512u

/* ---- A1.7 ---- */

static const char *orders(const struct bench_mode *mode, enum sp_mutant mutant)
{
	const struct bench_config config = {
		.mode = mode, .adversary = MODEL_ADVERSARY_MAX, .two_units = true, .ats = true
	};
	static char said[sizeof(((struct bench *)0)->complaint)];
	struct bench *bench = bench_make(&config);
	const char *complaint;
	uint32_t count;

	assert_int_equal(sp_mutant_choose(bench->host, mutant), SP_OK);
	complaint = bench_run_orders(bench, &count);
	if (!mutant)
		assert_int_equal(count, 30); /* 5! / 4 */
	snprintf(said, sizeof(said), "%s", complaint ? complaint : "");
	bench_free(bench);
	return said;
}

static void release_is_last_in_every_order(void **state)
{
	assert_string_equal(orders(*state, SP_MUT_NONE), "");
}

static void in_some_order_release_comes_too_early(void **state)
{
	static const enum sp_mutant mutants[] = { SP_MUT_RELEASE_AFTER_CPUS,
						  SP_MUT_RELEASE_AFTER_UNITS,
						  SP_MUT_RELEASE_AT_UNLOCK,
						  SP_MUT_RELEASE_WITHOUT_WAIT };

	for (size_t i = 0; i < sizeof(mutants) / sizeof(mutants[0]); i++)
		assert_memory_equal(orders(*state, mutants[i]), "oracle R", 8);
}

/* ---- A1.14 ---- */

static struct bench *make_with_stranger(const struct bench_mode *mode)
{
	const struct bench_config config = {
		.mode = mode, .adversary = MODEL_ADVERSARY_MAX, .idle_unit = true, .ats = true
	};
	struct bench *bench = bench_make(&config);

	/* Another guest's unit is silent, with a debt of that guest. */
	bench->other = bench_guest(bench, 2);
	assert_int_equal(sp_device_assign(bench->other, (sp_sbdf_t){ BENCH_SECOND }), SP_OK);
	bench_map(bench, bench->other, BENCH_GFN, model_guest_frame(bench->model), 1, SP_RAM);
	bench_settle(bench);
	model_set_answers(bench->model, 1, MODEL_STEPPED);
	(void)bench_unmap(bench, bench->other, BENCH_GFN, 1);
	return bench;
}

static void progress(struct bench *bench)
{
	for (int i = 0; i < 20; i++)
		(void)sp_progress(bench->host, 4096);
}

/* 512 pages that are one run: their table goes to limbo, and no translation changes. */
static uint64_t merge(struct bench *bench)
{
	uint64_t run = model_guest_frames(bench->model, 9), before;
	struct sp_result result;

	bench_map(bench, bench->guest, BENCH_GFN, run, LARGE - 1, SP_RAM);
	bench_warm(bench, LARGE - 1);
	model_set_answers(bench->model, 0, MODEL_STEPPED);
	model_silence_atc(bench->model, BENCH_DEVICE, true);
	assert_int_equal(sp_p2m_map(bench->guest, (sp_gfn_t){ BENCH_GFN + LARGE - 1 },
				    (sp_mfn_t){ run + LARGE - 1 }, 1, SP_RAM, &result),
			 SP_OK);
	before = model_table_frames(bench->model);
	progress(bench);
	return before;
}

static void wait_for_walkers(const struct bench_mode *mode, bool cpu_first)
{
	struct bench *bench = make_with_stranger(mode);
	uint64_t before = merge(bench);

	for (int step = 0; step < 2; step++) {
		assert_int_equal(model_table_frames(bench->model), before);
		if ((step == 0) == cpu_first)
			bench_leave(bench, bench->guest);
		else
			(void)model_step(bench->model, 0, 100);
		progress(bench);
	}
	assert_int_equal(model_table_frames(bench->model), before - 1);
	assert_null(bench_complaint(bench));
	model_silence_atc(bench->model, BENCH_DEVICE, false);
	model_set_answers(bench->model, 0, MODEL_AT_ONCE);
	model_set_answers(bench->model, 1, MODEL_AT_ONCE);
	bench_free(bench);
}

static void a_table_of_a_shared_tree_waits_for_its_walkers_alone(void **state)
{
	wait_for_walkers(*state, true);
	wait_for_walkers(*state, false);
}

/* ---- A1.15 ---- */

static void a_unit_whose_last_device_left_is_told_no_more(void **state)
{
	const struct bench_config config = { .mode = *state,
					     .adversary = MODEL_ADVERSARY_MAX,
					     .two_units = true };

	for (uint32_t change = 0; change < BENCH_CHANGE_COUNT; change++) {
		struct bench *bench = bench_make(&config);

		assert_null(bench_run_alone(bench, (enum bench_change)change));
		bench_free(bench);
	}
}

/* A software map is nobody's but the CPUs'. */
static bool is_shared(const struct bench_mode *mode)
{
	return mode->tables == SP_TABLES_SHARED && mode->cpu != SP_CPU_SHADOW;
}

int main(void)
{
	static const struct sentence sentences[] = {
		SENTENCE(release_is_last_in_every_order),
		SENTENCE(in_some_order_release_comes_too_early),
		SENTENCE_OF(a_table_of_a_shared_tree_waits_for_its_walkers_alone, is_shared),
		SENTENCE(a_unit_whose_last_device_left_is_told_no_more),
	};

	return sentences_run("order", sentences, sizeof(sentences) / sizeof(sentences[0]));
}
