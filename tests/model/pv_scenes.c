/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/pv_scenes.c - scenes of direct paging.
 */
#include "pv_scenes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pv_bench *make(enum model_answers answers, uint32_t mutant)
{
	const struct pv_config config = { .adversary = MODEL_ADVERSARY_MAX, .answers = answers };

	return pv_make(&config, mutant);
}

static const char *end(struct pv_bench *bench)
{
	static char said[sizeof(bench->complaint)];

	snprintf(said, sizeof(said), "%s", pv_complaint(bench));
	pv_free(bench);
	return said;
}

/* The entry of the first tree's table that leads to the second tree's from here on. */
static struct sp_pv_op exchange(const struct pv_guest *guest, uint32_t level)
{
	return pv_set(guest->table[level], pv_index(level),
		      pv_entry(guest->other[level - 1], PV_RW));
}

static void reset_counts(struct pv_bench *bench)
{
	model_linear_reset_counts(bench->model);
}

/* ---- A0.1, A0.2, A0.6: {update_va(va, 0); entry: T1 -> T2; update_va(va, pte)} ---- */

static void warm(struct pv_bench *bench, const struct pv_schedule *schedule)
{
	struct pv_guest *guest = &bench->guest[0];

	if (schedule->warm & 4) {
		pv_enter(guest, 0);
		(void)model_linear_access(bench->model, 0, PV_ADDRESS, MODEL_WRITE);
		pv_leave(guest, 0);
	}
	if (schedule->warm & 1)
		(void)model_linear_write(bench->model, 0, PV_ADDRESS, pv_entry(guest->page, PV_RW));
	if (schedule->warm & 2)
		model_look(bench->model);
}

const char *pv_replay(const struct pv_schedule *schedule, uint32_t mutant)
{
	const struct pv_config config = { .adversary = schedule->adversary,
					  .answers = schedule->answers,
					  .seed = schedule->seed };
	struct pv_bench *bench = pv_make(&config, mutant);
	struct pv_guest *guest = &bench->guest[0];
	uint64_t entry = pv_entry(pv_frame(guest), PV_RW);
	const struct sp_pv_op ops[] = { pv_set_at(PV_ADDRESS, 0), exchange(guest, schedule->level),
					pv_set_at(PV_ADDRESS, entry) };

	pv_load(guest, 0, guest->table[3]);
	if (schedule->other)
		pv_load(guest, 1, guest->table[3]);
	if (schedule->other == 2)
		pv_enter(guest, 1);
	warm(bench, schedule);
	for (uint32_t i = 0; i < 3; i += schedule->apart ? 1 : 3)
		pv_must(guest, 0, &ops[i], schedule->apart ? 1 : 3);
	if (pv_look_at(guest, guest->other[0], PV_L1) != entry)
		pv_complain(bench, "oracle A: the new L1 table does not have the entry");
	if (pv_look_at(guest, guest->table[0], PV_L1))
		pv_complain(bench, "oracle A: the old L1 table has an entry");
	pv_enter(guest, 0);
	pv_settle(bench);
	return end(bench);
}

static const char *replay(uint32_t level, uint32_t mutant)
{
	const struct pv_schedule schedule = {
		.level = level, .adversary = MODEL_ADVERSARY_MAX, .answers = MODEL_LATE, .other = 2
	};

	return pv_replay(&schedule, mutant);
}

const char *pv_scene_replay_root(uint32_t mutant)
{
	return replay(3, mutant);
}

const char *pv_scene_replay_l3(uint32_t mutant)
{
	return replay(2, mutant);
}

const char *pv_scene_replay_l2(uint32_t mutant)
{
	return replay(1, mutant);
}

/* ---- A0.3: who is told, and who copies ---- */

/* CPU 0 asks, CPUs 1 and 2 run the guest on roots of their own choice; everybody then runs it. */
static const char *scope(const char *what, uint32_t level, const bool on_other[PV_CPUS],
			 const uint32_t flushes[PV_CPUS], const uint32_t copies[PV_CPUS],
			 uint32_t mutant)
{
	struct pv_bench *bench = make(MODEL_AT_ONCE, mutant);
	struct pv_guest *guest = &bench->guest[0];
	struct sp_pv_op op = exchange(guest, level);

	for (uint32_t cpu = 0; cpu < PV_CPUS; cpu++) {
		pv_load(guest, cpu, on_other[cpu] ? guest->other[3] : guest->table[3]);
		if (cpu)
			pv_enter(guest, cpu);
	}
	reset_counts(bench);
	pv_must(guest, 0, &op, 1);
	pv_enter(guest, 0);
	pv_settle(bench);
	pv_count(bench, what, flushes, copies);
	return end(bench);
}

