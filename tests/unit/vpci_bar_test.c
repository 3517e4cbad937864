/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vpci_bar_test.c - where the BARs of a guest's functions are.
 */
#include "tests/unit/vpci_fixture.h"

/* ---- base addresses ---- */

static uint32_t size_of(uint32_t bar)
{
	uint32_t was = guest_read(CONFIG_BAR(bar), 4), mask;

	(void)guest_write(CONFIG_BAR(bar), 4, 0xffffffff);
	mask = guest_read(CONFIG_BAR(bar), 4);
	(void)guest_write(CONFIG_BAR(bar), 4, was);
	return mask;
}

static void bars_tell_their_size(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(size_of(0), 0xfffe0000);
	assert_int_equal(size_of(2), 0);
	assert_int_equal(size_of(3), 0xffffc000);
	assert_int_equal(size_of(4), 0xffff0000 | BAR_64 | BAR_PREFETCH);
	assert_int_equal(size_of(5), 0xffffffff);
	assert_int_equal(machine.writes, 0);
}

static void a_bar_smaller_than_a_page_is_shown_as_one(void **state)
{
	(void)state;
	assert_int_equal(guest_add(4), SP_OK);
	assert_int_equal(size_of(0), 0xfffff000);
}

static void bars_are_placed_in_the_window(void **state)
{
	const struct vpci_function *function = &machine.vpci.function[0];
	sp_gfn_t gfn;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(vpci_bar_place(&machine.vpci, function, 0, &gfn), VPCI_OFF);
	assert_int_equal(guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY), VPCI_DECODE);
	for (uint32_t bar = 0; bar < SP_BARS; bar++) {
		bool is_there = bar != 2 && bar != 5;

		assert_int_equal(vpci_bar_place(&machine.vpci, function, bar, &gfn),
				 is_there ? VPCI_ON : VPCI_OFF);
		if (!is_there)
			continue;
		assert_true(gfn.gfn >= 0xe0000 && gfn.gfn < 0xe0400);
		assert_true((gfn.gfn << 12) % function->bar[bar].bytes == 0);
	}
	assert_true(function->bar[3].machine == 0xfeb80000);
}

static void a_large_bar_goes_above_4_gib_if_it_can(void **state)
{
	sp_gfn_t gfn;

	(void)state;
	config_set_bar(PLAIN, 0, 0x900000000, (uint64_t)8 << 30, BAR_64);
	assert_int_equal(guest_add(PLAIN), SP_OK);
	(void)guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	assert_int_equal(vpci_bar_place(&machine.vpci, &machine.vpci.function[0], 0, &gfn),
			 VPCI_ON);
	assert_true(gfn.gfn << 12 == 0x1000000000);
	assert_int_equal(size_of(0), BAR_64);
	assert_int_equal(size_of(1), 0xfffffffe);
}

static void a_bar_without_room_is_refused(void **state)
{
	(void)state;
	config_set_bar(PLAIN, 0, 0xf0000000, 8192 * KIB, 0);
	assert_int_equal(guest_add(PLAIN), SP_NO_SPACE);
	assert_string_equal(machine.why.chars, "0000:00:03.0: no room for BAR 0 of 8192 KiB");
	/* And takes none from those that follow. */
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_read(CONFIG_BAR(0), 4), 0xe0000000);
}

static void a_bar_can_be_moved_inside_the_windows(void **state)
{
	const struct vpci_function *function = &machine.vpci.function[0];
	sp_gfn_t gfn;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_write(CONFIG_BAR(0), 4, 0xe0200000), 0);
	assert_int_equal(guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY), VPCI_DECODE);
	assert_int_equal(vpci_bar_place(&machine.vpci, function, 0, &gfn), VPCI_ON);
	assert_true(gfn.gfn == 0xe0200);
	/* While it decodes, each move is told. */
	assert_int_equal(guest_write(CONFIG_BAR(0), 4, 0xe0220000), VPCI_DECODE);
	assert_int_equal(guest_write(CONFIG_BAR(0), 4, 0xe0220fff), 0);
}

static const uint32_t outside[] = { 0, 0x00100000, 0xdffe0000, 0xe0400000, 0xfee00000, 0xfffe0000 };

static void a_bar_outside_the_windows_is_not_mapped(void **state)
{
	const struct vpci_function *function = &machine.vpci.function[0];
	sp_gfn_t gfn;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	(void)guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		assert_int_equal(guest_write(CONFIG_BAR(0), 4, outside[i]), VPCI_DECODE);
		assert_int_equal(vpci_bar_place(&machine.vpci, function, 0, &gfn), VPCI_OUTSIDE);
	}
	/* With its upper half. */
	assert_int_equal(guest_write(CONFIG_BAR(5), 4, 0x1), VPCI_DECODE);
	assert_int_equal(vpci_bar_place(&machine.vpci, function, 4, &gfn), VPCI_OUTSIDE);
}

