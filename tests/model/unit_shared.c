/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/unit_shared.c - what both vendors' drivers must do.
 */
#include "unit_shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"
#include "memory.h"

static const struct command forget_page = { .kind = COMMAND_PAGES, .name = NAME, .first = PAGE };
static const struct command forget_domain = { .kind = COMMAND_DOMAIN, .name = NAME, .links = true };
static const struct command forget_device = { .kind = COMMAND_ENTRY,
					      .name = NAME,
					      .requester = DEVICE };

static struct fixture *start(void **state)
{
	const struct vendor *vendor = *state;
	const struct model_unit_config unit = { .vendor = vendor->vendor,
						.scalable = vendor->scalable };

	return fixture_start(&unit);
}

static struct fixture *start_late(void **state)
{
	const struct vendor *vendor = *state;
	const struct model_unit_config unit = { .vendor = vendor->vendor,
						.scalable = vendor->scalable };
	struct fixture *fixture = fixture_start(&unit);

	model_set_answers(fixture->model, 0, MODEL_STEPPED);
	return fixture;
}

/* --- bring-up ----------------------------------------------------------------------------------- */

void whoever_is_not_attached_is_blocked(void **state)
{
	struct fixture *fixture = start(state);

	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_true(fixture_dma(fixture, DEVICE, PAGE, false));
	assert_false(fixture_dma(fixture, DEVICE, PAGE + 1, true));
	assert_false(fixture_dma(fixture, STRANGER, PAGE, true));
	assert_false(fixture_dma(fixture, STRANGER, fixture->frame, false));
	fixture_free(fixture);
}

/* The model objects to any moment in which the unit does not translate while a device masters the bus. */
void translation_that_firmware_left_on_stays_on(void **state)
{
	const struct vendor *vendor = *state;
	const struct model_unit_config unit = { .vendor = vendor->vendor,
						.translating = true,
						.scalable = vendor->scalable,
						.left_scalable = vendor->scalable };
	struct fixture *fixture = fixture_start(&unit);

	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_false(fixture_dma(fixture, STRANGER, PAGE, true));
	fixture_free(fixture);
}

void firmwares_table_is_forgotten(void **state)
{
	const struct vendor *vendor = *state;
	const struct model_unit_config unit = { .vendor = vendor->vendor,
						.translating = true,
						.scalable = vendor->scalable,
						.left_scalable = vendor->scalable,
						.caches_not_present = true };
	struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_NONE);

	/* Remembered as absent: by firmware's table it is. */
	assert_false(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture->entry = fixture_table(fixture, fixture->frame, NAME, &fixture->leaf);
	assert_int_equal(fixture->ops->prepare_entry(fixture->unit, DEVICE), SP_OK);
	fixture->ops->attach(fixture->unit, DEVICE, &fixture->entry);
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_free(fixture);
}

void a_late_unit_starts_like_any_other(void **state)
{
	const struct vendor *vendor = *state;
	const struct model_unit_config unit = { .vendor = vendor->vendor,
						.answers = MODEL_LATE,
						.scalable = vendor->scalable };
	struct fixture *fixture = fixture_start(&unit);

	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_pay(fixture, forget_page);
	fixture_free(fixture);
}

void a_dead_unit_does_not_start(void **state)
{
	const struct vendor *vendor = *state;
	const struct model_unit_config unit = { .vendor = vendor->vendor,
						.scalable = vendor->scalable };
	struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_NONE);

	model_set_answers(fixture->model, 0, MODEL_NEVER);
	assert_int_equal(fixture->ops->start(fixture->unit), SP_LOST);
	assert_false(fixture->unit->started);
	assert_int_equal(model_log_count(fixture->model, SP_LOG_ERROR), 1);
	fixture_free(fixture);
}

