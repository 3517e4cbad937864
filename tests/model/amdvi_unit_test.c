/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/amdvi_unit_test.c - the AMD-Vi driver against the model's registers.
 */
#include "unit_shared.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct fixture *start(void)
{
	const struct model_unit_config unit = { .vendor = MODEL_AMDVI };

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

static void each_command_becomes_the_one_that_the_manual_names(void **state)
{
	struct fixture *fixture = start();
	struct model_command done;

	(void)state;
	done = last_of(fixture,
		       (struct command){ .kind = COMMAND_ENTRY, .name = 7, .requester = DEVICE });
	assert_int_equal(done.kind, MODEL_CMD_ENTRY);
	assert_int_equal(done.requester, DEVICE);
	assert_int_equal(
		last_of(fixture, (struct command){ .kind = COMMAND_ENTRIES, .name = 7 }).kind,
		MODEL_CMD_ENTRY_ALL);
	done = last_of(fixture, (struct command){ .kind = COMMAND_DOMAIN, .name = 7 });
	assert_int_equal(done.kind, MODEL_CMD_IOTLB_DOMAIN);
	assert_int_equal(done.domain, 7);
	assert_int_equal(done.order, 52);
	assert_true(done.links);
	assert_int_equal(last_of(fixture, (struct command){ .kind = COMMAND_ALL }).kind,
			 MODEL_CMD_ENTRY_ALL);
	fixture_free(fixture);
}

static void the_size_of_pages_is_in_the_address(void **state)
{
	struct fixture *fixture = start();

	(void)state;
	for (uint32_t order = 0; order <= 51; order++) {
		const uint64_t first = order < 40 ? 1ull << 40 : 0;
		struct model_command done =
			last_of(fixture, (struct command){ .kind = COMMAND_PAGES,
							   .name = 7,
							   .first = first,
							   .order = (uint8_t)order,
							   .links = order % 2 });

		assert_int_equal(done.kind, MODEL_CMD_IOTLB_PAGES);
		assert_int_equal(done.domain, 7);
		assert_int_equal(done.first, first);
		assert_int_equal(done.order, order);
		assert_int_equal(done.links, order % 2);
	}
	fixture_free(fixture);
}

static uint32_t count_of(struct fixture *fixture, enum model_command_kind kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model_command_count(fixture->model); i++)
		count += model_command(fixture->model, i).kind == kind;
	return count;
}

static void without_invalidate_all_everything_is_forgotten_piece_by_piece(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_AMDVI,
						.no_invalidate_all = true,
						.translating = true };
	struct fixture *fixture = fixture_start(&unit);

	(void)state;
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_false(fixture_dma(fixture, STRANGER, PAGE, true));
	fixture->unit->names[0] = 1u << NAME | 1u << 5;
	fixture_pay(fixture, (struct command){ .kind = COMMAND_ALL });
	assert_int_equal(count_of(fixture, MODEL_CMD_IOTLB_DOMAIN), 2);
	assert_false(model_unit_remembers(fixture->model, 0, fixture->frame));
	assert_int_equal(fixture->ops->prepare_entry(fixture->unit, STRANGER), SP_OK);
	model_commands_reset(fixture->model);
	fixture_pay(fixture, (struct command){ .kind = COMMAND_ENTRIES, .name = NAME });
	assert_int_equal(count_of(fixture, MODEL_CMD_ENTRY), 2);
	fixture_free(fixture);
}

/* As many as are there, not as many as there could be: else four such commands would never fit. */
static void without_invalidate_all_a_post_takes_the_room_it_needs(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_AMDVI, .no_invalidate_all = true };
	struct fixture *fixture = fixture_start(&unit);
	struct command many[POST_COMMANDS];
	uint64_t number;

	(void)state;
	for (uint32_t i = 0; i < POST_COMMANDS; i++)
		many[i] = (struct command){ .kind = COMMAND_ENTRIES, .name = NAME };
	assert_int_equal(fixture->ops->post(fixture->unit, many, POST_COMMANDS, &number), SP_OK);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, number);
	assert_int_equal(count_of(fixture, MODEL_CMD_ENTRY), POST_COMMANDS);
	/* What no ring holds is refused, for nobody need wait for room. */
	for (uint32_t i = 0; i < 512; i++)
		assert_int_equal(fixture->ops->prepare_entry(fixture->unit, (uint16_t)(1024 + i)),
				 SP_OK);
	assert_int_equal(fixture->ops->post(fixture->unit, many, POST_COMMANDS, &number),
			 SP_INVALID);
	assert_int_equal(fixture->ops->post(fixture->unit, many, 4, &number), SP_OK);
	fixture_free(fixture);
}

