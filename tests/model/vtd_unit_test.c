/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/vtd_unit_test.c - the VT-d driver against the model's registers.
 */
#include "unit_shared.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "lib/mutant.h"

static struct fixture *start(void)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD };

	return fixture_start(&unit);
}

static struct model_command last_of(struct fixture *fixture, struct command command)
{
	fixture_pay(fixture, command);
	assert_int_equal(
		model_command(fixture->model, model_command_count(fixture->model) - 1).kind,
		MODEL_CMD_WAIT);
	return model_command(fixture->model, model_command_count(fixture->model) - 2);
}

static struct sp_fault next_fault(struct fixture *fixture)
{
	struct sp_fault fault;

	assert_int_equal(fixture->ops->next_fault(fixture->unit, &fault), SP_OK);
	return fault;
}

static void assert_no_fault(struct fixture *fixture)
{
	struct sp_fault fault;

	assert_int_equal(fixture->ops->next_fault(fixture->unit, &fault), SP_NOT_FOUND);
}

static void each_command_becomes_the_descriptor_that_the_manual_names(void **state)
{
	struct fixture *fixture = start();
	struct model_command done;

	(void)state;
	done = last_of(fixture,
		       (struct command){ .kind = COMMAND_ENTRY, .name = 7, .requester = DEVICE });
	assert_int_equal(done.kind, MODEL_CMD_ENTRY);
	assert_int_equal(done.domain, 7);
	assert_int_equal(done.requester, DEVICE);
	assert_int_equal(
		last_of(fixture, (struct command){ .kind = COMMAND_ENTRIES, .name = 7 }).kind,
		MODEL_CMD_ENTRY_ALL);
	done = last_of(
		fixture,
		(struct command){ .kind = COMMAND_PAGES, .name = 7, .first = 0x400, .order = 9 });
	assert_int_equal(done.kind, MODEL_CMD_IOTLB_PAGES);
	assert_int_equal(done.domain, 7);
	assert_int_equal(done.first, 0x400);
	assert_int_equal(done.order, 9);
	assert_false(done.links);
	assert_true(done.drains);
	done = last_of(fixture, (struct command){ .kind = COMMAND_PAGES,
						  .name = 7,
						  .first = 0x400,
						  .order = 9,
						  .links = true });
	assert_true(done.links);
	assert_int_equal(
		last_of(fixture, (struct command){ .kind = COMMAND_DOMAIN, .name = 7 }).kind,
		MODEL_CMD_IOTLB_DOMAIN);
	assert_int_equal(last_of(fixture, (struct command){ .kind = COMMAND_ALL }).kind,
			 MODEL_CMD_IOTLB_ALL);
	fixture_free(fixture);
}

static void pages_wider_than_the_unit_knows_become_the_domain(void **state)
{
	const struct model_unit_config narrow = { .vendor = MODEL_VTD, .max_mask = 9 };
	const struct model_unit_config none = { .vendor = MODEL_VTD, .no_psi = true };
	const struct command pages = { .kind = COMMAND_PAGES, .name = NAME, .order = 10 };
	struct fixture *fixture = fixture_start(&narrow);

	(void)state;
	assert_int_equal(last_of(fixture, pages).kind, MODEL_CMD_IOTLB_DOMAIN);
	fixture_free(fixture);
	fixture = fixture_start(&none);
	assert_int_equal(last_of(fixture, pages).kind, MODEL_CMD_IOTLB_DOMAIN);
	fixture_free(fixture);
}

static void bring_up_forgets_contexts_before_translations(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD };
	struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_NONE);

	(void)state;
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	assert_int_equal(model_command(fixture->model, 0).kind, MODEL_CMD_ENTRY_ALL);
	assert_int_equal(model_command(fixture->model, 1).kind, MODEL_CMD_IOTLB_ALL);
	assert_int_equal(model_command(fixture->model, 2).kind, MODEL_CMD_INTERRUPTS);
	fixture_free(fixture);
}

