/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/model_machine_test.c - configuration space, requester ids, firmware's tables, and
 * section 7.
 */
#include "model_hand.h"

#include <string.h>

#define ROOT_PORT 0x0020u /* 00:04.0, bus 1 behind it */
#define TO_PCI	  0x0100u /* 01:00.0, bus 2 behind it */
#define LEGACY	  0x0208u /* 02:01.0, conventional */
#define PLAIN	  0x0010u
#define PHANTOM	  0x0028u /* 00:05.0, functions 0 to 3 are its own */

static struct model_config machine(enum model_vendor vendor)
{
	struct model_config config = { .unit_count = 1, .device_count = 5, .reserved_count = 1 };

	config.unit[0].vendor = vendor;
	config.device[0] = (struct model_device_config){ .sbdf = PLAIN,
							 .reset = MODEL_RESET_FLR,
							 .bar_bytes = { 0x4000, 0x100000000 } };
	config.device[1] = (struct model_device_config){ .sbdf = ROOT_PORT,
							 .kind = MODEL_ROOT_PORT,
							 .secondary = 1 };
	config.device[2] = (struct model_device_config){ .sbdf = TO_PCI,
							 .kind = MODEL_PCIE_TO_PCI,
							 .secondary = 2 };
	config.device[3] = (struct model_device_config){ .sbdf = LEGACY, .reset = MODEL_RESET_AF };
	config.device[4] = (struct model_device_config){ .sbdf = PHANTOM, .phantom = 2 };
	config.reserved[0] =
		(struct model_reserved){ .sbdf = PLAIN, .base = 0x7e000000, .bytes = 0x2000 };
	return config;
}

static uint32_t read_config(struct model *model, uint32_t sbdf, uint32_t offset, uint32_t bytes)
{
	return platform_config_read(model, (sp_sbdf_t){ sbdf }, offset, bytes);
}

static void write_config(struct model *model, uint32_t sbdf, uint32_t offset, uint32_t bytes,
			 uint32_t value)
{
	platform_config_write(model, (sp_sbdf_t){ sbdf }, offset, bytes, value);
}

static void functions_that_are_not_there_answer_all_ones(void **state)
{
	struct model_config config = machine(MODEL_VTD);
	struct model *model = model_create(&config);

	(void)state;
	assert_int_equal(read_config(model, 0x0300, 0, 4), UINT32_MAX);
	assert_int_equal(read_config(model, 0x0300, 0, 2), 0xffff);
	assert_int_not_equal(read_config(model, PLAIN, 0, 4), UINT32_MAX);
	assert_int_equal(read_config(model, ROOT_PORT, 0x0e, 1), 1);
	assert_int_equal(read_config(model, ROOT_PORT, 0x18, 4), 0x00020100);
	hand_clean(model);
	model_destroy(model);
}

static void bars_are_sized_by_writing_ones(void **state)
{
	struct model_config config = machine(MODEL_VTD);
	struct model *model = model_create(&config);
	uint64_t bar;

	(void)state;
	write_config(model, PLAIN, 0x10, 4, UINT32_MAX);
	assert_int_equal(read_config(model, PLAIN, 0x10, 4), 0xffffc004);
	write_config(model, PLAIN, 0x18, 4, UINT32_MAX);
	write_config(model, PLAIN, 0x1c, 4, UINT32_MAX);
	bar = read_config(model, PLAIN, 0x18, 4) | (uint64_t)read_config(model, PLAIN, 0x1c, 4)
							   << 32;
	assert_true(bar == 0xffffffff00000004);
	hand_clean(model);
	model_destroy(model);
}

static void bus_master_off_stops_transfers_also_in_a_bridge(void **state)
{
	struct model_config config = machine(MODEL_VTD);
	struct model *model = model_create(&config);
	uint64_t guest = model_guest_frame(model) << 12;
	uint8_t byte = 1;

	(void)state;
	assert_false(model_dma(model, LEGACY, guest, &byte, 1, true).fault);
	write_config(model, ROOT_PORT, 4, 2, 3);
	assert_true(model_dma(model, LEGACY, guest, &byte, 1, true).fault);
	write_config(model, PLAIN, 4, 2, 0);
	assert_true(model_dma(model, PLAIN, guest, &byte, 1, true).fault);
	assert_false(model_is_master(model, PLAIN));
	hand_clean(model);
	model_destroy(model);
}