void every_refused_frame_leaves_none_behind(void **state)
{
	const struct vendor *vendor = *state;
	const struct model_unit_config unit = { .vendor = vendor->vendor,
						.scalable = vendor->scalable };
	uint32_t n;

	for (n = 1;; n++) {
		struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_NONE);
		enum sp_status status;

		model_refuse_nth_take(fixture->model, n);
		status = fixture->ops->prepare_entry(fixture->unit, DEVICE);
		if (status == SP_OK) {
			fixture_free(fixture);
			break;
		}
		assert_int_equal(status, SP_NO_MEMORY);
		/* And it works when asked again. */
		assert_int_equal(fixture->ops->prepare_entry(fixture->unit, DEVICE), SP_OK);
		assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
		fixture_set_master(fixture, false);
		fixture->ops->stop(fixture->unit);
		assert_int_equal(model_table_frames(fixture->model), 0);
		fixture_free(fixture);
	}
	assert_true(n > 5);
}

/* --- the queue ---------------------------------------------------------------------------------- */

void an_unmapped_page_stays_reachable_until_it_is_invalidated(void **state)
{
	struct fixture *fixture = start(state);

	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_set_leaf(fixture, fixture->leaf, 0);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_pay(fixture, forget_page);
	assert_false(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_free(fixture);
}

void the_other_domains_invalidation_does_not_help(void **state)
{
	struct fixture *fixture = start(state);
	struct command other = forget_domain;

	other.name = NAME + 1;
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_set_leaf(fixture, fixture->leaf, 0);
	fixture_pay(fixture, other);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_pay(fixture, forget_domain);
	assert_false(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_free(fixture);
}

void a_number_is_reached_only_when_the_unit_says_so(void **state)
{
	struct fixture *fixture = start_late(state);
	uint64_t first, second;

	assert_int_equal(fixture_post(fixture, forget_page, &first), SP_OK);
	assert_int_equal(fixture_post(fixture, forget_domain, &second), SP_OK);
	assert_int_equal(second, first + 1);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, first - 1);
	assert_int_equal(model_step(fixture->model, 0, 1), 1);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, first - 1);
	assert_int_equal(model_step(fixture->model, 0, 1), 1);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, first);
	assert_int_equal(model_step(fixture->model, 0, 2), 2);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, second);
	fixture_free(fixture);
}

static uint32_t fill_queue(struct fixture *fixture)
{
	struct command many[POST_COMMANDS];
	enum sp_status status = SP_OK;
	uint32_t posts = 0;
	uint64_t number;

	for (uint32_t i = 0; i < POST_COMMANDS; i++)
		many[i] = forget_page;
	while (status == SP_OK) {
		status = fixture->ops->post(fixture->unit, many, POST_COMMANDS, &number);
		posts += status == SP_OK;
		assert_true(posts < 100000);
	}
	assert_int_equal(status, SP_BUSY);
	return posts;
}

void a_queue_without_room_takes_nothing(void **state)
{
	struct fixture *fixture = start_late(state);
	uint32_t posts = fill_queue(fixture);
	uint64_t asked = fixture->unit->asked, number;

	assert_true(posts > 50);
	assert_int_equal(fixture->unit->asked, asked);
	assert_int_equal(model_step(fixture->model, 0, UINT32_MAX), posts * (POST_COMMANDS + 1));
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, asked);
	assert_int_equal(fixture_post(fixture, forget_page, &number), SP_OK);
	assert_int_equal(number, asked + 1);
	fixture_free(fixture);
}

/* What was there goes under: the ring is some posts long, and the unit has fetched none of them. */
void without_the_check_a_full_queue_loses_commands(void **state)
{
	struct fixture *fixture = start_late(state);
	struct command many[POST_COMMANDS];
	const uint32_t posts = 4096 / POST_COMMANDS;
	uint64_t number;

	for (uint32_t i = 0; i < POST_COMMANDS; i++)
		many[i] = forget_page;
	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_QUEUE_OVERRUN), SP_OK);
	for (uint32_t i = 0; i < posts; i++)
		assert_int_equal(fixture->ops->post(fixture->unit, many, POST_COMMANDS, &number),
				 SP_OK);
	assert_true(model_step(fixture->model, 0, UINT32_MAX) < posts * (POST_COMMANDS + 1));
	fixture_free(fixture);
}

void the_queue_goes_round(void **state)
{
	struct fixture *fixture = start(state);

	for (uint32_t i = 0; i < 10000; i++)
		fixture_pay(fixture, forget_page);
	assert_int_equal(model_command_count(fixture->model), 20000);
	assert_int_equal(model_command(fixture->model, 19998).first, PAGE);
	fixture_free(fixture);
}

