/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/scenes.c - what happens in a trial.
 *
 * Each scene begins from an old state that device and CPU have been through, makes one change, and asks
 * the oracles.
 */
#include "scenes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "memory.h"
#include "pci/function.h"
#include "sync/domain.h"

#define LARGE	    512u
#define FAR_AWAY    (BENCH_GFN + 4 * LARGE) /* keeps the tables above alive */
#define MANY	    (2 * DEBT_RANGES)
#define TWO_SECONDS 2000000000ull

/* ---- what every scene does ---- */

static struct model_dma dma(struct bench *bench, uint64_t gfn, bool write)
{
	return bench_dma(bench, BENCH_DEVICE, gfn, write);
}

/* Device and CPU go by one page; what the tables say of it may be remembered from now on. */
static void visit(struct bench *bench, uint64_t gfn)
{
	(void)dma(bench, gfn, false);
	(void)dma(bench, gfn, true);
	if (!model_cpu_in_guest(bench->model, 1))
		bench_enter(bench, bench->guest);
	(void)model_cpu_access(bench->model, 1, gfn, MODEL_READ);
	model_watch(bench->model, gfn);
	model_look(bench->model);
}

static uint64_t map_page(struct bench *bench, uint64_t gfn, enum sp_type type)
{
	uint64_t mfn = model_guest_frame(bench->model);

	bench_map(bench, bench->guest, gfn, mfn, 1, type);
	return mfn;
}

/* Oracle A for one page that must be there. */
static void must_reach(struct bench *bench, uint64_t gfn, uint64_t mfn)
{
	struct model_dma done = dma(bench, gfn, true);

	if (done.fault || done.maddr >> 12 != mfn)
		bench_complain(bench, "oracle A: DMA at dfn %#llx does not reach mfn %#llx",
			       (unsigned long long)gfn, (unsigned long long)mfn);
}

static void must_not_reach(struct bench *bench, uint64_t gfn)
{
	if (!dma(bench, gfn, true).fault)
		bench_complain(bench, "oracle A: DMA at dfn %#llx arrives",
			       (unsigned long long)gfn);
}

static void compare(struct bench *bench, const char *what, enum model_change change,
		    uint32_t domain, uint32_t requester)
{
	const struct model_changed changed = { .change = change,
					       .domain = domain,
					       .requester = requester,
					       .first = BENCH_GFN,
					       .old_order = 9,
					       .new_order = 9,
					       .table_order = 9,
					       .atc_count = bench->config.ats &&
							    requester != BENCH_SECOND,
					       .atc = { BENCH_DEVICE } };
	const char *difference = model_compare(bench->model, &changed);

	if (difference)
		bench_complain(bench, "oracle E: %s: %s", what, difference);
}

/* ---- of the matrix ---- */

const char *scene_change(struct bench *bench, const struct trial *trial)
{
	return bench_run(bench, trial->change);
}

/* ---- of tests/model/serve.h and lazy.h ---- */

const char *scene_serve(struct bench *bench, const struct trial *trial)
{
	return trial->serve(bench);
}

/* ---- devices that move ---- */

/* What a device remembers of a page must be gone when the page goes, wherever the device is. */
static void unmap_warm_page(struct bench *bench)
{
	struct sp_result result = bench_unmap(bench, bench->guest, BENCH_GFN, 1);

	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	bench_settle(bench);
}

const char *scene_release(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	(void)bench_run_release(bench);
	unmap_warm_page(bench);
	return bench_complaint(bench);
}

const char *scene_hand_over(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	(void)bench_run_hand_over(bench);
	unmap_warm_page(bench);
	return bench_complaint(bench);
}

