/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/trials_root.c - the named tests of section 3: everything is invalidated at once, and a
 * guest's code is written over.
 *
 * What happens in them is in tests/model/bench_root.c and bench_patch.c, which root_test.c and patch_test.c
 * run in every mode.
 */
#include "scenes.h"
#include "tests/model/bench_patch.h"
#include "tests/model/bench_root.h"

const char *scene_root(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return root_run_all(bench);
}

static const char *faults(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return root_run_faults(bench);
}

static const char *arrivals(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return root_run_arrivals(bench);
}

static const char *sampled(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return root_run_sampled(bench, 1);
}

static const char *sampled_twice(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return root_run_sampled(bench, 2);
}

static const char *quiet(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return root_run_quiet(bench);
}

static const char *reader(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return root_run_reader(bench);
}

static const char *reused(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return root_run_reused(bench, false);
}

static const char *reused_idle(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return root_run_reused(bench, true);
}

static const char *patch_short(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return patch_run(bench, &(struct patch_case){ .offset = 67, .count = 5 });
}

static const char *patch_long(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return patch_run(bench, &(struct patch_case){ .offset = 70, .count = 15, .alone = true });
}

static const char *renew(struct bench *bench, const struct trial *trial)
{
	(void)trial;
	return root_run_renewed(bench);
}

const struct trial root_trials[] = {
	{ .name = "a_cpu_that_runs_on_leaves_the_old_root_npt",
	  .run = scene_root,
	  .mode = AMDVI_SHARED },
	{ .name = "a_cpu_that_runs_on_leaves_the_old_root_ept",
	  .run = scene_root,
	  .mode = VTD_SEPARATE },
	{ .name = "the_tree_in_use_is_never_taken_apart", .run = faults, .mode = AMDVI_SEPARATE },
	{ .name = "the_old_tree_goes_however_fast_others_let_go",
	  .run = arrivals,
	  .mode = VTD_SHARED },
	{ .name = "a_fault_of_before_installs_nothing", .run = sampled, .mode = AMDVI_SHARED },
	{ .name = "a_fault_of_before_installs_nothing_ept", .run = sampled, .mode = VTD_SEPARATE },
	{ .name = "a_fault_of_two_roots_before_installs_nothing",
	  .run = sampled_twice,
	  .mode = VTD_SHARED },
	{ .name = "nobody_is_told_while_the_old_tree_is_taken_apart",
	  .run = quiet,
	  .mode = AMDVI_SEPARATE },
	{ .name = "a_look_up_half_way_down_holds_the_old_tree",
	  .run = reader,
	  .mode = VTD_SEPARATE },
	{ .name = "an_ept_root_used_again_is_flushed_first", .run = reused, .mode = VTD_SEPARATE },
	{ .name = "an_ept_root_used_again_is_flushed_first_by_an_idle_cpu",
	  .run = reused_idle,
	  .mode = VTD_SHARED },
	{ .name = "a_vtd_map_is_replaced_without_a_hole", .run = renew, .mode = VTD_SEPARATE },
	{ .name = "an_amdvi_map_is_replaced_without_a_hole", .run = renew, .mode = AMDVI_SEPARATE },
	{ .name = "a_vtd_map_that_was_replaced_is_forgotten",
	  .run = renew,
	  .mode = VTD_SEPARATE,
	  .ats = true },
	{ .name = "an_amdvi_map_that_was_replaced_is_forgotten",
	  .run = renew,
	  .mode = AMDVI_SHARED },
	{ .name = "bytes_within_eight_are_written_by_one_store",
	  .run = patch_short,
	  .mode = AMDVI_SHARED },
	{ .name = "longer_code_is_written_when_nobody_executes_it_ept",
	  .run = patch_long,
	  .mode = VTD_SEPARATE },
	{ .name = "longer_code_is_written_when_nobody_executes_it_npt",
	  .run = patch_long,
	  .mode = AMDVI_SHARED },
	{ .name = "an_asid_is_flushed_for_another_root", .run = scene_root, .mode = AMDVI_SHARED },
	{ .name = "an_asid_is_flushed_for_another_root_by_an_idle_cpu",
	  .run = reused_idle,
	  .mode = AMDVI_SEPARATE },
};
const uint32_t root_trial_count = sizeof(root_trials) / sizeof(root_trials[0]);
