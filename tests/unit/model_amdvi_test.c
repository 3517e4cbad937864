/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/model_amdvi_test.c - the model's AMD-Vi unit, its registers driven by hand. Document
 * 48882.
 */
#include "model_hand.h"

#include <string.h>

#define P	  1ull
#define IR	  (1ull << 61)
#define IW	  (1ull << 62)
#define NEXT(n)	  ((uint64_t)(n) << 9)
#define DOMAIN	  5u
#define ALL_PAGES 0x7ffffffffffff001ull

struct bench {
	struct model *model;
	uint64_t devtab, queue, log, root, level2, level1, guest;
	uint64_t tail;
};

static void command(struct bench *bench, uint64_t low, uint64_t high)
{
	uint64_t at = (bench->queue << 12) + bench->tail;

	model_store(bench->model, at, low, true);
	model_store(bench->model, at + 8, high, true);
	bench->tail = (bench->tail + 16) % 4096;
	hand_write(bench->model, 0x2008, 8, bench->tail);
}

static void invalidate_pages(struct bench *bench, uint64_t address)
{
	command(bench, 3ull << 60 | (uint64_t)DOMAIN << 32, address);
}

static void write_device(struct bench *bench, uint32_t id, uint64_t low, uint64_t domain,
			 uint64_t interrupts)
{
	uint64_t at = (bench->devtab << 12) + id * 32u;

	model_store(bench->model, at + 8, domain, true);
	model_store(bench->model, at + 16, interrupts, true);
	model_store(bench->model, at, low, true);
}

static void start(struct bench *bench, struct model_config config)
{
	struct model *model;

	memset(bench, 0, sizeof(*bench));
	config.unit_count = 1;
	config.unit[0].vendor = MODEL_AMDVI;
	config.device_count = 2;
	config.device[0].sbdf = HAND_DEVICE;
	config.device[1].sbdf = HAND_OTHER;
	model = bench->model = model_create(&config);
	assert_non_null(model);
	bench->devtab = hand_table(model, 9);
	bench->queue = hand_table(model, 0);
	bench->log = hand_table(model, 0);
	bench->root = hand_table(model, 0);
	bench->level2 = hand_table(model, 0);
	bench->level1 = hand_table(model, 0);
	bench->guest = model_guest_frame(model);
	/* Three levels: dfn 0x200 is slot 0 of root, 1 of the middle, 0 of the last. */
	hand_set(model, bench->root, 0, bench->level2 << 12 | P | NEXT(2) | IR | IW);
	hand_set(model, bench->level2, 1, bench->level1 << 12 | P | NEXT(1) | IR | IW);
	hand_set(model, bench->level1, 0, bench->guest << 12 | P | IR | IW);
	for (uint32_t id = HAND_DEVICE; id <= HAND_OTHER; id += 8)
		write_device(bench, id, bench->root << 12 | 3 | NEXT(3) | IR | IW, DOMAIN, 1);
	hand_write(model, 0x00, 8, bench->devtab << 12 | 0x1ff);
	hand_write(model, 0x08, 8, bench->queue << 12 | 8ull << 56);
	hand_write(model, 0x10, 8, bench->log << 12 | 8ull << 56);
	hand_write(model, 0x18, 8, 1 | 1 << 2 | 1 << 12);
}

static void finish(struct bench *bench)
{
	hand_clean(bench->model);
	model_destroy(bench->model);
}

static void amdvi_translates_through_its_tables(void **state)
{
	struct bench bench;
	struct model_dma dma;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	dma = hand_dma(bench.model, 0x200123, true);
	assert_false(dma.fault);
	assert_true(dma.maddr == (bench.guest << 12 | 0x123));
	assert_int_equal(((uint8_t *)model_frame_bytes(bench.model, bench.guest))[0x123], 0x5a);
	finish(&bench);
}

