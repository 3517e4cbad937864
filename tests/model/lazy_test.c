/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/lazy_test.c - pages that go lazily (A3.1, A3.4 to A3.6, A3.8, A3.9): the scenes of lazy.c in
 * every mode, and what is saved.
 *
 *   unmap_lazy     references drop at once; no kick, no command
 *   wanted         who flushed since is left alone, everybody else is told, once for all pages
 *   released       behind the last of them, in every order
 */
#include "lazy.h"
#include "sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sync/domain.h"

#define LARGE 512u

static struct bench *make(const struct bench_mode *mode, enum model_adversary adversary)
{
	const struct bench_config config = { .mode = mode, .adversary = adversary };

	return bench_make(&config);
}

static void end(struct bench *bench)
{
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

static bool is_shadowed(const struct bench *bench)
{
	return bench->config.mode->cpu == SP_CPU_SHADOW;
}

/* ---- the scenes, with every kind of observer ---- */

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
	struct bench_config config = { .mode = mode };

	run_with(&config, scene);
	config.adversary = MODEL_ADVERSARY_MAX;
	run_with(&config, scene);
	config.two_units = config.ats = config.emulator = true;
	config.answers = config.outsiders = MODEL_LATE;
	run_with(&config, scene);
}

static void a_page_that_went_lazily_reaches_nobody_until_all_forgot(void **state)
{
	run(*state, lazy_unmap);
}

static void a_flush_has_the_number_from_before_it(void **state)
{
	run(*state, lazy_tick);
}

static void what_gathers_has_the_stamp_of_its_last_page(void **state)
{
	run(*state, lazy_second_page);
}

static void a_stamp_is_read_when_the_slot_is_stored(void **state)
{
	run(*state, lazy_interrupted);
}

static void a_new_owner_reads_zeroes_whatever_an_old_writer_does(void **state)
{
	run(*state, lazy_scrub);
}

/* ---- who is told, and how often ---- */

static uint32_t count_invalidations(const struct bench *bench)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model_command_count(bench->model); i++) {
		enum model_command_kind kind = model_command(bench->model, i).kind;

		count += kind != MODEL_CMD_WAIT && kind != MODEL_CMD_FORGET;
	}
	return count;
}

/* On shadows it would fill again from what is stale: there every CPU in the guest is asked. */
static void a_cpu_that_flushed_since_is_not_kicked(void **state)
{
	struct bench *bench = make(*state, MODEL_ADVERSARY_MAX);
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 3);
	struct sp_ticket ticket;

	lazy_visit(bench, BENCH_GFN);
	ticket = lazy_let_go(bench, BENCH_GFN, 1);
	lazy_flush_cpu(bench);
	model_commands_reset(bench->model);
	assert_int_equal(sp_wait(bench->host, ticket), SP_OK);
	bench_settle(bench);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	assert_int_equal(model_cpu_kicks(bench->model, 1), is_shadowed(bench));
	/* Nor does it flush once more when it comes again. */
	bench_leave(bench, bench->guest);
	bench_enter(bench, bench->guest);
	assert_int_equal(model_cpu_flushes(bench->model, 1), is_shadowed(bench));
	end(bench);
}

static void a_cpu_outside_its_guest_is_not_kicked_and_flushes_when_it_comes(void **state)
{
	struct bench *bench = make(*state, MODEL_ADVERSARY_MAX);
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 3);
	struct sp_ticket ticket;

	lazy_visit(bench, BENCH_GFN);
	ticket = lazy_let_go(bench, BENCH_GFN, 1);
	bench_leave(bench, bench->guest);
	model_commands_reset(bench->model);
	assert_int_equal(sp_wait(bench->host, ticket), SP_OK);
	bench_settle(bench);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	assert_int_equal(model_cpu_kicks(bench->model, 1), 0);
	bench_enter(bench, bench->guest);
	assert_int_equal(model_cpu_flushes(bench->model, 1), 1);
	end(bench);
}

/* Each page has a stamp of its own, for a CPU flushes between any two; the last one's is asked for. */
static void pages_that_went_at_many_times_cost_one_flush(void **state)
{
	struct bench *bench = make(*state, MODEL_ADVERSARY_NONE);
	uint64_t forgotten = model_forgotten_frames(bench->model);
	struct sp_ticket ticket = { 0 };

	(void)lazy_map(bench, BENCH_GFN, LARGE);
	lazy_visit(bench, BENCH_GFN);
	lazy_visit(bench, BENCH_GFN + LARGE - 1);
	model_commands_reset(bench->model);
	for (uint64_t i = 0; i < LARGE - 1; i++) {
		ticket = lazy_let_go(bench, BENCH_GFN + i, 1);
		sp_cpu_flushed(bench->guest);
	}
	assert_int_equal(model_command_count(bench->model), 0);
	assert_int_equal(sp_wait(bench->host, ticket), SP_OK);
	bench_settle(bench);
	assert_int_equal(model_forgotten_frames(bench->model) - forgotten, LARGE - 1);
	assert_int_equal(model_cpu_kicks(bench->model, 1), 1);
	assert_int_equal(count_invalidations(bench), 1);
	end(bench);
}

