/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/serve_scenes.c - docs/acceptance.md section 5, scene by scene; tests/model/emulator_test.c
 * plays them on sound code, tests/mutants with one thing left out.
 */
#include "serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sync/domain.h"

#define MANY	   1000u
#define FIVE_STEPS 20

static struct sp_result unmap(struct serve *serve, uint64_t at, uint64_t count)
{
	return bench_unmap(serve->bench, serve->bench->guest, BENCH_GFN + at, count);
}

/* By a CPU of the guest's, in its hypercall. */
static struct sp_result unmap_by(struct serve *serve, uint32_t cpu, uint64_t at)
{
	struct sp_result result;

	bench_leave_cpu(serve->bench, serve->bench->guest, cpu);
	model_set_cpu(cpu);
	result = unmap(serve, at, 1);
	model_set_cpu(0);
	return result;
}

static uint32_t guests_cpus(const struct serve *serve)
{
	return serve->bench->config.cpus - 1;
}

static void must(struct serve *serve, bool is_so, const char *what)
{
	if (!is_so)
		bench_complain(serve->bench, "%s", what);
}

static bool is_released(struct serve *serve, uint64_t mfn)
{
	return model_forgotten_times(serve->bench->model, mfn) != 0;
}

/* Nobody is asked anything, everybody may enter, and what went has come back. */
static void must_be_over(struct serve *serve, uint64_t mfn)
{
	for (uint32_t i = 0; i < FIVE_STEPS; i++)
		serve_progress(serve);
	must(serve, is_released(serve, mfn),
	     "oracle E: all that were asked have answered, and the page is not back");
	must(serve, serve_enter(serve) == guests_cpus(serve),
	     "oracle E: all that were asked have answered, and a CPU is refused");
}

/* ---- A4.2: the gate ---- */

const char *serve_gate(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, SERVE_SERVERS);
	uint64_t mfn = serve_map(serve, 2);

	must(serve, serve_enter(serve) == guests_cpus(serve), "nobody can enter");
	(void)unmap(serve, 0, 1);
	for (uint32_t i = 0; i < SERVE_SERVERS; i++) {
		model_deliver_kicks(bench->model);
		must(serve, serve_enter(serve) == 0,
		     "oracle A: a CPU enters before the last server has answered");
		must(serve, !is_released(serve, mfn),
		     "oracle R: the page is back before the last server has answered");
		must(serve, server_step(&serve->server[i]), "oracle E: a server is not told");
		serve_progress(serve);
	}
	must_be_over(serve, mfn);
	return serve_end(serve);
}

/* ---- A4.3: a change by a CPU that never runs the guest ---- */

const char *serve_remote(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 2);

	must(serve, serve_enter(serve) == guests_cpus(serve), "nobody can enter");
	model_commands_reset(bench->model);
	(void)unmap(serve, 0, 1);
	for (uint32_t cpu = 1; cpu < bench->config.cpus; cpu++)
		must(serve, model_cpu_kicks(bench->model, cpu) != 0,
		     "oracle E: a CPU in the guest is not kicked");
	serve_progress(serve);
	must(serve, serve_enter(serve) == 0,
	     "oracle A: a CPU enters before the server has answered");
	must(serve, server_step(&serve->server[0]), "oracle E: the server is not told");
	must_be_over(serve, mfn);
	return serve_end(serve);
}

/*
 * CPU 2 holds up what the CPUs owe, so the next flush only gathers, and asks nobody; CPU 1 came in after
 * that. The gate must have it out all the same.
 */
const char *serve_kick(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 2);
	struct sp_result result;

	bench_map(bench, bench->guest, BENCH_GFN + 64, model_guest_frame(bench->model), 1, SP_MMIO);
	must(serve, bench_try_enter(bench, bench->guest, 2), "CPU 2 cannot enter");
	(void)unmap(serve, 64, 1);
	must(serve, bench_try_enter(bench, bench->guest, 1),
	     "oracle E: the gate is closed for registers that went");
	model_commands_reset(bench->model);
	result = unmap(serve, 0, 1);
	must(serve, model_cpu_kicks(bench->model, 1) != 0,
	     "oracle E: a CPU runs on in its guest while an emulator has what went");
	must(serve, sp_poll(bench->host, result.ticket) == SP_PENDING, "it waits for nobody");
	model_deliver_kicks(bench->model);
	(void)server_step(&serve->server[0]);
	must_be_over(serve, mfn);
	return serve_end(serve);
}

/* It answers at once, and looks again at once. */
const char *serve_early(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 2);

	serve->server[0].is_quick = true;
	(void)unmap(serve, 0, 1);
	must_be_over(serve, mfn);
	return serve_end(serve);
}

/* ---- A4.4: two removals ---- */