const char *pv_scene_scope_of_tables(uint32_t mutant)
{
	static const bool on_other[] = { false, false, true };
	static const uint32_t flushes[] = { 1, 1, 1 }, copies[] = { 0, 0, 0 };
	const char *said = scope("an L2's entry", 1, on_other, flushes, copies, mutant);

	return said[0] ? said : scope("an L3's entry", 2, on_other, flushes, copies, mutant);
}

const char *pv_scene_scope_of_own_root(uint32_t mutant)
{
	static const bool on_other[] = { false, true, true };
	static const uint32_t flushes[] = { 1, 1, 1 }, copies[] = { 1, 0, 0 };

	return scope("an entry of the root of one CPU", 3, on_other, flushes, copies, mutant);
}

const char *pv_scene_scope_of_shared_root(uint32_t mutant)
{
	static const bool on_other[] = { false, false, true };
	static const uint32_t flushes[] = { 1, 1, 1 }, copies[] = { 1, 1, 0 };

	return scope("an entry of the root of two CPUs", 3, on_other, flushes, copies, mutant);
}

/* Nobody remembers that nothing was there, but a copy does. */
const char *pv_scene_new_root_entry(uint32_t mutant)
{
	static const uint32_t flushes[] = { 0, 0, 0 }, copies[] = { 1, 1, 0 };
	struct pv_bench *bench = make(MODEL_AT_ONCE, mutant);
	struct pv_guest *guest = &bench->guest[0];
	struct sp_pv_op op = pv_set(guest->table[3], PV_L4 + 1, pv_entry(guest->other[2], PV_RW));
	uint64_t address = PV_ADDRESS + (1ull << 39);

	pv_load(guest, 0, guest->table[3]);
	pv_load(guest, 1, guest->table[3]);
	pv_load(guest, 2, guest->other[3]);
	pv_enter(guest, 1);
	pv_enter(guest, 2);
	reset_counts(bench);
	pv_must(guest, 0, &op, 1);
	pv_enter(guest, 0);
	pv_settle(bench);
	pv_count(bench, "a new entry of a root", flushes, copies);
	for (uint32_t cpu = 0; cpu < 2; cpu++)
		if (model_linear_access(bench->model, cpu, address, MODEL_READ).mfn !=
		    guest->other_page)
			pv_complain(bench, "oracle A: cpu %u does not reach what was mapped", cpu);
	return end(bench);
}

/* ---- A0.4 ---- */

const char *pv_scene_refused_halfway(uint32_t mutant)
{
	static const uint32_t flushes[] = { 1, 1, 0 }, copies[] = { 0, 0, 0 };
	struct pv_bench *bench = make(MODEL_AT_ONCE, mutant);
	struct pv_guest *guest = &bench->guest[0];
	const struct sp_pv_op ops[] = {
		pv_set(guest->table[0], PV_L1, pv_entry(guest->page, PV_RO)),
		exchange(guest, 1),
		pv_set(guest->table[2], PV_L3 + 1, pv_entry(guest->other[1], PV_RW)),
		exchange(guest, 2),
		/* A frame that is not the guest's. */
		pv_set(guest->table[3], PV_L4, pv_entry(bench->guest[1].first, PV_RW)),
		exchange(guest, 3),
	};
	uint64_t done;

	pv_load(guest, 0, guest->table[3]);
	pv_load(guest, 1, guest->table[3]);
	pv_enter(guest, 1);
	(void)model_linear_write(bench->model, 0, PV_ADDRESS, pv_entry(guest->page, PV_RW));
	reset_counts(bench);
	if (pv_do(guest, 0, ops, 6, &done) != SP_INVALID || done != 4)
		pv_complain(bench, "a batch is not refused where it should be, but after %u",
			    (uint32_t)done);
	pv_settle(bench);
	pv_enter(guest, 0);
	pv_count(bench, "a batch that is refused half-way", flushes, copies);
	return end(bench);
}

/* ---- A0.5 ---- */

/* The tables of the first guest are changed by CPU 0, which runs this one. */
static const char *changed_by(uint32_t runs, const uint32_t flushes[PV_CPUS], uint32_t mutant)
{
	static const uint32_t copies[] = { 0, 0, 0 };
	struct pv_bench *bench = make(MODEL_AT_ONCE, mutant);
	struct pv_guest *guest = &bench->guest[0];
	struct sp_pv_op op = exchange(guest, 2);

	pv_load(&bench->guest[runs], 0, bench->guest[runs].table[3]);
	pv_load(guest, 1, guest->table[3]);
	pv_load(&bench->guest[1], 2, bench->guest[1].table[3]);
	pv_enter(&bench->guest[1], 2);
	reset_counts(bench);
	pv_must(guest, 0, &op, 1);
	pv_settle(bench);
	pv_count(bench, "a change of another's tables", flushes, copies);
	return end(bench);
}