static void amdvi_keeps_a_leaf_until_its_pages_are_invalidated(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_dma(bench.model, 0x200000, true);
	hand_set(bench.model, bench.level1, 0, 0);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	command(&bench, 3ull << 60 | (uint64_t)(DOMAIN + 1) << 32, ALL_PAGES);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	invalidate_pages(&bench, 0x201000);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	invalidate_pages(&bench, 0x200000);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	finish(&bench);
}

static void amdvi_keeps_a_large_leaf_when_a_smaller_page_is_invalidated(void **state)
{
	struct bench bench;
	uint64_t large;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	large = model_guest_frames(bench.model, 9);
	hand_set(bench.model, bench.level2, 2, large << 12 | P | IR | IW);
	hand_dma(bench.model, 0x400000, true);
	hand_set(bench.model, bench.level2, 2, 0);
	invalidate_pages(&bench, 0x400000);
	assert_false(hand_dma(bench.model, 0x401000, true).fault);
	/* S, and the lowest zero bit from bit 12 on at bit 20: 2 MiB. */
	invalidate_pages(&bench, 0x400000 | 0xff000 | 1);
	assert_true(hand_dma(bench.model, 0x401000, true).fault);
	finish(&bench);
}

/* M4: of a 2M page a piece may be kept, or all of it, or both; a 4K invalidation finds the piece alone. */
static void amdvi_keeps_a_large_page_whole_and_in_pieces(void **state)
{
	uint32_t kept = 0, gone = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct bench bench;
		uint64_t large;

		start(&bench,
		      (struct model_config){ .adversary = MODEL_ADVERSARY_RANDOM, .seed = seed });
		large = model_guest_frames(bench.model, 9);
		hand_set(bench.model, bench.level2, 2, large << 12 | P | IR | IW);
		assert_false(hand_dma(bench.model, 0x405000, true).fault);
		hand_set(bench.model, bench.level2, 2, 0);
		invalidate_pages(&bench, 0x405000);
		if (hand_dma(bench.model, 0x405000, true).fault)
			gone++;
		else
			kept++;
		finish(&bench);
	}
	assert_true(kept && gone);
}

static void amdvi_keeps_links_until_pde_is_set_and_the_size_covers_them(void **state)
{
	struct bench bench;
	uint64_t other;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	other = hand_table(bench.model, 0);
	hand_dma(bench.model, 0x200000, true);
	hand_set(bench.model, bench.level2, 1, other << 12 | P | NEXT(1) | IR | IW);
	invalidate_pages(&bench, 0x200000 | 0xff000 | 1);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	invalidate_pages(&bench, 0x200000 | 2);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	invalidate_pages(&bench, 0x200000 | 0xff000 | 3);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	finish(&bench);
}

static void amdvi_keeps_a_device_entry_until_it_is_invalidated(void **state)
{
	struct bench bench;
	uint64_t empty;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	empty = hand_table(bench.model, 0);
	hand_dma(bench.model, 0x200000, true);
	write_device(&bench, HAND_DEVICE, empty << 12 | 3 | NEXT(3) | IR | IW, DOMAIN + 1, 1);
	invalidate_pages(&bench, ALL_PAGES | 2);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	command(&bench, 2ull << 60 | HAND_DEVICE, 0);
	/* The translation was found by requester, and filled again under the old domain. */
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	invalidate_pages(&bench, ALL_PAGES | 2);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	finish(&bench);
}

static void amdvi_remembers_absence_only_with_np_cache(void **state)
{
	struct model_config config = { 0 };
	struct bench bench;

	(void)state;
	for (int np = 0; np < 2; np++) {
		config.unit[0].caches_not_present = np;
		start(&bench, config);
		assert_true(hand_dma(bench.model, 0x203000, true).fault);
		hand_set(bench.model, bench.level1, 3, bench.guest << 12 | P | IR | IW);
		assert_int_equal(hand_dma(bench.model, 0x203000, true).fault, np);
		invalidate_pages(&bench, 0x203000);
		assert_false(hand_dma(bench.model, 0x203000, true).fault);
		finish(&bench);
	}
}

