/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/vtd_scalable_test.c - the VT-d driver in scalable mode: all that is asked of a driver, and what is
 * scalable mode's own.
 */
#include "unit_shared.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MODE_OF(rtaddr) ((rtaddr) >> 10 & 3)

static struct fixture *start(void)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD, .scalable = true };

	return fixture_start(&unit);
}

static uint64_t register_of(struct fixture *fixture, uint64_t offset)
{
	return platform_mmio_read(fixture->model,
				  (sp_maddr_t){ fixture->unit->registers.maddr + offset }, 8);
}

static struct sp_fault next_fault(struct fixture *fixture)
{
	struct sp_fault fault;

	assert_int_equal(fixture->ops->next_fault(fixture->unit, &fault), SP_OK);
	return fault;
}

/* --- which mode --------------------------------------------------------------------------------- */

/* The fixture prefers scalable mode where the unit has it; here the embedder says otherwise. */
static struct fixture *rediscover(const struct model_unit_config *unit, bool prefer)
{
	static uint8_t table[4096];
	struct fixture *fixture = fixture_make(unit, MODEL_ADVERSARY_NONE);
	size_t bytes = model_dmar(fixture->model, MODEL_TABLE_SOUND, table, sizeof(table));

	fixture->host->unit_count = 0;
	fixture->host->scope_count = 0;
	sp_iommu_prefer_scalable(fixture->host, prefer);
	assert_int_equal(sp_iommu_discover_dmar(fixture->host, table, bytes), SP_OK);
	fixture->unit = fixture->host->units[0];
	return fixture;
}

static void the_mode_is_firmwares_then_the_embedders_then_legacy(void **state)
{
	static const struct {
		struct model_unit_config unit;
		bool prefer, scalable;
	} cases[] = {
		{ { .vendor = MODEL_VTD }, false, false },
		{ { .vendor = MODEL_VTD }, true, false },
		{ { .vendor = MODEL_VTD, .scalable = true }, false, false },
		{ { .vendor = MODEL_VTD, .scalable = true }, true, true },
		{ { .vendor = MODEL_VTD, .scalable = true, .translating = true }, true, false },
		{ { .vendor = MODEL_VTD,
		    .scalable = true,
		    .translating = true,
		    .left_scalable = true },
		  false,
		  true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fixture = rediscover(&cases[i].unit, cases[i].prefer);
		struct sp_unit_info info;

		assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
		assert_int_equal(sp_unit_info(fixture->host, 0, &info), SP_OK);
		assert_int_equal(info.scalable, cases[i].scalable);
		assert_int_equal(MODE_OF(register_of(fixture, 0x20)), cases[i].scalable);
		assert_int_equal(register_of(fixture, 0x90) >> 11 & 1, cases[i].scalable);
		assert_false(fixture_dma(fixture, DEVICE, PAGE, true));
		fixture_free(fixture);
	}
}

/* --- what a device meets ------------------------------------------------------------------------ */

static void both_halves_of_a_bus_have_their_own_entries(void **state)
{
	struct fixture *fixture = start();
	const uint16_t upper = STRANGER | 0x80;

	(void)state;
	assert_int_equal(fixture->ops->prepare_entry(fixture->unit, upper), SP_OK);
	fixture->ops->attach(fixture->unit, upper, &fixture->entry);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_false(fixture_dma(fixture, STRANGER, PAGE, true));
	fixture_free(fixture);
}

/* What is prepared and not attached is blocked by the PASID entry; what is not prepared, before that. */
static void a_fault_says_which_entry_was_absent(void **state)
{
	struct fixture *fixture = start();
	struct sp_fault fault;

	(void)state;
	assert_false(fixture_dma(fixture, STRANGER, PAGE, true));
	fault = next_fault(fixture);
	assert_int_equal(fault.reason, 0x41);
	assert_int_equal(fault.kind, SP_FAULT_ENTRY);
	assert_int_equal(fixture->ops->prepare_entry(fixture->unit, STRANGER), SP_OK);
	assert_false(fixture_dma(fixture, STRANGER, PAGE, true));
	fault = next_fault(fixture);
	assert_int_equal(fault.reason, 0x59);
	assert_int_equal(fault.kind, SP_FAULT_ENTRY);
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 1, true));
	fault = next_fault(fixture);
	assert_int_equal(fault.reason, 0x79);
	assert_int_equal(fault.kind, SP_FAULT_NOT_PRESENT);
	assert_int_equal(fault.frame.dfn, PAGE + 1);
	fixture_free(fixture);
}

static void without_snooping_every_entry_is_found(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD,
						.scalable = true,
						.not_coherent = true };
	struct fixture *fixture = fixture_start(&unit);
	uint64_t leaf;
	struct unit_entry other = fixture_table(fixture, fixture->other, NAME + 1, &leaf);

	(void)state;
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture->ops->attach(fixture->unit, DEVICE, &other);
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_ENTRY, .name = NAME, .requester = DEVICE });
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_DOMAIN, .name = NAME, .links = true });
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_true(model_unit_remembers(fixture->model, 0, fixture->other));
	assert_false(model_unit_remembers(fixture->model, 0, fixture->frame));
	fixture_free(fixture);
}

/* The table that a fenced requester meets is walked, and came dirty. */
static void where_only_entries_snoop_the_blocked_table_is_empty_all_the_same(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD,
						.scalable = true,
						.walks_not_coherent = true };
	struct fixture *fixture = fixture_start(&unit);

	(void)state;
	assert_false(fixture->unit->coherent);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture->ops->fence(fixture->unit, DEVICE);
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_ENTRY, .name = NAME, .requester = DEVICE });
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_DOMAIN, .name = NAME, .links = true });
	assert_false(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_int_equal(next_fault(fixture).reason, 0x79);
	fixture_free(fixture);
}

