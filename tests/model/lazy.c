/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/lazy.c - pages that go lazily, and what may come in between (A3).
 *
 *   page mapped, visited | unmap_lazy: nobody is told | others flush, fill, write | wanted | forgotten
 */
#include "lazy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sync/domain.h"

#define LARGE 512u

/* ---- what scenes are made of ---- */

struct sp_ticket lazy_let_go(struct bench *bench, uint64_t gfn, uint64_t count)
{
	struct sp_result result;

	assert_int_equal(sp_p2m_unmap_lazy(bench->guest, (sp_gfn_t){ gfn }, count, &result), SP_OK);
	assert_int_equal(result.done, count);
	return result.ticket;
}

/* A neighbour keeps the tables. */
uint64_t lazy_map(struct bench *bench, uint64_t gfn, uint64_t count)
{
	uint64_t first = model_guest_frames(bench->model, 10);

	assert_int_not_equal(first, 0);
	for (uint64_t i = 0; i < count; i++)
		bench_map(bench, bench->guest, gfn + i, first + (i * 5 + 1) % (2 * LARGE), 1,
			  SP_RAM);
	bench_map(bench, bench->guest, gfn + count, model_guest_frame(bench->model), 1, SP_RAM);
	bench_settle(bench);
	return first + 1;
}

static void write_by_dma(struct bench *bench, uint64_t gfn)
{
	char byte = 'x';

	for (uint32_t i = 0; i < (bench->config.two_units ? 2u : 1u); i++)
		(void)model_dma(bench->model, BENCH_DEVICE + BENCH_NEXT * i, gfn << 12, &byte, 1,
				true);
}

void lazy_visit(struct bench *bench, uint64_t gfn)
{
	model_watch(bench->model, gfn);
	write_by_dma(bench, gfn);
	if (!model_cpu_in_guest(bench->model, 1))
		bench_enter(bench, bench->guest);
	(void)model_cpu_access(bench->model, 1, gfn, MODEL_WRITE);
	if (bench->emulator.domain)
		(void)model_outsider_access(bench->model, bench->emulator.number, gfn, MODEL_WRITE);
	model_look(bench->model);
}

void lazy_flush_cpu(struct bench *bench)
{
	bench_leave(bench, bench->guest);
	bench->flush_next = true;
	model_set_cpu(1);
	sp_cpu_flushed(bench->guest);
	model_set_cpu(0);
	bench_enter(bench, bench->guest);
}

static void flush_cpu_0(struct bench *bench)
{
	model_set_cpu(0);
	sp_cpu_flushed(bench->guest);
	model_drain(bench->model);
}

void lazy_want(struct bench *bench, struct sp_ticket ticket)
{
	if (sp_poll(bench->host, ticket) == SP_LOST)
		bench_complain(bench, "an observer is lost");
	for (int i = 0; i < 4; i++)
		(void)sp_progress(bench->host, 4096);
	model_look(bench->model);
}

static void get_back(struct bench *bench, struct sp_ticket ticket, uint64_t mfn)
{
	lazy_want(bench, ticket);
	assert_int_equal(sp_wait(bench->host, ticket), SP_OK);
	bench_settle(bench);
	if (model_forgotten_times(bench->model, mfn) != 1)
		bench_complain(bench, "mfn %#llx came back %u times", (unsigned long long)mfn,
			       model_forgotten_times(bench->model, mfn));
}

/* Nobody is told, nobody is kicked, nothing is due, nothing comes back. But an emulator is told at once. */
static void must_be_quiet(struct bench *bench, uint64_t mfn)
{
	bool is_told = bench->emulator.domain != NULL;

	for (int i = 0; i < 4; i++)
		if (sp_progress(bench->host, 4096) != UINT64_MAX && !is_told)
			bench_complain(bench,
				       "oracle E: something is to be done for a lazy change");
	(void)bench_complaint(bench);
	if (!is_told && (model_command_count(bench->model) || model_cpu_kicks(bench->model, 1)))
		bench_complain(bench, "oracle E: somebody is told of a lazy change");
	if (model_forgotten_times(bench->model, mfn))
		bench_complain(bench, "oracle R: mfn %#llx comes back, and nobody was told",
			       (unsigned long long)mfn);
}

/* ---- the scenes ---- */

