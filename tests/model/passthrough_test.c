/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/passthrough_test.c - devices come and go, on every kind of unit and table, with caches
 * that look between any two stores.
 */
#include "pass_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"
#include "pci/function.h"
#include "sync/domain.h"

static const struct pass_mode modes[] = {
	{ .name = "AMD-Vi shared", .vendor = MODEL_AMDVI, .cpu = SP_CPU_NPT },
	{ .name = "AMD-Vi separate",
	  .vendor = MODEL_AMDVI,
	  .cpu = SP_CPU_NPT,
	  .tables = SP_TABLES_SEPARATE,
	  .two_units = true },
	{ .name = "VT-d shared, left on by firmware",
	  .vendor = MODEL_VTD,
	  .cpu = SP_CPU_EPT,
	  .left_on = true },
	{ .name = "VT-d separate, not coherent, late",
	  .vendor = MODEL_VTD,
	  .cpu = SP_CPU_NPT,
	  .tables = SP_TABLES_SEPARATE,
	  .two_units = true,
	  .not_coherent = true,
	  .answers = MODEL_LATE },
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

static bool can_hold_registers(const struct pass *pass)
{
	return pass->mode->cpu == SP_CPU_NPT || pass->mode->tables == SP_TABLES_SEPARATE;
}

static uint32_t maps_of(const struct sp_domain *guest);

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
	if (can_hold_registers(pass))
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
		assert_int_equal(maps_of(pass->guest[0]), 1);
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
	maps = maps_of(pass->guest[0]);
	pass_assign(pass, 0, TWIN);
	pass_assign(pass, 0, OTHER_UNIT);
	assert_int_equal(maps_of(pass->guest[0]), maps);
	assert_int_equal(pass_reach(pass, OTHER_UNIT, GFN, true), frame);
	pass_release(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, TWIN, GFN, true), frame);
	assert_int_equal(maps_of(pass->guest[0]), maps);
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

static void refused(struct pass *pass, uint32_t guest, uint32_t sbdf, enum sp_status status)
{
	uint64_t tables = model_table_frames(pass->model);
	struct sp_domain *owner = sbdf == 0x00f8 ? NULL : pass_owner(pass, sbdf);
	uint32_t maps = maps_of(pass->guest[guest]);

	assert_int_equal(pass_try(pass, guest, sbdf), status);
	assert_int_equal(model_table_frames(pass->model), tables);
	assert_int_equal(maps_of(pass->guest[guest]), maps);
	if (owner)
		assert_ptr_equal(pass_owner(pass, sbdf), owner);
}

static void what_cannot_be_assigned_is_refused_by_name(void **state)
{
	struct pass *pass = pass_make(*state);

	refused(pass, 0, 0x00f8, SP_NOT_FOUND);
	refused(pass, 0, UNCOVERED, SP_NOT_FOUND);
	refused(pass, 0, BRIDGE, SP_UNSUPPORTED);
	pass_assign(pass, 0, PLAIN);
	refused(pass, 0, PLAIN, SP_BUSY);
	refused(pass, 1, PLAIN, SP_BUSY);
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
	refused(pass, 0, PLAIN, SP_RESERVED_RANGE);
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
		assert_int_equal(maps_of(pass->guest[0]), 1);
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
	refused(pass, 0, PLAIN, SP_RANGE);
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

/* ---- reserved ranges ---- */

static void a_device_reaches_its_range_wherever_it_is(void **state)
{
	struct pass *pass = pass_make(*state);
	struct sp_mapping mapping;

	assert_int_equal(pass_reach(pass, PLAIN, RANGE + 1, true), RANGE + 1);
	assert_int_equal(pass_reach(pass, PLAIN, RANGE + 2, true), 0);
	pass_assign(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, RANGE + 1, true), RANGE + 1);
	assert_int_equal(sp_p2m_find(pass->guest[0], (sp_gfn_t){ RANGE }, &mapping), SP_OK);
	assert_int_equal(mapping.type, SP_RESERVED);
	pass_release(pass, 0, PLAIN);
	assert_int_equal(sp_p2m_find(pass->guest[0], (sp_gfn_t){ RANGE }, &mapping), SP_NOT_FOUND);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true), SP_OK);
	assert_int_equal(pass_reach(pass, PLAIN, RANGE, true), RANGE);
	pass_free(pass);
}