static void a_unit_without_interrupt_remapping_starts_and_is_not_asked_for_it(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD, .no_remapping = true };
	struct fixture *fixture = fixture_start(&unit);
	const struct irte irte = { .present = true, .vector = 0x41, .requester = DEVICE };

	(void)state;
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_int_equal(fixture->ops->set_irte(fixture->unit, 0, &irte), SP_UNSUPPORTED);
	fixture_free(fixture);
}

static void firmwares_table_is_forgotten_without_interrupt_remapping_too(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD,
						.translating = true,
						.caches_not_present = true,
						.no_remapping = true };
	struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_NONE);

	(void)state;
	assert_false(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture->entry = fixture_table(fixture, fixture->frame, NAME, &fixture->leaf);
	assert_int_equal(fixture->ops->prepare_entry(fixture->unit, DEVICE), SP_OK);
	fixture->ops->attach(fixture->unit, DEVICE, &fixture->entry);
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_free(fixture);
}

/* The model's unit walks what was written back, and nothing else. */
static void a_unit_that_does_not_snoop_finds_every_entry(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD, .not_coherent = true };
	struct fixture *fixture = fixture_start(&unit);
	uint64_t leaf;
	struct unit_entry other = fixture_table(fixture, fixture->other, NAME + 1, &leaf);

	(void)state;
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture->ops->attach(fixture->unit, DEVICE, &other);
	assert_int_equal(fixture->ops->prepare_entry(fixture->unit, STRANGER | 0x100), SP_OK);
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_ENTRY, .name = NAME, .requester = DEVICE });
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_DOMAIN, .name = NAME, .links = true });
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_true(model_unit_remembers(fixture->model, 0, fixture->other));
	assert_false(model_unit_remembers(fixture->model, 0, fixture->frame));
	/* Absent, and nothing else: the table came dirty, and its zeroes were written back. */
	assert_false(fixture_dma(fixture, STRANGER, PAGE, true));
	assert_int_equal(next_fault(fixture).reason, 2);
	fixture_free(fixture);
}

static void a_write_buffer_is_flushed_before_the_unit_is_told_of_its_tables(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD, .write_buffer = true };
	struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_NONE);

	(void)state;
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	assert_int_equal(model_command(fixture->model, 0).kind, MODEL_CMD_WRITE_BUFFER);
	fixture_free(fixture);
}

static void three_levels_and_five_are_walked_too(void **state)
{
	const struct model_unit_config three = { .vendor = MODEL_VTD, .walk_levels = 1 << 3 };
	const struct model_unit_config five = { .vendor = MODEL_VTD,
						.walk_levels = 1 << 5 | 1 << 4 };
	struct fixture *fixture = fixture_start(&three);

	(void)state;
	assert_int_equal(fixture->unit->levels, 1 << 3);
	assert_int_equal(fixture->entry.levels, 3);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_free(fixture);
	fixture = fixture_start(&five);
	assert_int_equal(fixture->unit->levels, 1 << 5 | 1 << 4);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture->ops->fence(fixture->unit, DEVICE);
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_ENTRY, .name = NAME, .requester = DEVICE });
	fixture_pay(fixture,
		    (struct command){ .kind = COMMAND_DOMAIN, .name = NAME, .links = true });
	assert_false(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_free(fixture);
}

/* --- faults ------------------------------------------------------------------------------------- */

static void a_fault_says_who_where_what_and_why(void **state)
{
	struct fixture *fixture = start();
	struct sp_fault fault;

	(void)state;
	assert_no_fault(fixture);
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 1, true));
	fault = next_fault(fixture);
	assert_int_equal(fault.unit.maddr, fixture->unit->registers.maddr);
	assert_int_equal(fault.requester.sbdf, DEVICE);
	assert_int_equal(fault.frame.dfn, PAGE + 1);
	assert_true(fault.write && fault.has_address);
	assert_int_equal(fault.kind, SP_FAULT_WRITE);
	assert_int_equal(fault.reason, 5);
	assert_false(fault.overflow);
	assert_no_fault(fixture);
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 1, false));
	fault = next_fault(fixture);
	assert_int_equal(fault.kind, SP_FAULT_READ);
	assert_false(fault.write);
	assert_false(fixture_dma(fixture, STRANGER, PAGE, true));
	fault = next_fault(fixture);
	assert_int_equal(fault.kind, SP_FAULT_ENTRY);
	assert_int_equal(fault.reason, 2);
	assert_int_equal(fault.requester.sbdf, STRANGER);
	fixture_free(fixture);
}

