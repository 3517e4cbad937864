/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/scenario.c - the scenarios of docs/performance.md, and how each is staged.
 */
#include <stdlib.h>

#include "tests/bench/scenario.h"

#define SLOTS	   512u
#define FEW_TABLES 64u
#define FEW_FIRST  (4 * GIB)
#define RUN_FIRST  (16 * GIB)
/* Above the window where no memory may lie for a device. */
#define FULL_FIRST (64 * GIB)
#define SINGLES	   (FEW_TABLES * (SLOTS - 1))
#define RANDOMS	   20000u

/* clang-format off */
const struct scenario scenarios[SCENARIO_COUNT] = {
	{ "map one 4K, tables there", PER_CALL, WORK_MAP, WORLD_FEW, SINGLES, 1,
	  .rounds = 15, .roof = 'A', .aim = 1.5 },
	{ "unmap one 4K", PER_CALL, WORK_UNMAP, WORLD_FEW, SINGLES, 1,
	  .rounds = 15, .roof = 'A', .aim = 2 },
	{ "map 256 x 4K, one call", PER_CALL, WORK_MAP, WORLD_FEW, FEW_TABLES, 256,
	  .rounds = 31, .roof = 'A', .aim = 1.5 },
	{ "unmap 256 x 4K, one call", PER_CALL, WORK_UNMAP, WORLD_FEW, FEW_TABLES, 256,
	  .rounds = 31, .roof = 'A', .aim = 1.5 },
	{ "map 1 GiB as 4K, warm", PER_SLOT, WORK_MAP, WORLD_EMPTY, 1, GIB,
	  .rounds = 9, .roof = 'A', .aim = 1.5 },
	{ "map 1 GiB as 4K, cold", PER_SLOT, WORK_MAP, WORLD_EMPTY, 1, GIB,
	  .cold = true, .rounds = 9, .roof = 'C', .aim = 1.5 },
	{ "unmap 1 GiB, tables freed", PER_SLOT, WORK_UNMAP, WORLD_EMPTY, 1, GIB,
	  .rounds = 9, .roof = 'C', .aim_ns = 0.02 },
	{ "unmap 1 GiB, under the lock", PER_CALL, WORK_DETACH, WORLD_EMPTY, 1, GIB,
	  .rounds = 9, .roof = 'C' },
	{ "map 16 GiB as 4K", PER_SLOT, WORK_MAP, WORLD_EMPTY, 1, 16 * GIB,
	  .rounds = 5, .roof = 'C', .aim = 1.5 },
	{ "walker does not snoop, map 1 GiB", PER_SLOT, WORK_MAP, WORLD_EMPTY, 1, GIB,
	  .write_back = true, .rounds = 9, .roof = 'C', .aim = 1.5 },
	{ "destroy 1 GiB of 4K", PER_TABLE, WORK_CLOSE, WORLD_EMPTY, 1, GIB,
	  .rounds = 9, .roof = 'C', .aim = 2 },
	{ "random 4K map in 64 GiB", PER_CALL, WORK_MAP, WORLD_FULL, RANDOMS, 1,
	  .rounds = 9, .roof = 'A', .aim = 1.5 },
	{ "random look-up in 64 GiB", PER_CALL, WORK_FIND, WORLD_FULL, RANDOMS, 1,
	  .rounds = 9, .roof = 'A', .aim = 1.2 },
};
/* clang-format on */

bool scenario_is_for(const struct scenario *scenario, const struct subject *subject)
{
	bool is_unit = subject->shape[0]->format == &format_vtd ||
		       subject->shape[0]->format == &format_amdvi;

	return !scenario->write_back || is_unit || subject->maps == 2;
}

/* Different frames for different i, and no stride to guess. */
static uint64_t scatter(uint64_t i, uint64_t frames)
{
	uint64_t mask = frames - 1;

	i = i * 0x9e3779b1u & mask;
	i ^= i >> 7;
	i = i * 0x85ebca6bu & mask;
	return i ^ i >> 9;
}

static uint64_t place(const struct stage *stage, uint32_t i)
{
	const struct scenario *scenario = stage->scenario;

	switch (scenario->world) {
	case WORLD_EMPTY:
		return RUN_FIRST;
	case WORLD_FULL:
		/* Look-ups are elsewhere than what is mapped and unmapped. */
		return FULL_FIRST + scatter(i + (scenario->work == WORK_FIND ? RANDOMS : 0),
					    stage->world_frames);
	case WORLD_FEW:
		break;
	}
	if (scenario->count > 1)
		return FEW_FIRST + (uint64_t)i * SLOTS;
	return FEW_FIRST + i / (SLOTS - 1) * SLOTS + i % (SLOTS - 1);
}

static void choose_places(struct stage *stage, bool small)
{
	const struct scenario *scenario = stage->scenario;
	uint64_t *first = calloc(scenario->calls, sizeof(*first));

	if (!first)
		bench_fail("no memory");
	for (uint32_t i = 0; i < scenario->calls; i++)
		first[i] = place(stage, i);
	stage->places = (struct places){ first, small ? 1 : scenario->calls, scenario->count };
	if (small && scenario->count > GIB)
		stage->places.count = GIB;
}

