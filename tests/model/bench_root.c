/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench_root.c - see bench_root.h.
 *
 *   GFN            GFN + LARGE          GFN + 2 * LARGE
 *   a page of 2M   pages one by one     two whole tables of small pages
 */
#include "bench_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "memory.h"
#include "sync/domain.h"

#define LARGE	   512u
#define SINGLES	   (BENCH_GFN + LARGE)
#define TABLES	   (BENCH_GFN + 2 * LARGE)
#define PAGES	   4u
#define TOUCHED	   6u
#define SMALL	   16u /* slots a step */
#define MANY_STEPS 2000u

static const uint64_t touched[TOUCHED] = { BENCH_GFN,	BENCH_GFN + 7, SINGLES,
					   SINGLES + 1, TABLES,	       TABLES + LARGE + 3 };

/* ---- the guest ---- */

static void populate(struct bench *bench)
{
	uint64_t run = model_guest_frames(bench->model, 11);

	assert_int_not_equal(run, 0);
	bench_map(bench, bench->guest, BENCH_GFN, run, LARGE, SP_RAM);
	for (uint64_t i = 0; i < PAGES; i++)
		bench_map(bench, bench->guest, SINGLES + i, run + LARGE + 2 * (PAGES - i), 1,
			  SP_RAM);
	/* One frame beside: no large page fits. */
	bench_map(bench, bench->guest, TABLES, run + 2 * LARGE + 1, 2 * LARGE - 1, SP_RAM);
	bench_settle(bench);
}

static void touch(struct bench *bench, uint64_t gfn)
{
	(void)model_cpu_access(bench->model, 1, gfn, MODEL_READ);
	(void)model_cpu_access(bench->model, 1, gfn, MODEL_WRITE);
	if (bench->emulator.domain)
		(void)model_outsider_access(bench->model, bench->emulator.number, gfn, MODEL_WRITE);
}

static void warm(struct bench *bench)
{
	if (!model_cpu_in_guest(bench->model, 1))
		bench_enter(bench, bench->guest);
	for (uint32_t i = 0; i < TOUCHED; i++) {
		touch(bench, touched[i]);
		model_watch(bench->model, touched[i]);
	}
	model_look(bench->model);
}

void root_begin(struct bench *bench)
{
	assert_int_equal(sp_device_release(bench->guest, (sp_sbdf_t){ BENCH_DEVICE }), SP_OK);
	bench->alone = true;
	populate(bench);
	warm(bench);
	model_commands_reset(bench->model);
}

void root_invalidate(struct bench *bench)
{
	struct sp_result result;
	enum sp_status status = sp_p2m_invalidate_all(bench->guest, &result);

	if (status == SP_OK)
		status = sp_wait(bench->host, result.ticket);
	if (status != SP_OK)
		bench_complain(bench, "oracle A: everything is to go: %s", sp_status_text(status));
}

/* The same; paid, and nothing of the old tree taken apart yet. */
static void invalidate_alone(struct bench *bench)
{
	struct sp_result result;

	if (sp_p2m_invalidate_all(bench->guest, &result) != SP_OK)
		bench_complain(bench, "oracle A: everything is to go");
	while (sp_poll(bench->host, result.ticket) == SP_PENDING)
		platform_relax(bench->model);
}

/* The embedder's fault handler: a frame of its own behind the page, where there is none. */
static void fault(struct bench *bench, uint64_t gfn)
{
	uint64_t sample = sp_p2m_sample(bench->guest), mfn;
	struct sp_mapping mapping;
	struct sp_result result;

	if (sp_p2m_find(bench->guest, (sp_gfn_t){ gfn }, &mapping) == SP_OK)
		return;
	mfn = model_guest_frame(bench->model);
	assert_int_not_equal(mfn, 0);
	if (sp_p2m_map_sampled(bench->guest, sample, (sp_gfn_t){ gfn }, (sp_mfn_t){ mfn }, 1,
			       SP_RAM, &result) != SP_OK)
		bench_complain(bench, "oracle A: a fault at gfn %#llx is refused",
			       (unsigned long long)gfn);
	if (!model_cpu_in_guest(bench->model, 1))
		bench_enter(bench, bench->guest);
	touch(bench, gfn);
}

static void agree(struct bench *bench)
{
	for (uint32_t i = 0; i < TOUCHED; i++)
		bench_agree(bench, touched[i]);
	bench_agree(bench, BENCH_GFN + LARGE - 1);
	bench_agree(bench, TABLES + LARGE);
}

/* ---- row 11 ---- */

/* No device is the guest's: whatever a unit is told is told in vain. */
static void judge_units(struct bench *bench)
{
	for (uint32_t i = 0; i < model_command_count(bench->model); i++) {
		struct model_command command = model_command(bench->model, i);
		char line[160];

		if (command.kind == MODEL_CMD_FORGET)
			continue;
		model_command_text(&command, line, sizeof(line));
		bench_complain(bench, "oracle E: another root: not owed: %s", line);
	}
}