const char *pv_scene_owner_elsewhere(uint32_t mutant)
{
	static const uint32_t flushes[] = { 0, 1, 0 };

	return changed_by(1, flushes, mutant);
}

const char *pv_scene_owner_here(uint32_t mutant)
{
	static const uint32_t flushes[] = { 1, 1, 0 };

	return changed_by(0, flushes, mutant);
}

/* ---- A0.6, A0.10: tables that go ---- */

static void remove_now(struct pv_guest *guest, uint64_t frame)
{
	struct sp_result result;

	assert_int_equal(sp_pv_remove(guest->domain, (sp_mfn_t){ frame }, 1, &result), SP_OK);
}

/* CPU 1 answers only now and then; true when the operation is done. */
static bool try(struct pv_guest *guest, const struct sp_pv_op *op)
{
	struct pv_bench *bench = guest->bench;
	struct sp_result result;

	for (int i = 0; i < 20; i++) {
		if (sp_pv_update(guest->domain, op, 1, &result) == SP_OK)
			return true;
		if (i % 4 == 3)
			(void)model_linear_step(bench->model, 1);
		platform_relax(bench->model);
		model_look(bench->model);
		(void)sp_progress(bench->host, 4096);
	}
	return false;
}

/*
 * T = table[1] is unhooked, and held by its pin alone; then an entry of it changes, and the L1 table that
 * was there becomes a page that the guest writes.
 */
const char *pv_scene_unhooked(uint32_t mutant)
{
	struct pv_bench *bench = make(MODEL_STEPPED, mutant);
	struct pv_guest *guest = &bench->guest[0];
	const struct sp_pv_op ops[] = { { SP_PV_PIN, guest->table[1], SP_PV_L2 },
					pv_set(guest->table[2], PV_L3, 0),
					exchange(guest, 1) };
	struct sp_pv_op write = pv_set(guest->other[0], 0, pv_entry(guest->table[0], PV_RW));

	pv_load(guest, 0, guest->table[3]);
	pv_load(guest, 1, guest->table[3]);
	model_look(bench->model);
	pv_must(guest, 0, ops, 3);
	if (!try(guest, &write))
		pv_complain(bench, "a table that everybody has forgotten cannot be written");
	for (uint32_t cpu = 0; cpu < 2; cpu++)
		if (model_linear_remembers(bench->model, cpu, guest->table[0]))
			pv_complain(bench,
				    "oracle R: mfn %#llx is the guest's to write, cpu %u remembers "
				    "it as a table",
				    (unsigned long long)guest->table[0], cpu);
	model_linear_set_answers(bench->model, MODEL_LATE);
	if (!pv_complaint(bench)[0])
		pv_settle(bench);
	return end(bench);
}

/* CPU 1 uses the linear map all the while, beside the table that goes. */
const char *pv_scene_tight_loop(uint32_t mutant)
{
	struct pv_bench *bench = make(MODEL_LATE, mutant);
	struct pv_guest *guest = &bench->guest[0];
	uint64_t beside = PV_ADDRESS + (1ull << 21), old = pv_entry(guest->other_page, PV_RW);
	struct sp_pv_op ops[] = { pv_set(guest->table[1], PV_L2 + 1,
					 pv_entry(guest->other[0], PV_RW)),
				  pv_set(guest->table[1], PV_L2, 0) };
	struct sp_result result;

	pv_load(guest, 0, guest->table[3]);
	pv_load(guest, 1, guest->table[3]);
	pv_must(guest, 0, &ops[0], 1);
	(void)model_linear_write(bench->model, 1, PV_ADDRESS, pv_entry(guest->page, PV_RW));
	assert_int_equal(sp_pv_update(guest->domain, &ops[1], 1, &result), SP_OK);
	remove_now(guest, guest->table[0]);
	for (int i = 0; i < 20; i++) {
		(void)model_linear_write(bench->model, 1, beside, old);
		if (model_forgotten_times(bench->model, guest->table[0]) &&
		    model_linear_remembers(bench->model, 1, guest->table[0]))
			pv_complain(bench, "oracle R: a table came back that cpu 1 remembers");
		(void)sp_progress(bench->host, 4096);
		platform_relax(bench->model);
	}
	pv_settle(bench);
	if (model_forgotten_times(bench->model, guest->table[0]) != 1)
		pv_complain(bench, "the table does not come back");
	return end(bench);
}

