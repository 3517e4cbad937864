/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/buffer_test.c - a CPU that enters while another asks, each with stores that only it sees
 * yet (A3.4).
 *
 *   CPU 1 enters                            CPU 0 asks
 *   in_guest = 1, in its buffer             slot, number: in its buffer
 *   [full barrier]                          [full barrier]
 *   reads the number                        reads in_guest
 *
 * Without the first barrier CPU 0 sees nobody, and the page goes while CPU 1 remembers it. Without the
 * second CPU 1 enters on the old number and CPU 0 has looked already: nobody kicks.
 */
#include "sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define LOOKS 1000u

static struct bench *make(void **state)
{
	const struct bench_config config = { .mode = *state, .adversary = MODEL_ADVERSARY_MAX };

	return bench_make(&config);
}

/* CPU 1 has been in the guest and remembers the page there. */
static uint64_t map_and_visit(struct bench *bench, struct sp_domain *guest)
{
	uint64_t mfn = model_guest_frame(bench->model);

	bench_map(bench, guest, BENCH_GFN, mfn, 1, SP_RAM);
	model_watch(bench->model, BENCH_GFN);
	bench_enter(bench, guest);
	assert_true(model_cpu_access(bench->model, 1, BENCH_GFN, MODEL_WRITE).ok);
	bench_leave(bench, guest);
	assert_true(model_cpu_remembers(bench->model, 1, mfn));
	return mfn;
}

static struct sp_ticket unmap(struct sp_domain *guest)
{
	struct sp_result result;

	assert_int_equal(sp_p2m_unmap(guest, (sp_gfn_t){ BENCH_GFN }, 1, &result), SP_OK);
	return result.ticket;
}

/* What an oracle says where CPU 1 enters first; the text is good until the next call. */
static const char *enter_then_ask(void **state, enum sp_mutant mutant)
{
	static char said[400];
	struct bench *bench = make(state);

	(void)map_and_visit(bench, bench->guest);
	assert_int_equal(sp_mutant_choose(bench->host, mutant), SP_OK);
	bench_enter(bench, bench->guest);
	(void)unmap(bench->guest);
	(void)sp_progress(bench->host, 1000);
	bench_settle(bench);
	snprintf(said, sizeof(said), "%s", bench_complaint(bench) ? bench_complaint(bench) : "");
	bench_free(bench);
	return said;
}

static void a_cpu_that_enters_is_seen_by_who_asks(void **state)
{
	assert_string_equal(enter_then_ask(state, SP_MUT_NONE), "");
}

static void without_the_barrier_of_the_entry_a_page_goes_too_early(void **state)
{
	const char *said = enter_then_ask(state, SP_MUT_ENTER_WITHOUT_BARRIER);

	assert_non_null(strstr(said, "oracle R"));
	assert_non_null(strstr(said, "cpu 1 in its guest"));
}

struct outcome {
	enum sp_status status;
	uint32_t kicks;
	bool still_runs;
};

/* No device is with this guest: a unit's register would drain what CPU 0 stored. */
static struct outcome ask_then_enter(void **state, enum sp_mutant mutant)
{
	struct bench *bench = make(state);
	struct outcome outcome;
	struct sp_ticket ticket;
	uint64_t mfn;

	bench->other = bench_guest(bench, 2);
	mfn = map_and_visit(bench, bench->other);
	model_commands_reset(bench->model);
	assert_int_equal(sp_mutant_choose(bench->host, mutant), SP_OK);
	ticket = unmap(bench->other);
	bench_enter(bench, bench->other);
	for (uint32_t i = 0; i < LOOKS; i++) {
		(void)sp_progress(bench->host, 1000);
		platform_relax(bench->model);
	}
	outcome = (struct outcome){ .status = sp_poll(bench->host, ticket),
				    .kicks = model_cpu_kicks(bench->model, 1),
				    .still_runs = model_cpu_in_guest(bench->model, 1) };
	assert_int_equal(model_forgotten_times(bench->model, mfn), outcome.status == SP_OK);
	bench_leave(bench, bench->other);
	bench_settle(bench);
	assert_null(bench_complaint(bench));
	bench_free(bench);
	return outcome;
}

static void a_cpu_that_enters_behind_the_number_flushes(void **state)
{
	struct outcome outcome = ask_then_enter(state, SP_MUT_NONE);

	assert_int_equal(outcome.status, SP_OK);
	assert_true(outcome.still_runs && outcome.kicks == 0);
}

/* Safe, for nothing is released; but nobody would ever make it leave. */
static void without_the_barriers_of_the_number_nobody_kicks(void **state)
{
	struct outcome outcome = ask_then_enter(state, SP_MUT_ASK_WITHOUT_BARRIER);

	assert_int_equal(outcome.status, SP_PENDING);
	assert_true(outcome.still_runs && outcome.kicks == 0);
}

int main(void)
{
	static const struct sentence sentences[] = {
		SENTENCE(a_cpu_that_enters_is_seen_by_who_asks),
		SENTENCE(without_the_barrier_of_the_entry_a_page_goes_too_early),
		SENTENCE(a_cpu_that_enters_behind_the_number_flushes),
		SENTENCE(without_the_barriers_of_the_number_nobody_kicks),
	};

	return sentences_run("store buffers", sentences, sizeof(sentences) / sizeof(sentences[0]));
}
