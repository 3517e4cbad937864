/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/emulator_test.c - emulators of devices that are told by rings, and the gate before the
 * guest: docs/acceptance.md section 5, a test for each statement. `make mutants` plays the same scenes
 * with one thing left out.
 */
#include "serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum mode {
	NPT_SHARED = 0,
	EPT_SEPARATE = 4
};

static struct bench *make(enum mode mode, enum model_adversary adversary, uint32_t cpus)
{
	const struct bench_config config = { .mode = &bench_modes[mode],
					     .adversary = adversary,
					     .answers = MODEL_LATE,
					     .cpus = cpus,
					     .seed = 7 };

	return bench_make(&config);
}

static void play(const char *(*scene)(struct bench *bench), uint32_t cpus)
{
	static const enum mode modes[] = { NPT_SHARED, EPT_SEPARATE };
	static const enum model_adversary adversaries[] = { MODEL_ADVERSARY_NONE,
							    MODEL_ADVERSARY_MAX };

	for (uint32_t i = 0; i < 4; i++) {
		struct bench *bench = make(modes[i % 2], adversaries[i / 2], cpus);
		const char *complaint = scene(bench);

		if (complaint)
			fail_msg("%s, %s", bench_modes[modes[i % 2]].name, complaint);
		bench_free(bench);
	}
}

/* ---- A4.1 ---- */

static const enum bench_change takes[] = {
	BENCH_UNMAP,	     BENCH_UNMAP_LARGE,	 BENCH_UNMAP_HUGE,    BENCH_REPLACE,
	BENCH_REPLACE_LARGE, BENCH_REPLACE_HUGE, BENCH_REPLACE_TABLE, BENCH_PUNCH,
	BENCH_PUNCH_HUGE,    BENCH_UNLINK,	 BENCH_UNLINK_LAST,   BENCH_UNLINK_HUGE,
};

/* Whoever makes the change, and however large the page: each of eight, judged by R and by what it says. */
static void whatever_takes_memory_reaches_every_emulator(void **state)
{
	enum bench_change change = *(const enum bench_change *)*state;
	struct bench *bench = make(NPT_SHARED, MODEL_ADVERSARY_MAX, 2);
	struct serve *serve = serve_begin(bench, SERVE_SERVERS);

	for (uint32_t i = 0; i < SERVE_SERVERS; i++)
		serve->server[i].is_quick = true;
	serve_look(serve, BENCH_GFN);
	(void)bench_run(bench, change);
	for (uint32_t i = 0; i < SERVE_SERVERS; i++)
		if (server_word(&serve->server[i], RING_ASKED) != 1)
			bench_complain(bench, "server %u is asked %llu times", i,
				       (unsigned long long)server_word(&serve->server[i],
								       RING_ASKED));
	assert_null(serve_end(serve));
	bench_free(bench);
}

/* ---- the others, a scene each ---- */

static void no_cpu_enters_before_the_last_emulator_has_answered(void **state)
{
	(void)state;
	for (uint32_t cpus = 2; cpus <= SERVE_CPUS; cpus++)
		play(serve_gate, cpus);
}

/* Relaxed: the CPU that made the change waits, the others run on. */
static void relaxed_the_cpu_that_made_the_change_waits_alone(void **state)
{
	struct bench_config config = { .mode = &bench_modes[EPT_SEPARATE],
				       .cpus = 3,
				       .relaxed = true };
	struct bench *bench = bench_make(&config);
	struct serve *serve = serve_begin(bench, 1);
	struct sp_result result;
	uint64_t mfn = serve_map(serve, 2);

	(void)state;
	bench->not_gated = 1u << 2;
	model_set_cpu(1);
	assert_int_equal(sp_p2m_unmap(bench->guest, (sp_gfn_t){ BENCH_GFN }, 1, &result), SP_OK);
	model_set_cpu(0);
	assert_false(bench_try_enter(bench, bench->guest, 1));
	assert_true(bench_try_enter(bench, bench->guest, 2));
	assert_true(model_cpu_access(bench->model, 2, BENCH_GFN + 1, MODEL_READ).ok);
	bench_leave_cpu(bench, bench->guest, 2);
	serve_progress(serve);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 0);
	assert_true(server_step(&serve->server[0]));
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	assert_true(bench_try_enter(bench, bench->guest, 1));
	assert_null(serve_end(serve));
	bench_free(bench);
}

static void a_remote_change_kicks_and_gates_a_running_domain(void **state)
{
	(void)state;
	play(serve_remote, 2);
	play(serve_remote, 4);
}

static void the_gate_has_cpus_out_that_owe_no_flush(void **state)
{
	(void)state;
	play(serve_kick, 3);
}

static void an_emulator_is_asked_when_the_page_is_gone(void **state)
{
	(void)state;
	play(serve_early, 2);
}

static void each_of_two_removals_waits_for_its_own_answer(void **state)
{
	(void)state;
	play(serve_two_removals, 3);
}

static void a_step_is_told_before_any_return_to_the_guest(void **state)
{
	(void)state;
	play(serve_steps, 2);
}