/* --- commands ----------------------------------------------------------------------------------- */

static enum model_command_kind told(struct fixture *fixture, uint32_t index)
{
	return model_command(fixture->model, index).kind;
}

static void an_entry_is_forgotten_from_the_top_down(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD,
						.scalable = true,
						.ats = true };
	const struct command forget = { .kind = COMMAND_ENTRY, .name = 7, .requester = DEVICE };
	struct fixture *fixture = fixture_start(&unit);

	(void)state;
	fixture_pay(fixture, forget);
	assert_int_equal(told(fixture, 0), MODEL_CMD_PASID);
	assert_int_equal(model_command(fixture->model, 0).domain, 7);
	assert_int_equal(told(fixture, 1), MODEL_CMD_WAIT);
	model_commands_reset(fixture->model);
	/* Only where ATS comes or goes has the context entry changed. */
	assert_int_equal(unit_add_atc(fixture->unit, (struct atc){ DEVICE, 0 }), SP_OK);
	fixture_pay(fixture, forget);
	assert_int_equal(told(fixture, 0), MODEL_CMD_ENTRY);
	assert_int_equal(model_command(fixture->model, 0).requester, DEVICE);
	assert_int_equal(told(fixture, 1), MODEL_CMD_PASID);
	assert_int_equal(told(fixture, 2), MODEL_CMD_WAIT);
	unit_remove_atc(fixture->unit, DEVICE);
	model_commands_reset(fixture->model);
	fixture_pay(fixture, (struct command){ .kind = COMMAND_ENTRIES, .name = 7 });
	assert_int_equal(told(fixture, 0), MODEL_CMD_ENTRY_ALL);
	assert_int_equal(told(fixture, 1), MODEL_CMD_PASID_ALL);
	fixture_free(fixture);
}

static void bring_up_forgets_pasids_between_contexts_and_translations(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD, .scalable = true };
	struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_NONE);

	(void)state;
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	assert_int_equal(told(fixture, 0), MODEL_CMD_ENTRY_ALL);
	assert_int_equal(told(fixture, 1), MODEL_CMD_PASID_ALL);
	assert_int_equal(told(fixture, 2), MODEL_CMD_IOTLB_ALL);
	fixture_free(fixture);
}

/* The translation under the old domain's id is gone, the entry that leads there is remembered: it comes back. */
static void a_remembered_pasid_entry_leads_to_the_old_table(void **state)
{
	struct fixture *fixture = start();
	uint64_t leaf;
	struct unit_entry other = fixture_table(fixture, fixture->other, NAME + 1, &leaf);

	(void)state;
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture->ops->attach(fixture->unit, DEVICE, &other);
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_DOMAIN, .name = NAME, .links = true });
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_true(model_unit_remembers(fixture->model, 0, fixture->frame));
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_ENTRY, .name = NAME, .requester = DEVICE });
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_DOMAIN, .name = NAME, .links = true });
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_false(model_unit_remembers(fixture->model, 0, fixture->frame));
	fixture_free(fixture);
}

#define SHARED(test) cmocka_unit_test_prestate(test, &vendor)

int main(void)
{
	static struct vendor vendor = { .vendor = MODEL_VTD, .scalable = true };
	const struct CMUnitTest tests[] = {
		SHARED(whoever_is_not_attached_is_blocked),
		SHARED(translation_that_firmware_left_on_stays_on),
		SHARED(firmwares_table_is_forgotten),
		SHARED(a_late_unit_starts_like_any_other),
		SHARED(a_dead_unit_does_not_start),
		SHARED(every_refused_frame_leaves_none_behind),
		SHARED(an_unmapped_page_stays_reachable_until_it_is_invalidated),
		SHARED(the_other_domains_invalidation_does_not_help),
		SHARED(a_number_is_reached_only_when_the_unit_says_so),
		SHARED(a_queue_without_room_takes_nothing),
		SHARED(the_queue_goes_round),
		SHARED(a_silent_unit_is_lost_and_reaches_nothing),
		SHARED(a_number_that_was_never_asked_for_is_not_believed),
		SHARED(a_queue_that_an_error_stopped_is_restarted_and_forgets_everything),
		SHARED(a_queue_that_stops_twice_is_lost),
		SHARED(a_command_that_is_for_cpus_is_refused),
		SHARED(an_entry_leads_elsewhere_at_once_and_is_never_half),
		SHARED(an_entry_in_two_stores_is_seen_half),
		SHARED(a_wait_that_counts_when_written_frees_too_early),
		SHARED(a_fenced_requester_reaches_nothing),
		SHARED(a_stopped_unit_gives_all_its_memory_back),
		SHARED(no_message_passes_before_an_entry_is_made),
		SHARED(an_index_beyond_the_table_is_refused),
		cmocka_unit_test(the_mode_is_firmwares_then_the_embedders_then_legacy),
		cmocka_unit_test(both_halves_of_a_bus_have_their_own_entries),
		cmocka_unit_test(a_fault_says_which_entry_was_absent),
		cmocka_unit_test(without_snooping_every_entry_is_found),
		cmocka_unit_test(where_only_entries_snoop_the_blocked_table_is_empty_all_the_same),
		cmocka_unit_test(an_entry_is_forgotten_from_the_top_down),
		cmocka_unit_test(bring_up_forgets_pasids_between_contexts_and_translations),
		cmocka_unit_test(a_remembered_pasid_entry_leads_to_the_old_table),
	};

	return cmocka_run_group_tests_name("VT-d scalable mode", tests, NULL, NULL);
}
