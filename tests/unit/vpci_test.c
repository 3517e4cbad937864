/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vpci_test.c - a guest's PCI bus, over functions whose every write is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"
#include "platform/metal/vpci.h"
#include "platform/metal/vpci_registers.h"

#define SPACES	5u
#define NIC	1u /* by index: MSI, MSI-X, power, PCI Express and more that is hidden */
#define PLAIN	2u /* one 32-bit BAR, nothing else */
#define DEVFN	8u /* of the first function that is added */
#define POWER	0xc8u
#define MSI	0xd0u
#define EXPRESS 0xe0u
#define MSIX	0xa0u
#define VPD	0x60u
#define KIB	1024u

struct machine {
	uint8_t space[SPACES][4096];
	struct sp_function_info info[SPACES];
	uint32_t writes; /* of all functions, without those at their opening */
	uint32_t written_offset, written_bytes, written_value;
	struct vpci vpci;
	struct vpci_text why;
};

static struct machine machine;

/* ---- the machine's configuration space ---- */

static uint32_t index_of(sp_sbdf_t sbdf)
{
	for (uint32_t i = 0; i < SPACES; i++) {
		if (machine.info[i].sbdf.sbdf == sbdf.sbdf)
			return i;
	}
	fail_msg("nobody is at %x", sbdf.sbdf);
	return 0;
}

static uint32_t get(uint32_t index, uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	memcpy(&value, &machine.space[index][offset], bytes);
	return value;
}

static void put(uint32_t index, uint32_t offset, uint32_t bytes, uint32_t value)
{
	memcpy(&machine.space[index][offset], &value, bytes);
}

static uint32_t read_space(void *context, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes)
{
	assert_ptr_equal(context, &machine);
	assert_true((bytes == 1 || bytes == 2 || bytes == 4) && offset % bytes == 0);
	return get(index_of(sbdf), offset, bytes);
}

static void write_space(void *context, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes,
			uint32_t value)
{
	assert_ptr_equal(context, &machine);
	assert_true((bytes == 1 || bytes == 2 || bytes == 4) && offset % bytes == 0);
	put(index_of(sbdf), offset, bytes, value);
	machine.writes++;
	machine.written_offset = offset;
	machine.written_bytes = bytes;
	machine.written_value = value;
}

static void set_bar(uint32_t index, uint32_t bar, uint64_t address, uint64_t bytes, uint32_t flags)
{
	machine.info[index].bar[bar] = (struct sp_bar){ { address }, bytes, flags & BAR_PREFETCH };
	put(index, CONFIG_BAR(bar), 4, (uint32_t)address | flags);
	if ((flags & BAR_TYPE) == BAR_64)
		put(index, CONFIG_BAR(bar + 1), 4, (uint32_t)(address >> 32));
}

static void set_ids(uint32_t index, uint32_t sbdf, uint32_t id, uint32_t class_code)
{
	machine.info[index] = (struct sp_function_info){ .sbdf = { sbdf }, .covered = true };
	put(index, CONFIG_ID, 4, id);
	put(index, CONFIG_CLASS, 4, class_code << 8 | 3);
}

static void set_capability(uint32_t index, uint32_t at, uint32_t id, uint32_t next)
{
	put(index, at, 1, id);
	put(index, at + 1, 1, next);
}

