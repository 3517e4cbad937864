/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/clock_test.c - who must flush before a page goes to somebody else (A3.4): sync/clock.h on a
 * clock of four bits, which comes round, against what is so.
 *
 *   the page's owner      slot cleared -> stamp read -> wanted: whoever must flush does -> released
 *   a CPU                 fills while the slot is there; tick -> flush -> notes the tick
 *   the clock             ticks for others too; 15 -> 0 stands until the CPU has flushed -> 1
 *
 * Every state that these reach in any order is looked at. What the CPU truly holds is kept beside; a filter
 * that lets the page go while it holds it is wrong, and so is one that asks a CPU that flushed behind the
 * stamp.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sync/clock.h"

#define BITS4 4u
#define ENDS  16u

/* ---- the table, value by value ---- */

/* Said again in words: numbers of one round compare, those of the round before are past. */
static void every_triple_is_as_the_rule_says(void **state)
{
	uint32_t flushes = 0;

	(void)state;
	for (uint64_t now = 0; now < ENDS; now++)
		for (uint64_t flushed = 0; flushed < ENDS; flushed++)
			for (uint64_t stamp = 0; stamp < ENDS; stamp++) {
				bool must = clock_must_flush(now, flushed, stamp);

				if (now == 0 || flushed == 0 || (stamp <= now && flushed == stamp))
					assert_true(must);
				else if (stamp > now || flushed > stamp)
					assert_false(must);
				else
					assert_true(must);
				flushes += must;
			}
	/* 256 with the clock at 0, 240 of who never flushed, and of the rest what is not newer. */
	assert_int_equal(flushes, 256 + 240 + 15 * 16 * 17 / 6);
}

static void a_clock_comes_round_to_zero(void **state)
{
	uint64_t now = 1;

	(void)state;
	for (uint32_t i = 0; i < ENDS - 1; i++)
		now = clock_next(now, BITS4);
	assert_int_equal(now, 0);
	assert_int_equal(clock_next(0, BITS4), 1);
	assert_int_equal(clock_next(UINT64_MAX - 1, CLOCK_BITS), UINT64_MAX);
	assert_int_equal(clock_next(UINT64_MAX, CLOCK_BITS), 0);
}

/* ---- every order of events ---- */

/* The five ways to be wrong, and the right one. */
enum defect {
	SOUND,
	EQUAL,	     /* '<' for '<=' */
	TICK_LATE,   /* the tick behind the flush */
	NOTE_EARLY,  /* a CPU notes its flush, then flushes */
	STAMP_EARLY, /* the stamp is read before the slot is cleared */
	INTERRUPTED, /* an older stamp of the page is stored over a newer one */
	NO_ROUND     /* the clock comes round, and nobody flushes for that */
};

enum phase {
	IDLE,
	TICKED,	 /* has its number; has not flushed */
	FLUSHED, /* has flushed; has not noted it */
	NOTED	 /* NOTE_EARLY: has noted it; has not flushed */
};

enum slot {
	MAPPED,
	STAMPED, /* STAMP_EARLY: the stamp is read, the slot still there */
	CLEARED, /* no stamp yet */
	GONE	 /* cleared and stamped */
};

struct cpu {
	uint8_t phase, tick, flushed;
	uint8_t holds;	/* a translation of the page */
	uint8_t behind; /* a flush of its began behind the stamp, and is noted */
	uint8_t round;	/* must flush yet, for the clock came round */
};

struct machine {
	uint8_t now, slot, stamp,
		kept; /* kept: INTERRUPTED: a stamp that was read and not stored; 0: none */
	struct cpu cpu;
};

/* ---- the states that were reached ---- */

#define ROOM (1u << 21)

struct search {
	enum defect defect;
	uint32_t count;	   /* of the queue */
	uint32_t released; /* states in which the page may go */
	bool unsound, inexact;
	struct machine queue[ROOM];
	uint32_t table[2 * ROOM]; /* 1 + index in the queue */
};

static struct search search;

static uint32_t hash(const struct machine *machine)
{
	const uint8_t *byte = (const uint8_t *)machine;
	uint32_t value = 2166136261u;

	for (size_t i = 0; i < sizeof(*machine); i++)
		value = (value ^ byte[i]) * 16777619u;
	return value ^ value >> 15;
}

static void reach(const struct machine *machine)
{
	uint32_t at = hash(machine) % (2 * ROOM);

	while (search.table[at]) {
		if (memcmp(&search.queue[search.table[at] - 1], machine, sizeof(*machine)) == 0)
			return;
		at = (at + 1) % (2 * ROOM);
	}
	assert_in_range(search.count, 0, ROOM - 1);
	search.queue[search.count++] = *machine;
	search.table[at] = search.count;
}

/* ---- what may happen next ---- */

static bool must_flush(const struct machine *machine, const struct cpu *cpu)
{
	if (search.defect == EQUAL && machine->now && cpu->flushed &&
	    cpu->flushed == machine->stamp)
		return false;
	return clock_must_flush(machine->now, cpu->flushed, machine->stamp);
}

