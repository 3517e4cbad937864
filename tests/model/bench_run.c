/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench_run.c - one change from a known old state, judged by the oracles.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sync/domain.h"

#define LARGE 512u

/* What each change begins from, and what section 7 calls it in the device's map. */
static const struct recipe {
	const char *name;
	uint64_t frames; /* of the old state, from BENCH_GFN */
	bool large;	 /* one 2M page; else scattered 4K pages */
	enum sp_type type;
	enum model_change change;
	uint32_t order; /* of the old entry */
	uint32_t at;	/* which frame changes */
} recipes[BENCH_CHANGE_COUNT] = {
	[BENCH_MAP] = { "map", 4, false, SP_RAM, MODEL_CHANGE_LEAF_SET, 0, 9 },
	[BENCH_UNMAP] = { "unmap", 4, false, SP_RAM, MODEL_CHANGE_LEAF_CLEARED, 0, 1 },
	[BENCH_GRANT] = { "grant", 4, false, SP_RAM_READONLY, MODEL_CHANGE_RIGHTS_UP, 0, 1 },
	[BENCH_REVOKE] = { "revoke", 4, false, SP_RAM, MODEL_CHANGE_RIGHTS_DOWN, 0, 1 },
	[BENCH_REPLACE] = { "replace", 4, false, SP_RAM, MODEL_CHANGE_FRAME, 0, 1 },
	[BENCH_UNMAP_LARGE] = { "unmap large", LARGE, true, SP_RAM, MODEL_CHANGE_LEAF_CLEARED, 9,
				0 },
	[BENCH_PUNCH] = { "punch", LARGE, true, SP_RAM, MODEL_CHANGE_SPLIT, 9, 0 },
	[BENCH_REVOKE_PIECE] = { "revoke piece", LARGE, true, SP_RAM, MODEL_CHANGE_SPLIT, 9, 0 },
	[BENCH_UNLINK] = { "unlink", LARGE, false, SP_RAM, MODEL_CHANGE_TABLE_CLEARED, 9, 0 },
	[BENCH_UNLINK_LAST] = { "unlink last", 1, false, SP_RAM, MODEL_CHANGE_TABLE_CLEARED, 9, 0 },
	[BENCH_MERGE] = { "merge", LARGE - 1, true, SP_RAM, MODEL_CHANGE_COLLAPSE, 9, 0 },
};

const char *bench_change_name(enum bench_change change)
{
	return recipes[change].name;
}

/* mfn of each frame of the old state: a 2M run, or frames that no large page could hold. */
static uint64_t frame_of(const struct recipe *recipe, uint64_t run, uint64_t index)
{
	return recipe->large ? run + index : run + (index * 5 + 1) % (2 * LARGE);
}

/* A neighbour keeps the tables above: only the one under test may go. */
static void set_up(struct bench *bench, const struct recipe *recipe, uint64_t run)
{
	bench_map(bench, bench->guest, BENCH_GFN + 4 * LARGE, model_guest_frame(bench->model), 1,
		  SP_RAM);
	if (recipe->large) {
		bench_map(bench, bench->guest, BENCH_GFN, run, recipe->frames, recipe->type);
	} else {
		for (uint64_t i = 0; i < recipe->frames; i++)
			bench_map(bench, bench->guest, BENCH_GFN + i, frame_of(recipe, run, i), 1,
				  recipe->type);
	}
	bench_settle(bench);
}

static struct model_dma dma_of(struct bench *bench, uint32_t sbdf, uint64_t gfn, bool write)
{
	char byte = 'x';

	return model_dma(bench->model, sbdf, gfn << 12, &byte, 1, write);
}

static struct model_dma dma(struct bench *bench, uint64_t gfn, bool write)
{
	return dma_of(bench, BENCH_DEVICE, gfn, write);
}

/* Devices and the CPU go through every page: what may be remembered now is, absence included. */
static void warm(struct bench *bench, uint64_t frames)
{
	bench_enter(bench, bench->guest);
	for (uint64_t i = 0; i < frames || i < 12; i++) {
		for (int write = 0; write < 2; write++) {
			(void)dma(bench, BENCH_GFN + i, write);
			if (bench->config.two_units)
				(void)dma_of(bench, BENCH_SECOND, BENCH_GFN + i, write);
		}
		(void)model_cpu_access(bench->model, 1, BENCH_GFN + i, MODEL_READ);
		if (bench->emulator.domain)
			(void)model_outsider_access(bench->model, bench->emulator.number,
						    BENCH_GFN + i, MODEL_READ);
	}
	model_watch(bench->model, BENCH_GFN);
	model_watch(bench->model, BENCH_GFN + 1);
	model_look(bench->model);
	if (bench->config.cpu_outside)
		bench_leave(bench, bench->guest);
}

