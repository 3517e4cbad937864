/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/verify_test.c - `sallyport verify` against IOMMUs and devices that are not what they should be: what it
 * says of them, and how it ends.
 *
 *   struct world: mappings, a cache of them, a device that writes through it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "platform/linux/command.h"
#include "platform/linux/verify.h"

#define BASE	 0x100000u
#define BYTES	 64u
#define MAPPINGS 8
#define SLOW	 20000000u

/* What is wrong with it. */
enum defect {
	SOUND,
	NOT_TRANSLATED,	    /* what is sent goes where its address is, in the machine */
	CACHE_KEPT,	    /* the cache is not told of an unmap */
	CACHE_KEPT_READING, /* ... as far as reads go */
	WRITES_EVERYWHERE,  /* rights are not looked at */
	REPLACED_KEPT, /* the cache is told, but not when something else comes in the same place */
	STRAY,	       /* each transfer also changes another frame */
	DEAD,	       /* the device sends nothing */
	FAILS_LATER,   /* ... after its first transfers */
	UNMAP_REFUSED, /* the kernel does not unmap */
	MAP_REFUSED,   /* ... nor map, when the device is to be closed */
	STRAY_LATE, /* what was under way when its mapping went changes another frame, and what comes later does */
	STRAY_REFUSED, /* ... and the kernel does not unmap then */
	AFTER_CLOSE,   /* it writes on when it is closed */
};

struct mapping {
	uint64_t address;
	enum verify_page page;
	bool writable, is_there;
};

struct world {
	struct verify_ground ground; /* first */
	enum defect defect;
	unsigned char memory[VERIFY_PAGES][VERIFY_PAGE_BYTES];
	struct mapping table[MAPPINGS], cache[MAPPINGS];
	uint64_t aimed;
	bool under_way, unmapped_under_way;
	unsigned int shots;
};

static struct mapping *find(struct mapping *mappings, uint64_t address)
{
	for (unsigned int i = 0; i < MAPPINGS; i++)
		if (mappings[i].is_there && mappings[i].address == address)
			return &mappings[i];
	return NULL;
}

static void put(struct mapping *mappings, const struct mapping *new)
{
	struct mapping *slot = find(mappings, new->address);

	for (unsigned int i = 0; !slot && i < MAPPINGS; i++)
		if (!mappings[i].is_there)
			slot = &mappings[i];
	assert_non_null(slot);
	*slot = *new;
}

static bool world_map(void *of, uint64_t address, enum verify_page page, bool writable)
{
	struct world *world = of;
	const struct mapping new = { address, page, writable, true };

	if (world->defect == MAP_REFUSED && world->unmapped_under_way) {
		snprintf(world->ground.trouble, sizeof(world->ground.trouble), "no map");
		return false;
	}
	/* As type 1 does. */
	if (find(world->table, address)) {
		snprintf(world->ground.trouble, sizeof(world->ground.trouble), "it is there");
		return false;
	}
	put(world->table, &new);
	return true;
}

static bool world_unmap(void *of, uint64_t address)
{
	struct world *world = of;
	struct mapping *old = find(world->table, address), *cached = find(world->cache, address);

	assert_non_null(old);
	world->unmapped_under_way |= world->under_way;
	if ((world->defect == UNMAP_REFUSED && world->shots > 5) ||
	    (world->defect == STRAY_REFUSED && world->under_way)) {
		snprintf(world->ground.trouble, sizeof(world->ground.trouble), "no unmap");
		return false;
	}
	old->is_there = false;
	if (cached && world->defect != CACHE_KEPT && world->defect != REPLACED_KEPT &&
	    world->defect != CACHE_KEPT_READING)
		cached->is_there = false;
	return true;
}

/* What the device reaches there: NULL for nothing. */
static unsigned char *reach(struct world *world, uint64_t address, bool writes)
{
	struct mapping *found = find(world->cache, address), *current = find(world->table, address);

	if (world->defect == NOT_TRANSLATED)
		return world->memory[(address - BASE) / VERIFY_PAGE_BYTES];
	if (world->defect == CACHE_KEPT_READING && writes)
		found = current;
	if (world->defect == REPLACED_KEPT && !current)
		found = NULL;
	if (!found)
		found = current;
	if (!found || (writes && !found->writable && world->defect != WRITES_EVERYWHERE))
		return NULL;
	put(world->cache, found);
	return world->memory[found->page];
}