static void a_shared_range_stays_until_the_last_device_goes(void **state)
{
	struct pass *pass = pass_make(*state);
	struct sp_mapping mapping;

	pass_assign(pass, 0, PLAIN);
	refused(pass, 1, TWIN, SP_RESERVED_RANGE);
	pass_assign(pass, 0, TWIN);
	pass_release(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, TWIN, RANGE, true), RANGE);
	pass_release(pass, 0, TWIN);
	assert_int_equal(sp_p2m_find(pass->guest[0], (sp_gfn_t){ RANGE }, &mapping), SP_NOT_FOUND);
	assert_int_equal(pass_try(pass, 1, TWIN), SP_OK);
	pass_free(pass);
}

static void a_range_for_reading_is_not_written(void **state)
{
	struct pass *pass = pass_make(*state);

	if (pass->mode->vendor == MODEL_AMDVI) {
		assert_int_equal(pass_reach(pass, READER, READ_RANGE, false), READ_RANGE);
		assert_int_equal(pass_reach(pass, READER, READ_RANGE, true), 0);
		pass_assign(pass, 0, READER);
		assert_int_equal(pass_reach(pass, READER, READ_RANGE, false), READ_RANGE);
		assert_int_equal(pass_reach(pass, READER, READ_RANGE, true), 0);
	}
	pass_free(pass);
}

static void a_range_can_be_added_before_the_start(void **state)
{
	struct pass *pass = pass_make_cold(*state);
	sp_sbdf_t id = { OTHER_UNIT };

	assert_int_equal(sp_function_reserve(pass->host, (sp_sbdf_t){ 0x00f8 },
					     (sp_mfn_t){ 0x7f100 }, 1, true),
			 SP_NOT_FOUND);
	assert_int_equal(sp_function_reserve(pass->host, id, (sp_mfn_t){ 0x7f100 }, 0, true),
			 SP_INVALID);
	assert_int_equal(sp_function_reserve(pass->host, id, (sp_mfn_t){ 0xfee00 }, 1, true),
			 SP_RESERVED_RANGE);
	assert_int_equal(sp_function_reserve(pass->host, id, (sp_mfn_t){ 0x7f100 }, 1, true),
			 SP_OK);
	assert_int_equal(sp_function_reserve(pass->host, id, (sp_mfn_t){ 0x7f101 }, 1, false),
			 SP_OK);
	pass_start(pass);
	assert_int_equal(sp_function_reserve(pass->host, id, (sp_mfn_t){ 0x7f200 }, 1, true),
			 SP_INVALID);
	assert_int_equal(pass_reach(pass, OTHER_UNIT, 0x7f100, true), 0x7f100);
	assert_int_equal(pass_reach(pass, OTHER_UNIT, 0x7f101, true), 0);
	assert_int_equal(pass_reach(pass, OTHER_UNIT, 0x7f101, false), 0x7f101);
	pass_free(pass);
}

static void a_range_over_the_units_registers_stops_the_start(void **state)
{
	struct pass *pass = pass_make_cold(*state);
	struct function *function = function_find(pass->host, (sp_sbdf_t){ PHANTOM });
	uint64_t base = model_unit_base(pass->model, 0);

	function->reserved[0] = (struct function_range){ (base >> 12) - 1, 2, true, true };
	function->reserved_count = 1;
	assert_int_equal(sp_iommu_start(pass->host), SP_RESERVED_RANGE);
	assert_non_null(strstr(model_last_log(pass->model), "0000:00:04.0"));
	assert_false(!pass->mode->left_on && model_unit_translating(pass->model, 0));
	pass_free(pass);
}

/* ---- registers ---- */

static void registers_are_mapped_and_unmapped_with_the_device(void **state)
{
	struct pass *pass = pass_make(*state);
	struct sp_mapping mapping;
	sp_sbdf_t id = { PLAIN };
	sp_gfn_t at = { 0xc0000 };

	assert_int_equal(sp_device_map_bar(pass->guest[0], id, 0, at), SP_INVALID);
	pass_assign(pass, 0, PLAIN);
	if (!can_hold_registers(pass)) {
		assert_int_equal(sp_device_map_bar(pass->guest[0], id, 0, at), SP_UNSUPPORTED);
		pass_free(pass);
		return;
	}
	assert_int_equal(sp_device_map_bar(pass->guest[0], id, 1, at), SP_NOT_FOUND);
	assert_int_equal(sp_device_map_bar(pass->guest[0], id, 0, at), SP_OK);
	assert_int_equal(sp_p2m_find(pass->guest[0], (sp_gfn_t){ 0xc0001 }, &mapping), SP_OK);
	assert_int_equal(mapping.type, SP_MMIO);
	assert_int_equal(pass_reach(pass, PLAIN, 0xc0001, true), 0);
	/* Moved: it is there once. */
	assert_int_equal(sp_device_map_bar(pass->guest[0], id, 0, (sp_gfn_t){ 0xd0000 }), SP_OK);
	assert_int_equal(sp_p2m_find(pass->guest[0], at, &mapping), SP_NOT_FOUND);
	/* What lies in its place since is left alone. */
	(void)pass_map_new(pass, 0, 0xd0000);
	pass_release(pass, 0, PLAIN);
	assert_int_equal(sp_p2m_find(pass->guest[0], (sp_gfn_t){ 0xd0000 }, &mapping), SP_OK);
	assert_int_equal(sp_p2m_find(pass->guest[0], (sp_gfn_t){ 0xd0001 }, &mapping),
			 SP_NOT_FOUND);
	pass_free(pass);
}

