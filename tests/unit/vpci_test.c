/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vpci_test.c - a guest's PCI bus: who is on it, how it is reached, the header.
 */
#include "tests/unit/vpci_fixture.h"

/* ---- the bus ---- */

static void a_guest_sees_its_functions_and_a_host_bridge(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_add(PLAIN), SP_OK);
	for (uint32_t devfn = 0; devfn < 256; devfn++) {
		uint32_t id = vpci_read(&machine.vpci, devfn, CONFIG_ID, 4);

		if (devfn == 0)
			assert_int_equal(vpci_read(&machine.vpci, 0, CONFIG_CLASS + 2, 2), 0x0600);
		else if (devfn == DEVFN)
			assert_int_equal(id, 0x10d38086);
		else if (devfn == 2 * DEVFN)
			assert_int_equal(id, 0x11e81234);
		else
			assert_int_equal(id, 0xffffffff);
	}
}

static void the_bridge_keeps_nothing(void **state)
{
	(void)state;
	for (uint32_t offset = 0; offset < 256; offset += 4) {
		uint32_t was = vpci_read(&machine.vpci, 0, offset, 4);

		(void)vpci_write(&machine.vpci, 0, offset, 4, 0xffffffff);
		assert_int_equal(vpci_read(&machine.vpci, 0, offset, 4), was);
	}
	assert_int_equal(machine.writes, 0);
}

/* Bridges, no endpoints; more functions than there is room for. */
static void what_cannot_be_shown_is_refused_with_its_name(void **state)
{
	(void)state;
	assert_int_equal(guest_add(0), SP_UNSUPPORTED);
	assert_string_equal(machine.why.chars, "0000:00:00.0: is no endpoint");
	config_put(PLAIN, CONFIG_HEADER, 1, 1);
	assert_int_equal(guest_add(PLAIN), SP_UNSUPPORTED);
	config_put(PLAIN, CONFIG_HEADER, 1, 0x80);
	machine.vpci.low.end = 0xe8000000;
	for (uint32_t i = 0; i < VPCI_FUNCTIONS; i++)
		assert_int_equal(guest_add(PLAIN), SP_OK);
	assert_int_equal(guest_add(PLAIN), SP_NO_SPACE);
	assert_string_equal(machine.why.chars, "0000:00:03.0: the guest has 8 functions already");
}

/* Of a device with several functions, one may be shown without the others. */
static void a_function_is_shown_as_its_devices_only_one(void **state)
{
	(void)state;
	config_put(NIC, CONFIG_HEADER, 1, 0x80);
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_read(CONFIG_HEADER, 1), 0);
}

/* ---- widths, ports, ECAM ---- */

static void each_byte_can_be_read_by_itself(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	for (uint32_t offset = 0; offset < 256; offset += 4) {
		uint32_t whole = guest_read(offset, 4);

		assert_int_equal(guest_read(offset, 2), whole & 0xffff);
		assert_int_equal(guest_read(offset + 2, 2), whole >> 16);
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(guest_read(offset + i, 1), whole >> 8 * i & 0xff);
		assert_int_equal(guest_read(offset + 1, 2), whole >> 8 & 0xffff);
	}
}

static void each_byte_can_be_written_by_itself(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	(void)guest_write(CONFIG_BAR(0), 4, 0);
	(void)guest_write(CONFIG_BAR(0) + 3, 1, 0xe1);
	(void)guest_write(CONFIG_BAR(0) + 2, 1, 0x23);
	assert_int_equal(guest_read(CONFIG_BAR(0), 4), 0xe1220000);
	(void)guest_write(CONFIG_BAR(0) + 1, 2, 0x44ff);
	assert_int_equal(guest_read(CONFIG_BAR(0), 4), 0xe1440000);
}

static uint32_t port_read(uint32_t address, uint32_t port, uint32_t bytes)
{
	(void)vpci_port_write(&machine.vpci, VPCI_PORT_ADDRESS, 4, address);
	return vpci_port_read(&machine.vpci, port, bytes);
}

static void ports_lead_to_the_same_registers(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(port_read(0x80000800, 0xcfc, 4), 0x10d38086);
	assert_int_equal(port_read(0x80000800, 0xcfe, 2), 0x10d3);
	assert_int_equal(port_read(0x80000803, 0xcfd, 1), 0x80);
	assert_int_equal(vpci_port_read(&machine.vpci, VPCI_PORT_ADDRESS, 4), 0x80000800);
	(void)port_read(0x80000800 | CONFIG_COMMAND, 0xcfc, 2);
	assert_int_equal(vpci_port_write(&machine.vpci, 0xcfc, 2, COMMAND_MASTER).what,
			 VPCI_MASTER);
	assert_true(vpci_is_master(&machine.vpci.function[0]));
}

