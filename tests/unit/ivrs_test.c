/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/ivrs_test.c - discovery of AMD-Vi units from the IVRS table, good and hostile.
 */
#include "firmware_stub.h"

#define BASE		0xfed80000ull
#define OTHER_BASE	0xfed84000ull
#define GOOD_FEATURES	0x29d3ull /* as QEMU has it: 6 levels, invalidates all */
#define GOOD_CAPABILITY 0x1b03000fu
#define NP_CACHE	(1u << 26)
#define GOOD_MISC	0x00182840u /* 48 bits */

#define UNIT		0x10
#define UNIT_FEATURES	0x11
#define UNIT_NAMES_TOO	0x40

static void begin_machine(void)
{
	begin_table("IVRS");
	stub.capability = GOOD_CAPABILITY;
	stub.misc = GOOD_MISC;
}

static void put_unit_registers(uint64_t base, uint64_t features)
{
	set_register(base + 0x18, 0);
	set_register(base + 0x30, features);
}

static uint32_t begin_block(uint32_t type, uint32_t flags)
{
	uint32_t at = stub.length;

	put(1, type);
	put(1, flags);
	put(2, 0);
	return at;
}

static void end_block(uint32_t at)
{
	put_at(at + 2, 2, stub.length - at);
}

static uint32_t begin_unit(uint32_t type, uint64_t base)
{
	uint32_t at = begin_block(type, 0xd1);

	put(2, 0x0008);
	put(2, 0x40);
	put(8, base);
	put(2, 0);
	put(2, 0);
	put(4, 0);
	if (type != UNIT)
		put(16, 0);
	return at;
}

static void put_entry(uint32_t type, uint32_t device)
{
	put(1, type);
	put(2, device);
	put(1, 0);
}

static void put_long_entry(uint32_t type, uint32_t device, uint32_t alias)
{
	put_entry(type, device);
	put(1, 0);
	put(2, alias);
	put(1, 0);
}

static void put_named_entry(uint32_t device, uint32_t bytes)
{
	put_entry(0xf0, device);
	put(17, 0);
	put(1, bytes);
	put(bytes, 0);
}

static void put_range(uint32_t type, uint32_t flags, uint64_t base, uint64_t length)
{
	put(1, type);
	put(1, flags);
	put(2, 32);
	put(2, 0x10);
	put(2, type == 0x22 ? 0x1f : 0);
	put(8, 0);
	put(8, base);
	put(8, length);
}

/* One unit, one block; the entries are the caller's. */
static uint32_t begin_plain(void)
{
	begin_machine();
	put_unit_registers(BASE, GOOD_FEATURES);
	return begin_unit(UNIT, BASE);
}

static void put_rich_table(void)
{
	uint32_t at;

	begin_machine();
	put_unit_registers(BASE, GOOD_FEATURES);
	put_unit_registers(OTHER_BASE, GOOD_FEATURES);
	at = begin_unit(UNIT, BASE);
	put_entry(2, 0x0100);
	end_block(at);
	at = begin_unit(UNIT_FEATURES, BASE);
	put_entry(0, 0);
	put_entry(2, 0x0008);
	put_entry(3, 0x0010);
	put_entry(4, 0x0017);
	put_long_entry(0x42, 0x0200, 0x0180);
	put_long_entry(0x43, 0x0300, 0x0188);
	put_entry(4, 0x03ff);
	put_long_entry(0x46, 0x0400, 0);
	put_long_entry(0x47, 0x0500, 0);
	put_entry(4, 0x0501);
	put_long_entry(0x48, 0, 0x00a0);
	put_named_entry(0x0601, 5);
	end_block(at);
	at = begin_unit(UNIT_NAMES_TOO, OTHER_BASE);
	put_entry(1, 0);
	end_block(at);
	put_range(0x20, 1 | 2, 0x70000000, 0x1000);
	put_range(0x21, 1 | 2 | 4, 0x71000000, 0x2000);
	put_range(0x22, 8, 0x72000000, 0x3000);
	put_range(0x21, 0, 0x73000000, 0x1000);
}

