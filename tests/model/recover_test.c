/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/recover_test.c - a lost unit comes back; a function that misbehaves is fenced.
 */
#include "pass_fixture.h"
#include "unit_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"
#include "memory.h"

/* ---- what goes wrong ---- */

#define SECOND (GFN + 1)

static void unmap_and_lose(struct pass *pass)
{
	struct sp_result result;

	model_set_answers(pass->model, 0, MODEL_NEVER);
	assert_int_equal(sp_p2m_unmap(pass->guest[0], (sp_gfn_t){ GFN }, 1, &result), SP_OK);
	assert_int_equal(sp_wait(pass->host, result.ticket), SP_LOST);
	assert_int_equal(pass->lost, 1);
}

/* Two pages of guest 0 that PLAIN has reached; the first is gone, and the unit with it. */
static uint64_t lose_unit(struct pass *pass)
{
	uint64_t frame = pass_map_new(pass, 0, GFN);

	(void)pass_map_new(pass, 0, SECOND);
	pass_assign(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), frame);
	assert_int_not_equal(pass_reach(pass, PLAIN, SECOND, true), 0);
	unmap_and_lose(pass);
	return frame;
}

static void settle_a_while(struct pass *pass)
{
	for (int i = 0; i < 100; i++) {
		(void)sp_progress(pass->host, 1000);
		platform_relax(pass->model);
	}
}

static void answer_again(struct pass *pass)
{
	model_set_answers(pass->model, 0, pass->mode->answers);
}

static void recover(struct pass *pass)
{
	struct sp_unit_info info;

	answer_again(pass);
	assert_int_equal(sp_unit_recover(pass->host, 0), SP_OK);
	assert_true(model_unit_translating(pass->model, 0));
	assert_int_equal(sp_unit_info(pass->host, 0, &info), SP_OK);
	assert_false(info.lost);
	assert_int_equal(info.posted, info.reached);
}

/* What the unit would execute next is no command any more. */
static void spoil_queue(struct pass *pass)
{
	bool vtd = pass->mode->vendor == MODEL_VTD;
	uint64_t base = model_unit_base(pass->model, 0);
	uint64_t ring =
		platform_mmio_read(pass->model, (sp_maddr_t){ base + (vtd ? 0x90 : 0x08) }, 8) &
		0xffffffffff000;
	uint64_t head =
		platform_mmio_read(pass->model, (sp_maddr_t){ base + (vtd ? 0x80 : 0x2000) }, 8);
	uint8_t *slots = platform_pointer(pass->model, (sp_mfn_t){ ring >> SP_FRAME_ORDER });

	store64((uint64_t *)(void *)(slots + head), UINT64_MAX);
	full_barrier();
}

static bool is_fenced(struct pass *pass, uint32_t sbdf)
{
	struct sp_function_info info;

	for (uint32_t i = 0; sp_function_info(pass->host, i, &info) == SP_OK; i++)
		if (info.sbdf.sbdf == sbdf)
			return info.fenced;
	fail_msg("no function %04x", sbdf);
	return false;
}

/* The device masters the bus whatever it was told. */
static void defy(struct pass *pass, uint32_t sbdf)
{
	platform_config_write(pass->model, (sp_sbdf_t){ sbdf }, 4, 2, 6);
}

/* ---- recovery ---- */

static void what_is_not_lost_is_not_recovered(void **state)
{
	struct pass *pass = pass_make(*state);

	assert_int_equal(sp_unit_recover(pass->host, 0), SP_INVALID);
	assert_int_equal(sp_unit_recover(pass->host, 7), SP_NOT_FOUND);
	pass_free(pass);
}

static void a_unit_that_is_still_silent_stays_lost(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = lose_unit(pass);
	struct sp_unit_info info;

	for (int i = 0; i < 2; i++)
		assert_int_equal(sp_unit_recover(pass->host, 0), SP_LOST);
	settle_a_while(pass);
	assert_int_equal(sp_unit_info(pass->host, 0, &info), SP_OK);
	assert_true(info.lost);
	assert_true(model_unit_translating(pass->model, 0));
	assert_int_equal(model_forgotten_times(pass->model, frame), 0);
	/* And it may be tried again. */
	recover(pass);
	pass_settle(pass);
	assert_int_equal(model_forgotten_times(pass->model, frame), 1);
	pass_free(pass);
}