/* As QEMU's e1000e, with a BAR of 64 bits more, vital product data, and ATS. */
static void make_nic(void)
{
	set_ids(NIC, 0x10, 0x10d38086, 0x020000);
	put(NIC, CONFIG_COMMAND, 4, 0xf9100000);
	put(NIC, CONFIG_SUBSYSTEM, 4, 0x00008086);
	put(NIC, CONFIG_INTERRUPT, 4, 0x010b);
	put(NIC, 0x30, 4, 0xfeb00001); /* ROM */
	set_bar(NIC, 0, 0xfeb40000, 128 * KIB, 0);
	set_bar(NIC, 1, 0xfeb60000, 128 * KIB, 0);
	put(NIC, CONFIG_BAR(2), 4, 0xc041); /* ports */
	set_bar(NIC, 3, 0xfeb80000, 16 * KIB, 0);
	set_bar(NIC, 4, 0x800000000, 64 * KIB, BAR_64 | BAR_PREFETCH);
	put(NIC, CONFIG_CAPABILITIES, 1, POWER);
	set_capability(NIC, POWER, CAPABILITY_POWER, VPD);
	put(NIC, POWER + 2, 2, 0xc822);
	put(NIC, POWER + 4, 4, 0x2100);
	set_capability(NIC, VPD, 0x03, MSI);
	put(NIC, VPD + 4, 4, 0x12345678);
	set_capability(NIC, MSI, CAPABILITY_MSI, EXPRESS);
	put(NIC, MSI + 2, 2, 0x008a);
	set_capability(NIC, EXPRESS, CAPABILITY_EXPRESS, MSIX);
	put(NIC, EXPRESS + 2, 2, 0x0001);
	put(NIC, EXPRESS + 4, 4, 0x10008fc2);
	put(NIC, EXPRESS + 8, 4, 0x00202910);
	put(NIC, EXPRESS + 12, 4, 0x00066c11); /* link */
	set_capability(NIC, MSIX, CAPABILITY_MSIX, 0);
	put(NIC, MSIX + 2, 2, 0x0004);
	put(NIC, MSIX + 4, 4, 0x1000 | 3);
	put(NIC, MSIX + 8, 4, 0x2000 | 3);
	put(NIC, 0x100, 4, 0x0001000f); /* ATS */
}

static int make_machine(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	set_ids(0, 0x00, 0x29c08086, 0x060000);
	machine.info[0].is_bridge = true;
	make_nic();
	set_ids(PLAIN, 0x18, 0x11e81234, 0x00ff00);
	set_bar(PLAIN, 0, 0xfea00000, 1024 * KIB, 0);
	set_ids(3, 0x20, 0x00101b36, 0x010802);
	set_bar(3, 0, 0xfeb84000, 16 * KIB, BAR_64);
	set_ids(4, 0x28, 0x00111b36, 0x000000);
	set_bar(4, 0, 0xfeb90000, 256, 0);
	machine.vpci = (struct vpci){
		.read = read_space,
		.write = write_space,
		.context = &machine,
		.low = { 0xe0000000, 0xe0400000 },
		.high = { 0x1000000000, 0x2000000000 },
	};
	vpci_begin(&machine.vpci);
	return 0;
}

static enum sp_status add(uint32_t index)
{
	enum sp_status status = vpci_add(&machine.vpci, machine.info, SPACES, index, &machine.why);

	machine.writes = 0;
	return status;
}

static uint32_t read(uint32_t offset, uint32_t bytes)
{
	return vpci_read(&machine.vpci, DEVFN, offset, bytes);
}

static uint32_t write(uint32_t offset, uint32_t bytes, uint32_t value)
{
	struct vpci_change change = vpci_write(&machine.vpci, DEVFN, offset, bytes, value);

	assert_ptr_equal(change.function, &machine.vpci.function[0]);
	return change.what;
}

/* ---- the bus ---- */

static void a_guest_sees_its_functions_and_a_host_bridge(void **state)
{
	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(add(PLAIN), SP_OK);
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
	assert_int_equal(add(0), SP_UNSUPPORTED);
	assert_string_equal(machine.why.chars, "0000:00:00.0: is no endpoint");
	put(PLAIN, CONFIG_HEADER, 1, 1);
	assert_int_equal(add(PLAIN), SP_UNSUPPORTED);
	put(PLAIN, CONFIG_HEADER, 1, 0x80);
	for (uint32_t i = 0; i < VPCI_FUNCTIONS; i++) {
		machine.vpci.low_next = machine.vpci.low.first;
		assert_int_equal(add(PLAIN), SP_OK);
	}
	assert_int_equal(add(PLAIN), SP_NO_SPACE);
	assert_string_equal(machine.why.chars, "0000:00:03.0: the guest has 8 functions already");
}

/* Of a device with several functions, one may be shown without the others. */
static void a_function_is_shown_as_its_devices_only_one(void **state)
{
	(void)state;
	put(NIC, CONFIG_HEADER, 1, 0x80);
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(read(CONFIG_HEADER, 1), 0);
}