static void registers_say_what_a_unit_can_do(void **state)
{
	struct unit *unit;

	(void)state;
	end_block(begin_plain());
	assert_int_equal(discover_table(sp_iommu_discover_ivrs), SP_OK);
	assert_int_equal(stub.host->unit_count, 1);
	unit = stub.host->units[0];
	assert_int_equal(unit->vendor, SP_VENDOR_AMDVI);
	assert_int_equal(unit->registers.maddr, BASE);
	assert_int_equal(unit->register_bytes, 0x4000);
	assert_int_equal(unit->levels, 0x7e);
	assert_int_equal(unit->leaf_levels, 7);
	assert_int_equal(unit->address_bits, 48);
	assert_int_equal(unit->name_count, UNIT_NAMES - 1);
	assert_int_equal(unit->observer.column, COLUMN_AMDVI);
	assert_int_equal(unit->observer.widest_order, 51);
	assert_true(unit->coherent);
	assert_true(unit->interrupt_remapping);
	assert_ptr_equal(unit->format, &format_amdvi);
	assert_int_equal(unit->special[0].first, 0xfee00);
	assert_int_equal(unit->special[1].first, 0xfd00000);
	assert_int_equal(unit->special[1].end, 0x10000000);
	assert_int_equal(stub.errors + stub.notes, 0);
	free_host();
}

static void a_unit_that_remembers_absent_entries_has_a_column_of_its_own(void **state)
{
	(void)state;
	end_block(begin_plain());
	stub.capability |= NP_CACHE;
	assert_int_equal(discover_table(sp_iommu_discover_ivrs), SP_OK);
	assert_int_equal(stub.host->units[0]->observer.column, COLUMN_AMDVI_CACHING);
	assert_true(stub.host->units[0]->not_present_cached);
	free_host();
}

static void a_unit_without_a_feature_register_walks_four_levels(void **state)
{
	(void)state;
	end_block(begin_plain());
	stub.capability &= ~(1u << 27);
	stub.misc = 0;
	assert_int_equal(discover_table(sp_iommu_discover_ivrs), SP_OK);
	assert_int_equal(stub.host->units[0]->levels, 0x1e);
	assert_int_equal(stub.host->units[0]->address_bits, 48);
	free_host();
}

static void performance_counters_make_the_registers_larger(void **state)
{
	(void)state;
	begin_machine();
	put_unit_registers(BASE, GOOD_FEATURES | 1u << 9);
	end_block(begin_unit(UNIT, BASE));
	assert_int_equal(discover_table(sp_iommu_discover_ivrs), SP_OK);
	assert_int_equal(stub.host->units[0]->register_bytes, 0x80000);
	free_host();
}

static void assert_scope(uint32_t index, uint32_t first, uint32_t last, int32_t alias)
{
	const struct scope *scope = &stub.host->scopes[index];

	assert_int_equal(scope->kind, SCOPE_RANGE);
	assert_int_equal(scope->first, first);
	assert_int_equal(scope->last, last);
	assert_int_equal(scope->has_alias, alias >= 0);
	if (alias >= 0)
		assert_int_equal(scope->alias, alias);
}

static void every_kind_of_device_entry_is_understood(void **state)
{
	(void)state;
	put_rich_table();
	assert_int_equal(discover_table(sp_iommu_discover_ivrs), SP_OK);
	assert_int_equal(stub.errors + stub.notes, 0);
	assert_int_equal(stub.host->scope_count, 7);
	assert_scope(0, 0x0008, 0x0008, -1);
	assert_scope(1, 0x0010, 0x0017, -1);
	assert_scope(2, 0x0200, 0x0200, 0x0180);
	assert_scope(3, 0x0300, 0x03ff, 0x0188);
	assert_scope(4, 0x0400, 0x0400, -1);
	assert_scope(5, 0x0500, 0x0501, -1);
	assert_scope(6, 0x0000, 0xffff, -1);
	assert_ptr_equal(stub.host->scopes[6].unit, stub.host->units[1]);
	free_host();
}