static void what_waited_for_a_lost_unit_comes_back_when_it_has_recovered(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = lose_unit(pass);

	recover(pass);
	assert_false(model_is_master(pass->model, PLAIN));
	pass_settle(pass);
	assert_int_equal(model_forgotten_times(pass->model, frame), 1);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true), SP_OK);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), 0);
	assert_int_not_equal(pass_reach(pass, PLAIN, SECOND, true), 0);
	/* And it goes on as before. */
	pass_unmap(pass, 0, SECOND, 1);
	assert_int_equal(pass_reach(pass, PLAIN, SECOND, true), 0);
	pass_free(pass);
}

static void what_changed_while_it_was_lost_is_paid_afterwards(void **state)
{
	struct pass *pass = pass_make(*state);
	struct sp_result result;

	(void)lose_unit(pass);
	assert_int_equal(sp_p2m_unmap(pass->guest[0], (sp_gfn_t){ SECOND }, 1, &result), SP_OK);
	assert_int_equal(sp_wait(pass->host, result.ticket), SP_LOST);
	recover(pass);
	assert_int_equal(sp_wait(pass->host, result.ticket), SP_OK);
	pass_settle(pass);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true), SP_OK);
	assert_int_equal(pass_reach(pass, PLAIN, SECOND, true), 0);
	pass_free(pass);
}

static void a_queue_that_stands_at_an_error_recovers(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = lose_unit(pass);

	spoil_queue(pass);
	model_set_answers(pass->model, 0, MODEL_AT_ONCE);
	recover(pass);
	pass_settle(pass);
	assert_int_equal(model_forgotten_times(pass->model, frame), 1);
	pass_free(pass);
}

/* ---- devices and domains of a lost unit ---- */

static void a_release_that_was_interrupted_is_finished_later(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t tables = model_table_frames(pass->model);
	uint32_t maps = pass_maps(pass->guest[0]);
	struct sp_mapping mapping;

	pass_assign(pass, 0, PLAIN);
	for (uint32_t bar = 0; bar < 4 && pass_can_hold_registers(pass); bar += 2)
		assert_int_equal(sp_device_map_bar(pass->guest[0], (sp_sbdf_t){ PLAIN }, bar,
						   (sp_gfn_t){ GFN + 16 * bar }),
				 SP_OK);
	model_set_answers(pass->model, 0, MODEL_NEVER);
	assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ PLAIN }), SP_LOST);
	assert_null(pass_owner(pass, PLAIN));
	/* Its registers went, though a unit is lost: of both. */
	for (uint32_t bar = 0; bar < 4; bar += 2)
		assert_int_equal(sp_p2m_find(pass->guest[0], (sp_gfn_t){ GFN + 16 * bar },
					     &mapping),
				 SP_NOT_FOUND);
	recover(pass);
	assert_int_equal(pass_try(pass, 1, PLAIN), SP_BUSY);
	assert_int_equal(sp_device_release(pass->guest[1], (sp_sbdf_t){ PLAIN }), SP_INVALID);
	assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ PLAIN }), SP_OK);
	assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ PLAIN }), SP_INVALID);
	assert_int_equal(pass_maps(pass->guest[0]), maps);
	pass_settle(pass);
	assert_true(model_table_frames(pass->model) <= tables + 8);
	pass_assign(pass, 1, PLAIN);
	pass_free(pass);
}