/* ---- widths, ports, ECAM ---- */

static void each_byte_can_be_read_by_itself(void **state)
{
	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	for (uint32_t offset = 0; offset < 256; offset += 4) {
		uint32_t whole = read(offset, 4);

		assert_int_equal(read(offset, 2), whole & 0xffff);
		assert_int_equal(read(offset + 2, 2), whole >> 16);
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(read(offset + i, 1), whole >> 8 * i & 0xff);
		assert_int_equal(read(offset + 1, 2), whole >> 8 & 0xffff);
	}
}

static void each_byte_can_be_written_by_itself(void **state)
{
	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	(void)write(CONFIG_BAR(0), 4, 0);
	(void)write(CONFIG_BAR(0) + 3, 1, 0xe1);
	(void)write(CONFIG_BAR(0) + 2, 1, 0x23);
	assert_int_equal(read(CONFIG_BAR(0), 4), 0xe1220000);
	(void)write(CONFIG_BAR(0) + 1, 2, 0x44ff);
	assert_int_equal(read(CONFIG_BAR(0), 4), 0xe1440000);
}

static uint32_t port_read(uint32_t address, uint32_t port, uint32_t bytes)
{
	(void)vpci_port_write(&machine.vpci, VPCI_PORT_ADDRESS, 4, address);
	return vpci_port_read(&machine.vpci, port, bytes);
}

static void ports_lead_to_the_same_registers(void **state)
{
	(void)state;
	assert_int_equal(add(NIC), SP_OK);
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
	assert_int_equal(add(NIC), SP_OK);
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		assert_int_equal(port_read(nowhere[i], 0xcfc, 4), 0xffffffff);
		assert_int_equal(port_read(nowhere[i], 0xcff, 1), 0xff);
		assert_int_equal(port_read(nowhere[i], 0xcfe, 2), 0xffff);
		(void)port_read(nowhere[i] | CONFIG_COMMAND, 0xcfc, 2);
		assert_int_equal(vpci_port_write(&machine.vpci, 0xcfc, 2, 7).what, 0);
	}
	assert_int_equal(read(CONFIG_COMMAND, 2), 0);
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
	assert_int_equal(add(NIC), SP_OK);
	assert_true(vpci_ecam_read(&machine.vpci, DEVFN << 12, 4) == 0x10d38086);
	assert_true(vpci_ecam_read(&machine.vpci, DEVFN << 12 | 2, 2) == 0x10d3);
	assert_true(vpci_ecam_read(&machine.vpci, DEVFN << 12, 8) == 0x0010000010d38086);
	assert_true(vpci_ecam_read(&machine.vpci, DEVFN << 12 | 1, 4) == 0x0010d380);
	assert_true(vpci_ecam_read(&machine.vpci, 2 * DEVFN << 12, 8) == UINT64_MAX);
	assert_int_equal(vpci_ecam_write(&machine.vpci, DEVFN << 12 | CONFIG_COMMAND, 2, 6).what,
			 VPCI_MASTER | VPCI_DECODE);
	/* One store over two registers. */
	(void)vpci_ecam_write(&machine.vpci, DEVFN << 12 | CONFIG_BAR(0), 8, 0xe2000000e1000000);
	assert_int_equal(read(CONFIG_BAR(0), 4), 0xe1000000);
	assert_int_equal(read(CONFIG_BAR(1), 4), 0xe2000000);
}

static void there_are_no_extended_capabilities(void **state)
{
	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	for (uint32_t offset = 0x100; offset < 0x1000; offset += 4) {
		assert_int_equal(read(offset, 4), 0);
		assert_int_equal(vpci_write(&machine.vpci, DEVFN, offset, 4, ~0u).what, 0);
	}
	assert_int_equal(machine.writes, 0);
	assert_true(vpci_ecam_read(&machine.vpci, 2 * DEVFN << 12 | 0x100, 4) == 0xffffffff);
}

/* ---- the header ---- */

