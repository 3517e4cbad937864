/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench_run.c - one change from a known old state, judged by the oracles.
 *
 *   old state --everybody goes through it--> warm caches --the change--> settled --> A, E (bench_judge.c)
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sync/domain.h"

#define LARGE	 512u
#define HUGE	 (512u * LARGE)
#define APERTURE 0x40000u /* a GiB that is no RAM, the only run as long */

/* How frames lie: no larger page than wanted can hold them. */
enum layout {
	SCATTERED, /* 4K pages */
	SHIFTED,   /* 4K pages in a row, out of line for a larger one */
	RUN,	   /* 2M pages */
	BLOCKS,	   /* 2M pages, no run of them */
	WHOLE	   /* a 1G page */
};

enum act {
	MAP,
	UNMAP,
	SET_TYPE
};

/* What each change begins from, what is done, and what section 7 calls it in the device's map. */
static const struct recipe {
	const char *name;
	uint64_t frames; /* of the old state, from BENCH_GFN */
	enum layout layout;
	enum sp_type old_type;
	enum act act;
	uint64_t at, count; /* of the act */
	enum sp_type type;
	enum model_change change;
	uint32_t order; /* of the old entry */
	uint32_t first; /* frame that E is asked about */
} recipes[BENCH_CHANGE_COUNT] = {
	/* clang-format off */
	[BENCH_MAP] = { "map", 4, SCATTERED, SP_RAM, MAP, 9, 1, SP_RAM,
			MODEL_CHANGE_LEAF_SET, 0, 9 },
	[BENCH_LINK] = { "link", 0, SCATTERED, SP_RAM, MAP, 0, 1, SP_RAM,
			 MODEL_CHANGE_TABLE_SET, 9, 0 },
	[BENCH_UNMAP] = { "unmap", 4, SCATTERED, SP_RAM, UNMAP, 1, 1, SP_HOLE,
			  MODEL_CHANGE_LEAF_CLEARED, 0, 1 },
	[BENCH_GRANT] = { "grant", 4, SCATTERED, SP_RAM_READONLY, SET_TYPE, 1, 1, SP_RAM,
			  MODEL_CHANGE_RIGHTS_UP, 0, 1 },
	[BENCH_REVOKE] = { "revoke", 4, SCATTERED, SP_RAM, SET_TYPE, 1, 1, SP_RAM_READONLY,
			   MODEL_CHANGE_RIGHTS_DOWN, 0, 1 },
	[BENCH_REPLACE] = { "replace", 4, SCATTERED, SP_RAM, MAP, 1, 1, SP_RAM,
			    MODEL_CHANGE_FRAME, 0, 1 },
	[BENCH_ATTRIBUTE] = { "memory type", 4, SCATTERED, SP_MMIO, MAP, 1, 1, SP_RAM,
			      MODEL_CHANGE_ATTRIBUTE, 0, 1 },
	[BENCH_UNMAP_LARGE] = { "unmap large", LARGE, RUN, SP_RAM, UNMAP, 0, LARGE, SP_HOLE,
				MODEL_CHANGE_LEAF_CLEARED, 9, 0 },
	[BENCH_PUNCH] = { "punch", LARGE, RUN, SP_RAM, UNMAP, 1, 1, SP_HOLE,
			  MODEL_CHANGE_SPLIT, 9, 0 },
	[BENCH_REVOKE_PIECE] = { "revoke piece", LARGE, RUN, SP_RAM, SET_TYPE, 1, 1,
				 SP_RAM_READONLY, MODEL_CHANGE_SPLIT, 9, 0 },
	[BENCH_UNLINK] = { "unlink", LARGE, SCATTERED, SP_RAM, UNMAP, 0, LARGE, SP_HOLE,
			   MODEL_CHANGE_TABLE_CLEARED, 9, 0 },
	[BENCH_UNLINK_LAST] = { "unlink last", 1, SCATTERED, SP_RAM, UNMAP, 0, 1, SP_HOLE,
				MODEL_CHANGE_TABLE_CLEARED, 9, 0 },
	[BENCH_MERGE] = { "merge", LARGE - 1, RUN, SP_RAM, MAP, LARGE - 1, 1, SP_RAM,
			  MODEL_CHANGE_COLLAPSE, 9, 0 },
	[BENCH_UNMAP_HUGE] = { "unmap 1G", HUGE, WHOLE, SP_RAM, UNMAP, 0, HUGE, SP_HOLE,
			       MODEL_CHANGE_LEAF_CLEARED, 18, 0 },
	[BENCH_PUNCH_HUGE] = { "punch 1G", HUGE, WHOLE, SP_RAM, UNMAP, 1, 1, SP_HOLE,
			       MODEL_CHANGE_SPLIT, 18, 0 },
	[BENCH_REVOKE_PIECE_HUGE] = { "revoke piece of 1G", HUGE, WHOLE, SP_RAM, SET_TYPE, 1, 1,
				SP_RAM_READONLY, MODEL_CHANGE_SPLIT, 18, 0 },
	[BENCH_UNLINK_HUGE] = { "unlink 1G", 3 * LARGE, BLOCKS, SP_RAM, UNMAP, 0, HUGE, SP_HOLE,
				MODEL_CHANGE_TABLE_CLEARED, 18, 0 },
	[BENCH_MERGE_HUGE] = { "merge to 1G", HUGE - LARGE, WHOLE, SP_RAM, MAP, HUGE - LARGE,
			       LARGE, SP_RAM, MODEL_CHANGE_COLLAPSE, 18, 0 },
	[BENCH_MAP_LARGE] = { "map large", 0, RUN, SP_RAM, MAP, 0, LARGE, SP_RAM,
			      MODEL_CHANGE_LEAF_SET, 9, 0 },
	[BENCH_GRANT_LARGE] = { "grant large", LARGE, RUN, SP_RAM_READONLY, SET_TYPE, 0, LARGE,
				SP_RAM, MODEL_CHANGE_RIGHTS_UP, 9, 0 },
	[BENCH_REVOKE_LARGE] = { "revoke large", LARGE, RUN, SP_RAM, SET_TYPE, 0, LARGE,
				 SP_RAM_READONLY, MODEL_CHANGE_RIGHTS_DOWN, 9, 0 },
	[BENCH_REPLACE_LARGE] = { "replace large", LARGE, RUN, SP_RAM, MAP, 0, LARGE, SP_RAM,
				  MODEL_CHANGE_FRAME, 9, 0 },
	[BENCH_ATTRIBUTE_LARGE] = { "memory type large", LARGE, RUN, SP_MMIO, MAP, 0, LARGE,
				    SP_RAM, MODEL_CHANGE_ATTRIBUTE, 9, 0 },
	[BENCH_MAP_HUGE] = { "map 1G", 0, WHOLE, SP_RAM, MAP, 0, HUGE, SP_RAM,
			     MODEL_CHANGE_LEAF_SET, 18, 0 },
	[BENCH_GRANT_HUGE] = { "grant 1G", HUGE, WHOLE, SP_RAM_READONLY, SET_TYPE, 0, HUGE, SP_RAM,
			       MODEL_CHANGE_RIGHTS_UP, 18, 0 },
	[BENCH_REVOKE_HUGE] = { "revoke 1G", HUGE, WHOLE, SP_RAM, SET_TYPE, 0, HUGE,
				SP_RAM_READONLY, MODEL_CHANGE_RIGHTS_DOWN, 18, 0 },
	[BENCH_REPLACE_HUGE] = { "replace 1G", HUGE, WHOLE, SP_RAM, MAP, 0, HUGE, SP_RAM,
				 MODEL_CHANGE_FRAME, 18, 0 },
	[BENCH_ATTRIBUTE_HUGE] = { "memory type 1G", HUGE, WHOLE, SP_MMIO, MAP, 0, HUGE, SP_RAM,
				   MODEL_CHANGE_ATTRIBUTE, 18, 0 },
	[BENCH_GRANT_TABLE] = { "grant a table", LARGE, SHIFTED, SP_RAM_READONLY, SET_TYPE, 0,
				LARGE, SP_RAM, MODEL_CHANGE_RIGHTS_UP, 9, 0 },
	[BENCH_REVOKE_TABLE] = { "revoke a table", LARGE, SHIFTED, SP_RAM, SET_TYPE, 0, LARGE,
				 SP_RAM_READONLY, MODEL_CHANGE_RIGHTS_DOWN, 9, 0 },
	[BENCH_REPLACE_TABLE] = { "replace a table", LARGE, SHIFTED, SP_RAM, MAP, 0, LARGE, SP_RAM,
				  MODEL_CHANGE_FRAME, 9, 0 },
	/* clang-format on */
};