static void a_domain_of_a_recovered_unit_is_destroyed_to_the_end(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t names = pass->host->units[0]->names[0];
	uint64_t frame = lose_unit(pass);
	enum sp_status status = SP_PENDING;

	assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ PLAIN }), SP_LOST);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(sp_domain_destroy(pass->guest[0]), SP_PENDING);
		(void)sp_progress(pass->host, 1000);
	}
	assert_int_equal(model_forgotten_times(pass->model, frame), 0);
	recover(pass);
	for (int i = 0; i < 10000 && status == SP_PENDING; i++) {
		status = sp_domain_destroy(pass->guest[0]);
		pass_settle(pass);
	}
	assert_int_equal(status, SP_OK);
	pass->guest[0] = NULL;
	assert_int_equal(model_forgotten_times(pass->model, frame), 1);
	assert_int_equal(pass->host->units[0]->names[0], names);
	/* Nobody has anything of it any more. */
	pass_assign(pass, 1, PLAIN);
	pass_free(pass);
}

/* The sound one is told of an unmap when the release comes: what that owes gathers behind it. */
static void another_units_loss_ends_no_watch_early(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = pass_map_new(pass, 0, GFN);
	struct sp_result result;

	if (pass->mode->two_units) {
		pass_assign(pass, 0, PLAIN);
		pass_assign(pass, 0, OTHER_UNIT);
		assert_int_equal(pass_reach(pass, PLAIN, GFN, true), frame);
		(void)pass_map_new(pass, 0, SECOND);
		model_set_answers(pass->model, 1, MODEL_NEVER);
		model_set_answers(pass->model, 0, MODEL_LATE);
		assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ OTHER_UNIT }),
				 SP_LOST);
		assert_int_equal(sp_p2m_unmap(pass->guest[0], (sp_gfn_t){ SECOND }, 1, &result),
				 SP_OK);
		assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ PLAIN }), SP_LOST);
		assert_false(model_unit_remembers(pass->model, 0, frame));
		model_set_answers(pass->model, 1, MODEL_LATE);
		assert_int_equal(sp_unit_recover(pass->host, 1), SP_OK);
		assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ PLAIN }), SP_OK);
		assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ OTHER_UNIT }),
				 SP_OK);
		assert_int_equal(pass_maps(pass->guest[0]), 1);
	}
	pass_free(pass);
}

/* ---- the drivers alone ---- */

static void without_invalidate_all_recovery_takes_the_long_way(void **state)
{
	const struct model_unit_config config = { .vendor = MODEL_AMDVI,
						  .no_invalidate_all = true };
	const struct command forget = { .kind = COMMAND_PAGES, .name = NAME, .first = PAGE };
	struct fixture *fixture = fixture_start(&config);
	uint64_t number, asked;

	(void)state;
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_set_leaf(fixture, fixture->leaf, 0);
	model_set_answers(fixture->model, 0, MODEL_NEVER);
	assert_int_equal(fixture_post(fixture, forget, &number), SP_OK);
	fixture->unit->observer.lost = true;
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	model_set_answers(fixture->model, 0, MODEL_LATE);
	asked = fixture->unit->asked;
	assert_int_equal(fixture->ops->recover(fixture->unit), SP_OK);
	assert_false(fixture_dma(fixture, DEVICE, PAGE, true));
	/* Many waits were answered on the way; none says that all is forgotten, nor does the driver. */
	assert_true(fixture->unit->asked > asked + 1);
	assert_int_equal(fixture->unit->reached, number - 1);
	fixture_free(fixture);
}

/* Where nobody knows what devices did meanwhile, nothing is believed. */
static void a_unit_that_forgot_to_translate_is_not_recovered(void **state)
{
	static const enum model_vendor vendors[] = { MODEL_VTD, MODEL_AMDVI };

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct model_unit_config config = { .vendor = vendors[i] };
		struct fixture *fixture = fixture_start(&config);
		uint64_t at = fixture->unit->registers.maddr + 0x18;

		fixture_set_master(fixture, false);
		fixture->unit->observer.lost = true;
		/* VT-d: GCMD, all but translation as GSTS says; AMD-Vi: control, all off. */
		if (vendors[i] == MODEL_VTD)
			platform_mmio_write(fixture->model, (sp_maddr_t){ at }, 4, 0x6000000);
		else
			platform_mmio_write(fixture->model, (sp_maddr_t){ at }, 8, 0);
		assert_int_equal(fixture->ops->recover(fixture->unit), SP_LOST);
		fixture_free(fixture);
	}
}

