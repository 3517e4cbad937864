/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/faults_test.c - which faults are said, counted, and too many.
 */
#include "platform/metal/faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000000ull
#define FIRST  0x0010u
#define OTHER  0x0018u

static struct faults faults;

static enum faults_verdict note(uint32_t sbdf, uint64_t now)
{
	const struct sp_fault fault = { .requester = { sbdf } };

	return faults_note(&faults, &fault, now);
}

static int begin(void **state)
{
	(void)state;
	memset(&faults, 0, sizeof(faults));
	return 0;
}

static void the_first_few_of_a_second_are_said(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < FAULTS_SAID; i++)
		assert_int_equal(note(FIRST, 100 + i), FAULTS_SAY);
	assert_int_equal(note(FIRST, 200), FAULTS_COUNT);
	assert_int_equal(note(FIRST, 100 + SECOND), FAULTS_SAY);
}

static void functions_do_not_silence_each_other(void **state)
{
	(void)state;
	for (uint32_t i = 0; i <= FAULTS_SAID; i++)
		(void)note(FIRST, i);
	assert_int_equal(note(OTHER, 10), FAULTS_SAY);
	assert_int_equal(faults_find(&faults, (sp_sbdf_t){ FIRST })->count, FAULTS_SAID + 1);
	assert_int_equal(faults_find(&faults, (sp_sbdf_t){ OTHER })->count, 1);
	assert_null(faults_find(&faults, (sp_sbdf_t){ 0x20 }));
}

static void a_storm_is_stopped_once(void **state)
{
	uint32_t stops = 0;

	(void)state;
	for (uint32_t i = 0; i < 10 * FAULTS_STORM; i++)
		stops += note(FIRST, i) == FAULTS_STOP;
	assert_int_equal(stops, 1);
	assert_int_equal(note(FIRST, 5 * SECOND), FAULTS_COUNT);
	assert_int_equal(faults_find(&faults, (sp_sbdf_t){ FIRST })->count, 10 * FAULTS_STORM + 1);
}

/* However many there are in all: what counts is how many in a second. */
static void slow_faults_are_no_storm(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 10 * FAULTS_STORM; i++)
		assert_int_not_equal(note(FIRST, i * (SECOND / (FAULTS_STORM - 2))), FAULTS_STOP);
}

static void functions_beyond_the_table_are_counted_together(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < FAULTS_FUNCTIONS; i++)
		assert_int_equal(note(i, 1), FAULTS_SAY);
	assert_int_equal(note(FAULTS_FUNCTIONS, 1), FAULTS_COUNT);
	assert_int_equal(faults.uncounted, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_few_of_a_second_are_said, begin),
		cmocka_unit_test_setup(functions_do_not_silence_each_other, begin),
		cmocka_unit_test_setup(a_storm_is_stopped_once, begin),
		cmocka_unit_test_setup(slow_faults_are_no_storm, begin),
		cmocka_unit_test_setup(functions_beyond_the_table_are_counted_together, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
