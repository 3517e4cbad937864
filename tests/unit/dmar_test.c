/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/dmar_test.c - discovery of VT-d units from the DMAR table, good and hostile.
 */
#include "firmware_stub.h"

#define BASE	    0xfed90000ull
#define OTHER_BASE  0xfed91000ull
/* 48 bits, 3 and 4 levels, 2M and 1G pages, page-selective up to 2^18, drains, 65536 domain ids. */
#define GOOD_CAP    0x00d2008c222f0606ull
#define GOOD_ECAP   0x0000000000f0100aull
#define CAP_CACHING (1ull << 7)
#define CAP_BUFFER  (1ull << 4)
#define CAP_DRAINS  (3ull << 54)

enum scope_of_test {
	ENDPOINT = 1,
	BRIDGE,
	IOAPIC,
	HPET,
	NAMESPACE
};

static void put_unit_registers(uint64_t base, uint64_t cap, uint64_t ecap)
{
	set_register(base, 0x10);
	set_register(base + 8, cap);
	set_register(base + 16, ecap);
}

/* The header of a structure; end_structure() fills in the length. */
static uint32_t begin_structure(uint32_t type)
{
	uint32_t at = stub.length;

	put(2, type);
	put(2, 0);
	return at;
}

static void end_structure(uint32_t at)
{
	put_at(at + 2, 2, stub.length - at);
}

static uint32_t begin_unit(uint32_t flags, uint64_t base)
{
	uint32_t at = begin_structure(0);

	put(1, flags);
	put(1, 0);
	put(2, 0);
	put(8, base);
	return at;
}

static void put_scope(uint32_t type, uint32_t bus, uint32_t steps, const uint8_t (*path)[2])
{
	put(1, type);
	put(1, 6 + 2 * steps);
	put(2, 0);
	put(1, 0);
	put(1, bus);
	for (uint32_t i = 0; i < steps; i++) {
		put(1, path[i][0]);
		put(1, path[i][1]);
	}
}

static void put_endpoint(uint32_t device)
{
	const uint8_t path[1][2] = { { (uint8_t)device, 0 } };

	put_scope(ENDPOINT, 0, 1, path);
}

static uint32_t begin_range(uint64_t base, uint64_t limit)
{
	uint32_t at = begin_structure(1);

	put(2, 0);
	put(2, 0);
	put(8, base);
	put(8, limit);
	return at;
}

static void put_plain_unit(void)
{
	begin_table("DMAR");
	put_unit_registers(BASE, GOOD_CAP, GOOD_ECAP);
	end_structure(begin_unit(1, BASE));
}

/* One of everything that the specification knows. */
static void put_rich_table(void)
{
	const uint8_t one[1][2] = { { 0x1f, 0 } };
	const uint8_t two[2][2] = { { 0x1c, 4 }, { 0, 0 } };
	uint32_t at;

	begin_table("DMAR");
	put_unit_registers(BASE, GOOD_CAP, GOOD_ECAP);
	put_unit_registers(OTHER_BASE, GOOD_CAP, GOOD_ECAP);
	at = begin_unit(0, BASE);
	put_scope(IOAPIC, 0xff, 1, one);
	put_endpoint(2);
	put_scope(BRIDGE, 0, 2, two);
	put_scope(HPET, 0, 1, one);
	put_scope(NAMESPACE, 0, 1, one);
	end_structure(at);
	end_structure(begin_unit(1, OTHER_BASE));
	at = begin_range(0x7c000000, 0x7dffffff);
	put_endpoint(2);
	put_endpoint(3);
	end_structure(at);
	at = begin_structure(2); /* ATSR */
	put(4, 0);
	put_scope(BRIDGE, 0, 1, one);
	end_structure(at);
	at = begin_structure(3); /* RHSA */
	put(4, 0);
	put(8, BASE);
	put(4, 0);
	end_structure(at);
	at = begin_structure(4); /* ANDD */
	put(4, 1u << 24);
	put(6, 0x005130305c);
	end_structure(at);
	at = begin_structure(5); /* SATC */
	put(4, 0);
	put_endpoint(4);
	end_structure(at);
	at = begin_structure(6); /* SIDP */
	put(4, 0);
	put_endpoint(5);
	end_structure(at);
}

