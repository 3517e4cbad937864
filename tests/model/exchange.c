/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/exchange.c - counted frames: exchanged, refused, and given roles (A3.2, A3.3, A3.7).
 */
#include "exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lazy.h"

#define PAGES 8u

struct sp_frame *exchange_frame(struct bench *bench, uint64_t mfn)
{
	return &bench->frames[mfn - (MODEL_RAM_BASE >> 12)];
}

/* What the guest has at BENCH_GFN, and a run of frames that may come there. */
struct pages {
	sp_mfn_t gone[PAGES];
	uint64_t run;
};

static struct pages make_pages(struct bench *bench)
{
	struct pages pages;

	(void)lazy_map(bench, BENCH_GFN, PAGES);
	for (uint64_t i = 0; i < PAGES; i++) {
		struct sp_mapping mapping;

		assert_int_equal(sp_p2m_find(bench->guest, (sp_gfn_t){ BENCH_GFN + i }, &mapping),
				 SP_OK);
		pages.gone[i] = mapping.frame;
	}
	pages.run = model_guest_frames(bench->model, 4);
	return pages;
}

static enum sp_status exchange(struct bench *bench, const struct pages *pages,
			       struct sp_result *result)
{
	return sp_memory_exchange(bench->guest, (sp_gfn_t){ BENCH_GFN }, PAGES, pages->gone,
				  (sp_mfn_t){ pages->run }, result);
}

/* Counts, slots, and what anybody was told: all as it was. */
static void must_be_refused(struct bench *bench, const struct pages *pages)
{
	uint64_t frames = bench->config.ram_frames ? bench->config.ram_frames : 16384;
	size_t bytes = frames * sizeof(*bench->frames);
	struct sp_frame *before = malloc(bytes);
	uint64_t stores = model_slot_stores(bench->model);
	struct sp_result result;

	memcpy(before, bench->frames, bytes);
	model_commands_reset(bench->model);
	if (exchange(bench, pages, &result) != SP_REFERENCED)
		bench_complain(bench, "oracle A: a page that is referred to is exchanged");
	if (memcmp(before, bench->frames, bytes) != 0 || result.done ||
	    model_slot_stores(bench->model) != stores || model_command_count(bench->model) ||
	    model_cpu_kicks(bench->model, 1))
		bench_complain(bench, "oracle A: a refused exchange has changed something");
	free(before);
	for (uint64_t i = 0; i < PAGES; i++)
		bench_agree(bench, BENCH_GFN + i);
}

const char *exchange_with_one_referred(struct bench *bench)
{
	struct pages pages = make_pages(bench);
	struct sp_result result;

	for (uint64_t k = 0; k < PAGES; k++) {
		assert_int_equal(sp_frame_get(bench->host, pages.gone[k]), SP_OK);
		must_be_refused(bench, &pages);
		sp_frame_put(bench->host, pages.gone[k]);
	}
	assert_int_equal(sp_frame_get(bench->host, (sp_mfn_t){ pages.run + 3 }), SP_OK);
	must_be_refused(bench, &pages);
	sp_frame_put(bench->host, (sp_mfn_t){ pages.run + 3 });
	if (bench_complaint(bench))
		return bench_complaint(bench);
	if (exchange(bench, &pages, &result) != SP_OK || result.done != PAGES)
		bench_complain(bench, "oracle A: pages that nobody else refers to stay");
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	for (uint64_t i = 0; i < PAGES; i++)
		bench_agree(bench, BENCH_GFN + i);
	return bench_complaint(bench);
}