static void amdvi_denies_by_a_stale_right_until_told(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_set(bench.model, bench.level1, 0, bench.guest << 12 | P | IR);
	assert_false(hand_dma(bench.model, 0x200000, false).fault);
	hand_set(bench.model, bench.level1, 0, bench.guest << 12 | P | IR | IW);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	invalidate_pages(&bench, 0x200000);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	finish(&bench);
}

static void amdvi_logs_a_fault_with_device_domain_and_address(void **state)
{
	struct bench bench;
	uint64_t low;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	assert_true(hand_dma(bench.model, 0x7000, true).fault);
	assert_int_equal(hand_read(bench.model, 0x2018, 8), 16);
	low = model_load(bench.model, bench.log << 12);
	assert_int_equal(low >> 60, 2);
	assert_int_equal(low & 0xffff, HAND_DEVICE);
	assert_int_equal(low >> 32 & 0xffff, DOMAIN);
	assert_true(low >> 53 & 1);
	assert_false(low >> 52 & 1);
	assert_true(model_load(bench.model, (bench.log << 12) + 8) == 0x7000);
	hand_write(bench.model, 0x2020, 8, 2);
	assert_false(hand_read(bench.model, 0x2020, 8) & 2);
	finish(&bench);
}

static void amdvi_stops_its_log_when_it_is_full(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	for (int i = 0; i < 255; i++)
		hand_dma(bench.model, 0x7000, true);
	assert_false(hand_read(bench.model, 0x2020, 8) & 1);
	hand_dma(bench.model, 0x7000, true);
	assert_int_equal(hand_read(bench.model, 0x2020, 8) & 9, 1);
	finish(&bench);
}

static void amdvi_refuses_reserved_bits_of_a_page_entry(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_set(bench.model, bench.level1, 0, bench.guest << 12 | P | IR | IW | 1ull << 55);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	assert_true(model_load(bench.model, bench.log << 12) >> 55 & 1);
	/* A link that does not go down. */
	hand_set(bench.model, bench.level2, 1, bench.level1 << 12 | P | NEXT(2) | IR | IW);
	invalidate_pages(&bench, ALL_PAGES | 2);
	assert_true(hand_dma(bench.model, 0x200000, true).fault);
	finish(&bench);
}

static void amdvi_stops_at_what_is_no_command(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	command(&bench, 0xfull << 60, 0);
	assert_false(hand_read(bench.model, 0x2020, 8) & 1 << 4);
	assert_int_equal(hand_read(bench.model, 0x2000, 8), 0);
	assert_int_equal(model_load(bench.model, bench.log << 12) >> 60, 5);
	assert_true(model_load(bench.model, (bench.log << 12) + 8) == bench.queue << 12);
	finish(&bench);
}

static void amdvi_stores_what_a_completion_wait_says_only_when_it_comes_to_it(void **state)
{
	struct bench bench;
	uint64_t word;

	(void)state;
	start(&bench, (struct model_config){ .unit[0].answers = MODEL_STEPPED });
	word = hand_table(bench.model, 0) << 12;
	invalidate_pages(&bench, 0x200000);
	command(&bench, 1ull << 60 | word | 1, 77);
	assert_int_equal(model_load(bench.model, word), 0);
	assert_int_equal(model_step(bench.model, 0, 1), 1);
	assert_int_equal(model_load(bench.model, word), 0);
	assert_int_equal(model_step(bench.model, 0, 5), 1);
	assert_int_equal(model_load(bench.model, word), 77);
	assert_int_equal(hand_read(bench.model, 0x2000, 8), 32);
	finish(&bench);
}

static struct model_config late(enum model_adversary adversary, uint64_t seed)
{
	struct model_config config = { .adversary = adversary, .seed = seed };