static void registers_say_what_a_unit_can_do(void **state)
{
	struct unit *unit;

	(void)state;
	put_plain_unit();
	assert_int_equal(discover_table(sp_iommu_discover_dmar), SP_OK);
	assert_int_equal(stub.host->unit_count, 1);
	unit = stub.host->units[0];
	assert_int_equal(unit->vendor, SP_VENDOR_VTD);
	assert_int_equal(unit->registers.maddr, BASE);
	assert_int_equal(unit->register_bytes, 4096);
	assert_int_equal(unit->levels, 1 << 3 | 1 << 4);
	assert_int_equal(unit->leaf_levels, 7);
	assert_int_equal(unit->address_bits, 48);
	assert_int_equal(unit->name_count, UNIT_NAMES - 1);
	assert_int_equal(unit->observer.column, COLUMN_VTD);
	assert_int_equal(unit->observer.widest_order, 18);
	assert_false(unit->observer.no_pages);
	assert_false(unit->coherent);
	assert_false(unit->not_present_cached);
	assert_true(unit->interrupt_remapping);
	assert_ptr_equal(unit->format, &format_vtd);
	assert_int_equal(unit->special[0].first, 0xfee00);
	assert_int_equal(unit->special[0].end, 0xfef00);
	assert_int_equal(stub.errors + stub.notes, 0);
	free_host();
}

static struct unit *unit_with(uint64_t cap, uint64_t ecap)
{
	begin_table("DMAR");
	put_unit_registers(BASE, cap, ecap);
	end_structure(begin_unit(1, BASE));
	assert_int_equal(discover_table(sp_iommu_discover_dmar), SP_OK);
	return stub.host->units[0];
}

static void a_unit_in_caching_mode_has_a_column_of_its_own(void **state)
{
	struct unit *unit = unit_with(GOOD_CAP | CAP_CACHING, GOOD_ECAP);

	(void)state;
	assert_int_equal(unit->observer.column, COLUMN_VTD_CACHING);
	assert_true(unit->not_present_cached);
	free_host();
}

static void a_unit_with_a_write_buffer_is_told_of_new_mappings(void **state)
{
	struct unit *unit = unit_with(GOOD_CAP | CAP_BUFFER, GOOD_ECAP);

	(void)state;
	assert_int_equal(unit->observer.column, COLUMN_VTD_BUFFER);
	assert_false(unit->not_present_cached);
	free_host();
	unit = unit_with(GOOD_CAP | CAP_BUFFER | CAP_CACHING, GOOD_ECAP);
	assert_int_equal(unit->observer.column, COLUMN_VTD_CACHING);
	free_host();
}

static void a_unit_that_does_not_drain_is_refused(void **state)
{
	static const uint64_t lacking[] = { CAP_DRAINS, 1ull << 54, 1ull << 55 };

	(void)state;
	for (uint32_t version = 1; version <= 2; version++) {
		for (uint32_t i = 0; i < 3; i++) {
			begin_table("DMAR");
			set_register(BASE, version << 4);
			set_register(BASE + 8, GOOD_CAP & ~lacking[i]);
			set_register(BASE + 16, GOOD_ECAP);
			end_structure(begin_unit(1, BASE));
			assert_int_equal(discover_table(sp_iommu_discover_dmar),
					 version == 1 ? SP_UNSUPPORTED : SP_OK);
			assert_int_equal(stub.errors, version == 1);
			free_host();
		}
	}
}

static void a_poor_unit_is_described_as_it_is(void **state)
{
	/* 16 domain ids, 39 bits, 3 levels, no large pages, no page-selective invalidation; C set, IR not */
	struct unit *unit = unit_with(CAP_DRAINS | 38ull << 16 | 2ull << 8 | 0x20ull << 24, 3);

	(void)state;
	assert_int_equal(unit->levels, 1 << 3);
	assert_int_equal(unit->leaf_levels, 1);
	assert_int_equal(unit->address_bits, 39);
	assert_int_equal(unit->name_count, 15);
	assert_true(unit->observer.no_pages);
	assert_true(unit->coherent);
	assert_false(unit->interrupt_remapping);
	free_host();
}

static void registers_far_up_belong_to_the_unit(void **state)
{
	struct unit *unit = unit_with((GOOD_CAP & ~(0x3ffull << 24)) | 0x3ffull << 24, GOOD_ECAP);

	(void)state;
	assert_int_equal(unit->register_bytes, 0x4000);
	free_host();
}

