/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/change_lazy_test.c - a million operations with pages that go lazily, and none is lost (A3.9).
 *
 *   frame    free --map--> mapped --unmap, lazily or not--> gone --handed back--> free
 *
 * Beside the core it is kept who may remember each frame: CPUs fill and flush, units fill and are told. A
 * frame that is handed back twice, or while somebody remembers it, is a failure at that operation; in the end
 * all are free or mapped.
 */
#include "change_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OPERATIONS 1000000u
#define FRAMES	   3000u /* more than limbo holds */
#define GFNS	   4500u
#define GFN	   0x40000u
#define MFN	   0x200000u
#define NOWHERE	   UINT32_MAX

enum state {
	FREE,
	MAPPED,
	GONE
};

static struct world {
	struct fixture *fixture;
	uint64_t random;
	struct sp_ticket ticket; /* of the last change */
	uint8_t state[FRAMES];
	uint32_t at[FRAMES];   /* where it is mapped, or was */
	uint32_t frame[GFNS];  /* NOWHERE: a hole */
	uint32_t free[FRAMES]; /* a stack */
	uint32_t free_count, gone_count;
	bool unit_holds[FRAMES], cpu_holds[FIXTURE_CPUS][FRAMES], in_guest[FIXTURE_CPUS];
	bool must_flush[FIXTURE_CPUS]; /* it holds what was handed back while it was out of its guest */
	uint32_t maps, lazy, busy, back, flushes, kicks, told;
} world;

static uint32_t draw(uint32_t below)
{
	world.random ^= world.random << 13;
	world.random ^= world.random >> 7;
	world.random ^= world.random << 17;
	return (uint32_t)(world.random % below);
}

/* ---- CPUs and the unit ---- */

static void forget_all(uint32_t cpu)
{
	memset(world.cpu_holds[cpu], 0, sizeof(world.cpu_holds[cpu]));
	world.must_flush[cpu] = false;
}

static void enter(uint32_t cpu)
{
	struct sp_entry entry;

	if (world.in_guest[cpu])
		return;
	world.fixture->self = cpu;
	assert_int_equal(sp_cpu_enter(world.fixture->domain, &entry), SP_OK);
	world.fixture->self = 0;
	world.in_guest[cpu] = true;
	world.flushes += entry.flush;
	if (entry.flush)
		forget_all(cpu);
	assert_false(world.must_flush[cpu]);
}

static void leave(uint32_t cpu)
{
	if (!world.in_guest[cpu])
		return;
	world.in_guest[cpu] = false;
	world.fixture->self = cpu;
	sp_cpu_leave(world.fixture->domain, true);
	world.fixture->self = 0;
}

static void flush(uint32_t cpu)
{
	leave(cpu);
	forget_all(cpu);
	world.fixture->self = cpu;
	sp_cpu_flushed(world.fixture->domain);
	world.fixture->self = 0;
}

static void touch(uint32_t cpu)
{
	for (int i = 0; i < 8 && world.in_guest[cpu]; i++) {
		uint32_t frame = world.frame[draw(GFNS)];

		if (frame != NOWHERE)
			world.cpu_holds[cpu][frame] = world.unit_holds[frame] = true;
	}
}

static void exit_kicked(void)
{
	for (uint32_t cpu = 0; cpu < FIXTURE_CPUS; cpu++)
		if (world.fixture->kicked.word[0] >> cpu & 1)
			leave(cpu);
	world.kicks += world.fixture->kicks;
	world.fixture->kicks = 0;
	world.fixture->kicked.word[0] = 0;
}

/* ---- what the core said ---- */

static bool is_named(const struct command *command, uint64_t gfn)
{
	return command->kind == COMMAND_DOMAIN ||
	       (command->kind == COMMAND_PAGES &&
		gfn >> command->order == command->first >> command->order);
}

static void hear_commands(void)
{
	struct fixture_unit *unit = &world.fixture->unit[0];

	assert_in_range(unit->command_count, 0, FIXTURE_COMMANDS - 1);
	for (uint32_t i = 0; i < unit->command_count; i++)
		for (uint32_t frame = 0; frame < FRAMES; frame++)
			if (world.state[frame] == GONE &&
			    is_named(&unit->command[i], GFN + world.at[frame]))
				world.unit_holds[frame] = false;
	world.told += unit->command_count;
	unit->command_count = 0;
}

static void take_back(uint32_t frame)
{
	assert_int_equal(world.state[frame], GONE);
	assert_false(world.unit_holds[frame]);
	for (uint32_t cpu = 0; cpu < FIXTURE_CPUS; cpu++) {
		assert_false(world.in_guest[cpu] && world.cpu_holds[cpu][frame]);
		world.must_flush[cpu] |= world.cpu_holds[cpu][frame];
	}
	world.state[frame] = FREE;
	world.free[world.free_count++] = frame;
	world.gone_count--;
	world.back++;
}