static void a_function_begins_silent(void **state)
{
	(void)state;
	put(NIC, CONFIG_COMMAND, 2, COMMAND_IO);
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(read(CONFIG_COMMAND, 2), 0);
	assert_int_equal(get(NIC, CONFIG_COMMAND, 2), COMMAND_MEMORY | COMMAND_INTX_OFF);
	assert_int_equal(read(CONFIG_INTERRUPT + 1, 1), 0);
	assert_int_equal(read(0x30, 4), 0);
	assert_int_equal(read(CONFIG_SUBSYSTEM, 4), 0x00008086);
	assert_int_equal(read(CONFIG_CLASS, 4), 0x02000003);
}

static void commands_are_told_and_not_passed_on(void **state)
{
	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(write(CONFIG_COMMAND, 2, COMMAND_MEMORY), VPCI_DECODE);
	assert_int_equal(write(CONFIG_COMMAND, 2, COMMAND_MEMORY), 0);
	assert_int_equal(write(CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER), VPCI_MASTER);
	assert_int_equal(write(CONFIG_COMMAND, 2, 0), VPCI_MASTER | VPCI_DECODE);
	assert_int_equal(write(CONFIG_COMMAND, 2, 0xffff), VPCI_MASTER | VPCI_DECODE);
	assert_int_equal(read(CONFIG_COMMAND, 2), COMMAND_MEMORY | COMMAND_MASTER | COMMAND_PARITY |
							  COMMAND_SERR | COMMAND_INTX_OFF);
	assert_int_equal(machine.writes, 0);
}

/* Every bit of every register, written both ways: nothing but the known few reaches the function. */
static void nothing_else_reaches_the_function(void **state)
{
	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	for (uint32_t offset = 0; offset < 256; offset += 4) {
		if (offset == EXPRESS + EXPRESS_DEVICE_CONTROL)
			continue;
		(void)write(offset, 4, 0xffffffff);
		(void)write(offset, 4, 0);
		(void)write(offset + 1, 1, 0xff);
	}
	assert_int_equal(machine.writes, 0);
}

/* ---- base addresses ---- */

static uint32_t size_of(uint32_t bar)
{
	uint32_t was = read(CONFIG_BAR(bar), 4), mask;

	(void)write(CONFIG_BAR(bar), 4, 0xffffffff);
	mask = read(CONFIG_BAR(bar), 4);
	(void)write(CONFIG_BAR(bar), 4, was);
	return mask;
}

static void bars_tell_their_size(void **state)
{
	(void)state;
	assert_int_equal(add(NIC), SP_OK);
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
	assert_int_equal(add(4), SP_OK);
	assert_int_equal(size_of(0), 0xfffff000);
}

static void bars_are_placed_in_the_window(void **state)
{
	const struct vpci_function *function = &machine.vpci.function[0];
	sp_gfn_t gfn;

	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(vpci_bar_place(&machine.vpci, function, 0, &gfn), VPCI_OFF);
	assert_int_equal(write(CONFIG_COMMAND, 2, COMMAND_MEMORY), VPCI_DECODE);
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
	set_bar(PLAIN, 0, 0x900000000, (uint64_t)8 << 30, BAR_64);
	assert_int_equal(add(PLAIN), SP_OK);
	(void)write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	assert_int_equal(vpci_bar_place(&machine.vpci, &machine.vpci.function[0], 0, &gfn),
			 VPCI_ON);
	assert_true(gfn.gfn << 12 == 0x1000000000);
	assert_int_equal(size_of(0), BAR_64);
	assert_int_equal(size_of(1), 0xfffffffe);
}

static void a_bar_without_room_is_refused(void **state)
{
	(void)state;
	set_bar(PLAIN, 0, 0xf0000000, 8192 * KIB, 0);
	assert_int_equal(add(PLAIN), SP_NO_SPACE);
	assert_string_equal(machine.why.chars, "0000:00:03.0: no room for BAR 0 of 8192 KiB");
	/* And takes none from those that follow. */
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(read(CONFIG_BAR(0), 4), 0xe0000000);
}

