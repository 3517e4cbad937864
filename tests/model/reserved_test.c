/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/reserved_test.c - firmware's ranges and the registers of devices that come and go.
 */
#include "pass_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pci/function.h"

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
	pass_refused(pass, 1, TWIN, SP_RESERVED_RANGE);
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
	if (!pass_can_hold_registers(pass)) {
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
	twin->bar[0] = (struct sp_bar){ .address = { plain->bar[0].address.maddr + 0x1800 },
					.bytes = 0x100 };
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

/* clang-format off */
#define T(name) { #name, name, false }
static const struct pass_sentence sentences[] = {
	T(a_device_reaches_its_range_wherever_it_is),
	T(a_shared_range_stays_until_the_last_device_goes),
	T(a_range_for_reading_is_not_written),
	T(a_range_can_be_added_before_the_start),
	T(a_range_over_the_units_registers_stops_the_start),
	T(registers_are_mapped_and_unmapped_with_the_device),
	T(registers_in_a_shared_page_are_refused),
};
/* clang-format on */

int main(void)
{
	return pass_run(sentences, sizeof(sentences) / sizeof(sentences[0]));
}