/* The second device comes from a quarantine of its own, where it was denied what it now may reach. */
const char *scene_assign(struct bench *bench, const struct trial *trial)
{
	const sp_sbdf_t second = { BENCH_SECOND };
	uint16_t name = function_find(bench->host, second)->quarantine->watches[1].name;
	uint64_t mfn = map_page(bench, BENCH_GFN, SP_RAM);

	(void)trial;
	assert_int_equal(sp_device_set_master(bench->host, second, true), SP_OK);
	if (!bench_dma(bench, BENCH_SECOND, BENCH_GFN, true).fault)
		bench_complain(bench, "oracle A: a device in quarantine reaches a guest");
	model_commands_reset(bench->model);
	assert_int_equal(sp_device_assign(bench->guest, second), SP_OK);
	compare(bench, "assign", MODEL_CHANGE_ENTRY, name, BENCH_SECOND);
	assert_int_equal(sp_device_set_master(bench->host, second, true), SP_OK);
	if (bench_dma(bench, BENCH_SECOND, BENCH_GFN, true).maddr >> 12 != mfn)
		bench_complain(bench, "oracle A: an assigned device does not reach its guest");
	return bench_complaint(bench);
}

/* The device's own entry says that its cache is used no more: what is in it must be gone. */
const char *scene_ats_off(struct bench *bench, const struct trial *trial)
{
	const sp_sbdf_t device = { BENCH_DEVICE };

	(void)trial;
	if (!bench->config.ats)
		return NULL;
	(void)map_page(bench, BENCH_GFN + 1, SP_RAM);
	(void)map_page(bench, BENCH_GFN, SP_RAM);
	visit(bench, BENCH_GFN);
	assert_int_equal(sp_device_set_master(bench->host, device, false), SP_OK);
	model_commands_reset(bench->model);
	assert_int_equal(sp_device_set_ats(bench->host, device, false), SP_OK);
	compare(bench, "ATS off", MODEL_CHANGE_ENTRY, bench->guest->watches[1].name, BENCH_DEVICE);
	assert_int_equal(sp_device_set_master(bench->host, device, true), SP_OK);
	unmap_warm_page(bench);
	return bench_complaint(bench);
}

/* ---- orders of events ---- */

/* A table without a present slot, as others might leave one: the engine itself makes none. */
static void link_empty_table(struct bench *bench)
{
	const struct tree *tree = &bench->guest->watches[1].map->tree;
	const struct format *format = tree->format;
	uint64_t table = tree->root.mfn, *slot = NULL, *empty;
	sp_mfn_t page;

	for (uint32_t level = tree->levels; level-- > 1;) {
		slot = platform_pointer(bench->model, (sp_mfn_t){ table });
		slot += BENCH_GFN >> span_order(format, level) & BITS(format->slots_order - 1, 0);
		table = slot_frame(format, load64(slot));
	}
	assert_int_equal(load64(slot), 0);
	assert_int_equal(platform_frames_take(bench->model, 0, 0, &page), SP_OK);
	empty = platform_pointer(bench->model, page);
	for (uint32_t i = 0; i < LARGE; i++)
		store64(&empty[i], 0);
	bench->guest->tables_used++;
	store64(slot, page.mfn << 12 | format->link[1]);
}

const char *scene_childless(struct bench *bench, const struct trial *trial)
{
	struct sp_result result;

	(void)trial;
	(void)map_page(bench, FAR_AWAY, SP_RAM);
	bench_settle(bench);
	link_empty_table(bench);
	visit(bench, BENCH_GFN);
	model_commands_reset(bench->model);
	result = bench_unmap(bench, bench->guest, BENCH_GFN, LARGE);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	bench_settle(bench);
	compare(bench, "empty table", MODEL_CHANGE_TABLE_CLEARED, bench->guest->watches[1].name, 0);
	return bench_complaint(bench);
}

const char *scene_write_buffer(struct bench *bench, const struct trial *trial)
{
	uint64_t mfn;

	(void)trial;
	(void)map_page(bench, BENCH_GFN + 1, SP_RAM);
	mfn = map_page(bench, BENCH_GFN, SP_RAM);
	must_reach(bench, BENCH_GFN, mfn);
	return bench_complaint(bench);
}

/* Every second page of a region goes, one change each, while the first change is still under way. */
static void unmap_scattered(struct bench *bench, uint32_t count)
{
	for (uint64_t i = 0; i < 2 * count; i++)
		(void)map_page(bench, BENCH_GFN + i, SP_RAM);
	bench_settle(bench);
	for (uint64_t i = 0; i < 2 * count; i++)
		visit(bench, BENCH_GFN + i);
	for (uint64_t i = 0; i < 2 * count; i += 2)
		(void)bench_unmap(bench, bench->guest, BENCH_GFN + i, 1);
	bench_settle(bench);
	for (uint64_t i = 0; i < 2 * count; i += 2)
		must_not_reach(bench, BENCH_GFN + i);
}