static void a_blocked_message_is_a_fault_with_its_index(void **state)
{
	struct fixture *fixture = start();
	uint32_t data = 0;
	struct sp_fault fault;

	(void)state;
	(void)model_dma(fixture->model, DEVICE, 0xfee00000 | 9 << 5 | 1 << 4, &data, sizeof(data),
			true);
	fault = next_fault(fixture);
	assert_int_equal(fault.kind, SP_FAULT_INTERRUPT);
	assert_int_equal(fault.reason, 0x22);
	assert_int_equal(fault.frame.dfn, 9);
	(void)model_dma(fixture->model, DEVICE, 0xfee00000, &data, sizeof(data), true);
	assert_int_equal(next_fault(fixture).reason, 0x25);
	fixture_free(fixture);
}

static void faults_come_oldest_first_and_a_loss_is_told_with_the_next(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD, .fault_records = 4 };
	struct fixture *fixture = fixture_start(&unit);

	(void)state;
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 6; i++)
			assert_false(fixture_dma(fixture, DEVICE, PAGE + 1 + i, true));
		for (uint32_t i = 0; i < 4; i++) {
			struct sp_fault fault = next_fault(fixture);

			assert_int_equal(fault.frame.dfn, PAGE + 1 + i);
			assert_false(fault.overflow);
		}
		assert_no_fault(fixture);
		/* The two that found no room came before this one. */
		assert_false(fixture_dma(fixture, DEVICE, PAGE + 1, true));
		assert_true(next_fault(fixture).overflow);
	}
	fixture_free(fixture);
}

static void faults_before_our_time_do_not_turn_the_order_round(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD,
						.translating = true,
						.fault_records = 4 };
	struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_NONE);

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		assert_false(fixture_dma(fixture, DEVICE, PAGE + 100 + i, true));
	fixture->entry = fixture_table(fixture, fixture->frame, NAME, &fixture->leaf);
	assert_int_equal(fixture->ops->prepare_entry(fixture->unit, DEVICE), SP_OK);
	fixture->ops->attach(fixture->unit, DEVICE, &fixture->entry);
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	assert_no_fault(fixture);
	/* Hardware goes on at the fourth record, and round. */
	for (uint32_t i = 0; i < 4; i++)
		assert_false(fixture_dma(fixture, DEVICE, PAGE + 1 + i, true));
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(next_fault(fixture).frame.dfn, PAGE + 1 + i);
	assert_no_fault(fixture);
	fixture_free(fixture);
}

/* As many at once as there are records, then fewer, then one: the index goes round and stays in step. */
static void the_records_go_round(void **state)
{
	static const uint8_t counts[] = { 1, 2, 3, 8, 64 };

	(void)state;
	for (uint32_t n = 0; n < sizeof(counts); n++) {
		const struct model_unit_config unit = { .vendor = MODEL_VTD,
							.fault_records = counts[n] };
		struct fixture *fixture = fixture_start(&unit);
		uint64_t told = 0, seen = 0;

		for (uint32_t round = 0; round < 40; round++) {
			uint32_t burst = counts[n] - round * 7 % counts[n];

			for (uint32_t i = 0; i < burst; i++)
				assert_false(fixture_dma(fixture, i % 2 ? STRANGER : DEVICE,
							 PAGE + 1 + told++ % 400, true));
			for (uint32_t i = 0; i < burst; i++) {
				struct sp_fault fault = next_fault(fixture);

				assert_int_equal(fault.frame.dfn, PAGE + 1 + seen++ % 400);
				assert_int_equal(fault.requester.sbdf, i % 2 ? STRANGER : DEVICE);
				assert_false(fault.overflow);
			}
			assert_no_fault(fixture);
		}
		fixture_free(fixture);
	}
}

