/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/vtd_error_test.c - A1.16: no error of a VT-d unit's queue is a completion.
 *
 *   IQE   a descriptor is not understood    the queue stops      restarted once, everything forgotten
 *   ITE   a device's answer does not come   waits are aborted    the same, the device asked again
 *   ICE   an answer that nobody asked for   nothing stops        cleared; the wait alone counts
 *
 * Either twice before anything was answered, or silence: the unit is lost. Until it recovered, what it or
 * the device may remember stays in limbo; then it comes back once, and nothing is left over.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "iommu/unit.h"
#include "lib/mutant.h"

#define VTD_SHARED 3
#define SECOND_NS  1000000000ull

static const sp_sbdf_t device = { BENCH_DEVICE };

struct scene {
	struct bench *bench;
	uint64_t tables, mfn;
	struct sp_ticket ticket;
};

/* A page that unit and device have in their caches. */
static struct scene begin(enum model_adversary adversary, uint32_t seed, uint64_t patience)
{
	const struct bench_config config = { .mode = &bench_modes[VTD_SHARED],
					     .adversary = adversary,
					     .ats = true,
					     .seed = seed,
					     .unit = { .patience = patience } };
	struct scene scene = { .bench = bench_make(&config) };
	char byte = 'x';

	scene.tables = model_table_frames(scene.bench->model);
	scene.mfn = model_guest_frame(scene.bench->model);
	bench_map(scene.bench, scene.bench->guest, BENCH_GFN, scene.mfn, 1, SP_RAM);
	assert_false(
		model_dma(scene.bench->model, BENCH_DEVICE, BENCH_GFN << 12, &byte, 1, true).fault);
	assert_true(model_atc_remembers(scene.bench->model, BENCH_DEVICE, scene.mfn));
	return scene;
}

static struct scene begin_quietly(void)
{
	return begin(MODEL_ADVERSARY_NONE, 1, 0);
}

static void unmap(struct scene *scene)
{
	scene->ticket = bench_unmap(scene->bench, scene->bench->guest, BENCH_GFN, 1).ticket;
}

static uint32_t released(const struct scene *scene)
{
	return model_forgotten_times(scene->bench->model, scene->mfn);
}

static enum sp_status wait(struct scene *scene)
{
	return sp_wait(scene->bench->host, scene->ticket);
}

static uint32_t warnings(const struct scene *scene)
{
	return model_log_count(scene->bench->model, SP_LOG_WARNING);
}

/* Once released, forgotten by both, and no table page is left. */
static void end(struct scene *scene)
{
	struct bench *bench = scene->bench;

	bench_settle(bench);
	assert_int_equal(released(scene), 1);
	assert_false(model_atc_remembers(bench->model, BENCH_DEVICE, scene->mfn));
	assert_false(model_unit_remembers(bench->model, 0, scene->mfn));
	assert_int_equal(model_table_frames(bench->model), scene->tables);
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

/* The unit stays lost; then it recovers, and all that waited comes back. */
static void recover_and_end(struct scene *scene)
{
	uint64_t names = scene->bench->host->units[0]->names[0];

	for (int i = 0; i < 50; i++)
		(void)sp_progress(scene->bench->host, 1000);
	assert_int_equal(released(scene), 0);
	model_set_answers(scene->bench->model, 0, MODEL_AT_ONCE);
	assert_int_equal(sp_unit_recover(scene->bench->host, 0), SP_OK);
	assert_int_equal(wait(scene), SP_OK);
	assert_int_equal(scene->bench->host->units[0]->names[0], names);
	end(scene);
}

/* --- IQE ------------------------------------------------------------------------------------- */

static void a_descriptor_that_is_not_understood_is_no_completion(void **state)
{
	struct scene scene = begin_quietly();

	(void)state;
	model_fail_next(scene.bench->model, 0, MODEL_ERROR_DESCRIPTOR);
	unmap(&scene);
	assert_int_equal(released(&scene), 0);
	assert_int_equal(wait(&scene), SP_OK);
	assert_int_equal(warnings(&scene), 1);
	end(&scene);
}

static void a_queue_that_errs_again_before_an_answer_is_lost(void **state)
{
	struct scene scene = begin_quietly();

	(void)state;
	model_set_answers(scene.bench->model, 0, MODEL_STEPPED);
	unmap(&scene);
	for (int i = 0; i < 2; i++) {
		model_fail_next(scene.bench->model, 0, MODEL_ERROR_DESCRIPTOR);
		assert_int_equal(model_step(scene.bench->model, 0, 100), 0);
		(void)sp_progress(scene.bench->host, 1000);
	}
	assert_int_equal(wait(&scene), SP_LOST);
	recover_and_end(&scene);
}

/* Once a wait was answered, the next error is the first again. */
static void each_answer_allows_one_more_restart(void **state)
{
	struct scene scene = begin_quietly();

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		uint64_t gfn = BENCH_GFN + 4096 + i;

		bench_map(scene.bench, scene.bench->guest, gfn,
			  model_guest_frame(scene.bench->model), 1, SP_RAM);
		model_fail_next(scene.bench->model, 0, MODEL_ERROR_DESCRIPTOR);
		scene.ticket = bench_unmap(scene.bench, scene.bench->guest, gfn, 1).ticket;
		assert_int_equal(wait(&scene), SP_OK);
		assert_int_equal(warnings(&scene), i + 1);
	}
	unmap(&scene);
	end(&scene);
}

