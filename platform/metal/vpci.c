/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vpci.c - the PCI bus that a guest sees: accesses.
 *
 *   guest writes --> value <- (value & ~guest) | (written & guest)
 *                      '----- & real_write ----> the function
 *   guest reads  <-- (value & ~real_read) | (the function & real_read)
 *
 * What a register holds of each is decided once, in vpci_open.c.
 */
#include "platform/metal/vpci.h"

#include "lib/mutant.h"
#include "platform/metal/vpci_registers.h"

#define PORT_ENABLE   0x80000000u
#define PORT_EXTENDED 0x0f000000u /* AMD's bits 11:8 of the offset; lab S.6: Linux tries them */
#define BUS_SHIFT     16u
#define HEADER_END    0x100u

static uint32_t ones(uint32_t bytes)
{
	return 0xffffffffu >> (32 - 8 * bytes);
}

static struct vpci_function *find_device(struct vpci *vpci, uint32_t devfn)
{
	for (uint32_t i = 0; i < vpci->function_count; i++) {
		if (vpci->function[i].shown && devfn == (uint32_t)vpci->function[i].device << 3)
			return &vpci->function[i];
	}
	return NULL;
}

struct vpci_function *vpci_find(struct vpci *vpci, sp_sbdf_t machine)
{
	for (uint32_t i = 0; i < vpci->function_count; i++) {
		if (vpci->function[i].shown && vpci->function[i].sbdf.sbdf == machine.sbdf)
			return &vpci->function[i];
	}
	return NULL;
}

struct vpci_function *vpci_find_name(struct vpci *vpci, uint64_t name)
{
	return name <= UINT32_MAX ? find_device(vpci, (uint32_t)name) : NULL;
}

/* The caller promised that the access stays within one register. */
static uint32_t read_register(const struct vpci *vpci, const struct vpci_function *function,
			      uint32_t offset)
{
	const struct vpci_register *reg = &function->reg[offset / 4];
	uint32_t value = reg->value & ~reg->real_read;

	if (reg->real_read != 0)
		value |=
			vpci->read(vpci->context, function->sbdf, offset & ~3u, 4) & reg->real_read;
	return value;
}

/* ATS, PASID, SR-IOV ..: a function that translated for itself would be beyond its unit. */
static uint32_t read_extended(const struct vpci *vpci, const struct vpci_function *function,
			      uint32_t offset, uint32_t bytes)
{
	if (MUTANT_IS(vpci->mutant, SP_MUT_EXTENDED_SHOWN) && function != NULL)
		return vpci->read(vpci->context, function->sbdf, offset, bytes);
	return 0;
}

uint32_t vpci_read(struct vpci *vpci, uint32_t devfn, uint32_t offset, uint32_t bytes)
{
	const struct vpci_function *function = find_device(vpci, devfn);
	uint32_t value;

	if (function == NULL && devfn != 0)
		return ones(bytes);
	if (offset >= HEADER_END)
		return read_extended(vpci, function, offset, bytes);
	value = function != NULL ? read_register(vpci, function, offset)
				 : vpci->bridge[offset / 4].value;
	return value >> 8 * (offset & 3) & ones(bytes);
}

/*
 * Half a register at a time: the other half often holds status bits that go out when a one is
 * written to them.
 */
static void write_real(const struct vpci *vpci, const struct vpci_function *function,
		       uint32_t offset, uint32_t mask)
{
	const struct vpci_register *reg = &function->reg[offset / 4];

	for (uint32_t half = 0; half < 2; half++) {
		uint32_t at = (offset & ~3u) + 2 * half;
		uint32_t passed = MUTANT_IS(vpci->mutant, SP_MUT_CONFIG_UNFILTERED)
					  ? reg->guest
					  : reg->real_write;
		uint32_t bits = (passed & mask) >> 16 * half & 0xffff, was;

		if (bits == 0)
			continue;
		was = vpci->read(vpci->context, function->sbdf, at, 2);
		vpci->write(vpci->context, function->sbdf, at, 2,
			    (was & ~bits) | (reg->value >> 16 * half & bits));
	}
}

static uint32_t change_of_command(uint32_t changed)
{
	uint32_t what = 0;

	if (changed & COMMAND_MEMORY)
		what |= VPCI_DECODE;
	if (changed & COMMAND_MASTER)
		what |= VPCI_MASTER;
	return what;
}

static uint32_t msi_end(const struct vpci_function *function)
{
	uint32_t control = function->reg[function->msi / 4].value >> 16;

	return function->msi + MSI_BYTES(control);
}