const char *serve_two_removals(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 3);
	struct sp_result first, second;
	struct sp_entry entry;

	must(serve, serve_enter(serve) == guests_cpus(serve), "nobody can enter");
	first = unmap_by(serve, 1, 0);
	second = unmap_by(serve, 2, 1);
	model_deliver_kicks(bench->model);
	must(serve, server_step(&serve->server[0]), "oracle E: the server is not told");
	serve_progress(serve);
	must(serve, sp_poll(bench->host, first.ticket) == SP_OK, "the first removal is not paid");
	must(serve, serve_enter(serve) == 0,
	     "oracle A: the answer to the first removal lets a CPU in behind the second");
	must(serve,
	     sp_cpu_enter(bench->guest, &entry) == SP_BUSY &&
		     entry.ticket.number > first.ticket.number &&
		     entry.ticket.number <= second.ticket.number,
	     "oracle A: the gate names another number than the last removal's");
	(void)server_step(&serve->server[0]);
	must_be_over(serve, mfn + 2);
	return serve_end(serve);
}

/* ---- A4.5: a call of several steps ---- */

const char *serve_steps(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 1200);
	struct sp_result result;

	must(serve, serve_enter(serve) == guests_cpus(serve), "nobody can enter");
	/* The ends of tables that stay: page by page, more than a step does. */
	assert_int_equal(sp_p2m_unmap(bench->guest, (sp_gfn_t){ BENCH_GFN + 1 }, 1000, &result),
			 SP_OK);
	assert_in_range(result.done, 1, 999);
	model_deliver_kicks(bench->model);
	must(serve, serve_enter(serve) == 0,
	     "oracle A: a CPU enters between two steps, before the server knows of the first");
	must(serve, server_step(&serve->server[0]), "oracle E: the server is not told of a step");
	must_be_over(serve, mfn + 2);
	return serve_end(serve);
}

/* ---- A4.6: what it says, and what it does ---- */

const char *serve_liar(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 0);
	struct server *server = &serve->server[0];
	uint64_t mfn;

	server->lies = true;
	server_come(serve, server);
	mfn = serve_map(serve, 2);
	(void)unmap(serve, 0, 1);
	must(serve, server_step(server), "oracle E: the server is not told");
	for (uint32_t i = 0; i < FIVE_STEPS; i++)
		serve_progress(serve);
	must(serve, !is_released(serve, mfn),
	     "oracle R: the page is back, and the server that says it has forgotten maps it still");
	must(serve, serve_enter(serve) == 0,
	     "oracle A: a CPU enters on the word of a server alone");
	/* Now it does as it said. */
	(void)server->forgets.forget(server->forgets.argument, &(struct sp_forget){ .all = true });
	must_be_over(serve, mfn);
	must(serve,
	     !model_outsider_access(bench->model, server->outsider.number, BENCH_GFN, MODEL_WRITE)
		      .ok,
	     "oracle A: an emulator's store arrives after its answer");
	return serve_end(serve);
}

/* ---- A4.7: servers come, go and hang ---- */

const char *serve_newcomer(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	struct server *late = &serve->server[1];
	uint64_t mfn = serve_map(serve, 3);

	(void)unmap(serve, 0, 1);
	server_come(serve, late);
	must(serve, !server_step(late),
	     "oracle E: one that just came is asked for what went before");
	(void)server_step(&serve->server[0]);
	must_be_over(serve, mfn);
	/* What it maps from now on it answers for. */
	serve_look(serve, BENCH_GFN + 1);
	(void)unmap(serve, 1, 1);
	model_deliver_kicks(bench->model);
	(void)server_step(&serve->server[0]);
	serve_progress(serve);
	must(serve, !is_released(serve, mfn + 2) && serve_enter(serve) == 0,
	     "oracle R: one that just came is not waited for");
	must(serve, server_step(late), "oracle E: one that just came is not told");
	must_be_over(serve, mfn + 2);
	return serve_end(serve);
}

const char *serve_leaver(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 2);
	uint64_t mfn = serve_map(serve, 2);

	(void)unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	serve_progress(serve);
	must(serve, serve_enter(serve) == 0, "oracle A: a CPU enters while a server hangs");
	server_go(serve, &serve->server[1]);
	must_be_over(serve, mfn);
	return serve_end(serve);
}

const char *serve_hang(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 2);
	uint64_t mfn = serve_map(serve, 2), theirs = model_guest_frame(bench->model);

	bench->other = bench_guest(bench, 2);
	bench_map(bench, bench->other, BENCH_GFN, theirs, 1, SP_RAM);
	(void)unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	(void)bench_unmap(bench, bench->other, BENCH_GFN, 1);
	for (uint32_t i = 0; i < FIVE_STEPS; i++)
		serve_progress(serve);
	must(serve, !is_released(serve, mfn), "oracle R: the page of a server that hangs is back");
	must(serve, serve_enter(serve) == 0, "oracle A: a CPU enters while a server hangs");
	must(serve, is_released(serve, theirs), "oracle E: another domain waits for it too");
	must(serve, bench_try_enter(bench, bench->other, 1),
	     "oracle E: another domain's CPU waits for it too");
	bench_leave_cpu(bench, bench->other, 1);
	(void)server_step(&serve->server[1]);
	must_be_over(serve, mfn);
	return serve_end(serve);
}