static void judge_commands(struct bench *bench)
{
	const struct model_changed changed = { .change = MODEL_CHANGE_ROOT };

	bench_judge_kicks(bench, "another root", bench_cpu_is_owed(bench, MODEL_CHANGE_ROOT));
	bench_judge_outsiders(bench, "another root", &changed, 0);
	judge_units(bench);
}

const char *root_run_all(struct bench *bench)
{
	uint64_t before, tables;

	root_begin(bench);
	before = model_forgotten_frames(bench->model);
	tables = model_table_frames(bench->model);
	root_invalidate(bench);
	if (model_cpu_in_guest(bench->model, 1))
		bench_complain(bench, "oracle A: a CPU is in the guest on the old root");
	judge_commands(bench);
	agree(bench);
	bench_settle(bench);
	if (model_forgotten_frames(bench->model) - before != 3 * LARGE + PAGES - 1)
		bench_complain(bench, "oracle B: of %u frames %llu came back",
			       3 * LARGE + PAGES - 1,
			       (unsigned long long)(model_forgotten_frames(bench->model) - before));
	if (model_table_frames(bench->model) >= tables)
		bench_complain(bench, "oracle B: the old tree's tables do not come back");
	for (uint32_t i = 0; i < TOUCHED; i++)
		fault(bench, touched[i]);
	bench_settle(bench);
	agree(bench);
	return bench_complaint(bench);
}

/* ---- the old tree is taken apart ---- */

static bool waits_in_limbo(const struct bench *bench)
{
	const struct limbo *limbo = &bench->guest->limbo;

	for (uint32_t i = 0; i < limbo->count; i++)
		if (limbo->entry[(limbo->head + i) % limbo->size].gone.kind == GONE_SUBTREE)
			return true;
	return false;
}

/* So many steps of so many slots; complains where that is not enough. */
static void reclaim(struct bench *bench, uint32_t slots,
		    void (*meanwhile)(struct bench *, uint32_t))
{
	for (uint32_t i = 0; waits_in_limbo(bench); i++) {
		uint64_t tables = model_table_frames(bench->model);

		if (i == MANY_STEPS) {
			bench_complain(bench,
				       "oracle B: after %u steps the old tree is still there", i);
			return;
		}
		meanwhile(bench, i);
		tables = model_table_frames(bench->model);
		(void)sp_progress(bench->host, slots);
		if (tables - model_table_frames(bench->model) > slots)
			bench_complain(
				bench, "oracle B: a step of %u slots gave back %llu tables", slots,
				(unsigned long long)(tables - model_table_frames(bench->model)));
	}
}

static void fault_again(struct bench *bench, uint32_t step)
{
	fault(bench, BENCH_GFN + (uint64_t)step * LARGE / 8 % (4 * LARGE));
}

const char *root_run_faults(struct bench *bench)
{
	root_begin(bench);
	invalidate_alone(bench);
	for (uint32_t i = 0; i < TOUCHED; i++)
		fault(bench, touched[i]);
	reclaim(bench, SMALL, fault_again);
	agree(bench);
	return bench_complaint(bench);
}

/* As many pages come and go before each step as it has slots to spend. */
static void let_go(struct bench *bench, uint32_t step)
{
	const sp_gfn_t gfn = { SINGLES + 9 };
	struct sp_result result;

	(void)step;
	for (uint32_t i = 0; i < SMALL; i++) {
		const sp_mfn_t mfn = { model_guest_frame(bench->model) };

		if (sp_p2m_map(bench->guest, gfn, mfn, 1, SP_RAM, &result) != SP_OK ||
		    sp_p2m_unmap(bench->guest, gfn, 1, &result) != SP_OK)
			bench_complain(bench, "oracle B: there is no room in limbo");
	}
}

const char *root_run_arrivals(struct bench *bench)
{
	root_begin(bench);
	bench_leave(bench, bench->guest);
	invalidate_alone(bench);
	fault(bench, SINGLES);
	bench_leave(bench, bench->guest);
	reclaim(bench, SMALL, let_go);
	return bench_complaint(bench);
}

static void nothing(struct bench *bench, uint32_t step)
{
	(void)bench;
	(void)step;
}

const char *root_run_quiet(struct bench *bench)
{
	root_begin(bench);
	invalidate_alone(bench);
	bench_enter(bench, bench->guest);
	model_commands_reset(bench->model);
	reclaim(bench, SMALL, nothing);
	bench_settle(bench);
	if (model_cpu_kicks(bench->model, 1))
		bench_complain(bench,
			       "oracle E: reclaim: not owed: a kick of the CPU in the guest");
	judge_units(bench);
	return bench_complaint(bench);
}

