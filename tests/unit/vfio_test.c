/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vfio_test.c - the mirror over VFIO against a kernel that is as bad as it may be. Two oracles
 * judge (vfio_fake.h): nothing is released that devices reach, nothing is unmapped that the guest has.
 */
#include "vfio_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TABLE 512u /* frames of a table */

static void assert_well(const struct fake *fake)
{
	assert_string_equal(fake->complaint, "");
}

/* ---- up and down ---- */

static void memory_is_the_devices_before_it_is_the_cpus(void **state)
{
	struct fake *fake = fake_make(0);

	(void)state;
	assert_int_equal(fake_map(fake, 0, 2 * TABLE, 0), SP_OK);
	assert_int_equal(fake->maps, 2 * TABLE);
	assert_false(fake->seen_by_cpu_first);
	for (uint64_t at = 0; at < 2 * TABLE; at++)
		assert_true(fake_reaches(fake, at, true) && fake_is_guests(fake, at));
	assert_well(fake);
	fake_free(fake);
}

static void the_embedder_chooses_the_pieces(void **state)
{
	static const uint32_t orders[] = { 0, 4, 9 };

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct fake *fake = fake_make(0);

		assert_int_equal(fake_map(fake, 0, 2 * TABLE, orders[i]), SP_OK);
		assert_int_equal(fake->maps, 2 * TABLE >> orders[i]);
		assert_int_equal(sp_vfio_pieces(fake->mirror), fake->maps);
		assert_int_equal(fake_unmap(fake, 0, 2 * TABLE), SP_OK);
		assert_int_equal(fake_progress(fake), SP_OK);
		assert_int_equal(fake->count, 0);
		assert_int_equal(fake->forgotten, 2 * TABLE);
		assert_well(fake);
		fake_free(fake);
	}
}

static void frames_come_when_the_kernel_has_unmapped_them(void **state)
{
	struct fake *fake = fake_make(0);

	(void)state;
	assert_int_equal(fake_map(fake, 0, 64, 4), SP_OK);
	assert_int_equal(fake_unmap(fake, 16, 16), SP_OK);
	for (uint32_t round = 0; round < 8; round++)
		(void)sp_progress(fake->host, 1000);
	assert_false(fake_is_guests(fake, 16));
	assert_true(fake_reaches(fake, 16, true));
	assert_int_equal(fake->forgotten, 0);
	assert_int_equal(fake_progress(fake), SP_OK);
	assert_int_equal(fake->forgotten, 16);
	assert_int_equal(fake->unmaps, 1);
	assert_true(fake_reaches(fake, 15, true) && fake_reaches(fake, 32, true));
	assert_well(fake);
	fake_free(fake);
}

static void pieces_in_a_row_go_in_one_call(void **state)
{
	struct fake *fake = fake_make(0);

	(void)state;
	assert_int_equal(fake_map(fake, 0, TABLE, 0), SP_OK);
	assert_int_equal(fake_unmap(fake, 8, 256), SP_OK);
	assert_int_equal(fake_progress(fake), SP_OK);
	assert_int_equal(fake->unmaps, 1);
	assert_int_equal(fake->count, TABLE - 256);
	assert_well(fake);
	fake_free(fake);
}

static void memory_that_was_there_before_is_mapped_again_as_it_is(void **state)
{
	struct fake *fake = fake_make_bare();
	struct sp_result result;

	(void)state;
	assert_int_equal(sp_p2m_map(fake->domain, (sp_gfn_t){ FAKE_GFN }, (sp_mfn_t){ fake->mfn },
				    TABLE, SP_RAM, &result),
			 SP_OK);
	assert_int_equal(fake_open(fake, 0), SP_OK);
	assert_int_equal(fake_map(fake, 0, TABLE, 9), SP_OK);
	assert_int_equal(fake_map(fake, 0, TABLE, 9), SP_OK);
	assert_int_equal(fake->maps, 1);
	assert_int_equal(fake_unmap(fake, 0, TABLE), SP_OK);
	assert_int_equal(fake_progress(fake), SP_OK);
	assert_int_equal(fake->forgotten, TABLE);
	assert_well(fake);
	fake_free(fake);
}

static void what_goes_and_comes_again_waits_for_the_kernel(void **state)
{
	struct fake *fake = fake_make(0);
	struct sp_result result;

	(void)state;
	assert_int_equal(fake_map(fake, 0, 16, 2), SP_OK);
	assert_int_equal(fake_unmap(fake, 4, 4), SP_OK);
	assert_int_equal(sp_vfio_map(fake->mirror, (sp_gfn_t){ FAKE_GFN + 4 },
				     (sp_mfn_t){ fake->mfn + 4 }, 4, SP_RAM, 2, &result),
			 SP_BUSY);
	assert_int_equal(sp_vfio_wait(fake->mirror, result.ticket), SP_OK);
	assert_int_equal(fake_map(fake, 4, 4, 2), SP_OK);
	assert_true(fake_reaches(fake, 4, true) && fake_is_guests(fake, 4));
	assert_well(fake);
	fake_free(fake);
}