static void registers_in_a_shared_page_are_refused(void **state)
{
	struct pass *pass = pass_make(*state);
	struct function *plain = function_find(pass->host, (sp_sbdf_t){ PLAIN });
	struct function *twin = function_find(pass->host, (sp_sbdf_t){ TWIN });

	pass_assign(pass, 0, PLAIN);
	twin->bar[0] = (struct sp_bar){ { plain->bar[0].address.maddr + 0x1800 }, 0x100, false };
	assert_int_equal(sp_device_map_bar(pass->guest[0], (sp_sbdf_t){ PLAIN }, 0,
					   (sp_gfn_t){ 0xc0000 }),
			 SP_UNSUPPORTED);
	twin->bar[0].bytes = 0;
	plain->bar[0].address.maddr += 0x800;
	assert_int_equal(sp_device_map_bar(pass->guest[0], (sp_sbdf_t){ PLAIN }, 0,
					   (sp_gfn_t){ 0xc0000 }),
			 SP_UNSUPPORTED);
	pass_free(pass);
}

/* ---- what goes wrong ---- */

static void a_function_that_no_unit_covers_stays_silent(void **state)
{
	struct pass *pass = pass_make(*state);

	assert_false(model_is_master(pass->model, UNCOVERED));
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ UNCOVERED }, true),
			 SP_UNSUPPORTED);
	assert_false(model_is_master(pass->model, UNCOVERED));
	pass_free(pass);
}

static void a_lost_unit_frees_nothing_and_silences_its_functions(void **state)
{
	struct pass *pass = pass_make(*state);
	uint64_t frame = pass_map_new(pass, 0, GFN);
	struct sp_unit_info info;
	struct sp_result result;

	pass_assign(pass, 0, PLAIN);
	assert_int_equal(pass_reach(pass, PLAIN, GFN, true), frame);
	model_set_answers(pass->model, 0, MODEL_NEVER);
	assert_int_equal(sp_p2m_unmap(pass->guest[0], (sp_gfn_t){ GFN }, 1, &result), SP_OK);
	assert_int_equal(sp_wait(pass->host, result.ticket), SP_LOST);
	assert_int_equal(pass->lost, 1);
	assert_false(model_is_master(pass->model, PLAIN));
	assert_false(model_is_master(pass->model, PHANTOM));
	assert_int_equal(sp_unit_info(pass->host, 0, &info), SP_OK);
	assert_true(info.lost);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true), SP_LOST);
	assert_int_equal(pass_try(pass, 0, TWIN), SP_LOST);
	assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ PLAIN }), SP_LOST);
	assert_null(pass_owner(pass, PLAIN));
	for (int i = 0; i < 100; i++)
		(void)sp_progress(pass->host, 1000);
	assert_int_equal(model_forgotten_times(pass->model, frame), 0);
	assert_int_equal(pass->lost, 1);
	assert_null(model_verdict(pass->model));
	pass_abandon(pass);
}

static void a_unit_lost_on_the_way_leaves_the_device_in_quarantine(void **state)
{
	struct pass *pass = pass_make(*state);

	(void)pass_map_new(pass, 0, GFN);
	model_set_answers(pass->model, 0, MODEL_NEVER);
	assert_int_equal(pass_try(pass, 0, PLAIN), SP_LOST);
	assert_null(pass_owner(pass, PLAIN));
	assert_int_equal(pass->lost, 1);
	assert_null(model_verdict(pass->model));
	pass_abandon(pass);
}

static void a_function_whose_reset_fails_is_still_in_quarantine(void **state)
{
	struct pass *pass = pass_make(*state);

	(void)pass_map_new(pass, 0, GFN);
	pass_assign(pass, 0, TWIN);
	pass_release(pass, 0, TWIN);
	assert_int_equal(model_resets(pass->model, TWIN), 0);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ TWIN }, true), SP_OK);
	assert_int_equal(pass_reach(pass, TWIN, GFN, true), 0);
	pass_free(pass);
}