const char *exchange_of_pages_in_use(struct bench *bench)
{
	struct pages pages = make_pages(bench);
	struct sp_result result;

	lazy_visit(bench, BENCH_GFN);
	lazy_visit(bench, BENCH_GFN + 5);
	model_commands_reset(bench->model);
	assert_int_equal(exchange(bench, &pages, &result), SP_OK);
	assert_int_equal(result.done, PAGES);
	for (int i = 0; i < 4; i++)
		(void)sp_progress(bench->host, 4096);
	if (!bench->emulator.domain &&
	    (model_command_count(bench->model) || model_cpu_kicks(bench->model, 1)))
		bench_complain(bench, "oracle E: somebody is told of an exchange");
	for (uint64_t i = 0; i < PAGES; i++) {
		if (model_forgotten_times(bench->model, pages.gone[i].mfn))
			bench_complain(bench, "oracle R: what was exchanged comes back too early");
		if (bench_complaint(bench))
			return bench_complaint(bench);
		assert_int_equal(exchange_frame(bench, pages.gone[i].mfn)->references, 0);
		assert_int_equal(exchange_frame(bench, pages.run + i)->references, 1);
		/* Nobody gets hold of it again before all have forgotten it. */
		assert_int_equal(sp_frame_get(bench->host, pages.gone[i]), SP_REFERENCED);
	}
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	bench_settle(bench);
	for (uint64_t i = 0; i < PAGES; i++) {
		struct sp_frame *frame = exchange_frame(bench, pages.gone[i].mfn);

		assert_int_equal(model_forgotten_times(bench->model, pages.gone[i].mfn), 1);
		assert_int_equal(frame->references | frame->writers | frame->stale | frame->marks,
				 0);
		bench_agree(bench, BENCH_GFN + i);
	}
	return bench_complaint(bench);
}

/* ---- roles ---- */

/* Asks for the role until it is given; then nobody may reach the frame to write it. */
static void take_role(struct bench *bench, uint64_t mfn, struct sp_ticket ticket)
{
	char byte = 'y', *page = model_frame_bytes(bench->model, mfn);
	enum sp_status status = sp_frame_forbid_write(bench->host, (sp_mfn_t){ mfn });
	bool waited = status == SP_BUSY;

	if (status == SP_BUSY) {
		assert_int_equal(sp_wait(bench->host, ticket), SP_OK);
		bench_settle(bench);
		status = sp_frame_forbid_write(bench->host, (sp_mfn_t){ mfn });
	}
	if (status != SP_OK)
		bench_complain(bench, "oracle A: a page that nobody writes gets no role");
	page[0] = 0;
	(void)model_dma(bench->model, BENCH_DEVICE, BENCH_GFN << 12, &byte, 1, true);
	if (page[0])
		bench_complain(bench, "oracle A: a page whose role forbids it is written");
	if (!waited)
		bench_complain(bench, "oracle A: a role was given at once");
}

const char *exchange_role(struct bench *bench)
{
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 3);
	struct sp_result result;

	lazy_visit(bench, BENCH_GFN);
	assert_int_equal(sp_frame_forbid_write(bench->host, (sp_mfn_t){ mfn }), SP_REFERENCED);
	assert_int_equal(sp_p2m_set_type(bench->guest, (sp_gfn_t){ BENCH_GFN }, 1, SP_RAM_READONLY,
					 &result),
			 SP_OK);
	take_role(bench, mfn, result.ticket);
	assert_int_equal(exchange_frame(bench, mfn)->references, 1);
	if (sp_p2m_set_type(bench->guest, (sp_gfn_t){ BENCH_GFN }, 1, SP_RAM, &result) !=
	    SP_REFERENCED)
		bench_complain(bench, "oracle A: a page whose role forbids it may be written");
	sp_frame_permit_write(bench->host, (sp_mfn_t){ mfn });
	return bench_complaint(bench);
}

const char *exchange_role_of_one_that_went(struct bench *bench)
{
	uint64_t mfn = lazy_map(bench, BENCH_GFN, 3);
	struct sp_ticket ticket;

	lazy_visit(bench, BENCH_GFN);
	ticket = lazy_let_go(bench, BENCH_GFN, 1);
	take_role(bench, mfn, ticket);
	sp_frame_permit_write(bench->host, (sp_mfn_t){ mfn });
	return bench_complaint(bench);
}
