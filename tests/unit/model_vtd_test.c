/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/model_vtd_test.c - the model's VT-d unit, its registers driven by hand. VT-d
 * specification.
 */
#include "model_hand.h"

#include <string.h>

#define RW	  3ull
#define DOMAIN	  5u
#define QUEUE_ON  (1u << 26)
#define TRANSLATE (1u << 31)
#define SET_ROOT  (1u << 30)
#define DRAIN	  (3ull << 6)

struct bench {
	struct model *model;
	uint64_t root, context, level2, level1, level0, guest, queue, word;
	uint64_t tail;
	uint32_t on;
};

static void command(struct bench *bench, uint32_t bit)
{
	hand_write(bench->model, 0x18, 4, bench->on | bit);
	bench->on |= bit & ~SET_ROOT;
	for (int i = 0; i < 3; i++)
		hand_read(bench->model, 0x1c, 4);
}

static void descriptor(struct bench *bench, uint64_t low, uint64_t high)
{
	uint64_t at = (bench->queue << 12) + bench->tail;

	model_store(bench->model, at, low, true);
	model_store(bench->model, at + 8, high, true);
	bench->tail = (bench->tail + 16) % 4096;
	hand_write(bench->model, 0x88, 8, bench->tail);
}

static void invalidate_pages(struct bench *bench, uint64_t address, uint64_t order,
			     bool leaves_only)
{
	descriptor(bench, 2 | 3u << 4 | DRAIN | DOMAIN << 16,
		   address | (leaves_only ? 64u : 0) | order);
}

static void write_context(struct bench *bench, uint32_t id, uint64_t low, uint64_t high)
{
	hand_set(bench->model, bench->context, id * 2 + 1, high);
	hand_set(bench->model, bench->context, id * 2, low);
}

static void start(struct bench *bench, struct model_config config)
{
	struct model *model;

	memset(bench, 0, sizeof(*bench));
	config.unit_count = 1;
	config.unit[0].vendor = MODEL_VTD;
	config.device_count = 2;
	config.device[0].sbdf = HAND_DEVICE;
	config.device[1].sbdf = HAND_OTHER;
	model = bench->model = model_create(&config);
	assert_non_null(model);
	bench->root = hand_table(model, 0);
	bench->context = hand_table(model, 0);
	bench->level2 = hand_table(model, 0);
	bench->level1 = hand_table(model, 0);
	bench->level0 = hand_table(model, 0);
	bench->queue = hand_table(model, 0);
	bench->word = hand_table(model, 0) << 12;
	bench->guest = model_guest_frame(model);
	hand_set(model, bench->root, 0, bench->context << 12 | 1);
	hand_set(model, bench->level2, 0, bench->level1 << 12 | RW);
	hand_set(model, bench->level1, 1, bench->level0 << 12 | RW);
	hand_set(model, bench->level0, 0, bench->guest << 12 | RW);
	/* Three levels: AW is 1. */
	for (uint32_t id = HAND_DEVICE; id <= HAND_OTHER; id += 8)
		write_context(bench, id, bench->level2 << 12 | 1, DOMAIN << 8 | 1);
	hand_write(model, 0x20, 8, bench->root << 12);
	command(bench, SET_ROOT);
	hand_write(model, 0x88, 8, 0);
	hand_write(model, 0x90, 8, bench->queue << 12);
	command(bench, QUEUE_ON);
	command(bench, TRANSLATE);
	assert_true(model_unit_translating(model, 0));
}

static void finish(struct bench *bench)
{
	hand_clean(bench->model);
	model_destroy(bench->model);
}

static void vtd_translates_through_its_tables(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	assert_true(hand_dma(bench.model, 0x200040, true).maddr == (bench.guest << 12 | 0x40));
	assert_true(hand_dma(bench.model, 0x8000000000, true).reason == 4);
	finish(&bench);
}

