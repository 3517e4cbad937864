/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/mixed_test.c - an old large page is never remembered beside a small one that differs (X7).
 *
 *   [ 2M            ]  remembered, and not yet paid
 *   [ 4K | 4K | ... ]  one of them with another frame or right: which of the two is used?
 *
 * The unit is late, so what the first change owes is unpaid when the second comes.
 */
#include "sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define LARGE 512u

/* A large page that device and CPU have used; the unit stops answering. */
static struct bench *make(void **state, enum sp_mutant mutant)
{
	const struct bench_config config = { .mode = *state, .adversary = MODEL_ADVERSARY_MAX };
	struct bench *bench = bench_make(&config);
	char byte = 'x';

	bench_map(bench, bench->guest, BENCH_GFN, model_guest_frames(bench->model, 9), LARGE,
		  SP_RAM);
	model_watch(bench->model, BENCH_GFN + 1);
	bench_enter(bench, bench->guest);
	(void)model_dma(bench->model, BENCH_DEVICE, (BENCH_GFN + 1) << 12, &byte, 1, true);
	(void)model_cpu_access(bench->model, 1, BENCH_GFN + 1, MODEL_WRITE);
	assert_int_equal(sp_mutant_choose(bench->host, mutant), SP_OK);
	model_set_answers(bench->model, 0, MODEL_STEPPED);
	return bench;
}

/* The second change was refused: wait, and it is made. */
static void end(struct bench *bench, bool objected)
{
	model_set_answers(bench->model, 0, MODEL_AT_ONCE);
	bench_settle(bench);
	if (!objected)
		assert_null(bench_complaint(bench));
	bench_free(bench);
}

static bool is_mixed(struct bench *bench)
{
	const char *verdict;

	model_drain(bench->model);
	model_look(bench->model);
	verdict = model_verdict(bench->model);
	return verdict && strstr(verdict, "oracle A") && strstr(verdict, "old page of order 9");
}

/* A piece goes, then another loses a right, at once. */
static enum sp_status punch_and_revoke(void **state, enum sp_mutant mutant, bool *mixed)
{
	struct bench *bench = make(state, mutant);
	struct sp_result result = bench_unmap(bench, bench->guest, BENCH_GFN + 7, 1);
	enum sp_status status;

	/* Pieces that go need not wait. */
	result = bench_unmap(bench, bench->guest, BENCH_GFN + 8, 1);
	status = sp_p2m_set_type(bench->guest, (sp_gfn_t){ BENCH_GFN + 1 }, 1, SP_RAM_READONLY,
				 &result);
	*mixed = is_mixed(bench);
	end(bench, *mixed);
	return status;
}

/* All of it goes, then one small page comes, at once. */
static enum sp_status unmap_and_map(void **state, enum sp_mutant mutant, bool *mixed)
{
	struct bench *bench = make(state, mutant);
	uint64_t mfn = model_guest_frame(bench->model);
	struct sp_result result = bench_unmap(bench, bench->guest, BENCH_GFN, LARGE);
	enum sp_status status = sp_p2m_map(bench->guest, (sp_gfn_t){ BENCH_GFN + 1 },
					   (sp_mfn_t){ mfn }, 1, SP_RAM, &result);

	*mixed = is_mixed(bench);
	end(bench, *mixed);
	return status;
}

static void no_piece_changes_while_the_page_it_was_punched_from_is_remembered(void **state)
{
	bool mixed;

	assert_int_equal(punch_and_revoke(state, SP_MUT_NONE, &mixed), SP_BUSY);
	assert_false(mixed);
	assert_int_equal(punch_and_revoke(state, SP_MUT_PUNCH_NOT_AWAITED, &mixed), SP_OK);
	assert_true(mixed);
}

static void no_small_page_comes_where_a_large_one_is_remembered(void **state)
{
	bool mixed;

	assert_int_equal(unmap_and_map(state, SP_MUT_NONE, &mixed), SP_BUSY);
	assert_false(mixed);
	assert_int_equal(unmap_and_map(state, SP_MUT_LARGE_NOT_AWAITED, &mixed), SP_OK);
	assert_true(mixed);
}

static void a_page_does_not_become_small_and_another_in_one_store(void **state)
{
	struct bench *bench = make(state, SP_MUT_SPLIT_DIRECT);
	struct sp_result result;

	assert_int_equal(sp_p2m_set_type(bench->guest, (sp_gfn_t){ BENCH_GFN + 1 }, 1,
					 SP_RAM_READONLY, &result),
			 SP_OK);
	assert_true(is_mixed(bench));
	end(bench, true);
}

/* The CPU owes nothing for it, and remembers the page as it was; what faults there walks again. */
static void a_right_that_came_may_lack_in_the_page_that_is_split(void **state)
{
	const struct bench_config config = { .mode = *state, .adversary = MODEL_ADVERSARY_MAX };
	struct bench *bench = bench_make(&config);
	struct sp_result result;

	bench_map(bench, bench->guest, BENCH_GFN, model_guest_frames(bench->model, 9), LARGE,
		  SP_RAM_READONLY);
	model_watch(bench->model, BENCH_GFN + 1);
	bench_enter(bench, bench->guest);
	assert_true(model_cpu_access(bench->model, 1, BENCH_GFN + 1, MODEL_READ).ok);
	assert_int_equal(sp_p2m_set_type(bench->guest, (sp_gfn_t){ BENCH_GFN }, LARGE, SP_RAM,
					 &result),
			 SP_OK);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	assert_int_equal(sp_p2m_set_type(bench->guest, (sp_gfn_t){ BENCH_GFN + 1 }, 1,
					 SP_RAM_READONLY, &result),
			 SP_BUSY);
	assert_false(is_mixed(bench));
	assert_true(model_cpu_access(bench->model, 1, BENCH_GFN + 2, MODEL_WRITE).ok);
	end(bench, false);
}

/* M4: whole or in pieces, what was large is forgotten with whatever took its place. */
static void a_large_page_is_forgotten_whole_and_in_pieces(void **state)
{
	static const enum bench_change changes[] = { BENCH_UNMAP_LARGE, BENCH_PUNCH,
						     BENCH_REVOKE_PIECE, BENCH_MERGE };

	for (uint32_t i = 0; i < 40; i++) {
		const struct bench_config config = { .mode = *state,
						     .adversary = MODEL_ADVERSARY_RANDOM,
						     .seed = i };
		struct bench *bench = bench_make(&config);
		const char *complaint = bench_run(bench, changes[i % 4]);

		if (complaint)
			print_message("seed %u: %s\n", i, complaint);
		assert_null(complaint);
		bench_free(bench);
	}
}

/* A shadow has no sizes. */
static bool is_walked(const struct bench_mode *mode)
{
	return mode->cpu != SP_CPU_SHADOW;
}

int main(void)
{
	static const struct sentence sentences[] = {
		SENTENCE_OF(no_piece_changes_while_the_page_it_was_punched_from_is_remembered,
			    is_walked),
		SENTENCE_OF(no_small_page_comes_where_a_large_one_is_remembered, is_walked),
		SENTENCE_OF(a_page_does_not_become_small_and_another_in_one_store, is_walked),
		SENTENCE_OF(a_right_that_came_may_lack_in_the_page_that_is_split, is_walked),
		SENTENCE_OF(a_large_page_is_forgotten_whole_and_in_pieces, is_walked),
	};

	return sentences_run("mixed translations", sentences,
			     sizeof(sentences) / sizeof(sentences[0]));
}
