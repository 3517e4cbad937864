/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/mptable_test.c - a guest's MP table, read as a kernel reads it (MultiProcessor
 * Specification 1.4, 4): by offsets, not by the structures that wrote it.
 */
#include "platform/metal/mptable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEADER 44u

static uint8_t page[4096];
static const struct mptable_cpu cpus[] = { { 3, 0x00800f12, 0x178bfbff },
					   { 4, 0x00800f12, 0x178bfbff },
					   { 7, 0x00800f12, 0x178bfbff } };
static uint32_t count; /* of them, that the table has */

static void write_cpus(uint32_t how_many)
{
	count = how_many;
	memset(page, 0, sizeof(page));
	mptable_write(page, cpus, count);
}

static int write_one(void **state)
{
	(void)state;
	write_cpus(1);
	return 0;
}

static int write_three(void **state)
{
	(void)state;
	write_cpus(3);
	return 0;
}

static uint8_t sum(const uint8_t *from, size_t bytes)
{
	uint8_t all = 0;

	for (size_t i = 0; i < bytes; i++)
		all = (uint8_t)(all + from[i]);
	return all;
}

static uint32_t read32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Where the floating pointer leads. */
static const uint8_t *find_table(void)
{
	return page + (read32(page + 4) - MPTABLE_ADDRESS);
}

static uint32_t table_bytes(void)
{
	return find_table()[4] | (uint32_t)find_table()[5] << 8;
}

static void the_pointer_is_found_and_sound(void **state)
{
	(void)state;
	assert_memory_equal(page, "_MP_", 4);
	assert_int_equal(page[8], 1);
	assert_int_equal(page[9], 4);
	assert_int_equal(sum(page, 16), 0);
	/* No default configuration: there is a table. */
	assert_int_equal(page[11], 0);
	assert_true(read32(page + 4) >= MPTABLE_ADDRESS + 16);
}

static void the_table_is_sound(void **state)
{
	const uint8_t *table = find_table();

	(void)state;
	assert_memory_equal(table, "PCMP", 4);
	assert_int_equal(sum(table, table_bytes()), 0);
	assert_int_equal(table[6], 4);
	assert_int_equal(read32(table + 36), LOCAL_APIC_ADDRESS);
}

/* Entries follow one another: 20 bytes for a CPU, 8 for all others. They end where the table does. */
static void it_holds_its_cpus_and_two_buses(void **state)
{
	const uint8_t *table = find_table();
	uint32_t at = HEADER, found = 0, buses = 0;

	(void)state;
	while (at < table_bytes()) {
		assert_true(table[at] <= 1);
		found += table[at] == 0;
		buses += table[at] == 1;
		at += table[at] == 0 ? 20 : 8;
	}
	assert_int_equal(at, table_bytes());
	assert_int_equal(found, count);
	assert_int_equal(buses, 2);
	assert_int_equal(table[34] | table[35] << 8, count + 2);
}

/* The first one booted; the others are there to be started. */
static void one_cpu_boots(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *entry = find_table() + HEADER + 20 * i;

		assert_int_equal(entry[1], cpus[i].apic_id);
		assert_int_equal(entry[3], i == 0 ? 3 : 1);
		assert_int_equal(read32(entry + 4), cpus[i].signature);
		assert_int_equal(read32(entry + 8), cpus[i].features);
	}
}

static void the_largest_guest_fits_a_page(void **state)
{
	static struct mptable_cpu many[MPTABLE_CPUS];

	(void)state;
	for (uint32_t i = 0; i < MPTABLE_CPUS; i++)
		many[i] = (struct mptable_cpu){ (uint8_t)(2 * i + 1), 1, 2 };
	memset(page, 0, sizeof(page));
	count = MPTABLE_CPUS;
	mptable_write(page, many, count);
	the_table_is_sound(state);
	it_holds_its_cpus_and_two_buses(state);
	assert_int_equal(find_table()[HEADER + 20 * (MPTABLE_CPUS - 1) + 1], 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_pointer_is_found_and_sound, write_one),
		cmocka_unit_test_setup(the_table_is_sound, write_one),
		cmocka_unit_test_setup(it_holds_its_cpus_and_two_buses, write_one),
		cmocka_unit_test_setup(one_cpu_boots, write_one),
		cmocka_unit_test_setup(the_table_is_sound, write_three),
		cmocka_unit_test_setup(it_holds_its_cpus_and_two_buses, write_three),
		cmocka_unit_test_setup(one_cpu_boots, write_three),
		cmocka_unit_test(the_largest_guest_fits_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