static void vtd_capabilities_tell_the_knobs(void **state)
{
	struct bench bench;
	uint64_t cap;

	(void)state;
	start(&bench, (struct model_config){ .unit[0] = { .caches_not_present = true,
							  .not_coherent = true,
							  .walk_levels = 0x18,
							  .max_mask = 9,
							  .fault_records = 2 } });
	cap = hand_read(bench.model, 0x08, 8);
	assert_int_equal(cap & 7, 6);
	assert_int_equal(cap >> 7 & 1, 1);
	assert_int_equal(cap >> 8 & 31, 6);
	assert_int_equal(cap >> 16 & 63, 47);
	assert_int_equal(cap >> 24 & 1023, 0x22);
	assert_int_equal(cap >> 34 & 15, 3);
	assert_int_equal(cap >> 39 & 1, 1);
	assert_int_equal(cap >> 40 & 255, 1);
	assert_int_equal(cap >> 48 & 63, 9);
	assert_int_equal(hand_read(bench.model, 0x10, 4), 0x204a);
	finish(&bench);
}

static void vtd_keeps_a_leaf_until_pages_of_its_domain_are_invalidated(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_dma(bench.model, 0x200000, true);
	hand_set(bench.model, bench.level0, 0, 0);
	descriptor(&bench, 2 | 2u << 4 | DRAIN | (DOMAIN + 1) << 16, 0);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	invalidate_pages(&bench, 0x201000, 0, true);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	invalidate_pages(&bench, 0x200000, 0, true);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 5);
	assert_int_equal(hand_dma(bench.model, 0x200000, false).reason, 6);
	finish(&bench);
}

static void vtd_page_selective_with_hint_keeps_paging_structures(void **state)
{
	struct bench bench;
	uint64_t other;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	other = hand_table(bench.model, 0);
	hand_dma(bench.model, 0x200000, true);
	hand_set(bench.model, bench.level1, 1, other << 12 | RW);
	invalidate_pages(&bench, 0x200000, 9, true);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	invalidate_pages(&bench, 0x200000, 9, false);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	finish(&bench);
}

static void vtd_keeps_a_page_wider_than_the_invalidation(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_set(bench.model, bench.level1, 2,
		 model_guest_frames(bench.model, 9) << 12 | RW | 1u << 7);
	hand_dma(bench.model, 0x400000, true);
	hand_set(bench.model, bench.level1, 2, 0);
	invalidate_pages(&bench, 0x400000, 0, true);
	assert_false(hand_dma(bench.model, 0x401000, true).fault);
	invalidate_pages(&bench, 0x400000, 9, true);
	assert_true(hand_dma(bench.model, 0x401000, true).fault);
	finish(&bench);
}

static void vtd_finds_translations_by_source_before_the_context_entry(void **state)
{
	struct bench bench;
	uint64_t empty;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	empty = hand_table(bench.model, 0);
	hand_dma(bench.model, 0x200000, true);
	write_context(&bench, HAND_DEVICE, empty << 12 | 1, (DOMAIN + 1) << 8 | 1);
	descriptor(&bench, 1 | 3u << 4 | DOMAIN << 16 | (uint64_t)HAND_DEVICE << 32, 0);
	descriptor(&bench, 2 | 2u << 4 | DRAIN | (DOMAIN + 1) << 16, 0);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	descriptor(&bench, 2 | 2u << 4 | DRAIN | DOMAIN << 16, 0);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	finish(&bench);
}

static void vtd_refills_through_a_context_entry_that_is_remembered(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_dma(bench.model, 0x200000, true);
	write_context(&bench, HAND_DEVICE, 0, 0);
	/* Translations first, the entry after: they come back in between. */
	descriptor(&bench, 2 | 2u << 4 | DRAIN | DOMAIN << 16, 0);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	/* An invalidation that names another domain than the remembered entry's drops nothing. */
	descriptor(&bench, 1 | 3u << 4 | (DOMAIN + 1) << 16 | (uint64_t)HAND_DEVICE << 32, 0);
	descriptor(&bench, 2 | 2u << 4 | DRAIN | DOMAIN << 16, 0);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	descriptor(&bench, 1 | 3u << 4 | DOMAIN << 16 | (uint64_t)HAND_DEVICE << 32, 0);
	descriptor(&bench, 2 | 2u << 4 | DRAIN | DOMAIN << 16, 0);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 2);
	finish(&bench);
}