/* ---- A0.7 ---- */

const char *pv_scene_nothing_owed(uint32_t mutant)
{
	static const uint32_t none[] = { 0, 0, 0 };
	struct pv_bench *bench = make(MODEL_AT_ONCE, mutant);
	struct pv_guest *guest = &bench->guest[0];
	uint64_t fresh = pv_entry(guest->other[0], PV_RW);
	const struct sp_pv_op ops[] = {
		/* L1 entries alone: absent, present, fewer rights, another page, absent. */
		pv_set(guest->table[0], 0, pv_entry(guest->page, PV_RW)),
		pv_set(guest->table[0], 0, pv_entry(guest->page, PV_RO)),
		pv_set(guest->table[0], 0, pv_entry(guest->other_page, PV_RO)),
		pv_set(guest->table[0], 0, 0),
		pv_set_at(PV_ADDRESS, pv_entry(guest->page, PV_RO)),
		/* Accessed and dirty, what is ignored. */
		pv_set(guest->table[1], PV_L2, pv_entry(guest->table[0], PV_RW | 0x60)),
		pv_set(guest->table[2], PV_L3, pv_entry(guest->table[1], PV_RW | 0xe00)),
		pv_set(guest->table[3], PV_L4, pv_entry(guest->table[2], PV_RW | 0x20)),
		/* Entries of an L2 and an L3 where none was; and what allows more than it did. */
		pv_set(guest->table[1], PV_L2 + 1, fresh),
		pv_set(guest->table[2], PV_L3 + 1, pv_entry(guest->other[1], PV_RO)),
		pv_set(guest->table[2], PV_L3 + 1, pv_entry(guest->other[1], PV_RW)),
	};

	pv_load(guest, 0, guest->table[3]);
	pv_load(guest, 1, guest->table[3]);
	pv_enter(guest, 1);
	reset_counts(bench);
	pv_must(guest, 0, ops, sizeof(ops) / sizeof(ops[0]));
	pv_enter(guest, 0);
	pv_settle(bench);
	pv_count(bench, "changes that nobody remembers", none, none);
	return end(bench);
}

/* ---- A0.8 ---- */

/* CPU 1 stops running the guest and idles on its root; meanwhile a table goes. */
const char *pv_scene_idle(uint32_t mutant)
{
	struct pv_bench *bench = make(MODEL_LATE, mutant);
	struct pv_guest *guest = &bench->guest[0];
	struct sp_pv_op op = pv_set(guest->table[1], PV_L2, 0);

	pv_load(guest, 0, guest->table[3]);
	pv_load(guest, 1, guest->table[3]);
	pv_enter(guest, 1);
	model_look(bench->model);
	pv_leave(guest, 1);
	pv_must(guest, 0, &op, 1);
	remove_now(guest, guest->table[0]);
	pv_settle(bench);
	if (model_forgotten_times(bench->model, guest->table[0]) != 1)
		pv_complain(bench, "the table does not come back");
	/* It runs somebody else: then it is asked no more. */
	pv_load(&bench->guest[1], 1, bench->guest[1].table[3]);
	reset_counts(bench);
	op = pv_set(guest->table[2], PV_L3, 0);
	pv_must(guest, 0, &op, 1);
	pv_settle(bench);
	pv_count(bench, "a CPU that runs another guest", (uint32_t[]){ 1, 0, 0 },
		 (uint32_t[]){ 0, 0, 0 });
	return end(bench);
}

/* ---- root entries that change, CPU 1 runs the guest on a copy ---- */

static const char *root_entry(uint64_t before, bool exchanged, uint64_t after, uint32_t mutant)
{
	struct pv_bench *bench = make(MODEL_AT_ONCE, mutant);
	struct pv_guest *guest = &bench->guest[0];
	uint64_t other = guest->other[2], mine = guest->table[2];
	struct sp_pv_op op = pv_set(guest->table[3], PV_L4, pv_entry(mine, before));

	pv_must(guest, 0, &op, 1);
	pv_load(guest, 0, guest->table[3]);
	pv_load(guest, 1, guest->table[3]);
	pv_enter(guest, 1);
	op.value = after ? pv_entry(exchanged ? other : mine, after) : 0;
	pv_must(guest, 0, &op, 1);
	pv_settle(bench);
	return end(bench);
}

const char *pv_scene_root_replaced(uint32_t mutant)
{
	return root_entry(PV_RW, true, PV_RW, mutant);
}