const char *scene_gather(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	unmap_scattered(bench, 2);
	return bench_complaint(bench);
}

const char *scene_many_ranges(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	unmap_scattered(bench, MANY);
	return bench_complaint(bench);
}

/* ---- what is joined while a post is under way ---- */

/* The first is told at once; the other two touch, and are told as one. */
const char *scene_join_spans(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	for (uint64_t i = 0; i < 4; i++)
		(void)map_page(bench, BENCH_GFN + i, SP_RAM);
	bench_settle(bench);
	for (uint64_t i = 0; i < 4; i++)
		visit(bench, BENCH_GFN + i);
	for (uint64_t i = 0; i < 3; i++)
		(void)bench_unmap(bench, bench->guest, BENCH_GFN + i, 1);
	bench_settle(bench);
	must_not_reach(bench, BENCH_GFN + 2);
	return bench_complaint(bench);
}

/* Note n1: a page, and beside it a table that goes, are told as one, links and all. */
const char *scene_join_links(struct bench *bench, const struct trial *trial)
{
	static const uint64_t pages[] = { 0, 1, LARGE - 1, LARGE };

	(void)trial;
	(void)map_page(bench, FAR_AWAY, SP_RAM);
	for (int i = 0; i < 4; i++)
		(void)map_page(bench, BENCH_GFN + pages[i], SP_RAM);
	bench_settle(bench);
	for (int i = 0; i < 4; i++)
		visit(bench, BENCH_GFN + pages[i]);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN + LARGE - 1, 1);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN + LARGE, LARGE);
	bench_settle(bench);
	must_not_reach(bench, BENCH_GFN + LARGE);
	return bench_complaint(bench);
}

/* More requester ids than a debt can name: each of them forgets its entry. */
const char *scene_many_entries(struct bench *bench, const struct trial *trial)
{
	uint32_t functions = 1u << trial->phantom;
	char byte = 'x';

	(void)map_page(bench, BENCH_GFN + 1, SP_RAM);
	(void)map_page(bench, BENCH_GFN, SP_RAM);
	for (uint32_t i = 0; i < functions; i++)
		(void)model_dma_phantom(bench->model, BENCH_DEVICE, i, BENCH_GFN << 12, &byte, 1,
					true);
	assert_int_equal(sp_device_release(bench->guest, (sp_sbdf_t){ BENCH_DEVICE }), SP_OK);
	assert_int_equal(sp_device_set_master(bench->host, (sp_sbdf_t){ BENCH_DEVICE }, true),
			 SP_OK);
	for (uint32_t i = 0; i < functions; i++)
		if (!model_dma_phantom(bench->model, BENCH_DEVICE, i, BENCH_GFN << 12, &byte, 1,
				       true)
			     .fault)
			bench_complain(bench,
				       "oracle A: function number %u of a released device arrives",
				       i);
	return bench_complaint(bench);
}

/* ---- who is waited for, who is told ---- */

const char *scene_orders(struct bench *bench, const struct trial *trial)
{
	uint32_t orders;

	(void)trial;
	return bench_run_orders(bench, &orders);
}

const char *scene_alone(struct bench *bench, const struct trial *trial)
{
	return bench_run_alone(bench, trial->change);
}

/* ---- names and maps that are used again: rows 11 and 12 ---- */

const char *scene_reuse(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return bench_run_reuse(bench);
}

/*
 * A device leaves, and with it the unit's name for its guest, and the guest's map where that was the
 * unit's own. The next guest's device gets the name, and may reach nothing by what is remembered under
 * it.
 */