static void resets_turn_bus_mastering_off_and_are_counted(void **state)
{
	struct model_config config = machine(MODEL_VTD);
	struct model *model = model_create(&config);

	(void)state;
	assert_int_equal(read_config(model, PLAIN, 0x34, 1), 0x40);
	assert_int_equal(read_config(model, PLAIN, 0x44, 4) >> 28 & 1, 1);
	write_config(model, PLAIN, 0x48, 2, 0x8000);
	assert_int_equal(model_resets(model, PLAIN), 1);
	assert_false(model_is_master(model, PLAIN));
	assert_int_equal(read_config(model, PLAIN, 0x48, 2) & 0x8000, 0);
	assert_int_equal(read_config(model, LEGACY, read_config(model, LEGACY, 0x34, 1), 1), 0x13);
	write_config(model, LEGACY, 0x84, 1, 1);
	assert_int_equal(model_resets(model, LEGACY), 1);
	hand_clean(model);
	model_destroy(model);
}

/* Empty tables: each transfer faults, and the record tells which id the unit saw. */
static uint32_t requester_seen(struct model *model, uint32_t sbdf, uint32_t function)
{
	uint8_t byte = 1;
	uint32_t seen;

	assert_true(model_dma_phantom(model, sbdf, function, 0x1000, &byte, 1, true).fault);
	seen = (uint32_t)hand_read(model, 0x228, 8) & 0xffff;
	hand_write(model, 0x22c, 4, 1u << 31);
	return seen;
}

static void requests_carry_the_ids_that_bridges_and_phantoms_give_them(void **state)
{
	struct model_config config = machine(MODEL_VTD);
	struct model *model;

	(void)state;
	config.unit[0].translating = true;
	model = model_create(&config);
	assert_int_equal(requester_seen(model, PLAIN, 0), PLAIN);
	assert_int_equal(requester_seen(model, LEGACY, 0), 0x0200);
	assert_int_equal(requester_seen(model, PHANTOM, 3), PHANTOM | 3);
	hand_clean(model);
	model_destroy(model);
}

static uint8_t sum_of(const uint8_t *table, size_t bytes)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + table[i]);
	return sum;
}

static void firmware_tables_add_up_whatever_their_defect(void **state)
{
	uint8_t table[1024];

	(void)state;
	for (int vendor = 0; vendor < 2; vendor++) {
		struct model_config config = machine((enum model_vendor)vendor);
		struct model *model = model_create(&config);
		size_t sound = 0;

		for (int defect = 0; defect < MODEL_TABLE_DEFECT_COUNT; defect++) {
			size_t bytes = vendor == MODEL_VTD
					       ? model_dmar(model, (enum model_defect)defect, table,
							    sizeof(table))
					       : model_ivrs(model, (enum model_defect)defect, table,
							    sizeof(table));
			uint32_t length;

			assert_int_not_equal(bytes, 0);
			assert_int_equal(sum_of(table, bytes), 0);
			memcpy(&length, table + 4, 4);
			assert_int_equal(length == bytes, defect != MODEL_TABLE_HEADER_LENGTH);
			if (defect == MODEL_TABLE_SOUND)
				sound = bytes;
		}
		assert_int_equal(model_dmar(model, MODEL_TABLE_SOUND, table, 50), 0);
		assert_true(sound > 48);
		model_destroy(model);
	}
}

static void dmar_names_units_paths_and_reserved_ranges(void **state)
{
	struct model_config config = machine(MODEL_VTD);
	struct model *model = model_create(&config);
	uint8_t table[512];
	uint64_t base;
	size_t bytes = model_dmar(model, MODEL_TABLE_SOUND, table, sizeof(table));

	(void)state;
	assert_memory_equal(table, "DMAR", 4);
	assert_int_equal(table[36], 45);
	memcpy(&base, table + 48 + 8, 8);
	assert_true(base == 0xfed90000);
	/*
	 * The unit: IO-APIC, the plain function, the root port for all behind it, and the phantom
	 * one.
	 */
	assert_int_equal(table[48 + 2], 16 + 4 * 8);
	assert_int_equal(table[48 + 16], 3);
	assert_int_equal(table[48 + 24], 1);
	assert_int_equal(table[48 + 32], 2);
	/* The reserved range ends with its last byte. */
	memcpy(&base, table + 96 + 16, 8);
	assert_true(base == 0x7e001fff);
	assert_int_equal(bytes, 96 + 24 + 8);
	model_destroy(model);
}

static void ivrs_names_units_aliases_and_unity_ranges(void **state)
{
	struct model_config config = machine(MODEL_AMDVI);
	struct model *model = model_create(&config);
	uint8_t table[512];
	size_t bytes = model_ivrs(model, MODEL_TABLE_SOUND, table, sizeof(table));

	(void)state;
	assert_memory_equal(table, "IVRS", 4);
	assert_int_equal(table[48], 0x10);
	/* Special 8, selects for three functions 4 each, an alias 8, a range 8. */
	assert_int_equal(table[48 + 2], 24 + 8 + 3 * 4 + 8 + 8);
	assert_int_equal(table[48 + 24], 0x48);
	assert_int_equal(table[48 + 44], 0x42);
	assert_int_equal(table[48 + 44 + 6], 0x02);
	assert_int_equal(table[bytes - 32], 0x21);
	model_destroy(model);
}