static void a_bar_can_be_moved_inside_the_windows(void **state)
{
	const struct vpci_function *function = &machine.vpci.function[0];
	sp_gfn_t gfn;

	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(write(CONFIG_BAR(0), 4, 0xe0200000), 0);
	assert_int_equal(write(CONFIG_COMMAND, 2, COMMAND_MEMORY), VPCI_DECODE);
	assert_int_equal(vpci_bar_place(&machine.vpci, function, 0, &gfn), VPCI_ON);
	assert_true(gfn.gfn == 0xe0200);
	/* While it decodes, each move is told. */
	assert_int_equal(write(CONFIG_BAR(0), 4, 0xe0220000), VPCI_DECODE);
	assert_int_equal(write(CONFIG_BAR(0), 4, 0xe0220fff), 0);
}

static const uint32_t outside[] = { 0, 0x00100000, 0xdffe0000, 0xe0400000, 0xfee00000, 0xfffe0000 };

static void a_bar_outside_the_windows_is_not_mapped(void **state)
{
	const struct vpci_function *function = &machine.vpci.function[0];
	sp_gfn_t gfn;

	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	(void)write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		assert_int_equal(write(CONFIG_BAR(0), 4, outside[i]), VPCI_DECODE);
		assert_int_equal(vpci_bar_place(&machine.vpci, function, 0, &gfn), VPCI_OUTSIDE);
	}
	/* With its upper half. */
	assert_int_equal(write(CONFIG_BAR(5), 4, 0x1), VPCI_DECODE);
	assert_int_equal(vpci_bar_place(&machine.vpci, function, 4, &gfn), VPCI_OUTSIDE);
}

static void without_the_check_a_bar_lies_over_memory(void **state)
{
	sp_gfn_t gfn;

	(void)state;
	machine.vpci.mutant = SP_MUT_BAR_ANYWHERE;
	assert_int_equal(add(NIC), SP_OK);
	(void)write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	(void)write(CONFIG_BAR(0), 4, 0x00100000);
	assert_int_equal(vpci_bar_place(&machine.vpci, &machine.vpci.function[0], 0, &gfn),
			 VPCI_ON);
}

static void bars_that_overlap_are_not_mapped(void **state)
{
	const struct vpci_function *nic = &machine.vpci.function[0];
	const struct vpci_function *plain = &machine.vpci.function[1];
	sp_gfn_t gfn;

	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(add(PLAIN), SP_OK);
	(void)write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	(void)write(CONFIG_BAR(1), 4, read(CONFIG_BAR(0), 4));
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 0, &gfn), VPCI_OVERLAPS);
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 1, &gfn), VPCI_OVERLAPS);
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 3, &gfn), VPCI_ON);
	/* Whoever does not decode is in nobody's way. */
	(void)write(CONFIG_BAR(1), 4, vpci_read(&machine.vpci, 2 * DEVFN, CONFIG_BAR(0), 4));
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 1, &gfn), VPCI_ON);
	(void)vpci_write(&machine.vpci, 2 * DEVFN, CONFIG_COMMAND, 2, COMMAND_MEMORY);
	assert_int_equal(vpci_bar_place(&machine.vpci, nic, 1, &gfn), VPCI_OVERLAPS);
	assert_int_equal(vpci_bar_place(&machine.vpci, plain, 0, &gfn), VPCI_OVERLAPS);
}

static void a_page_that_two_functions_share_is_refused(void **state)
{
	(void)state;
	set_bar(3, 0, 0xfeb90800, 256, BAR_64);
	assert_int_equal(add(4), SP_UNSUPPORTED);
	assert_string_equal(machine.why.chars,
			    "0000:00:05.0: BAR 0 at 0xfeb90000 shares a page with 0000:00:04.0");
	assert_int_equal(add(3), SP_UNSUPPORTED);
	assert_string_equal(machine.why.chars,
			    "0000:00:04.0: BAR 0 at 0xfeb90800 does not begin at a page");
	assert_int_equal(machine.vpci.function_count, 0);
	assert_int_equal(get(4, CONFIG_COMMAND, 2), 0);
}

static void without_the_check_a_page_of_two_functions_is_shown(void **state)
{
	(void)state;
	machine.vpci.mutant = SP_MUT_BAR_NEIGHBOUR_UNCHECKED;
	set_bar(3, 0, 0xfeb90800, 256, BAR_64);
	assert_int_equal(add(4), SP_OK);
}

