/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vacpi_test.c - the ACPI tables of a guest, read as a kernel reads them (ACPI 6.3, 5.2):
 * by offsets, from the first to those that it leads to. iasl, which has an opinion of its own on what
 * a table must look like, takes them apart again.
 */
#include "platform/metal/vacpi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LAPIC	0xfee00000u
#define CODE_AT (VACPI_BYTES - 16) /* a PC's reset vector: not the tables' */

static uint8_t place[VACPI_BYTES];

static const struct vacpi_machine three = { .cpu_count = 3,
					    .apic_id = { 4, 5, 9 },
					    .low_first = 0x10000000,
					    .low_end = VACPI_ECAM,
					    .high_first = 0x2000000000,
					    .high_end = 0x4000000000 };

static int write_three(void **state)
{
	(void)state;
	memset(place, 0, sizeof(place));
	vacpi_write(place, &three);
	return 0;
}

static uint8_t sum(const uint8_t *from, size_t bytes)
{
	uint8_t all = 0;

	for (size_t i = 0; i < bytes; i++)
		all = (uint8_t)(all + from[i]);
	return all;
}

static uint64_t read_field(const uint8_t *at, uint32_t bytes)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

static uint32_t length_of(const uint8_t *table)
{
	return (uint32_t)read_field(table + 4, 4);
}

/* A table where a kernel was told that it is: within the place, and sound. */
static const uint8_t *table_at(uint64_t address)
{
	const uint8_t *table = place + (address - VACPI_ADDRESS);

	assert_true(address >= VACPI_ADDRESS && address < VACPI_ADDRESS + CODE_AT - 36);
	assert_true(address - VACPI_ADDRESS + length_of(table) <= CODE_AT);
	assert_int_equal(sum(table, length_of(table)), 0);
	return table;
}

static const uint8_t *find_table(const char *signature)
{
	const uint8_t *xsdt = table_at(read_field(place + 24, 8));

	for (uint32_t at = 36; at < length_of(xsdt); at += 8) {
		const uint8_t *table = table_at(read_field(xsdt + at, 8));

		if (memcmp(table, signature, 4) == 0)
			return table;
	}
	fail_msg("no %s", signature);
	return NULL;
}

static void the_first_table_is_found_and_sound(void **state)
{
	(void)state;
	assert_memory_equal(place, "RSD PTR ", 8);
	assert_int_equal(place[15], 2);
	assert_int_equal(sum(place, 20), 0);
	assert_int_equal(sum(place, 36), 0);
	assert_int_equal(read_field(place + 20, 4), 36);
	assert_memory_equal(table_at(read_field(place + 24, 8)), "XSDT", 4);
}

/* No timer, no interrupt of its own, nothing at fixed ports: all of these would be the machine's. */
static void the_machine_has_no_fixed_hardware(void **state)
{
	const uint8_t *fadt = find_table("FACP");

	(void)state;
	assert_int_equal(length_of(fadt), 276);
	assert_true(read_field(fadt + 112, 4) & 1u << 20);
	for (uint32_t at = 46; at < 109; at++)
		assert_int_equal(fadt[at], 0);
	for (uint32_t at = 148; at < 244; at++)
		assert_int_equal(fadt[at], 0);
}

static void must_be_port(const uint8_t *address, uint32_t port)
{
	assert_int_equal(address[0], 1);
	assert_int_equal(address[1], 8);
	assert_int_equal(read_field(address + 4, 8), port);
}

static void it_can_be_reset_and_switched_off(void **state)
{
	const uint8_t *fadt = find_table("FACP");

	(void)state;
	assert_true(read_field(fadt + 112, 4) & 1u << 10);
	must_be_port(fadt + 116, VACPI_RESET);
	assert_int_equal(fadt[128], VACPI_RESET_VALUE);
	must_be_port(fadt + 244, VACPI_SLEEP_CONTROL);
	must_be_port(fadt + 256, VACPI_SLEEP_STATUS);
	/* Sleep type 5, as dsdt.asl has it for S5, and the bit that begins it. */
	assert_int_equal(VACPI_SWITCH_OFF, 5 << 2 | 1 << 5);
}

static void its_cpus_are_the_guests_own(void **state)
{
	const uint8_t *madt = find_table("APIC");

	(void)state;
	assert_int_equal(length_of(madt), 44 + 3 * 8);
	assert_int_equal(read_field(madt + 36, 4), LAPIC);
	for (uint32_t i = 0; i < 3; i++) {
		const uint8_t *entry = madt + 44 + 8 * i;

		assert_int_equal(entry[0], 0);
		assert_int_equal(entry[1], 8);
		assert_int_equal(entry[2], i);
		assert_int_equal(entry[3], three.apic_id[i]);
		assert_int_equal(read_field(entry + 4, 4), 1);
	}
}