static void every_kind_of_structure_is_understood(void **state)
{
	const struct scope *scope;

	(void)state;
	put_rich_table();
	assert_int_equal(discover_table(sp_iommu_discover_dmar), SP_OK);
	assert_int_equal(stub.errors + stub.notes, 0);
	assert_int_equal(stub.host->unit_count, 2);
	assert_int_equal(stub.host->scope_count, 3);
	scope = stub.host->scopes;
	assert_int_equal(scope[0].kind, SCOPE_PATH);
	assert_int_equal(scope[0].path_length, 1);
	assert_int_equal(scope[0].path[0][0], 2);
	assert_int_equal(scope[1].kind, SCOPE_BELOW);
	assert_int_equal(scope[1].path_length, 2);
	assert_int_equal(scope[1].path[0][0], 0x1c);
	assert_int_equal(scope[1].path[0][1], 4);
	assert_ptr_equal(scope[1].unit, stub.host->units[0]);
	assert_int_equal(scope[2].kind, SCOPE_REST);
	assert_ptr_equal(scope[2].unit, stub.host->units[1]);
	free_host();
}

static void a_reserved_range_is_kept_for_each_of_its_devices(void **state)
{
	const struct reserved *range;

	(void)state;
	put_rich_table();
	assert_int_equal(discover_table(sp_iommu_discover_dmar), SP_OK);
	assert_int_equal(stub.host->reserved_count, 2);
	range = stub.host->reserved;
	assert_true(range[0].by_path);
	assert_int_equal(range[0].first_mfn, 0x7c000);
	assert_int_equal(range[0].count, 0x2000);
	assert_true(range[0].read && range[0].write);
	assert_int_equal(range[0].scope.path[0][0], 2);
	assert_int_equal(range[1].scope.path[0][0], 3);
	free_host();
}

static void a_structure_that_is_not_known_is_skipped_with_one_line(void **state)
{
	uint32_t at;

	(void)state;
	put_plain_unit();
	at = begin_structure(9);
	put(4, 0);
	end_structure(at);
	assert_int_equal(discover_table(sp_iommu_discover_dmar), SP_OK);
	assert_string_equal(stub.line,
			    "DMAR at byte 0x40: structure of type 9 is not known: skipped");
	assert_int_equal(stub.notes, 1);
	assert_int_equal(stub.host->unit_count, 1);
	free_host();
}

static void a_table_without_units_says_so(void **state)
{
	(void)state;
	begin_table("DMAR");
	assert_int_equal(discover_table(sp_iommu_discover_dmar), SP_NOT_FOUND);
	free_host();
}

/* --- hostile ------------------------------------------------------------------------------------ */

static void a_structure_shorter_than_its_kind_is_refused(void **state)
{
	static const struct {
		uint32_t type, least;
		const char *name;
	} kinds[] = {
		{ 0, 16, "DRHD" }, { 1, 24, "RMRR" }, { 2, 8, "ATSR" }, { 3, 20, "RHSA" },
		{ 4, 9, "ANDD" },  { 5, 8, "SATC" },  { 6, 8, "SIDP" }, { 7, 4, "structure" }
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (uint32_t length = 0; length < kinds[i].least; length++) {
			char line[128];

			put_plain_unit();
			put(2, kinds[i].type);
			put(2, length);
			put(60, 0);
			snprintf(line, sizeof(line),
				 "DMAR at byte 0x40: %s of %u bytes, %u at least", kinds[i].name,
				 length, kinds[i].least);
			assert_refused(sp_iommu_discover_dmar, SP_MALFORMED, line);
		}
	}
}

static void a_structure_that_runs_past_the_table_is_refused(void **state)
{
	(void)state;
	put_plain_unit();
	put_at(48 + 2, 2, 17);
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x30: DRHD of 17 bytes, but only 16 are left");
	put_plain_unit();
	put(3, 0);
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x40: structure begins beyond the end of the table");
}

static void a_header_that_contradicts_itself_is_refused(void **state)
{
	(void)state;
	begin_table("DMAR");
	stub.length = 47;
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x0: shorter than its header of 48 bytes");
	begin_table("DMAX");
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x0: the signature is not DMAR");
	begin_table("DMAR");
	make_host();
	put_at(4, 4, 49);
	assert_int_equal(discover_bytes(sp_iommu_discover_dmar, 48), SP_MALFORMED);
	put_at(4, 4, 47);
	assert_int_equal(discover_bytes(sp_iommu_discover_dmar, 48), SP_MALFORMED);
	assert_string_equal(stub.line,
			    "DMAR at byte 0x4: the length contradicts what was handed over");
	free_host();
}