/* --- ITE ------------------------------------------------------------------------------------- */

static void an_answer_that_was_lost_is_asked_for_again(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 16; seed++) {
		struct scene scene = begin(MODEL_ADVERSARY_MAX, seed, 0);

		model_fail_next(scene.bench->model, 0, MODEL_ERROR_TIMEOUT);
		unmap(&scene);
		assert_int_equal(released(&scene), 0);
		assert_int_equal(wait(&scene), SP_OK);
		assert_int_equal(warnings(&scene), 1);
		end(&scene);
	}
}

/* Waits behind it may have been fetched, and are aborted: how many, the seed says. */
static void a_device_that_never_answers_loses_its_unit_and_frees_nothing(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 16; seed++) {
		struct scene scene = begin(MODEL_ADVERSARY_MAX, seed, SECOND_NS / 100);

		model_silence_atc(scene.bench->model, BENCH_DEVICE, true);
		unmap(&scene);
		assert_int_equal(wait(&scene), SP_LOST);
		assert_int_equal(released(&scene), 0);
		assert_int_equal(sp_unit_recover(scene.bench->host, 0), SP_LOST);
		assert_true(model_atc_remembers(scene.bench->model, BENCH_DEVICE, scene.mfn));
		model_silence_atc(scene.bench->model, BENCH_DEVICE, false);
		recover_and_end(&scene);
	}
}

static void an_answer_that_comes_late_is_a_completion(void **state)
{
	struct scene scene = begin(MODEL_ADVERSARY_MAX, 3, SECOND_NS / 2);

	(void)state;
	model_silence_atc(scene.bench->model, BENCH_DEVICE, true);
	unmap(&scene);
	for (int i = 0; i < 20; i++)
		(void)sp_progress(scene.bench->host, 1000);
	assert_int_equal(released(&scene), 0);
	model_silence_atc(scene.bench->model, BENCH_DEVICE, false);
	assert_int_equal(wait(&scene), SP_OK);
	assert_int_equal(warnings(&scene), 0);
	end(&scene);
}

/* The unit waits longer than we do: silence; the wait that it answers after all is an old one. */
static void an_answer_after_the_deadline_says_nothing_of_what_came_later(void **state)
{
	struct scene scene = begin(MODEL_ADVERSARY_MAX, 4, 100 * SECOND_NS);

	(void)state;
	model_silence_atc(scene.bench->model, BENCH_DEVICE, true);
	unmap(&scene);
	assert_int_equal(wait(&scene), SP_LOST);
	assert_int_equal(sp_unit_recover(scene.bench->host, 0), SP_LOST);
	model_silence_atc(scene.bench->model, BENCH_DEVICE, false);
	recover_and_end(&scene);
}

