/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/exchange_test.c - exact references, exchange, roles (A3.1 to A3.3, A3.7): the scenes of
 * exchange.c in every mode.
 */
#include "exchange.h"
#include "sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lazy.h"
#include "sync/domain.h"

#define LARGE 512u

static void run_with(const struct bench_config *config, const char *(*scene)(struct bench *bench))
{
	struct bench *bench = bench_make(config);
	const char *complaint = scene(bench);

	if (complaint)
		print_message("%s\n", complaint);
	assert_null(complaint);
	bench_free(bench);
}

static void run(const struct bench_mode *mode, const char *(*scene)(struct bench *bench))
{
	struct bench_config config = { .mode = mode, .counted = true };

	run_with(&config, scene);
	config.adversary = MODEL_ADVERSARY_MAX;
	config.answers = MODEL_LATE;
	run_with(&config, scene);
	config.two_units = config.ats = config.emulator = true;
	config.outsiders = MODEL_LATE;
	run_with(&config, scene);
}

static void an_exchange_with_an_extra_reference_changes_nothing(void **state)
{
	run(*state, exchange_with_one_referred);
}

static void an_exchange_tells_nobody_and_its_pages_reach_nobody(void **state)
{
	run(*state, exchange_of_pages_in_use);
}

static void a_page_takes_a_role_when_its_writers_have_forgotten_it(void **state)
{
	const struct bench_mode *mode = *state;
	struct bench_config config = { .mode = mode, .counted = true, .answers = MODEL_LATE };

	run_with(&config, exchange_role);
	config.adversary = MODEL_ADVERSARY_MAX;
	run_with(&config, exchange_role);
}

static void a_page_that_went_takes_no_role_while_it_may_be_written(void **state)
{
	const struct bench_mode *mode = *state;
	struct bench_config config = { .mode = mode, .counted = true, .answers = MODEL_LATE };

	run_with(&config, exchange_role_of_one_that_went);
}

static struct bench *make(const struct bench_mode *mode)
{
	const struct bench_config config = { .mode = mode, .counted = true };

	return bench_make(&config);
}

static void end(struct bench *bench)
{
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

static uint64_t count_references(const struct bench *bench)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < 16384; i++)
		count += bench->frames[i].references;
	return count;
}

/* Small pages, a large one, a piece of it, a whole table, and what is mapped over what. */
static void references_are_the_leaves_that_there_are(void **state)
{
	struct bench *bench = make(*state);
	uint64_t large = model_guest_frames(bench->model, 9), mfn, other;
	struct sp_result result;

	mfn = lazy_map(bench, BENCH_GFN, 4);
	assert_int_equal(count_references(bench), 5);
	assert_int_equal(exchange_frame(bench, mfn)->references, 1);
	assert_int_equal(exchange_frame(bench, mfn)->writers, 1);
	/* Again the same: no second reference. */
	bench_map(bench, bench->guest, BENCH_GFN, mfn, 1, SP_RAM);
	assert_int_equal(exchange_frame(bench, mfn)->references, 1);
	bench_map(bench, bench->guest, BENCH_GFN, mfn, 1, SP_RAM_READONLY);
	assert_int_equal(exchange_frame(bench, mfn)->references, 1);
	assert_int_equal(exchange_frame(bench, mfn)->writers, 0);
	bench_settle(bench);
	assert_int_equal(exchange_frame(bench, mfn)->stale, 0);
	/* Another in its place. */
	other = model_guest_frame(bench->model);
	bench_map(bench, bench->guest, BENCH_GFN, other, 1, SP_RAM);
	assert_int_equal(exchange_frame(bench, mfn)->references, 0);
	assert_int_equal(exchange_frame(bench, other)->references, 1);
	/* A large page, a piece of it, the rest, all of it as small pages in one store. */
	bench_map(bench, bench->guest, BENCH_GFN + LARGE, large, LARGE, SP_RAM);
	assert_int_equal(count_references(bench), 5 + LARGE);
	(void)lazy_let_go(bench, BENCH_GFN + LARGE + 7, 1);
	assert_int_equal(exchange_frame(bench, large + 7)->references, 0);
	assert_int_equal(exchange_frame(bench, large + 7)->stale, 1);
	assert_int_equal(count_references(bench), 4 + LARGE);
	result.ticket = lazy_let_go(bench, BENCH_GFN + LARGE, LARGE);
	assert_int_equal(count_references(bench), 5);
	assert_int_equal(exchange_frame(bench, large + 9)->stale, 1);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	bench_settle(bench);
	for (uint64_t i = 0; i < LARGE; i++)
		assert_int_equal(exchange_frame(bench, large + i)->stale, 0);
	end(bench);
}

