/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/controls_test.c - every guard has a negative control: left out, an oracle objects.
 *
 * Each row runs twice in the same build: with no mutant chosen the oracles must be content, with the
 * mutant one of them must object. docs/controls.md lists them.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/mutant.h"

enum mode {
	AMDVI_SHARED,
	AMDVI_SEPARATE,
	AMDVI_CACHING,
	VTD_SHARED,
	VTD_SEPARATE,
	VTD_CACHING,
	SHADOW_AMDVI,
	SHADOW_VTD,
	VTD_BUFFERED,
	VTD_SCALABLE,
	VTD_SCALABLE_CACHING
};

static const struct control {
	const char *name;
	enum sp_mutant mutant;
	enum mode mode;
	enum bench_change change; /* where `run` is NULL */
	const char *(*run)(struct bench *bench);
	enum model_answers answers, outsiders;
	bool not_coherent, two_units, cpu_outside, ats, emulator;
} controls[] = {
	{ .name = "an_unmapped_page_is_forgotten_by_the_unit",
	  .mutant = SP_MUT_UNMAP_UNPAID,
	  .mode = AMDVI_SEPARATE,
	  .change = BENCH_UNMAP },
	{ .name = "a_piece_that_goes_is_forgotten_by_the_unit",
	  .mutant = SP_MUT_PUNCH_UNPAID,
	  .mode = AMDVI_SHARED,
	  .change = BENCH_PUNCH },
	{ .name = "a_right_that_went_is_forgotten_by_the_unit",
	  .mutant = SP_MUT_REVOKE_UNPAID,
	  .mode = VTD_SEPARATE,
	  .change = BENCH_REVOKE },
	{ .name = "a_replaced_frame_is_forgotten_by_the_unit",
	  .mutant = SP_MUT_REPLACE_UNPAID,
	  .mode = VTD_SHARED,
	  .change = BENCH_REPLACE },
	{ .name = "an_unlinked_table_is_forgotten_by_the_unit",
	  .mutant = SP_MUT_UNLINK_UNPAID,
	  .mode = AMDVI_SHARED,
	  .change = BENCH_UNLINK },
	{ .name = "a_split_is_paid_before_its_piece_changes",
	  .mutant = SP_MUT_SPLIT_UNPAID,
	  .mode = AMDVI_SEPARATE,
	  .change = BENCH_REVOKE_PIECE },
	{ .name = "a_right_that_came_is_seen_by_the_device",
	  .mutant = SP_MUT_GRANT_UNPAID,
	  .mode = VTD_SEPARATE,
	  .change = BENCH_GRANT },
	{ .name = "the_width_is_that_of_the_old_page",
	  .mutant = SP_MUT_WIDTH_OF_PIECE,
	  .mode = AMDVI_SEPARATE,
	  .change = BENCH_PUNCH },
	{ .name = "links_are_forgotten_with_their_table",
	  .mutant = SP_MUT_LINKS_KEPT,
	  .mode = VTD_SEPARATE,
	  .change = BENCH_UNLINK },
	{ .name = "release_waits_for_the_unit",
	  .mutant = SP_MUT_RELEASE_WITHOUT_WAIT,
	  .mode = AMDVI_SEPARATE,
	  .change = BENCH_UNMAP,
	  .answers = MODEL_LATE },
	{ .name = "release_waits_for_more_than_the_cpus",
	  .mutant = SP_MUT_RELEASE_AFTER_CPUS,
	  .mode = VTD_SEPARATE,
	  .change = BENCH_UNMAP,
	  .cpu_outside = true,
	  .answers = MODEL_LATE },
	{ .name = "what_was_posted_is_not_yet_paid",
	  .mutant = SP_MUT_WAIT_NOT_AWAITED,
	  .mode = AMDVI_SHARED,
	  .change = BENCH_UNMAP,
	  .answers = MODEL_LATE },
	{ .name = "what_vtd_queued_is_not_yet_reached",
	  .mutant = SP_MUT_WAIT_NOT_QUEUED,
	  .mode = VTD_SEPARATE,
	  .change = BENCH_UNMAP,
	  .answers = MODEL_LATE },
	{ .name = "what_amdvi_queued_is_not_yet_reached",
	  .mutant = SP_MUT_WAIT_NOT_QUEUED,
	  .mode = AMDVI_SEPARATE,
	  .change = BENCH_UNMAP,
	  .answers = MODEL_LATE },
	{ .name = "a_cpu_in_its_guest_is_kicked",
	  .mutant = SP_MUT_KICK_SKIPPED,
	  .mode = AMDVI_SEPARATE,
	  .change = BENCH_UNMAP },
	{ .name = "a_table_is_complete_before_it_is_linked",
	  .mutant = SP_MUT_LINK_BEFORE_FILL,
	  .mode = AMDVI_SHARED,
	  .change = BENCH_PUNCH },
	{ .name = "a_vtd_context_entry_shows_whole",
	  .mutant = SP_MUT_PRESENT_FIRST,
	  .mode = VTD_SEPARATE,
	  .run = bench_run_hand_over },
	{ .name = "a_vtd_pasid_entry_shows_whole",
	  .mutant = SP_MUT_PRESENT_FIRST,
	  .mode = VTD_SCALABLE,
	  .run = bench_run_hand_over },
	{ .name = "a_pasid_entry_is_forgotten_with_its_guest",
	  .mutant = SP_MUT_PASID_KEPT,
	  .mode = VTD_SCALABLE,
	  .run = bench_run_release },
	{ .name = "a_pasid_entry_is_forgotten_when_it_leads_to_another_guest",
	  .mutant = SP_MUT_PASID_KEPT,
	  .mode = VTD_SCALABLE_CACHING,
	  .run = bench_run_hand_over },
	{ .name = "the_pasid_entry_is_forgotten_before_its_translations",
	  .mutant = SP_MUT_ENTRY_AFTER_DOMAIN,
	  .mode = VTD_SCALABLE,
	  .run = bench_run_release },
	{ .name = "the_way_of_translated_requests_is_forgotten",
	  .mutant = SP_MUT_CONTEXT_KEPT,
	  .mode = VTD_SCALABLE,
	  .ats = true,
	  .run = bench_run_release },
	{ .name = "an_amdvi_device_entry_shows_whole",
	  .mutant = SP_MUT_PRESENT_FIRST,
	  .mode = AMDVI_SEPARATE,
	  .run = bench_run_hand_over },
	{ .name = "a_new_table_is_written_back",
	  .mutant = SP_MUT_CHILD_NOT_WRITTEN_BACK,
	  .mode = VTD_SEPARATE,
	  .change = BENCH_PUNCH,
	  .not_coherent = true },
	{ .name = "a_changed_slot_is_written_back",
	  .mutant = SP_MUT_SLOT_NOT_WRITTEN_BACK,
	  .mode = VTD_SEPARATE,
	  .change = BENCH_MAP,
	  .not_coherent = true },
	{ .name = "the_device_entry_is_forgotten_before_its_translations",
	  .mutant = SP_MUT_ENTRY_AFTER_DOMAIN,
	  .mode = VTD_SEPARATE,
	  .run = bench_run_release,
	  .answers = MODEL_LATE },
	{ .name = "every_unit_of_the_domain_is_told",
	  .mutant = SP_MUT_FIRST_UNIT_ONLY,
	  .mode = AMDVI_SHARED,
	  .change = BENCH_UNMAP,
	  .two_units = true },
	{ .name = "vtd_in_caching_mode_is_told_of_new_pages",
	  .mutant = SP_MUT_ABSENT_NOT_TOLD,
	  .mode = VTD_CACHING,
	  .change = BENCH_MAP },
	{ .name = "new_pages_leave_the_write_buffer",
	  .mutant = SP_MUT_WRITE_BUFFER_KEPT,
	  .mode = VTD_BUFFERED,
	  .change = BENCH_MAP },
	{ .name = "amdvi_with_npcache_is_told_of_new_pages",
	  .mutant = SP_MUT_ABSENT_NOT_TOLD,
	  .mode = AMDVI_CACHING,
	  .change = BENCH_MAP },
	{ .name = "a_released_device_forgets_its_guest",
	  .mutant = SP_MUT_RELEASE_UNPAID,
	  .mode = AMDVI_SEPARATE,
	  .run = bench_run_release },
	{ .name = "a_device_that_is_handed_over_forgets_its_guest",
	  .mutant = SP_MUT_HAND_OVER_UNPAID,
	  .mode = VTD_SEPARATE,
	  .run = bench_run_hand_over },
	{ .name = "a_tag_used_again_is_flushed_first",
	  .mutant = SP_MUT_CPU_NAME_REUSED,
	  .mode = AMDVI_SHARED,
	  .run = bench_run_reuse },
	{ .name = "a_device_cache_behind_vtd_is_told_what_went",
	  .mutant = SP_MUT_ATC_UNPAID,
	  .mode = VTD_SHARED,
	  .change = BENCH_UNMAP,
	  .ats = true },
	{ .name = "a_device_cache_behind_amdvi_is_told_what_went",
	  .mutant = SP_MUT_ATC_UNPAID,
	  .mode = AMDVI_SHARED,
	  .change = BENCH_REVOKE,
	  .ats = true },
	{ .name = "a_device_cache_forgets_the_guest_it_leaves",
	  .mutant = SP_MUT_ATC_UNPAID,
	  .mode = VTD_SEPARATE,
	  .run = bench_run_release,
	  .ats = true },
	{ .name = "vtd_forgets_before_the_device_cache_does",
	  .mutant = SP_MUT_ATC_BEFORE_IOTLB,
	  .mode = VTD_SEPARATE,
	  .change = BENCH_REPLACE,
	  .ats = true },
	{ .name = "amdvi_forgets_before_the_device_cache_does",
	  .mutant = SP_MUT_ATC_BEFORE_IOTLB,
	  .mode = AMDVI_SEPARATE,
	  .change = BENCH_REPLACE,
	  .ats = true },
	{ .name = "in_shadow_mode_units_have_tables_of_their_own",
	  .mutant = SP_MUT_SHARE_HONOURED,
	  .mode = SHADOW_AMDVI,
	  .run = bench_run_assign },
	{ .name = "shadows_of_a_frame_go_before_it_is_released",
	  .mutant = SP_MUT_SHADOWS_KEPT,
	  .mode = SHADOW_VTD,
	  .change = BENCH_UNMAP,
	  .outsiders = MODEL_LATE },
	{ .name = "cpus_on_shadows_forget_too",
	  .mutant = SP_MUT_SHADOW_CPUS_KEPT,
	  .mode = SHADOW_AMDVI,
	  .change = BENCH_UNMAP,
	  .outsiders = MODEL_LATE },
	{ .name = "cpus_forget_after_the_shadows_do",
	  .mutant = SP_MUT_CPUS_BEFORE_SHADOWS,
	  .mode = SHADOW_AMDVI,
	  .run = bench_run_fill_again,
	  .outsiders = MODEL_LATE },
	{ .name = "release_waits_for_the_emulator",
	  .mutant = SP_MUT_EMULATOR_NOT_AWAITED,
	  .mode = VTD_SHARED,
	  .change = BENCH_UNMAP,
	  .outsiders = MODEL_LATE,
	  .emulator = true },
	{ .name = "release_waits_for_more_than_the_emulator",
	  .mutant = SP_MUT_RELEASE_AFTER_EMULATORS,
	  .mode = AMDVI_SEPARATE,
	  .change = BENCH_UNMAP,
	  .answers = MODEL_LATE,
	  .emulator = true },
};