	config.unit[0].answers = MODEL_LATE;
	return config;
}

static void amdvi_shows_a_completion_after_it_carried_out_what_follows(void **state)
{
	struct bench bench;
	uint64_t word;
	bool overtaken = false;

	(void)state;
	start(&bench, late(MODEL_ADVERSARY_MAX, 0));
	word = hand_table(bench.model, 0) << 12;
	model_commands_reset(bench.model);
	command(&bench, 1ull << 60 | word | 1, 5);
	invalidate_pages(&bench, 0x200000);
	for (uint32_t i = 0; i < 20 && model_load(bench.model, word) != 5; i++) {
		overtaken |= model_command_count(bench.model) == 2;
		platform_relax(bench.model);
	}
	assert_true(overtaken);
	assert_true(model_load(bench.model, word) == 5);
	finish(&bench);
}

static void amdvi_shows_its_completions_one_after_the_other(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct bench bench;
		uint64_t word, seen = 0;

		start(&bench, late(MODEL_ADVERSARY_RANDOM, seed));
		word = hand_table(bench.model, 0) << 12;
		for (uint64_t n = 1; n <= 8; n++)
			command(&bench, 1ull << 60 | word | 1, n);
		for (uint32_t i = 0; i < 1000 && seen < 8; i++) {
			uint64_t now = model_load(bench.model, word);

			assert_true(now == seen || now == seen + 1);
			seen = now;
			platform_relax(bench.model);
		}
		assert_true(seen == 8);
		finish(&bench);
	}
}

static void amdvi_that_stops_in_order_has_shown_its_completions(void **state)
{
	struct bench bench;
	uint64_t word;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	word = hand_table(bench.model, 0) << 12;
	model_hold_answers(bench.model, 0, true);
	command(&bench, 1ull << 60 | word | 1, 5);
	assert_true(hand_read(bench.model, 0x2000, 8) == 16);
	assert_true(model_load(bench.model, word) == 0);
	platform_frames_give(bench.model, (sp_mfn_t){ word >> 12 }, 0);
	assert_non_null(strstr(model_verdict(bench.model), "a completion of unit 0"));
	model_forgive(bench.model);
	model_destroy(bench.model);
	start(&bench, late(MODEL_ADVERSARY_MAX, 0));
	word = hand_table(bench.model, 0) << 12;
	command(&bench, 1ull << 60 | word | 1, 5);
	platform_relax(bench.model);
	assert_true(model_load(bench.model, word) == 0);
	hand_write(bench.model, 0x18, 8, 1 | 1 << 2);
	assert_true(model_load(bench.model, word) == 5);
	finish(&bench);
}

/* CtrlInvTimeout: without it the queue stands at a device's cache that is silent, with it it goes on. */
static void amdvi_tells_of_a_device_cache_that_timed_out(void **state)
{
	(void)state;
	for (uint64_t timeout = 0; timeout < 2; timeout++) {
		struct model_config config = { .adversary = MODEL_ADVERSARY_NONE };
		struct bench bench;
		uint64_t word;

		config.unit[0].ats = true;
		start(&bench, config);
		word = hand_table(bench.model, 0) << 12;
		hand_write(bench.model, 0x18, 8, 1 | 1 << 2 | 1 << 12 | timeout << 5);
		command(&bench, 4ull << 60 | (uint64_t)HAND_DEVICE << 32 | HAND_DEVICE, 0x200000);
		command(&bench, 1ull << 60 | word | 1, 5);
		assert_true(model_load(bench.model, word) == (timeout ? 5 : 0));
		assert_true(hand_read(bench.model, 0x2018, 8) == (timeout ? 16 : 0));
		assert_true(model_load(bench.model, bench.log << 12) >> 60 == (timeout ? 7 : 0) ||
			    !timeout);
		finish(&bench);
	}
}

