/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/passthrough_test.c - devices come and go, on every kind of unit and table, with
 * caches that look between any two stores.
 */
#include "pass_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"

/* ---- giving and taking ---- */

static void a_device_reaches_its_guest_and_nothing_else(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t mine = pass_map_new(pass, 0, GFN), others = pass_map_new(pass, 1, GFN + 1);

	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true), SP_OK);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), 0);
	pass_assign(pass, 0, PLAIN);
	assert_ptr_equal(pass_owner(pass, PLAIN), pass->guest[0]);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), mine);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, false), mine);
	assert_int_equal(pass_reach(pass, PLAIN, GFN + 1, false), 0);
	assert_int_equal(pass_reach(pass, PLAIN, others, true), 0);
	assert_int_equal(pass_reach(pass, TWIN, GFN, true), 0);
	pass_free(pass);
}

static void a_device_is_given_with_bus_mastering_off(void **state)
{
	struct pass *pass = pass_make(*state);

	assert_true(model_is_master(pass->model, PLAIN));
	assert_int_equal(pass_try(pass, 0, PLAIN), SP_OK);
	assert_false(model_is_master(pass->model, PLAIN));
	pass_free(pass);
}

static void a_late_device_finds_all_memory_of_its_guest(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t run = model_guest_frames(pass->model, 10), one = 0;

	pass_map(pass, 0, GFN, run, 1024, SP_RAM);
	one = pass_map_new(pass, 0, 3);
	pass_unmap(pass, 0, GFN + 700, 1);
	assert_int_equal(sp_wait(pass->host, (struct sp_ticket){ pass->guest[0], 0 }), SP_OK);
	pass_assign(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, 3, true), one);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), run);
	assert_int_equal(pass_reach(pass, PLAIN, GFN + 1023, true), run + 1023);
	assert_int_equal(pass_reach(pass, PLAIN, GFN + 700, true), 0);
	assert_int_equal(pass_reach(pass, PLAIN, GFN + 699, true), run + 699);
	assert_int_equal(pass_reach(pass, PLAIN, GFN + 1024, true), 0);
	pass_free(pass);
}

static void rights_go_with_the_memory(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = model_guest_frame(pass->model);

	pass_map(pass, 0, GFN, frame, 1, SP_RAM_READONLY);
	if (pass_can_hold_registers(pass))
		pass_map(pass, 0, GFN + 9, 0xd0000, 1, SP_MMIO);
	pass_assign(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, false), frame);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), 0);
	assert_int_equal(pass_reach(pass, PLAIN, GFN + 9, false), 0);
	pass_free(pass);
}

static void a_released_device_reaches_nothing_and_leaves_nothing(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t tables = 0;

	(void)pass_map_new(pass, 0, GFN);
	for (int i = 0; i < 3; i++) {
		pass_assign(pass, 0, PLAIN);
		assert_int_not_equal(pass_reach(pass, PLAIN, GFN, true), 0);
		pass_release(pass, 0, PLAIN);
		assert_false(model_is_master(pass->model, PLAIN));
		assert_int_equal(model_resets(pass->model, PLAIN), i + 1);
		assert_null(pass_owner(pass, PLAIN));
		assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true),
				 SP_OK);
		assert_int_equal(pass_reach(pass, PLAIN, GFN, true), 0);
		pass_settle(pass);
		assert_int_equal(pass_maps(pass->guest[0]), 1);
		/* Pages for the next change may stay, but no more each time. */
		if (i == 0)
			tables = model_table_frames(pass->model);
		assert_int_equal(model_table_frames(pass->model), tables);
	}
	pass_free(pass);
}

static void a_device_that_is_handed_over_follows_its_owner(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t mine = pass_map_new(pass, 0, GFN), theirs = pass_map_new(pass, 1, GFN);

	pass_assign(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), mine);
	assert_int_equal(sp_device_hand_over(pass->guest[0], pass->guest[1], (sp_sbdf_t){ PLAIN }),
			 SP_OK);
	assert_false(model_is_master(pass->model, PLAIN));
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true), SP_OK);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), theirs);
	assert_int_equal(sp_device_hand_over(pass->guest[1], pass->guest[1], (sp_sbdf_t){ PLAIN }),
			 SP_INVALID);
	assert_int_equal(sp_device_hand_over(pass->guest[0], pass->guest[1], (sp_sbdf_t){ PLAIN }),
			 SP_BUSY);
	pass_free(pass);
}