static bool objects(const struct control *control, enum sp_mutant mutant)
{
	const struct bench_config config = {
		.mode = &bench_modes[control->mode],
		.adversary = MODEL_ADVERSARY_MAX,
		.answers = control->answers,
		.outsiders = control->outsiders,
		.not_coherent = control->not_coherent,
		.two_units = control->two_units,
		.cpu_outside = control->cpu_outside,
		.ats = control->ats,
		.emulator = control->emulator,
	};
	struct bench *bench = bench_make(&config);
	const char *complaint;
	bool objected;

	assert_int_equal(sp_mutant_choose(bench->host, mutant), SP_OK);
	complaint = control->run ? control->run(bench) : bench_run(bench, control->change);
	if (complaint)
		print_message("%s%s\n", mutant ? "as it should: " : "", complaint);
	objected = complaint != NULL;
	bench_free(bench);
	return objected;
}

static void an_oracle_objects_only_to_the_mutant(void **state)
{
	const struct control *control = *state;

	assert_false(objects(control, SP_MUT_NONE));
	assert_true(objects(control, control->mutant));
}

int main(void)
{
	enum {
		COUNT = sizeof(controls) / sizeof(controls[0])
	};
	struct CMUnitTest tests[COUNT];

	for (int i = 0; i < COUNT; i++)
		tests[i] =
			(struct CMUnitTest){ controls[i].name, an_oracle_objects_only_to_the_mutant,
					     NULL, NULL, (void *)(uintptr_t)&controls[i] };
	return _cmocka_run_group_tests("controls", tests, COUNT, NULL, NULL);
}