/* ---- negative controls ---- */

static bool released_early(const struct pass_mode *mode, enum sp_mutant mutant, bool recovers)
{
	struct pass *pass = pass_make(mode);
	uint64_t frame = pass_map_new(pass, 0, GFN);
	struct sp_result result;
	bool objected;

	assert_int_equal(sp_mutant_choose(pass->host, mutant), SP_OK);
	pass_assign(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), frame);
	model_set_answers(pass->model, 0, MODEL_NEVER);
	assert_int_equal(sp_p2m_unmap(pass->guest[0], (sp_gfn_t){ GFN }, 1, &result), SP_OK);
	if (sp_wait(pass->host, result.ticket) == SP_LOST && recovers) {
		spoil_queue(pass);
		model_set_answers(pass->model, 0, MODEL_AT_ONCE);
		assert_int_equal(sp_unit_recover(pass->host, 0), SP_OK);
	}
	settle_a_while(pass);
	objected = model_verdict(pass->model) != NULL;
	if (objected) {
		print_message("as it should: %s\n", model_verdict(pass->model));
		assert_memory_equal(model_verdict(pass->model), "oracle R", 8);
	}
	pass_abandon(pass);
	return objected;
}

static void a_wait_that_timed_out_is_no_completion(void **state)
{
	assert_false(released_early(*state, SP_MUT_NONE, false));
	assert_true(released_early(*state, SP_MUT_ABORT_IS_COMPLETION, false));
}

static void a_recovered_unit_has_forgotten_everything(void **state)
{
	assert_false(released_early(*state, SP_MUT_NONE, true));
	assert_true(released_early(*state, SP_MUT_RECOVER_UNINVALIDATED, true));
}

/* ---- the fence ---- */

static void a_fenced_function_reaches_nothing_until_a_reset_worked(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = pass_map_new(pass, 0, GFN);

	pass_assign(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), frame);
	assert_int_equal(sp_function_fence(pass->host, (sp_sbdf_t){ PLAIN }), SP_OK);
	assert_int_equal(sp_function_fence(pass->host, (sp_sbdf_t){ PLAIN }), SP_OK);
	assert_true(is_fenced(pass, PLAIN));
	assert_false(model_is_master(pass->model, PLAIN));
	assert_false(model_unit_remembers(pass->model, 0, frame));
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true), SP_INVALID);
	defy(pass, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), 0);
	assert_int_equal(pass_reach(pass, PLAIN, RANGE, true), 0);
	assert_int_equal(sp_device_hand_over(pass->guest[0], pass->guest[1], (sp_sbdf_t){ PLAIN }),
			 SP_BUSY);
	/* Its owner goes on. */
	pass_unmap(pass, 0, GFN, 1);
	pass_release(pass, 0, PLAIN);
	assert_false(is_fenced(pass, PLAIN));
	frame = pass_map_new(pass, 1, GFN);
	pass_assign(pass, 1, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), frame);
	pass_free(pass);
}

static void without_a_reset_the_fence_stays(void **state)
{
	struct pass *pass = pass_make(*state);

	(void)pass_map_new(pass, 0, GFN);
	pass_assign(pass, 0, TWIN);
	assert_int_equal(sp_function_fence(pass->host, (sp_sbdf_t){ TWIN }), SP_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ TWIN }),
				 SP_UNSUPPORTED);
		assert_null(pass_owner(pass, TWIN));
		assert_true(is_fenced(pass, TWIN));
		assert_int_equal(pass_try(pass, 1, TWIN), SP_BUSY);
	}
	defy(pass, TWIN);
	assert_int_equal(pass_reach(pass, TWIN, GFN, true), 0);
	assert_int_equal(pass_reach(pass, TWIN, RANGE, true), 0);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ TWIN }, false), SP_OK);
	pass_free(pass);
}

