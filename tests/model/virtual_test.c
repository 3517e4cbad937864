/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/virtual_test.c - virtual functions on the model: contained each for itself, gone with a reset
 * of the physical function and there again, and nobody's guest has the physical function meanwhile.
 */
#include "pass_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define WINDOW 0xd0000000ull

static const struct sp_window window = { { WINDOW }, 0x1000000 };

static struct pass *make_with(const struct pass_mode *mode, uint32_t count)
{
	struct pass *pass = pass_make_cold(mode);

	assert_int_equal(sp_pci_enable_vfs(pass->host, (sp_sbdf_t){ PHYSICAL }, count, &window),
			 SP_OK);
	pass_start(pass);
	return pass;
}

static struct sp_function_info info_of(struct pass *pass, uint32_t sbdf)
{
	struct sp_function_info info;

	for (uint32_t i = 0; sp_function_info(pass->host, i, &info) == SP_OK; i++)
		if (info.sbdf.sbdf == sbdf)
			return info;
	fail_msg("no function %04x", sbdf);
	return info;
}

/* What drives the physical function: a domain that may have it, without memory. */
static struct sp_domain *make_driver(struct pass *pass)
{
	const struct sp_domain_config config = {
		.number = 3,
		.cpu = pass->mode->cpu,
		.tables = SP_TABLES_SEPARATE,
		.table_budget = 64,
		.allow_physical = true,
		.asid = pass->mode->cpu == SP_CPU_NPT ? 3 : 0,
	};
	struct sp_domain *domain;

	assert_int_equal(sp_domain_create(pass->host, &config, &domain), SP_OK);
	return domain;
}

static void free_with(struct pass *pass, struct sp_domain *driver)
{
	enum sp_status status = SP_PENDING;

	for (uint32_t i = 0; i < 10000 && status == SP_PENDING; i++) {
		status = sp_domain_destroy(driver);
		pass_settle(pass);
	}
	assert_int_equal(status, SP_OK);
	pass_free(pass);
}

static void virtual_functions_are_like_others(void **state)
{
	struct pass *pass = make_with(*state, 2);
	struct sp_function_info info = info_of(pass, VIRTUAL2);

	assert_int_equal(info.vendor, 0x1d55);
	assert_int_equal(info.device, 0x5a12);
	assert_int_equal(info.class_code, 0xff0000);
	assert_true(info.is_virtual && info.covered && info.can_reset);
	assert_int_equal(info.physical.sbdf, PHYSICAL);
	assert_int_equal(info.unit, pass->mode->two_units);
	assert_int_equal(info.bar[0].address.maddr, WINDOW + 0x2000);
	assert_int_equal(info.bar[0].bytes, 0x2000);
	assert_int_equal(info_of(pass, PHYSICAL).vf_count, 2);
	assert_null(info.owner);
	pass_free(pass);
}

static void those_beyond_the_count_are_not_there(void **state)
{
	struct pass *pass = make_with(*state, 1);

	assert_true(info_of(pass, VIRTUAL).covered);
	pass_refused(pass, 0, 0x00f8, SP_NOT_FOUND);
	assert_int_equal(pass_try(pass, 0, VIRTUAL2), SP_NOT_FOUND);
	pass_free(pass);
}

static void each_reaches_its_own_guest_and_nothing_else(void **state)
{
	struct pass *pass = make_with(*state, 2);
	uint64_t mine = pass_map_new(pass, 0, GFN), others = pass_map_new(pass, 1, GFN);

	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ VIRTUAL }, true), SP_OK);
	assert_int_equal(pass_reach(pass, VIRTUAL, GFN, true), 0);
	pass_assign(pass, 0, VIRTUAL);
	pass_assign(pass, 1, VIRTUAL2);
	assert_int_equal(pass_reach(pass, VIRTUAL, GFN, true), mine);
	assert_int_equal(pass_reach(pass, VIRTUAL2, GFN, true), others);
	assert_int_equal(pass_reach(pass, VIRTUAL, others, true), 0);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PHYSICAL }, true), SP_OK);
	assert_int_equal(pass_reach(pass, PHYSICAL, GFN, true), 0);
	pass_free(pass);
}

/* Its vendor id reads as nobody's, before and after. */
static void a_released_one_was_reset(void **state)
{
	struct pass *pass = make_with(*state, 2);

	pass_assign(pass, 0, VIRTUAL);
	pass_release(pass, 0, VIRTUAL);
	assert_int_equal(model_resets(pass->model, VIRTUAL), 1);
	assert_int_equal(model_resets(pass->model, VIRTUAL2), 0);
	pass_free(pass);
}

static void a_guest_does_not_get_the_physical_function(void **state)
{
	struct pass *pass = make_with(*state, 1);

	pass_refused(pass, 0, PHYSICAL, SP_BUSY);
	pass_free(pass);
}

