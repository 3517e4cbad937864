/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/model_scalable_test.c - the model's VT-d unit in scalable mode, its registers driven by hand. VT-d
 * specification.
 */
#include "model_hand.h"

#include <string.h>

#define RW	  3ull
#define DOMAIN	  5ull
#define QUEUE_ON  (1u << 26)
#define TRANSLATE (1u << 31)
#define SET_ROOT  (1u << 30)
#define DRAIN	  (3ull << 6)
#define SECOND	  (2ull << 6) /* second stage, three levels */
#define WIDTH	  (1ull << 2)

struct bench {
	struct model *model;
	uint64_t root, context, directory, pasids, level2, level1, level0, guest, queue;
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

/* 256 bits, of which the upper half is zero. */
static void descriptor(struct bench *bench, uint64_t low, uint64_t high)
{
	uint64_t at = (bench->queue << 12) + bench->tail;

	model_store(bench->model, at, low, true);
	model_store(bench->model, at + 8, high, true);
	bench->tail = (bench->tail + 32) % 4096;
	hand_write(bench->model, 0x88, 8, bench->tail);
}

static void forget_pasid(struct bench *bench, uint64_t domain, uint64_t pasid)
{
	descriptor(bench, 7 | 1u << 4 | domain << 16 | pasid << 32, 0);
}

static void forget_translations(struct bench *bench, uint64_t domain)
{
	descriptor(bench, 2 | 2u << 4 | DRAIN | domain << 16, 0);
}

static void write_pasid(struct bench *bench, uint64_t low, uint64_t high)
{
	hand_set(bench->model, bench->pasids, 1, high);
	hand_set(bench->model, bench->pasids, 0, low);
}

static void lead_to(struct bench *bench, uint64_t table, uint64_t domain)
{
	write_pasid(bench, table << 12 | SECOND | WIDTH | 1, domain);
}

/* A context entry is 32 bytes; 00:02.0 and 00:03.0 share directory and table. */
static void write_context(struct bench *bench, uint32_t id, uint64_t low, uint64_t high)
{
	hand_set(bench->model, bench->context, id * 4 + 1, high);
	hand_set(bench->model, bench->context, id * 4, low);
}

static void start(struct bench *bench, struct model_config config)
{
	struct model *model;

	memset(bench, 0, sizeof(*bench));
	config.unit_count = 1;
	config.unit[0].vendor = MODEL_VTD;
	config.unit[0].scalable = true;
	config.device_count = 1;
	config.device[0].sbdf = HAND_DEVICE;
	model = bench->model = model_create(&config);
	assert_non_null(model);
	bench->root = hand_table(model, 0);
	bench->context = hand_table(model, 0);
	bench->directory = hand_table(model, 0);
	bench->pasids = hand_table(model, 0);
	bench->level2 = hand_table(model, 0);
	bench->level1 = hand_table(model, 0);
	bench->level0 = hand_table(model, 0);
	bench->queue = hand_table(model, 0);
	bench->guest = model_guest_frame(model);
	hand_set(model, bench->root, 0, bench->context << 12 | 1);
	hand_set(model, bench->directory, 0, bench->pasids << 12 | 1);
	hand_set(model, bench->level2, 0, bench->level1 << 12 | RW);
	hand_set(model, bench->level1, 1, bench->level0 << 12 | RW);
	hand_set(model, bench->level0, 0, bench->guest << 12 | RW);
	write_context(bench, HAND_DEVICE, bench->directory << 12 | 1, 0);
	lead_to(bench, bench->level2, DOMAIN);
	hand_write(model, 0x20, 8, bench->root << 12 | 1u << 10);
	command(bench, SET_ROOT);
	hand_write(model, 0x88, 8, 0);
	hand_write(model, 0x90, 8, bench->queue << 12 | 1u << 11);
	command(bench, QUEUE_ON);
	command(bench, TRANSLATE);
	hand_clean(model);
}

static void finish(struct bench *bench)
{
	hand_clean(bench->model);
	model_destroy(bench->model);
}

static void scalable_finds_its_table_through_four_entries(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	assert_int_equal(hand_read(bench.model, 0x10, 8) >> 43 & 0x29, 0x29);
	assert_true(hand_dma(bench.model, 0x200040, true).maddr == (bench.guest << 12 | 0x40));
	assert_int_equal(hand_dma(bench.model, 0x201000, true).reason, 0x79);
	assert_int_equal(hand_dma(bench.model, 0x8000000000, true).reason, 0x84);
	hand_set(bench.model, bench.level0, 2, bench.guest << 12 | 1);
	assert_int_equal(hand_dma(bench.model, 0x202000, true).reason, 0x85);
	finish(&bench);
}

static void scalable_keeps_a_pasid_entry_until_its_domain_and_number_are_named(void **state)
{
	struct bench bench;
	uint64_t empty;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	empty = hand_table(bench.model, 0);
	hand_dma(bench.model, 0x200000, true);
	lead_to(&bench, empty, DOMAIN + 1);
	/* The translations go, and come back through the entry that is remembered. */
	forget_translations(&bench, DOMAIN);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	/* Neither the new domain's id nor another number, nor the context cache, finds it. */
	forget_pasid(&bench, DOMAIN + 1, 0);
	forget_pasid(&bench, DOMAIN, 1);
	descriptor(&bench, 1 | 1u << 4, 0);
	forget_translations(&bench, DOMAIN);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	/* The entry alone: what it led to is still translated (M8). */
	forget_pasid(&bench, DOMAIN, 0);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	forget_translations(&bench, DOMAIN);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x79);
	finish(&bench);
}