static void without_the_check_a_bar_lies_over_memory(void **state)
{
	sp_gfn_t gfn;

	(void)state;
	machine.vpci.mutant = SP_MUT_BAR_ANYWHERE;
	assert_int_equal(guest_add(NIC), SP_OK);
	(void)guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	(void)guest_write(CONFIG_BAR(0), 4, 0x00100000);
	assert_int_equal(vpci_bar_place(&machine.vpci, &machine.vpci.function[0], 0, &gfn),
			 VPCI_ON);
}

static void bars_that_overlap_are_not_mapped(void **state)
{
	const struct vpci_function *nic = &machine.vpci.function[0];
	const struct vpci_function *plain = &machine.vpci.function[1];
	sp_gfn_t gfn;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_add(PLAIN), SP_OK);
	(void)guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	(void)guest_write(CONFIG_BAR(1), 4, guest_read(CONFIG_BAR(0), 4));
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 0, &gfn), VPCI_OVERLAPS);
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 1, &gfn), VPCI_OVERLAPS);
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 3, &gfn), VPCI_ON);
	/* Whoever does not decode is in nobody's way. */
	(void)guest_write(CONFIG_BAR(1), 4, vpci_read(&machine.vpci, 2 * DEVFN, CONFIG_BAR(0), 4));
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 1, &gfn), VPCI_ON);
	(void)vpci_write(&machine.vpci, 2 * DEVFN, CONFIG_COMMAND, 2, COMMAND_MEMORY);
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 1, &gfn), VPCI_OVERLAPS);
	assert_int_equal(vpci_bar_place(&machine.vpci, plain, 0, &gfn), VPCI_OVERLAPS);
}

static void a_page_that_two_functions_share_is_refused(void **state)
{
	(void)state;
	config_set_bar(3, 0, 0xfeb90800, 256, BAR_64);
	assert_int_equal(guest_add(4), SP_UNSUPPORTED);
	assert_string_equal(machine.why.chars,
			    "0000:00:05.0: BAR 0 at 0xfeb90000 shares a page with 0000:00:04.0");
	assert_int_equal(guest_add(3), SP_UNSUPPORTED);
	assert_string_equal(machine.why.chars,
			    "0000:00:04.0: BAR 0 at 0xfeb90800 does not begin at a page");
	assert_int_equal(machine.vpci.function_count, 0);
	assert_int_equal(config_get(4, CONFIG_COMMAND, 2), 0);
}

static void without_the_check_a_page_of_two_functions_is_shown(void **state)
{
	(void)state;
	machine.vpci.mutant = SP_MUT_BAR_NEIGHBOUR_UNCHECKED;
	config_set_bar(3, 0, 0xfeb90800, 256, BAR_64);
	assert_int_equal(guest_add(4), SP_OK);
}

static void a_bar_that_firmware_did_not_place_is_refused(void **state)
{
	(void)state;
	machine.info[PLAIN].bar[0].bytes = 0;
	assert_int_equal(guest_add(PLAIN), SP_UNSUPPORTED);
	assert_string_equal(machine.why.chars, "0000:00:03.0: BAR 0 (0xfea00000) cannot be mapped");
}

/* Its own header has neither ids nor addresses (PCI Express base 6.0, 9.3.4.1). */
static void a_virtual_function_shows_what_its_physical_one_says(void **state)
{
	(void)state;
	machine.info[PLAIN].is_virtual = true;
	machine.info[PLAIN].vendor = 0x1b36;
	machine.info[PLAIN].device = 0x0010;
	machine.info[PLAIN].bar[0].wide = true;
	config_put(PLAIN, CONFIG_ID, 4, 0xffffffff);
	config_put(PLAIN, CONFIG_BAR(0), 4, 0);
	assert_int_equal(guest_add(PLAIN), SP_OK);
	assert_int_equal(guest_read(CONFIG_ID, 4), 0x00101b36);
	assert_int_equal(guest_read(CONFIG_BAR(0), 4) & BAR_FLAGS, BAR_64);
	assert_int_equal(machine.vpci.function[0].bar[0].machine, 0xfea00000);
	(void)guest_write(CONFIG_BAR(0), 4, ~0u);
	(void)guest_write(CONFIG_BAR(1), 4, ~0u);
	assert_int_equal(guest_read(CONFIG_BAR(0), 4),
			 (uint32_t)-machine.vpci.function[0].bar[0].bytes | BAR_64);
	assert_int_equal(guest_read(CONFIG_BAR(1), 4), ~0u);
	assert_int_equal(config_get(PLAIN, CONFIG_BAR(0), 4), 0);
}

