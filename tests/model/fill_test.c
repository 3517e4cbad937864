/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/fill_test.c - a late map is filled while the guest's memory changes under it.
 *
 * The filling source once more, with a change of memory put between its look and its write: at the
 * one place where it holds no lock and what it read may be out of date.
 */
#include "pass_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "iommu/domain.h"

static void meddle(void);

/* What fill.c calls to write. */
static enum sp_status write_late(struct sp_domain *domain, struct span span, struct wish *wishes,
				 uint32_t count, struct sp_ticket *ticket)
{
	meddle();
	return unit_map_change(domain, span, wishes, count, ticket);
}

#define unit_map_change write_late
#include "passthrough/fill.c"
#undef unit_map_change

static struct pass *pass;
static uint32_t writes;
static void (*meddler)(uint32_t write);

static void meddle(void)
{
	if (meddler)
		meddler(writes);
	writes++;
}

static const struct pass_mode separate = { .vendor = MODEL_AMDVI,
					   .cpu = SP_CPU_NPT,
					   .tables = SP_TABLES_SEPARATE };

static int make(void **state)
{
	(void)state;
	pass = pass_make(&separate);
	writes = 0;
	return 0;
}

static int drop(void **state)
{
	(void)state;
	meddler = NULL;
	pass_free(pass);
	return 0;
}

/* Both maps, frame by frame. */
static void assert_agree(uint64_t first, uint64_t count)
{
	const struct sp_domain *guest = pass->guest[0];

	for (uint64_t frame = first; frame < first + count; frame++) {
		struct found cpu, device;

		(void)tree_find(&guest->maps[0].tree, frame, &cpu);
		(void)tree_find(&guest->maps[1].tree, frame, &device);
		assert_int_equal(device_rights(&cpu), device.rights & DEVICE_RIGHTS);
		if (device_rights(&cpu))
			assert_int_equal(cpu.mfn, device.mfn);
	}
}

static uint64_t reach(uint64_t dfn)
{
	return pass_reach(pass, OTHER_UNIT, dfn, true);
}

/* ---- what happens in between ---- */

static void unmap_what_was_read(uint32_t write)
{
	if (write < 3)
		pass_unmap(pass, 0, GFN + write, 1);
}

static void memory_unmapped_in_between_is_not_reached(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++)
		(void)pass_map_new(pass, 0, GFN + 7 - i);
	meddler = unmap_what_was_read;
	pass_assign(pass, 0, OTHER_UNIT);
	assert_in_range(writes, 4, 40);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(reach(GFN + i), 0);
	assert_int_not_equal(reach(GFN + 3), 0);
	assert_agree(GFN, 16);
}

static uint64_t newest;

static void replace_what_was_read(uint32_t write)
{
	if (write < 5) {
		newest = model_guest_frame(pass->model);
		pass_map(pass, 0, GFN, newest, 1, SP_RAM);
	}
}

static void memory_replaced_in_between_is_reached_where_it_is_now(void **state)
{
	(void)state;
	(void)pass_map_new(pass, 0, GFN);
	meddler = replace_what_was_read;
	pass_assign(pass, 0, OTHER_UNIT);
	assert_in_range(writes, 6, 20);
	assert_int_equal(reach(GFN), newest);
}

static void map_behind(uint32_t write)
{
	if (write == 1)
		newest = pass_map_new(pass, 0, GFN - 0x1000);
}

static void memory_mapped_behind_the_fill_is_reached(void **state)
{
	(void)state;
	(void)pass_map_new(pass, 0, GFN);
	(void)pass_map_new(pass, 0, GFN + 0x300);
	meddler = map_behind;
	pass_assign(pass, 0, OTHER_UNIT);
	assert_int_equal(reach(GFN - 0x1000), newest);
	assert_agree(GFN - 0x1000, 1);
}

static void forbid_writing(uint32_t write)
{
	struct sp_result result;

	if (write > 0)
		return;
	assert_int_equal(sp_p2m_set_type(pass->guest[0], (sp_gfn_t){ GFN }, 1, SP_RAM_READONLY,
					 &result),
			 SP_OK);
}

static void a_right_taken_in_between_is_taken(void **state)
{
	(void)state;
	(void)pass_map_new(pass, 0, GFN);
	meddler = forbid_writing;
	pass_assign(pass, 0, OTHER_UNIT);
	assert_int_equal(reach(GFN), 0);
	assert_int_not_equal(pass_reach(pass, OTHER_UNIT, GFN, false), 0);
}

static void punch(uint32_t write)
{
	if (write == 0)
		pass_unmap(pass, 0, GFN + 5, 1);
}

static void a_large_page_punched_in_between_has_its_hole(void **state)
{
	uint64_t run = model_guest_frames(pass->model, 9);

	(void)state;
	pass_map(pass, 0, GFN, run, 512, SP_RAM);
	meddler = punch;
	pass_assign(pass, 0, OTHER_UNIT);
	assert_int_equal(reach(GFN + 4), run + 4);
	assert_int_equal(reach(GFN + 5), 0);
	assert_int_equal(reach(GFN + 6), run + 6);
	assert_agree(GFN, 512);
}

static void anything(uint32_t write)
{
	uint64_t gfn = GFN + model_random(pass->model) % 64;
	struct sp_mapping mapping;

	if (write > 300)
		return;
	if (sp_p2m_find(pass->guest[0], (sp_gfn_t){ gfn }, &mapping) == SP_OK)
		pass_unmap(pass, 0, gfn, 1);
	else
		(void)pass_map_new(pass, 0, gfn);
}

static void whatever_happens_in_between_the_maps_agree_in_the_end(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 64; i += 2)
		(void)pass_map_new(pass, 0, GFN + i);
	meddler = anything;
	pass_assign(pass, 0, OTHER_UNIT);
	assert_in_range(writes, 20, 10000);
	assert_agree(GFN, 80);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(memory_unmapped_in_between_is_not_reached),
		T(memory_replaced_in_between_is_reached_where_it_is_now),
		T(memory_mapped_behind_the_fill_is_reached),
		T(a_right_taken_in_between_is_taken),
		T(a_large_page_punched_in_between_has_its_hole),
		T(whatever_happens_in_between_the_maps_agree_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
