/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/change_order_test.c - a vCPU never sees memory that its device cannot reach (design 4).
 *
 *   up     device's map, then the CPU's        looked at before every store of the core:
 *   down   the CPU's map, then the device's    what the one translates, the other does too
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/mutant.h"
#include "tests/unit/change_fixture.h"

#define GFN   0x40000ull
#define MFN   0x900000ull
#define OTHER 0xa00000ull
#define MOST  2048ull

static struct fixture *looked_at;
static uint32_t looks, found_apart;

/* Frames of every size of change below, and of each of their tables. */
static void look(const void *to)
{
	static const uint64_t frames[] = { 0, 1, 15, 511, 512, 1023, MOST - 1 };
	struct map *maps = looked_at->domain->maps;

	(void)to;
	looks++;
	for (uint32_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct found cpu, device;

		if (tree_find(&maps[0].tree, GFN + frames[i], &cpu) &&
		    !tree_find(&maps[1].tree, GFN + frames[i], &device))
			found_apart++;
	}
}

/* How often the two were found apart while pages came and went. */
static uint32_t come_and_go(uint64_t count, bool table_is_there, enum sp_mutant mutant)
{
	struct fixture *fixture = fixture_make(SP_TABLES_SEPARATE, 1, COLUMN_AMDVI);

	if (table_is_there)
		fixture_map(fixture, GFN + MOST - 1, OTHER, 1, SP_RAM);
	if (table_is_there)
		fixture_map(fixture, GFN + 511, OTHER + 1, 1, SP_RAM);
	assert_int_equal(sp_mutant_choose(fixture->host, mutant), SP_OK);
	looked_at = fixture;
	looks = found_apart = 0;
	fixture_looks.before_store = look;
	fixture_map(fixture, GFN, MFN + 3, count, SP_RAM);
	look(NULL);
	fixture_unmap(fixture, GFN, count);
	fixture_looks.before_store = NULL;
	/* Both maps were written both ways. */
	assert_true(looks >= 4);
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_NONE), SP_OK);
	fixture_settle(fixture);
	fixture_free(fixture);
	return found_apart;
}

static const uint64_t counts[] = { 1, 2, 16, 511, 1024, MOST };

static void a_cpu_never_sees_what_its_device_cannot_reach(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		assert_int_equal(come_and_go(counts[i], true, SP_MUT_NONE), 0);
		assert_int_equal(come_and_go(counts[i], false, SP_MUT_NONE), 0);
	}
}

static void written_in_one_order_a_cpu_sees_what_its_device_cannot_reach(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		assert_int_not_equal(come_and_go(counts[i], true, SP_MUT_DEVICE_MAP_FIRST), 0);
		assert_int_not_equal(come_and_go(counts[i], false, SP_MUT_DEVICE_MAP_FIRST), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cpu_never_sees_what_its_device_cannot_reach),
		cmocka_unit_test(written_in_one_order_a_cpu_sees_what_its_device_cannot_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