static void vtd_remembers_absence_only_in_caching_mode(void **state)
{
	struct model_config config = { 0 };
	struct bench bench;

	(void)state;
	for (int caching = 0; caching < 2; caching++) {
		config.unit[0].caches_not_present = caching;
		start(&bench, config);
		assert_true(hand_dma(bench.model, 0x203000, true).fault);
		hand_set(bench.model, bench.level0, 3, bench.guest << 12 | RW);
		assert_int_equal(hand_dma(bench.model, 0x203000, true).fault, caching);
		invalidate_pages(&bench, 0x203000, 0, true);
		assert_false(hand_dma(bench.model, 0x203000, true).fault);
		finish(&bench);
	}
}

static void vtd_remembers_an_absent_context_entry_under_domain_zero(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ .unit[0].caches_not_present = true });
	write_context(&bench, HAND_DEVICE, 0, 0);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	write_context(&bench, HAND_DEVICE, bench.level2 << 12 | 1, DOMAIN << 8 | 1);
	descriptor(&bench, 1 | 3u << 4 | DOMAIN << 16 | (uint64_t)HAND_DEVICE << 32, 0);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	descriptor(&bench, 1 | 3u << 4 | (uint64_t)HAND_DEVICE << 32, 0);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	finish(&bench);
}

static void vtd_that_does_not_snoop_sees_the_old_table_until_write_back(void **state)
{
	struct bench bench;
	uint64_t slot, other;

	(void)state;
	start(&bench, (struct model_config){ .unit[0].not_coherent = true });
	slot = (bench.level0 << 12) + 8;
	other = model_guest_frame(bench.model);
	model_store(bench.model, slot, other << 12 | RW, false);
	assert_true(hand_dma(bench.model, 0x201000, true).fault);
	platform_write_back(
		bench.model,
		(uint8_t *)platform_pointer(bench.model, (sp_mfn_t){ bench.level0 }) + 8, 8);
	assert_false(hand_dma(bench.model, 0x201000, true).fault);
	finish(&bench);
}

static void vtd_with_a_write_buffer_sees_stores_after_a_flush(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ .unit[0].write_buffer = true });
	hand_write(bench.model, 0x18, 4, bench.on | 1u << 27);
	hand_set(bench.model, bench.level0, 1, bench.guest << 12 | RW);
	assert_true(hand_dma(bench.model, 0x201000, true).fault);
	hand_write(bench.model, 0x18, 4, bench.on | 1u << 27);
	assert_false(hand_dma(bench.model, 0x201000, true).fault);
	finish(&bench);
}

static void vtd_executes_its_queue_in_order_when_it_is_late(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ .unit[0].answers = MODEL_STEPPED });
	hand_dma(bench.model, 0x200000, true);
	hand_set(bench.model, bench.level0, 0, 0);
	invalidate_pages(&bench, 0x200000, 0, true);
	descriptor(&bench, 5 | 1u << 5 | 77ull << 32, bench.word);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	assert_int_equal(model_step(bench.model, 0, 1), 1);
	assert_int_equal(model_load(bench.model, bench.word), 0);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	assert_int_equal(model_step(bench.model, 0, 9), 1);
	assert_int_equal(model_load(bench.model, bench.word), 77);
	assert_int_equal(hand_read(bench.model, 0x80, 8), 32);
	finish(&bench);
}

static void vtd_moves_on_when_somebody_waits(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ .unit[0].answers = MODEL_LATE });
	descriptor(&bench, 5 | 1u << 5 | 78ull << 32, bench.word);
	assert_int_equal(model_load(bench.model, bench.word), 0);
	platform_relax(bench.model);
	assert_int_equal(model_load(bench.model, bench.word), 78);
	finish(&bench);
}