static void a_bar_that_firmware_did_not_place_is_refused(void **state)
{
	(void)state;
	machine.info[PLAIN].bar[0].bytes = 0;
	assert_int_equal(add(PLAIN), SP_UNSUPPORTED);
	assert_string_equal(machine.why.chars, "0000:00:03.0: BAR 0 (0xfea00000) cannot be mapped");
}

static void addresses_lead_to_their_bar(void **state)
{
	struct vpci_function *function = &machine.vpci.function[0];
	uint64_t offset;
	uint32_t bar;

	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_null(vpci_find_address(&machine.vpci, read(CONFIG_BAR(3), 4), &bar, &offset));
	(void)write(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	assert_ptr_equal(vpci_find_address(&machine.vpci, read(CONFIG_BAR(3), 4) + 0x1010, &bar,
					   &offset),
			 function);
	assert_int_equal(bar, 3);
	assert_int_equal(offset, 0x1010);
	assert_null(vpci_find_address(&machine.vpci, 0xe03ff000, &bar, &offset));
	assert_null(vpci_find_address(&machine.vpci, 0, &bar, &offset));
}

/* ---- capabilities ---- */

static void hidden_capabilities_are_out_of_the_list(void **state)
{
	static const uint32_t wanted[] = { POWER, MSI, EXPRESS, MSIX };
	uint32_t at;

	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(read(CONFIG_COMMAND + 2, 2), 0x10);
	at = read(CONFIG_CAPABILITIES, 1);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_int_equal(at, wanted[i]);
		assert_int_equal(read(at, 1), get(NIC, at, 1));
		at = read(at + 1, 1);
	}
	assert_int_equal(at, 0);
	assert_int_equal(read(VPD, 4), 0);
	assert_int_equal(read(VPD + 4, 4), 0);
}

static void a_function_without_any_has_no_list(void **state)
{
	(void)state;
	assert_int_equal(add(PLAIN), SP_OK);
	assert_int_equal(read(CONFIG_COMMAND + 2, 2), 0);
	assert_int_equal(read(CONFIG_CAPABILITIES, 1), 0);
}

/* A circle, one capability twice, one inside another, one over the end. */
static void lists_that_lie_end(void **state)
{
	(void)state;
	set_capability(NIC, MSIX, CAPABILITY_MSIX, POWER);
	set_capability(NIC, VPD, CAPABILITY_POWER, MSI);
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(read(MSIX + 1, 1), 0);
	assert_int_equal(read(VPD, 4), 0);
	assert_int_equal(make_machine(NULL), 0);
	set_capability(NIC, VPD, 0x03, 0xfc);
	set_capability(NIC, 0xfc, CAPABILITY_MSIX, MSI + 4);
	set_capability(NIC, MSI + 4, CAPABILITY_MSI, MSI);
	put(NIC, MSI + 6, 2, MSI_64);
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(machine.vpci.function[0].msi, MSI + 4);
	assert_int_equal(read(MSI, 4), 0);
	assert_int_equal(read(MSI + 5, 1), MSIX);
	assert_int_equal(read(0xfc, 4), 0);
}

static void power_states_are_only_remembered(void **state)
{
	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(read(POWER + 2, 2), 0x0022);
	assert_int_equal(read(POWER + 4, 4), POWER_NO_RESET);
	(void)write(POWER + 4, 2, 0x8103);
	assert_int_equal(read(POWER + 4, 4), POWER_NO_RESET | 3);
	assert_int_equal(get(NIC, POWER + 4, 4), 0x2100);
}

static void a_function_becomes_a_part_of_the_root_complex(void **state)
{
	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(read(EXPRESS + 2, 2), 0x0091);
	assert_int_equal(read(EXPRESS + EXPRESS_DEVICE_CAP, 4), 0x10008fc2 & ~0x10000018u);
	assert_int_equal(read(EXPRESS + 0x0c, 4), 0);
}