static void the_richest_block_of_a_unit_counts_and_the_others_do_not(void **state)
{
	uint32_t at;

	(void)state;
	begin_machine();
	put_unit_registers(BASE, GOOD_FEATURES);
	at = begin_unit(UNIT_NAMES_TOO, BASE);
	put_entry(2, 0x40);
	end_block(at);
	at = begin_unit(UNIT, BASE);
	put_entry(2, 0x10);
	end_block(at);
	at = begin_unit(UNIT_FEATURES, BASE);
	put_entry(2, 0x11);
	end_block(at);
	assert_int_equal(discover_table(sp_iommu_discover_ivrs), SP_OK);
	assert_int_equal(stub.host->unit_count, 1);
	assert_int_equal(stub.host->scope_count, 1);
	assert_scope(0, 0x40, 0x40, -1);
	free_host();
}

static void reserved_ranges_keep_their_devices_and_rights(void **state)
{
	const struct reserved *range;

	(void)state;
	put_rich_table();
	assert_int_equal(discover_table(sp_iommu_discover_ivrs), SP_OK);
	assert_int_equal(stub.host->reserved_count, 3);
	range = stub.host->reserved;
	assert_false(range[0].by_path);
	assert_int_equal(range[0].scope.first, 0);
	assert_int_equal(range[0].scope.last, 0xffff);
	assert_int_equal(range[0].first_mfn, 0x70000);
	assert_true(range[0].read && !range[0].write);
	assert_int_equal(range[1].scope.first, 0x10);
	assert_int_equal(range[1].scope.last, 0x10);
	assert_int_equal(range[1].count, 2);
	assert_true(range[1].read && range[1].write);
	assert_int_equal(range[2].scope.first, 0x10);
	assert_int_equal(range[2].scope.last, 0x1f);
	assert_true(range[2].read && range[2].write);
	free_host();
}

static void what_is_not_known_is_skipped_with_one_line_each(void **state)
{
	uint32_t at = begin_plain(), more;

	(void)state;
	put_entry(5, 0x0010);
	end_block(at);
	more = begin_block(0x50, 0);
	put(4, 0);
	end_block(more);
	assert_int_equal(discover_table(sp_iommu_discover_ivrs), SP_OK);
	assert_string_equal(stub.line,
			    "IVRS at byte 0x4c: block of type 0x50 is not known: skipped");
	assert_int_equal(stub.notes, 2);
	free_host();
}

static void a_table_without_units_says_so(void **state)
{
	(void)state;
	begin_machine();
	put_range(0x20, 1, 0x70000000, 0x1000);
	assert_int_equal(discover_table(sp_iommu_discover_ivrs), SP_NOT_FOUND);
	assert_nothing_registered();
	free_host();
}

/* --- hostile ------------------------------------------------------------------------------------ */

static void a_block_shorter_than_its_kind_is_refused(void **state)
{
	static const struct {
		uint32_t type, least;
		const char *name;
	} kinds[] = { { 0x10, 24, "IVHD" }, { 0x11, 40, "IVHD" }, { 0x40, 40, "IVHD" },
		      { 0x20, 32, "IVMD" }, { 0x21, 32, "IVMD" }, { 0x22, 32, "IVMD" },
		      { 0x55, 4, "block" } };

	(void)state;
	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (uint32_t length = 0; length < kinds[i].least; length++) {
			char line[128];

			end_block(begin_plain());
			put(2, kinds[i].type);
			put(2, length);
			put(60, 0);
			snprintf(line, sizeof(line),
				 "IVRS at byte 0x48: %s of %u bytes, %u at least", kinds[i].name,
				 length, kinds[i].least);
			assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED, line);
		}
	}
}

static void a_block_that_runs_past_the_table_is_refused(void **state)
{
	(void)state;
	end_block(begin_plain());
	put_at(48 + 2, 2, 28);
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x30: IVHD of 28 bytes, but only 24 are left");
	end_block(begin_plain());
	put(3, 0);
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x48: block begins beyond the end of the table");
}

