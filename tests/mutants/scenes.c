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
	char byte = 'x';

	return model_dma(bench->model, BENCH_DEVICE, gfn << 12, &byte, 1, write);
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

/* Oracle A for the CPU: it was let in after the right had gone, and what it remembers lets it no more. */
static void must_not_write(struct bench *bench, uint64_t gfn)
{
	if (model_cpu_access(bench->model, 1, gfn, MODEL_WRITE).ok)
		bench_complain(bench, "oracle A: the CPU's write at gfn %#llx arrives",
			       (unsigned long long)gfn);
}

/* Oracle E for the CPUs. */
static void judge_kicks(struct bench *bench, const char *what, bool owed, uint32_t kicks)
{
	if (owed && kicks == 0)
		bench_complain(bench, "oracle E: %s: owed but not told: the CPU in the guest",
			       what);
	if (!owed && kicks)
		bench_complain(bench, "oracle E: %s: not owed: a kick of the CPU in the guest",
			       what);
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
					       .table_order = 9 };
	const char *difference = model_compare(bench->model, &changed);

	if (difference)
		bench_complain(bench, "oracle E: %s: %s", what, difference);
}

/* ---- of the matrix ---- */

static enum model_change change_of(enum bench_change change)
{
	switch (change) {
	case BENCH_MAP:
		return MODEL_CHANGE_LEAF_SET;
	case BENCH_UNMAP:
	case BENCH_UNMAP_LARGE:
		return MODEL_CHANGE_LEAF_CLEARED;
	case BENCH_GRANT:
		return MODEL_CHANGE_RIGHTS_UP;
	case BENCH_REVOKE:
	case BENCH_REVOKE_PIECE:
		return MODEL_CHANGE_RIGHTS_DOWN;
	case BENCH_REPLACE:
		return MODEL_CHANGE_FRAME;
	case BENCH_PUNCH:
		return MODEL_CHANGE_SPLIT;
	case BENCH_UNLINK:
	case BENCH_UNLINK_LAST:
		return MODEL_CHANGE_TABLE_CLEARED;
	case BENCH_MERGE:
	case BENCH_CHANGE_COUNT:
		break;
	}
	return MODEL_CHANGE_COLLAPSE;
}

/* Where absence is remembered the last page of a run has a command of its own before the merge's. */
static void judge_merge(struct bench *bench)
{
	static const uint8_t orders[] = { 0, 9 };
	uint32_t pages = 0;

	for (uint32_t i = 0; i < model_command_count(bench->model); i++) {
		struct model_command command = model_command(bench->model, i);
		char line[160];

		if (command.kind == MODEL_CMD_WAIT)
			continue;
		if (command.kind == MODEL_CMD_IOTLB_PAGES && pages < 2 &&
		    command.order == orders[pages] && command.links == (pages == 1)) {
			pages++;
			continue;
		}
		model_command_text(&command, line, sizeof(line));
		bench_complain(bench, "oracle E: merge: not owed: %s", line);
	}
	if (pages < 2)
		bench_complain(bench, "oracle E: merge: owed but not told: a page and its table");
}

const char *scene_change(struct bench *bench, const struct trial *trial)
{
	const struct bench_mode *mode = bench->config.mode;
	enum model_column column = mode->cpu == SP_CPU_EPT ? MODEL_COLUMN_EPT : MODEL_COLUMN_NPT;

	(void)bench_run(bench, trial->change);
	if (trial->change == BENCH_MERGE && mode->caches_not_present)
		judge_merge(bench);
	if (trial->change == BENCH_REVOKE)
		must_not_write(bench, BENCH_GFN + 1);
	if (!trial->cpu_outside)
		judge_kicks(bench, bench_change_name(trial->change),
			    model_expect(change_of(trial->change), column).cpu,
			    model_cpu_kicks(bench->model, 1));
	return bench_complaint(bench);
}

/* ---- rows that the matrix has not ---- */

