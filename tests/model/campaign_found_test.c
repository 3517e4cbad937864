/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_found_test.c - what the campaign found, each as the shortest case there is.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LOOKS 10000u

static struct bench *make(void **state)
{
	const struct bench_config config = { .mode = *state, .adversary = MODEL_ADVERSARY_MAX };

	return bench_make(&config);
}

/*
 * A guest ended while small pages of it were to become one large page. Nobody merges in a guest that
 * ends, and progress asked to be called again, at once, for ever.
 */
static void progress_has_an_end_when_a_guest_ends_before_its_pages_merge(void **state)
{
	struct bench *bench = make(state);
	struct sp_result result;
	uint32_t looks = 0;

	bench->other = bench_guest(bench, 2);
	assert_int_equal(sp_p2m_map(bench->other, (sp_gfn_t){ BENCH_GFN },
				    (sp_mfn_t){ model_guest_frames(bench->model, 9) }, 512, SP_RAM,
				    &result),
			 SP_OK);
	assert_int_equal(sp_domain_destroy(bench->other), SP_PENDING);
	while (sp_progress(bench->host, SP_STEP_SLOTS) != UINT64_MAX && ++looks < LOOKS)
		platform_relax(bench->model);
	assert_in_range(looks, 0, LOOKS - 1);
	bench_destroy(bench, bench->other);
	bench->other = NULL;
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

/*
 * Nothing is mapped, so nothing is unlinked and nobody was told: the guest was gone, and its root
 * somebody else's page, while a CPU still ran on it.
 */
static void a_cpu_leaves_an_empty_guest_before_the_guest_is_gone(void **state)
{
	struct bench *bench = make(state);
	enum sp_status status = SP_PENDING;
	uint32_t looks = 0;

	assert_int_equal(sp_device_release(bench->guest, (sp_sbdf_t){ BENCH_DEVICE }), SP_OK);
	bench_settle(bench);
	bench_enter(bench, bench->guest);
	while (status == SP_PENDING && ++looks < LOOKS) {
		status = sp_domain_destroy(bench->guest);
		assert_true(status == SP_PENDING || !model_cpu_in_guest(bench->model, 1));
		platform_relax(bench->model);
	}
	assert_int_equal(status, SP_OK);
	assert_null(bench_complaint(bench));
	bench->guest = bench_guest(bench, 3);
	bench_free(bench);
}

struct sentence {
	const char *name;
	void (*run)(void **state);
};

int main(void)
{
	static const struct sentence sentences[] = {
		{ "progress_has_an_end_when_a_guest_ends_before_its_pages_merge",
		  progress_has_an_end_when_a_guest_ends_before_its_pages_merge },
		{ "a_cpu_leaves_an_empty_guest_before_the_guest_is_gone",
		  a_cpu_leaves_an_empty_guest_before_the_guest_is_gone },
	};
	static struct CMUnitTest tests[64];
	static char names[64][160];
	size_t count = 0;

	for (uint32_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		for (uint32_t mode = 0; mode < bench_mode_count; mode++, count++) {
			snprintf(names[count], sizeof(names[count]), "%s (%s)", sentences[i].name,
				 bench_modes[mode].name);
			tests[count] =
				(struct CMUnitTest){ names[count], sentences[i].run, NULL, NULL,
						     (void *)(uintptr_t)&bench_modes[mode] };
		}
	}
	return _cmocka_run_group_tests("found", tests, count, NULL, NULL);
}