static void without_invalidate_all_a_queue_that_stops_is_lost(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_AMDVI, .no_invalidate_all = true };
	struct fixture *fixture = fixture_start(&unit);
	const uint64_t place = platform_mmio_read(
		fixture->model, (sp_maddr_t){ fixture->unit->registers.maddr + 0x2008 }, 8);
	const uint64_t base =
		platform_mmio_read(fixture->model,
				   (sp_maddr_t){ fixture->unit->registers.maddr + 8 }, 8) &
		0xffffffffff000;
	uint64_t number, *slot;

	(void)state;
	model_set_answers(fixture->model, 0, MODEL_STEPPED);
	assert_int_equal(fixture_post(fixture,
				      (struct command){ .kind = COMMAND_DOMAIN, .name = NAME },
				      &number),
			 SP_OK);
	slot = platform_pointer(fixture->model, (sp_mfn_t){ (base + place) >> SP_FRAME_ORDER });
	slot[place % SP_FRAME_BYTES / 8] = UINT64_MAX;
	(void)model_step(fixture->model, 0, 10);
	assert_int_equal(fixture_progress(fixture), SP_LOST);
	assert_int_equal(fixture->unit->reached, number - 1);
	fixture_free(fixture);
}

/* The commands are carried out; that this is never said is a loss all the same. */
static void a_wait_that_never_completes_is_a_loss(void **state)
{
	struct fixture *fixture = start();
	const struct command forget = { .kind = COMMAND_PAGES, .name = NAME, .first = PAGE };
	uint64_t number;

	(void)state;
	model_hold_answers(fixture->model, 0, true);
	assert_int_equal(fixture_post(fixture, forget, &number), SP_OK);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	model_advance(fixture->model, UNIT_DEADLINE);
	assert_int_equal(fixture_progress(fixture), SP_LOST);
	assert_int_equal(fixture->unit->reached, number - 1);
	fixture->unit->observer.lost = true;
	assert_int_equal(fixture->ops->recover(fixture->unit), SP_LOST);
	model_hold_answers(fixture->model, 0, false);
	assert_int_equal(fixture->ops->recover(fixture->unit), SP_OK);
	fixture_free(fixture);
}

/* An error stopped the ring; what an old wait says is honest, and says nothing of the new ring. */
static void a_wait_of_the_old_ring_that_is_seen_late_takes_no_room(void **state)
{
	const struct command forget = { .kind = COMMAND_PAGES, .name = NAME, .first = PAGE };
	struct fixture *fixture = start();
	const sp_maddr_t tail = { fixture->unit->registers.maddr + 0x2008 };
	uint64_t first, number, place, base, *slot;
	uint32_t posts = 0;

	(void)state;
	model_set_answers(fixture->model, 0, MODEL_STEPPED);
	model_hold_answers(fixture->model, 0, true);
	assert_int_equal(fixture_post(fixture, forget, &first), SP_OK);
	place = platform_mmio_read(fixture->model, tail, 8);
	assert_int_equal(fixture_post(fixture, forget, &number), SP_OK);
	base = platform_mmio_read(fixture->model,
				  (sp_maddr_t){ fixture->unit->registers.maddr + 8 }, 8) &
	       0xffffffffff000;
	slot = platform_pointer(fixture->model, (sp_mfn_t){ (base + place) >> SP_FRAME_ORDER });
	slot[place % SP_FRAME_BYTES / 8] = UINT64_MAX;
	(void)model_step(fixture->model, 0, 10);
	/* Restarted; then the first wait's store is seen, and nothing of the new ring is done. */
	assert_int_equal(fixture_progress(fixture), SP_OK);
	model_hold_answers(fixture->model, 0, false);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, first);
	while (fixture_post(fixture, forget, &number) == SP_OK)
		posts++;
	assert_true(posts > 200);
	(void)model_step(fixture->model, 0, UINT32_MAX);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, fixture->unit->asked);
	fixture_free(fixture);
}

