/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vfio_refuse_test.c - the mirror over VFIO where the kernel refuses, or does not do what it was asked for. The
 * oracles are those of vfio_fake.h.
 */
#include "vfio_fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_well(const struct fake *fake)
{
	assert_string_equal(fake->complaint, "");
}

static void entries_that_are_used_up_lose_nothing(void **state)
{
	struct fake *fake = fake_make(0);

	(void)state;
	fake->limit = 100; /* somebody else's container takes the others meanwhile */
	assert_int_equal(fake_map(fake, 0, 64, 0), SP_OK);
	assert_int_equal(fake_map(fake, 64, 64, 0), SP_NO_SPACE);
	assert_int_equal(fake->count, 64);
	assert_false(fake_is_guests(fake, 64) || fake_reaches(fake, 64, true));
	assert_true(fake_is_guests(fake, 63) && fake_reaches(fake, 63, true));
	/* Larger pieces would do. */
	assert_int_equal(fake_map(fake, 64, 64, 5), SP_OK);
	assert_int_equal(fake->count, 66);
	assert_well(fake);
	fake_free(fake);
}

static void the_embedders_limit_is_kept(void **state)
{
	struct fake *fake = fake_make(32);

	(void)state;
	assert_int_equal(fake_map(fake, 0, 64, 0), SP_NO_SPACE);
	assert_int_equal(fake->maps, 0);
	assert_int_equal(fake_map(fake, 0, 64, 1), SP_OK);
	assert_well(fake);
	fake_free(fake);
}

static void what_a_refused_call_had_mapped_goes_again(void **state)
{
	static const struct {
		int error;
		enum sp_status status;
	} refusals[] = { { -ENOMEM, SP_NO_MEMORY },
			 { -ENOSPC, SP_NO_SPACE },
			 { -EFAULT, SP_INVALID } };

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct fake *fake = fake_make(0);

		fake->fail_map = 10;
		fake->map_error = refusals[i].error;
		assert_int_equal(fake_map(fake, 0, 64, 0), refusals[i].status);
		assert_int_equal(fake->count, 0);
		assert_int_equal(sp_vfio_pieces(fake->mirror), 0);
		assert_false(fake_is_guests(fake, 0));
		assert_int_equal(fake_map(fake, 0, 64, 0), SP_OK);
		assert_well(fake);
		fake_free(fake);
	}
}

/* The kernel has it already when the CPU's map refuses. */
static void what_the_cpus_map_refuses_goes_from_the_devices(void **state)
{
	struct fake *fake = fake_make(0);
	enum sp_status status = SP_OK;
	uint32_t pieces = 0;

	(void)state;
	/* Far from each other: each takes tables of its own, and the domain has 64. */
	while (status == SP_OK && pieces < 100) {
		struct sp_result result;

		status =
			sp_vfio_map(fake->mirror, (sp_gfn_t){ FAKE_GFN + ((uint64_t)pieces << 18) },
				    (sp_mfn_t){ fake->mfn + pieces * 4 }, 4, SP_RAM, 2, &result);
		pieces += status == SP_OK;
	}
	assert_int_equal(status, SP_NO_MEMORY);
	assert_true(pieces > 4);
	assert_int_equal(fake->maps, pieces + 1);
	assert_int_equal(fake->count, pieces);
	assert_int_equal(sp_vfio_pieces(fake->mirror), pieces);
	assert_int_equal(fake->forgotten, 0);
	assert_well(fake);
	fake_free(fake);
}

/* Neither what it does not unmap at all, nor what it unmaps in part, nor more than was asked. */
static void what_is_not_unmapped_is_lost(void **state)
{
	(void)state;
	for (uint32_t way = 0; way < 2; way++) {
		struct fake *fake = fake_make(0);

		assert_int_equal(fake_map(fake, 0, 64, 3), SP_OK);
		assert_int_equal(fake_unmap(fake, 0, 32), SP_OK);
		fake->short_by = way == 0 ? 8 * SP_FRAME_BYTES : 0;
		fake->unmap_error = way == 1 ? -EIO : 0;
		assert_int_equal(fake_progress(fake), SP_LOST);
		assert_int_equal(fake->forgotten, 0);
		/* Also when it would do it now: what it unmapped unsaid nobody knows. */
		fake->short_by = 0;
		fake->unmap_error = 0;
		assert_int_equal(fake_progress(fake), SP_LOST);
		assert_int_equal(fake->forgotten, 0);
		assert_int_equal(fake_map(fake, 0, 8, 3), SP_LOST);
		/* The others work on. */
		assert_int_equal(fake_map(fake, 64, 8, 3), SP_OK);
		/* Closed, all is well. */
		fake->count = 0;
		fake->is_closing = true;
		sp_vfio_closed(fake->mirror);
		fake->mirror = NULL;
		for (uint32_t round = 0; round < 8; round++)
			(void)sp_progress(fake->host, 1000);
		assert_int_equal(fake->forgotten, 32);
		assert_well(fake);
		fake_free(fake);
	}
}

