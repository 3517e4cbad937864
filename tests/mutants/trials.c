/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/trials.c - the named tests: those of the matrix, and machines and orders of events
 * that the matrix does not have.
 */
#include "mutants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"
#include "scenes.h"
#include "tests/model/serve.h"
#include "sync/domain.h"

/* In every mode; `kind` is what the trial is mainly about. */
static const struct everywhere {
	const char *name;
	const char *(*run)(struct bench *bench, const struct trial *trial);
	enum bench_change change;
	enum change_kind kind;
} everywhere[] = {
	{ NULL, scene_change, BENCH_MAP, KIND_MAP },
	{ NULL, scene_change, BENCH_LINK, KIND_LINK },
	{ NULL, scene_change, BENCH_UNMAP, KIND_UNMAP },
	{ NULL, scene_change, BENCH_UNMAP_LARGE, KIND_UNMAP },
	{ NULL, scene_change, BENCH_GRANT, KIND_GRANT },
	{ NULL, scene_change, BENCH_REVOKE, KIND_REVOKE },
	{ NULL, scene_change, BENCH_REPLACE, KIND_REPLACE },
	{ NULL, scene_change, BENCH_REVOKE_PIECE, KIND_SPLIT },
	{ NULL, scene_change, BENCH_REVOKE_PIECE_HUGE, KIND_SPLIT },
	{ NULL, scene_change, BENCH_PUNCH, KIND_PUNCH },
	{ NULL, scene_change, BENCH_PUNCH_HUGE, KIND_PUNCH },
	{ NULL, scene_change, BENCH_MERGE, KIND_MERGE },
	{ NULL, scene_change, BENCH_UNLINK, KIND_UNLINK },
	{ NULL, scene_change, BENCH_UNLINK_LAST, KIND_UNLINK },
	{ NULL, scene_change, BENCH_UNLINK_HUGE, KIND_UNLINK },
	{ NULL, scene_change, BENCH_ATTRIBUTE, KIND_ATTRIBUTE },
	{ "a_released_device_forgets_its_guest", scene_release, BENCH_CHANGE_COUNT, KIND_RELEASE },
	{ "a_device_that_is_handed_over_forgets_its_guest", scene_hand_over, BENCH_CHANGE_COUNT,
	  KIND_HAND_OVER },
	{ "an_assigned_device_forgets_its_quarantine", scene_assign, BENCH_CHANGE_COUNT,
	  KIND_ASSIGN },
	{ "another_root_is_forgotten_with_all_that_was_under_it", scene_root, BENCH_CHANGE_COUNT,
	  KIND_ROOT },
	{ "a_device_cache_is_empty_when_it_is_switched_off", scene_ats_off, BENCH_CHANGE_COUNT,
	  KIND_ASSIGN },
};