static void a_header_that_contradicts_itself_is_refused(void **state)
{
	(void)state;
	begin_machine();
	stub.length = 47;
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x0: shorter than its header of 48 bytes");
	begin_table("IVRX");
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x0: the signature is not IVRS");
	begin_machine();
	make_host();
	put_at(4, 4, 49);
	assert_int_equal(discover_bytes(sp_iommu_discover_ivrs, 48), SP_MALFORMED);
	assert_string_equal(stub.line,
			    "IVRS at byte 0x4: the length contradicts what was handed over");
	free_host();
}

/* Entries are longer than what is left of their block. */
static void a_device_entry_that_is_cut_off_is_refused(void **state)
{
	static const struct {
		uint32_t type, left;
		const char *line;
	} cuts[] = {
		{ 0x02, 3, "IVRS at byte 0x48: device entry of 4 bytes, but only 3 are left" },
		{ 0x42, 7, "IVRS at byte 0x48: device entry of 8 bytes, but only 7 are left" },
		{ 0x80, 15, "IVRS at byte 0x48: device entry of 16 bytes, but only 15 are left" },
		{ 0xc0, 31, "IVRS at byte 0x48: device entry of 32 bytes, but only 31 are left" },
		{ 0xf0, 21, "IVRS at byte 0x48: device entry of 22 bytes, but only 21 are left" },
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		uint32_t at = begin_plain();

		put(1, cuts[i].type);
		put(cuts[i].left - 1, 0);
		end_block(at);
		assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED, cuts[i].line);
	}
}

static void a_named_device_that_is_longer_than_its_block_is_refused(void **state)
{
	uint32_t at = begin_plain();

	(void)state;
	put_named_entry(0x10, 0);
	put_at(stub.length - 1, 1, 200);
	end_block(at);
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x48: device entry of 222 bytes, but only 22 are left");
}

static void a_device_entry_without_a_known_length_is_refused(void **state)
{
	uint32_t at = begin_plain();

	(void)state;
	put_entry(0xf1, 0);
	put(60, 0);
	end_block(at);
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x48: device entry of a type whose length nobody knows");
}

static void ranges_of_devices_must_start_and_end(void **state)
{
	uint32_t at = begin_plain();

	(void)state;
	put_entry(4, 0x10);
	end_block(at);
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x48: device range ends that did not start");
	at = begin_plain();
	put_entry(3, 0x10);
	put_entry(4, 0x0f);
	end_block(at);
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x4c: device range ends before it starts");
	at = begin_plain();
	put_entry(3, 0x10);
	end_block(at);
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x48: device range starts that does not end");
	at = begin_plain();
	put_entry(3, 0x10);
	put_entry(2, 0x18);
	put_entry(4, 0x1f);
	end_block(at);
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x48: device range starts that does not end");
}

static void a_unit_that_cannot_be_is_refused(void **state)
{
	(void)state;
	begin_machine();
	end_block(begin_unit(UNIT, 0));
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x30: IVHD whose register base is 0");
	begin_machine();
	end_block(begin_unit(UNIT, BASE + 0x1000));
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x30: IVHD whose register base is not aligned to 16 KiB");
	end_block(begin_plain());
	end_block(begin_unit(UNIT, BASE));
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x48: IVHD names a unit a second time");
	end_block(begin_plain());
	put_at(48 + 6, 2, 0x42);
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x30: IVHD whose capability lies where none can be");
}

static void a_unit_that_does_not_answer_is_refused(void **state)
{
	(void)state;
	begin_machine();
	end_block(begin_unit(UNIT, BASE));
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "AMD-Vi unit at 0xfed80000: registers do not answer");
	end_block(begin_plain());
	stub.capability = UINT32_MAX;
	assert_refused(
		sp_iommu_discover_ivrs, SP_MALFORMED,
		"AMD-Vi unit at 0xfed80000: its PCI function does not answer where the IVRS names it");
	end_block(begin_plain());
	stub.capability = 0x00020005;
	assert_refused(
		sp_iommu_discover_ivrs, SP_MALFORMED,
		"AMD-Vi unit at 0xfed80000: its PCI function has no IOMMU capability where the IVRS says");
}

