/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/change_patch_test.c - a guest writes beside its code, just when that is to be written over.
 *
 *   reads the word --- the guest changes the byte beside it --- exchange: it is another word, again ...
 */
#include "change_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GFN  0x40000ull
#define AT   64u
#define MOST 100u /* tries under one hold of the lock */

static struct fixture *machine;
static uint8_t *code;
static bool hammers;
static uint32_t tries;

/* The byte beside the patched ones changes before every try, as long as the guest can write there. */
static void hammer(const void *to)
{
	struct found found;

	if (to != code + AT || !hammers)
		return;
	(void)tree_find(&machine->domain->maps[0].tree, GFN, &found);
	if (!(found.rights & CPU_WRITE))
		return;
	code[AT + 7]++;
	tries++;
	assert_in_range(tries, 1, MOST);
}

static sp_mfn_t make(void)
{
	sp_mfn_t frame;

	machine = fixture_make(SP_TABLES_SEPARATE, 0, COLUMN_AMDVI);
	assert_int_equal(platform_frames_take(machine, 0, 0, &frame), SP_OK);
	code = platform_pointer(machine, frame);
	memset(code, 0x90, SP_FRAME_BYTES);
	fixture_map(machine, GFN, frame.mfn, 1, SP_RAM);
	/* A neighbour, so that the table stays. */
	fixture_map(machine, GFN + 1, 0x80007, 1, SP_RAM);
	tries = 0;
	fixture_looks.before_store = hammer;
	return frame;
}

static void finish(sp_mfn_t frame)
{
	fixture_looks.before_store = NULL;
	fixture_unmap(machine, GFN, 2);
	fixture_settle(machine);
	platform_frames_give(machine, frame, 0);
	fixture_free(machine);
}

static void expect_patched(uint8_t beside)
{
	static const uint8_t wanted[] = { 1, 2, 3, 4, 0x90, 0x90, 0x90 };

	assert_memory_equal(code + AT, wanted, sizeof(wanted));
	assert_int_equal(code[AT + 7], beside);
	assert_int_equal(code[AT - 1], 0x90);
}

static const struct sp_patch four = { .address = (GFN << 12) + AT,
				      .count = 4,
				      .bytes = { 1, 2, 3, 4 } };

static void what_is_written_beside_stays(void **state)
{
	struct sp_patch patch = four;
	sp_mfn_t frame = make();

	(void)state;
	code[AT + 7] = 0x55;
	assert_int_equal(sp_p2m_patch(machine->domain, &patch), SP_OK);
	expect_patched(0x55);
	assert_int_equal(sp_p2m_patch(machine->domain, &patch), SP_OK);
	finish(frame);
}

static void a_guest_that_never_lets_it_gets_a_window(void **state)
{
	struct sp_patch patch = four;
	sp_mfn_t frame = make();
	struct sp_mapping mapping;
	struct sp_entry entry;

	(void)state;
	hammers = true;
	machine->self = 1;
	assert_int_equal(sp_cpu_enter(machine->domain, &entry), SP_OK);
	machine->self = 0;
	assert_int_equal(sp_p2m_patch(machine->domain, &patch), SP_BUSY);
	assert_in_range(tries, 1, MOST);
	assert_int_equal(sp_p2m_find(machine->domain, (sp_gfn_t){ GFN }, &mapping), SP_OK);
	assert_int_equal(mapping.type, SP_RAM_HELD);
	/* It is not paid: that CPU may write there still. */
	assert_int_equal(sp_p2m_patch(machine->domain, &patch), SP_BUSY);
	assert_int_equal(code[AT], 0x90);
	machine->self = 1;
	sp_cpu_leave(machine->domain, true);
	machine->self = 0;
	assert_int_equal(sp_p2m_patch(machine->domain, &patch), SP_OK);
	expect_patched((uint8_t)(0x90 + tries));
	assert_int_equal(sp_p2m_find(machine->domain, (sp_gfn_t){ GFN }, &mapping), SP_OK);
	assert_int_equal(mapping.type, SP_RAM);
	finish(frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_beside_stays),
		cmocka_unit_test(a_guest_that_never_lets_it_gets_a_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