/* What is told for another reason is told with it, and then nobody need be told again. */
static void a_change_that_is_told_pays_for_what_went_lazily(void **state)
{
	struct bench *bench = make(*state, MODEL_ADVERSARY_MAX);
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 8);
	struct sp_result result;
	struct sp_ticket ticket;

	lazy_visit(bench, BENCH_GFN);
	ticket = lazy_let_go(bench, BENCH_GFN, 1);
	model_commands_reset(bench->model);
	result = bench_unmap(bench, bench->guest, BENCH_GFN + 4, 1);
	for (int i = 0; i < 8; i++) {
		(void)sp_progress(bench->host, 4096);
		platform_relax(bench->model);
	}
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	assert_int_equal(model_cpu_kicks(bench->model, 1), 1);
	assert_int_equal(count_invalidations(bench), 2); /* two ranges, one wait */
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	assert_int_equal(sp_wait(bench->host, ticket), SP_OK);
	assert_int_equal(count_invalidations(bench), 2);
	end(bench);
}

/* A page that comes where nothing is owed makes nobody pay. */
static void a_page_that_comes_leaves_what_went_lazily_untold(void **state)
{
	struct bench *bench = make(*state, MODEL_ADVERSARY_MAX);
	bool is_told = bench->config.mode->caches_not_present || bench->config.mode->write_buffer;
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 8);
	struct sp_ticket ticket;
	struct sp_result result;

	lazy_visit(bench, BENCH_GFN);
	ticket = lazy_let_go(bench, BENCH_GFN, 1);
	model_commands_reset(bench->model);
	assert_int_equal(sp_p2m_map(bench->guest, (sp_gfn_t){ BENCH_GFN + 20 },
				    (sp_mfn_t){ model_guest_frame(bench->model) }, 1, SP_RAM,
				    &result),
			 SP_OK);
	for (int i = 0; i < 8; i++)
		(void)sp_progress(bench->host, 4096);
	assert_int_equal(count_invalidations(bench) != 0, is_told);
	if (!is_told)
		assert_int_equal(model_forgotten_times(bench->model, mfn), 0);
	assert_int_equal(sp_wait(bench->host, ticket), SP_OK);
	end(bench);
}

/* ---- a clock for each: release comes last ---- */

enum actor {
	CPUS,
	UNIT_0, /* and the cache of its device, behind it */
	UNIT_1,
	EMULATOR,
	ACTORS
};

static void act(struct bench *bench, enum actor actor)
{
	switch (actor) {
	case CPUS:
		model_deliver_kicks(bench->model);
		break;
	case UNIT_0:
	case UNIT_1:
		(void)model_step(bench->model, actor == UNIT_1, 100);
		break;
	case EMULATOR:
		(void)model_outsider_step(bench->model, bench->emulator.number);
		break;
	case ACTORS:
		break;
	}
	for (int i = 0; i < 4; i++)
		(void)sp_progress(bench->host, 4096);
	model_look(bench->model);
}

static void set_answers(struct bench *bench, enum model_answers answers)
{
	model_set_answers(bench->model, 0, answers);
	model_set_answers(bench->model, 1, answers);
	model_set_outsider_answers(bench->model, bench->emulator.number, answers);
}

static void release_comes_last(const struct bench_mode *mode, const enum actor *order)
{
	const struct bench_config config = { .mode = mode,
					     .adversary = MODEL_ADVERSARY_MAX,
					     .answers = MODEL_LATE,
					     .outsiders = MODEL_LATE,
					     .two_units = true,
					     .ats = true,
					     .emulator = true };
	struct bench *bench = bench_make(&config);
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 3);
	struct sp_ticket ticket;

	lazy_visit(bench, BENCH_GFN);
	set_answers(bench, MODEL_STEPPED);
	ticket = lazy_let_go(bench, BENCH_GFN, 1);
	lazy_want(bench, ticket);
	for (uint32_t i = 0; i < ACTORS; i++) {
		assert_int_equal(model_forgotten_times(bench->model, mfn), 0);
		assert_int_equal(sp_poll(bench->host, ticket), SP_PENDING);
		act(bench, order[i]);
	}
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	assert_int_equal(sp_poll(bench->host, ticket), SP_OK);
	set_answers(bench, MODEL_LATE);
	end(bench);
}

static uint32_t try_orders(const struct bench_mode *mode, enum actor *order, uint32_t depth)
{
	uint32_t tried = 0;

	if (depth == ACTORS) {
		release_comes_last(mode, order);
		return 1;
	}
	for (uint32_t i = depth; i < ACTORS; i++) {
		enum actor kept = order[depth];

		order[depth] = order[i];
		order[i] = kept;
		tried += try_orders(mode, order, depth + 1);
		order[i] = order[depth];
		order[depth] = kept;
	}
	return tried;
}