const char *scene_link(struct bench *bench, const struct trial *trial)
{
	uint64_t mfn;

	(void)trial;
	(void)map_page(bench, FAR_AWAY, SP_RAM);
	visit(bench, BENCH_GFN);
	bench_settle(bench);
	model_commands_reset(bench->model);
	mfn = map_page(bench, BENCH_GFN, SP_RAM);
	bench_settle(bench);
	compare(bench, "link", MODEL_CHANGE_TABLE_SET, bench->guest->watches[1].name, 0);
	judge_kicks(bench, "link", false, model_cpu_kicks(bench->model, 1));
	must_reach(bench, BENCH_GFN, mfn);
	return bench_complaint(bench);
}

/* Row 7: Sallyport tells at once what might be kept as a debt. */
const char *scene_split(struct bench *bench, const struct trial *trial)
{
	struct sp_result result;
	uint32_t kicks = 0;

	(void)trial;
	bench_map(bench, bench->guest, BENCH_GFN, model_guest_frames(bench->model, 9), LARGE,
		  SP_RAM);
	bench_settle(bench);
	visit(bench, BENCH_GFN + 1);
	model_commands_reset(bench->model);
	while (sp_p2m_set_type(bench->guest, (sp_gfn_t){ BENCH_GFN + 1 }, 1, SP_RAM_READONLY,
			       &result) == SP_BUSY) {
		kicks = model_cpu_kicks(bench->model, 1);
		assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
		bench_leave(bench, bench->guest);
		bench_enter(bench, bench->guest);
	}
	judge_kicks(bench, "split", true, kicks);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	return bench_complaint(bench);
}

/* Uncached becomes write-back; a map that is shared with VT-d cannot hold the first (no such type). */
const char *scene_attribute(struct bench *bench, const struct trial *trial)
{
	uint64_t mfn = model_guest_frame(bench->model);

	(void)trial;
	if (bench->config.mode->cpu == SP_CPU_EPT && bench->config.mode->tables == SP_TABLES_SHARED)
		return NULL;
	(void)map_page(bench, BENCH_GFN + 1, SP_RAM);
	bench_map(bench, bench->guest, BENCH_GFN, mfn, 1, SP_MMIO);
	bench_settle(bench);
	visit(bench, BENCH_GFN);
	model_commands_reset(bench->model);
	bench_map(bench, bench->guest, BENCH_GFN, mfn, 1, SP_RAM);
	judge_kicks(bench, "memory type", true, model_cpu_kicks(bench->model, 1));
	must_reach(bench, BENCH_GFN, mfn);
	return bench_complaint(bench);
}

const char *scene_release(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return bench_run_release(bench);
}

const char *scene_hand_over(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return bench_run_hand_over(bench);
}

/* The second device comes from a quarantine of its own, whose name is forgotten. */
const char *scene_assign(struct bench *bench, const struct trial *trial)
{
	const sp_sbdf_t second = { BENCH_SECOND };
	uint16_t name = function_find(bench->host, second)->quarantine->watches[1].name;

	(void)trial;
	model_commands_reset(bench->model);
	assert_int_equal(sp_device_assign(bench->guest, second), SP_OK);
	compare(bench, "assign", MODEL_CHANGE_ENTRY, name, BENCH_SECOND);
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
		if (!dma(bench, BENCH_GFN + i, true).fault)
			bench_complain(bench, "oracle A: DMA at dfn %#llx arrives",
				       (unsigned long long)(BENCH_GFN + i));
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

/* A unit that never answers has forgotten nothing, however long it takes. */
const char *scene_silent(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	(void)map_page(bench, BENCH_GFN + 1, SP_RAM);
	(void)map_page(bench, BENCH_GFN, SP_RAM);
	visit(bench, BENCH_GFN);
	model_set_answers(bench->model, 0, MODEL_NEVER);
	(void)bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	for (int i = 0; i < 8; i++) {
		(void)sp_progress(bench->host, 1000);
		platform_relax(bench->model);
		model_advance(bench->model, TWO_SECONDS);
	}
	return bench_complaint(bench);
}
