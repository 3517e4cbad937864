/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vpci_capability_test.c - which capabilities a guest sees, and the messages it
 * wants.
 */
#include "tests/unit/vpci_fixture.h"

/* ---- capabilities ---- */

static void hidden_capabilities_are_out_of_the_list(void **state)
{
	static const uint32_t wanted[] = { POWER, MSI, EXPRESS, MSIX };
	uint32_t at;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_read(CONFIG_COMMAND + 2, 2), 0x10);
	at = guest_read(CONFIG_CAPABILITIES, 1);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_int_equal(at, wanted[i]);
		assert_int_equal(guest_read(at, 1), config_get(NIC, at, 1));
		at = guest_read(at + 1, 1);
	}
	assert_int_equal(at, 0);
	assert_int_equal(guest_read(VPD, 4), 0);
	assert_int_equal(guest_read(VPD + 4, 4), 0);
}

static void a_function_without_any_has_no_list(void **state)
{
	(void)state;
	assert_int_equal(guest_add(PLAIN), SP_OK);
	assert_int_equal(guest_read(CONFIG_COMMAND + 2, 2), 0);
	assert_int_equal(guest_read(CONFIG_CAPABILITIES, 1), 0);
}

/* A circle, one capability twice, one inside another, one over the end. */
static void lists_that_lie_end(void **state)
{
	(void)state;
	config_set_capability(NIC, MSIX, CAPABILITY_MSIX, POWER);
	config_set_capability(NIC, VPD, CAPABILITY_POWER, MSI);
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_read(MSIX + 1, 1), 0);
	assert_int_equal(guest_read(VPD, 4), 0);
	assert_int_equal(vpci_machine(NULL), 0);
	config_set_capability(NIC, VPD, 0x03, 0xfc);
	config_set_capability(NIC, 0xfc, CAPABILITY_MSIX, MSI + 4);
	config_set_capability(NIC, MSI + 4, CAPABILITY_MSI, MSI);
	config_put(NIC, MSI + 6, 2, MSI_64);
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(machine.vpci.function[0].msi, MSI + 4);
	assert_int_equal(guest_read(MSI, 4), 0);
	assert_int_equal(guest_read(MSI + 5, 1), MSIX);
	assert_int_equal(guest_read(0xfc, 4), 0);
}

static void power_states_are_only_remembered(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_read(POWER + 2, 2), 0x0022);
	assert_int_equal(guest_read(POWER + 4, 4), POWER_NO_RESET);
	(void)guest_write(POWER + 4, 2, 0x8103);
	assert_int_equal(guest_read(POWER + 4, 4), POWER_NO_RESET | 3);
	assert_int_equal(config_get(NIC, POWER + 4, 4), 0x2100);
}

static void a_function_becomes_a_part_of_the_root_complex(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_read(EXPRESS + 2, 2), 0x0091);
	assert_int_equal(guest_read(EXPRESS + EXPRESS_DEVICE_CAP, 4), 0x10008fc2 & ~0x10000018u);
	assert_int_equal(guest_read(EXPRESS + 0x0c, 4), 0);
}

/* Reset (bit 15) and phantom functions (bit 9) are not the guest's; status is cleared by writing. */
static void device_control_is_passed_on_in_part(void **state)
{
	const uint32_t at = EXPRESS + EXPRESS_DEVICE_CONTROL;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	config_put(NIC, at, 4, 0x002f2010);
	assert_int_equal(guest_read(at + 2, 2), 0x0020);
	(void)guest_write(at, 4, 0xffffffff);
	assert_int_equal(machine.writes, 1);
	assert_int_equal(machine.written_offset, at);
	assert_int_equal(machine.written_bytes, 2);
	assert_int_equal(machine.written_value, DEVICE_RELAXED | DEVICE_NO_SNOOP | DEVICE_READ_MAX);
	assert_int_equal(config_get(NIC, at + 2, 2), 0x002f);
	(void)guest_write(at, 2, 0);
	assert_int_equal(config_get(NIC, at, 2), 0);
}

/* ---- messages ---- */