static void a_lazy_page_is_released_behind_the_last_in_every_order(void **state)
{
	enum actor order[ACTORS] = { CPUS, UNIT_0, UNIT_1, EMULATOR };
	const struct bench_mode *mode = *state;

	/* On shadows the CPUs are asked last: observer_test.c has the orders. */
	if (mode->cpu != SP_CPU_SHADOW)
		assert_int_equal(try_orders(mode, order, 0), 24);
}

/* ---- pressure ---- */

/* As many as limbo holds wait untold; one more makes all of them be told, and fails nothing. */
static void a_full_limbo_has_them_told_and_loses_none(void **state)
{
	const struct bench_config config = { .mode = *state, .limbo = 2 * LARGE };
	struct bench *bench = bench_make(&config);
	struct sp_result result = { 0 };
	uint64_t forgotten, pages = 2 * LARGE, busy = 0;

	(void)lazy_map(bench, BENCH_GFN, pages);
	(void)lazy_map(bench, BENCH_GFN + pages, 64);
	forgotten = model_forgotten_frames(bench->model);
	bench_enter(bench, bench->guest);
	/* Every second page goes first: a table stays for as long as its neighbours do. */
	for (uint64_t odd = 0; odd < 2; odd++) {
		for (uint64_t i = odd; i < pages + 64; i += 2) {
			enum sp_status status = sp_p2m_unmap_lazy(
				bench->guest, (sp_gfn_t){ BENCH_GFN + i }, 1, &result);

			if (status == SP_OK)
				continue;
			assert_int_equal(status, SP_BUSY);
			assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
			busy++;
			i -= 2;
		}
	}
	assert_int_equal(busy, 1);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	bench_settle(bench);
	assert_int_equal(model_forgotten_frames(bench->model) - forgotten, pages + 64);
	assert_int_equal(bench->guest->limbo.count, 0);
	end(bench);
}

/* The platform has no page: what waits untold comes back first, and the change is made. */
static void a_refused_page_has_them_told(void **state)
{
	struct bench *bench = make(*state, MODEL_ADVERSARY_NONE);
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 4), next = model_guest_frame(bench->model);
	struct sp_result result;

	(void)lazy_let_go(bench, BENCH_GFN, 1);
	model_refuse_nth_take(bench->model, 1);
	assert_int_equal(sp_p2m_map(bench->guest, (sp_gfn_t){ 0x900000 }, (sp_mfn_t){ next }, 1,
				    SP_RAM, &result),
			 SP_BUSY);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	assert_int_equal(sp_p2m_map(bench->guest, (sp_gfn_t){ 0x900000 }, (sp_mfn_t){ next }, 1,
				    SP_RAM, &result),
			 SP_OK);
	/* Where nothing waits there is nothing to wait for. */
	model_refuse_nth_take(bench->model, 1);
	assert_int_equal(sp_p2m_map(bench->guest, (sp_gfn_t){ 0xa00000 }, (sp_mfn_t){ next }, 1,
				    SP_RAM, &result),
			 SP_NO_MEMORY);
	end(bench);
}

static void a_domain_that_ends_has_them_told(void **state)
{
	struct bench *bench = make(*state, MODEL_ADVERSARY_MAX);
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 3);

	lazy_visit(bench, BENCH_GFN);
	(void)lazy_let_go(bench, BENCH_GFN, 1);
	assert_int_equal(sp_device_release(bench->guest, (sp_sbdf_t){ BENCH_DEVICE }), SP_OK);
	bench_leave(bench, bench->guest);
	bench->other = bench_guest(bench, 2);
	bench_destroy(bench, bench->guest);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	bench->guest = bench->other;
	bench->other = NULL;
	bench->shadows[0] = bench->shadows[1];
	end(bench);
}

int main(void)
{
	static const struct sentence sentences[] = {
		SENTENCE(a_page_that_went_lazily_reaches_nobody_until_all_forgot),
		SENTENCE(a_flush_has_the_number_from_before_it),
		SENTENCE(what_gathers_has_the_stamp_of_its_last_page),
		SENTENCE(a_stamp_is_read_when_the_slot_is_stored),
		SENTENCE(a_new_owner_reads_zeroes_whatever_an_old_writer_does),
		SENTENCE(a_cpu_that_flushed_since_is_not_kicked),
		SENTENCE(a_cpu_outside_its_guest_is_not_kicked_and_flushes_when_it_comes),
		SENTENCE(pages_that_went_at_many_times_cost_one_flush),
		SENTENCE(a_change_that_is_told_pays_for_what_went_lazily),
		SENTENCE(a_page_that_comes_leaves_what_went_lazily_untold),
		SENTENCE(a_lazy_page_is_released_behind_the_last_in_every_order),
		SENTENCE(a_full_limbo_has_them_told_and_loses_none),
		SENTENCE(a_refused_page_has_them_told),
		SENTENCE(a_domain_that_ends_has_them_told),
	};

	return sentences_run("lazy", sentences, sizeof(sentences) / sizeof(sentences[0]));
}
