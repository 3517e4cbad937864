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

#define MANY 1000u

/* By a CPU of the guest's, in its hypercall. */
static struct sp_result unmap_by(struct serve *serve, uint32_t cpu, uint64_t at)
{
	struct sp_result result;

	bench_leave_cpu(serve->bench, serve->bench->guest, cpu);
	model_set_cpu(cpu);
	result = serve_unmap(serve, at, 1);
	model_set_cpu(0);
	return result;
}

/* ---- A4.2: the gate ---- */

const char *serve_gate(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, SERVE_SERVERS);
	uint64_t mfn = serve_map(serve, 2);

	serve_must(serve, serve_enter(serve) == serve_cpus(serve), "nobody can enter");
	(void)serve_unmap(serve, 0, 1);
	for (uint32_t i = 0; i < SERVE_SERVERS; i++) {
		model_deliver_kicks(bench->model);
		serve_must(serve, serve_enter(serve) == 0,
			   "oracle A: a CPU enters before the last server has answered");
		serve_must(serve, !serve_has_released(serve, mfn),
			   "oracle R: the page is back before the last server has answered");
		serve_must(serve, server_step(&serve->server[i]), "oracle E: a server is not told");
		serve_progress(serve);
	}
	serve_must_be_over(serve, mfn);
	return serve_end(serve);
}

/* ---- A4.3: a change by a CPU that never runs the guest ---- */

const char *serve_remote(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 2);

	serve_must(serve, serve_enter(serve) == serve_cpus(serve), "nobody can enter");
	model_commands_reset(bench->model);
	(void)serve_unmap(serve, 0, 1);
	for (uint32_t cpu = 1; cpu < bench->config.cpus; cpu++)
		serve_must(serve, model_cpu_kicks(bench->model, cpu) != 0,
			   "oracle E: a CPU in the guest is not kicked");
	serve_progress(serve);
	serve_must(serve, serve_enter(serve) == 0,
		   "oracle A: a CPU enters before the server has answered");
	serve_must(serve, server_step(&serve->server[0]), "oracle E: the server is not told");
	serve_must_be_over(serve, mfn);
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
	serve_must(serve, bench_try_enter(bench, bench->guest, 2), "CPU 2 cannot enter");
	(void)serve_unmap(serve, 64, 1);
	serve_must(serve, bench_try_enter(bench, bench->guest, 1),
		   "oracle E: the gate is closed for registers that went");
	model_commands_reset(bench->model);
	result = serve_unmap(serve, 0, 1);
	serve_must(serve, model_cpu_kicks(bench->model, 1) != 0,
		   "oracle E: a CPU runs on in its guest while an emulator has what went");
	serve_must(serve, sp_poll(bench->host, result.ticket) == SP_PENDING, "it waits for nobody");
	model_deliver_kicks(bench->model);
	(void)server_step(&serve->server[0]);
	serve_must_be_over(serve, mfn);
	return serve_end(serve);
}

/* It answers at once, and looks again at once. */
const char *serve_early(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 2);

	serve->server[0].is_quick = true;
	(void)serve_unmap(serve, 0, 1);
	serve_must_be_over(serve, mfn);
	return serve_end(serve);
}

/* ---- A4.4: two removals ---- */

const char *serve_two_removals(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 3);
	struct sp_result first, second;
	struct sp_entry entry;

	serve_must(serve, serve_enter(serve) == serve_cpus(serve), "nobody can enter");
	first = unmap_by(serve, 1, 0);
	second = unmap_by(serve, 2, 1);
	model_deliver_kicks(bench->model);
	serve_must(serve, server_step(&serve->server[0]), "oracle E: the server is not told");
	serve_progress(serve);
	serve_must(serve, sp_poll(bench->host, first.ticket) == SP_OK,
		   "the first removal is not paid");
	serve_must(serve, serve_enter(serve) == 0,
		   "oracle A: the answer to the first removal lets a CPU in behind the second");
	serve_must(serve,
		   sp_cpu_enter(bench->guest, &entry) == SP_BUSY &&
			   entry.ticket.number > first.ticket.number &&
			   entry.ticket.number <= second.ticket.number,
		   "oracle A: the gate names another number than the last removal's");
	(void)server_step(&serve->server[0]);
	serve_must_be_over(serve, mfn + 2);
	return serve_end(serve);
}

/* ---- A4.5: a call of several steps ---- */

