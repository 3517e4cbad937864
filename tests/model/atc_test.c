/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/atc_test.c - functions that keep translations in a cache of their own (ATS), behind both
 * vendors' units. What each change owes them is judged by matrix_test.c.
 */
#include "sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define AMDVI_SHARED 0
#define VTD_SHARED   3

static const sp_sbdf_t device = { BENCH_DEVICE };

static struct bench *make(void **state, enum model_adversary adversary)
{
	const struct bench_config config = {
		.mode = *state, .adversary = adversary, .ats = true, .seed = 7
	};

	return bench_make(&config);
}

static struct model_dma write_byte(struct bench *bench, uint64_t gfn)
{
	char byte = 'x';

	return model_dma(bench->model, BENCH_DEVICE, gfn << 12, &byte, 1, true);
}

/* A page that the device's own cache knows. */
static uint64_t map_warm(struct bench *bench)
{
	uint64_t mfn = model_guest_frame(bench->model);

	bench_map(bench, bench->guest, BENCH_GFN, mfn, 1, SP_RAM);
	assert_false(write_byte(bench, BENCH_GFN).fault);
	assert_true(model_atc_remembers(bench->model, BENCH_DEVICE, mfn));
	return mfn;
}

static bool is_on(struct bench *bench)
{
	struct sp_function_info info;
	uint32_t index = 0;

	while (sp_function_info(bench->host, index, &info) == SP_OK &&
	       info.sbdf.sbdf != BENCH_DEVICE)
		index++;
	assert_true(info.has_ats);
	assert_int_equal(info.ats, model_ats_is_on(bench->model, BENCH_DEVICE));
	return info.ats;
}

