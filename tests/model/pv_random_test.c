/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/pv_random_test.c - direct paging: random batches on three CPUs, an adversary that remembers
 * and forgets by chance (M1, M2), and after each few: does everybody agree, and are the counts those that
 * the tables say? (A0.7; LEDGER of docs/scars.md)
 *
 * A guest that asks for nonsense is refused most of the time; the pool of frames is small, so that enough
 * of it makes sense.
 */
#include "pv_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define SEEDS 120u
#define STEPS 240u
#define POOL  24u /* frames that random operations use */

struct world {
	struct pv_bench *bench;
	struct pv_guest *guest;
	uint64_t pool[POOL];
	uint64_t loaded[PV_CPUS];
	uint32_t done, refused;
};

static uint32_t draw(struct world *world, uint32_t below)
{
	return (uint32_t)(model_random(world->bench->model) % below);
}

static uint64_t any_frame(struct world *world)
{
	return world->pool[draw(world, POOL)];
}

/* Slots that trees use, and one beside each. */
static uint32_t any_index(struct world *world)
{
	return pv_index(draw(world, 4)) + draw(world, 2);
}

static struct sp_pv_op any_op(struct world *world)
{
	static const uint64_t flags[] = { PV_RW, PV_RO, PV_RW | 0x20, 0 };
	uint64_t target = any_frame(world);
	uint64_t entry = pv_entry(target, flags[draw(world, 4)]);

	if (!(entry & 1))
		entry = 0;
	switch (draw(world, 8)) {
	case 0:
		return (struct sp_pv_op){ SP_PV_PIN, target, SP_PV_L1 + draw(world, 4) };
	case 1:
		return (struct sp_pv_op){ SP_PV_UNPIN, target, 0 };
	case 2:
	case 3:
		return pv_set_at(PV_ADDRESS + ((uint64_t)draw(world, 2) << 12) +
					 ((uint64_t)draw(world, 2) << 21),
				 entry);
	default:
		return pv_set(any_frame(world), any_index(world), entry);
	}
}

/* What a hostile guest would do: an operation that nearly makes sense, in the tree that runs. */
static struct sp_pv_op likely_op(struct world *world)
{
	const struct pv_guest *guest = world->guest;
	uint32_t level = draw(world, 4);
	uint64_t table = draw(world, 2) ? guest->table[level] : guest->other[level];
	uint64_t below = level == 0	  ? any_frame(world)
			 : draw(world, 2) ? guest->table[level - 1]
					  : guest->other[level - 1];

	return pv_set(table, pv_index(level) + draw(world, 2),
		      draw(world, 6) ? pv_entry(below, draw(world, 4) ? PV_RW : PV_RO) : 0);
}

static void batch(struct world *world)
{
	struct sp_pv_op ops[4];
	uint32_t count = 1 + draw(world, 4), cpu = draw(world, PV_CPUS);
	uint64_t done;

	/* In guest mode it makes no hypercall. */
	if (world->bench->running[cpu])
		pv_leave(world->guest, cpu);
	for (uint32_t i = 0; i < count; i++)
		ops[i] = draw(world, 3) ? likely_op(world) : any_op(world);
	if (pv_do(world->guest, cpu, ops, count, &done) != SP_OK)
		world->refused++;
	world->done += (uint32_t)done;
}

/* Another root, if it is one; the guest; nobody's. */
static void schedule(struct world *world)
{
	uint32_t cpu = draw(world, PV_CPUS);
	struct pv_guest *guest = world->guest;
	uint64_t root = draw(world, 2) ? guest->table[3] : guest->other[3];
	struct sp_result result;
	enum sp_status status;

	if (world->bench->running[cpu]) {
		pv_leave(guest, cpu);
		return;
	}
	if (world->loaded[cpu] && draw(world, 3)) {
		pv_enter(guest, cpu);
		return;
	}
	model_set_cpu(cpu);
	if (world->loaded[cpu] && draw(world, 3) == 0) {
		model_linear_load(world->bench->model, cpu, 0);
		sp_pv_unload(guest->domain);
		world->loaded[cpu] = 0;
	} else {
		while ((status = sp_pv_load(guest->domain, (sp_mfn_t){ root }, &result)) == SP_BUSY)
			assert_int_equal(sp_wait(world->bench->host, result.ticket), SP_OK);
		if (status == SP_OK)
			world->loaded[cpu] = root;
	}
	model_set_cpu(0);
}

/* A frame goes, if nobody uses it, and comes again when it is forgotten. */
static void give_and_take(struct world *world)
{
	uint64_t frame = any_frame(world);
	uint32_t before = model_forgotten_times(world->bench->model, frame);
	struct sp_result result;

	if (pv_give(world->guest, frame) != SP_OK)
		return;
	for (int i = 0; i < 400 && model_forgotten_times(world->bench->model, frame) == before;
	     i++) {
		(void)sp_progress(world->bench->host, 4096);
		platform_relax(world->bench->model);
	}
	if (model_forgotten_times(world->bench->model, frame) != before + 1)
		pv_complain(world->bench, "a frame does not come back");
	memset(model_frame_bytes(world->bench->model, frame), 0, 4096);
	assert_int_equal(sp_pv_add(world->guest->domain, (sp_mfn_t){ frame }, 1, &result), SP_OK);
}

/* ---- the ledger of references, by somebody who only reads the tables ---- */