/* Those that were there are told, then nothing; the next one says that others were lost. */
static void flood(struct fixture *fixture, uint32_t records)
{
	struct sp_fault fault;
	uint32_t count = 0;

	for (uint32_t i = 0; i < 1000; i++)
		assert_false(fixture_dma(fixture, i % 3 ? DEVICE : STRANGER, PAGE + 1 + i, i % 2));
	while (fixture->ops->next_fault(fixture->unit, &fault) == SP_OK) {
		assert_int_equal(fault.frame.dfn, PAGE + 1 + count);
		count++;
	}
	assert_int_equal(count, records);
}

static void a_flood_is_told_and_ends(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD, .fault_records = 5 };
	struct fixture *fixture = fixture_start(&unit);
	char line[160];

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct sp_fault fault;

		flood(fixture, 5);
		assert_false(fixture_dma(fixture, DEVICE, PAGE + 7, true));
		fault = next_fault(fixture);
		assert_true(fault.overflow);
		assert_int_equal(fault.frame.dfn, PAGE + 7);
		sp_fault_text(&fault, line, sizeof(line));
		assert_string_equal(line, "sbdf 0000:00:02.0 write dfn 0x1234c: no right to write "
					  "(VT-d reason 0x05), faults before it were lost");
		assert_false(fixture_dma(fixture, DEVICE, PAGE + 8, true));
		assert_false(next_fault(fixture).overflow);
		assert_no_fault(fixture);
		assert_int_equal(platform_mmio_read(
					 fixture->model,
					 (sp_maddr_t){ fixture->unit->registers.maddr + 0x34 }, 4) &
					 3,
				 0);
	}
	fixture_free(fixture);
}

static void without_the_answer_a_flood_silences_the_unit(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_VTD, .fault_records = 2 };
	struct fixture *fixture = fixture_start(&unit);

	(void)state;
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_OVERFLOW_KEPT), SP_OK);
	flood(fixture, 2);
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 7, true));
	assert_no_fault(fixture);
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_NONE), SP_OK);
	assert_no_fault(fixture);
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 7, true));
	assert_true(next_fault(fixture).overflow);
	fixture_free(fixture);
}

#define SHARED(test) cmocka_unit_test_prestate(test, &vendor)

int main(void)
{
	static struct vendor vendor = { .vendor = MODEL_VTD };
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
		SHARED(without_the_check_a_full_queue_loses_commands),
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
		cmocka_unit_test(each_command_becomes_the_descriptor_that_the_manual_names),
		cmocka_unit_test(pages_wider_than_the_unit_knows_become_the_domain),
		cmocka_unit_test(bring_up_forgets_contexts_before_translations),
		cmocka_unit_test(a_unit_without_interrupt_remapping_starts_and_is_not_asked_for_it),
		cmocka_unit_test(firmwares_table_is_forgotten_without_interrupt_remapping_too),
		cmocka_unit_test(a_unit_that_does_not_snoop_finds_every_entry),
		cmocka_unit_test(a_write_buffer_is_flushed_before_the_unit_is_told_of_its_tables),
		cmocka_unit_test(three_levels_and_five_are_walked_too),
		cmocka_unit_test(a_fault_says_who_where_what_and_why),
		cmocka_unit_test(a_blocked_message_is_a_fault_with_its_index),
		cmocka_unit_test(faults_come_oldest_first_and_a_loss_is_told_with_the_next),
		cmocka_unit_test(faults_before_our_time_do_not_turn_the_order_round),
		cmocka_unit_test(the_records_go_round),
		cmocka_unit_test(a_flood_is_told_and_ends),
		cmocka_unit_test(without_the_answer_a_flood_silences_the_unit),
	};

	return cmocka_run_group_tests_name("VT-d unit", tests, NULL, NULL);
}