void a_silent_unit_is_lost_and_reaches_nothing(void **state)
{
	struct fixture *fixture = start_late(state);
	uint64_t number;

	assert_int_equal(fixture_post(fixture, forget_page, &number), SP_OK);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	model_advance(fixture->model, UNIT_DEADLINE);
	assert_int_equal(fixture_progress(fixture), SP_LOST);
	assert_int_equal(fixture->unit->reached, number - 1);
	/* What iommu/ does on that word. */
	fixture->unit->observer.lost = true;
	assert_int_equal(fixture_post(fixture, forget_page, &number), SP_LOST);
	fixture_free(fixture);
}

static uint32_t slot_bytes(const struct fixture *fixture)
{
	return fixture->unit->scalable ? 32 : 16;
}

static uint64_t *queue_slot(struct fixture *fixture, uint32_t place)
{
	const uint32_t offset = fixture->unit->vendor == SP_VENDOR_VTD ? 0x90 : 0x08;
	const uint64_t ring =
		platform_mmio_read(fixture->model,
				   (sp_maddr_t){ fixture->unit->registers.maddr + offset }, 8) &
		0xffffffffff000;

	return (uint64_t *)platform_pointer(fixture->model, (sp_mfn_t){ ring >> SP_FRAME_ORDER }) +
	       slot_bytes(fixture) / 8 * place;
}

/* What stands there becomes nonsense. */
static void spoil(struct fixture *fixture, uint32_t place)
{
	store64(queue_slot(fixture, place), UINT64_MAX);
	full_barrier();
}

static uint32_t tail_place(struct fixture *fixture)
{
	const uint32_t offset = fixture->unit->vendor == SP_VENDOR_VTD ? 0x88 : 0x2008;

	return (uint32_t)platform_mmio_read(
		       fixture->model, (sp_maddr_t){ fixture->unit->registers.maddr + offset }, 8) /
	       slot_bytes(fixture);
}

/* Where the wait before the tail stores: in its high word on VT-d, in its low word on AMD-Vi. */
static void *completion_word(struct fixture *fixture)
{
	const uint64_t *slot = queue_slot(fixture, tail_place(fixture) - 1);
	uint64_t place =
		fixture->unit->vendor == SP_VENDOR_VTD ? slot[1] : slot[0] & 0xffffffffffff8;

	return (uint8_t *)platform_pointer(fixture->model, (sp_mfn_t){ place >> SP_FRAME_ORDER }) +
	       place % SP_FRAME_BYTES;
}

void a_number_that_was_never_asked_for_is_not_believed(void **state)
{
	struct fixture *fixture = start_late(state);
	uint32_t *word;
	uint64_t number;

	assert_int_equal(fixture_post(fixture, forget_page, &number), SP_OK);
	word = completion_word(fixture);
	assert_int_equal(*word, number - 1);
	store32(word, (uint32_t)number + 1);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, number - 1);
	store32(word, (uint32_t)number - 2);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, number - 1);
	fixture_free(fixture);
}

void a_queue_that_an_error_stopped_is_restarted_and_forgets_everything(void **state)
{
	struct fixture *fixture = start_late(state);
	uint32_t place = tail_place(fixture);
	uint64_t first, last;

	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_set_leaf(fixture, fixture->leaf, 0);
	assert_int_equal(fixture_post(fixture, forget_page, &first), SP_OK);
	assert_int_equal(fixture_post(fixture, forget_device, &last), SP_OK);
	spoil(fixture, place);
	assert_int_equal(model_step(fixture->model, 0, 10), 0);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(model_log_count(fixture->model, SP_LOG_WARNING), 1);
	assert_int_equal(fixture->unit->reached, first - 1);
	model_step(fixture->model, 0, 100);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, last);
	assert_false(fixture_dma(fixture, DEVICE, PAGE, true));
	/* And it goes on as before. */
	assert_int_equal(fixture_post(fixture, forget_page, &last), SP_OK);
	model_step(fixture->model, 0, 100);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_int_equal(fixture->unit->reached, last);
	fixture_free(fixture);
}