static void read_only_memory_is_mapped_so(void **state)
{
	struct fake *fake = fake_make(0);
	struct sp_result result;

	(void)state;
	assert_int_equal(sp_vfio_map(fake->mirror, (sp_gfn_t){ FAKE_GFN }, (sp_mfn_t){ fake->mfn },
				     8, SP_RAM_READONLY, 0, &result),
			 SP_OK);
	assert_true(fake_reaches(fake, 7, false));
	assert_int_equal(sp_vfio_map(fake->mirror, (sp_gfn_t){ FAKE_GFN + 8 },
				     (sp_mfn_t){ fake->mfn + 8 }, 8, SP_MMIO, 0, &result),
			 SP_OK);
	assert_int_equal(fake->count, 8);
	assert_well(fake);
	fake_free(fake);
}

/* ---- what would be a hole ---- */

static void a_part_of_a_piece_stays(void **state)
{
	struct fake *fake = fake_make(0);
	struct sp_result result;

	(void)state;
	assert_int_equal(fake_map(fake, 0, 64, 4), SP_OK);
	assert_int_equal(sp_vfio_unmap(fake->mirror, (sp_gfn_t){ FAKE_GFN + 8 }, 16, &result),
			 SP_UNSUPPORTED);
	assert_int_equal(fake_progress(fake), SP_OK);
	assert_int_equal(fake->unmaps, 0);
	assert_true(fake_is_guests(fake, 8) && fake_reaches(fake, 8, true));
	assert_well(fake);
	fake_free(fake);
}

static void rights_do_not_change_under_dma(void **state)
{
	struct fake *fake = fake_make(0);
	struct sp_result result;

	(void)state;
	assert_int_equal(fake_map(fake, 0, 16, 4), SP_OK);
	assert_int_equal(sp_vfio_set_type(fake->mirror, (sp_gfn_t){ FAKE_GFN }, 16, SP_RAM_READONLY,
					  &result),
			 SP_UNSUPPORTED);
	assert_int_equal(
		sp_vfio_set_type(fake->mirror, (sp_gfn_t){ FAKE_GFN }, 16, SP_RAM, &result), SP_OK);
	assert_true(fake_reaches(fake, 3, true));
	assert_well(fake);
	fake_free(fake);
}

static void another_frame_is_no_change_of_a_mapping(void **state)
{
	struct fake *fake = fake_make(0);
	struct sp_result result;

	(void)state;
	assert_int_equal(fake_map(fake, 0, 16, 4), SP_OK);
	assert_int_equal(sp_vfio_map(fake->mirror, (sp_gfn_t){ FAKE_GFN },
				     (sp_mfn_t){ fake->mfn + 16 }, 16, SP_RAM, 4, &result),
			 SP_UNSUPPORTED);
	assert_int_equal(fake_map(fake, 0, 16, 3), SP_UNSUPPORTED);
	assert_int_equal(fake->maps, 1);
	assert_well(fake);
	fake_free(fake);
}

/* Who changes the domain past the mirror is never harmed by it, but may wait for ever. */
static void what_goes_past_the_mirror_is_held_until_its_piece_has_gone(void **state)
{
	struct fake *fake = fake_make(0);
	struct sp_result result;

	(void)state;
	assert_int_equal(fake_map(fake, 0, 32, 4), SP_OK);
	assert_int_equal(sp_p2m_unmap(fake->domain, (sp_gfn_t){ FAKE_GFN + 2 }, 4, &result), SP_OK);
	assert_int_equal(fake_progress(fake), SP_UNSUPPORTED);
	assert_int_equal(fake->forgotten, 0);
	assert_true(fake_reaches(fake, 2, true) && fake_reaches(fake, 0, true));
	/* The rest of the piece may go by the mirror. */
	assert_int_equal(fake_unmap(fake, 0, 16), SP_OK);
	assert_int_equal(fake_progress(fake), SP_OK);
	assert_int_equal(fake->forgotten, 16);
	assert_false(fake_reaches(fake, 0, true));
	assert_true(fake_reaches(fake, 16, true));
	assert_well(fake);
	fake_free(fake);
}

static void a_right_that_goes_past_the_mirror_is_never_said_to_be_gone(void **state)
{
	struct fake *fake = fake_make(0);
	struct sp_result result;

	(void)state;
	assert_int_equal(fake_map(fake, 0, 16, 4), SP_OK);
	assert_int_equal(sp_p2m_set_type(fake->domain, (sp_gfn_t){ FAKE_GFN }, 16, SP_RAM_READONLY,
					 &result),
			 SP_OK);
	assert_int_equal(fake_progress(fake), SP_UNSUPPORTED);
	assert_int_equal(sp_poll(fake->host, result.ticket), SP_PENDING);
	assert_int_equal(fake->unmaps, 0);
	assert_well(fake);
	fake_free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_the_devices_before_it_is_the_cpus),
		cmocka_unit_test(the_embedder_chooses_the_pieces),
		cmocka_unit_test(frames_come_when_the_kernel_has_unmapped_them),
		cmocka_unit_test(pieces_in_a_row_go_in_one_call),
		cmocka_unit_test(memory_that_was_there_before_is_mapped_again_as_it_is),
		cmocka_unit_test(what_goes_and_comes_again_waits_for_the_kernel),
		cmocka_unit_test(read_only_memory_is_mapped_so),
		cmocka_unit_test(a_part_of_a_piece_stays),
		cmocka_unit_test(rights_do_not_change_under_dma),
		cmocka_unit_test(another_frame_is_no_change_of_a_mapping),
		cmocka_unit_test(what_goes_past_the_mirror_is_held_until_its_piece_has_gone),
		cmocka_unit_test(a_right_that_goes_past_the_mirror_is_never_said_to_be_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