static uint32_t change_of(const struct vpci_function *function, uint32_t offset, uint32_t changed)
{
	bool decodes = (function->reg[CONFIG_COMMAND / 4].value & COMMAND_MEMORY) != 0;

	if (changed == 0)
		return 0;
	if (offset / 4 == CONFIG_COMMAND / 4)
		return change_of_command(changed);
	if (offset >= CONFIG_BAR(0) && offset < CONFIG_BAR(SP_BARS))
		return decodes ? VPCI_DECODE : 0;
	if (function->msi != 0 && offset >= function->msi && offset < msi_end(function))
		return VPCI_MSI;
	if (function->msix != 0 && offset / 4 == function->msix / 4)
		return VPCI_MSIX;
	return 0;
}

struct vpci_change vpci_write(struct vpci *vpci, uint32_t devfn, uint32_t offset, uint32_t bytes,
			      uint32_t value)
{
	struct vpci_function *function = find_device(vpci, devfn);
	uint32_t shift = 8 * (offset & 3), mask = ones(bytes) << shift, was, changed;
	struct vpci_register *reg;

	if (function == NULL || offset >= HEADER_END)
		return (struct vpci_change){ .what = 0 };
	reg = &function->reg[offset / 4];
	was = reg->value;
	mask &= reg->guest;
	reg->value = (was & ~mask) | (value << shift & mask);
	changed = was ^ reg->value;
	write_real(vpci, function, offset, mask);
	return (struct vpci_change){ function, change_of(function, offset, changed) };
}

bool vpci_is_master(const struct vpci_function *function)
{
	return (function->reg[CONFIG_COMMAND / 4].value & COMMAND_MASTER) != 0;
}

/* ---- ports ---- */

bool vpci_has_port(uint32_t port, uint32_t bytes)
{
	if (port == VPCI_PORT_ADDRESS)
		return bytes == 4;
	return port >= VPCI_PORT_DATA && port + bytes <= VPCI_PORT_DATA + 4;
}

/* Where CFC leads; false: to nobody. */
static bool find_selected(const struct vpci *vpci, uint32_t *devfn)
{
	*devfn = vpci->selected >> 8 & 0xff;
	return (vpci->selected & PORT_ENABLE) && !(vpci->selected & PORT_EXTENDED) &&
	       (vpci->selected >> BUS_SHIFT & 0xff) == 0;
}

uint32_t vpci_port_read(struct vpci *vpci, uint32_t port, uint32_t bytes)
{
	uint32_t devfn;

	if (port == VPCI_PORT_ADDRESS)
		return vpci->selected;
	if (!find_selected(vpci, &devfn))
		return ones(bytes);
	return vpci_read(vpci, devfn, (vpci->selected & 0xfc) | (port & 3), bytes);
}

struct vpci_change vpci_port_write(struct vpci *vpci, uint32_t port, uint32_t bytes, uint32_t value)
{
	uint32_t devfn;

	if (port == VPCI_PORT_ADDRESS)
		vpci->selected = value & ~3u;
	else if (find_selected(vpci, &devfn))
		return vpci_write(vpci, devfn, (vpci->selected & 0xfc) | (port & 3), bytes, value);
	return (struct vpci_change){ .what = 0 };
}

/* ---- ECAM ---- */

/* What of an access lies in the register that its first byte is in. */
static uint32_t piece(uint32_t offset, uint32_t bytes)
{
	uint32_t left = 4 - (offset & 3);

	return bytes < left ? bytes : left;
}

uint64_t vpci_ecam_read(struct vpci *vpci, uint32_t offset, uint32_t bytes)
{
	uint64_t value = 0;

	for (uint32_t done = 0, some; done < bytes; done += some) {
		uint32_t at = offset + done;

		some = piece(at, bytes - done);
		value |= (uint64_t)vpci_read(vpci, at >> 12 & 0xff, at & 0xfff, some) << 8 * done;
	}
	return value;
}

struct vpci_change vpci_ecam_write(struct vpci *vpci, uint32_t offset, uint32_t bytes,
				   uint64_t value)
{
	struct vpci_change all = { .what = 0 };

	for (uint32_t done = 0, some; done < bytes; done += some) {
		uint32_t at = offset + done;
		struct vpci_change change;

		some = piece(at, bytes - done);
		change = vpci_write(vpci, at >> 12 & 0xff, at & 0xfff, some,
				    (uint32_t)(value >> 8 * done));
		if (change.what != 0) {
			all.function = change.function;
			all.what |= change.what;
		}
	}
	return all;
}