static void tick(struct machine *machine)
{
	/* It stands at 0 until all have flushed. */
	if (machine->now == 0 && search.defect != NO_ROUND)
		return;
	machine->now = (uint8_t)clock_next(machine->now, BITS4);
	machine->cpu.round |= machine->now == 0;
}

static void begin_flush(struct machine *machine, struct cpu *cpu)
{
	if (search.defect != TICK_LATE)
		tick(machine);
	cpu->tick = machine->now;
	cpu->behind = machine->slot == GONE;
	cpu->phase = TICKED;
}

static void flush(struct machine *machine, struct cpu *cpu)
{
	cpu->holds = 0;
	cpu->phase = cpu->phase == NOTED ? IDLE : FLUSHED;
	/* What it noted of the round before means nothing any more. */
	if (cpu->round && cpu->tick == 0) {
		cpu->flushed = 0;
		cpu->round = 0;
		machine->now = machine->now ? machine->now : 1;
	}
}

static void note(struct machine *machine, struct cpu *cpu)
{
	if (search.defect == TICK_LATE) {
		tick(machine);
		cpu->tick = machine->now;
	}
	cpu->flushed = cpu->tick;
	cpu->phase = cpu->phase == TICKED ? NOTED : IDLE;
}

static void step_cpu(struct machine machine)
{
	struct machine before = machine;
	struct cpu *cpu = &machine.cpu;

	switch ((enum phase)cpu->phase) {
	case IDLE:
		begin_flush(&machine, cpu);
		reach(&machine);
		break;
	case TICKED:
		if (search.defect == NOTE_EARLY)
			note(&machine, cpu);
		else
			flush(&machine, cpu);
		reach(&machine);
		break;
	case FLUSHED:
		note(&machine, cpu);
		reach(&machine);
		break;
	case NOTED:
		flush(&machine, cpu);
		reach(&machine);
		break;
	}
	/* Speculation fills at any moment while the slot is there; so the flush under way may come too soon. */
	if (before.slot == MAPPED || before.slot == STAMPED) {
		before.cpu.holds = 1;
		reach(&before);
	}
}

/* Somebody else flushes. */
static void step_clock(struct machine machine)
{
	tick(&machine);
	reach(&machine);
}

static void stamp(struct machine *machine)
{
	machine->stamp = machine->now;
	machine->cpu.behind = 0;
}

static void step_page(struct machine machine)
{
	switch ((enum slot)machine.slot) {
	case MAPPED:
		if (search.defect == STAMP_EARLY) {
			stamp(&machine);
			machine.slot = STAMPED;
		} else {
			machine.slot = CLEARED;
		}
		break;
	case STAMPED:
		machine.slot = GONE;
		break;
	case CLEARED:
		/* Whoever cleared it before was interrupted with an older stamp in hand. */
		if (search.defect == INTERRUPTED && !machine.kept && machine.now) {
			struct machine other = machine;

			other.kept = other.now;
			other.slot = MAPPED;
			reach(&other);
		}
		stamp(&machine);
		if (machine.kept)
			machine.stamp = machine.kept;
		machine.kept = 0;
		machine.slot = GONE;
		break;
	case GONE:
		/* Somebody got it, and maps it: nobody holds it by then. */
		if (must_flush(&machine, &machine.cpu))
			return;
		machine.slot = MAPPED;
		break;
	}
	reach(&machine);
}

static void judge(const struct machine *machine)
{
	const struct cpu *cpu = &machine->cpu;
	bool must = must_flush(machine, cpu);

	if (machine->slot != GONE)
		return;
	/* In one round of the clock: a flush that began behind the stamp, and is noted, is enough. */
	search.inexact |= must && cpu->phase == IDLE && cpu->behind && machine->now &&
			  cpu->flushed && machine->stamp < cpu->tick;
	search.released += !must;
	search.unsound |= !must && cpu->holds;
}

static void look_at_all(enum defect defect)
{
	const struct machine first = { .now = 1 };

	memset(&search, 0, sizeof(search));
	search.defect = defect;
	reach(&first);
	for (uint32_t i = 0; i < search.count && !search.unsound; i++) {
		const struct machine machine = search.queue[i];

		judge(&machine);
		step_page(machine);
		step_cpu(machine);
		step_clock(machine);
	}
}

static void in_every_order_nobody_holds_what_goes(void **state)
{
	(void)state;
	look_at_all(SOUND);
	print_message("%u states, %u of them with the page gone\n", search.count, search.released);
	assert_false(search.unsound);
	assert_false(search.inexact);
	assert_true(search.released > 1000);
}

static void each_way_to_be_wrong_is_found_in_some_order(void **state)
{
	(void)state;
	for (enum defect defect = EQUAL; defect <= NO_ROUND; defect++) {
		look_at_all(defect);
		if (!search.unsound)
			fail_msg("defect %u is not found in %u states", defect, search.count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_triple_is_as_the_rule_says),
		cmocka_unit_test(a_clock_comes_round_to_zero),
		cmocka_unit_test(in_every_order_nobody_holds_what_goes),
		cmocka_unit_test(each_way_to_be_wrong_is_found_in_some_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