static void msi_is_the_hypervisors_to_send(void **state)
{
	const struct vpci_function *function = &machine.vpci.function[0];
	struct vpci_message message;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_read(MSI + 2, 2), MSI_64);
	assert_int_equal(guest_write(MSI + 4, 4, 0xfee01004), VPCI_MSI);
	assert_int_equal(guest_write(MSI + 8, 4, 0), 0);
	assert_int_equal(guest_write(MSI + 12, 2, 0x4041), VPCI_MSI);
	assert_false(vpci_message(function, 0).on);
	assert_int_equal(guest_write(MSI + 2, 2, 0xffff), VPCI_MSI);
	assert_int_equal(guest_read(MSI + 2, 2), MSI_64 | MSI_ENABLE);
	message = vpci_message(function, 0);
	assert_true(message.on);
	assert_true(message.address == 0xfee01004);
	assert_int_equal(message.data, 0x4041);
	assert_false(vpci_message(function, 1).on);
	assert_int_equal(machine.writes, 0);
}

/* 32 bits wide, with a mask; what is pending comes from the function. */
static void msi_of_the_small_kind_has_its_mask(void **state)
{
	const struct vpci_function *function = &machine.vpci.function[0];

	(void)state;
	config_put(NIC, MSI + 2, 2, MSI_MASKS);
	config_put(NIC, EXPRESS, 4, 0);
	config_put(NIC, CONFIG_CAPABILITIES, 1, MSI);
	config_set_capability(NIC, MSI, CAPABILITY_MSI, 0);
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_write(MSI + 8, 2, 0x31), VPCI_MSI);
	assert_int_equal(guest_write(MSI + 2, 2, MSI_ENABLE), VPCI_MSI);
	assert_true(vpci_message(function, 0).on);
	assert_int_equal(guest_write(MSI + 12, 4, 1), VPCI_MSI);
	assert_false(vpci_message(function, 0).on);
	config_put(NIC, MSI + 16, 4, 0xff);
	assert_int_equal(guest_read(MSI + 16, 4), 1);
}

static void msix_has_a_table_of_its_own(void **state)
{
	struct vpci_function *function = &machine.vpci.function[0];
	struct vpci_message message;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(function->vector_count, 5);
	assert_int_equal(guest_read(MSIX + 2, 2), 4);
	assert_int_equal(vpci_table_write(function, 0x1010, 8, 0xfee01000), 1);
	assert_int_equal(vpci_table_write(function, 0x1018, 4, 0x35), 1);
	assert_int_equal(vpci_table_write(function, 0x1018, 4, 0x35), 5);
	assert_int_equal(guest_write(MSIX + 2, 2, 0xffff), VPCI_MSIX);
	assert_int_equal(guest_read(MSIX + 2, 2), MSIX_ENABLE | MSIX_MASKED | 4);
	assert_int_equal(vpci_table_write(function, 0x101c, 4, 0), 1);
	assert_false(vpci_message(function, 1).on);
	assert_int_equal(guest_write(MSIX + 2, 2, MSIX_ENABLE), VPCI_MSIX);
	message = vpci_message(function, 1);
	assert_true(message.on);
	assert_true(message.address == 0xfee01000);
	assert_int_equal(message.data, 0x35);
	assert_false(vpci_message(function, 0).on);
	assert_true(vpci_table_read(function, 0x1018, 8) == 0x35);
	assert_int_equal(machine.writes, 0);
}

/* 7.7.2: 4 or 8 bytes, aligned. What is beyond the shown entries is nobody's. */
static void other_accesses_to_the_table_do_nothing(void **state)
{
	static const struct {
		uint32_t offset, bytes;
	} rows[] = { { 0x1000, 1 }, { 0x1000, 2 }, { 0x1002, 4 },
		     { 0x1004, 8 }, { 0x1050, 4 }, { 0x1fff, 4 } };
	struct vpci_function *function = &machine.vpci.function[0];

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			vpci_table_write(function, rows[i].offset, rows[i].bytes, UINT64_MAX), 5);
		assert_true(vpci_table_read(function, rows[i].offset, rows[i].bytes) == 0);
	}
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(function->vector[i].word[VECTOR_ADDRESS_LOW], 0);
	/* A reserved bit of the control word, and of the address. */
	assert_int_equal(vpci_table_write(function, 0x1000, 4, 3), 5);
	assert_int_equal(vpci_table_write(function, 0x100c, 4, 0xffffffff), 5);
}