void a_queue_that_stops_twice_is_lost(void **state)
{
	struct fixture *fixture = start_late(state);
	uint32_t place = tail_place(fixture);
	uint64_t number;

	assert_int_equal(fixture_post(fixture, forget_page, &number), SP_OK);
	spoil(fixture, place);
	assert_int_equal(model_step(fixture->model, 0, 10), 0);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	spoil(fixture, fixture->unit->vendor == SP_VENDOR_VTD ? place : 0);
	assert_int_equal(model_step(fixture->model, 0, 10), 0);
	assert_int_equal(fixture_progress(fixture), SP_LOST);
	assert_int_equal(fixture->unit->reached, number - 1);
	fixture_free(fixture);
}

void a_command_that_is_for_cpus_is_refused(void **state)
{
	struct fixture *fixture = start(state);
	uint64_t number = 0;

	assert_int_equal(fixture_post(fixture, (struct command){ .kind = COMMAND_FLUSH }, &number),
			 SP_INVALID);
	assert_int_equal(model_command_count(fixture->model), 0);
	fixture_free(fixture);
}

/* --- entries ------------------------------------------------------------------------------------ */

static void lead_elsewhere(struct fixture *fixture)
{
	uint64_t leaf;
	struct unit_entry entry = fixture_table(fixture, fixture->other, NAME + 1, &leaf);

	fixture->ops->attach(fixture->unit, DEVICE, &entry);
	fixture_pay(fixture, forget_device);
	fixture_pay(fixture, forget_domain);
}

static bool arrives_at(struct fixture *fixture, uint64_t frame)
{
	uint32_t data = 0x12345678, *there = model_frame_bytes(fixture->model, frame);

	*there = 0;
	(void)model_dma(fixture->model, DEVICE, PAGE << SP_FRAME_ORDER, &data, sizeof(data), true);
	return *there == data;
}

void an_entry_leads_elsewhere_at_once_and_is_never_half(void **state)
{
	struct fixture *fixture = start(state);

	assert_true(arrives_at(fixture, fixture->frame));
	lead_elsewhere(fixture);
	assert_true(arrives_at(fixture, fixture->other));
	/* A half entry's translations bear the old name with the new table, or the reverse: they would be kept. */
	assert_false(model_unit_remembers(fixture->model, 0, fixture->frame));
	fixture_free(fixture);
}

/*
 * The new table walked under the old name: forgetting the new name, as the new domain will for ever after, does not
 * reach what was found then.
 */
static bool keeps_half(const struct vendor *vendor, uint32_t mutant)
{
	const struct model_unit_config unit = { .vendor = vendor->vendor,
						.scalable = vendor->scalable };
	const struct command forget_new = { .kind = COMMAND_DOMAIN,
					    .name = NAME + 1,
					    .links = true };
	struct fixture *fixture = fixture_make(&unit, MODEL_ADVERSARY_MAX);
	struct unit_entry other;
	uint64_t leaf;
	bool kept;

	assert_int_equal(sp_mutant_choose(fixture->host, mutant), SP_OK);
	fixture->entry = fixture_table(fixture, fixture->frame, NAME, &fixture->leaf);
	other = fixture_table(fixture, fixture->other, NAME + 1, &leaf);
	assert_int_equal(fixture->ops->prepare_entry(fixture->unit, DEVICE), SP_OK);
	fixture->ops->attach(fixture->unit, DEVICE, &fixture->entry);
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	model_watch(fixture->model, PAGE);
	fixture->ops->attach(fixture->unit, DEVICE, &other);
	fixture_pay(fixture, forget_device);
	fixture_set_leaf(fixture, leaf, 0);
	fixture_pay(fixture, forget_new);
	kept = model_unit_remembers(fixture->model, 0, fixture->other);
	model_forgive(fixture->model);
	fixture_free(fixture);
	return kept;
}

void an_entry_in_two_stores_is_seen_half(void **state)
{
	assert_false(keeps_half(*state, SP_MUT_NONE));
	assert_true(keeps_half(*state, SP_MUT_PRESENT_FIRST));
}