static void devices_of_one_unit_share_one_map(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = pass_map_new(pass, 0, GFN);
	uint32_t maps;

	pass_assign(pass, 0, PLAIN);
	maps = pass_maps(pass->guest[0]);
	pass_assign(pass, 0, TWIN);
	pass_assign(pass, 0, OTHER_UNIT);
	assert_int_equal(pass_maps(pass->guest[0]), maps);
	assert_int_equal(pass_reach(pass, OTHER_UNIT, GFN, true), frame);
	pass_release(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, TWIN, GFN, true), frame);
	assert_int_equal(pass_maps(pass->guest[0]), maps);
	pass_unmap(pass, 0, GFN, 1);
	assert_int_equal(pass_reach(pass, TWIN, GFN, true), 0);
	assert_int_equal(pass_reach(pass, OTHER_UNIT, GFN, true), 0);
	pass_free(pass);
}

/* ---- requester ids ---- */

static void phantom_functions_go_with_their_device(void **state)
{
	struct pass *pass = pass_make(*state);
	char byte = 'x';

	(void)pass_map_new(pass, 0, GFN);
	pass_assign(pass, 0, PHANTOM);
	for (uint32_t i = 0; i < 8; i += 2)
		assert_false(model_dma_phantom(pass->model, PHANTOM, i, (uint64_t)GFN << 12, &byte,
					       1, true)
				     .fault);
	pass_release(pass, 0, PHANTOM);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PHANTOM }, true), SP_OK);
	for (uint32_t i = 0; i < 8; i += 2)
		assert_true(model_dma_phantom(pass->model, PHANTOM, i, (uint64_t)GFN << 12, &byte,
					      1, true)
				    .fault);
	pass_free(pass);
}

static void a_device_behind_a_bridge_reaches_its_guest(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = pass_map_new(pass, 0, GFN);

	pass_assign(pass, 0, SHARES);
	assert_int_equal(pass_reach(pass, SHARES, GFN, true), frame);
	pass_release(pass, 0, SHARES);
	assert_int_equal(model_resets(pass->model, SHARES), 1);
	pass_free(pass);
}

static void who_shares_a_requester_id_shares_the_owner(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = pass_map_new(pass, 0, GFN);

	assert_true(model_is_master(pass->model, SHARES_TOO));
	pass_assign(pass, 0, SHARES);
	assert_false(model_is_master(pass->model, SHARES_TOO));
	assert_true(model_is_master(pass->model, BRIDGE));
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ SHARES_TOO }, true),
			 SP_SHARED_REQUESTER);
	assert_int_equal(pass_try(pass, 1, SHARES_TOO), SP_SHARED_REQUESTER);
	assert_non_null(strstr(model_last_log(pass->model), "0000:05:01.0"));

	pass_assign(pass, 0, SHARES_TOO);
	assert_int_equal(sp_device_hand_over(pass->guest[0], pass->guest[1], (sp_sbdf_t){ SHARES }),
			 SP_SHARED_REQUESTER);
	pass_release(pass, 0, SHARES);
	assert_int_equal(pass_reach(pass, SHARES_TOO, GFN, true), frame);
	pass_release(pass, 0, SHARES_TOO);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ SHARES_TOO }, true), SP_OK);
	assert_int_equal(pass_reach(pass, SHARES_TOO, GFN, true), 0);
	assert_int_equal(pass_try(pass, 1, SHARES_TOO), SP_OK);
	pass_free(pass);
}

static void without_the_check_two_owners_share_a_requester_id(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = pass_map_new(pass, 0, GFN);

	assert_int_equal(sp_mutant_choose(pass->host, SP_MUT_ALIAS_UNCHECKED), SP_OK);
	pass_assign(pass, 0, SHARES);
	pass_assign(pass, 1, SHARES_TOO);
	/* It leaks: guest 1's device reaches guest 0. */
	assert_int_equal(pass_reach(pass, SHARES_TOO, GFN, true), frame);
	pass_abandon(pass);
}

/* ---- refusals ---- */

static void what_cannot_be_assigned_is_refused_by_name(void **state)
{
	struct pass *pass = pass_make(*state);

	pass_refused(pass, 0, 0x00f8, SP_NOT_FOUND);
	pass_refused(pass, 0, UNCOVERED, SP_NOT_FOUND);
	pass_refused(pass, 0, BRIDGE, SP_UNSUPPORTED);
	pass_assign(pass, 0, PLAIN);
	pass_refused(pass, 0, PLAIN, SP_BUSY);
	pass_refused(pass, 1, PLAIN, SP_BUSY);
	assert_int_equal(sp_device_release(pass->guest[1], (sp_sbdf_t){ PLAIN }), SP_INVALID);
	assert_int_equal(sp_device_release(pass->guest[1], (sp_sbdf_t){ 0x00f8 }), SP_NOT_FOUND);
	pass_free(pass);
}

static void nothing_is_assigned_before_the_units_translate(void **state)
{
	struct pass *pass = pass_make_cold(*state);
	const struct sp_domain_config config = { .number = 1,
						 .cpu = SP_CPU_NPT,
						 .tables = SP_TABLES_SEPARATE,
						 .table_budget = 20,
						 .asid = 1 };

	assert_int_equal(sp_domain_create(pass->host, &config, &pass->guest[0]), SP_OK);
	assert_int_equal(pass_try(pass, 0, PLAIN), SP_INVALID);
	pass_free(pass);
}