static void vtd_stops_at_a_bad_descriptor_until_the_error_is_cleared(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	descriptor(&bench, 0xf, 0);
	assert_int_equal(hand_read(bench.model, 0x34, 4) & 16, 16);
	assert_int_equal(hand_read(bench.model, 0x80, 8), 0);
	model_store(bench.model, bench.queue << 12, 5, true);
	hand_write(bench.model, 0x88, 8, bench.tail);
	assert_int_equal(hand_read(bench.model, 0x80, 8), 0);
	hand_write(bench.model, 0x34, 4, 16);
	hand_write(bench.model, 0x88, 8, bench.tail);
	assert_int_equal(hand_read(bench.model, 0x80, 8), 16);
	finish(&bench);
}

static void vtd_refuses_a_mask_beyond_what_it_can(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ .unit[0].max_mask = 9 });
	invalidate_pages(&bench, 0, 10, false);
	assert_int_equal(hand_read(bench.model, 0x34, 4) & 16, 16);
	finish(&bench);
}

static void vtd_records_faults_and_says_when_one_is_lost(void **state)
{
	struct bench bench;
	uint64_t high;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_dma(bench.model, 0x7000, true);
	high = hand_read(bench.model, 0x228, 8);
	assert_true(high >> 63);
	assert_false(high >> 62 & 1);
	assert_int_equal(high >> 32 & 255, 5);
	assert_int_equal(high & 0xffff, HAND_DEVICE);
	assert_true(hand_read(bench.model, 0x220, 8) == 0x7000);
	assert_int_equal(hand_read(bench.model, 0x34, 4) & 3, 2);
	hand_dma(bench.model, 0x8000, true);
	assert_int_equal(hand_read(bench.model, 0x34, 4) & 3, 3);
	hand_write(bench.model, 0x22c, 4, 1u << 31);
	hand_write(bench.model, 0x34, 4, 1);
	assert_int_equal(hand_read(bench.model, 0x34, 4) & 3, 0);
	hand_dma(bench.model, 0x9000, false);
	assert_int_equal(hand_read(bench.model, 0x228, 8) >> 32 & 255, 6);
	finish(&bench);
}

static void vtd_names_what_is_wrong_with_entries(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ .unit[0].walk_levels = 0x10 });
	/* Three levels where the unit walks four. */
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 3);
	descriptor(&bench, 1 | 1u << 4, 0);
	write_context(&bench, HAND_DEVICE, bench.level2 << 12 | 1, 1ull << 40 | DOMAIN << 8 | 2);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0xb);
	hand_set(bench.model, bench.root, 0, bench.context << 12 | 3);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0xa);
	hand_set(bench.model, bench.root, 0, 0);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 1);
	finish(&bench);
}

static void vtd_refuses_reserved_bits_of_a_page_entry(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_set(bench.model, bench.level0, 1, bench.guest << 12 | RW | 1u << 11);
	assert_int_equal(hand_dma(bench.model, 0x201000, true).reason, 0xc);
	hand_set(bench.model, bench.level1, 3, bench.guest << 12 | RW | 1u << 7 | 0x1000);
	assert_int_equal(hand_dma(bench.model, 0x600000, true).reason, 0xc);
	finish(&bench);
}

static void vtd_blocks_messages_with_an_empty_interrupt_table(void **state)
{
	struct bench bench;
	uint64_t table;
	uint32_t data = 0x41, handle = 0;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	/* Before remapping is on, a forged message arrives. */
	assert_false(model_dma(bench.model, HAND_DEVICE, 0xfee00000, &data, 4, true).fault);
	assert_int_equal(model_messages(bench.model, 0x41), 1);
	table = hand_table(bench.model, 0);
	hand_write(bench.model, 0xb8, 8, table << 12 | 7);
	hand_write(bench.model, 0x18, 4, bench.on | 1u << 24);
	command(&bench, 1u << 25);
	assert_int_equal(model_dma(bench.model, HAND_DEVICE, 0xfee00000, &data, 4, true).reason,
			 0x25);
	assert_int_equal(model_dma(bench.model, HAND_DEVICE, 0xfee00010, &handle, 4, true).reason,
			 0x22);
	assert_int_equal(model_messages(bench.model, 0x41), 1);
	assert_int_equal(model_messages_blocked(bench.model), 2);
	hand_set(bench.model, table, 2, 0x55u << 16 | 1);
	assert_false(model_dma(bench.model, HAND_DEVICE, 0xfee00030, &handle, 4, true).fault);
	assert_int_equal(model_messages(bench.model, 0x55), 1);
	hand_set(bench.model, table, 2, 0);
	assert_false(model_dma(bench.model, HAND_DEVICE, 0xfee00030, &handle, 4, true).fault);
	descriptor(&bench, 4 | 1u << 4 | 1ull << 32, 0);
	assert_true(model_dma(bench.model, HAND_DEVICE, 0xfee00030, &handle, 4, true).fault);
	finish(&bench);
}