const char *serve_steps(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 1200);
	struct sp_result result;

	serve_must(serve, serve_enter(serve) == serve_cpus(serve), "nobody can enter");
	/* The ends of tables that stay: page by page, more than a step does. */
	assert_int_equal(sp_p2m_unmap(bench->guest, (sp_gfn_t){ BENCH_GFN + 1 }, 1000, &result),
			 SP_OK);
	assert_in_range(result.done, 1, 999);
	model_deliver_kicks(bench->model);
	serve_must(
		serve, serve_enter(serve) == 0,
		"oracle A: a CPU enters between two steps, before the server knows of the first");
	serve_must(serve, server_step(&serve->server[0]),
		   "oracle E: the server is not told of a step");
	serve_must_be_over(serve, mfn + 2);
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
	(void)serve_unmap(serve, 0, 1);
	serve_must(serve, server_step(server), "oracle E: the server is not told");
	for (uint32_t i = 0; i < SERVE_PATIENCE; i++)
		serve_progress(serve);
	serve_must(
		serve, !serve_has_released(serve, mfn),
		"oracle R: the page is back, and the server that says it has forgotten maps it still");
	serve_must(serve, serve_enter(serve) == 0,
		   "oracle A: a CPU enters on the word of a server alone");
	/* Now it does as it said. */
	(void)server->forgets.forget(server->forgets.argument, &(struct sp_forget){ .all = true });
	serve_must_be_over(serve, mfn);
	serve_must(serve,
		   !model_outsider_access(bench->model, server->outsider.number, BENCH_GFN,
					  MODEL_WRITE)
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

	(void)serve_unmap(serve, 0, 1);
	server_come(serve, late);
	serve_must(serve, !server_step(late),
		   "oracle E: one that just came is asked for what went before");
	(void)server_step(&serve->server[0]);
	serve_must_be_over(serve, mfn);
	/* What it maps from now on it answers for. */
	serve_look(serve, BENCH_GFN + 1);
	(void)serve_unmap(serve, 1, 1);
	model_deliver_kicks(bench->model);
	(void)server_step(&serve->server[0]);
	serve_progress(serve);
	serve_must(serve, !serve_has_released(serve, mfn + 2) && serve_enter(serve) == 0,
		   "oracle R: one that just came is not waited for");
	serve_must(serve, server_step(late), "oracle E: one that just came is not told");
	serve_must_be_over(serve, mfn + 2);
	return serve_end(serve);
}

const char *serve_leaver(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 2);
	uint64_t mfn = serve_map(serve, 2);

	(void)serve_unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	serve_progress(serve);
	serve_must(serve, serve_enter(serve) == 0, "oracle A: a CPU enters while a server hangs");
	server_go(serve, &serve->server[1]);
	serve_must_be_over(serve, mfn);
	return serve_end(serve);
}

const char *serve_hang(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 2);
	uint64_t mfn = serve_map(serve, 2), theirs = model_guest_frame(bench->model);

	bench->other = bench_guest(bench, 2);
	bench_map(bench, bench->other, BENCH_GFN, theirs, 1, SP_RAM);
	(void)serve_unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	(void)bench_unmap(bench, bench->other, BENCH_GFN, 1);
	for (uint32_t i = 0; i < SERVE_PATIENCE; i++)
		serve_progress(serve);
	serve_must(serve, !serve_has_released(serve, mfn),
		   "oracle R: the page of a server that hangs is back");
	serve_must(serve, serve_enter(serve) == 0, "oracle A: a CPU enters while a server hangs");
	serve_must(serve, serve_has_released(serve, theirs),
		   "oracle E: another domain waits for it too");
	serve_must(serve, bench_try_enter(bench, bench->other, 1),
		   "oracle E: another domain's CPU waits for it too");
	bench_leave_cpu(bench, bench->other, 1);
	(void)server_step(&serve->server[1]);
	serve_must_be_over(serve, mfn);
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
	(void)serve_unmap(serve, 0, 1);
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
	serve_must(serve, counted.shared == 0,
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
	(void)serve_unmap(serve, 600, 1);
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
	serve_must(serve, serve_enter(serve) == serve_cpus(serve), "nobody can enter");
	sp_batch_begin(bench->guest);
	for (uint32_t i = 0; i < MANY; i++) {
		(void)serve_unmap(serve, i, 1);
		if (i == 0) {
			model_deliver_kicks(bench->model);
			serve_must(serve, serve_enter(serve) == 0,
				   "oracle A: a CPU enters in the midst of a batch");
		}
	}
	sp_batch_end(bench->guest);
	must_be_asked(serve, &serve->server[0], 1, BENCH_GFN, MANY);
	must_be_asked(serve, &serve->server[1], 1, BENCH_GFN, MANY);
	must_be_asked(serve, simple, 1, 0, SP_RING_ALL);
	for (uint32_t i = 0; i < 3; i++)
		(void)server_step(&serve->server[i]);
	serve_must_be_over(serve, mfn);
	return serve_end(serve);
}

const char *serve_all(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 0);
	uint64_t mfn;

	serve->server[0].no_ranges = true;
	server_come(serve, &serve->server[0]);
	mfn = serve_map(serve, 2);
	(void)serve_unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	serve_must_be_over(serve, mfn);
	return serve_end(serve);
}