static void scalable_forgets_pasid_entries_of_a_domain_or_all(void **state)
{
	struct bench bench;

	(void)state;
	for (uint64_t grain = 0; grain <= 3; grain += 3) {
		start(&bench, (struct model_config){ 0 });
		hand_dma(bench.model, 0x200000, true);
		write_pasid(&bench, 0, 0);
		descriptor(&bench, 7 | grain << 4 | (grain ? 0 : DOMAIN) << 16, 0);
		forget_translations(&bench, DOMAIN);
		assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x59);
		finish(&bench);
	}
}

static void scalable_keeps_a_context_entry_until_its_source_is_named(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	hand_dma(bench.model, 0x200000, true);
	write_context(&bench, HAND_DEVICE, 0, 0);
	forget_pasid(&bench, DOMAIN, 0);
	forget_translations(&bench, DOMAIN);
	assert_false(hand_dma(bench.model, 0x200000, true).fault);
	/* Whatever domain is named: the entry has none. */
	descriptor(&bench, 1 | 3u << 4 | 77u << 16 | (uint64_t)HAND_DEVICE << 32, 0);
	forget_pasid(&bench, DOMAIN, 0);
	forget_translations(&bench, DOMAIN);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x41);
	finish(&bench);
}

static void scalable_remembers_absence_only_in_caching_mode_and_under_domain_zero(void **state)
{
	struct model_config config = { 0 };
	struct bench bench;

	(void)state;
	for (int caching = 0; caching < 2; caching++) {
		config.unit[0].caches_not_present = caching;
		start(&bench, config);
		write_pasid(&bench, 0, 0);
		assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x59);
		lead_to(&bench, bench.level2, DOMAIN);
		assert_int_equal(hand_dma(bench.model, 0x200000, true).fault, caching);
		forget_pasid(&bench, DOMAIN, 0);
		assert_int_equal(hand_dma(bench.model, 0x200000, true).fault, caching);
		forget_pasid(&bench, 0, 0);
		assert_false(hand_dma(bench.model, 0x200000, true).fault);
		finish(&bench);
	}
}