/* --- section 7 ------------------------------------------------------------------------------- */

static void table_of_section_7_is_read_as_it_is_written(void **state)
{
	struct model_owed owed = model_expect(MODEL_CHANGE_COLLAPSE, MODEL_COLUMN_VTD);

	(void)state;
	assert_true(owed.span == MODEL_SPAN_TABLE && owed.links && !owed.cpu);
	owed = model_expect(MODEL_CHANGE_LEAF_CLEARED, MODEL_COLUMN_AMDVI);
	assert_true(owed.span == MODEL_SPAN_OLD && !owed.links);
	owed = model_expect(MODEL_CHANGE_RIGHTS_UP, MODEL_COLUMN_EPT);
	assert_true(owed.span == MODEL_SPAN_NONE && !owed.cpu);
	owed = model_expect(MODEL_CHANGE_ENTRY_SET, MODEL_COLUMN_VTD_CM);
	assert_true(owed.entry && owed.no_domain && owed.new_domain &&
		    owed.span == MODEL_SPAN_NONE);
	owed = model_expect(MODEL_CHANGE_TABLE_SET, MODEL_COLUMN_VTD_RWBF);
	assert_true(owed.span == MODEL_SPAN_TABLE && !owed.links && !owed.entry);
	owed = model_expect(MODEL_CHANGE_ENTRY, MODEL_COLUMN_AMDVI);
	assert_true(owed.entry && owed.span == MODEL_SPAN_ALL && owed.links);
	owed = model_expect(MODEL_CHANGE_SPLIT, MODEL_COLUMN_NPT);
	assert_true(owed.cpu && owed.may_wait);
}

/* A queue of one unit by hand: each word pair is executed at once. */
static void run(struct model *model, uint64_t queue, uint32_t *tail, uint64_t low, uint64_t high)
{
	model_store(model, (queue << 12) + *tail, low, true);
	model_store(model, (queue << 12) + *tail + 8, high, true);
	*tail += 16;
	hand_write(model, 0x88, 8, *tail);
}

static void comparison_finds_too_little_too_much_and_too_narrow(void **state)
{
	struct model_changed changed = {
		.change = MODEL_CHANGE_LEAF_CLEARED, .domain = 4, .first = 0x403, .old_order = 9
	};
	struct model_config config = machine(MODEL_VTD);
	struct model *model = model_create(&config);
	uint64_t queue = hand_table(model, 0);
	uint32_t tail = 0;

	(void)state;
	hand_write(model, 0x90, 8, queue << 12);
	hand_write(model, 0x18, 4, 1u << 26);
	assert_non_null(strstr(model_compare(model, &changed), "owed but not told"));
	run(model, queue, &tail, 2 | 3u << 4 | 4u << 16, 0x400000 | 64 | 9);
	assert_non_null(strstr(model_compare(model, &changed), "no wait"));
	run(model, queue, &tail, 5, 0);
	assert_null(model_compare(model, &changed));
	run(model, queue, &tail, 2 | 3u << 4 | 4u << 16, 0x400000 | 64 | 9);
	run(model, queue, &tail, 5, 0);
	assert_non_null(strstr(model_compare(model, &changed), "not owed"));
	model_commands_reset(model);
	run(model, queue, &tail, 2 | 3u << 4 | 4u << 16, 0x403000 | 64);
	run(model, queue, &tail, 5, 0);
	assert_non_null(strstr(model_compare(model, &changed), "not owed"));
	model_commands_reset(model);
	run(model, queue, &tail, 2 | 3u << 4 | 4u << 16, 0x400000 | 9);
	run(model, queue, &tail, 5, 0);
	assert_non_null(strstr(model_compare(model, &changed), "links 1"));
	hand_clean(model);
	model_destroy(model);
}

static void comparison_allows_a_split_to_be_remembered(void **state)
{
	struct model_changed changed = { .change = MODEL_CHANGE_SPLIT,
					 .domain = 4,
					 .old_order = 9 };
	struct model_config config = machine(MODEL_VTD);
	struct model *model = model_create(&config);

	(void)state;
	assert_null(model_compare(model, &changed));
	changed.change = MODEL_CHANGE_LEAF_SET;
	assert_null(model_compare(model, &changed));
	model_destroy(model);
}

/* --- units among each other ------------------------------------------------------------------ */

#define ROUNDS 40u