static void deliver(struct world *world)
{
	unsigned char *to = reach(world, world->aimed, true);

	world->shots++;
	world->under_way = false;
	if (world->defect == DEAD || (world->defect == FAILS_LATER && world->shots > 5))
		return;
	if (to)
		memset(to, 0xa5, BYTES);
	if ((world->defect == STRAY && world->shots > 4) ||
	    ((world->defect == STRAY_LATE || world->defect == STRAY_REFUSED) &&
	     world->unmapped_under_way))
		world->memory[VERIFY_GUARD][100] ^= 1;
}

static void world_start(void *of, uint64_t address)
{
	struct world *world = of;

	world->aimed = address;
	world->under_way = true;
}

static enum verify_shot world_finish(void *of)
{
	deliver(of);
	return ((struct world *)of)->defect == DEAD ? VERIFY_STUCK : VERIFY_OVER;
}

static enum verify_shot world_read(void *of, uint64_t address, unsigned char *got)
{
	const unsigned char *from = reach(of, address, false);

	if (from)
		memcpy(got, from, BYTES);
	return VERIFY_OVER;
}

static void world_close(void *of)
{
	struct world *world = of;

	if ((world->defect == AFTER_CLOSE || world->defect == STRAY_LATE) && world->under_way)
		deliver(world);
	memset(world->table, 0, sizeof(world->table));
}

static void world_pause(void *of)
{
	(void)of;
}

static struct verify *play(struct world *world, enum defect defect, uint64_t slow, bool can_read,
			   const char *left_out)
{
	static struct verify verify;

	*world = (struct world){ .defect = defect };
	world->ground = (struct verify_ground){ .of = world,
						.bytes = BYTES,
						.can_read = can_read,
						.slow = slow,
						.map = world_map,
						.unmap = world_unmap,
						.start = world_start,
						.finish = world_finish,
						.read = world_read,
						.close = world_close,
						.pause = world_pause };
	for (unsigned int i = 0; i < VERIFY_PAGES; i++) {
		world->ground.page[i] = world->memory[i];
		world->ground.address[i] = BASE + i * VERIFY_PAGE_BYTES;
	}
	verify = (struct verify){ .ground = &world->ground };
	setenv("SALLYPORT_LEFT_OUT", left_out, 1);
	verify_play(&verify, 50);
	unsetenv("SALLYPORT_LEFT_OUT");
	return &verify;
}

static enum verify_result result_of(const struct verify *verify, const char *name)
{
	for (size_t i = 0; i < verify->count; i++)
		if (strcmp(verify->row[i].name, name) == 0)
			return verify->row[i].result;
	fail_msg("no row %s", name);
	return VERIFY_UNKNOWN;
}

static struct world world;

static void a_sound_machine_is_contained(void **state)
{
	const struct verify *verify = play(&world, SOUND, SLOW, true, "");

	(void)state;
	assert_int_equal(verify_status(verify), EXIT_FINE);
	assert_int_equal(verify->count, VERIFY_ROWS);
	for (size_t i = 0; i < verify->count - 1; i++)
		assert_int_equal(verify->row[i].result, i < 2 ? VERIFY_ARRIVES : VERIFY_BLOCKED);
	/* Bus mastering is off when a device is closed. */
	assert_int_equal(verify->row[verify->count - 1].result, VERIFY_UNOBSERVABLE);
	assert_int_equal(verify->samples, 50);
	assert_true(verify->median <= verify->p99);
}

static void what_an_engine_cannot_show_is_no_pass(void **state)
{
	const struct verify *verify = play(&world, SOUND, 0, false, "");

	(void)state;
	assert_int_equal(verify_status(verify), EXIT_FINE);
	assert_int_equal(result_of(verify, "read: what was unmapped"), VERIFY_UNOBSERVABLE);
	assert_int_equal(result_of(verify, "a transfer under way at the unmap"),
			 VERIFY_UNOBSERVABLE);
}

