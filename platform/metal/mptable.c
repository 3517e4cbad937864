/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/mptable.c - what a guest without ACPI is told of its machine (MultiProcessor
 * Specification 1.4, 4).
 *
 *   f0000  floating pointer, 16 bytes --> f0010  header, 44 | CPU, 20 | CPU .. | bus, 8 | bus, 8
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
	struct cpu_entry cpu[MPTABLE_CPUS];
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

static void write_cpus(struct table *table, const struct mptable_cpu *cpus, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		table->cpu[i] = (struct cpu_entry){
			.type = ENTRY_CPU,
			.apic_id = cpus[i].apic_id,
			.apic_version = LOCAL_APIC_VERSION,
			.flags = i == 0 ? CPU_ENABLED | CPU_BOOTED : CPU_ENABLED,
			.signature = cpus[i].signature,
			.features = cpus[i].features,
		};
}

/* Buses come behind the last CPU, wherever that is. */
void mptable_write(void *place, const struct mptable_cpu *cpus, uint32_t count)
{
	static const struct bus_entry buses[] = {
		{ ENTRY_BUS, 0, { 'P', 'C', 'I', ' ', ' ', ' ' } },
		{ ENTRY_BUS, 1, { 'I', 'S', 'A', ' ', ' ', ' ' } },
	};
	struct table *table = place;
	struct header *header = &table->header;
	void *behind = &table->cpu[count];

	table->pointer = (struct floating_pointer){
		.signature = { '_', 'M', 'P', '_' },
		.table = MPTABLE_ADDRESS + sizeof(struct floating_pointer),
		.length = 1,
		.version = VERSION_1_4,
	};
	*header = (struct header){
		.signature = { 'P', 'C', 'M', 'P' },
		.bytes = (uint16_t)(sizeof(*header) + count * sizeof(struct cpu_entry) +
				    sizeof(buses)),
		.version = VERSION_1_4,
		.maker = { 'S', 'A', 'L', 'L', 'Y', 'P', 'R', 'T' },
		.product = { 'G', 'U', 'E', 'S', 'T', ' ', ' ', ' ', ' ', ' ', ' ', ' ' },
		.entries = (uint16_t)(count + sizeof(buses) / sizeof(buses[0])),
		.local_apic = LOCAL_APIC_ADDRESS,
	};
	write_cpus(table, cpus, count);
	memcpy(behind, buses, sizeof(buses));
	table->pointer.checksum = checksum(&table->pointer, sizeof(table->pointer));
	header->checksum = checksum(header, header->bytes);
}

_Static_assert(sizeof(struct floating_pointer) == 16, "MP 1.4, 4.1");
_Static_assert(sizeof(struct header) == 44, "MP 1.4, 4.2");
_Static_assert(sizeof(struct cpu_entry) == 20, "MP 1.4, 4.3.1");
_Static_assert(sizeof(struct bus_entry) == 8, "MP 1.4, 4.3.2");
_Static_assert(sizeof(struct table) + 2 * sizeof(struct bus_entry) <= 4096,
	       "it goes into one page");