const char *bench_change_name(enum bench_change change)
{
	return recipes[change].name;
}

static bool is_huge(const struct recipe *recipe)
{
	return recipe->order == 18;
}

/* mfn of each frame of the old state. `run`: 2048 frames of RAM, aligned. */
static uint64_t frame_of(const struct recipe *recipe, uint64_t run, uint64_t index)
{
	switch (recipe->layout) {
	case SCATTERED:
		return run + (index * 5 + 1) % (2 * LARGE);
	case SHIFTED:
		return run + 1 + index;
	case RUN:
		return run + index;
	case BLOCKS:
		return APERTURE + (index / LARGE * 5 + 1) % LARGE * LARGE + index % LARGE;
	case WHOLE:
		break;
	}
	return APERTURE + index;
}

/* A neighbour keeps the tables above: only the one under test may go. */
static void set_up(struct bench *bench, const struct recipe *recipe, uint64_t run)
{
	static const uint64_t piece[] = {
		[SCATTERED] = 1, [SHIFTED] = LARGE, [RUN] = HUGE, [BLOCKS] = LARGE, [WHOLE] = HUGE
	};
	uint64_t step =
		recipe->frames < piece[recipe->layout] ? recipe->frames : piece[recipe->layout];

	bench_map(bench, bench->guest, BENCH_GFN + (is_huge(recipe) ? 2 * HUGE : 4 * LARGE),
		  model_guest_frame(bench->model), 1, SP_RAM);
	for (uint64_t i = 0; i < recipe->frames; i += step)
		bench_map(bench, bench->guest, BENCH_GFN + i, frame_of(recipe, run, i), step,
			  recipe->old_type);
	/* Where the device has none of the old pages, its table is there all the same. */
	if (recipe->old_type == SP_MMIO)
		bench_map(bench, bench->guest, BENCH_GFN + recipe->frames,
			  frame_of(recipe, run, recipe->frames), 1, SP_RAM);
	bench_settle(bench);
}