/* Each with the row that finds it, and nothing is aimed at any more where no translation is. */
static void each_defect_is_found(void **state)
{
	static const struct {
		enum defect defect;
		const char *row;
		size_t rows; /* 0: all */
	} defects[] = {
		{ NOT_TRANSLATED, "the same at another address", 3 },
		{ CACHE_KEPT, "what was unmapped", 0 },
		{ CACHE_KEPT_READING, "read: what was unmapped", 0 },
		{ WRITES_EVERYWHERE, "unmapped, and mapped to be read", 0 },
		{ REPLACED_KEPT, "a frame that was replaced", 0 },
		{ STRAY, "what was unmapped", 0 },
		{ AFTER_CLOSE, "the device closed in a transfer", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(defects) / sizeof(defects[0]); i++) {
		const struct verify *verify = play(&world, defects[i].defect, SLOW, true, "");

		assert_int_equal(result_of(verify, defects[i].row), VERIFY_LEAKED);
		assert_int_equal(verify_status(verify), EXIT_FINDINGS);
		assert_int_equal(verify->count, defects[i].rows ? defects[i].rows : VERIFY_ROWS);
	}
}

static void a_device_that_does_nothing_proves_nothing(void **state)
{
	const struct verify *verify = play(&world, DEAD, SLOW, true, "");

	(void)state;
	assert_int_equal(verify_status(verify), EXIT_UNKNOWN);
	assert_int_equal(verify->row[0].result, VERIFY_UNKNOWN);
	assert_int_equal(verify->count, 2); /* the first, and its end */
}

static void a_control_that_does_not_arrive_proves_nothing(void **state)
{
	const struct verify *verify = play(&world, FAILS_LATER, SLOW, false, "");

	(void)state;
	assert_int_equal(verify_status(verify), EXIT_UNKNOWN);
	assert_int_equal(result_of(verify, "what was unmapped"), VERIFY_UNKNOWN);
}

static void an_unmap_that_is_refused_proves_nothing(void **state)
{
	const struct verify *verify = play(&world, UNMAP_REFUSED, SLOW, true, "");

	(void)state;
	assert_int_equal(verify_status(verify), EXIT_UNKNOWN);
	assert_int_equal(result_of(verify, "what was unmapped"), VERIFY_UNKNOWN);
}

static void a_machine_that_is_too_slow_proves_nothing_of_what_is_under_way(void **state)
{
	const struct verify *verify = play(&world, AFTER_CLOSE, 1, true, "");

	(void)state;
	assert_int_equal(result_of(verify, "a transfer under way at the unmap"),
			 VERIFY_UNOBSERVABLE);
	assert_int_equal(result_of(verify, "the device closed in a transfer"), VERIFY_UNOBSERVABLE);
	assert_int_equal(verify_status(verify), EXIT_FINE);
}

/* The frame that was mapped may be reached then; no other one ever. */
static void no_lateness_excuses_a_frame_that_was_never_mapped(void **state)
{
	const struct verify *verify = play(&world, STRAY_LATE, 1, true, "");

	(void)state;
	assert_int_equal(result_of(verify, "a transfer under way at the unmap"), VERIFY_LEAKED);
	assert_int_equal(result_of(verify, "the device closed in a transfer"), VERIFY_LEAKED);
	assert_int_equal(verify_status(verify), EXIT_FINDINGS);
	verify = play(&world, STRAY_REFUSED, SLOW, true, "");
	assert_int_equal(result_of(verify, "a transfer under way at the unmap"), VERIFY_LEAKED);
}

/* Nothing was sent: that nothing changed says nothing. */
static void a_map_that_is_refused_before_the_end_proves_nothing(void **state)
{
	const struct verify *verify = play(&world, MAP_REFUSED, SLOW, true, "");

	(void)state;
	assert_int_equal(result_of(verify, "a transfer under way at the unmap"), VERIFY_BLOCKED);
	assert_int_equal(result_of(verify, "the device closed in a transfer"), VERIFY_UNKNOWN);
	assert_string_equal(verify->row[verify->count - 1].evidence, "no map");
	assert_int_equal(verify_status(verify), EXIT_UNKNOWN);
}

/* The control of it all: what is said to be unmapped, and is not. */
static void an_unmap_that_is_left_out_is_found(void **state)
{
	const struct verify *verify = play(&world, SOUND, SLOW, true, "verify-unmap");

	(void)state;
	assert_int_equal(verify_status(verify), EXIT_FINDINGS);
	assert_int_equal(result_of(verify, "what was unmapped"), VERIFY_LEAKED);
	assert_int_equal(result_of(verify, "read: what was unmapped"), VERIFY_LEAKED);
	assert_int_equal(result_of(verify, "a transfer under way at the unmap"), VERIFY_LEAKED);
	assert_int_equal(result_of(verify, "what was never mapped"), VERIFY_BLOCKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_machine_is_contained),
		cmocka_unit_test(what_an_engine_cannot_show_is_no_pass),
		cmocka_unit_test(each_defect_is_found),
		cmocka_unit_test(a_device_that_does_nothing_proves_nothing),
		cmocka_unit_test(a_control_that_does_not_arrive_proves_nothing),
		cmocka_unit_test(an_unmap_that_is_refused_proves_nothing),
		cmocka_unit_test(a_machine_that_is_too_slow_proves_nothing_of_what_is_under_way),
		cmocka_unit_test(no_lateness_excuses_a_frame_that_was_never_mapped),
		cmocka_unit_test(a_map_that_is_refused_before_the_end_proves_nothing),
		cmocka_unit_test(an_unmap_that_is_left_out_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