/* Reset (bit 15) and phantom functions (bit 9) are not the guest's; status bits go out when written. */
static void device_control_is_passed_on_in_part(void **state)
{
	const uint32_t at = EXPRESS + EXPRESS_DEVICE_CONTROL;

	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	put(NIC, at, 4, 0x002f2010);
	assert_int_equal(read(at + 2, 2), 0x0020);
	(void)write(at, 4, 0xffffffff);
	assert_int_equal(machine.writes, 1);
	assert_int_equal(machine.written_offset, at);
	assert_int_equal(machine.written_bytes, 2);
	assert_int_equal(machine.written_value, DEVICE_RELAXED | DEVICE_NO_SNOOP | DEVICE_READ_MAX);
	assert_int_equal(get(NIC, at + 2, 2), 0x002f);
	(void)write(at, 2, 0);
	assert_int_equal(get(NIC, at, 2), 0);
}

/* ---- messages ---- */

static void msi_is_the_hypervisors_to_send(void **state)
{
	const struct vpci_function *function = &machine.vpci.function[0];
	struct vpci_message message;

	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(read(MSI + 2, 2), MSI_64);
	assert_int_equal(write(MSI + 4, 4, 0xfee01004), VPCI_MSI);
	assert_int_equal(write(MSI + 8, 4, 0), 0);
	assert_int_equal(write(MSI + 12, 2, 0x4041), VPCI_MSI);
	assert_false(vpci_message(function, 0).on);
	assert_int_equal(write(MSI + 2, 2, 0xffff), VPCI_MSI);
	assert_int_equal(read(MSI + 2, 2), MSI_64 | MSI_ENABLE);
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
	put(NIC, MSI + 2, 2, MSI_MASKS);
	put(NIC, EXPRESS, 4, 0);
	put(NIC, CONFIG_CAPABILITIES, 1, MSI);
	set_capability(NIC, MSI, CAPABILITY_MSI, 0);
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(write(MSI + 8, 2, 0x31), VPCI_MSI);
	assert_int_equal(write(MSI + 2, 2, MSI_ENABLE), VPCI_MSI);
	assert_true(vpci_message(function, 0).on);
	assert_int_equal(write(MSI + 12, 4, 1), VPCI_MSI);
	assert_false(vpci_message(function, 0).on);
	put(NIC, MSI + 16, 4, 0xff);
	assert_int_equal(read(MSI + 16, 4), 1);
}

static void msix_has_a_table_of_its_own(void **state)
{
	struct vpci_function *function = &machine.vpci.function[0];
	struct vpci_message message;

	(void)state;
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(function->vector_count, 5);
	assert_int_equal(read(MSIX + 2, 2), 4);
	assert_int_equal(vpci_table_write(function, 0x1010, 8, 0xfee01000), 1);
	assert_int_equal(vpci_table_write(function, 0x1018, 4, 0x35), 1);
	assert_int_equal(vpci_table_write(function, 0x1018, 4, 0x35), 5);
	assert_int_equal(write(MSIX + 2, 2, 0xffff), VPCI_MSIX);
	assert_int_equal(read(MSIX + 2, 2), MSIX_ENABLE | MSIX_MASKED | 4);
	assert_int_equal(vpci_table_write(function, 0x101c, 4, 0), 1);
	assert_false(vpci_message(function, 1).on);
	assert_int_equal(write(MSIX + 2, 2, MSIX_ENABLE), VPCI_MSIX);
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
	assert_int_equal(add(NIC), SP_OK);
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
	set_bar(NIC, 3, 0xfebc0000, 64 * KIB, 0);
	put(NIC, MSIX + 2, 2, 0x07ff);
	assert_int_equal(add(NIC), SP_OK);
	assert_int_equal(function->vector_count, VPCI_VECTORS);
	assert_int_equal(read(MSIX + 2, 2), VPCI_VECTORS - 1);
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
		put(NIC, MSIX + 4, 4, bad[i]);
		assert_int_equal(add(NIC), SP_UNSUPPORTED);
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
		assert_int_equal(make_machine(NULL), 0);
		put(NIC, MSIX + 2, 2, rows[i].control);
		put(NIC, MSIX + 4, 4, rows[i].table | 3);
		assert_int_equal(add(NIC), SP_OK);
		draw(drawing);
		assert_string_equal(drawing, rows[i].pages);
	}
}

