/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/cost.c - one piece of work on a machine of its own, and what it cost there.
 *
 *   old state, settled | counters at zero | the work, waited for | until all is handed back
 *                                         ^-------------- ns --------------^
 */
#include "cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mutant.h"
#include "sync/domain.h"

#define LOOK_NS 125u /* between two looks of who waits */
#define LARGE	512u
#define MOST	32768u
#define FIRST	BENCH_GFN /* aligned for the largest */

/* What section 7 calls the change, for one function's unit. */
static const struct work {
	const char *name;
	uint64_t pages; /* that change */
	enum model_change change, next;
} works[COST_WORK_COUNT] = {
	[COST_MAP_512] = { "map 512 pages", LARGE, MODEL_CHANGE_TABLE_SET, MODEL_CHANGE_END },
	[COST_MAP_32768] = { "map 32768 pages", MOST, MODEL_CHANGE_TABLE_SET, MODEL_CHANGE_END },
	[COST_UNMAP_1] = { "unmap 1 page", 1, MODEL_CHANGE_LEAF_CLEARED, MODEL_CHANGE_END },
	[COST_UNMAP_16] = { "unmap 16 pages", 16, MODEL_CHANGE_LEAF_CLEARED, MODEL_CHANGE_END },
	[COST_UNMAP_512] = { "unmap 512 pages", LARGE, MODEL_CHANGE_TABLE_CLEARED,
			     MODEL_CHANGE_END },
	[COST_UNMAP_32768] = { "unmap 32768 pages", MOST, MODEL_CHANGE_TABLE_CLEARED,
			       MODEL_CHANGE_END },
	[COST_SPLIT] = { "split, a piece read-only", 1, MODEL_CHANGE_SPLIT,
			 MODEL_CHANGE_RIGHTS_DOWN },
	[COST_MERGE] = { "merge to 2 MiB", 1, MODEL_CHANGE_COLLAPSE, MODEL_CHANGE_END },
	[COST_ATTACH] = { "attach", 0, MODEL_CHANGE_ENTRY, MODEL_CHANGE_END },
	[COST_DETACH] = { "detach", 0, MODEL_CHANGE_ENTRY, MODEL_CHANGE_END },
	[COST_CHURN] = { "churn, 8 x 64 pages", COST_CHURN_PAGES, MODEL_CHANGE_LEAF_CLEARED,
			 MODEL_CHANGE_END },
	[COST_CHURN_LAZY] = { "churn, lazily", COST_CHURN_PAGES, MODEL_CHANGE_LEAF_CLEARED,
			      MODEL_CHANGE_END },
};

const char *cost_name(enum cost_work work)
{
	return works[work].name;
}

uint64_t cost_round_trip(const struct cost_case *wanted)
{
	uint64_t unit = 2 * COST_COMMAND_NS;

	return !wanted->cpu_outside && COST_KICK_NS > unit ? COST_KICK_NS : unit;
}

static bool is_long(enum cost_work work)
{
	return works[work].pages == MOST;
}

/* ---- the lock, seen from outside: linked with --wrap ---- */

static struct model *watched; /* whose stores count */
static uint64_t stores_before, held_most;

void __real_domain_take(struct sp_domain *domain);
void __real_domain_drop(struct sp_domain *domain);
void __wrap_domain_take(struct sp_domain *domain);
void __wrap_domain_drop(struct sp_domain *domain);

void __wrap_domain_take(struct sp_domain *domain)
{
	__real_domain_take(domain);
	stores_before = watched ? model_slot_stores(watched) : 0;
}

void __wrap_domain_drop(struct sp_domain *domain)
{
	uint64_t stores = watched ? model_slot_stores(watched) - stores_before : 0;

	held_most = stores > held_most ? stores : held_most;
	__real_domain_drop(domain);
}

void cost_watch_lock(struct model *model)
{
	watched = model;
	held_most = 0;
}

uint64_t cost_held(void)
{
	return held_most;
}

/* ---- the old state ---- */

/* Neighbours change places, so that no two pages are a run. */
static void map_pages(struct bench *bench, uint64_t run, uint64_t count)
{
	struct sp_result result;

	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(sp_p2m_map(bench->guest, (sp_gfn_t){ FIRST + i },
					    (sp_mfn_t){ run + (i ^ 1) }, 1, SP_RAM, &result),
				 SP_OK);
}