/* ---- A4.8: nothing pending, nothing shared written ---- */

struct counted {
	const struct cpu_state *own;
	uint32_t shared;
};

static void count_store(void *argument, const void *at, uint32_t bytes, bool writes)
{
	struct counted *counted = argument;
	uintptr_t first = (uintptr_t)counted->own, place = (uintptr_t)at;

	(void)bytes;
	counted->shared += writes && (place < first || place >= first + sizeof(*counted->own));
}

const char *serve_silence(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	struct counted counted = { .own = &bench->guest->cpu_states[1] };
	struct sp_mapping mapping;
	struct sp_entry entry;

	(void)serve_map(serve, 1);
	(void)unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	bench_settle(bench);
	model_set_cpu(1);
	model_set_hook(bench->model, count_store, &counted);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sp_cpu_enter(bench->guest, &entry), SP_OK);
		sp_cpu_leave(bench->guest, true);
		assert_int_equal(sp_p2m_find(bench->guest, (sp_gfn_t){ BENCH_GFN }, &mapping),
				 SP_NOT_FOUND);
	}
	model_set_hook(bench->model, NULL, NULL);
	model_set_cpu(0);
	must(serve, counted.shared == 0,
	     "oracle E: an exit and an entry store to lines that CPUs share");
	return serve_end(serve);
}

/* ---- A4.9: what is nobody's mapping ---- */

static void retype(struct serve *serve, uint64_t at, enum sp_type type)
{
	struct sp_result result;
	enum sp_status status = SP_BUSY;

	while (status == SP_BUSY) {
		status = sp_p2m_set_type(serve->bench->guest, (sp_gfn_t){ BENCH_GFN + at }, 1, type,
					 &result);
		assert_int_equal(sp_wait(serve->bench->host, result.ticket), SP_OK);
	}
	assert_int_equal(status, SP_OK);
}

static void must_be_asked_of(struct serve *serve, uint64_t requests, const char *what)
{
	bench_settle(serve->bench);
	if (server_word(&serve->server[0], RING_ASKED) != requests)
		bench_complain(serve->bench,
			       "oracle E: an emulator is asked %llu times, not %llu, of %s",
			       (unsigned long long)server_word(&serve->server[0], RING_ASKED),
			       (unsigned long long)requests, what);
}

static void split(struct serve *serve, uint64_t at)
{
	struct sp_result result;

	assert_int_equal(sp_p2m_set_type(serve->bench->guest, (sp_gfn_t){ BENCH_GFN + at }, 1,
					 SP_RAM_READONLY, &result),
			 SP_BUSY);
}

const char *serve_quiet(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t large = model_guest_frames(bench->model, 10),
		 mfn = model_guest_frame(bench->model);

	serve->server[0].is_quick = true;
	bench_map(bench, bench->guest, BENCH_GFN + 2048, mfn, 1, SP_RAM);
	bench_map(bench, bench->guest, BENCH_GFN, large, 511, SP_RAM);
	must_be_asked_of(serve, 0, "pages that came");
	bench_map(bench, bench->guest, BENCH_GFN + 511, large + 511, 1, SP_RAM);
	must_be_asked_of(serve, 0, "a merge");
	bench_map(bench, bench->guest, BENCH_GFN + 600, model_guest_frame(bench->model), 1,
		  SP_MMIO);
	(void)unmap(serve, 600, 1);
	must_be_asked_of(serve, 0, "registers that went");
	split(serve, 3);
	must_be_asked_of(serve, 0, "a split");
	retype(serve, 3, SP_RAM_READONLY);
	must_be_asked_of(serve, 1, "a right that went");
	retype(serve, 3, SP_RAM);
	must_be_asked_of(serve, 1, "a right that came");
	return serve_end(serve);
}

/* ---- A4.10: ranges ---- */

static void must_be_asked(struct serve *serve, const struct server *server, uint64_t requests,
			  uint64_t first, uint64_t count)
{
	uint64_t produced = server_word(server, RING_PRODUCED);
	uint32_t at = 128 + 32 * (uint32_t)((produced + 15) % 16);

	if (server_word(server, RING_ASKED) != requests || produced != requests)
		bench_complain(serve->bench,
			       "oracle E: a server is asked %llu times in %llu entries",
			       (unsigned long long)server_word(server, RING_ASKED),
			       (unsigned long long)produced);
	if (server_word(server, at) != first || server_word(server, at + 8) != count)
		bench_complain(serve->bench, "oracle E: a server is asked for %llu from %#llx on",
			       (unsigned long long)server_word(server, at + 8),
			       (unsigned long long)server_word(server, at));
}