/* A lazy alias: the guest's page table names the frame though nobody uses it. */
static void an_alias_holds_up_an_exchange_until_it_is_cleared(void **state)
{
	struct bench *bench = make(*state);
	sp_mfn_t gone = { lazy_map(bench, BENCH_GFN, 3) };
	sp_mfn_t comes = { model_guest_frame(bench->model) };
	struct sp_result result;

	assert_int_equal(sp_frame_get(bench->host, gone), SP_OK);
	assert_int_equal(sp_memory_exchange(bench->guest, (sp_gfn_t){ BENCH_GFN }, 1, &gone, comes,
					    &result),
			 SP_REFERENCED);
	sp_frame_put(bench->host, gone);
	assert_int_equal(sp_memory_exchange(bench->guest, (sp_gfn_t){ BENCH_GFN }, 1, &gone, comes,
					    &result),
			 SP_OK);
	/* Who comes second finds that it is gone. */
	assert_int_equal(sp_memory_exchange(bench->guest, (sp_gfn_t){ BENCH_GFN }, 1, &gone,
					    (sp_mfn_t){ model_guest_frame(bench->model) }, &result),
			 SP_NOT_FOUND);
	end(bench);
}

static void what_cannot_be_exchanged_is_refused(void **state)
{
	struct bench *bench = make(*state);
	sp_mfn_t gone[2] = { { lazy_map(bench, BENCH_GFN, 3) }, { 0 } };
	sp_mfn_t comes = { model_guest_frames(bench->model, 1) };
	const sp_gfn_t first = { BENCH_GFN }, hole = { BENCH_GFN + 300 };
	struct sp_result result;

	assert_int_equal(sp_memory_exchange(bench->guest, first, 0, gone, comes, &result),
			 SP_INVALID);
	assert_int_equal(sp_memory_exchange(bench->guest, first, SP_STEP_SLOTS + 1, gone, comes,
					    &result),
			 SP_INVALID);
	assert_int_equal(sp_memory_exchange(bench->guest, hole, 1, gone, comes, &result),
			 SP_NOT_FOUND);
	/* The second is another than is there. */
	assert_int_equal(sp_memory_exchange(bench->guest, first, 2, gone, comes, &result),
			 SP_NOT_FOUND);
	/* One that is mapped comes. */
	assert_int_equal(sp_memory_exchange(bench->guest, first, 1, gone, gone[0], &result),
			 SP_INVALID);
	/* Nobody's. */
	assert_int_equal(sp_memory_exchange(bench->guest, first, 1, gone, (sp_mfn_t){ 0x10 },
					    &result),
			 SP_INVALID);
	assert_int_equal(sp_frame_get(bench->host, (sp_mfn_t){ 0x10 }), SP_INVALID);
	assert_int_equal(sp_frame_forbid_write(bench->host, (sp_mfn_t){ 0x10 }), SP_INVALID);
	end(bench);
}

static void a_host_that_does_not_count_exchanges_nothing(void **state)
{
	const struct bench_config config = { .mode = *state };
	struct bench *bench = bench_make(&config);
	sp_mfn_t gone = { lazy_map(bench, BENCH_GFN, 3) };
	struct sp_result result;

	assert_int_equal(sp_memory_exchange(bench->guest, (sp_gfn_t){ BENCH_GFN }, 1, &gone,
					    (sp_mfn_t){ model_guest_frame(bench->model) }, &result),
			 SP_INVALID);
	end(bench);
}

int main(void)
{
	static const struct sentence sentences[] = {
		SENTENCE(an_exchange_with_an_extra_reference_changes_nothing),
		SENTENCE(an_exchange_tells_nobody_and_its_pages_reach_nobody),
		SENTENCE(a_page_takes_a_role_when_its_writers_have_forgotten_it),
		SENTENCE(a_page_that_went_takes_no_role_while_it_may_be_written),
		SENTENCE(references_are_the_leaves_that_there_are),
		SENTENCE(an_alias_holds_up_an_exchange_until_it_is_cleared),
		SENTENCE(what_cannot_be_exchanged_is_refused),
		SENTENCE(a_host_that_does_not_count_exchanges_nothing),
	};

	return sentences_run("exchange", sentences, sizeof(sentences) / sizeof(sentences[0]));
}