static void a_function_that_nobody_owns_is_fenced_and_comes_back(void **state)
{
	struct pass *pass = pass_make(*state);

	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true), SP_OK);
	assert_int_equal(pass_reach(pass, PLAIN, RANGE, true), RANGE);
	assert_int_equal(sp_function_fence(pass->host, (sp_sbdf_t){ PLAIN }), SP_OK);
	defy(pass, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, RANGE, true), 0);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, false), SP_OK);
	pass_release(pass, 1, PLAIN);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true), SP_OK);
	assert_int_equal(pass_reach(pass, PLAIN, RANGE, true), RANGE);
	assert_int_equal(sp_function_fence(pass->host, (sp_sbdf_t){ BRIDGE }), SP_UNSUPPORTED);
	assert_int_equal(sp_function_fence(pass->host, (sp_sbdf_t){ UNCOVERED }), SP_NOT_FOUND);
	pass_free(pass);
}

static void who_shares_a_fenced_id_is_blocked_with_it(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = pass_map_new(pass, 0, GFN);

	pass_assign(pass, 0, SHARES);
	pass_assign(pass, 0, SHARES_TOO);
	assert_int_equal(pass_reach(pass, SHARES_TOO, GFN, true), frame);
	assert_int_equal(sp_function_fence(pass->host, (sp_sbdf_t){ SHARES }), SP_OK);
	assert_false(is_fenced(pass, SHARES_TOO));
	assert_int_equal(pass_reach(pass, SHARES_TOO, GFN, true), 0);
	pass_release(pass, 0, SHARES);
	assert_int_equal(pass_reach(pass, SHARES_TOO, GFN, true), frame);
	pass_free(pass);
}

static void a_function_of_a_lost_unit_is_fenced_and_comes_back_with_it(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = lose_unit(pass);

	assert_int_equal(sp_function_fence(pass->host, (sp_sbdf_t){ PLAIN }), SP_LOST);
	assert_true(is_fenced(pass, PLAIN));
	assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ PLAIN }), SP_LOST);
	assert_true(is_fenced(pass, PLAIN));
	recover(pass);
	defy(pass, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, SECOND, true), 0);
	pass_release(pass, 0, PLAIN);
	assert_false(is_fenced(pass, PLAIN));
	pass_settle(pass);
	assert_int_equal(model_forgotten_times(pass->model, frame), 1);
	pass_assign(pass, 0, PLAIN);
	assert_int_not_equal(pass_reach(pass, PLAIN, SECOND, true), 0);
	pass_free(pass);
}

/* clang-format off */
#define T(name) { #name, name, false }
#define ONCE(name) { #name, name, true }
static const struct pass_sentence sentences[] = {
	T(what_is_not_lost_is_not_recovered),
	T(a_unit_that_is_still_silent_stays_lost),
	T(what_waited_for_a_lost_unit_comes_back_when_it_has_recovered),
	T(what_changed_while_it_was_lost_is_paid_afterwards),
	T(a_queue_that_stands_at_an_error_recovers),
	T(a_release_that_was_interrupted_is_finished_later),
	T(a_domain_of_a_recovered_unit_is_destroyed_to_the_end),
	T(another_units_loss_ends_no_watch_early),
	ONCE(without_invalidate_all_recovery_takes_the_long_way),
	ONCE(a_unit_that_forgot_to_translate_is_not_recovered),
	T(a_wait_that_timed_out_is_no_completion),
	T(a_recovered_unit_has_forgotten_everything),
	T(a_fenced_function_reaches_nothing_until_a_reset_worked),
	T(without_a_reset_the_fence_stays),
	T(a_function_that_nobody_owns_is_fenced_and_comes_back),
	T(who_shares_a_fenced_id_is_blocked_with_it),
	T(a_function_of_a_lost_unit_is_fenced_and_comes_back_with_it),
};
/* clang-format on */

int main(void)
{
	return pass_run(sentences, sizeof(sentences) / sizeof(sentences[0]));
}