struct pair {
	struct model *model;
	uint64_t word[2]; /* maddr of a completion, a unit */
};

/* Two units whose queues hold one wait each. */
static void start_pair(struct pair *pair, enum model_adversary adversary, uint64_t seed)
{
	struct model_config config = { .unit_count = 2, .adversary = adversary, .seed = seed };

	for (uint32_t i = 0; i < 2; i++)
		config.unit[i] =
			(struct model_unit_config){ .vendor = MODEL_AMDVI, .answers = MODEL_LATE };
	pair->model = model_create(&config);
	for (uint32_t i = 0; i < 2; i++) {
		uint64_t base = model_unit_base(pair->model, i);
		uint64_t devtab = hand_table(pair->model, 9), queue = hand_table(pair->model, 0);

		pair->word[i] = hand_table(pair->model, 0) << 12;
		hand_set(pair->model, queue, 0, 1ull << 60 | pair->word[i] | 1);
		hand_set(pair->model, queue, 1, 7);
		platform_mmio_write(pair->model, (sp_maddr_t){ base }, 8, devtab << 12 | 0x1ff);
		platform_mmio_write(pair->model, (sp_maddr_t){ base + 8 }, 8,
				    queue << 12 | 8ull << 56);
		platform_mmio_write(pair->model, (sp_maddr_t){ base + 0x18 }, 8, 1 | 1 << 12);
		platform_mmio_write(pair->model, (sp_maddr_t){ base + 0x2008 }, 8, 16);
	}
}

/* The unit whose completion is seen first, though unit 0 was asked first. */
static uint32_t first_to_answer(enum model_adversary adversary, uint64_t seed)
{
	struct pair pair;
	uint32_t first = 2;

	start_pair(&pair, adversary, seed);
	for (uint32_t i = 0; i < 1000 && first == 2; i++) {
		platform_relax(pair.model);
		for (uint32_t unit = 0; unit < 2 && first == 2; unit++)
			if (model_load(pair.model, pair.word[unit]) == 7)
				first = unit;
	}
	for (uint32_t i = 0; i < 1000; i++)
		platform_relax(pair.model);
	assert_true(model_load(pair.model, pair.word[0]) == 7);
	assert_true(model_load(pair.model, pair.word[1]) == 7);
	hand_clean(pair.model);
	model_destroy(pair.model);
	return first;
}

static void units_answer_in_any_order(void **state)
{
	uint32_t first[2] = { 0, 0 };

	(void)state;
	assert_int_equal(first_to_answer(MODEL_ADVERSARY_NONE, 0), 0);
	assert_int_equal(first_to_answer(MODEL_ADVERSARY_MAX, 0), 1);
	for (uint64_t seed = 0; seed < ROUNDS; seed++)
		first[first_to_answer(MODEL_ADVERSARY_RANDOM, seed)]++;
	assert_true(first[0] && first[1]);
}

/* One transfer that nobody drained, or one accessed bit, is enough. */
static void a_write_into_a_free_frame_is_found_when_it_is_taken(void **state)
{
	const struct model_config config = { .ram_frames = 1024 };
	struct model *model = model_create(&config);
	uint64_t mfn = model_guest_frame(model);

	(void)state;
	model_guest_give(model, mfn, 0);
	assert_int_equal(model_guest_frame(model), mfn);
	assert_null(model_verdict(model));
	model_guest_give(model, mfn, 0);
	((uint8_t *)model_frame_bytes(model, mfn))[4095] ^= 0x20;
	assert_int_equal(model_guest_frame(model), mfn);
	assert_non_null(strstr(model_verdict(model), "oracle R"));
	assert_non_null(strstr(model_verdict(model), "while it was free"));
	model_destroy(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_answer_in_any_order),
		cmocka_unit_test(a_write_into_a_free_frame_is_found_when_it_is_taken),
		cmocka_unit_test(functions_that_are_not_there_answer_all_ones),
		cmocka_unit_test(bars_are_sized_by_writing_ones),
		cmocka_unit_test(bus_master_off_stops_transfers_also_in_a_bridge),
		cmocka_unit_test(resets_turn_bus_mastering_off_and_are_counted),
		cmocka_unit_test(requests_carry_the_ids_that_bridges_and_phantoms_give_them),
		cmocka_unit_test(firmware_tables_add_up_whatever_their_defect),
		cmocka_unit_test(dmar_names_units_paths_and_reserved_ranges),
		cmocka_unit_test(ivrs_names_units_aliases_and_unity_ranges),
		cmocka_unit_test(table_of_section_7_is_read_as_it_is_written),
		cmocka_unit_test(comparison_finds_too_little_too_much_and_too_narrow),
		cmocka_unit_test(comparison_allows_a_split_to_be_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