static void amdvi_drains_transfers_at_a_completion_wait(void **state)
{
	struct bench bench;
	uint32_t transfer;
	uint8_t byte = 9;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	transfer = model_dma_start(bench.model, HAND_DEVICE, 0x200010, &byte, 1);
	assert_int_not_equal(transfer, 0);
	invalidate_pages(&bench, 0x200000);
	assert_int_equal(((uint8_t *)model_frame_bytes(bench.model, bench.guest))[0x10], 0);
	command(&bench, 1ull << 60, 0);
	assert_int_equal(((uint8_t *)model_frame_bytes(bench.model, bench.guest))[0x10], 9);
	assert_false(model_dma_finish(bench.model, transfer));
	finish(&bench);
}

static void amdvi_lets_everything_through_where_an_entry_is_not_valid(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	write_device(&bench, HAND_DEVICE, 0, 0, 0);
	command(&bench, 2ull << 60 | HAND_DEVICE, 0);
	assert_true(hand_dma(bench.model, bench.guest << 12, true).maddr == bench.guest << 12);
	/* Its guest's memory was reached; the hypervisor's would be, too, and that is a verdict. */
	hand_clean(bench.model);
	hand_dma(bench.model, bench.root << 12, false);
	assert_non_null(strstr(model_verdict(bench.model), "containment"));
	model_forgive(bench.model);
	finish(&bench);
}

static void amdvi_blocks_messages_unless_their_entry_is_set(void **state)
{
	struct bench bench;
	uint32_t data = 0x41;
	uint64_t table;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	assert_true(model_dma(bench.model, HAND_DEVICE, 0xfee00000, &data, 4, true).fault);
	assert_int_equal(model_messages(bench.model, 0x41), 0);
	/* IntCtl 2, 2^9 entries; index 0x41 gives vector 0x77. */
	table = hand_table(bench.model, 0);
	model_store(bench.model, (table << 12) + 0x40 * 4, (uint64_t)(0x77u << 16 | 1) << 32, true);
	write_device(&bench, HAND_DEVICE, bench.root << 12 | 3 | NEXT(3) | IR | IW, DOMAIN,
		     table << 12 | 2ull << 60 | 9u << 1 | 1);
	command(&bench, 2ull << 60 | HAND_DEVICE, 0);
	assert_false(model_dma(bench.model, HAND_DEVICE, 0xfee00000, &data, 4, true).fault);
	assert_int_equal(model_messages(bench.model, 0x77), 1);
	/* The entry goes, and is remembered until the table is invalidated. */
	model_store(bench.model, (table << 12) + 0x40 * 4, 0, true);
	assert_false(model_dma(bench.model, HAND_DEVICE, 0xfee00000, &data, 4, true).fault);
	command(&bench, 5ull << 60 | HAND_DEVICE, 0);
	assert_true(model_dma(bench.model, HAND_DEVICE, 0xfee00000, &data, 4, true).fault);
	finish(&bench);
}

static void amdvi_table_given_back_under_a_link_is_a_violation(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_dma(bench.model, 0x200000, true);
	hand_set(bench.model, bench.level2, 1, 0);
	invalidate_pages(&bench, 0x200000);
	platform_frames_give(bench.model, (sp_mfn_t){ bench.level1 }, 0);
	assert_non_null(strstr(model_verdict(bench.model), "oracle R"));
	assert_non_null(strstr(model_verdict(bench.model), "paging-structure"));
	model_forgive(bench.model);
	finish(&bench);
}

static void amdvi_frame_forgotten_while_remembered_is_a_violation(void **state)
{
	struct sp_forgotten run = { .type = SP_RAM, .count = 1 };
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	run.first.mfn = bench.guest;
	hand_dma(bench.model, 0x200000, true);
	hand_set(bench.model, bench.level1, 0, 0);
	platform_forgotten(bench.model, &run);
	assert_non_null(strstr(model_verdict(bench.model), "a translation"));
	model_forgive(bench.model);
	invalidate_pages(&bench, 0x200000);
	platform_forgotten(bench.model, &run);
	assert_int_equal(model_forgotten_times(bench.model, bench.guest), 2);
	finish(&bench);
}

