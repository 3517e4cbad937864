/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/pci_config.c - PCI configuration space.
 *
 *   bus in an MCFG window below 4 GiB --> ECAM: base + (requester << 12 | offset)
 *   otherwise, segment 0, offset < 256 --> port CF8 selects, CFC carries
 */
#include "platform/metal/pci_config.h"

#include <stdbool.h>
#include <stddef.h>

#include "platform/metal/acpi.h"
#include "platform/metal/console.h"
#include "platform/metal/memory.h"
#include "platform/metal/spinlock.h"

#define MCFG_ENTRIES	 44 /* PCI Firmware 3.2, 4.1.2 */
#define MCFG_ENTRY_BYTES 16u
#define BUS_BYTES	 0x100000ull
#define WINDOWS_MAX	 8

#define PORT_ADDRESS	 0xcf8
#define PORT_DATA	 0xcfc
#define PORT_ENABLE	 0x80000000u
#define PORT_BYTES	 256u

struct window {
	uint64_t base; /* of bus 0, whether or not it is in the window */
	uint16_t segment;
	uint8_t first_bus, last_bus;
};

static struct window windows[WINDOWS_MAX]; /* constant after pci_config_start */
static size_t window_count;
static struct spinlock port_lock; /* an address and its data belong together */

/* The base is where bus 0 would be, even where the window begins at a later bus. */
static void add_window(const uint8_t *entry)
{
	struct window w = {
		.base = acpi_read64(entry),
		.segment = acpi_read16(entry + 8),
		.first_bus = entry[10],
		.last_bus = entry[11],
	};

	if (w.first_bus > w.last_bus || w.base >= LOW_LIMIT ||
	    w.base + (w.last_bus + 1ull) * BUS_BYTES > LOW_LIMIT) {
		console_log("pci",
			    "ECAM of segment %u, buses %u-%u at 0x%lx is not below 4 GiB; left out",
			    w.segment, w.first_bus, w.last_bus, w.base);
		return;
	}
	console_log("pci", "ECAM of segment %u, buses %u-%u at 0x%lx", w.segment, w.first_bus,
		    w.last_bus, w.base);
	windows[window_count++] = w;
}

/* PCI Firmware 3.2, 4.1.2: entries of 16 bytes to the end of the table. */
void pci_config_start(void)
{
	struct acpi_table mcfg = acpi_find("MCFG");

	if (mcfg.table == NULL) {
		console_log("pci", "no MCFG: configuration space through ports CF8 and CFC alone");
		return;
	}
	for (size_t at = MCFG_ENTRIES; at + MCFG_ENTRY_BYTES <= mcfg.bytes;
	     at += MCFG_ENTRY_BYTES) {
		if (window_count < WINDOWS_MAX)
			add_window(mcfg.table + at);
	}
}

bool pci_config_window(uint32_t index, sp_maddr_t *first, uint64_t *bytes)
{
	const struct window *w = &windows[index];

	if (index >= window_count)
		return false;
	*first = (sp_maddr_t){ w->base + w->first_bus * BUS_BYTES };
	*bytes = (w->last_bus + 1ull - w->first_bus) * BUS_BYTES;
	return true;
}

/* 4 KiB a function, in the order of the requester ids. */
static volatile void *find_ecam(sp_sbdf_t function, uint32_t offset)
{
	for (size_t i = 0; i < window_count; i++) {
		const struct window *w = &windows[i];
		uint64_t within = (uint64_t)sp_sbdf_requester(function) << 12 | offset;

		if (w->segment == sp_sbdf_segment(function) &&
		    sp_sbdf_bus(function) >= w->first_bus && sp_sbdf_bus(function) <= w->last_bus)
			return memory_pointer((sp_maddr_t){ w->base + within });
	}
	return NULL;
}

/* Bits 27:24 would reach beyond 256 on some machines and alias on others: never used. */
static bool has_ports(sp_sbdf_t function, uint32_t offset)
{
	return sp_sbdf_segment(function) == 0 && offset < PORT_BYTES;
}

/* Returns the data port for the offset. Called with port_lock held. */
static uint16_t select_port(sp_sbdf_t function, uint32_t offset)
{
	out32(PORT_ADDRESS,
	      PORT_ENABLE | (uint32_t)sp_sbdf_requester(function) << 8 | (offset & ~3u));
	return (uint16_t)(PORT_DATA + (offset & 3));
}

static uint32_t read_ports(sp_sbdf_t function, uint32_t offset, uint32_t bytes)
{
	bool were_on = spinlock_take(&port_lock);
	uint16_t port = select_port(function, offset);
	uint32_t value = bytes == 1 ? in8(port) : bytes == 2 ? in16(port) : in32(port);

	spinlock_drop(&port_lock, were_on);
	return value;
}

static void write_ports(sp_sbdf_t function, uint32_t offset, uint32_t bytes, uint32_t value)
{
	bool were_on = spinlock_take(&port_lock);
	uint16_t port = select_port(function, offset);

	if (bytes == 1)
		out8(port, (uint8_t)value);
	else if (bytes == 2)
		out16(port, (uint16_t)value);
	else
		out32(port, value);
	spinlock_drop(&port_lock, were_on);
}

/* Accesses have exactly the width asked for: reading more may have effects. */
uint32_t pci_config_read(sp_sbdf_t function, uint32_t offset, uint32_t bytes)
{
	volatile void *at = find_ecam(function, offset);

	if (at == NULL)
		return has_ports(function, offset) ? read_ports(function, offset, bytes)
						   : 0xffffffffu >> (32 - 8 * bytes);
	if (bytes == 1)
		return *(volatile uint8_t *)at;
	if (bytes == 2)
		return *(volatile uint16_t *)at;
	return *(volatile uint32_t *)at;
}

void pci_config_write(sp_sbdf_t function, uint32_t offset, uint32_t bytes, uint32_t value)
{
	volatile void *at = find_ecam(function, offset);

	if (at == NULL && has_ports(function, offset))
		write_ports(function, offset, bytes, value);
	if (at == NULL)
		return;
	if (bytes == 1)
		*(volatile uint8_t *)at = (uint8_t)value;
	else if (bytes == 2)
		*(volatile uint16_t *)at = (uint16_t)value;
	else
		*(volatile uint32_t *)at = value;
}