static void scalable_names_what_is_wrong_with_entries(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ .unit[0].walk_levels = 0x10 });
	/* Three levels where the unit walks four. */
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x5b);
	forget_pasid(&bench, DOMAIN, 0);
	/* First stage, which it does not have. */
	write_pasid(&bench, bench.level2 << 12 | 1ull << 6 | WIDTH | 1, DOMAIN);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x5b);
	forget_pasid(&bench, DOMAIN, 0);
	write_pasid(&bench, bench.level2 << 12 | SECOND | 1ull << 9 | WIDTH | 1, DOMAIN);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x5a);
	write_pasid(&bench, bench.level2 << 12 | SECOND | WIDTH | 1, DOMAIN | 1ull << 40);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x5a);
	hand_set(bench.model, bench.directory, 0, bench.pasids << 12 | 5);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x52);
	hand_set(bench.model, bench.directory, 0, 0);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x51);
	descriptor(&bench, 1 | 1u << 4, 0);
	/* A number for requests without PASID, where the unit knows only 0. */
	write_context(&bench, HAND_DEVICE, bench.directory << 12 | 1, 3);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x48);
	write_context(&bench, HAND_DEVICE, bench.directory << 12 | 1ull << 5 | 1, 0);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x42);
	hand_set(bench.model, bench.root, 0, bench.context << 12 | 3);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x3a);
	hand_set(bench.model, bench.root, 0, 0);
	assert_int_equal(hand_dma(bench.model, 0x200000, true).reason, 0x39);
	finish(&bench);
}

static void scalable_understands_only_whole_descriptors(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	forget_pasid(&bench, DOMAIN, 0);
	assert_int_equal(hand_read(bench.model, 0x80, 8), 32);
	assert_int_equal(hand_read(bench.model, 0x34, 4) & 16, 0);
	model_store(bench.model, (bench.queue << 12) + bench.tail + 24, 1, true);
	forget_pasid(&bench, DOMAIN, 0);
	assert_int_equal(hand_read(bench.model, 0x34, 4) & 16, 16);
	assert_int_equal(hand_read(bench.model, 0x80, 8), 32);
	finish(&bench);
}

static void scalable_registers_refuse_what_the_manual_forbids(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, (struct model_config){ 0 });
	/* The table's mode, under way. */
	hand_write(bench.model, 0x20, 8, bench.root << 12);
	command(&bench, SET_ROOT);
	assert_non_null(strstr(model_verdict(bench.model), "mode changes"));
	model_forgive(bench.model);
	finish(&bench);
}

static void scalable_pasid_entry_shown_in_parts_is_seen(void **state)
{
	struct bench bench;
	uint64_t other;

	(void)state;
	start(&bench, (struct model_config){ .adversary = MODEL_ADVERSARY_MAX });
	model_watch(bench.model, 0x200);
	other = hand_table(bench.model, 0);
	hand_clean(bench.model);
	/* The new table under the old domain id, for one moment. */
	hand_set(bench.model, bench.pasids, 0, other << 12 | SECOND | WIDTH | 1);
	hand_set(bench.model, bench.pasids, 1, DOMAIN + 1);
	assert_non_null(strstr(model_verdict(bench.model), "shown in parts"));
	model_forgive(bench.model);
	finish(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalable_finds_its_table_through_four_entries),
		cmocka_unit_test(
			scalable_keeps_a_pasid_entry_until_its_domain_and_number_are_named),
		cmocka_unit_test(scalable_forgets_pasid_entries_of_a_domain_or_all),
		cmocka_unit_test(scalable_keeps_a_context_entry_until_its_source_is_named),
		cmocka_unit_test(
			scalable_remembers_absence_only_in_caching_mode_and_under_domain_zero),
		cmocka_unit_test(scalable_names_what_is_wrong_with_entries),
		cmocka_unit_test(scalable_understands_only_whole_descriptors),
		cmocka_unit_test(scalable_registers_refuse_what_the_manual_forbids),
		cmocka_unit_test(scalable_pasid_entry_shown_in_parts_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