static void version_1_is_found_out(void **state)
{
	struct fake *fake = fake_make(0);

	(void)state;
	assert_int_equal(fake_map(fake, 0, 16, 3), SP_OK);
	fake->is_version_1 = true;
	fake->mapping[0].bytes = 16 * SP_FRAME_BYTES; /* it has merged the two */
	fake->count = 1;
	fake->is_closing = true; /* the hole is its own */
	assert_int_equal(fake_unmap(fake, 0, 8), SP_OK);
	assert_int_equal(fake_progress(fake), SP_LOST);
	assert_int_equal(fake->forgotten, 0);
	fake_free(fake);
}

static void an_undo_that_fails_is_told(void **state)
{
	struct fake *fake = fake_make(0);

	(void)state;
	fake->fail_map = 10;
	fake->map_error = -ENOMEM;
	fake->unmap_error = -EIO;
	assert_int_equal(fake_map(fake, 0, 64, 0), SP_LOST);
	assert_int_equal(sp_vfio_pieces(fake->mirror), 9);
	assert_false(fake_is_guests(fake, 0));
	assert_well(fake);
	fake_free(fake);
}

static void what_the_kernel_cannot_map_is_refused(void **state)
{
	struct fake *fake = fake_make_bare();
	struct sp_result result;
	const sp_mfn_t frame = { fake->mfn };

	(void)state;
	fake->has_window = true;
	assert_int_equal(fake_open(fake, 0), SP_OK);
	assert_int_equal(sp_vfio_map(fake->mirror, (sp_gfn_t){ 0xfee00 }, frame, 1, SP_RAM, 0,
				     &result),
			 SP_RESERVED_RANGE);
	assert_int_equal(sp_vfio_map(fake->mirror, (sp_gfn_t){ 0xfedff }, frame, 2, SP_RAM, 0,
				     &result),
			 SP_RESERVED_RANGE);
	assert_int_equal(sp_vfio_map(fake->mirror, (sp_gfn_t){ 1ull << 27 }, frame, 1, SP_RAM, 0,
				     &result),
			 SP_RANGE);
	assert_int_equal(sp_vfio_map(fake->mirror, (sp_gfn_t){ 1 }, frame, 2, SP_RAM, 1, &result),
			 SP_INVALID);
	assert_int_equal(sp_vfio_map(fake->mirror, (sp_gfn_t){ 0 }, frame, 1024, SP_RAM, 10,
				     &result),
			 SP_INVALID);
	assert_int_equal(fake->maps, 0);
	assert_well(fake);
	fake_free(fake);
}

static void a_kernel_that_does_not_answer_gets_no_mirror(void **state)
{
	struct fake *fake = fake_make_bare();

	(void)state;
	fake->info_error = -EINVAL;
	assert_int_equal(fake_open(fake, 0), SP_INVALID);
	fake->mirror = NULL;
	fake_free(fake);
}

static void closing_unmaps_all_or_says_so(void **state)
{
	struct fake *fake = fake_make(0);

	(void)state;
	assert_int_equal(fake_map(fake, 0, 64, 3), SP_OK);
	fake->is_closing = true;
	fake->unmap_error = -EIO;
	assert_int_equal(sp_vfio_close(fake->mirror), SP_LOST);
	fake->unmap_error = 0;
	assert_int_equal(sp_vfio_close(fake->mirror), SP_OK);
	fake->mirror = NULL;
	assert_int_equal(fake->count, 0);
	assert_well(fake);
	fake_free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_that_are_used_up_lose_nothing),
		cmocka_unit_test(the_embedders_limit_is_kept),
		cmocka_unit_test(what_a_refused_call_had_mapped_goes_again),
		cmocka_unit_test(what_the_cpus_map_refuses_goes_from_the_devices),
		cmocka_unit_test(what_is_not_unmapped_is_lost),
		cmocka_unit_test(version_1_is_found_out),
		cmocka_unit_test(an_undo_that_fails_is_told),
		cmocka_unit_test(what_the_kernel_cannot_map_is_refused),
		cmocka_unit_test(a_kernel_that_does_not_answer_gets_no_mirror),
		cmocka_unit_test(closing_unmaps_all_or_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