static const struct trial trials[] = {
	{ .name = "an_empty_table_of_amdvi_is_forgotten_too",
	  .run = scene_childless,
	  .mode = AMDVI_SEPARATE },
	{ .name = "an_empty_table_of_vtd_is_forgotten_too",
	  .run = scene_childless,
	  .mode = VTD_SHARED },
	{ .name = "release_waits_for_the_unit",
	  .run = scene_change,
	  .change = BENCH_UNMAP,
	  .mode = AMDVI_SEPARATE,
	  .answers = MODEL_LATE },
	{ .name = "release_waits_for_more_than_the_cpus",
	  .run = scene_change,
	  .change = BENCH_UNMAP,
	  .mode = VTD_SEPARATE,
	  .cpu_outside = true,
	  .answers = MODEL_LATE },
	{ .name = "release_waits_for_more_than_the_units",
	  .run = scene_change,
	  .change = BENCH_UNMAP,
	  .mode = AMDVI_SHARED },
	{ .name = "what_was_posted_is_not_yet_paid",
	  .run = scene_change,
	  .change = BENCH_UNMAP,
	  .mode = AMDVI_SHARED,
	  .answers = MODEL_LATE },
	{ .name = "stores_behind_a_write_buffer_reach_the_unit",
	  .run = scene_write_buffer,
	  .mode = VTD_SEPARATE,
	  .write_buffer = true },
	{ .name = "a_new_table_is_written_back",
	  .run = scene_change,
	  .change = BENCH_PUNCH,
	  .mode = VTD_SEPARATE,
	  .not_coherent = true },
	{ .name = "a_changed_slot_is_written_back",
	  .run = scene_change,
	  .change = BENCH_MAP,
	  .mode = VTD_SEPARATE,
	  .not_coherent = true },
	{ .name = "what_gathers_behind_a_post_is_told",
	  .run = scene_gather,
	  .mode = AMDVI_SHARED,
	  .answers = MODEL_LATE },
	{ .name = "more_ranges_than_fit_become_the_domain",
	  .run = scene_many_ranges,
	  .mode = VTD_SEPARATE,
	  .answers = MODEL_LATE },
	{ .name = "a_vtd_context_entry_shows_whole", .run = scene_hand_over, .mode = VTD_SEPARATE },
	{ .name = "a_vtd_pasid_entry_shows_whole", .run = scene_hand_over, .mode = VTD_SCALABLE },
	{ .name = "a_vtd_context_entry_goes_whole", .run = scene_release, .mode = VTD_SEPARATE },
	{ .name = "an_amdvi_device_entry_shows_whole",
	  .run = scene_hand_over,
	  .mode = AMDVI_SEPARATE },
	{ .name = "an_amdvi_device_entry_is_never_open",
	  .run = scene_release,
	  .mode = AMDVI_SHARED },
	{ .name = "every_unit_of_the_domain_is_told",
	  .run = scene_change,
	  .change = BENCH_UNMAP,
	  .mode = AMDVI_SHARED,
	  .two_units = true },
	{ .name = "what_joins_is_told_to_its_end",
	  .run = scene_join_spans,
	  .mode = AMDVI_SHARED,
	  .answers = MODEL_LATE },
	{ .name = "what_joins_is_told_with_its_links",
	  .run = scene_join_links,
	  .mode = VTD_SHARED,
	  .answers = MODEL_LATE },
	{ .name = "a_vtd_device_of_many_ids_is_forgotten_wholly",
	  .run = scene_many_entries,
	  .mode = VTD_SEPARATE,
	  .phantom = 3 },
	{ .name = "an_amdvi_device_of_many_ids_is_forgotten_wholly",
	  .run = scene_many_entries,
	  .mode = AMDVI_SHARED,
	  .phantom = 3 },
	{ .name = "release_is_last_in_every_order_with_amdvi",
	  .run = scene_orders,
	  .mode = AMDVI_SHARED,
	  .two_units = true,
	  .ats = true },
	{ .name = "release_is_last_in_every_order_with_vtd",
	  .run = scene_orders,
	  .mode = VTD_SEPARATE,
	  .two_units = true,
	  .ats = true },
	{ .name = "a_unit_whose_last_device_left_is_told_no_more",
	  .run = scene_alone,
	  .change = BENCH_UNMAP,
	  .mode = AMDVI_SHARED,
	  .two_units = true },
	{ .name = "an_asid_is_flushed_before_its_next_guest",
	  .run = scene_reuse,
	  .mode = AMDVI_SHARED },
	{ .name = "an_ept_root_is_flushed_before_its_next_guest",
	  .run = scene_reuse,
	  .mode = VTD_SEPARATE },
	{ .name = "a_vtd_domain_id_is_forgotten_before_its_next_guest",
	  .run = scene_next_owner,
	  .mode = VTD_SHARED,
	  .answers = MODEL_LATE,
	  .no_reset = true,
	  .keeps = true },
	{ .name = "an_amdvi_domain_id_is_forgotten_before_its_next_guest",
	  .run = scene_next_owner,
	  .mode = AMDVI_SHARED,
	  .answers = MODEL_LATE,
	  .no_reset = true,
	  .keeps = true },
	{ .name = "a_map_that_leaves_vtd_goes_when_it_is_forgotten",
	  .run = scene_next_owner,
	  .mode = VTD_SEPARATE,
	  .answers = MODEL_LATE,
	  .no_reset = true },
	{ .name = "a_map_that_leaves_amdvi_goes_when_it_is_forgotten",
	  .run = scene_next_owner,
	  .mode = AMDVI_SEPARATE,
	  .answers = MODEL_LATE,
	  .no_reset = true },
	{ .name = "a_silent_device_cache_behind_vtd_frees_nothing",
	  .run = scene_silent_cache,
	  .mode = VTD_SHARED,
	  .ats = true,
	  .stays_lost = true },
	{ .name = "a_silent_device_cache_behind_amdvi_frees_nothing",
	  .run = scene_silent_cache,
	  .mode = AMDVI_SEPARATE,
	  .ats = true,
	  .stays_lost = true },
	{ .name = "a_vtd_queue_that_stands_frees_nothing",
	  .run = scene_stopped,
	  .mode = VTD_SEPARATE,
	  .stays_lost = true },
	{ .name = "an_amdvi_queue_that_stands_frees_nothing",
	  .run = scene_stopped,
	  .mode = AMDVI_SHARED,
	  .stays_lost = true },
	{ .name = "a_silent_amdvi_unit_frees_nothing",
	  .run = scene_silent,
	  .mode = AMDVI_SEPARATE,
	  .stays_lost = true },
	{ .name = "in_shadow_mode_units_have_tables_of_their_own",
	  .run = scene_shared_by_mistake,
	  .mode = SHADOW_AMDVI },
	{ .name = "shadows_of_a_frame_go_before_it_is_released",
	  .run = scene_change,
	  .change = BENCH_UNMAP,
	  .mode = SHADOW_VTD,
	  .outsiders = MODEL_LATE },
	{ .name = "cpus_on_shadows_forget_too",
	  .run = scene_fill_again,
	  .mode = SHADOW_AMDVI,
	  .outsiders = MODEL_LATE },
	{ .name = "release_waits_for_the_emulator",
	  .run = scene_change,
	  .change = BENCH_UNMAP,
	  .mode = VTD_SHARED,
	  .outsiders = MODEL_LATE,
	  .emulator = true },
	{ .name = "release_waits_for_more_than_the_emulator",
	  .run = scene_change,
	  .change = BENCH_UNMAP,
	  .mode = AMDVI_SEPARATE,
	  .answers = MODEL_LATE,
	  .emulator = true },
	{ .name = "an_error_of_vtds_queue_frees_nothing", .run = scene_error, .mode = VTD_SEPARATE },
	{ .name = "no_cpu_enters_before_the_last_emulator_has_answered",
	  .run = scene_serve,
	  .serve = serve_gate,
	  .mode = VTD_SEPARATE,
	  .cpus = 5 },
	{ .name = "a_remote_change_kicks_and_gates_a_running_domain",
	  .run = scene_serve,
	  .serve = serve_remote,
	  .mode = AMDVI_SHARED,
	  .cpus = 4 },
	{ .name = "the_gate_has_cpus_out_that_owe_no_flush",
	  .run = scene_serve,
	  .serve = serve_kick,
	  .mode = VTD_SEPARATE,
	  .cpus = 3 },
	{ .name = "an_emulator_is_asked_when_the_page_is_gone",
	  .run = scene_serve,
	  .serve = serve_early,
	  .mode = AMDVI_SHARED },
	{ .name = "each_of_two_removals_waits_for_its_own_answer",
	  .run = scene_serve,
	  .serve = serve_two_removals,
	  .mode = VTD_SEPARATE,
	  .cpus = 3 },
	{ .name = "a_step_is_told_before_any_return_to_the_guest",
	  .run = scene_serve,
	  .serve = serve_steps,
	  .mode = AMDVI_SHARED },
	{ .name = "a_page_is_released_when_the_mapping_is_gone_not_when_it_is_said",
	  .run = scene_serve,
	  .serve = serve_liar,
	  .mode = VTD_SEPARATE },
	{ .name = "an_emulator_that_comes_answers_for_what_goes_from_then_on",
	  .run = scene_serve,
	  .serve = serve_newcomer,
	  .mode = AMDVI_SHARED },
	{ .name = "an_emulator_that_goes_has_answered",
	  .run = scene_serve,
	  .serve = serve_leaver,
	  .mode = VTD_SEPARATE },
	{ .name = "an_emulator_that_hangs_gates_its_own_domain_alone",
	  .run = scene_serve,
	  .serve = serve_hang,
	  .mode = AMDVI_SHARED },
	{ .name = "with_nothing_pending_no_shared_line_is_written",
	  .run = scene_serve,
	  .serve = serve_silence,
	  .mode = VTD_SEPARATE },
	{ .name = "emulators_hear_of_memory_that_goes_and_of_nothing_else",
	  .run = scene_serve,
	  .serve = serve_quiet,
	  .mode = AMDVI_SHARED },
	{ .name = "a_thousand_removals_of_a_batch_are_one_request",
	  .run = scene_serve,
	  .serve = serve_batch,
	  .mode = VTD_SEPARATE },
	{ .name = "an_emulator_that_knows_no_ranges_is_asked_for_everything",
	  .run = scene_serve,
	  .serve = serve_all,
	  .mode = AMDVI_SHARED },
	{ .name = "a_number_that_was_not_asked_is_not_believed",
	  .run = scene_serve,
	  .serve = serve_future,
	  .mode = VTD_SEPARATE },
	{ .name = "what_changes_between_reads_is_read_once",
	  .run = scene_serve,
	  .serve = serve_twice,
	  .mode = AMDVI_SHARED },
	{ .name = "an_answer_from_before_the_question_does_not_count",
	  .run = scene_serve,
	  .serve = serve_stale,
	  .mode = VTD_SEPARATE },
	{ .name = "the_places_of_entries_are_the_librarys_own",
	  .run = scene_serve,
	  .serve = serve_index,
	  .mode = AMDVI_SHARED },
	{ .name = "a_replaced_page_reaches_the_emulator",
	  .run = scene_change,
	  .change = BENCH_REPLACE,
	  .mode = AMDVI_SHARED,
	  .emulator = true },
	{ .name = "a_large_page_that_goes_reaches_the_emulator",
	  .run = scene_change,
	  .change = BENCH_UNMAP_LARGE,
	  .mode = VTD_SEPARATE,
	  .emulator = true },
	{ .name = "a_page_that_goes_reaches_the_emulator",
	  .run = scene_change,
	  .change = BENCH_UNMAP,
	  .mode = AMDVI_SEPARATE,
	  .emulator = true },
	{ .name = "a_right_that_went_is_forgotten_by_the_emulator",
	  .run = scene_change,
	  .change = BENCH_REVOKE,
	  .mode = VTD_SHARED,
	  .emulator = true },
	{ .name = "a_silent_vtd_unit_frees_nothing",
	  .run = scene_silent,
	  .mode = VTD_SHARED,
	  .stays_lost = true },
};