static void visit(struct bench *bench, uint64_t gfn)
{
	for (int write = 0; write < 2; write++) {
		(void)bench_dma(bench, BENCH_DEVICE, gfn, write);
		if (bench->config.two_units)
			(void)bench_dma(bench, BENCH_SECOND, gfn, write);
	}
	(void)model_cpu_access(bench->model, 1, gfn, MODEL_READ);
	if (bench->emulator.domain)
		(void)model_outsider_access(bench->model, bench->emulator.number, gfn, MODEL_READ);
}

/* Devices and the CPU go by: what may be remembered now is, absence included. */
void bench_warm(struct bench *bench, uint64_t frames)
{
	bench_enter(bench, bench->guest);
	for (uint64_t i = 0; (i < frames || i < 12) && i < LARGE; i++)
		visit(bench, BENCH_GFN + i);
	for (uint64_t i = LARGE; i < frames && i < 4 * LARGE; i += LARGE)
		visit(bench, BENCH_GFN + i);
	model_watch(bench->model, BENCH_GFN);
	model_watch(bench->model, BENCH_GFN + 1);
	model_look(bench->model);
	if (bench->config.cpu_outside)
		bench_leave(bench, bench->guest);
}

/* Where the act maps: what the old state goes on with, or frames that no index of it leads to. */
static uint64_t frame_now(const struct recipe *recipe, uint64_t run)
{
	uint64_t others = recipe->layout == WHOLE ? HUGE : 2 * LARGE;
	bool is_other = recipe->change == MODEL_CHANGE_FRAME ||
			recipe->change == MODEL_CHANGE_LEAF_SET ||
			recipe->change == MODEL_CHANGE_TABLE_SET;

	return is_other ? frame_of(recipe, run, 0) + others : frame_of(recipe, run, recipe->at);
}

