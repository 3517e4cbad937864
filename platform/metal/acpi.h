/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/acpi.h - firmware's tables, found and their checksums verified.
 * What is inside DMAR and IVRS the library reads itself; it is only handed the bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_HEADER_SIZE 36u

/* `bytes` counts the header too; table is NULL where there is none. */
struct acpi_table {
	const uint8_t *table;
	size_t bytes;
};

/*
 * Reads the list of tables and logs it; tables that contradict themselves are named and left out.
 */
void acpi_start(void);
struct acpi_table acpi_find(const char *signature);

/* Fields at any alignment, little endian. The caller has checked the bounds. */
uint16_t acpi_read16(const uint8_t *field);
uint32_t acpi_read32(const uint8_t *field);
uint64_t acpi_read64(const uint8_t *field);

/*
 * Walks the entries {type, length, ...} of a table from offset `*at`: the next one, or NULL at the
 * end, or with a log line where an entry's length leads nowhere.
 */
const uint8_t *acpi_next_entry(const struct acpi_table *table, size_t *at);