static void memory_at_a_reserved_range_refuses_the_device(void **state)
{
	struct pass *pass = pass_make(*state);

	(void)pass_map_new(pass, 0, RANGE + 1);
	pass_refused(pass, 0, PLAIN, SP_RESERVED_RANGE);
	assert_int_equal(pass_try(pass, 0, OTHER_UNIT), SP_OK);
	pass_free(pass);
}

static void refused_frames_leave_everything_as_it_was(void **state)
{
	struct pass *pass = pass_make(*state);
	enum sp_status status = SP_NO_MEMORY;
	uint32_t n;

	for (uint32_t i = 0; i < 40; i++)
		(void)pass_map_new(pass, 0, GFN + 0x300 * i);
	pass_settle(pass);
	for (n = 1; status != SP_OK && n < 100; n++) {
		model_refuse_nth_take(pass->model, n);
		status = pass_try(pass, 0, PLAIN);
		if (status == SP_OK)
			break;
		assert_int_equal(status, SP_NO_MEMORY);
		assert_null(pass_owner(pass, PLAIN));
		assert_int_equal(pass_maps(pass->guest[0]), 1);
		assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true),
				 SP_OK);
		assert_int_equal(pass_reach(pass, PLAIN, GFN, true), 0);
	}
	assert_int_equal(status, SP_OK);
	model_refuse_nth_take(pass->model, 0);
	pass_free(pass);
}

static void memory_beyond_the_units_reach_refuses_the_device(void **state)
{
	const struct pass_mode narrow = { .vendor = MODEL_VTD,
					  .cpu = SP_CPU_NPT,
					  .tables = SP_TABLES_SEPARATE,
					  .walk_levels = 1 << 3 };
	struct pass *pass = pass_make(&narrow);
	struct sp_result result;
	uint64_t frame;

	(void)state;
	(void)pass_map_new(pass, 0, 1ull << 27);
	pass_refused(pass, 0, PLAIN, SP_RANGE);
	pass_unmap(pass, 0, 1ull << 27, 1);
	frame = pass_map_new(pass, 0, (1ull << 27) - 1);
	pass_assign(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, (1ull << 27) - 1, true), frame);
	/* And with the device here, no vCPU gets memory that it does not reach. */
	frame = model_guest_frame(pass->model);
	assert_int_equal(sp_p2m_map(pass->guest[0], (sp_gfn_t){ 1ull << 27 }, (sp_mfn_t){ frame },
				    1, SP_RAM, &result),
			 SP_RANGE);
	pass_free(pass);
}

static void a_unit_that_cannot_remap_interrupts_refuses_the_device(void **state)
{
	const struct pass_mode bare = { .vendor = MODEL_VTD,
					.cpu = SP_CPU_NPT,
					.tables = SP_TABLES_SEPARATE,
					.no_remapping = true,
					.allow_unremapped = true };
	struct pass *pass = pass_make(&bare);
	uint64_t frame = pass_map_new(pass, 1, GFN);

	(void)state;
	pass_refused(pass, 0, PLAIN, SP_UNSUPPORTED);
	assert_non_null(strstr(model_last_log(pass->model), "cannot remap interrupts"));
	pass_assign(pass, 1, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), frame);
	pass_free(pass);
}

/* clang-format off */
#define T(name) { #name, name, false }
static const struct pass_sentence sentences[] = {
	T(a_device_reaches_its_guest_and_nothing_else),
	T(a_device_is_given_with_bus_mastering_off),
	T(a_late_device_finds_all_memory_of_its_guest),
	T(rights_go_with_the_memory),
	T(a_released_device_reaches_nothing_and_leaves_nothing),
	T(a_device_that_is_handed_over_follows_its_owner),
	T(devices_of_one_unit_share_one_map),
	T(phantom_functions_go_with_their_device),
	T(a_device_behind_a_bridge_reaches_its_guest),
	T(who_shares_a_requester_id_shares_the_owner),
	T(without_the_check_two_owners_share_a_requester_id),
	T(what_cannot_be_assigned_is_refused_by_name),
	T(nothing_is_assigned_before_the_units_translate),
	T(memory_at_a_reserved_range_refuses_the_device),
	T(refused_frames_leave_everything_as_it_was),
	{ "memory_beyond_the_units_reach_refuses_the_device",
	  memory_beyond_the_units_reach_refuses_the_device, true },
	{ "a_unit_that_cannot_remap_interrupts_refuses_the_device",
	  a_unit_that_cannot_remap_interrupts_refuses_the_device, true },
};
/* clang-format on */

int main(void)
{
	return pass_run(sentences, sizeof(sentences) / sizeof(sentences[0]));
}