struct counts {
	uint32_t uses[PV_FRAMES], mapped[PV_FRAMES];
};

static void count_table(const struct world *world, uint64_t table, enum sp_pv_type type,
			struct counts *counts)
{
	const struct pv_guest *guest = world->guest;

	for (uint32_t i = 0; i < 512; i++) {
		uint64_t entry = pv_look_at(guest, table, i), frame = entry << 12 >> 24;

		if (!(entry & 1) || (type == SP_PV_L4 && i >= PV_SLOT && i < PV_SLOT + PV_OWN))
			continue;
		if (frame < guest->first || frame >= guest->first + PV_FRAMES) {
			pv_complain(world->bench, "oracle A: a table leads out of the guest");
			return;
		}
		counts->mapped[frame - guest->first] += type == SP_PV_L1;
		counts->uses[frame - guest->first] += type != SP_PV_L1 || (entry & 2);
	}
}

static void check_counts(const struct world *world)
{
	const struct pv_guest *guest = world->guest;
	struct counts counts = { .uses = { 0 } };
	struct sp_result result;
	struct sp_pv_info info;

	/* What a call had no time for, the next ones take apart. */
	for (int i = 0; i < 4; i++)
		assert_int_equal(sp_pv_update(guest->domain, NULL, 0, &result), SP_OK);
	for (uint64_t i = 0; i < PV_FRAMES; i++) {
		assert_int_equal(sp_pv_find(guest->domain, (sp_mfn_t){ guest->first + i }, &info),
				 SP_OK);
		if (info.type >= SP_PV_L1 && (info.uses || info.pinned))
			count_table(world, guest->first + i, info.type, &counts);
	}
	for (uint32_t cpu = 0; cpu < PV_CPUS; cpu++)
		if (world->loaded[cpu])
			counts.uses[world->loaded[cpu] - guest->first]++;
	for (uint64_t i = 0; i < PV_FRAMES; i++) {
		assert_int_equal(sp_pv_find(guest->domain, (sp_mfn_t){ guest->first + i }, &info),
				 SP_OK);
		if (info.uses != counts.uses[i] || info.mapped != counts.mapped[i])
			pv_complain(world->bench,
				    "oracle A: mfn %#llx: %u uses, mapped %u times; the tables say "
				    "%u, %u",
				    (unsigned long long)(guest->first + i), info.uses, info.mapped,
				    counts.uses[i], counts.mapped[i]);
	}
}

/* "" or what was objected to. */
static const char *run(uint32_t seed, uint32_t mutant, uint32_t *done)
{
	const struct pv_config config = { .adversary = seed % 4 ? MODEL_ADVERSARY_RANDOM
								: MODEL_ADVERSARY_MAX,
					  .answers = seed % 3 ? MODEL_LATE : MODEL_AT_ONCE,
					  .seed = seed,
					  .device = seed % 2 };
	struct world world = { .bench = pv_make(&config, mutant) };
	static char said[sizeof(world.bench->complaint)];

	world.guest = &world.bench->guest[0];
	for (uint32_t i = 0; i < POOL; i++)
		world.pool[i] = i < 10 ? world.guest->first + i : pv_frame(world.guest);
	model_linear_watch(world.bench->model, PV_ADDRESS + (1ull << 21));
	for (uint32_t i = 0; i < STEPS && !pv_complaint(world.bench)[0]; i++) {
		switch (draw(&world, 8)) {
		case 0:
		case 1:
			schedule(&world);
			break;
		case 2:
			give_and_take(&world);
			break;
		default:
			batch(&world);
			break;
		}
		if (i % 24 == 23 && !pv_complaint(world.bench)[0]) {
			pv_settle(world.bench);
			check_counts(&world);
		}
	}
	*done += world.done;
	snprintf(said, sizeof(said), "%s", pv_complaint(world.bench));
	pv_free(world.bench);
	return said;
}

static void random_batches_leave_everybody_agreeing(void **state)
{
	uint32_t done = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		const char *said = run(seed, SP_MUT_NONE, &done);

		if (said[0])
			fail_msg("seed %u: %s", seed, said);
	}
	/* Most of it must have made sense. */
	assert_true(done > SEEDS * STEPS / 2);
}

static void random_batches_find_what_is_left_out(void **state)
{
	static const uint32_t mutants[] = {
		SP_MUT_PV_LINEAR_UNPAID, SP_MUT_PV_FLUSH_AT_RETURN, SP_MUT_PV_REMOTE_ROOTS_KEPT,
		SP_MUT_PV_ERROR_UNTOLD,	 SP_MUT_PV_COUNT_TRUSTED,   SP_MUT_PV_LEFT_WITH_GUEST,
		SP_MUT_PV_ONE_USE
	};
	uint32_t done;

	(void)state;
	for (size_t i = 0; i < sizeof(mutants) / sizeof(mutants[0]); i++) {
		uint32_t seed = 1;

		while (seed <= SEEDS && !run(seed, mutants[i], &done)[0])
			seed++;
		if (seed > SEEDS)
			fail_msg("mutant %u is not found with %u seeds", mutants[i], SEEDS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_batches_leave_everybody_agreeing),
		cmocka_unit_test(random_batches_find_what_is_left_out),
	};

	return cmocka_run_group_tests_name("pv random", tests, NULL, NULL);
}