/* The change itself, by the public calls. Answers what to wait for. */
static enum sp_status change_once(struct bench *bench, const struct recipe *recipe, uint64_t run,
				  struct sp_result *result)
{
	const sp_gfn_t at = { BENCH_GFN + recipe->at };
	uint64_t mfn = frame_now(recipe, run);

	switch (recipe->act) {
	case MAP:
		return sp_p2m_map(bench->guest, at, (sp_mfn_t){ mfn }, recipe->count, recipe->type,
				  result);
	case UNMAP:
		return sp_p2m_unmap(bench->guest, at, recipe->count, result);
	case SET_TYPE:
		break;
	}
	return sp_p2m_set_type(bench->guest, at, recipe->count, recipe->type, result);
}

struct splits {
	uint32_t cpu, unit; /* told of so many */
	uint32_t order;	    /* of the next one that the unit is told of */
};

static void note_split(struct bench *bench, const char *name, struct splits *splits)
{
	splits->cpu += model_cpu_kicks(bench->model, 1) > 0;
	if (model_command_count(bench->model) == 0)
		return;
	bench_compare(bench, name, MODEL_CHANGE_SPLIT, splits->order, 0);
	splits->unit++;
	splits->order -= 9;
}

/* Row 7, told at once; a split of a separate map tells its own walkers alone. */
static void judge_splits(struct bench *bench, const struct recipe *recipe,
			 const struct splits *splits)
{
	uint32_t levels = recipe->order / 9;
	bool is_walked = bench->config.mode->cpu != SP_CPU_SHADOW;

	if (splits->cpu != (is_walked ? levels : 0) && !bench->config.cpu_outside)
		bench_complain(bench,
			       "oracle E: %s: of %u splits the CPU in the guest is told of %u",
			       recipe->name, levels, splits->cpu);
	if (splits->unit != levels)
		bench_complain(bench, "oracle E: %s: of %u splits the unit is told of %u",
			       recipe->name, levels, splits->unit);
}

static bool is_of_a_piece(const struct recipe *recipe)
{
	return recipe->act == SET_TYPE && recipe->change == MODEL_CHANGE_SPLIT;
}

/* What shadows and emulators are asked: of frames that go or lose a right, never of a table's shape. */
static void judge_outsiders(struct bench *bench, const struct recipe *recipe, uint64_t run,
			    bool split_alone)
{
	struct model_changed changed = {
		.change = split_alone ? MODEL_CHANGE_SPLIT : recipe->change,
		.first = BENCH_GFN + recipe->at,
		.old_order = recipe->order,
		.table_order = recipe->order,
		.frame = frame_of(recipe, run, recipe->at),
	};
	bool is_punched = recipe->act == UNMAP && recipe->change == MODEL_CHANGE_SPLIT;

	if (!split_alone && (is_punched || is_of_a_piece(recipe))) {
		changed.change = is_punched ? MODEL_CHANGE_LEAF_CLEARED : MODEL_CHANGE_RIGHTS_DOWN;
		changed.old_order = 0;
	}
	bench_judge_outsiders(bench, recipe->name, &changed,
			      is_punched ? recipe->order : changed.old_order);
}

static void pay_for_splits(struct bench *bench, const struct recipe *recipe, uint64_t run,
			   struct sp_result *result)
{
	struct splits splits = { .order = recipe->order };