static void the_configuration_space_is_bus_0s(void **state)
{
	const uint8_t *mcfg = find_table("MCFG");

	(void)state;
	assert_int_equal(length_of(mcfg), 60);
	assert_int_equal(read_field(mcfg + 44, 8), VACPI_ECAM);
	assert_int_equal(read_field(mcfg + 52, 2), 0);
	assert_int_equal(mcfg[54], 0);
	assert_int_equal(mcfg[55], 0);
}

/* What dsdt.asl reads is where it reads it. */
static void the_code_is_whole_and_finds_the_windows(void **state)
{
	const uint8_t *fadt = find_table("FACP");
	const uint8_t *dsdt = table_at(read_field(fadt + 140, 8));

	(void)state;
	assert_memory_equal(dsdt, "DSDT", 4);
	assert_int_equal(read_field(fadt + 40, 4), read_field(fadt + 140, 8));
	assert_int_equal(read_field(place + 0xf00, 4), three.low_first);
	assert_int_equal(read_field(place + 0xf04, 4), three.low_end);
	assert_true(read_field(place + 0xf10, 8) == three.high_first);
	assert_true(read_field(place + 0xf18, 8) == three.high_end);
	assert_true((uint64_t)(dsdt - place) >= 0xf20);
}

static void the_largest_guest_fits(void **state)
{
	struct vacpi_machine many = three;

	(void)state;
	many.cpu_count = VACPI_CPUS;
	for (uint32_t i = 0; i < VACPI_CPUS; i++)
		many.apic_id[i] = (uint8_t)(2 * i + 1);
	memset(place, 0, sizeof(place));
	vacpi_write(place, &many);
	assert_int_equal(length_of(find_table("APIC")), 44 + 8 * VACPI_CPUS);
	assert_int_equal(find_table("APIC")[44 + 8 * 31 + 3], 63);
	assert_int_equal(length_of(find_table("MCFG")), 60);
}

/* ---- the second opinion ---- */

/* Lines of what iasl says, or writes, about a table that hold any of these. */
static bool iasl_objects(const char *directory, const char *name)
{
	char command[512];

	/* 0: a line was found. */
	snprintf(command, sizeof(command),
		 "cd %s && iasl -d %s.dat >%s.log 2>&1 && [ -s %s.dsl ] && "
		 "! grep -iE 'invalid|incorrect|error|warning|unknown' %s.log %s.dsl",
		 directory, name, name, name, name, name);
	return system(command) != 0;
}

static void save(const char *directory, const char *name, const uint8_t *table)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.dat", directory, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(table, 1, length_of(table), file), length_of(table));
	fclose(file);
}

static void remove_all(const char *directory)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	assert_int_equal(system(command), 0);
}

static void iasl_takes_the_tables_apart(void **state)
{
	char directory[] = "/tmp/vacpi-XXXXXX";
	static const char *const names[] = { "FACP", "APIC", "MCFG", "DSDT" };
	bool objects = false;

	(void)state;
	assert_non_null(mkdtemp(directory));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		save(directory, names[i],
		     i == 3 ? table_at(read_field(find_table("FACP") + 140, 8))
			    : find_table(names[i]));
		objects = iasl_objects(directory, names[i]) || objects;
	}
	remove_all(directory);
	assert_false(objects);
}

/* Its checksum is off by one: the opinion is one that can be against. */
static void iasl_objects_to_a_broken_table(void **state)
{
	char directory[] = "/tmp/vacpi-XXXXXX";
	uint8_t broken[60];
	bool objects;

	(void)state;
	memcpy(broken, find_table("MCFG"), sizeof(broken));
	broken[9]++;
	assert_non_null(mkdtemp(directory));
	save(directory, "MCFG", broken);
	objects = iasl_objects(directory, "MCFG");
	remove_all(directory);
	assert_true(objects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_table_is_found_and_sound, write_three),
		cmocka_unit_test_setup(the_machine_has_no_fixed_hardware, write_three),
		cmocka_unit_test_setup(it_can_be_reset_and_switched_off, write_three),
		cmocka_unit_test_setup(its_cpus_are_the_guests_own, write_three),
		cmocka_unit_test_setup(the_configuration_space_is_bus_0s, write_three),
		cmocka_unit_test_setup(the_code_is_whole_and_finds_the_windows, write_three),
		cmocka_unit_test(the_largest_guest_fits),
		cmocka_unit_test_setup(iasl_takes_the_tables_apart, write_three),
		cmocka_unit_test_setup(iasl_objects_to_a_broken_table, write_three),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