static void amdvi_command_log_tells_what_was_asked(void **state)
{
	struct model_command seen;
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	model_commands_reset(bench.model);
	invalidate_pages(&bench, 0x200000 | 0xff000 | 3);
	command(&bench, 1ull << 60, 0);
	assert_int_equal(model_command_count(bench.model), 2);
	seen = model_command(bench.model, 0);
	assert_int_equal(seen.kind, MODEL_CMD_IOTLB_PAGES);
	assert_int_equal(seen.domain, DOMAIN);
	assert_int_equal(seen.order, 9);
	assert_true(seen.first == 0x200 && seen.links);
	assert_int_equal(model_command(bench.model, 1).kind, MODEL_CMD_WAIT);
	finish(&bench);
}

static void amdvi_that_never_answers_executes_nothing(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	model_set_answers(bench.model, 0, MODEL_NEVER);
	hand_dma(bench.model, 0x200000, true);
	hand_set(bench.model, bench.level1, 0, 0);
	invalidate_pages(&bench, 0x200000);
	assert_int_equal(hand_read(bench.model, 0x2000, 8), 0);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	finish(&bench);
}

static void amdvi_switched_off_under_a_bus_master_is_a_window(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_write(bench.model, 0x18, 8, 0);
	assert_non_null(strstr(model_verdict(bench.model), "window"));
	model_forgive(bench.model);
	finish(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amdvi_translates_through_its_tables),
		cmocka_unit_test(amdvi_keeps_a_leaf_until_its_pages_are_invalidated),
		cmocka_unit_test(amdvi_keeps_a_large_leaf_when_a_smaller_page_is_invalidated),
		cmocka_unit_test(amdvi_keeps_a_large_page_whole_and_in_pieces),
		cmocka_unit_test(amdvi_keeps_links_until_pde_is_set_and_the_size_covers_them),
		cmocka_unit_test(amdvi_keeps_a_device_entry_until_it_is_invalidated),
		cmocka_unit_test(amdvi_remembers_absence_only_with_np_cache),
		cmocka_unit_test(amdvi_denies_by_a_stale_right_until_told),
		cmocka_unit_test(amdvi_logs_a_fault_with_device_domain_and_address),
		cmocka_unit_test(amdvi_stops_its_log_when_it_is_full),
		cmocka_unit_test(amdvi_refuses_reserved_bits_of_a_page_entry),
		cmocka_unit_test(amdvi_stops_at_what_is_no_command),
		cmocka_unit_test(amdvi_stores_what_a_completion_wait_says_only_when_it_comes_to_it),
		cmocka_unit_test(amdvi_shows_a_completion_after_it_carried_out_what_follows),
		cmocka_unit_test(amdvi_shows_its_completions_one_after_the_other),
		cmocka_unit_test(amdvi_that_stops_in_order_has_shown_its_completions),
		cmocka_unit_test(amdvi_tells_of_a_device_cache_that_timed_out),
		cmocka_unit_test(amdvi_drains_transfers_at_a_completion_wait),
		cmocka_unit_test(amdvi_lets_everything_through_where_an_entry_is_not_valid),
		cmocka_unit_test(amdvi_blocks_messages_unless_their_entry_is_set),
		cmocka_unit_test(amdvi_table_given_back_under_a_link_is_a_violation),
		cmocka_unit_test(amdvi_frame_forgotten_while_remembered_is_a_violation),
		cmocka_unit_test(amdvi_command_log_tells_what_was_asked),
		cmocka_unit_test(amdvi_that_never_answers_executes_nothing),
		cmocka_unit_test(amdvi_switched_off_under_a_bus_master_is_a_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