const char *pv_scene_root_cleared(uint32_t mutant)
{
	return root_entry(PV_RW, false, 0, mutant);
}

const char *pv_scene_root_revoked(uint32_t mutant)
{
	return root_entry(PV_RW, false, PV_RO, mutant);
}

const char *pv_scene_root_granted(uint32_t mutant)
{
	return root_entry(PV_RO, false, PV_RW, mutant);
}

/* ---- types ---- */

/* The guest gives a page back, and CPU 1 kept its own translation of it. */
const char *pv_scene_page_goes(uint32_t mutant)
{
	struct pv_bench *bench = make(MODEL_LATE, mutant);
	struct pv_guest *guest = &bench->guest[0];
	struct sp_pv_op unmap = pv_set(guest->table[0], PV_L1, 0);

	pv_load(guest, 0, guest->table[3]);
	pv_load(guest, 1, guest->table[3]);
	pv_enter(guest, 1);
	(void)model_linear_access(bench->model, 1, PV_ADDRESS, MODEL_WRITE);
	pv_must(guest, 0, &unmap, 1);
	remove_now(guest, guest->page);
	pv_settle(bench);
	if (model_forgotten_times(bench->model, guest->page) != 1)
		pv_complain(bench, "the page does not come back");
	return end(bench);
}

/*
 * CPU 1 runs a hostile guest, which takes a page out of its L1 table, keeps its own translation of it, and
 * makes the page a table: it must not write that.
 */
const char *pv_scene_page_becomes_table(uint32_t mutant)
{
	struct pv_bench *bench = make(MODEL_STEPPED, mutant);
	struct pv_guest *guest = &bench->guest[0];
	struct sp_pv_op unmap = pv_set(guest->table[0], PV_L1, 0);
	struct sp_pv_op make_table = { SP_PV_PIN, guest->page, SP_PV_L1 };

	pv_load(guest, 0, guest->table[3]);
	pv_load(guest, 1, guest->table[3]);
	pv_enter(guest, 1);
	if (!model_linear_access(bench->model, 1, PV_ADDRESS, MODEL_WRITE).ok)
		pv_complain(bench, "the guest does not reach its page");
	pv_must(guest, 0, &unmap, 1);
	if (!try(guest, &make_table))
		pv_complain(bench, "a page does not become a table");
	if (model_linear_access(bench->model, 1, PV_ADDRESS, MODEL_WRITE).ok)
		pv_complain(bench, "oracle A: the guest on cpu 1 writes a table");
	model_linear_set_answers(bench->model, MODEL_LATE);
	pv_settle(bench);
	return end(bench);
}

/* The same for its device, whose unit takes its time. */
const char *pv_scene_device_writes(uint32_t mutant)
{
	const struct pv_config config = { .adversary = MODEL_ADVERSARY_MAX,
					  .answers = MODEL_LATE,
					  .device = true };
	struct pv_bench *bench = pv_make(&config, mutant);
	struct pv_guest *guest = &bench->guest[0];
	const struct sp_pv_op unmap = pv_set(guest->table[0], PV_L1, 0);
	const struct sp_pv_op make_table = { SP_PV_PIN, guest->page, SP_PV_L1 };
	const struct sp_pv_op make_page[] = {
		{ SP_PV_UNPIN, guest->page, 0 },
		pv_set(guest->table[0], PV_L1, pv_entry(guest->page, PV_RW)),
	};
	struct sp_result result;

	if (!pv_dma(bench, guest->page, true) || pv_dma(bench, guest->table[0], true) ||
	    !pv_dma(bench, guest->table[0], false) || pv_dma(bench, guest->next, true))
		pv_complain(bench, "oracle A: a device writes what is not of the writable type");
	pv_must(guest, 0, &unmap, 1);
	model_set_answers(bench->model, 0, MODEL_STEPPED);
	if (sp_pv_update(guest->domain, &make_table, 1, &result) != SP_BUSY)
		pv_complain(bench, "oracle A: a table is made of a page that a unit still maps "
				   "writable");
	model_set_answers(bench->model, 0, MODEL_LATE);
	if (!pv_complaint(bench)[0])
		pv_must(guest, 0, &make_table, 1);
	if (pv_dma(bench, guest->page, true))
		pv_complain(bench, "oracle A: a device writes a table");
	if (!pv_complaint(bench)[0])
		pv_must(guest, 0, make_page, 2);
	pv_settle(bench);
	if (!pv_dma(bench, guest->page, true))
		pv_complain(bench, "oracle A: a device does not write what the guest does");
	return end(bench);
}
