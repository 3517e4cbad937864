/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vpci_fixture.c - a machine of five functions whose every write is seen.
 */
#include "tests/unit/vpci_fixture.h"

struct machine machine;

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

uint32_t config_get(uint32_t index, uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	memcpy(&value, &machine.space[index][offset], bytes);
	return value;
}

void config_put(uint32_t index, uint32_t offset, uint32_t bytes, uint32_t value)
{
	memcpy(&machine.space[index][offset], &value, bytes);
}

static uint32_t read_space(void *context, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes)
{
	assert_ptr_equal(context, &machine);
	assert_true((bytes == 1 || bytes == 2 || bytes == 4) && offset % bytes == 0);
	return config_get(index_of(sbdf), offset, bytes);
}

static void write_space(void *context, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes,
			uint32_t value)
{
	assert_ptr_equal(context, &machine);
	assert_true((bytes == 1 || bytes == 2 || bytes == 4) && offset % bytes == 0);
	config_put(index_of(sbdf), offset, bytes, value);
	machine.writes++;
	machine.written_offset = offset;
	machine.written_bytes = bytes;
	machine.written_value = value;
}

void config_set_bar(uint32_t index, uint32_t bar, uint64_t address, uint64_t bytes, uint32_t flags)
{
	machine.info[index].bar[bar] = (struct sp_bar){ .address = { address },
							.bytes = bytes,
							.prefetchable = flags & BAR_PREFETCH };
	config_put(index, CONFIG_BAR(bar), 4, (uint32_t)address | flags);
	if ((flags & BAR_TYPE) == BAR_64)
		config_put(index, CONFIG_BAR(bar + 1), 4, (uint32_t)(address >> 32));
}

static void set_ids(uint32_t index, uint32_t sbdf, uint32_t id, uint32_t class_code)
{
	machine.info[index] = (struct sp_function_info){ .sbdf = { sbdf }, .covered = true };
	config_put(index, CONFIG_ID, 4, id);
	config_put(index, CONFIG_CLASS, 4, class_code << 8 | 3);
}

void config_set_capability(uint32_t index, uint32_t at, uint32_t id, uint32_t next)
{
	config_put(index, at, 1, id);
	config_put(index, at + 1, 1, next);
}

/* As QEMU's e1000e, with a BAR of 64 bits more, vital product data, and ATS. */
static void make_nic(void)
{
	set_ids(NIC, 0x10, 0x10d38086, 0x020000);
	config_put(NIC, CONFIG_COMMAND, 4, 0xf9100000);
	config_put(NIC, CONFIG_SUBSYSTEM, 4, 0x00008086);
	config_put(NIC, CONFIG_INTERRUPT, 4, 0x010b);
	config_put(NIC, 0x30, 4, 0xfeb00001); /* ROM */
	config_set_bar(NIC, 0, 0xfeb40000, 128 * KIB, 0);
	config_set_bar(NIC, 1, 0xfeb60000, 128 * KIB, 0);
	config_put(NIC, CONFIG_BAR(2), 4, 0xc041); /* ports */
	config_set_bar(NIC, 3, 0xfeb80000, 16 * KIB, 0);
	config_set_bar(NIC, 4, 0x800000000, 64 * KIB, BAR_64 | BAR_PREFETCH);
	config_put(NIC, CONFIG_CAPABILITIES, 1, POWER);
	config_set_capability(NIC, POWER, CAPABILITY_POWER, VPD);
	config_put(NIC, POWER + 2, 2, 0xc822);
	config_put(NIC, POWER + 4, 4, 0x2100);
	config_set_capability(NIC, VPD, 0x03, MSI);
	config_put(NIC, VPD + 4, 4, 0x12345678);
	config_set_capability(NIC, MSI, CAPABILITY_MSI, EXPRESS);
	config_put(NIC, MSI + 2, 2, 0x008a);
	config_set_capability(NIC, EXPRESS, CAPABILITY_EXPRESS, MSIX);
	config_put(NIC, EXPRESS + 2, 2, 0x0001);
	config_put(NIC, EXPRESS + 4, 4, 0x10008fc2);
	config_put(NIC, EXPRESS + 8, 4, 0x00202910);
	config_put(NIC, EXPRESS + 12, 4, 0x00066c11); /* link */
	config_set_capability(NIC, MSIX, CAPABILITY_MSIX, 0);
	config_put(NIC, MSIX + 2, 2, 0x0004);
	config_put(NIC, MSIX + 4, 4, 0x1000 | 3);
	config_put(NIC, MSIX + 8, 4, 0x2000 | 3);
	config_put(NIC, 0x100, 4, 0x0001000f); /* ATS */
}

int vpci_machine(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	set_ids(0, 0x00, 0x29c08086, 0x060000);
	machine.info[0].is_bridge = true;
	make_nic();
	set_ids(PLAIN, 0x18, 0x11e81234, 0x00ff00);
	config_set_bar(PLAIN, 0, 0xfea00000, 1024 * KIB, 0);
	set_ids(3, 0x20, 0x00101b36, 0x010802);
	config_set_bar(3, 0, 0xfeb84000, 16 * KIB, BAR_64);
	set_ids(4, 0x28, 0x00111b36, 0x000000);
	config_set_bar(4, 0, 0xfeb90000, 256, 0);
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

enum sp_status guest_add(uint32_t index)
{
	enum sp_status status = vpci_add(&machine.vpci, machine.info, SPACES, index, &machine.why);

	machine.writes = 0;
	return status;
}

uint32_t guest_read(uint32_t offset, uint32_t bytes)
{
	return vpci_read(&machine.vpci, DEVFN, offset, bytes);
}

uint32_t guest_write(uint32_t offset, uint32_t bytes, uint32_t value)
{
	struct vpci_change change = vpci_write(&machine.vpci, DEVFN, offset, bytes, value);

	assert_ptr_equal(change.function, &machine.vpci.function[0]);
	return change.what;
}