static void a_crash_switches_every_bus_master_off(void **state)
{
	struct pass *pass = pass_make(*state);

	pass_assign(pass, 0, PLAIN);
	sp_crash_stop(pass->host);
	assert_false(model_is_master(pass->model, PLAIN));
	assert_false(model_is_master(pass->model, SHARES));
	assert_true(model_unit_translating(pass->model, 0));
	pass_free(pass);
}

static void the_start_happens_once(void **state)
{
	struct pass *pass = pass_make(*state);

	assert_int_equal(sp_iommu_start(pass->host), SP_INVALID);
	pass_free(pass);
}

/* ---- for people ---- */

static void a_fault_is_one_line(void **state)
{
	struct sp_fault fault = { .vendor = SP_VENDOR_VTD,
				  .requester = { 0x10 },
				  .frame = { 0x80 },
				  .write = true,
				  .has_address = true,
				  .kind = SP_FAULT_NOT_PRESENT,
				  .reason = 5 };
	char line[160];

	(void)state;
	sp_fault_text(&fault, line, sizeof(line));
	assert_string_equal(line, "sbdf 0000:00:02.0 write dfn 0x80: not present (VT-d reason "
				  "0x05)");
	sp_fault_text(&fault, line, 8);
	assert_string_equal(line, "sbdf 00");
	fault.has_address = false;
	fault.vendor = SP_VENDOR_AMDVI;
	fault.overflow = true;
	sp_fault_text(&fault, line, sizeof(line));
	assert_non_null(strstr(line, "address unknown"));
	assert_non_null(strstr(line, "were lost"));
}

static void a_blocked_transfer_is_reported(void **state)
{
	struct pass *pass = pass_make(*state);
	struct sp_fault fault;

	while (sp_iommu_next_fault(pass->host, &fault) == SP_OK)
		;
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ TWIN }, true), SP_OK);
	assert_int_equal(pass_reach(pass, TWIN, GFN, true), 0);
	assert_int_equal(sp_iommu_next_fault(pass->host, &fault), SP_OK);
	assert_int_equal(fault.requester.sbdf, TWIN);
	assert_int_equal(fault.frame.dfn, GFN);
	assert_true(fault.write);
	assert_int_equal(fault.unit.maddr, model_unit_base(pass->model, 0));
	assert_int_equal(sp_iommu_next_fault(pass->host, &fault), SP_NOT_FOUND);
	pass_free(pass);
}

static uint32_t maps_of(const struct sp_domain *guest)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i <= MAX_UNITS; i++)
		count += guest->maps[i].used;
	return count;
}

struct sentence {
	const char *name;
	CMUnitTestFunction run;
	bool once; /* whatever the mode */
};

/* clang-format off */
#define T(name) { #name, name, false }
static const struct sentence sentences[] = {
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
	T(a_device_reaches_its_range_wherever_it_is),
	T(a_shared_range_stays_until_the_last_device_goes),
	T(a_range_for_reading_is_not_written),
	T(a_range_can_be_added_before_the_start),
	T(a_range_over_the_units_registers_stops_the_start),
	T(registers_are_mapped_and_unmapped_with_the_device),
	T(registers_in_a_shared_page_are_refused),
	T(a_function_that_no_unit_covers_stays_silent),
	T(a_lost_unit_frees_nothing_and_silences_its_functions),
	T(a_unit_lost_on_the_way_leaves_the_device_in_quarantine),
	T(a_function_whose_reset_fails_is_still_in_quarantine),
	T(a_crash_switches_every_bus_master_off),
	T(the_start_happens_once),
	T(a_blocked_transfer_is_reported),
	{ "memory_beyond_the_units_reach_refuses_the_device",
	  memory_beyond_the_units_reach_refuses_the_device, true },
	{ "a_fault_is_one_line", a_fault_is_one_line, true },
};
/* clang-format on */
#define SENTENCES (sizeof(sentences) / sizeof(sentences[0]))

int main(void)
{
	static struct CMUnitTest tests[SENTENCES * MODES];
	static char names[SENTENCES * MODES][160];
	size_t count = 0;

	for (size_t i = 0; i < SENTENCES; i++) {
		for (size_t m = 0; m < (sentences[i].once ? 1 : MODES); m++, count++) {
			snprintf(names[count], sizeof(names[count]), "%s (%s)", sentences[i].name,
				 sentences[i].once ? "any" : modes[m].name);
			tests[count] = (struct CMUnitTest){ names[count], sentences[i].run, NULL,
							    NULL, (void *)(uintptr_t)&modes[m] };
		}
	}
	return _cmocka_run_group_tests("passthrough", tests, count, NULL, NULL);
}