static void without_the_trap_the_guest_writes_the_table(void **state)
{
	char drawing[8];

	(void)state;
	machine.vpci.mutant = SP_MUT_TABLE_NOT_TRAPPED;
	assert_int_equal(add(NIC), SP_OK);
	draw(drawing);
	assert_string_equal(drawing, "mmmm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_guest_sees_its_functions_and_a_host_bridge, make_machine),
		cmocka_unit_test_setup(the_bridge_keeps_nothing, make_machine),
		cmocka_unit_test_setup(what_cannot_be_shown_is_refused_with_its_name, make_machine),
		cmocka_unit_test_setup(a_function_is_shown_as_its_devices_only_one, make_machine),
		cmocka_unit_test_setup(each_byte_can_be_read_by_itself, make_machine),
		cmocka_unit_test_setup(each_byte_can_be_written_by_itself, make_machine),
		cmocka_unit_test_setup(ports_lead_to_the_same_registers, make_machine),
		cmocka_unit_test_setup(ports_lead_nowhere_else, make_machine),
		cmocka_unit_test_setup(ecam_leads_to_the_same_registers, make_machine),
		cmocka_unit_test_setup(there_are_no_extended_capabilities, make_machine),
		cmocka_unit_test_setup(a_function_begins_silent, make_machine),
		cmocka_unit_test_setup(commands_are_told_and_not_passed_on, make_machine),
		cmocka_unit_test_setup(nothing_else_reaches_the_function, make_machine),
		cmocka_unit_test_setup(bars_tell_their_size, make_machine),
		cmocka_unit_test_setup(a_bar_smaller_than_a_page_is_shown_as_one, make_machine),
		cmocka_unit_test_setup(bars_are_placed_in_the_window, make_machine),
		cmocka_unit_test_setup(a_large_bar_goes_above_4_gib_if_it_can, make_machine),
		cmocka_unit_test_setup(a_bar_without_room_is_refused, make_machine),
		cmocka_unit_test_setup(a_bar_can_be_moved_inside_the_windows, make_machine),
		cmocka_unit_test_setup(a_bar_outside_the_windows_is_not_mapped, make_machine),
		cmocka_unit_test_setup(without_the_check_a_bar_lies_over_memory, make_machine),
		cmocka_unit_test_setup(bars_that_overlap_are_not_mapped, make_machine),
		cmocka_unit_test_setup(a_page_that_two_functions_share_is_refused, make_machine),
		cmocka_unit_test_setup(without_the_check_a_page_of_two_functions_is_shown,
				       make_machine),
		cmocka_unit_test_setup(a_bar_that_firmware_did_not_place_is_refused, make_machine),
		cmocka_unit_test_setup(addresses_lead_to_their_bar, make_machine),
		cmocka_unit_test_setup(hidden_capabilities_are_out_of_the_list, make_machine),
		cmocka_unit_test_setup(a_function_without_any_has_no_list, make_machine),
		cmocka_unit_test_setup(lists_that_lie_end, make_machine),
		cmocka_unit_test_setup(power_states_are_only_remembered, make_machine),
		cmocka_unit_test_setup(a_function_becomes_a_part_of_the_root_complex, make_machine),
		cmocka_unit_test_setup(device_control_is_passed_on_in_part, make_machine),
		cmocka_unit_test_setup(msi_is_the_hypervisors_to_send, make_machine),
		cmocka_unit_test_setup(msi_of_the_small_kind_has_its_mask, make_machine),
		cmocka_unit_test_setup(msix_has_a_table_of_its_own, make_machine),
		cmocka_unit_test_setup(other_accesses_to_the_table_do_nothing, make_machine),
		cmocka_unit_test_setup(a_guest_is_shown_no_more_vectors_than_there_is_room_for,
				       make_machine),
		cmocka_unit_test_setup(a_table_outside_its_bar_is_refused, make_machine),
		cmocka_unit_test_setup(pages_with_a_part_of_the_table_are_trapped, make_machine),
		cmocka_unit_test_setup(without_the_trap_the_guest_writes_the_table, make_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