const char *lazy_unmap(struct bench *bench)
{
	uint64_t mfn = lazy_map(bench, BENCH_GFN + 1, 3);
	const struct model_changed changed = { .change = MODEL_CHANGE_LEAF_CLEARED,
					       .first = BENCH_GFN + 1,
					       .frame = mfn };
	struct sp_mapping mapping;
	struct sp_ticket ticket;

	lazy_visit(bench, BENCH_GFN + 1);
	if (bench->config.cpu_outside)
		bench_leave(bench, bench->guest);
	model_commands_reset(bench->model);
	ticket = lazy_let_go(bench, BENCH_GFN + 1, 1);
	if (sp_p2m_find(bench->guest, (sp_gfn_t){ BENCH_GFN + 1 }, &mapping) != SP_NOT_FOUND)
		bench_complain(bench, "oracle A: a page that went lazily is found");
	must_be_quiet(bench, mfn);
	get_back(bench, ticket, mfn);
	bench_compare(bench, "lazy unmap", MODEL_CHANGE_LEAF_CLEARED, 0, 1);
	bench_judge_kicks(bench, "lazy unmap", bench_cpu_is_owed(bench, MODEL_CHANGE_LEAF_CLEARED));
	bench_judge_outsiders(bench, "lazy unmap", &changed, 0);
	bench_agree(bench, BENCH_GFN + 1);
	return bench_complaint(bench);
}

const char *lazy_tick(struct bench *bench)
{
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 3);
	struct sp_ticket ticket;

	lazy_visit(bench, BENCH_GFN); /* its first entry: with a flush */
	ticket = lazy_let_go(bench, BENCH_GFN, 1);
	flush_cpu_0(bench);
	bench_leave(bench, bench->guest);
	bench_enter(bench, bench->guest);
	if (bench->config.mode->cpu != SP_CPU_SHADOW && !model_cpu_remembers(bench->model, 1, mfn))
		bench_complain(bench, "oracle E: a flush that nobody asked for");
	get_back(bench, ticket, mfn);
	return bench_complaint(bench);
}

const char *lazy_second_page(struct bench *bench)
{
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 4);
	struct sp_ticket ticket;

	lazy_visit(bench, BENCH_GFN);
	(void)lazy_let_go(bench, BENCH_GFN, 1);
	lazy_flush_cpu(bench);
	lazy_visit(bench, BENCH_GFN + 2);
	ticket = lazy_let_go(bench, BENCH_GFN + 2, 1);
	get_back(bench, ticket, mfn);
	return bench_complaint(bench);
}

static void flush_and_fill(struct bench *bench)
{
	bench->meanwhile = NULL;
	lazy_flush_cpu(bench);
	lazy_visit(bench, BENCH_GFN);
}

/* A piece of a large page: the lock is dropped, and a table page is asked for. */
const char *lazy_interrupted(struct bench *bench)
{
	uint64_t first = model_guest_frames(bench->model, 9);
	struct sp_ticket ticket;

	bench_map(bench, bench->guest, BENCH_GFN, first, LARGE, SP_RAM);
	bench_settle(bench);
	lazy_visit(bench, BENCH_GFN);
	bench->meanwhile = flush_and_fill;
	ticket = lazy_let_go(bench, BENCH_GFN, 1);
	assert_null(bench->meanwhile);
	get_back(bench, ticket, first);
	return bench_complaint(bench);
}

/* ---- whoever gets a page finds zeroes ---- */

static void scrub(struct bench *bench, const struct sp_forgotten *run)
{
	for (uint64_t i = 0; i < run->count; i++)
		memset(model_frame_bytes(bench->model, run->first.mfn + i), 0, 4096);
}

const char *lazy_scrub(struct bench *bench)
{
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 3);
	const char *page = model_frame_bytes(bench->model, mfn);
	struct sp_ticket ticket;
	uint32_t waits = 0;

	lazy_visit(bench, BENCH_GFN);
	assert_int_equal(page[0], 'x');
	bench->take_back = scrub;
	ticket = lazy_let_go(bench, BENCH_GFN, 1);
	write_by_dma(bench, BENCH_GFN);
	while (sp_poll(bench->host, ticket) == SP_PENDING && ++waits < 1000) {
		(void)sp_progress(bench->host, 4096);
		write_by_dma(bench, BENCH_GFN);
		platform_relax(bench->model);
		write_by_dma(bench, BENCH_GFN);
	}
	bench_settle(bench);
	write_by_dma(bench, BENCH_GFN);
	bench->take_back = NULL;
	if (page[0])
		bench_complain(bench, "oracle R: a new owner reads what an old writer left");
	get_back(bench, ticket, mfn);
	return bench_complaint(bench);
}