/* Limbo has room for a table's worth of single pages, so that is how often settle is called. */
static void unmap_and_settle(struct side *side, const struct places *places)
{
	for (uint32_t done = 0; done < places->calls; done += SLOTS - 1) {
		struct places some = { places->first + done,
				       (uint32_t)min_u64(places->calls - done, SLOTS - 1),
				       places->count };

		side->ops->unmap(side, &some);
		side->ops->settle(side);
	}
}

static void make_world(const struct stage *stage, struct side *side)
{
	uint64_t last[FEW_TABLES], all = FULL_FIRST;

	arena_rewind(&side->arena);
	side_use(side, stage->subject, stage->scenario->write_back);
	side->ops->open(side);
	for (uint32_t i = 0; i < FEW_TABLES; i++)
		last[i] = FEW_FIRST + (i + 1) * SLOTS - 1;
	if (stage->scenario->world == WORLD_FEW)
		side->ops->map(side, &(struct places){ last, FEW_TABLES, 1 });
	if (stage->scenario->world == WORLD_FULL)
		side->ops->map(side, &(struct places){ &all, 1, stage->world_frames });
	if (stage->scenario->world == WORLD_FULL && stage->scenario->work == WORK_MAP)
		unmap_and_settle(side, &stage->places);
	side->ops->settle(side);
}

void stage_begin(struct stage *stage, bool small)
{
	stage->world_frames = small ? GIB : WORLD_FRAMES;
	choose_places(stage, small);
	for (uint32_t i = 0; i < SIDES; i++)
		make_world(stage, stage->side[i]);
}

void stage_end(struct stage *stage)
{
	for (uint32_t i = 0; i < SIDES; i++)
		stage->side[i]->ops->close(stage->side[i]);
	free((void *)(uintptr_t)stage->places.first);
}

static void reopen(struct side *side)
{
	side->ops->close(side);
	arena_rewind(&side->arena);
	side->ops->open(side);
}

void stage_before(const struct stage *stage, struct side *side)
{
	const struct scenario *scenario = stage->scenario;

	if (scenario->work != WORK_MAP && scenario->work != WORK_FIND)
		side->ops->map(side, &stage->places);
	/* Warm is what was written a moment ago: the other sides have tables too. */
	if (scenario->work == WORK_MAP && scenario->world == WORLD_FEW) {
		side->ops->map(side, &stage->places);
		unmap_and_settle(side, &stage->places);
	}
	if (scenario->work == WORK_MAP && scenario->world == WORLD_EMPTY &&
	    stage->places.count <= GIB) {
		side->ops->map(side, &stage->places);
		reopen(side);
	}
	side->ops->settle(side);
	if (scenario->cold)
		arena_chill(&side->arena);
}

void stage_timed(const struct stage *stage, struct side *side)
{
	switch (stage->scenario->work) {
	case WORK_MAP:
		side->ops->map(side, &stage->places);
		return;
	case WORK_UNMAP:
		unmap_and_settle(side, &stage->places);
		return;
	case WORK_DETACH:
		side->ops->unmap(side, &stage->places);
		return;
	case WORK_FIND:
		/* Somebody may want the answer: nobody leaves the look-ups out. */
		__asm__ volatile("" : : "r"(side->ops->find(side, &stage->places)));
		return;
	case WORK_CLOSE:
		side->ops->close(side);
		return;
	}
}

void stage_after(const struct stage *stage, struct side *side)
{
	side->ops->settle(side);
	if (stage->scenario->world == WORLD_EMPTY) {
		reopen(side);
		return;
	}
	if (stage->scenario->work != WORK_MAP)
		return;
	unmap_and_settle(side, &stage->places);
}

static double units(const struct scenario *scenario, const struct subject *subject, uint32_t calls,
		    uint64_t frames)
{
	switch (scenario->per) {
	case PER_CALL:
		return calls;
	case PER_SLOT:
		return (double)frames * subject->maps;
	case PER_TABLE:
		/* Leaf tables, one above them a GiB, one above that, the root. */
		return (double)(frames / SLOTS + frames / GIB + 2) * subject->maps;
	}
	return 1;
}

double stage_units(const struct stage *stage)
{
	return units(stage->scenario, stage->subject, stage->places.calls, stage->places.count);
}

double scenario_units(const struct scenario *scenario, const struct subject *subject)
{
	return units(scenario, subject, 1, min_u64(scenario->count, GIB));
}

void stage_check(const struct stage *stage)
{
	bool expects_leaves =
		stage->scenario->world != WORLD_EMPTY || stage->scenario->work == WORK_MAP;

	if (stage->scenario->work == WORK_CLOSE)
		return;
	for (uint32_t i = 1; i < SIDES; i++) {
		uint64_t leaves;
		const char *difference = same_tables(stage->side[0], stage->side[i], &leaves);

		if (difference)
			bench_fail("%s, %s: the tables differ from roofline %c's: %s",
				   stage->scenario->name, stage->subject->name,
				   ROOF_KINDS[(i - 1) / COMPILERS], difference);
		if (!leaves == expects_leaves)
			bench_fail("%s, %s: %llu leaves", stage->scenario->name,
				   stage->subject->name, (unsigned long long)leaves);
	}
	if (expects_leaves && !same_finds_a_wrong_bit(stage->side[0], stage->side[1]))
		bench_fail("the comparison of tables overlooks a wrong bit");
}