/* A neighbour keeps the tables above. */
static uint64_t set_up(struct bench *bench, enum cost_work work)
{
	uint64_t run = model_guest_frames(bench->model, is_long(work) ? 16 : 10);

	assert_int_not_equal(run, 0);
	bench_map(bench, bench->guest, FIRST + MOST, model_guest_frame(bench->model), 1, SP_RAM);
	if (work == COST_SPLIT)
		bench_map(bench, bench->guest, FIRST, run, LARGE, SP_RAM);
	else if (work == COST_MERGE)
		bench_map(bench, bench->guest, FIRST, run, LARGE - 1, SP_RAM);
	else if (work == COST_ATTACH)
		assert_int_equal(sp_device_release(bench->guest, (sp_sbdf_t){ BENCH_DEVICE }),
				 SP_OK);
	else if (work >= COST_CHURN)
		bench_map(bench, bench->guest, FIRST + COST_CHURN_PAGES, run + LARGE, 1, SP_RAM);
	else if (work >= COST_UNMAP_1 && work <= COST_UNMAP_32768)
		map_pages(bench, run,
			  works[work].pages < LARGE ? works[work].pages + 1 : works[work].pages);
	bench_settle(bench);
	if (!bench->config.cpu_outside)
		bench_enter(bench, bench->guest);
	return run;
}

/* ---- the work ---- */

/* Often: the model keeps the last 4096 commands. */
static void read_commands(struct bench *bench, struct cost *cost)
{
	for (; cost->read < model_command_count(bench->model); cost->read++) {
		enum model_command_kind kind = model_command(bench->model, cost->read).kind;

		/* What shadows are asked is no unit's command. */
		cost->waits += kind == MODEL_CMD_WAIT;
		cost->commands += kind != MODEL_CMD_WAIT && kind != MODEL_CMD_FORGET;
	}
}

static void await(struct bench *bench, struct sp_ticket ticket, struct cost *cost)
{
	assert_int_equal(sp_wait(bench->host, ticket), SP_OK);
	read_commands(bench, cost);
}

/* From one frame beside: no large page fits. */
static enum sp_status change_pages(struct bench *bench, enum cost_work work, uint64_t run,
				   uint64_t done, uint64_t count, struct sp_result *result)
{
	if (work <= COST_MAP_32768)
		return sp_p2m_map(bench->guest, (sp_gfn_t){ FIRST + done },
				  (sp_mfn_t){ run + 1 + done }, count, SP_RAM, result);
	return sp_p2m_unmap(bench->guest, (sp_gfn_t){ FIRST + done }, count, result);
}

/* A synchronous policy waits for each page, and lets the guest go on. */
static void pages(struct bench *bench, const struct cost_case *wanted, uint64_t run,
		  struct cost *cost)
{
	uint64_t count = works[wanted->work].pages, done = 0;
	bool each = wanted->policy == COST_SYNCHRONOUS;
	struct sp_result result = { 0 };

	for (; done < count; done += result.done) {
		enum sp_status status = change_pages(bench, wanted->work, run, done,
						     each ? 1 : count - done, &result);

		cost->calls++;
		assert_true(status == SP_OK || status == SP_BUSY);
		if (each || status == SP_BUSY)
			await(bench, result.ticket, cost);
		if (each && !bench->config.cpu_outside && done + 1 < count) {
			bench_leave(bench, bench->guest);
			bench_enter(bench, bench->guest);
		}
	}
	await(bench, result.ticket, cost);
}

static void split(struct bench *bench, struct cost *cost)
{
	struct sp_result result;
	enum sp_status status;

	do {
		status = sp_p2m_set_type(bench->guest, (sp_gfn_t){ FIRST }, 1, SP_RAM_READONLY,
					 &result);
		cost->calls++;
		assert_true(status == SP_OK || status == SP_BUSY);
		await(bench, result.ticket, cost);
	} while (status == SP_BUSY);
}

static void merge(struct bench *bench, uint64_t run, struct cost *cost)
{
	struct sp_result result;

	assert_int_equal(sp_p2m_map(bench->guest, (sp_gfn_t){ FIRST + LARGE - 1 },
				    (sp_mfn_t){ run + LARGE - 1 }, 1, SP_RAM, &result),
			 SP_OK);
	cost->calls++;
	await(bench, result.ticket, cost);
}

/* The guest runs on meanwhile: a CPU that was kicked comes again. */
static void run_on(struct bench *bench, struct cost *cost)
{
	(void)sp_progress(bench->host, 1000);
	platform_relax(bench->model);
	if (!model_cpu_in_guest(bench->model, 1))
		bench_enter(bench, bench->guest);
	read_commands(bench, cost);
}

/* As of a guest that maps and unmaps a buffer for each transfer; at the end of a wave it is out of frames. */
static void churn(struct bench *bench, const struct cost_case *wanted, uint64_t run,
		  struct cost *cost)
{
	bool each = wanted->policy == COST_SYNCHRONOUS;
	bool lazy = wanted->work == COST_CHURN_LAZY && !each;
	struct sp_result result;