/* A unit whose one scope has this length, and as much room. */
static void put_unit_with_scope(uint32_t length, uint32_t room)
{
	uint32_t at, scope;

	begin_table("DMAR");
	put_unit_registers(BASE, GOOD_CAP, GOOD_ECAP);
	at = begin_unit(0, BASE);
	scope = stub.length;
	for (uint32_t i = 0; i < room; i++)
		put(1, 0);
	put_at(scope, 1, ENDPOINT);
	put_at(scope + 1, 1, length);
	end_structure(at);
}

static void a_scope_with_an_impossible_length_is_refused(void **state)
{
	static const char at_least[] = "DMAR at byte 0x40: device scope of %u bytes, 8 at least";
	char line[128];

	(void)state;
	for (uint32_t length = 0; length < 8; length++) {
		put_unit_with_scope(length, 8);
		snprintf(line, sizeof(line), at_least, length);
		assert_refused(sp_iommu_discover_dmar, SP_MALFORMED, line);
	}
	put_unit_with_scope(10, 8);
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x40: device scope of 10 bytes, but only 8 are left");
	put_unit_with_scope(9, 9);
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x40: device scope whose path has an odd length");
	put_unit_with_scope(24, 24);
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x40: device scope with a path of more than 8 steps");
	put_unit_with_scope(5, 5);
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x40: device scope begins beyond the end of its structure");
}

static void a_path_through_no_device_is_refused(void **state)
{
	(void)state;
	put_unit_with_scope(8, 8);
	put_at(stub.length - 2, 1, 32);
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x46: path step beyond device 31 or function 7");
	put_unit_with_scope(8, 8);
	put_at(stub.length - 1, 1, 8);
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x46: path step beyond device 31 or function 7");
}

static void a_unit_that_cannot_be_is_refused(void **state)
{
	(void)state;
	begin_table("DMAR");
	end_structure(begin_unit(1, 0));
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x30: DRHD whose register base is 0");
	begin_table("DMAR");
	end_structure(begin_unit(1, BASE + 0x800));
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x30: DRHD whose register base is no address of a page");
	put_plain_unit();
	end_structure(begin_unit(0, BASE));
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x40: DRHD names a unit a second time");
	put_plain_unit();
	end_structure(begin_unit(1, OTHER_BASE));
	assert_refused(
		sp_iommu_discover_dmar, SP_MALFORMED,
		"DMAR at byte 0x40: DRHD takes the rest of a segment that another unit takes");
}

static void a_unit_that_is_known_already_is_refused(void **state)
{
	(void)state;
	put_plain_unit();
	assert_int_equal(discover_table(sp_iommu_discover_dmar), SP_OK);
	assert_int_equal(discover_bytes(sp_iommu_discover_dmar, stub.length), SP_MALFORMED);
	assert_string_equal(stub.line, "DMAR at byte 0x30: DRHD names a unit a second time");
	assert_int_equal(stub.host->unit_count, 1);
	free_host();
}

static void a_unit_that_the_driver_cannot_run_is_refused_by_name(void **state)
{
	(void)state;
	begin_table("DMAR");
	end_structure(begin_unit(1, BASE));
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "VT-d unit at 0xfed90000: registers do not answer");
	begin_table("DMAR");
	put_unit_registers(BASE, GOOD_CAP, GOOD_ECAP & ~2ull);
	end_structure(begin_unit(1, BASE));
	assert_refused(sp_iommu_discover_dmar, SP_UNSUPPORTED,
		       "VT-d unit at 0xfed90000: no queued invalidation (ECAP.QI)");
	begin_table("DMAR");
	put_unit_registers(BASE, GOOD_CAP & ~0x1f00ull, GOOD_ECAP);
	end_structure(begin_unit(1, BASE));
	assert_refused(
		sp_iommu_discover_dmar, SP_UNSUPPORTED,
		"VT-d unit at 0xfed90000: walks tables of neither 3, 4 nor 5 levels (CAP.SAGAW)");
}

static void a_second_unit_that_is_refused_takes_the_first_with_it(void **state)
{
	(void)state;
	put_plain_unit();
	put_unit_registers(OTHER_BASE, GOOD_CAP, GOOD_ECAP & ~2ull);
	end_structure(begin_unit(0, OTHER_BASE));
	assert_refused(sp_iommu_discover_dmar, SP_UNSUPPORTED,
		       "VT-d unit at 0xfed91000: no queued invalidation (ECAP.QI)");
}