static void ats_is_for_assigned_functions_that_are_quiet(void **state)
{
	struct bench *bench = make(state, MODEL_ADVERSARY_NONE);

	assert_true(is_on(bench));
	assert_int_equal(sp_device_set_ats(bench->host, device, true), SP_OK);
	assert_int_equal(sp_device_set_ats(bench->host, device, false), SP_BUSY);
	assert_int_equal(sp_device_set_ats(bench->host, (sp_sbdf_t){ BENCH_SECOND }, true),
			 SP_INVALID);
	assert_int_equal(sp_device_set_ats(bench->host, (sp_sbdf_t){ 0x1234 }, true), SP_NOT_FOUND);
	assert_false(model_ats_is_on(bench->model, BENCH_SECOND));
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

static void a_machine_without_ats_refuses_it(void **state)
{
	const struct bench_config config = { .mode = *state };
	struct bench *bench = bench_make(&config);

	assert_int_equal(sp_device_set_master(bench->host, device, false), SP_OK);
	assert_int_equal(sp_device_set_ats(bench->host, device, true), SP_UNSUPPORTED);
	bench_free(bench);
}

static void ats_that_is_switched_off_leaves_nothing_behind(void **state)
{
	struct bench *bench = make(state, MODEL_ADVERSARY_MAX);
	uint64_t mfn = map_warm(bench);

	assert_int_equal(sp_device_set_master(bench->host, device, false), SP_OK);
	assert_int_equal(sp_device_set_ats(bench->host, device, false), SP_OK);
	assert_false(is_on(bench));
	assert_false(model_atc_remembers(bench->model, BENCH_DEVICE, mfn));
	assert_int_equal(sp_device_set_master(bench->host, device, true), SP_OK);
	assert_true(write_byte(bench, BENCH_GFN).maddr >> 12 == mfn);
	model_commands_reset(bench->model);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	bench_settle(bench);
	for (uint32_t i = 0; i < model_command_count(bench->model); i++)
		assert_int_not_equal(model_command(bench->model, i).kind, MODEL_CMD_ATC);
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

static void every_move_ends_with_ats_off(void **state)
{
	struct bench *bench = make(state, MODEL_ADVERSARY_MAX);
	uint64_t mfn = map_warm(bench);

	assert_int_equal(sp_device_release(bench->guest, device), SP_OK);
	assert_false(is_on(bench));
	assert_false(model_atc_remembers(bench->model, BENCH_DEVICE, mfn));
	assert_int_equal(sp_device_assign(bench->guest, device), SP_OK);
	assert_false(is_on(bench));
	assert_int_equal(sp_device_set_ats(bench->host, device, true), SP_OK);
	bench->other = bench_guest(bench, 2);
	assert_int_equal(sp_device_hand_over(bench->guest, bench->other, device), SP_OK);
	assert_false(is_on(bench));
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

/* Oracle R alone: what the model says, whatever the commands were. */
static const char *verdict_of_unmap(void **state, enum sp_mutant mutant)
{
	struct bench *bench = make(state, MODEL_ADVERSARY_MAX);
	static char verdict[300];

	(void)map_warm(bench);
	assert_int_equal(sp_mutant_choose(bench->host, mutant), SP_OK);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	bench_settle(bench);
	snprintf(verdict, sizeof(verdict), "%s",
		 model_verdict(bench->model) ? model_verdict(bench->model) : "");
	bench_free(bench);
	return verdict;
}

static void a_page_is_released_when_the_device_has_forgotten_it(void **state)
{
	assert_string_equal(verdict_of_unmap(state, SP_MUT_NONE), "");
	assert_non_null(strstr(verdict_of_unmap(state, SP_MUT_ATC_UNPAID), "its own cache"));
}

static void a_cache_told_before_its_unit_fills_again(void **state)
{
	assert_non_null(strstr(verdict_of_unmap(state, SP_MUT_ATC_BEFORE_IOTLB), "its own cache"));
}

/* M11: only the device's answer says that what it had translated itself has landed. */
static void a_translated_transfer_lands_before_its_page_is_released(void **state)
{
	struct bench *bench = make(state, MODEL_ADVERSARY_NONE);
	uint64_t mfn = map_warm(bench);
	uint32_t transfer = model_dma_start(bench->model, BENCH_DEVICE, BENCH_GFN << 12, "y", 1);

	assert_int_not_equal(transfer, 0);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	bench_settle(bench);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	assert_false(model_dma_finish(bench->model, transfer));
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

/* A1.16: the unit is lost, the page waits; once the device was reset, the unit comes back. */
static void a_device_that_does_not_answer_is_no_completion(void **state)
{
	struct bench *bench = make(state, MODEL_ADVERSARY_MAX);
	uint64_t mfn = map_warm(bench);
	struct sp_result result;

	model_silence_atc(bench->model, BENCH_DEVICE, true);
	result = bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_LOST);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 0);
	assert_int_equal(sp_unit_recover(bench->host, 0), SP_LOST);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 0);
	assert_int_equal(sp_device_release(bench->guest, device), SP_LOST);
	assert_false(is_on(bench));
	assert_int_equal(sp_unit_recover(bench->host, 0), SP_OK);
	assert_int_equal(sp_device_release(bench->guest, device), SP_OK);
	bench_settle(bench);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

/* One of each vendor. */
static bool is_shared_by_all(const struct bench_mode *mode)
{
	return mode == &bench_modes[AMDVI_SHARED] || mode == &bench_modes[VTD_SHARED];
}

int main(void)
{
	static const struct sentence sentences[] = {
		SENTENCE_OF(ats_is_for_assigned_functions_that_are_quiet, is_shared_by_all),
		SENTENCE_OF(a_machine_without_ats_refuses_it, is_shared_by_all),
		SENTENCE_OF(ats_that_is_switched_off_leaves_nothing_behind, is_shared_by_all),
		SENTENCE_OF(every_move_ends_with_ats_off, is_shared_by_all),
		SENTENCE_OF(a_page_is_released_when_the_device_has_forgotten_it, is_shared_by_all),
		SENTENCE_OF(a_cache_told_before_its_unit_fills_again, is_shared_by_all),
		SENTENCE_OF(a_translated_transfer_lands_before_its_page_is_released,
			    is_shared_by_all),
		SENTENCE_OF(a_device_that_does_not_answer_is_no_completion, is_shared_by_all),
	};

	return sentences_run("atc", sentences, sizeof(sentences) / sizeof(sentences[0]));
}