static bool device_may(enum sp_type type, bool write)
{
	return type == SP_RAM || (type == SP_RAM_READONLY && !write);
}

/* It maps memory alone; that is all there is in these changes. */
static void agree_emulator(struct bench *bench, uint64_t gfn, const struct sp_mapping *mapping)
{
	uint32_t number = bench->emulator.number;
	struct model_reach reach = model_outsider_access(bench->model, number, gfn, MODEL_WRITE);
	bool may = mapping && mapping->type == SP_RAM;

	if (reach.ok != may)
		bench_complain(bench, "oracle A: an emulator's write at gfn %#llx %s",
			       (unsigned long long)gfn, may ? "is blocked" : "arrives");
	else if (may && reach.mfn != mapping->frame.mfn)
		bench_complain(bench,
			       "oracle A: an emulator at gfn %#llx reaches mfn %#llx, not %#llx",
			       (unsigned long long)gfn, (unsigned long long)reach.mfn,
			       (unsigned long long)mapping->frame.mfn);
}

/* Oracle A: device and CPU reach exactly what the p2m says, for reads and for writes. */
static void agree(struct bench *bench, uint64_t gfn)
{
	struct sp_mapping mapping = { .type = SP_HOLE };
	bool mapped = sp_p2m_find(bench->guest, (sp_gfn_t){ gfn }, &mapping) == SP_OK;

	for (int write = 0; write < 2; write++) {
		struct model_dma done = dma(bench, gfn, write);
		bool may = mapped && device_may(mapping.type, write);

		if (done.fault == may)
			bench_complain(bench, "oracle A: DMA %s at dfn %#llx %s",
				       write ? "write" : "read", (unsigned long long)gfn,
				       may ? "is blocked" : "arrives");
		else if (may && done.maddr >> 12 != mapping.frame.mfn)
			bench_complain(bench,
				       "oracle A: DMA at dfn %#llx reaches mfn %#llx, not %#llx",
				       (unsigned long long)gfn,
				       (unsigned long long)done.maddr >> 12,
				       (unsigned long long)mapping.frame.mfn);
	}
	bench_leave(bench, bench->guest);
	bench_enter(bench, bench->guest);
	if (model_cpu_access(bench->model, 1, gfn, MODEL_READ).ok != mapped)
		bench_complain(bench, "oracle A: the CPU's read at gfn %#llx is wrong",
			       (unsigned long long)gfn);
	if (bench->emulator.domain)
		agree_emulator(bench, gfn, mapped ? &mapping : NULL);
}

/* The change itself, by the public calls. Answers what to wait for. */
static enum sp_status change_once(struct bench *bench, enum bench_change change, uint64_t run,
				  struct sp_result *result)
{
	struct sp_domain *guest = bench->guest;
	const sp_gfn_t first = { BENCH_GFN }, second = { BENCH_GFN + 1 };

	switch (change) {
	case BENCH_MAP:
		return sp_p2m_map(guest, (sp_gfn_t){ BENCH_GFN + 9 },
				  (sp_mfn_t){ run + 2 * LARGE - 1 }, 1, SP_RAM, result);
	case BENCH_GRANT:
		return sp_p2m_set_type(guest, second, 1, SP_RAM, result);
	case BENCH_REVOKE:
	case BENCH_REVOKE_PIECE:
		return sp_p2m_set_type(guest, second, 1, SP_RAM_READONLY, result);
	case BENCH_REPLACE:
		return sp_p2m_map(guest, second, (sp_mfn_t){ run + 2 * LARGE - 1 }, 1, SP_RAM,
				  result);
	case BENCH_UNMAP_LARGE:
	case BENCH_UNLINK:
		return sp_p2m_unmap(guest, first, LARGE, result);
	case BENCH_UNMAP:
	case BENCH_PUNCH:
		return sp_p2m_unmap(guest, second, 1, result);
	case BENCH_UNLINK_LAST:
		return sp_p2m_unmap(guest, first, 1, result);
	case BENCH_MERGE:
		return sp_p2m_map(guest, (sp_gfn_t){ BENCH_GFN + LARGE - 1 },
				  (sp_mfn_t){ run + LARGE - 1 }, 1, SP_RAM, result);
	case BENCH_CHANGE_COUNT:
		break;
	}
	return SP_INVALID;
}

/* Oracle E, over what the unit was told since the reset. */
static void compare(struct bench *bench, const struct recipe *recipe, enum model_change change,
		    uint32_t order, uint32_t at)
{
	const struct model_changed changed = {
		.change = change,
		.domain = bench->guest->watches[1].name,
		.requester = BENCH_DEVICE,
		.first = BENCH_GFN + at,
		.old_order = order,
		.new_order = order,
		.table_order = order,
		.atc_count = bench->config.ats,
		.atc = { BENCH_DEVICE },
	};
	const char *difference = model_compare(bench->model, &changed);

	if (difference)
		bench_complain(bench, "oracle E: %s: %s", recipe->name, difference);
}