static void a_range_that_cannot_be_is_refused(void **state)
{
	static const struct {
		uint64_t base, limit;
		const char *line;
	} ranges[] = {
		{ 0x2000, 0x1fff, "DMAR at byte 0x40: RMRR whose limit lies below its base" },
		{ 0x7d000000, 0x7c000fff,
		  "DMAR at byte 0x40: RMRR whose limit lies below its base" },
		{ 0x2800, 0x3fff, "DMAR at byte 0x40: RMRR that is not made of whole pages" },
		{ 0x2000, 0x3ffe, "DMAR at byte 0x40: RMRR that is not made of whole pages" },
		{ 0x2000, UINT64_MAX, "DMAR at byte 0x40: RMRR that is not made of whole pages" },
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		uint32_t at;

		put_plain_unit();
		at = begin_range(ranges[i].base, ranges[i].limit);
		put_endpoint(2);
		end_structure(at);
		assert_refused(sp_iommu_discover_dmar, SP_MALFORMED, ranges[i].line);
	}
}

static void a_name_without_an_end_is_refused(void **state)
{
	uint32_t at;

	(void)state;
	put_plain_unit();
	at = begin_structure(4);
	put(4, 0);
	put(4, 0x41414141);
	end_structure(at);
	assert_refused(sp_iommu_discover_dmar, SP_MALFORMED,
		       "DMAR at byte 0x40: ANDD whose name does not end");
}

static void more_units_than_the_host_holds_leave_nothing_behind(void **state)
{
	(void)state;
	put_rich_table();
	stub.limits.units = 1;
	assert_refused(sp_iommu_discover_dmar, SP_NO_SPACE,
		       "no room for one more unit; raise sp_limits.units");
}

static void a_server_has_more_units_than_one_domain_uses(void **state)
{
	struct sp_unit_info info;

	(void)state;
	begin_table("DMAR");
	stub.limits.units = 20;
	for (uint32_t i = 0; i < 20; i++) {
		put_unit_registers(BASE + 0x1000 * i, GOOD_CAP, GOOD_ECAP);
		end_structure(begin_unit(i == 19, BASE + 0x1000 * i));
	}
	assert_int_equal(discover_table(sp_iommu_discover_dmar), SP_OK);
	assert_int_equal(sp_unit_info(stub.host, 19, &info), SP_OK);
	assert_int_equal(info.registers.maddr, BASE + 0x13000);
	assert_int_equal(sp_unit_info(stub.host, 20, &info), SP_NOT_FOUND);
	free_host();
}

static void no_cut_and_no_wrong_byte_is_answered_by_half_a_registration(void **state)
{
	(void)state;
	put_rich_table();
	assert_survives(sp_iommu_discover_dmar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_say_what_a_unit_can_do),
		cmocka_unit_test(a_unit_in_caching_mode_has_a_column_of_its_own),
		cmocka_unit_test(a_unit_with_a_write_buffer_is_told_of_new_mappings),
		cmocka_unit_test(a_unit_that_does_not_drain_is_refused),
		cmocka_unit_test(a_poor_unit_is_described_as_it_is),
		cmocka_unit_test(registers_far_up_belong_to_the_unit),
		cmocka_unit_test(every_kind_of_structure_is_understood),
		cmocka_unit_test(a_reserved_range_is_kept_for_each_of_its_devices),
		cmocka_unit_test(a_structure_that_is_not_known_is_skipped_with_one_line),
		cmocka_unit_test(a_table_without_units_says_so),
		cmocka_unit_test(a_structure_shorter_than_its_kind_is_refused),
		cmocka_unit_test(a_structure_that_runs_past_the_table_is_refused),
		cmocka_unit_test(a_header_that_contradicts_itself_is_refused),
		cmocka_unit_test(a_scope_with_an_impossible_length_is_refused),
		cmocka_unit_test(a_path_through_no_device_is_refused),
		cmocka_unit_test(a_unit_that_cannot_be_is_refused),
		cmocka_unit_test(a_unit_that_is_known_already_is_refused),
		cmocka_unit_test(a_unit_that_the_driver_cannot_run_is_refused_by_name),
		cmocka_unit_test(a_second_unit_that_is_refused_takes_the_first_with_it),
		cmocka_unit_test(a_range_that_cannot_be_is_refused),
		cmocka_unit_test(a_name_without_an_end_is_refused),
		cmocka_unit_test(more_units_than_the_host_holds_leave_nothing_behind),
		cmocka_unit_test(a_server_has_more_units_than_one_domain_uses),
		cmocka_unit_test(no_cut_and_no_wrong_byte_is_answered_by_half_a_registration),
	};

	return cmocka_run_group_tests_name("DMAR", tests, NULL, NULL);
}