static void vtd_registers_refuse_what_the_manual_forbids(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_write(bench.model, 0x34, 8, 0);
	assert_non_null(strstr(model_verdict(bench.model), "manual"));
	model_forgive(bench.model);
	/* Two bits of GCMD at once. */
	hand_write(bench.model, 0x18, 4, (bench.on ^ TRANSLATE) | SET_ROOT);
	assert_non_null(strstr(model_verdict(bench.model), "more than one"));
	model_forgive(bench.model);
	/* The old interface while the queue is on never ends. */
	hand_write(bench.model, 0x28, 8, 1ull << 63 | 1ull << 61);
	assert_true(hand_read(bench.model, 0x28, 8) >> 63);
	model_forgive(bench.model);
	finish(&bench);
}

static void vtd_old_interface_invalidates_while_the_queue_is_off(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_dma(bench.model, 0x200000, true);
	hand_set(bench.model, bench.level0, 0, 0);
	bench.on &= ~QUEUE_ON;
	command(&bench, 0);
	hand_write(bench.model, 0x208, 8,
		   1ull << 63 | 2ull << 60 | (uint64_t)DOMAIN << 32 | 3ull << 48);
	assert_false(hand_read(bench.model, 0x208, 8) >> 63);
	assert_int_equal(hand_read(bench.model, 0x208, 8) >> 57 & 3, 2);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	finish(&bench);
}

static void vtd_drains_transfers_with_the_invalidation(void **state)
{
	struct bench bench;
	uint8_t byte = 9;
	uint8_t *at;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	at = model_frame_bytes(bench.model, bench.guest);
	assert_int_not_equal(model_dma_start(bench.model, HAND_DEVICE, 0x200010, &byte, 1), 0);
	descriptor(&bench, 2 | 2u << 4 | DOMAIN << 16, 0);
	assert_int_equal(at[0x10], 0);
	descriptor(&bench, 2 | 2u << 4 | DRAIN | DOMAIN << 16, 0);
	assert_int_equal(at[0x10], 9);
	finish(&bench);
}

static void vtd_root_given_back_while_in_use_is_a_violation(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	platform_frames_give(bench.model, (sp_mfn_t){ bench.root }, 0);
	assert_non_null(strstr(model_verdict(bench.model), "root table"));
	model_forgive(bench.model);
	finish(&bench);
}

static void vtd_that_wakes_translations_of_a_released_frame_is_a_violation(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_dma(bench.model, 0x200000, true);
	for (uint32_t id = HAND_DEVICE; id <= HAND_OTHER; id += 8)
		platform_config_write(bench.model, (sp_sbdf_t){ id }, 4, 2, 0);
	bench.on &= ~TRANSLATE;
	command(&bench, 0);
	model_guest_give(bench.model, bench.guest, 0);
	hand_clean(bench.model);
	command(&bench, TRANSLATE);
	assert_non_null(strstr(model_verdict(bench.model), "wakes"));
	model_forgive(bench.model);
	finish(&bench);
}

static void vtd_context_entry_shown_in_parts_is_seen(void **state)
{
	struct bench bench;
	uint64_t other;

	(void)state;
	start(&bench, (struct model_config){ .adversary = MODEL_ADVERSARY_MAX });
	model_watch(bench.model, 0x200);
	other = hand_table(bench.model, 0);
	hand_clean(bench.model);
	/* The new table under the old domain id, for one moment. */
	hand_set(bench.model, bench.context, HAND_DEVICE * 2, other << 12 | 1);
	hand_set(bench.model, bench.context, HAND_DEVICE * 2 + 1, (DOMAIN + 1) << 8 | 1);
	assert_non_null(strstr(model_verdict(bench.model), "shown in parts"));
	model_forgive(bench.model);
	finish(&bench);
}