const char *serve_batch(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 2);
	struct server *simple = &serve->server[2];
	uint64_t mfn;

	simple->no_ranges = true;
	server_come(serve, simple);
	mfn = serve_map(serve, MANY);
	/* Its table stays, else all that the table could hold is what goes. */
	bench_map(bench, bench->guest, BENCH_GFN + 1023, model_guest_frame(bench->model), 1,
		  SP_RAM);
	must(serve, serve_enter(serve) == guests_cpus(serve), "nobody can enter");
	sp_batch_begin(bench->guest);
	for (uint32_t i = 0; i < MANY; i++) {
		(void)unmap(serve, i, 1);
		if (i == 0) {
			model_deliver_kicks(bench->model);
			must(serve, serve_enter(serve) == 0,
			     "oracle A: a CPU enters in the midst of a batch");
		}
	}
	sp_batch_end(bench->guest);
	must_be_asked(serve, &serve->server[0], 1, BENCH_GFN, MANY);
	must_be_asked(serve, &serve->server[1], 1, BENCH_GFN, MANY);
	must_be_asked(serve, simple, 1, 0, SP_RING_ALL);
	for (uint32_t i = 0; i < 3; i++)
		(void)server_step(&serve->server[i]);
	must_be_over(serve, mfn);
	return serve_end(serve);
}

const char *serve_all(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 0);
	uint64_t mfn;

	serve->server[0].no_ranges = true;
	server_come(serve, &serve->server[0]);
	mfn = serve_map(serve, 2);
	(void)unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	must_be_over(serve, mfn);
	return serve_end(serve);
}

/* ---- the ring, written by somebody hostile ---- */

const char *serve_future(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	static const uint64_t words[] = { 2, 3, 1ull << 32, 1ull << 63, UINT64_MAX, 0 };
	uint64_t mfn = serve_map(serve, 2);

	(void)unmap(serve, 0, 1);
	for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		server_write(&serve->server[0], RING_ACKNOWLEDGED, words[i]);
		serve_progress(serve);
		must(serve, serve_enter(serve) == 0,
		     "oracle A: a CPU enters on a number of no request");
	}
	must(serve, model_log_count(bench->model, SP_LOG_WARNING) == 1,
	     "a hostile server writes more than one line of the log");
	(void)server_step(&serve->server[0]);
	must_be_over(serve, mfn);
	return serve_end(serve);
}

struct torn {
	struct server *server;
	uint32_t looks;
};

/* Whoever reads twice in a row reads two things. */
static void change_between(void *argument, const void *at, uint32_t bytes, bool writes)
{
	struct torn *torn = argument;

	(void)bytes;
	if (writes || at != torn->server->page + RING_ACKNOWLEDGED)
		return;
	server_write(torn->server, RING_ACKNOWLEDGED, ++torn->looks % 2 ? 1 : UINT64_MAX);
}

const char *serve_twice(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	struct torn torn = { .server = &serve->server[0] };
	uint64_t mfn = serve_map(serve, 3);

	(void)unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	model_set_hook(bench->model, change_between, &torn);
	serve_progress(serve);
	model_set_hook(bench->model, NULL, NULL);
	serve_look(serve, BENCH_GFN + 1);
	(void)unmap(serve, 1, 1);
	for (uint32_t i = 0; i < FIVE_STEPS; i++)
		serve_progress(serve);
	must(serve, serve_enter(serve) == 0,
	     "oracle A: a number that was compared is not the one that was used");
	(void)server_step(&serve->server[0]);
	must_be_over(serve, mfn + 2);
	return serve_end(serve);
}

const char *serve_stale(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 2);

	server_write(&serve->server[0], RING_ACKNOWLEDGED, 1);
	(void)unmap(serve, 0, 1);
	for (uint32_t i = 0; i < FIVE_STEPS; i++)
		serve_progress(serve);
	must(serve, serve_enter(serve) == 0, "oracle A: an answer counts from before the question");
	/* A real one is told from it: the word changes. */
	server_write(&serve->server[0], RING_ACKNOWLEDGED, 0);
	serve_progress(serve);
	(void)server_step(&serve->server[0]);
	must_be_over(serve, mfn);
	return serve_end(serve);
}

const char *serve_index(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 2);

	server_write(&serve->server[0], RING_PRODUCED, 7);
	server_write(&serve->server[0], RING_ASKED, 99);
	(void)unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	must_be_over(serve, mfn);
	return serve_end(serve);
}