static void hear(void)
{
	struct fixture *fixture = world.fixture;

	hear_commands();
	for (uint32_t i = 0; i < fixture->run_count; i++)
		for (uint64_t n = 0; n < fixture->run[i].count; n++)
			take_back((uint32_t)(fixture->run[i].first.mfn + n - MFN));
	fixture->run_count = 0;
}

static void meanwhile(struct fixture *fixture)
{
	hear();
	exit_kicked();
	fixture_answer(fixture);
}

static void wait(void)
{
	assert_int_equal(sp_wait(world.fixture->host, world.ticket), SP_OK);
	(void)sp_progress(world.fixture->host, 100000);
	hear();
}

/* ---- operations ---- */

static void note_gone(uint32_t gfn, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint32_t frame = world.frame[gfn + i];

		if (frame == NOWHERE)
			continue;
		world.frame[gfn + i] = NOWHERE;
		world.state[frame] = GONE;
		world.gone_count++;
	}
}

static void map(void)
{
	uint32_t gfn = draw(GFNS), frame;
	struct sp_result result;
	enum sp_status status;

	/* The owner is short of frames: then it wants back what went. */
	if (!world.free_count)
		wait();
	if (world.frame[gfn] != NOWHERE || !world.free_count)
		return;
	frame = world.free[--world.free_count];
	while ((status = sp_p2m_map(world.fixture->domain, (sp_gfn_t){ GFN + gfn },
				    (sp_mfn_t){ MFN + frame }, 1, SP_RAM, &result)) == SP_BUSY) {
		world.ticket = result.ticket;
		world.busy++;
		wait();
	}
	assert_int_equal(status, SP_OK);
	world.ticket = result.ticket;
	world.state[frame] = MAPPED;
	world.at[frame] = gfn;
	world.frame[gfn] = frame;
	world.unit_holds[frame] = true;
	world.maps++;
}

static void unmap(bool lazy)
{
	uint32_t gfn = draw(GFNS), count = 1 + draw(8);
	struct sp_result result;
	enum sp_status status = SP_BUSY;

	if (gfn + count > GFNS)
		return;
	while (status == SP_BUSY) {
		status = (lazy ? sp_p2m_unmap_lazy : sp_p2m_unmap)(
			world.fixture->domain, (sp_gfn_t){ GFN + gfn }, count, &result);
		world.ticket = result.ticket;
		if (status != SP_BUSY)
			break;
		world.busy++;
		wait();
	}
	assert_int_equal(status, SP_OK);
	note_gone(gfn, result.done);
	world.lazy += lazy;
}

static void operate(void)
{
	uint32_t what = draw(1000), cpu = draw(FIXTURE_CPUS);

	if (what < 480)
		map();
	else if (what < 745)
		unmap(draw(4000) != 0);
	else if (what < 820)
		enter(cpu);
	else if (what < 850)
		leave(cpu);
	else if (what < 970)
		touch(cpu);
	else if (what < 980)
		flush(cpu);
	else if (what < 999 || draw(100))
		(void)sp_progress(world.fixture->host, 1000);
	else
		(void)(sp_poll(world.fixture->host, world.ticket) == SP_OK);
	hear();
	if (draw(4) == 0)
		exit_kicked();
	if (draw(4) == 0)
		fixture_answer(world.fixture);
}

static void of_a_million_operations_no_page_is_lost(void **state)
{
	uint32_t mapped = 0;

	(void)state;
	memset(&world, 0, sizeof(world));
	world.random = 0x5a11;
	world.fixture = fixture_make(SP_TABLES_SEPARATE, 1, COLUMN_VTD);
	world.fixture->meanwhile = meanwhile;
	world.ticket = (struct sp_ticket){ world.fixture->domain, 0 };
	for (uint32_t i = 0; i < GFNS; i++)
		world.frame[i] = NOWHERE;
	for (uint32_t i = 0; i < FRAMES; i++)
		world.free[world.free_count++] = i;
	for (uint32_t i = 0; i < OPERATIONS; i++) {
		operate();
		assert_int_equal(world.free_count + world.gone_count <= FRAMES, true);
	}
	wait();
	fixture_settle(world.fixture);
	hear();
	for (uint32_t i = 0; i < FRAMES; i++)
		mapped += world.state[i] == MAPPED;
	print_message("%u maps, %u lazy unmaps, %u frames came back; %u commands, %u kicks, %u "
		      "flushes, busy %u times\n",
		      world.maps, world.lazy, world.back, world.told, world.kicks, world.flushes,
		      world.busy);
	assert_int_equal(world.gone_count, 0);
	assert_int_equal(world.free_count + mapped, FRAMES);
	assert_int_equal(world.maps, world.back + mapped);
	assert_int_equal(world.fixture->frames_forgotten, world.back);
	assert_true(world.busy > 0);
	for (uint32_t cpu = 0; cpu < FIXTURE_CPUS; cpu++)
		leave(cpu);
	fixture_free(world.fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_million_operations_no_page_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