void a_wait_that_counts_when_written_frees_too_early(void **state)
{
	struct fixture *fixture = start_late(state);
	uint64_t number;

	assert_int_equal(sp_mutant_choose(fixture->host, SP_MUT_WAIT_NOT_QUEUED), SP_OK);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_set_leaf(fixture, fixture->leaf, 0);
	assert_int_equal(fixture_post(fixture, forget_page, &number), SP_OK);
	assert_int_equal(fixture_progress(fixture), SP_OK);
	assert_true(fixture->unit->reached >= number);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture_free(fixture);
}

void a_fenced_requester_reaches_nothing(void **state)
{
	struct fixture *fixture = start(state);

	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	fixture->ops->fence(fixture->unit, DEVICE);
	fixture->ops->fence(fixture->unit, 0xff08);
	fixture_pay(fixture, forget_device);
	fixture_pay(fixture, forget_domain);
	assert_false(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_false(fixture_dma(fixture, DEVICE, PAGE, false));
	assert_true(model_unit_translating(fixture->model, 0));
	fixture_free(fixture);
}

void a_stopped_unit_gives_all_its_memory_back(void **state)
{
	struct fixture *fixture = start(state);
	uint64_t tables = fixture->entry.levels;
	const struct irte irte = { .present = true, .vector = 0x41, .requester = DEVICE };

	assert_int_equal(fixture->ops->set_irte(fixture->unit, 3, &irte), SP_OK);
	fixture_set_master(fixture, false);
	fixture->ops->stop(fixture->unit);
	assert_false(model_unit_translating(fixture->model, 0));
	assert_false(fixture->unit->started);
	assert_int_equal(model_table_frames(fixture->model), tables);
	/* And it can be started once more. */
	assert_int_equal(fixture->ops->prepare_entry(fixture->unit, DEVICE), SP_OK);
	fixture->ops->attach(fixture->unit, DEVICE, &fixture->entry);
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	fixture_set_master(fixture, true);
	assert_true(fixture_dma(fixture, DEVICE, PAGE, true));
	assert_false(fixture_dma(fixture, STRANGER, PAGE, true));
	fixture_free(fixture);
}

/* --- messages ----------------------------------------------------------------------------------- */

#define INDEX  3u
#define VECTOR 0x41

/* The index is in the address on VT-d, in the data on AMD-Vi. */
static void send_message(struct fixture *fixture, uint32_t sbdf)
{
	bool vtd = fixture->unit->vendor == SP_VENDOR_VTD;
	uint32_t data = vtd ? 0 : INDEX;

	(void)model_dma(fixture->model, sbdf, 0xfee00000 | (vtd ? INDEX << 5 | 1 << 4 : 0), &data,
			sizeof(data), true);
}

static void set_entry(struct fixture *fixture, bool present)
{
	const struct irte irte = { .present = present, .vector = VECTOR, .requester = DEVICE };

	assert_int_equal(fixture->ops->set_irte(fixture->unit, INDEX, &irte), SP_OK);
	while (fixture->unit->reached < fixture->unit->asked)
		assert_int_equal(fixture_progress(fixture), SP_OK);
}

void no_message_passes_before_an_entry_is_made(void **state)
{
	struct fixture *fixture = start(state);

	send_message(fixture, DEVICE);
	assert_int_equal(model_messages(fixture->model, VECTOR), 0);
	set_entry(fixture, true);
	send_message(fixture, DEVICE);
	assert_int_equal(model_messages(fixture->model, VECTOR), 1);
	send_message(fixture, STRANGER);
	assert_int_equal(model_messages(fixture->model, VECTOR), 1);
	set_entry(fixture, false);
	send_message(fixture, DEVICE);
	assert_int_equal(model_messages(fixture->model, VECTOR), 1);
	fixture_free(fixture);
}

void an_index_beyond_the_table_is_refused(void **state)
{
	struct fixture *fixture = start(state);
	const struct irte far = {
		.present = true, .vector = VECTOR, .destination = 0x100, .requester = DEVICE
	};
	const struct irte near = { .present = true, .vector = VECTOR, .requester = DEVICE };

	assert_int_equal(fixture->ops->set_irte(fixture->unit, 1u << 16, &near), SP_RANGE);
	assert_int_equal(fixture->ops->set_irte(fixture->unit, 0, &far), SP_UNSUPPORTED);
	fixture_free(fixture);
}