static void without_the_check_a_guest_gets_the_physical_function(void **state)
{
	struct pass *pass = make_with(*state, 1);

	assert_int_equal(sp_mutant_choose(pass->host, SP_MUT_PHYSICAL_UNCHECKED), SP_OK);
	assert_int_equal(pass_try(pass, 0, PHYSICAL), SP_OK);
	pass_abandon(pass);
}

static void without_virtual_functions_it_is_a_function_like_others(void **state)
{
	struct pass *pass = pass_make(*state);

	pass_assign(pass, 0, PHYSICAL);
	pass_free(pass);
}

static void it_is_not_reset_under_the_owners_of_others(void **state)
{
	struct pass *pass = make_with(*state, 2);
	struct sp_domain *driver = make_driver(pass);

	assert_int_equal(sp_device_assign(driver, (sp_sbdf_t){ PHYSICAL }), SP_OK);
	pass_assign(pass, 1, VIRTUAL2);
	assert_int_equal(sp_device_release(driver, (sp_sbdf_t){ PHYSICAL }), SP_BUSY);
	assert_int_equal(model_resets(pass->model, PHYSICAL), 0);
	pass_release(pass, 1, VIRTUAL2);
	assert_int_equal(sp_device_release(driver, (sp_sbdf_t){ PHYSICAL }), SP_OK);
	free_with(pass, driver);
}

static uint64_t reached_after_a_reset(struct pass *pass, uint64_t *frame)
{
	struct sp_domain *driver = make_driver(pass);

	*frame = pass_map_new(pass, 0, GFN);
	assert_int_equal(sp_device_assign(driver, (sp_sbdf_t){ PHYSICAL }), SP_OK);
	assert_int_equal(sp_device_release(driver, (sp_sbdf_t){ PHYSICAL }), SP_OK);
	assert_int_equal(model_resets(pass->model, PHYSICAL), 1);
	pass_assign(pass, 0, VIRTUAL2);
	return pass_reach(pass, VIRTUAL2, GFN, true);
}

static void after_its_reset_they_are_there_again(void **state)
{
	struct pass *pass = make_with(*state, 2);
	uint64_t frame, reached = reached_after_a_reset(pass, &frame);

	assert_int_equal(reached, frame);
	pass_abandon(pass);
}

static void not_put_back_they_are_gone(void **state)
{
	struct pass *pass = make_with(*state, 2);
	uint64_t frame;

	assert_int_equal(sp_mutant_choose(pass->host, SP_MUT_VF_NOT_PUT_BACK), SP_OK);
	assert_int_equal(reached_after_a_reset(pass, &frame), 0);
	pass_abandon(pass);
}

/* Their own entries contain them, whatever becomes of it. */
static void a_fence_blocks_it_and_they_go_on(void **state)
{
	struct pass *pass = make_with(*state, 2);
	uint64_t frame = pass_map_new(pass, 0, GFN);

	pass_assign(pass, 0, VIRTUAL);
	assert_int_equal(sp_function_fence(pass->host, (sp_sbdf_t){ PHYSICAL }), SP_OK);
	assert_int_equal(pass_reach(pass, VIRTUAL, GFN, true), frame);
	assert_int_equal(sp_device_release(pass->guest[1], (sp_sbdf_t){ PHYSICAL }), SP_BUSY);
	pass_release(pass, 0, VIRTUAL);
	assert_int_equal(sp_device_release(pass->guest[1], (sp_sbdf_t){ PHYSICAL }), SP_OK);
	assert_false(info_of(pass, PHYSICAL).fenced);
	pass_free(pass);
}

static void after_the_start_none_are_added(void **state)
{
	struct pass *pass = pass_make(*state);

	assert_int_equal(sp_pci_enable_vfs(pass->host, (sp_sbdf_t){ PHYSICAL }, 1, &window),
			 SP_INVALID);
	pass_free(pass);
}

/* clang-format off */
#define T(name) { #name, name, false }
static const struct pass_sentence sentences[] = {
	T(virtual_functions_are_like_others),
	T(those_beyond_the_count_are_not_there),
	T(each_reaches_its_own_guest_and_nothing_else),
	T(a_released_one_was_reset),
	T(a_guest_does_not_get_the_physical_function),
	T(without_the_check_a_guest_gets_the_physical_function),
	T(without_virtual_functions_it_is_a_function_like_others),
	T(it_is_not_reset_under_the_owners_of_others),
	T(after_its_reset_they_are_there_again),
	T(not_put_back_they_are_gone),
	T(a_fence_blocks_it_and_they_go_on),
	T(after_the_start_none_are_added),
};
/* clang-format on */

int main(void)
{
	return pass_run(sentences, sizeof(sentences) / sizeof(sentences[0]));
}
