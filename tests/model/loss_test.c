/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/loss_test.c - units and functions that fail, and what people are told.
 */
#include "pass_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pci/function.h"

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

static struct sp_function_info info_of(struct pass *pass, uint32_t sbdf)
{
	struct sp_function_info info = { 0 };

	for (uint32_t i = 0; sp_function_info(pass->host, i, &info) == SP_OK; i++)
		if (info.sbdf.sbdf == sbdf)
			return info;
	fail_msg("no such function");
	return info;
}

static void a_survey_tells_what_a_start_would_find_and_touches_no_unit(void **state)
{
	struct pass *pass = pass_make_cold(*state);
	struct sp_function_info info = info_of(pass, PLAIN);
	bool was_translating = model_unit_translating(pass->model, 0);

	assert_false(info.covered);
	assert_int_equal(info.reserved_count, 0);
	assert_int_equal(sp_iommu_survey(pass->host), SP_OK);
	info = info_of(pass, PLAIN);
	assert_true(info.covered);
	assert_int_equal(info.reserved_count, 1);
	assert_int_equal(info.reserved[0].first.mfn, RANGE);
	assert_int_equal(info.reserved[0].count, 2);
	assert_true(info.reserved[0].read && info.reserved[0].write);
	info = info_of(pass, OTHER_UNIT);
	assert_int_equal(info.unit, pass->mode->two_units ? 1 : 0);
	info = info_of(pass, UNCOVERED);
	assert_false(info.covered);
	assert_int_equal(model_unit_translating(pass->model, 0), was_translating);
	pass_free(pass);
}

static void who_was_surveyed_is_neither_started_nor_changed(void **state)
{
	const struct sp_window window = { { 0xf0000000 }, 0x1000000 };
	struct pass *pass = pass_make_cold(*state);

	assert_int_equal(sp_iommu_survey(pass->host), SP_OK);
	assert_int_equal(sp_iommu_survey(pass->host), SP_INVALID);
	assert_int_equal(sp_iommu_start(pass->host), SP_INVALID);
	assert_int_equal(sp_pci_scan(pass->host, 1), SP_INVALID);
	assert_int_equal(sp_pci_enable_vfs(pass->host, (sp_sbdf_t){ PHYSICAL }, 1, &window),
			 SP_INVALID);
	pass_free(pass);
}

static void a_start_that_was_refused_is_not_repeated(void **state)
{
	struct pass *pass = pass_make_cold(*state);
	struct function *function = function_find(pass->host, (sp_sbdf_t){ PHANTOM });
	uint64_t base = model_unit_base(pass->model, 0);
	uint32_t count = info_of(pass, PLAIN).reserved_count;

	function->reserved[0] = (struct function_range){ base >> 12, 1, true, true };
	function->reserved_count = 1;
	assert_int_equal(sp_iommu_start(pass->host), SP_RESERVED_RANGE);
	assert_int_equal(info_of(pass, PLAIN).reserved_count, count + 1);
	assert_int_equal(sp_iommu_start(pass->host), SP_INVALID);
	assert_int_equal(info_of(pass, PLAIN).reserved_count, count + 1);
	pass_free(pass);
}

/* clang-format off */
#define T(name) { #name, name, false }
static const struct pass_sentence sentences[] = {
	T(a_function_that_no_unit_covers_stays_silent),
	T(a_lost_unit_frees_nothing_and_silences_its_functions),
	T(a_unit_lost_on_the_way_leaves_the_device_in_quarantine),
	T(a_function_whose_reset_fails_is_still_in_quarantine),
	T(a_crash_switches_every_bus_master_off),
	T(the_start_happens_once),
	T(a_start_that_was_refused_is_not_repeated),
	T(a_survey_tells_what_a_start_would_find_and_touches_no_unit),
	T(who_was_surveyed_is_neither_started_nor_changed),
	{ "a_fault_is_one_line", a_fault_is_one_line, true },
	T(a_blocked_transfer_is_reported),
};
/* clang-format on */

int main(void)
{
	return pass_run(sentences, sizeof(sentences) / sizeof(sentences[0]));
}