static void the_firmwares_exclusion_range_is_closed(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_AMDVI };
	struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_NONE);
	const sp_maddr_t exclusion = { fixture->unit->registers.maddr + 0x20 };

	(void)state;
	platform_mmio_write(fixture->model, exclusion, 8, 0x80000003);
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	assert_int_equal(platform_mmio_read(fixture->model, exclusion, 8), 0);
	fixture_free(fixture);
}

/* Snooping, both queues and translation; guest features and table segments of firmware's are gone. */
static void the_control_register_says_what_is_meant_and_nothing_else(void **state)
{
	const struct model_unit_config unit = { .vendor = MODEL_AMDVI };
	struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_NONE);
	const sp_maddr_t control = { fixture->unit->registers.maddr + 0x18 };
	const uint64_t bus = 1u << 1 | 1u << 8 | 1u << 9 | 1u << 11; /* firmware's to say */

	(void)state;
	platform_mmio_write(fixture->model, control, 8, 7ull << 34 | 1u << 16 | 1u << 17 | 1u << 4);
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	assert_int_equal(platform_mmio_read(fixture->model, control, 8) & ~bus,
			 1u << 12 | 1u << 10 | 1u << 2 | 1u << 0);
	fixture_free(fixture);
}

/* --- events ------------------------------------------------------------------------------------- */

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

static void a_fault_says_who_where_what_and_why(void **state)
{
	struct fixture *fixture = start();
	struct sp_fault fault;

	(void)state;
	assert_no_fault(fixture);
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 1, true));
	fault = next_fault(fixture);
	assert_int_equal(fault.requester.sbdf, DEVICE);
	assert_int_equal(fault.frame.dfn, PAGE + 1);
	assert_true(fault.write && fault.has_address);
	assert_int_equal(fault.kind, SP_FAULT_NOT_PRESENT);
	assert_int_equal(fault.reason, 2);
	assert_no_fault(fixture);
	assert_false(fixture_dma(fixture, STRANGER, PAGE, false));
	fault = next_fault(fixture);
	assert_int_equal(fault.requester.sbdf, STRANGER);
	assert_false(fault.write);
	fixture_free(fixture);
}

static void a_blocked_message_is_a_fault_of_an_interrupt(void **state)
{
	struct fixture *fixture = start();
	uint32_t data = 5;

	(void)state;
	(void)model_dma(fixture->model, DEVICE, 0xfee00000, &data, sizeof(data), true);
	assert_int_equal(next_fault(fixture).kind, SP_FAULT_INTERRUPT);
	fixture_free(fixture);
}

static void overflow(struct fixture *fixture)
{
	for (uint32_t i = 0; i < 300; i++)
		assert_false(fixture_dma(fixture, DEVICE, PAGE + 1 + i, true));
}

static void a_log_that_overflowed_is_restarted_and_the_loss_told(void **state)
{
	struct fixture *fixture = start();
	uint32_t taken = 0;
	struct sp_fault fault;

	(void)state;
	overflow(fixture);
	while (fixture->ops->next_fault(fixture->unit, &fault) == SP_OK) {
		assert_int_equal(fault.frame.dfn, PAGE + 1 + taken);
		assert_false(fault.overflow);
		taken++;
	}
	assert_int_equal(taken, 255);
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 1000, true));
	fault = next_fault(fixture);
	assert_int_equal(fault.frame.dfn, PAGE + 1000);
	assert_true(fault.overflow);
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 1, true));
	assert_false(next_fault(fixture).overflow);
	fixture_free(fixture);
}