const char *scene_next_owner(struct bench *bench, const struct trial *trial)
{
	const sp_sbdf_t second = { BENCH_SECOND };

	(void)trial;
	(void)map_page(bench, BENCH_GFN + 1, SP_RAM);
	(void)map_page(bench, BENCH_GFN, SP_RAM);
	visit(bench, BENCH_GFN);
	assert_int_equal(sp_device_release(bench->guest, (sp_sbdf_t){ BENCH_DEVICE }), SP_OK);
	bench->other = bench_guest(bench, 2);
	assert_int_equal(sp_device_assign(bench->other, second), SP_OK);
	assert_int_equal(sp_device_set_master(bench->host, second, true), SP_OK);
	if (!bench_dma(bench, BENCH_SECOND, BENCH_GFN, true).fault)
		bench_complain(bench, "oracle A: a device reaches a guest that is not its own");
	bench_leave(bench, bench->guest);
	unmap_warm_page(bench);
	return bench_complaint(bench);
}

/* ---- who does not answer ---- */

static void let_time_pass(struct bench *bench)
{
	for (int i = 0; i < 8; i++) {
		(void)sp_progress(bench->host, 1000);
		platform_relax(bench->model);
		model_advance(bench->model, TWO_SECONDS);
	}
}

/* A device whose cache does not answer: VT-d says so (ITE) and stands still, AMD-Vi stands still. */
const char *scene_silent_cache(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	(void)map_page(bench, BENCH_GFN + 1, SP_RAM);
	(void)map_page(bench, BENCH_GFN, SP_RAM);
	visit(bench, BENCH_GFN);
	model_silence_atc(bench->model, BENCH_DEVICE, true);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	let_time_pass(bench);
	return bench_complaint(bench);
}

/* What the unit would execute next is no command any more. */
static void spoil_queue(struct bench *bench)
{
	bool vtd = bench->config.mode->vendor == MODEL_VTD;
	uint64_t base = model_unit_base(bench->model, 0);
	uint64_t ring =
		platform_mmio_read(bench->model, (sp_maddr_t){ base + (vtd ? 0x90 : 0x08) }, 8);
	uint64_t head =
		platform_mmio_read(bench->model, (sp_maddr_t){ base + (vtd ? 0x80 : 0x2000) }, 8);
	uint8_t *slots =
		platform_pointer(bench->model, (sp_mfn_t){ (ring & 0xffffffffff000) >> 12 });

	store64((uint64_t *)(void *)(slots + head), UINT64_MAX);
	model_drain(bench->model);
}

/* A queue that an error stops is restarted, and stops again: nothing behind the error was executed. */
const char *scene_stopped(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	(void)map_page(bench, BENCH_GFN + 1, SP_RAM);
	(void)map_page(bench, BENCH_GFN, SP_RAM);
	visit(bench, BENCH_GFN);
	model_set_answers(bench->model, 0, MODEL_STEPPED);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	for (int i = 0; i < 4; i++) {
		spoil_queue(bench);
		(void)model_step(bench->model, 0, 1);
		(void)sp_progress(bench->host, 1000);
	}
	model_set_answers(bench->model, 0, MODEL_NEVER);
	let_time_pass(bench);
	return bench_complaint(bench);
}

/* A unit that never answers has forgotten nothing, however long it takes. */
const char *scene_silent(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	(void)map_page(bench, BENCH_GFN + 1, SP_RAM);
	(void)map_page(bench, BENCH_GFN, SP_RAM);
	visit(bench, BENCH_GFN);
	model_set_answers(bench->model, 0, MODEL_NEVER);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	let_time_pass(bench);
	return bench_complaint(bench);
}

/* What stands behind an error was not carried out, whatever the wait then stores. */
const char *scene_error(struct bench *bench, const struct trial *trial)
{
	struct sp_result result;

	(void)trial;
	(void)map_page(bench, BENCH_GFN + 1, SP_RAM);
	(void)map_page(bench, BENCH_GFN, SP_RAM);
	visit(bench, BENCH_GFN);
	model_fail_next(bench->model, 0, MODEL_ERROR_DESCRIPTOR);
	result = bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	if (sp_wait(bench->host, result.ticket) != SP_OK)
		bench_complain(bench, "the unit was lost");
	bench_settle(bench);
	return bench_complaint(bench);
}

/* ---- shadows ---- */

const char *scene_fill_again(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return bench_run_fill_again(bench);
}

const char *scene_shared_by_mistake(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return bench_run_assign(bench);
}