	for (uint64_t i = 0; i < COST_CHURN_WAVES * COST_CHURN_PAGES; i++) {
		uint64_t page = i % COST_CHURN_PAGES;
		sp_gfn_t gfn = { FIRST + page };

		assert_int_equal(sp_p2m_map(bench->guest, gfn, (sp_mfn_t){ run + (page ^ 1) }, 1,
					    SP_RAM, &result),
				 SP_OK);
		(void)model_cpu_access(bench->model, 1, gfn.gfn, MODEL_WRITE);
		assert_int_equal(lazy ? sp_p2m_unmap_lazy(bench->guest, gfn, 1, &result)
				      : sp_p2m_unmap(bench->guest, gfn, 1, &result),
				 SP_OK);
		cost->calls += 2;
		if (each || page == COST_CHURN_PAGES - 1)
			await(bench, result.ticket, cost);
		run_on(bench, cost);
	}
}

static void perform(struct bench *bench, const struct cost_case *wanted, uint64_t run,
		    struct cost *cost)
{
	const sp_sbdf_t device = { BENCH_DEVICE };

	switch (wanted->work) {
	case COST_MAP_512:
	case COST_MAP_32768:
	case COST_UNMAP_1:
	case COST_UNMAP_16:
	case COST_UNMAP_512:
	case COST_UNMAP_32768:
		pages(bench, wanted, run, cost);
		return;
	case COST_SPLIT:
		split(bench, cost);
		return;
	case COST_MERGE:
		merge(bench, run, cost);
		return;
	case COST_ATTACH:
		assert_int_equal(sp_device_assign(bench->guest, device), SP_OK);
		return;
	case COST_DETACH:
		assert_int_equal(sp_device_release(bench->guest, device), SP_OK);
		return;
	case COST_CHURN:
	case COST_CHURN_LAZY:
		churn(bench, wanted, run, cost);
		return;
	case COST_WORK_COUNT:
		break;
	}
}

/* ---- what it cost ---- */

static enum model_column column_of(const struct bench_mode *mode)
{
	if (mode->vendor == MODEL_VTD && mode->write_buffer)
		return MODEL_COLUMN_VTD_RWBF;
	if (mode->vendor == MODEL_VTD)
		return mode->caches_not_present ? MODEL_COLUMN_VTD_CM : MODEL_COLUMN_VTD;
	return mode->caches_not_present ? MODEL_COLUMN_AMDVI_NP : MODEL_COLUMN_AMDVI;
}

/* One aligned range is one command, by the model's own table. */
static uint32_t required_by(enum model_change change, const struct bench_mode *mode)
{
	struct model_owed owed;

	if (change == MODEL_CHANGE_END)
		return 0;
	owed = model_expect(change, column_of(mode));
	return (owed.entry ? 1u : 0u) + (owed.span != MODEL_SPAN_NONE ? 1u : 0u);
}

static uint32_t required(const struct cost_case *wanted)
{
	const struct bench_mode *mode = &bench_modes[wanted->mode];
	const struct work *work = &works[wanted->work];
	uint32_t each = required_by(work->change, mode) + required_by(work->next, mode);

	if (wanted->work == COST_MERGE)
		each += required_by(MODEL_CHANGE_LEAF_SET, mode);
	/* Each wave is a range of its own. */
	if (wanted->work >= COST_CHURN)
		return COST_CHURN_WAVES * each * wanted->units;
	/* An entry is its own unit's business. */
	return wanted->work >= COST_ATTACH ? each : each * wanted->units;
}

static uint64_t last_command(const struct model *model, uint64_t otherwise)
{
	uint32_t count = model_command_count(model);

	return count ? model_command(model, count - 1).at : otherwise;
}

struct cost cost_measure(const struct cost_case *wanted)
{
	struct bench_config config = { .mode = &bench_modes[wanted->mode],
				       .answers = MODEL_TIMED,
				       .units = wanted->units,
				       .ram_frames = is_long(wanted->work) ? 4 * MOST : 0,
				       .command_ns = COST_COMMAND_NS,
				       .kick_ns = COST_KICK_NS,
				       .cpu_outside = wanted->cpu_outside };
	struct bench *bench = bench_make(&config);
	struct cost cost = { .required = required(wanted) };
	uint64_t run, begin;

	model_set_relax(bench->model, 1000 * LOOK_NS);
	run = set_up(bench, wanted->work);

	if (wanted->policy == COST_SYNCHRONOUS)
		assert_int_equal(sp_mutant_choose(bench->host, SP_MUT_POSTED_IN_TURN), SP_OK);
	model_commands_reset(bench->model);
	cost_watch_lock(bench->model);
	model_set_relax(bench->model, LOOK_NS);
	begin = model_time(bench->model);
	perform(bench, wanted, run, &cost);
	if (works[wanted->work].pages)
		bench_settle(bench);
	cost.ns = (works[wanted->work].pages ? model_time(bench->model)
					     : last_command(bench->model, begin)) -
		  begin;
	cost.held = cost_held();
	cost_watch_lock(NULL);
	read_commands(bench, &cost);
	cost.kicks = model_cpu_kicks(bench->model, 1);
	assert_null(bench_complaint(bench));
	bench_free(bench);
	return cost;
}
