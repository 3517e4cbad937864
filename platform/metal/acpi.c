/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/acpi.c - firmware's tables (ACPI 6.5, 5.2).
 *
 *   0xe0000-0xfffff or EBDA: RSDP --> XSDT or RSDT --> FACP, APIC, MCFG, DMAR or IVRS, ...
 */
#include "platform/metal/acpi.h"

#include "platform/metal/console.h"
#include "platform/metal/memory.h"
#include "platform/metal/print.h"
#include "platform/metal/string.h"

#define TABLES_MAX	64
#define TABLE_BYTES_MAX 0x100000u /* no real table comes near */
#define RSDP_BYTES_V1	20u
#define RSDP_BYTES_V2	36u
#define RSDP_LENGTH	20 /* offsets in the RSDP, ACPI 5.2.5.3 */
#define RSDP_REVISION	15
#define RSDP_RSDT	16
#define RSDP_XSDT	24
#define EBDA_SEGMENT	0x40e /* BIOS data area: EBDA's segment */

static struct acpi_table tables[TABLES_MAX]; /* constant after acpi_start */
static size_t table_count;

uint16_t acpi_read16(const uint8_t *field)
{
	return (uint16_t)(field[0] | field[1] << 8);
}

uint32_t acpi_read32(const uint8_t *field)
{
	return (uint32_t)acpi_read16(field) | (uint32_t)acpi_read16(field + 2) << 16;
}

uint64_t acpi_read64(const uint8_t *field)
{
	return acpi_read32(field) | (uint64_t)acpi_read32(field + 4) << 32;
}

/* Every structure carries a byte that makes the sum of all its bytes zero. */
static bool is_sum_zero(const uint8_t *bytes, size_t count)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

/* ACPI 5.2.5.1: on a 16-byte boundary. The checksum tells it from a chance match. */
static const uint8_t *find_rsdp_in(uint64_t first, uint64_t bytes)
{
	for (uint64_t at = first; at + RSDP_BYTES_V1 <= first + bytes; at += 16) {
		const uint8_t *rsdp = memory_pointer((sp_maddr_t){ at });

		if (memcmp(rsdp, "RSD PTR ", 8) == 0 && is_sum_zero(rsdp, RSDP_BYTES_V1))
			return rsdp;
	}
	return NULL;
}

/* The first KiB of the extended BIOS data area, then the BIOS itself. */
static const uint8_t *find_rsdp(void)
{
	const uint8_t *segment = memory_pointer((sp_maddr_t){ EBDA_SEGMENT });
	uint64_t ebda = (uint64_t)acpi_read16(segment) << 4;
	const uint8_t *rsdp = NULL;

	if (ebda >= 0x400 && ebda < 0xa0000)
		rsdp = find_rsdp_in(ebda, 1024);
	return rsdp != NULL ? rsdp : find_rsdp_in(0xe0000, 0x20000);
}

/* The table at `address`, or none, with the reason logged. `who` points to it. */
static struct acpi_table read_table(uint64_t address, const char *who)
{
	const struct acpi_table none = { NULL, 0 };
	const uint8_t *table = memory_pointer((sp_maddr_t){ address });
	uint32_t bytes;

	if (address == 0 || address > LOW_LIMIT - ACPI_HEADER_SIZE) {
		console_log("acpi",
			    "%s points to 0x%lx, which cannot be a table below 4 GiB; "
			    "left out",
			    who, address);
		return none;
	}
	bytes = acpi_read32(table + 4);
	if (bytes < ACPI_HEADER_SIZE || bytes > TABLE_BYTES_MAX || bytes > LOW_LIMIT - address) {
		console_log("acpi",
			    "%.4s at 0x%lx says it is %u bytes long, which cannot be; "
			    "left out",
			    (const char *)table, address, bytes);
		return none;
	}
	if (!is_sum_zero(table, bytes)) {
		console_log("acpi", "%.4s at 0x%lx has a wrong checksum; left out",
			    (const char *)table, address);
		return none;
	}
	return (struct acpi_table){ table, bytes };
}

/* RSDT and XSDT differ in the width of their pointers only. */
static void read_list(const struct acpi_table *list, size_t width)
{
	for (size_t at = ACPI_HEADER_SIZE; at + width <= list->bytes; at += width) {
		const uint8_t *field = list->table + at;
		uint64_t address = width == 8 ? acpi_read64(field) : acpi_read32(field);
		struct acpi_table table = read_table(address, width == 8 ? "XSDT" : "RSDT");

		if (table.table == NULL)
			continue;
		if (table_count == TABLES_MAX) {
			console_log("acpi", "more than %u tables; the rest is left out",
				    TABLES_MAX);
			return;
		}
		tables[table_count++] = table;
	}
}

/* An XSDT counts only if the larger structure that names it is whole. */
static bool has_xsdt(const uint8_t *rsdp)
{
	return rsdp[RSDP_REVISION] >= 2 && acpi_read32(rsdp + RSDP_LENGTH) >= RSDP_BYTES_V2 &&
	       is_sum_zero(rsdp, RSDP_BYTES_V2) && acpi_read64(rsdp + RSDP_XSDT) != 0;
}

/* Behind the signature and the checksum: who made them, 6 characters. */
static void log_tables(const uint8_t *rsdp)
{
	char names[TABLES_MAX * 5 + 1];
	size_t used = 0;

	names[0] = '\0';
	for (size_t i = 0; i < table_count; i++)
		used += print(names + used, sizeof(names) - used, " %.4s",
			      (const char *)tables[i].table);
	console_log("acpi", "revision %u by \"%.6s\":%s", rsdp[RSDP_REVISION],
		    (const char *)rsdp + 9, names);
}

void acpi_start(void)
{
	const uint8_t *rsdp = find_rsdp();
	struct acpi_table list;
	bool wide;

	if (rsdp == NULL) {
		console_log("acpi", "no tables found (no RSDP below 1 MiB)");
		return;
	}
	wide = has_xsdt(rsdp);
	list = read_table(wide ? acpi_read64(rsdp + RSDP_XSDT) : acpi_read32(rsdp + RSDP_RSDT),
			  "RSDP");
	if (list.table != NULL)
		read_list(&list, wide ? 8 : 4);
	log_tables(rsdp);
}

struct acpi_table acpi_find(const char *signature)
{
	for (size_t i = 0; i < table_count; i++) {
		if (memcmp(tables[i].table, signature, 4) == 0)
			return tables[i];
	}
	return (struct acpi_table){ NULL, 0 };
}

const uint8_t *acpi_next_entry(const struct acpi_table *table, size_t *at)
{
	const uint8_t *entry = table->table + *at;
	size_t left = table->bytes - *at;

	if (left == 0)
		return NULL;
	if (left < 2 || entry[1] < 2 || entry[1] > left) {
		console_log("acpi",
			    "%.4s: the entry at offset %zu has an impossible length; what follows "
			    "is left out",
			    (const char *)table->table, *at);
		return NULL;
	}
	*at += entry[1];
	return entry;
}