/* --- ICE ------------------------------------------------------------------------------------- */

static void an_answer_that_nobody_asked_for_stops_nothing(void **state)
{
	struct scene scene = begin_quietly();

	(void)state;
	model_set_answers(scene.bench->model, 0, MODEL_LATE);
	model_misdirect_atc(scene.bench->model, BENCH_DEVICE, true);
	for (uint32_t i = 0; i < 20; i++) {
		bench_map(scene.bench, scene.bench->guest, BENCH_GFN + 4096,
			  model_guest_frame(scene.bench->model), 1, SP_RAM);
		scene.ticket =
			bench_unmap(scene.bench, scene.bench->guest, BENCH_GFN + 4096, 1).ticket;
		assert_int_equal(wait(&scene), SP_OK);
	}
	/* People are told once, however often a device does it. */
	assert_int_equal(warnings(&scene), 1);
	model_misdirect_atc(scene.bench->model, BENCH_DEVICE, false);
	unmap(&scene);
	end(&scene);
}

static void an_answer_to_nothing_does_not_stand_for_the_one_that_is_owed(void **state)
{
	struct scene scene = begin(MODEL_ADVERSARY_MAX, 5, SECOND_NS / 10);

	(void)state;
	model_misdirect_atc(scene.bench->model, BENCH_DEVICE, true);
	model_silence_atc(scene.bench->model, BENCH_DEVICE, true);
	unmap(&scene);
	assert_int_equal(wait(&scene), SP_LOST);
	assert_int_equal(released(&scene), 0);
	model_misdirect_atc(scene.bench->model, BENCH_DEVICE, false);
	model_silence_atc(scene.bench->model, BENCH_DEVICE, false);
	recover_and_end(&scene);
}

/* --- what it is told ------------------------------------------------------------------------- */

/* ECAP.DIT: with the physical function that the cache is of; else those bits are reserved (IQE). */
static void a_unit_that_throttles_is_told_whose_function_it_is(void **state)
{
	(void)state;
	for (int throttles = 0; throttles < 2; throttles++) {
		const struct bench_config config = { .mode = &bench_modes[VTD_SHARED],
						     .ats = true,
						     .unit = { .throttles = throttles } };
		struct bench *bench = bench_make(&config);

		bench_map(bench, bench->guest, BENCH_GFN, model_guest_frame(bench->model), 1,
			  SP_RAM);
		assert_int_equal(sp_wait(bench->host,
					 bench_unmap(bench, bench->guest, BENCH_GFN, 1).ticket),
				 SP_OK);
		assert_int_equal(model_log_count(bench->model, SP_LOG_WARNING), 0);
		assert_null(bench_complaint(bench));
		bench_free(bench);
	}
}

/* --- all of them ----------------------------------------------------------------------------- */

static void churn(struct bench *bench, uint32_t turns)
{
	for (uint32_t i = 0; i < turns; i++) {
		uint64_t mfn = model_guest_frame(bench->model), gfn = BENCH_GFN + i % 3;
		char byte = 'x';

		bench_map(bench, bench->guest, gfn, mfn, 1, SP_RAM);
		assert_int_equal(
			model_dma(bench->model, BENCH_DEVICE, gfn << 12, &byte, 1, true).maddr >>
				12,
			mfn);
		if (i % 4 == 3)
			assert_int_equal(
				sp_wait(bench->host,
					bench_unmap(bench, bench->guest, BENCH_GFN, 1).ticket),
				SP_OK);
	}
}