static void a_range_of_memory_that_cannot_be_is_refused(void **state)
{
	static const struct {
		uint64_t base, length;
		const char *line;
	} ranges[] = {
		{ 0x1000, 0,
		  "IVRS at byte 0x48: IVMD whose range is empty or ends beyond every address" },
		{ UINT64_MAX - 0xfff, 0x2000,
		  "IVRS at byte 0x48: IVMD whose range is empty or ends beyond every address" },
		{ 0x1000, 1ull << 60,
		  "IVRS at byte 0x48: IVMD whose range is empty or ends beyond every address" },
		{ 0x1800, 0x1000, "IVRS at byte 0x48: IVMD that is not made of whole pages" },
		{ 0x1000, 0x1001, "IVRS at byte 0x48: IVMD that is not made of whole pages" },
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		end_block(begin_plain());
		put_range(0x21, 1, ranges[i].base, ranges[i].length);
		assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED, ranges[i].line);
	}
	end_block(begin_plain());
	put_range(0x22, 1, 0x1000, 0x1000);
	put_at(0x48 + 6, 2, 0x0f);
	assert_refused(sp_iommu_discover_ivrs, SP_MALFORMED,
		       "IVRS at byte 0x48: IVMD whose last device comes before its first");
}

static void more_than_the_host_holds_leaves_nothing_behind(void **state)
{
	uint32_t at;

	(void)state;
	put_rich_table();
	stub.limits.units = 1;
	assert_refused(sp_iommu_discover_ivrs, SP_NO_SPACE,
		       "no room for one more unit; raise sp_limits.units");
	at = begin_plain();
	for (uint32_t i = 0; i <= HOST_SCOPES; i++)
		put_entry(2, i);
	end_block(at);
	assert_refused(sp_iommu_discover_ivrs, SP_NO_SPACE,
		       "firmware's table names more devices than fit");
}

static void no_cut_and_no_wrong_byte_is_answered_by_half_a_registration(void **state)
{
	(void)state;
	put_rich_table();
	assert_survives(sp_iommu_discover_ivrs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_say_what_a_unit_can_do),
		cmocka_unit_test(a_unit_that_remembers_absent_entries_has_a_column_of_its_own),
		cmocka_unit_test(a_unit_without_a_feature_register_walks_four_levels),
		cmocka_unit_test(performance_counters_make_the_registers_larger),
		cmocka_unit_test(every_kind_of_device_entry_is_understood),
		cmocka_unit_test(the_richest_block_of_a_unit_counts_and_the_others_do_not),
		cmocka_unit_test(reserved_ranges_keep_their_devices_and_rights),
		cmocka_unit_test(what_is_not_known_is_skipped_with_one_line_each),
		cmocka_unit_test(a_table_without_units_says_so),
		cmocka_unit_test(a_block_shorter_than_its_kind_is_refused),
		cmocka_unit_test(a_block_that_runs_past_the_table_is_refused),
		cmocka_unit_test(a_header_that_contradicts_itself_is_refused),
		cmocka_unit_test(a_device_entry_that_is_cut_off_is_refused),
		cmocka_unit_test(a_named_device_that_is_longer_than_its_block_is_refused),
		cmocka_unit_test(a_device_entry_without_a_known_length_is_refused),
		cmocka_unit_test(ranges_of_devices_must_start_and_end),
		cmocka_unit_test(a_unit_that_cannot_be_is_refused),
		cmocka_unit_test(a_unit_that_does_not_answer_is_refused),
		cmocka_unit_test(a_range_of_memory_that_cannot_be_is_refused),
		cmocka_unit_test(more_than_the_host_holds_leaves_nothing_behind),
		cmocka_unit_test(no_cut_and_no_wrong_byte_is_answered_by_half_a_registration),
	};

	return cmocka_run_group_tests_name("IVRS", tests, NULL, NULL);
}