	while (change_once(bench, recipe, run, result) == SP_BUSY) {
		if (sp_wait(bench->host, result->ticket) != SP_OK)
			return;
		note_split(bench, recipe->name, &splits);
		judge_outsiders(bench, recipe, run, true);
		model_commands_reset(bench->model);
		bench_leave(bench, bench->guest);
		bench_enter(bench, bench->guest);
	}
	if (is_of_a_piece(recipe))
		judge_splits(bench, recipe, &splits);
}

/* One table for CPUs and devices. */
static bool is_shared(const struct bench *bench)
{
	return bench->config.mode->tables == SP_TABLES_SHARED &&
	       bench->config.mode->cpu != SP_CPU_SHADOW;
}

/* A memory type is the CPU's; the device gets a page, or a right where a shared leaf had none for it. */
static enum model_change for_device(const struct bench *bench, const struct recipe *recipe)
{
	if (recipe->change != MODEL_CHANGE_ATTRIBUTE)
		return recipe->change;
	return is_shared(bench) ? MODEL_CHANGE_RIGHTS_UP : MODEL_CHANGE_LEAF_SET;
}

/* Shadows know no page sizes: a piece that goes is all that happens. */
static bool is_punched(const struct bench *bench, const struct recipe *recipe)
{
	return bench->config.mode->cpu == SP_CPU_SHADOW && recipe->act == UNMAP &&
	       recipe->change == MODEL_CHANGE_SPLIT;
}

static void judge_commands(struct bench *bench, const struct recipe *recipe)
{
	bool piece = is_of_a_piece(recipe);
	enum model_change change = piece ? MODEL_CHANGE_RIGHTS_DOWN : recipe->change;

	bench_judge_kicks(bench, recipe->name,
			  bench_cpu_is_owed(bench, is_punched(bench, recipe)
							   ? MODEL_CHANGE_LEAF_CLEARED
							   : change));
	if (piece)
		bench_compare(bench, recipe->name, change, 0, (uint32_t)recipe->at);
	else if (change == MODEL_CHANGE_COLLAPSE &&
		 (bench->config.mode->caches_not_present || bench->config.mode->write_buffer))
		bench_judge_merge(bench, recipe->name, recipe->order);
	else
		bench_compare(bench, recipe->name, for_device(bench, recipe), recipe->order,
			      recipe->first);
}

bool bench_has(const struct bench_config *config, enum bench_change change)
{
	bool is_fused_ept =
		config->mode->cpu == SP_CPU_EPT && config->mode->tables == SP_TABLES_SHARED;

	/* No uncached type in a map that VT-d walks too (sallyport/p2m.h). */
	return recipes[change].change != MODEL_CHANGE_ATTRIBUTE || !is_fused_ept;
}

const char *bench_run(struct bench *bench, enum bench_change change)
{
	const struct recipe *recipe = &recipes[change];
	uint64_t run = model_guest_frames(bench->model, 11);
	struct sp_result result;

	if (!bench_has(&bench->config, change))
		return NULL;
	set_up(bench, recipe, run);
	/* Each store is looked at, through all that is remembered: of a whole table some pages do. */
	bench_warm(bench, recipe->layout == SHIFTED ? 32 : recipe->frames);
	model_commands_reset(bench->model);
	pay_for_splits(bench, recipe, run, &result);
	if (sp_wait(bench->host, result.ticket) != SP_OK)
		bench_complain(bench, "the unit was lost");
	bench_settle(bench);
	judge_commands(bench, recipe);
	judge_outsiders(bench, recipe, run, false);
	for (uint64_t gfn = BENCH_GFN; gfn < BENCH_GFN + 12; gfn++)
		bench_agree(bench, gfn);
	bench_agree(bench, BENCH_GFN + LARGE - 1);
	bench_agree(bench, BENCH_GFN + LARGE);
	bench_agree(bench, BENCH_GFN + HUGE - 1);
	return bench_complaint(bench);
}