static const char prefix[] = "matrix_test: ";

/* An adversary that looks finds the guest by itself, and hides that its device was not let in. */
static struct trial make_trial(const struct everywhere *from, uint32_t mode)
{
	bool looks = from->kind != KIND_ASSIGN;

	return (struct trial){ .name = from->name ? from->name : bench_change_name(from->change),
			       .run = from->run,
			       .change = from->change,
			       .mode = mode,
			       .outsiders = MODEL_LATE,
			       .adversary = looks ? MODEL_ADVERSARY_MAX : MODEL_ADVERSARY_NONE };
}

/* By the name that matrix_test gives it. */
static bool find_in_matrix(const char *name, struct trial *trial)
{
	for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
		for (uint32_t i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++) {
			char full[LINE];

			*trial = make_trial(&everywhere[i], mode);
			snprintf(full, sizeof(full), "%s, %s, adversary looks", trial->name,
				 bench_modes[mode].name);
			if (strcmp(full, name) == 0)
				return true;
		}
	}
	return false;
}

static bool find_in(const struct trial *list, uint32_t count, const char *name, struct trial *trial)
{
	for (uint32_t i = 0; i < count; i++) {
		*trial = list[i];
		trial->adversary = trial->keeps ? MODEL_ADVERSARY_NONE : MODEL_ADVERSARY_MAX;
		if (strcmp(trial->name, name) == 0)
			return true;
	}
	return false;
}

bool trial_find(const char *name, struct trial *trial)
{
	if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
		return find_in_matrix(name + sizeof(prefix) - 1, trial);
	return find_in(trials, sizeof(trials) / sizeof(trials[0]), name, trial) ||
	       find_in(root_trials, root_trial_count, name, trial);
}

bool trial_for_kind(uint32_t kind, uint32_t mode, uint32_t index, struct trial *trial)
{
	for (int about = 1; about >= 0; about--) {
		for (uint32_t i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++) {
			if ((everywhere[i].kind == kind) != (about == 1) || index--)
				continue;
			*trial = make_trial(&everywhere[i], mode);
			return true;
		}
	}
	return false;
}