static void a_guest_is_shown_no_more_vectors_than_there_is_room_for(void **state)
{
	struct vpci_function *function = &machine.vpci.function[0];

	(void)state;
	config_set_bar(NIC, 3, 0xfebc0000, 64 * KIB, 0);
	config_put(NIC, MSIX + 2, 2, 0x07ff);
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(function->vector_count, VPCI_VECTORS);
	assert_int_equal(guest_read(MSIX + 2, 2), VPCI_VECTORS - 1);
	/* The others are still a part of the table that the guest must not touch. */
	assert_true(vpci_is_table(function, 3, 0x1000 + 2048 * 16 - 1));
	assert_false(vpci_is_table(function, 3, 0x1000 + 2048 * 16));
	assert_false(vpci_is_table(function, 3, 0xfff));
	assert_false(vpci_is_table(function, 0, 0x1000));
}

static void a_table_outside_its_bar_is_refused(void **state)
{
	static const uint32_t bad[] = { 0x4000 | 3, 0x3fc0 | 3, 0x1000 | 2,
					0x1000 | 6, 0x1008 | 3, 0xfffffff0 | 3 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config_put(NIC, MSIX + 4, 4, bad[i]);
		assert_int_equal(guest_add(NIC), SP_UNSUPPORTED);
		assert_non_null(strstr(machine.why.chars, "its MSI-X table is not inside BAR"));
	}
}

/* How the pages of BAR 3 are to be mapped: one letter a page, t for trapped. */
static void draw(char *drawing)
{
	const struct vpci_function *function = &machine.vpci.function[0];
	uint64_t page = 0, count;
	bool trapped;

	while ((count = vpci_bar_run(&machine.vpci, function, 3, page, &trapped)) != 0) {
		memset(drawing + page, trapped ? 't' : 'm', count);
		page += count;
	}
	drawing[page] = 0;
}

static void pages_with_a_part_of_the_table_are_trapped(void **state)
{
	static const struct {
		uint32_t control, table;
		const char *pages;
	} rows[] = {
		{ 4, 0x1000, "mtmm" }, { 4, 0x0000, "tmmm" },	  { 4, 0x3000, "mmmt" },
		{ 4, 0x1ff0, "mttm" }, { 0x1ff, 0x1000, "mttm" }, { 0x3ff, 0, "tttt" },
		{ 0, 0x1ff0, "mtmm" }, { 0x100, 0x1000, "mttm" },
	};
	char drawing[8];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(vpci_machine(NULL), 0);
		config_put(NIC, MSIX + 2, 2, rows[i].control);
		config_put(NIC, MSIX + 4, 4, rows[i].table | 3);
		assert_int_equal(guest_add(NIC), SP_OK);
		draw(drawing);
		assert_string_equal(drawing, rows[i].pages);
	}
}

static void without_the_trap_the_guest_writes_the_table(void **state)
{
	char drawing[8];

	(void)state;
	machine.vpci.mutant = SP_MUT_TABLE_NOT_TRAPPED;
	assert_int_equal(guest_add(NIC), SP_OK);
	draw(drawing);
	assert_string_equal(drawing, "mmmm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(hidden_capabilities_are_out_of_the_list, vpci_machine),
		cmocka_unit_test_setup(a_function_without_any_has_no_list, vpci_machine),
		cmocka_unit_test_setup(lists_that_lie_end, vpci_machine),
		cmocka_unit_test_setup(power_states_are_only_remembered, vpci_machine),
		cmocka_unit_test_setup(a_function_becomes_a_part_of_the_root_complex, vpci_machine),
		cmocka_unit_test_setup(device_control_is_passed_on_in_part, vpci_machine),
		cmocka_unit_test_setup(msi_is_the_hypervisors_to_send, vpci_machine),
		cmocka_unit_test_setup(msi_of_the_small_kind_has_its_mask, vpci_machine),
		cmocka_unit_test_setup(msix_has_a_table_of_its_own, vpci_machine),
		cmocka_unit_test_setup(other_accesses_to_the_table_do_nothing, vpci_machine),
		cmocka_unit_test_setup(a_guest_is_shown_no_more_vectors_than_there_is_room_for,
				       vpci_machine),
		cmocka_unit_test_setup(a_table_outside_its_bar_is_refused, vpci_machine),
		cmocka_unit_test_setup(pages_with_a_part_of_the_table_are_trapped, vpci_machine),
		cmocka_unit_test_setup(without_the_trap_the_guest_writes_the_table, vpci_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