/* What shadows and emulators are asked: of frames that go or lose a right, never of a table's shape. */
static const struct {
	enum model_change change;
	uint32_t order, at;
} outside[BENCH_CHANGE_COUNT] = {
	[BENCH_MAP] = { MODEL_CHANGE_LEAF_SET, 0, 9 },
	[BENCH_UNMAP] = { MODEL_CHANGE_LEAF_CLEARED, 0, 1 },
	[BENCH_GRANT] = { MODEL_CHANGE_RIGHTS_UP, 0, 1 },
	[BENCH_REVOKE] = { MODEL_CHANGE_RIGHTS_DOWN, 0, 1 },
	[BENCH_REPLACE] = { MODEL_CHANGE_FRAME, 0, 1 },
	[BENCH_UNMAP_LARGE] = { MODEL_CHANGE_LEAF_CLEARED, 9, 0 },
	[BENCH_PUNCH] = { MODEL_CHANGE_LEAF_CLEARED, 0, 1 },
	[BENCH_REVOKE_PIECE] = { MODEL_CHANGE_RIGHTS_DOWN, 0, 1 },
	[BENCH_UNLINK] = { MODEL_CHANGE_TABLE_CLEARED, 9, 0 },
	[BENCH_UNLINK_LAST] = { MODEL_CHANGE_TABLE_CLEARED, 9, 0 },
	[BENCH_MERGE] = { MODEL_CHANGE_COLLAPSE, 9, 0 },
};

static void compare_outsider(struct bench *bench, uint32_t outsider,
			     const struct model_changed *changed, const char *name)
{
	const char *difference = model_compare_outsider(bench->model, outsider, changed);

	if (difference)
		bench_complain(bench, "oracle E: %s: %s", name, difference);
}

static void judge_outsiders(struct bench *bench, enum bench_change change, uint64_t run,
			    bool split_alone)
{
	const struct recipe *recipe = &recipes[change];
	struct model_changed changed = {
		.change = split_alone ? MODEL_CHANGE_SPLIT : outside[change].change,
		.first = BENCH_GFN + outside[change].at,
		.old_order = outside[change].order,
		.table_order = 9,
		.frame = frame_of(recipe, run, outside[change].at),
	};

	if (bench->shadows[0].domain)
		compare_outsider(bench, bench->shadows[0].number, &changed, recipe->name);
	/* A piece that goes with its page's split has the page's width (row 7). */
	if (change == BENCH_PUNCH)
		changed.old_order = 9;
	if (bench->emulator.domain)
		compare_outsider(bench, bench->emulator.number, &changed, recipe->name);
}

/* A split of a separate map tells its own walkers alone: E is asked once the device's was split. */
static void pay_for_splits(struct bench *bench, enum bench_change change, uint64_t run,
			   struct sp_result *result)
{
	while (change_once(bench, change, run, result) == SP_BUSY) {
		if (sp_wait(bench->host, result->ticket) != SP_OK)
			return;
		judge_outsiders(bench, change, run, true);
		if (model_command_count(bench->model))
			compare(bench, &recipes[change], MODEL_CHANGE_SPLIT, 9, 0);
		model_commands_reset(bench->model);
		bench_leave(bench, bench->guest);
		bench_enter(bench, bench->guest);
	}
}

static void judge_commands(struct bench *bench, enum bench_change change)
{
	const struct recipe *recipe = &recipes[change];

	if (change == BENCH_REVOKE_PIECE)
		compare(bench, recipe, MODEL_CHANGE_RIGHTS_DOWN, 0, 1);
	else if (change != BENCH_MERGE || !bench->config.mode->caches_not_present)
		/* there the arrival of the last page has commands of its own */
		compare(bench, recipe, recipe->change, recipe->order, recipe->at);
}

const char *bench_run(struct bench *bench, enum bench_change change)
{
	const struct recipe *recipe = &recipes[change];
	uint64_t run = model_guest_frames(bench->model, 10);
	struct sp_result result;

	set_up(bench, recipe, run);
	warm(bench, recipe->frames);
	model_commands_reset(bench->model);
	pay_for_splits(bench, change, run, &result);
	if (sp_wait(bench->host, result.ticket) != SP_OK)
		bench_complain(bench, "the unit was lost");
	bench_settle(bench);
	judge_commands(bench, change);
	judge_outsiders(bench, change, run, false);
	for (uint64_t gfn = BENCH_GFN; gfn < BENCH_GFN + 12; gfn++)
		agree(bench, gfn);
	agree(bench, BENCH_GFN + LARGE - 1);
	return bench_complaint(bench);
}

