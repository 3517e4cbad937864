/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/serve_ring.c - scenes of tests/model/serve.h in which somebody hostile writes to the ring.
 */
#include "serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

const char *serve_future(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	static const uint64_t words[] = { 2, 3, 1ull << 32, 1ull << 63, UINT64_MAX, 0 };
	uint64_t mfn = serve_map(serve, 2);

	(void)serve_unmap(serve, 0, 1);
	for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		server_write(&serve->server[0], RING_ACKNOWLEDGED, words[i]);
		serve_progress(serve);
		serve_must(serve, serve_enter(serve) == 0,
			   "oracle A: a CPU enters on a number of no request");
	}
	serve_must(serve, model_log_count(bench->model, SP_LOG_WARNING) == 1,
		   "a hostile server writes more than one line of the log");
	(void)server_step(&serve->server[0]);
	serve_must_be_over(serve, mfn);
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

	(void)serve_unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	model_set_hook(bench->model, change_between, &torn);
	serve_progress(serve);
	model_set_hook(bench->model, NULL, NULL);
	serve_look(serve, BENCH_GFN + 1);
	(void)serve_unmap(serve, 1, 1);
	for (uint32_t i = 0; i < SERVE_PATIENCE; i++)
		serve_progress(serve);
	serve_must(serve, serve_enter(serve) == 0,
		   "oracle A: a number that was compared is not the one that was used");
	(void)server_step(&serve->server[0]);
	serve_must_be_over(serve, mfn + 2);
	return serve_end(serve);
}

const char *serve_stale(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 2);

	server_write(&serve->server[0], RING_ACKNOWLEDGED, 1);
	(void)serve_unmap(serve, 0, 1);
	for (uint32_t i = 0; i < SERVE_PATIENCE; i++)
		serve_progress(serve);
	serve_must(serve, serve_enter(serve) == 0,
		   "oracle A: an answer counts from before the question");
	/* A real one is told from it: the word changes. */
	server_write(&serve->server[0], RING_ACKNOWLEDGED, 0);
	serve_progress(serve);
	(void)server_step(&serve->server[0]);
	serve_must_be_over(serve, mfn);
	return serve_end(serve);
}

const char *serve_index(struct bench *bench)
{
	struct serve *serve = serve_begin(bench, 1);
	uint64_t mfn = serve_map(serve, 2);

	server_write(&serve->server[0], RING_PRODUCED, 7);
	server_write(&serve->server[0], RING_ASKED, 99);
	(void)serve_unmap(serve, 0, 1);
	(void)server_step(&serve->server[0]);
	serve_must_be_over(serve, mfn);
	return serve_end(serve);
}