/* Errors come by the seed, never two before an answer: so no unit is ever lost, and nothing goes wrong. */
static void errors_at_random_lose_nothing(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 24; seed++) {
		const struct bench_config config = {
			.mode = &bench_modes[VTD_SHARED + seed % 3],
			.adversary = MODEL_ADVERSARY_RANDOM,
			.answers = seed % 2 ? MODEL_LATE : MODEL_AT_ONCE,
			.ats = true,
			.seed = seed,
			.unit = { .queue_errors = true, .patience = seed % 4 * SECOND_NS / 100 },
		};
		struct bench *bench = bench_make(&config);

		churn(bench, 40);
		bench_settle(bench);
		assert_true(model_log_count(bench->model, SP_LOG_WARNING) > 0);
		assert_int_equal(model_lost_count(bench->model), 0);
		if (bench_complaint(bench))
			print_message("seed %u: %s\n", seed, bench_complaint(bench));
		assert_null(bench_complaint(bench));
		bench_free(bench);
	}
}

/* The error is cleared, the queue runs on, and the wait is stored: of nothing. */
static bool releases_too_early(enum model_queue_error error, enum sp_mutant mutant)
{
	struct scene scene = begin(MODEL_ADVERSARY_MAX, 6, 0);
	bool objected;

	assert_int_equal(sp_mutant_choose(scene.bench->host, mutant), SP_OK);
	model_fail_next(scene.bench->model, 0, error);
	unmap(&scene);
	assert_int_equal(wait(&scene), SP_OK);
	bench_settle(scene.bench);
	objected = model_verdict(scene.bench->model) != NULL;
	if (objected) {
		print_message("as it should: %s\n", model_verdict(scene.bench->model));
		assert_memory_equal(model_verdict(scene.bench->model), "oracle R", 8);
	}
	bench_free(scene.bench);
	return objected;
}

static void an_error_that_is_only_cleared_is_believed_too_early(void **state)
{
	(void)state;
	assert_false(releases_too_early(MODEL_ERROR_DESCRIPTOR, SP_MUT_NONE));
	assert_true(releases_too_early(MODEL_ERROR_DESCRIPTOR, SP_MUT_ERROR_CLEARED));
	assert_false(releases_too_early(MODEL_ERROR_TIMEOUT, SP_MUT_NONE));
	assert_true(releases_too_early(MODEL_ERROR_TIMEOUT, SP_MUT_ERROR_CLEARED));
}

/* The function of a unit whose device is silent is taken back once it was reset. */
static void a_silent_device_is_released_when_its_reset_made_it_answer(void **state)
{
	struct scene scene = begin(MODEL_ADVERSARY_MAX, 7, 0);

	(void)state;
	model_silence_atc(scene.bench->model, BENCH_DEVICE, true);
	unmap(&scene);
	assert_int_equal(wait(&scene), SP_LOST);
	assert_int_equal(sp_device_release(scene.bench->guest, device), SP_LOST);
	assert_int_equal(sp_unit_recover(scene.bench->host, 0), SP_OK);
	assert_int_equal(sp_device_release(scene.bench->guest, device), SP_OK);
	bench_settle(scene.bench);
	assert_int_equal(released(&scene), 1);
	assert_null(bench_complaint(scene.bench));
	bench_free(scene.bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_descriptor_that_is_not_understood_is_no_completion),
		cmocka_unit_test(a_queue_that_errs_again_before_an_answer_is_lost),
		cmocka_unit_test(each_answer_allows_one_more_restart),
		cmocka_unit_test(an_answer_that_was_lost_is_asked_for_again),
		cmocka_unit_test(a_device_that_never_answers_loses_its_unit_and_frees_nothing),
		cmocka_unit_test(an_answer_that_comes_late_is_a_completion),
		cmocka_unit_test(an_answer_after_the_deadline_says_nothing_of_what_came_later),
		cmocka_unit_test(an_answer_that_nobody_asked_for_stops_nothing),
		cmocka_unit_test(an_answer_to_nothing_does_not_stand_for_the_one_that_is_owed),
		cmocka_unit_test(a_unit_that_throttles_is_told_whose_function_it_is),
		cmocka_unit_test(errors_at_random_lose_nothing),
		cmocka_unit_test(an_error_that_is_only_cleared_is_believed_too_early),
		cmocka_unit_test(a_silent_device_is_released_when_its_reset_made_it_answer),
	};

	return cmocka_run_group_tests_name("VT-d queue errors", tests, NULL, NULL);
}
