/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/mptable.c - what a guest without ACPI is told of its machine (MultiProcessor
 * Specification 1.4, 4).
 *
 *   f0000  floating pointer, 16 bytes --> f0010  header, 44 | CPU, 20 | bus, 8 | bus, 8
 *
 * There is no I/O APIC: what interrupts such a guest are its devices' messages and its own timer.
 */
#include "platform/metal/mptable.h"

#include <stddef.h>

#include "platform/metal/string.h"

#define VERSION_1_4	   4u
#define ENTRY_CPU	   0u
#define ENTRY_BUS	   1u
#define CPU_ENABLED	   0x01u
#define CPU_BOOTED	   0x02u
#define LOCAL_APIC_VERSION 0x14u

struct floating_pointer {
	char signature[4];
	uint32_t table;
	uint8_t length; /* of this, in 16 bytes */
	uint8_t version, checksum, features[5];
};

struct header {
	char signature[4];
	uint16_t bytes;
	uint8_t version, checksum;
	char maker[8], product[12];
	uint32_t maker_table;
	uint16_t maker_bytes, entries;
	uint32_t local_apic;
	uint16_t extended_bytes;
	uint8_t extended_checksum, reserved;
};

struct cpu_entry {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features, reserved[2];
};

struct bus_entry {
	uint8_t type, id;
	char name[6];
};

struct table {
	struct floating_pointer pointer;
	struct header header;
	struct cpu_entry cpu;
	struct bus_entry pci, isa;
};

/* 4.1, 4.2: all bytes, this one with them, add up to 0. */
static uint8_t checksum(const void *from, size_t bytes)
{
	const uint8_t *byte = from;
	uint8_t sum = 0;

	for (size_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + byte[i]);
	return (uint8_t)(0 - sum);
}

void mptable_write(void *place, const struct mptable_cpu *cpu)
{
	const uint32_t bytes = sizeof(struct table) - sizeof(struct floating_pointer);
	struct table table = {
		.pointer = { .signature = { '_', 'M', 'P', '_' },
			     .table = MPTABLE_ADDRESS + sizeof(struct floating_pointer),
			     .length = 1,
			     .version = VERSION_1_4 },
		.header = { .signature = { 'P', 'C', 'M', 'P' },
			    .bytes = (uint16_t)bytes,
			    .version = VERSION_1_4,
			    .maker = { 'S', 'A', 'L', 'L', 'Y', 'P', 'R', 'T' },
			    .product = { 'G', 'U', 'E', 'S', 'T', ' ', ' ', ' ', ' ', ' ', ' ',
					 ' ' },
			    .entries = 3,
			    .local_apic = LOCAL_APIC_ADDRESS },
		.cpu = { .type = ENTRY_CPU,
			 .apic_id = cpu->apic_id,
			 .apic_version = LOCAL_APIC_VERSION,
			 .flags = CPU_ENABLED | CPU_BOOTED,
			 .signature = cpu->signature,
			 .features = cpu->features },
		.pci = { .type = ENTRY_BUS, .id = 0, .name = { 'P', 'C', 'I', ' ', ' ', ' ' } },
		.isa = { .type = ENTRY_BUS, .id = 1, .name = { 'I', 'S', 'A', ' ', ' ', ' ' } },
	};

	table.pointer.checksum = checksum(&table.pointer, sizeof(table.pointer));
	table.header.checksum = checksum(&table.header, bytes);
	memcpy(place, &table, sizeof(table));
}

_Static_assert(sizeof(struct floating_pointer) == 16, "MP 1.4, 4.1");
_Static_assert(sizeof(struct header) == 44, "MP 1.4, 4.2");
_Static_assert(sizeof(struct cpu_entry) == 20, "MP 1.4, 4.3.1");
_Static_assert(sizeof(struct bus_entry) == 8, "MP 1.4, 4.3.2");