static void ports_lead_nowhere_else(void **state)
{
	static const uint32_t nowhere[] = { 0x00000800, 0x80010800, 0x81000800, 0x80000900,
					    0x80001000, 0x80ff0800, 0x8f000800 };

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		assert_int_equal(port_read(nowhere[i], 0xcfc, 4), 0xffffffff);
		assert_int_equal(port_read(nowhere[i], 0xcff, 1), 0xff);
		assert_int_equal(port_read(nowhere[i], 0xcfe, 2), 0xffff);
		(void)port_read(nowhere[i] | CONFIG_COMMAND, 0xcfc, 2);
		assert_int_equal(vpci_port_write(&machine.vpci, 0xcfc, 2, 7).what, 0);
	}
	assert_int_equal(guest_read(CONFIG_COMMAND, 2), 0);
	assert_true(vpci_has_port(0xcf8, 4));
	assert_false(vpci_has_port(0xcf8, 1));
	assert_false(vpci_has_port(0xcf9, 1));
	assert_true(vpci_has_port(0xcff, 1));
	assert_false(vpci_has_port(0xcff, 2));
	assert_false(vpci_has_port(0xcfb, 1));
}

static void ecam_leads_to_the_same_registers(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_true(vpci_ecam_read(&machine.vpci, DEVFN << 12, 4) == 0x10d38086);
	assert_true(vpci_ecam_read(&machine.vpci, DEVFN << 12 | 2, 2) == 0x10d3);
	assert_true(vpci_ecam_read(&machine.vpci, DEVFN << 12, 8) == 0x0010000010d38086);
	assert_true(vpci_ecam_read(&machine.vpci, DEVFN << 12 | 1, 4) == 0x0010d380);
	assert_true(vpci_ecam_read(&machine.vpci, 2 * DEVFN << 12, 8) == UINT64_MAX);
	assert_int_equal(vpci_ecam_write(&machine.vpci, DEVFN << 12 | CONFIG_COMMAND, 2, 6).what,
			 VPCI_MASTER | VPCI_DECODE);
	/* One store over two registers. */
	(void)vpci_ecam_write(&machine.vpci, DEVFN << 12 | CONFIG_BAR(0), 8, 0xe2000000e1000000);
	assert_int_equal(guest_read(CONFIG_BAR(0), 4), 0xe1000000);
	assert_int_equal(guest_read(CONFIG_BAR(1), 4), 0xe2000000);
}

static void there_are_no_extended_capabilities(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	for (uint32_t offset = 0x100; offset < 0x1000; offset += 4) {
		assert_int_equal(guest_read(offset, 4), 0);
		assert_int_equal(vpci_write(&machine.vpci, DEVFN, offset, 4, ~0u).what, 0);
	}
	assert_int_equal(machine.writes, 0);
	assert_true(vpci_ecam_read(&machine.vpci, 2 * DEVFN << 12 | 0x100, 4) == 0xffffffff);
}

/* ---- the header ---- */

static void a_function_begins_silent(void **state)
{
	(void)state;
	config_put(NIC, CONFIG_COMMAND, 2, COMMAND_IO);
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_read(CONFIG_COMMAND, 2), 0);
	assert_int_equal(config_get(NIC, CONFIG_COMMAND, 2), COMMAND_MEMORY | COMMAND_INTX_OFF);
	assert_int_equal(guest_read(CONFIG_INTERRUPT + 1, 1), 0);
	assert_int_equal(guest_read(0x30, 4), 0);
	assert_int_equal(guest_read(CONFIG_SUBSYSTEM, 4), 0x00008086);
	assert_int_equal(guest_read(CONFIG_CLASS, 4), 0x02000003);
}

static void commands_are_told_and_not_passed_on(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY), VPCI_DECODE);
	assert_int_equal(guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY), 0);
	assert_int_equal(guest_write(CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER),
			 VPCI_MASTER);
	assert_int_equal(guest_write(CONFIG_COMMAND, 2, 0), VPCI_MASTER | VPCI_DECODE);
	assert_int_equal(guest_write(CONFIG_COMMAND, 2, 0xffff), VPCI_MASTER | VPCI_DECODE);
	assert_int_equal(guest_read(CONFIG_COMMAND, 2), COMMAND_MEMORY | COMMAND_MASTER |
								COMMAND_PARITY | COMMAND_SERR |
								COMMAND_INTX_OFF);
	assert_int_equal(machine.writes, 0);
}

/* Every bit of every register, written both ways: nothing but the known few gets through. */
static void nothing_else_reaches_the_function(void **state)
{
	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	for (uint32_t offset = 0; offset < 256; offset += 4) {
		if (offset == EXPRESS + EXPRESS_DEVICE_CONTROL)
			continue;
		(void)guest_write(offset, 4, 0xffffffff);
		(void)guest_write(offset, 4, 0);
		(void)guest_write(offset + 1, 1, 0xff);
	}
	assert_int_equal(machine.writes, 0);
}

/* ---- whatever a guest does ---- */

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