const char *root_run_reader(struct bench *bench)
{
	struct reader reader;
	const uint64_t *top;

	root_begin(bench);
	reader = readers_enter(bench->guest);
	top = platform_pointer(bench->model, bench->guest->maps[0].tree.root);
	root_invalidate(bench);
	for (uint32_t i = 0; i < 8; i++)
		(void)sp_progress(bench->host, SP_STEP_SLOTS);
	/* The next step of that look-up. */
	(void)load64(top);
	readers_leave(&reader);
	bench_settle(bench);
	if (waits_in_limbo(bench))
		bench_complain(bench, "oracle B: a look-up that is over holds up the old tree");
	return bench_complaint(bench);
}

/* ---- faults that began before ---- */

const char *root_run_sampled(struct bench *bench, uint32_t times)
{
	struct sp_mapping mapping;
	struct sp_result result;
	enum sp_status status;
	uint64_t sample;

	root_begin(bench);
	/* The fault's own tables say that this frame is the guest's ... */
	sample = sp_p2m_sample(bench->guest);
	assert_int_equal(sp_p2m_find(bench->guest, (sp_gfn_t){ SINGLES }, &mapping), SP_OK);
	/* ... which it is no more: by now it is free for others. */
	for (uint32_t i = 0; i < times; i++)
		root_invalidate(bench);
	bench_settle(bench);
	model_guest_give(bench->model, mapping.frame.mfn, 0);
	status = sp_p2m_map_sampled(bench->guest, sample, (sp_gfn_t){ SINGLES }, mapping.frame, 1,
				    SP_RAM, &result);
	if (status != SP_STALE) {
		bench_enter(bench, bench->guest);
		touch(bench, SINGLES);
		model_look(bench->model);
		bench_complain(bench, "oracle A: a fault of before installs: %s",
			       sp_status_text(status));
	}
	return bench_complaint(bench);
}

/* ---- names that are used again ---- */

const char *root_run_reused(struct bench *bench, bool idle)
{
	uint64_t first = bench->guest->maps[0].tree.root.mfn;

	root_begin(bench);
	bench_leave(bench, bench->guest);
	for (uint32_t i = 0; i < 4; i++) {
		root_invalidate(bench);
		bench_settle(bench);
		if (bench->guest->maps[0].tree.root.mfn == first)
			break;
		/* Elsewhere: it forgets that root, and what it has of the first sleeps on. */
		if (!idle) {
			bench_enter(bench, bench->guest);
			bench_leave(bench, bench->guest);
		}
	}
	bench_enter(bench, bench->guest);
	for (uint32_t i = 0; i < TOUCHED; i++)
		touch(bench, touched[i]);
	agree(bench);
	if (bench->guest->maps[0].tree.root.mfn != first)
		bench_complain(bench, "oracle B: the first root's frame is no root again");
	return bench_complaint(bench);
}

/* ---- a device's map ---- */

/* Row 13 for each function, and nothing else: so it costs the same whatever is mapped. */
static void judge_renewal(struct bench *bench, uint32_t old_name)
{
	const struct model_changed changed = { .change = MODEL_CHANGE_ENTRY,
					       .domain = old_name,
					       .requester = BENCH_DEVICE,
					       .atc_count = bench->config.ats,
					       .atc = { BENCH_DEVICE } };
	const char *difference = model_compare(bench->model, &changed);

	if (difference)
		bench_complain(bench, "oracle E: another map: %s", difference);
}

static bool writes(struct bench *bench, uint64_t gfn)
{
	return !bench_dma(bench, BENCH_DEVICE, gfn, true).fault;
}

const char *root_run_renewed(struct bench *bench)
{
	const struct watch *watch = &bench->guest->watches[1];
	const uint32_t name = watch->name;
	uint64_t old = watch->map->tree.root.mfn;

	populate(bench);
	warm(bench);
	for (uint32_t i = 0; i < TOUCHED; i++)
		if (!writes(bench, touched[i]))
			bench_complain(bench, "oracle A: the device does not write");
	model_look(bench->model);
	model_commands_reset(bench->model);
	if (sp_device_renew(bench->guest, (sp_sbdf_t){ BENCH_DEVICE }) != SP_OK)
		bench_complain(bench, "oracle B: the map is not replaced");
	judge_renewal(bench, name);
	for (uint32_t i = 0; i < TOUCHED; i++)
		if (!writes(bench, touched[i]))
			bench_complain(bench, "oracle A: a hole for DMA at gfn %#llx",
				       (unsigned long long)touched[i]);
	for (uint32_t i = 1; i <= MAX_UNITS; i++) {
		watch = &bench->guest->watches[i];
		if (watch_is_units(watch) &&
		    (watch->name == name || watch->map->tree.root.mfn == old))
			bench_complain(bench, "oracle B: the unit is in the old map still");
	}
	bench_settle(bench);
	agree(bench);
	return bench_complaint(bench);
}