static void addresses_lead_to_their_bar(void **state)
{
	struct vpci_function *function = &machine.vpci.function[0];
	uint64_t offset;
	uint32_t bar;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_null(vpci_find_address(&machine.vpci, guest_read(CONFIG_BAR(3), 4), &bar, &offset));
	(void)guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	assert_ptr_equal(vpci_find_address(&machine.vpci, guest_read(CONFIG_BAR(3), 4) + 0x1010,
					   &bar, &offset),
			 function);
	assert_int_equal(bar, 3);
	assert_int_equal(offset, 0x1010);
	assert_null(vpci_find_address(&machine.vpci, 0xe03ff000, &bar, &offset));
	assert_null(vpci_find_address(&machine.vpci, 0, &bar, &offset));
}

static void a_function_that_was_taken_away_is_gone(void **state)
{
	struct vpci_function *nic = &machine.vpci.function[0];
	uint64_t offset;
	sp_gfn_t gfn;
	uint32_t bar;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_add(PLAIN), SP_OK);
	(void)guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	bar = guest_read(CONFIG_BAR(3), 4);
	vpci_remove(nic);
	assert_int_equal(guest_read(CONFIG_ID, 4), 0xffffffff);
	assert_int_equal(vpci_write(&machine.vpci, DEVFN, CONFIG_COMMAND, 2, 0).what, 0);
	assert_null(vpci_find(&machine.vpci, machine.info[NIC].sbdf));
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 0, &gfn), VPCI_OFF);
	assert_null(vpci_find_address(&machine.vpci, bar, &bar, &offset));
	assert_int_equal(vpci_read(&machine.vpci, 2 * DEVFN, CONFIG_ID, 4), 0x11e81234);
}

/* Its device number and its room are the next one's, and nothing of what it was. */
static void who_comes_next_takes_its_place(void **state)
{
	(void)state;
	machine.vpci.low.end = 0xe0100000 + 1024 * KIB;
	assert_int_equal(guest_add(PLAIN), SP_OK);
	assert_int_equal(guest_add(NIC), SP_OK);
	for (uint32_t i = 0; i < 50; i++) {
		vpci_remove(&machine.vpci.function[i % 2]);
		assert_int_equal(guest_add(i % 2 ? NIC : PLAIN), SP_OK);
		assert_int_equal(machine.vpci.function_count, 2);
	}
	assert_int_equal(guest_read(CONFIG_ID, 4), 0x11e81234);
	assert_int_equal(guest_read(CONFIG_COMMAND, 2), 0);
	assert_int_equal(guest_read(CONFIG_CAPABILITIES, 1), 0);
}

/* Where the guest moved another's registers meanwhile there is no place. */
static void a_place_that_the_guest_took_is_left(void **state)
{
	(void)state;
	assert_int_equal(guest_add(4), SP_OK);
	assert_int_equal(guest_read(CONFIG_BAR(0), 4), 0xe0000000);
	(void)guest_write(CONFIG_BAR(0), 4, 0xe0101000);
	assert_int_equal(guest_add(PLAIN), SP_OK);
	assert_int_equal(vpci_read(&machine.vpci, 2 * DEVFN, CONFIG_BAR(0), 4), 0xe0000000);
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(vpci_read(&machine.vpci, 3 * DEVFN, CONFIG_BAR(0), 4), 0xe0120000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bars_tell_their_size, vpci_machine),
		cmocka_unit_test_setup(a_bar_smaller_than_a_page_is_shown_as_one, vpci_machine),
		cmocka_unit_test_setup(bars_are_placed_in_the_window, vpci_machine),
		cmocka_unit_test_setup(a_large_bar_goes_above_4_gib_if_it_can, vpci_machine),
		cmocka_unit_test_setup(a_bar_without_room_is_refused, vpci_machine),
		cmocka_unit_test_setup(a_bar_can_be_moved_inside_the_windows, vpci_machine),
		cmocka_unit_test_setup(a_bar_outside_the_windows_is_not_mapped, vpci_machine),
		cmocka_unit_test_setup(without_the_check_a_bar_lies_over_memory, vpci_machine),
		cmocka_unit_test_setup(bars_that_overlap_are_not_mapped, vpci_machine),
		cmocka_unit_test_setup(a_page_that_two_functions_share_is_refused, vpci_machine),
		cmocka_unit_test_setup(without_the_check_a_page_of_two_functions_is_shown,
				       vpci_machine),
		cmocka_unit_test_setup(a_bar_that_firmware_did_not_place_is_refused, vpci_machine),
		cmocka_unit_test_setup(a_virtual_function_shows_what_its_physical_one_says,
				       vpci_machine),
		cmocka_unit_test_setup(addresses_lead_to_their_bar, vpci_machine),
		cmocka_unit_test_setup(a_function_that_was_taken_away_is_gone, vpci_machine),
		cmocka_unit_test_setup(who_comes_next_takes_its_place, vpci_machine),
		cmocka_unit_test_setup(a_place_that_the_guest_took_is_left, vpci_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