static void vtd_registers_are_reached_by_a_device_where_nothing_translates(void **state)
{
	struct bench bench;
	uint64_t value = 0x12345000;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	assert_true(model_dma(bench.model, HAND_DEVICE, 0xfed90020, &value, 8, true).fault);
	for (uint32_t id = HAND_DEVICE; id <= HAND_OTHER; id += 8)
		platform_config_write(bench.model, (sp_sbdf_t){ id }, 4, 2, 0);
	bench.on &= ~TRANSLATE;
	command(&bench, 0);
	platform_config_write(bench.model, (sp_sbdf_t){ HAND_DEVICE }, 4, 2, 4);
	assert_false(model_dma(bench.model, HAND_DEVICE, 0xfed90020, &value, 8, true).fault);
	assert_true(hand_read(bench.model, 0x20, 8) == value);
	finish(&bench);
}

static void vtd_left_translating_by_firmware_blocks_everything(void **state)
{
	struct model_config config = { .unit_count = 1, .device_count = 1 };
	struct model *model;

	(void)state;
	config.unit[0].translating = true;
	config.device[0].sbdf = HAND_DEVICE;
	model = model_create(&config);
	assert_true(model_unit_translating(model, 0));
	assert_true(hand_dma(model, 0x1000, true).fault);
	assert_int_equal(hand_read(model, 0x1c, 4), 0xc0000000u);
	hand_clean(model);
	model_destroy(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vtd_translates_through_its_tables),
		cmocka_unit_test(vtd_capabilities_tell_the_knobs),
		cmocka_unit_test(vtd_keeps_a_leaf_until_pages_of_its_domain_are_invalidated),
		cmocka_unit_test(vtd_page_selective_with_hint_keeps_paging_structures),
		cmocka_unit_test(vtd_keeps_a_page_wider_than_the_invalidation),
		cmocka_unit_test(vtd_finds_translations_by_source_before_the_context_entry),
		cmocka_unit_test(vtd_refills_through_a_context_entry_that_is_remembered),
		cmocka_unit_test(vtd_remembers_absence_only_in_caching_mode),
		cmocka_unit_test(vtd_remembers_an_absent_context_entry_under_domain_zero),
		cmocka_unit_test(vtd_that_does_not_snoop_sees_the_old_table_until_write_back),
		cmocka_unit_test(vtd_with_a_write_buffer_sees_stores_after_a_flush),
		cmocka_unit_test(vtd_executes_its_queue_in_order_when_it_is_late),
		cmocka_unit_test(vtd_moves_on_when_somebody_waits),
		cmocka_unit_test(vtd_stops_at_a_bad_descriptor_until_the_error_is_cleared),
		cmocka_unit_test(vtd_refuses_a_mask_beyond_what_it_can),
		cmocka_unit_test(vtd_records_faults_and_says_when_one_is_lost),
		cmocka_unit_test(vtd_names_what_is_wrong_with_entries),
		cmocka_unit_test(vtd_refuses_reserved_bits_of_a_page_entry),
		cmocka_unit_test(vtd_blocks_messages_with_an_empty_interrupt_table),
		cmocka_unit_test(vtd_registers_refuse_what_the_manual_forbids),
		cmocka_unit_test(vtd_old_interface_invalidates_while_the_queue_is_off),
		cmocka_unit_test(vtd_drains_transfers_with_the_invalidation),
		cmocka_unit_test(vtd_root_given_back_while_in_use_is_a_violation),
		cmocka_unit_test(vtd_that_wakes_translations_of_a_released_frame_is_a_violation),
		cmocka_unit_test(vtd_context_entry_shown_in_parts_is_seen),
		cmocka_unit_test(vtd_registers_are_reached_by_a_device_where_nothing_translates),
		cmocka_unit_test(vtd_left_translating_by_firmware_blocks_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
