/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vfio_controls_test.c - the mirror over VFIO with one guard left out: an oracle that is content
 * without the mutant objects with it.
 */
#include "vfio_fake.h"

#include "lib/mutant.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The scene without a defect, then with this one: the complaint begins so. */
static void play(void (*scene)(struct fake *fake), enum sp_mutant mutant, const char *complaint)
{
	for (uint32_t with = 0; with < 2; with++) {
		struct fake *fake = fake_make(0);

		assert_int_equal(sp_mutant_choose(fake->host, with ? mutant : SP_MUT_NONE), SP_OK);
		scene(fake);
		if (with)
			assert_int_equal(strncmp(fake->complaint, complaint, strlen(complaint)), 0);
		else
			assert_string_equal(fake->complaint, "");
		fake_free(fake);
	}
}

/* What a scene found, beside the oracles. */
static void expect(struct fake *fake, bool is_so, const char *what)
{
	if (!is_so && !fake->complaint[0])
		strncpy(fake->complaint, what, sizeof(fake->complaint) - 1);
}

static void unmap_two(struct fake *fake)
{
	expect(fake, fake_map(fake, 0, 64, 3) == SP_OK, "map");
	expect(fake, fake_unmap(fake, 8, 16) == SP_OK, "unmap");
	(void)fake_progress(fake);
	expect(fake, fake->forgotten == 16, "nothing came back");
}

static void without_the_wait_frames_go_while_devices_reach_them(void **state)
{
	(void)state;
	play(unmap_two, SP_MUT_VFIO_NOT_AWAITED, "release: ");
}

static void unmap_too_little(struct fake *fake)
{
	expect(fake, fake_map(fake, 0, 64, 3) == SP_OK, "map");
	expect(fake, fake_unmap(fake, 0, 32) == SP_OK, "unmap");
	fake->short_by = 8 * SP_FRAME_BYTES;
	(void)fake_progress(fake);
}

static void a_short_unmap_that_is_believed_is_a_release_too_early(void **state)
{
	(void)state;
	play(unmap_too_little, SP_MUT_VFIO_SHORT_BELIEVED, "release: ");
}

static void unmap_a_part(struct fake *fake)
{
	struct sp_result result;

	expect(fake, fake_map(fake, 0, 64, 4) == SP_OK, "map");
	if (sp_vfio_unmap(fake->mirror, (sp_gfn_t){ FAKE_GFN + 4 }, 4, &result) == SP_OK)
		(void)fake_progress(fake);
	expect(fake, fake_is_guests(fake, 0) && fake_reaches(fake, 0, true), "it is gone");
}

static void without_the_check_a_piece_becomes_a_hole(void **state)
{
	(void)state;
	play(unmap_a_part, SP_MUT_VFIO_HOLE, "hole: ");
}

static void map_some(struct fake *fake)
{
	expect(fake, fake_map(fake, 0, 64, 4) == SP_OK, "map");
	expect(fake, !fake->seen_by_cpu_first, "order: a CPU has what devices do not reach");
}

static void in_the_other_order_a_cpu_sees_what_its_device_cannot_reach(void **state)
{
	(void)state;
	play(map_some, SP_MUT_VFIO_CPU_FIRST, "order: ");
}

static void map_too_much(struct fake *fake)
{
	fake->fail_map = 10;
	fake->map_error = -ENOMEM;
	expect(fake, fake_map(fake, 0, 64, 0) == SP_NO_MEMORY, "map");
	expect(fake, !fake_reaches(fake, 0, true), "undo: devices reach what nobody has");
}

static void without_the_undo_devices_reach_what_was_refused(void **state)
{
	(void)state;
	play(map_too_much, SP_MUT_VFIO_UNDO_SKIPPED, "undo: ");
}

static void take_a_right(struct fake *fake)
{
	struct sp_result result;

	expect(fake, fake_map(fake, 0, 16, 4) == SP_OK, "map");
	expect(fake,
	       sp_p2m_set_type(fake->domain, (sp_gfn_t){ FAKE_GFN }, 16, SP_RAM_READONLY,
			       &result) == SP_OK,
	       "set type");
	(void)fake_progress(fake);
	if (sp_poll(fake->host, result.ticket) == SP_OK)
		expect(fake, !fake_reaches(fake, 0, true),
		       "right: devices write what is read-only");
}

static void a_right_that_counts_as_forgotten_is_still_used(void **state)
{
	(void)state;
	play(take_a_right, SP_MUT_VFIO_RIGHTS_KEPT, "right: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_wait_frames_go_while_devices_reach_them),
		cmocka_unit_test(a_short_unmap_that_is_believed_is_a_release_too_early),
		cmocka_unit_test(without_the_check_a_piece_becomes_a_hole),
		cmocka_unit_test(in_the_other_order_a_cpu_sees_what_its_device_cannot_reach),
		cmocka_unit_test(without_the_undo_devices_reach_what_was_refused),
		cmocka_unit_test(a_right_that_counts_as_forgotten_is_still_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