/* A guest's page behind BENCH_GFN, warm in the device's caches. */
static uint64_t warm_page(struct bench *bench, struct sp_domain *guest)
{
	uint64_t mfn = model_guest_frame(bench->model);

	bench_map(bench, guest, BENCH_GFN, mfn, 1, SP_RAM);
	if (guest == bench->guest)
		warm(bench, 1);
	return mfn;
}

const char *bench_run_release(struct bench *bench)
{
	const sp_sbdf_t device = { BENCH_DEVICE };
	const struct model_changed left = { .change = MODEL_CHANGE_ENTRY,
					    .domain = bench->guest->watches[1].name,
					    .requester = BENCH_DEVICE,
					    .atc_count = bench->config.ats,
					    .atc = { BENCH_DEVICE } };
	const char *difference;

	(void)warm_page(bench, bench->guest);
	model_commands_reset(bench->model);
	if (sp_device_release(bench->guest, device) != SP_OK ||
	    sp_device_set_master(bench->host, device, true) != SP_OK)
		bench_complain(bench, "the release failed");
	difference = model_compare(bench->model, &left);
	if (difference)
		bench_complain(bench, "oracle E: release: %s", difference);
	if (!dma(bench, BENCH_GFN, true).fault)
		bench_complain(bench, "oracle A: a released device reaches its old guest");
	return bench_complaint(bench);
}

const char *bench_run_hand_over(struct bench *bench)
{
	const sp_sbdf_t device = { BENCH_DEVICE };
	uint64_t theirs;

	bench->other = bench_guest(bench, 2);
	(void)warm_page(bench, bench->guest);
	theirs = warm_page(bench, bench->other);
	if (sp_device_hand_over(bench->guest, bench->other, device) != SP_OK ||
	    sp_device_set_master(bench->host, device, true) != SP_OK)
		bench_complain(bench, "the hand-over failed");
	if (dma(bench, BENCH_GFN, true).maddr >> 12 != theirs)
		bench_complain(bench, "oracle A: a device reaches a guest that gave it away");
	return bench_complaint(bench);
}

/* A guest ends, and another begins under its tag and over its tables' frames. */
const char *bench_run_reuse(struct bench *bench)
{
	uint64_t before = model_guest_frame(bench->model), after = model_guest_frame(bench->model);
	struct model_reach reach;

	for (int turn = 0; turn < 2; turn++) {
		bench->asids = 7;
		bench->other = bench_guest(bench, 2);
		bench_map(bench, bench->other, BENCH_GFN, turn ? after : before, 1, SP_RAM);
		bench_enter(bench, bench->other);
		reach = model_cpu_access(bench->model, 1, BENCH_GFN, MODEL_READ);
		bench_leave(bench, bench->other);
		if (!reach.ok || reach.mfn != (turn ? after : before))
			bench_complain(bench, "oracle A: the CPU reaches mfn %#llx",
				       (unsigned long long)reach.mfn);
		bench_destroy(bench, bench->other);
		bench->other = NULL;
	}
	return bench_complaint(bench);
}

const char *bench_run_fill_again(struct bench *bench)
{
	uint64_t mfn = warm_page(bench, bench->guest);
	struct sp_result result = bench_unmap(bench, bench->guest, BENCH_GFN, 1);

	model_deliver_kicks(bench->model);
	if (!model_cpu_in_guest(bench->model, 1))
		bench_enter(bench, bench->guest);
	(void)model_cpu_access(bench->model, 1, BENCH_GFN, MODEL_READ);
	if (sp_wait(bench->host, result.ticket) != SP_OK)
		bench_complain(bench, "an observer was lost");
	bench_settle(bench);
	if (model_forgotten_times(bench->model, mfn) != 1)
		bench_complain(bench, "the page did not come back");
	return bench_complaint(bench);
}

const char *bench_run_assign(struct bench *bench)
{
	const sp_sbdf_t device = { BENCH_DEVICE };
	uint64_t mfn = model_guest_frame(bench->model);
	struct model_dma done;

	bench->other = bench_guest(bench, 2);
	bench_map(bench, bench->other, BENCH_GFN, mfn, 1, SP_RAM);
	if (sp_device_release(bench->guest, device) != SP_OK ||
	    sp_device_assign(bench->other, device) != SP_OK ||
	    sp_device_set_master(bench->host, device, true) != SP_OK)
		bench_complain(bench, "the device did not come");
	done = dma(bench, BENCH_GFN, true);
	if (done.fault || done.maddr >> 12 != mfn)
		bench_complain(bench, "oracle A: DMA at dfn %#x does not reach mfn %#llx",
			       BENCH_GFN, (unsigned long long)mfn);
	(void)bench_unmap(bench, bench->other, BENCH_GFN, 1);
	bench_settle(bench);
	return bench_complaint(bench);
}