static void a_page_is_released_when_the_mapping_is_gone_not_when_it_is_said(void **state)
{
	(void)state;
	play(serve_liar, 2);
}

static void an_emulator_that_comes_answers_for_what_goes_from_then_on(void **state)
{
	(void)state;
	play(serve_newcomer, 2);
}

static void an_emulator_that_goes_has_answered(void **state)
{
	(void)state;
	play(serve_leaver, 2);
}

static void an_emulator_that_hangs_gates_its_own_domain_alone(void **state)
{
	(void)state;
	play(serve_hang, 2);
}

static void with_nothing_pending_no_shared_line_is_written(void **state)
{
	(void)state;
	play(serve_silence, 2);
}

static void emulators_hear_of_memory_that_goes_and_of_nothing_else(void **state)
{
	(void)state;
	play(serve_quiet, 2);
}

static void a_thousand_removals_of_a_batch_are_one_request(void **state)
{
	(void)state;
	play(serve_batch, 2);
	play(serve_all, 2);
}

/* ---- the ring ---- */

static void a_number_that_was_not_asked_is_not_believed(void **state)
{
	(void)state;
	play(serve_future, 2);
}

static void what_changes_between_reads_is_read_once(void **state)
{
	(void)state;
	play(serve_twice, 2);
}

static void an_answer_from_before_the_question_does_not_count(void **state)
{
	(void)state;
	play(serve_stale, 2);
}

static void the_places_of_entries_are_the_librarys_own(void **state)
{
	(void)state;
	play(serve_index, 2);
}

static void a_ring_begins_anew_and_in_a_page_of_its_own(void **state)
{
	struct bench *bench = make(NPT_SHARED, MODEL_ADVERSARY_NONE, 2);
	struct serve *serve = serve_begin(bench, 1);
	struct server *server = &serve->server[0];
	struct sp_server_config config = { .ring = NULL };
	struct sp_observer *observer;

	(void)state;
	assert_int_equal(server_word(server, 0), 1 | 16ull << 32);
	for (uint32_t at = 8; at < 128 + 16 * 32; at += 8)
		assert_int_equal(server_word(server, at), 0);
	assert_int_equal(sp_server_add(bench->guest, &config, &observer), SP_INVALID);
	config.ring = (struct sp_ring *)(void *)(server->page + 64);
	assert_int_equal(sp_server_add(bench->guest, &config, &observer), SP_INVALID);
	/* It answers in its ring, and nowhere else. */
	(void)serve_map(serve, 1);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	assert_int_equal(sp_observer_reached(server->outsider.observer, 1), SP_INVALID);
	assert_true(server_step(server));
	bench_settle(bench);
	assert_null(serve_end(serve));
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[64];
	char names[sizeof(takes) / sizeof(takes[0])][96];
	const struct CMUnitTest others[] = {
		cmocka_unit_test(no_cpu_enters_before_the_last_emulator_has_answered),
		cmocka_unit_test(relaxed_the_cpu_that_made_the_change_waits_alone),
		cmocka_unit_test(a_remote_change_kicks_and_gates_a_running_domain),
		cmocka_unit_test(the_gate_has_cpus_out_that_owe_no_flush),
		cmocka_unit_test(an_emulator_is_asked_when_the_page_is_gone),
		cmocka_unit_test(each_of_two_removals_waits_for_its_own_answer),
		cmocka_unit_test(a_step_is_told_before_any_return_to_the_guest),
		cmocka_unit_test(a_page_is_released_when_the_mapping_is_gone_not_when_it_is_said),
		cmocka_unit_test(an_emulator_that_comes_answers_for_what_goes_from_then_on),
		cmocka_unit_test(an_emulator_that_goes_has_answered),
		cmocka_unit_test(an_emulator_that_hangs_gates_its_own_domain_alone),
		cmocka_unit_test(with_nothing_pending_no_shared_line_is_written),
		cmocka_unit_test(emulators_hear_of_memory_that_goes_and_of_nothing_else),
		cmocka_unit_test(a_thousand_removals_of_a_batch_are_one_request),
		cmocka_unit_test(a_number_that_was_not_asked_is_not_believed),
		cmocka_unit_test(what_changes_between_reads_is_read_once),
		cmocka_unit_test(an_answer_from_before_the_question_does_not_count),
		cmocka_unit_test(the_places_of_entries_are_the_librarys_own),
		cmocka_unit_test(a_ring_begins_anew_and_in_a_page_of_its_own),
	};
	size_t count = 0;

	for (; count < sizeof(takes) / sizeof(takes[0]); count++) {
		snprintf(names[count], sizeof(names[count]),
			 "whatever_takes_memory_reaches_every_emulator, %s",
			 bench_change_name(takes[count]));
		tests[count] =
			(struct CMUnitTest){ .name = names[count],
					     .test_func =
						     whatever_takes_memory_reaches_every_emulator,
					     .initial_state = (void *)(uintptr_t)&takes[count] };
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		tests[count++] = others[i];
	return _cmocka_run_group_tests("emulator", tests, count, NULL, NULL);
}