/* What is mapped lies in a window, at a page, and no two are in each other's way. */
static void must_be_apart(void)
{
	uint64_t first[VPCI_FUNCTIONS * SP_BARS], end[VPCI_FUNCTIONS * SP_BARS];
	uint32_t count = 0;

	for (uint32_t i = 0; i < machine.vpci.function_count; i++) {
		const struct vpci_function *function = &machine.vpci.function[i];

		for (uint32_t k = 0; k < SP_BARS; k++) {
			sp_gfn_t gfn;

			if (vpci_bar_place(&machine.vpci, function, k, &gfn) != VPCI_ON)
				continue;
			first[count] = gfn.gfn << 12;
			end[count] = first[count] + function->bar[k].bytes;
			assert_true((first[count] >= machine.vpci.low.first &&
				     end[count] <= machine.vpci.low.end) ||
				    (first[count] >= machine.vpci.high.first &&
				     end[count] <= machine.vpci.high.end));
			for (uint32_t j = 0; j < count; j++)
				assert_true(end[count] <= first[j] || end[j] <= first[count]);
			count++;
		}
	}
}

/* Nothing but the device control's few bits, and only in 16 bits. */
static void must_be_harmless(void)
{
	const uint32_t passed = DEVICE_RELAXED | DEVICE_NO_SNOOP | DEVICE_READ_MAX;

	if (machine.writes == 0)
		return;
	assert_int_equal(machine.written_offset, EXPRESS + EXPRESS_DEVICE_CONTROL);
	assert_int_equal(machine.written_bytes, 2);
	assert_int_equal(machine.written_value & ~passed, 0x2910 & ~passed);
	machine.writes = 0;
}

static void random_writes_keep_every_promise(void **state)
{
	static const uint64_t values[] = { 0, ~0ull, 0xe0000006e0100007, 0x1000000007, 2, 6 };
	uint64_t random = 88172645463325252;

	(void)state;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_add(PLAIN), SP_OK);
	assert_int_equal(guest_add(4), SP_OK);
	for (uint32_t i = 0; i < 300000; i++) {
		uint64_t r = next_random(&random), value = next_random(&random);
		uint32_t bytes = 1u << (r & 3),
			 offset = (uint32_t)(r >> 8) & (r & 4 ? 0x3f : 0x1ff);
		uint32_t devfn = (uint32_t)(r >> 20) % 5 * DEVFN;

		if (r & 8)
			value = values[value % 6];
		(void)vpci_ecam_write(&machine.vpci, devfn << 12 | offset, bytes, value);
		(void)vpci_ecam_read(&machine.vpci, devfn << 12 | offset, bytes);
		must_be_harmless();
		must_be_apart();
	}
}

static void without_the_filter_writes_reach_the_function(void **state)
{
	(void)state;
	machine.vpci.mutant = SP_MUT_CONFIG_UNFILTERED;
	assert_int_equal(guest_add(NIC), SP_OK);
	(void)guest_write(CONFIG_BAR(0), 4, 0x00100000);
	assert_true(machine.writes != 0);
	assert_int_equal(config_get(NIC, CONFIG_BAR(0), 4) & 0xffff0000, 0x00100000);
}

static void without_the_filter_ats_is_shown(void **state)
{
	(void)state;
	machine.vpci.mutant = SP_MUT_EXTENDED_SHOWN;
	assert_int_equal(guest_add(NIC), SP_OK);
	assert_int_equal(guest_read(0x100, 4), 0x0001000f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_guest_sees_its_functions_and_a_host_bridge, vpci_machine),
		cmocka_unit_test_setup(the_bridge_keeps_nothing, vpci_machine),
		cmocka_unit_test_setup(what_cannot_be_shown_is_refused_with_its_name, vpci_machine),
		cmocka_unit_test_setup(a_function_is_shown_as_its_devices_only_one, vpci_machine),
		cmocka_unit_test_setup(each_byte_can_be_read_by_itself, vpci_machine),
		cmocka_unit_test_setup(each_byte_can_be_written_by_itself, vpci_machine),
		cmocka_unit_test_setup(ports_lead_to_the_same_registers, vpci_machine),
		cmocka_unit_test_setup(ports_lead_nowhere_else, vpci_machine),
		cmocka_unit_test_setup(ecam_leads_to_the_same_registers, vpci_machine),
		cmocka_unit_test_setup(there_are_no_extended_capabilities, vpci_machine),
		cmocka_unit_test_setup(a_function_begins_silent, vpci_machine),
		cmocka_unit_test_setup(commands_are_told_and_not_passed_on, vpci_machine),
		cmocka_unit_test_setup(nothing_else_reaches_the_function, vpci_machine),
		cmocka_unit_test_setup(random_writes_keep_every_promise, vpci_machine),
		cmocka_unit_test_setup(without_the_filter_writes_reach_the_function, vpci_machine),
		cmocka_unit_test_setup(without_the_filter_ats_is_shown, vpci_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