/* The faults that come after an overflow and were told; whether the first said that some were lost. */
static uint32_t faults_after_overflow(enum sp_mutant mutant, bool *told)
{
	struct fixture *fixture = start();
	struct sp_fault fault;
	uint32_t count = 0;

	assert_int_equal(sp_mutant_choose(fixture->host, mutant), SP_OK);
	overflow(fixture);
	while (fixture->ops->next_fault(fixture->unit, &fault) == SP_OK)
		;
	*told = false;
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 1000, true));
	while (fixture->ops->next_fault(fixture->unit, &fault) == SP_OK) {
		*told |= fault.overflow;
		count++;
	}
	fixture_free(fixture);
	return count;
}

static void without_the_restart_a_log_that_overflowed_says_nothing_more(void **state)
{
	bool told;

	(void)state;
	assert_int_equal(faults_after_overflow(SP_MUT_NONE, &told), 1);
	assert_int_equal(faults_after_overflow(SP_MUT_LOG_NOT_RESTARTED, &told), 0);
}

static void without_the_mark_faults_are_lost_silently(void **state)
{
	bool told;

	(void)state;
	(void)faults_after_overflow(SP_MUT_NONE, &told);
	assert_true(told);
	(void)faults_after_overflow(SP_MUT_OVERFLOW_NOT_TOLD, &told);
	assert_false(told);
}

/* As on QEMU before 11: no event is ever written, and nothing goes wrong. */
static void a_log_that_never_moves_reads_as_no_fault(void **state)
{
	struct fixture *fixture = start();

	(void)state;
	for (uint32_t i = 0; i < 3000; i++)
		assert_no_fault(fixture);
	fixture_free(fixture);
}

static void an_event_that_is_announced_and_not_there_is_waited_for_and_then_passed(void **state)
{
	struct fixture *fixture = start();
	const sp_maddr_t registers = fixture->unit->registers;
	uint64_t base, *event;
	struct sp_fault fault;
	uint32_t looks = 0;

	(void)state;
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 1, true));
	base = platform_mmio_read(fixture->model, (sp_maddr_t){ registers.maddr + 0x10 }, 8) &
	       0xffffffffff000;
	event = platform_pointer(fixture->model, (sp_mfn_t){ base >> SP_FRAME_ORDER });
	event[0] = 0;
	while (fixture->ops->next_fault(fixture->unit, &fault) == SP_NOT_FOUND)
		assert_true(looks++ < 2000);
	assert_true(looks > 10);
	assert_int_equal(fault.kind, SP_FAULT_OTHER);
	assert_no_fault(fixture);
	fixture_free(fixture);
}

#define SHARED(test) cmocka_unit_test_prestate(test, &vendor)

int main(void)
{
	static struct vendor vendor = { .vendor = MODEL_AMDVI };
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
		cmocka_unit_test(each_command_becomes_the_one_that_the_manual_names),
		cmocka_unit_test(the_size_of_pages_is_in_the_address),
		cmocka_unit_test(without_invalidate_all_everything_is_forgotten_piece_by_piece),
		cmocka_unit_test(without_invalidate_all_a_post_takes_the_room_it_needs),
		cmocka_unit_test(without_invalidate_all_a_queue_that_stops_is_lost),
		cmocka_unit_test(a_wait_that_never_completes_is_a_loss),
		cmocka_unit_test(a_wait_of_the_old_ring_that_is_seen_late_takes_no_room),
		cmocka_unit_test(the_firmwares_exclusion_range_is_closed),
		cmocka_unit_test(the_control_register_says_what_is_meant_and_nothing_else),
		cmocka_unit_test(a_fault_says_who_where_what_and_why),
		cmocka_unit_test(a_blocked_message_is_a_fault_of_an_interrupt),
		cmocka_unit_test(a_log_that_overflowed_is_restarted_and_the_loss_told),
		cmocka_unit_test(without_the_restart_a_log_that_overflowed_says_nothing_more),
		cmocka_unit_test(without_the_mark_faults_are_lost_silently),
		cmocka_unit_test(a_log_that_never_moves_reads_as_no_fault),
		cmocka_unit_test(
			an_event_that_is_announced_and_not_there_is_waited_for_and_then_passed),
	};

	return cmocka_run_group_tests_name("AMD-Vi unit", tests, NULL, NULL);
}
