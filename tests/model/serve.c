/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/serve.c - emulators that are told by rings.
 *
 * The ring is read by offsets, as docs/emulators.md gives them, not by the library's own structure.
 */
#include "serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ENTRIES_AT  128u
#define ENTRY_BYTES 32u
#define ENTRIES	    16u

uint64_t server_word(const struct server *server, uint32_t offset)
{
	uint64_t value;

	memcpy(&value, server->page + offset, sizeof(value));
	return value;
}

void server_write(struct server *server, uint32_t offset, uint64_t value)
{
	memcpy(server->page + offset, &value, sizeof(value));
}

/* What is new in the ring, as one request. */
static bool read_ring(struct server *server, struct sp_forget *what)
{
	uint64_t produced = server_word(server, RING_PRODUCED);

	*what = (struct sp_forget){ .number = server_word(server, RING_ASKED) };
	if (server->consumed == produced)
		return false;
	for (; server->consumed != produced; server->consumed++) {
		uint32_t at = ENTRIES_AT + (uint32_t)(server->consumed % ENTRIES) * ENTRY_BYTES;
		struct sp_run run = { server_word(server, at), server_word(server, at + 8) };

		if (run.count == UINT64_MAX)
			what->all = true;
		else if (!server->no_ranges)
			what->run[what->run_count++] = run;
	}
	return true;
}

bool server_step(struct server *server)
{
	struct sp_forget what;

	if (!server->is_there || !read_ring(server, &what))
		return false;
	if (!server->lies)
		(void)server->forgets.forget(server->forgets.argument, &what);
	server_write(server, RING_ACKNOWLEDGED, what.number);
	return true;
}

static void doorbell(void *argument, const struct sp_forget *what)
{
	struct server *server = argument;

	(void)what;
	if (server->is_quick)
		(void)server_step(server);
}

/* The embedder's book is the model's: what it mapped for the server, and the guest has no more. */
static bool holds(void *argument)
{
	const struct server *server = argument;

	return model_outsider_lags(server->outsider.bench->model, server->outsider.number);
}

void server_come(struct serve *serve, struct server *server)
{
	struct sp_server_config config = { .doorbell = doorbell,
					   .holds = server->lies ? holds : NULL,
					   .no_ranges = server->no_ranges,
					   .argument = server };

	if (!server->page)
		server->page = aligned_alloc(SP_FRAME_BYTES, SP_FRAME_BYTES);
	assert_non_null(server->page);
	memset(server->page, 0xee, SP_FRAME_BYTES);
	config.ring = (struct sp_ring *)(void *)server->page;
	server->consumed = 0;
	server->forgets = bench_open_outsider(serve->bench, &server->outsider, MODEL_EMULATOR);
	model_set_outsider_answers(serve->bench->model, server->outsider.number, MODEL_AT_ONCE);
	assert_int_equal(sp_server_add(serve->bench->guest, &config, &server->outsider.observer),
			 SP_OK);
	server->outsider.domain = serve->bench->guest;
	server->is_there = true;
}

void server_go(struct serve *serve, struct server *server)
{
	if (!server->is_there)
		return;
	server->is_there = false;
	server->outsider.domain = NULL;
	model_outsider_remove(serve->bench->model, server->outsider.number);
	sp_observer_remove(server->outsider.observer);
}

struct serve *serve_begin(struct bench *bench, uint32_t count)
{
	struct serve *serve = calloc(1, sizeof(*serve));

	assert_non_null(serve);
	serve->bench = bench;
	serve->count = count;
	for (uint32_t i = 0; i < count; i++)
		server_come(serve, &serve->server[i]);
	return serve;
}

const char *serve_end(struct serve *serve)
{
	struct bench *bench = serve->bench;

	for (uint32_t i = 0; i < SERVE_SERVERS; i++) {
		server_go(serve, &serve->server[i]);
		free(serve->server[i].page);
	}
	free(serve);
	for (uint32_t cpu = 1; cpu < SERVE_CPUS; cpu++)
		if (cpu < bench->config.cpus)
			bench_leave_cpu(bench, bench->guest, cpu);
	return bench_complaint(bench);
}

void serve_progress(struct serve *serve)
{
	for (int i = 0; i < 4; i++) {
		(void)sp_progress(serve->bench->host, 4096);
		platform_relax(serve->bench->model);
	}
	model_look(serve->bench->model);
}

void serve_look(struct serve *serve, uint64_t gfn)
{
	for (uint32_t i = 0; i < SERVE_SERVERS; i++)
		if (serve->server[i].is_there)
			(void)model_outsider_access(serve->bench->model,
						    serve->server[i].outsider.number, gfn,
						    MODEL_WRITE);
}

uint64_t serve_map(struct serve *serve, uint64_t count)
{
	struct bench *bench = serve->bench;
	uint64_t first = model_guest_frames(bench->model, 12);

	for (uint64_t i = 0; i < count; i++)
		bench_map(bench, bench->guest, BENCH_GFN + i, first + 2 * i, 1, SP_RAM);
	/* Keeps the tables. */
	bench_map(bench, bench->guest, BENCH_GFN + 2048, model_guest_frame(bench->model), 1,
		  SP_RAM);
	bench_settle(bench);
	for (uint64_t i = 0; i < count && i < 4; i++)
		serve_look(serve, BENCH_GFN + i);
	model_watch(bench->model, BENCH_GFN);
	model_look(bench->model);
	return first;
}

uint32_t serve_enter(struct serve *serve)
{
	struct bench *bench = serve->bench;
	uint32_t entered = 0;

	for (uint32_t cpu = 1; cpu < bench->config.cpus; cpu++) {
		if (model_cpu_in_guest(bench->model, cpu) ||
		    !bench_try_enter(bench, bench->guest, cpu))
			continue;
		(void)model_cpu_access(bench->model, cpu, BENCH_GFN + 2048, MODEL_READ);
		entered++;
	}
	return entered;
}

struct sp_result serve_unmap(struct serve *serve, uint64_t at, uint64_t count)
{
	return bench_unmap(serve->bench, serve->bench->guest, BENCH_GFN + at, count);
}

uint32_t serve_cpus(const struct serve *serve)
{
	return serve->bench->config.cpus - 1;
}

void serve_must(struct serve *serve, bool is_so, const char *what)
{
	if (!is_so)
		bench_complain(serve->bench, "%s", what);
}

bool serve_has_released(struct serve *serve, uint64_t mfn)
{
	return model_forgotten_times(serve->bench->model, mfn) != 0;
}

/* Nobody is asked anything, everybody may enter, and what went has come back. */
void serve_must_be_over(struct serve *serve, uint64_t mfn)
{
	for (uint32_t i = 0; i < SERVE_PATIENCE; i++)
		serve_progress(serve);
	serve_must(serve, serve_has_released(serve, mfn),
		   "oracle E: all that were asked have answered, and the page is not back");
	serve_must(serve, serve_enter(serve) == serve_cpus(serve),
		   "oracle E: all that were asked have answered, and a CPU is refused");
}
