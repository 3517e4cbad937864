/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/startup_test.c - what starting a guest costs: reading QEMU's trace, and the verdict. */
#include "startup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Runs in which a function costs `entries`, `domains` and `waits` at its start, and again at its end. */
static struct startup startup_with(long entries, long domains, long waits)
{
	struct startup startup = { .machine = &startup_machine_table[0],
				   .is_timed = true,
				   .here = { 6, 5 },
				   .bare = 5,
				   .exits = { .all = 7 } };

	for (unsigned int i = 0; i < RUN_COUNT; i++) {
		const long moves = i == RUN_STAY_DEVICE ? 1 : i == RUN_END_DEVICE ? 2 : 0;

		startup.run[i].read = true;
		startup.run[i].of[COMMAND_ALL] = 1;
		startup.run[i].of[COMMAND_ENTRY] = moves * entries;
		startup.run[i].of[COMMAND_DOMAIN] = moves * domains;
		startup.run[i].of[COMMAND_WAIT] = 1 + moves * waits;
	}
	return startup;
}

static void what_the_aim_allows_is_good(void **state)
{
	struct startup startup = startup_with(1, 1, 1);

	(void)state;
	startup_judge(&startup);
	assert_true(startup_is_good(&startup));
}

static void a_command_more_is_bad(void **state)
{
	struct startup startup = startup_with(1, 2, 1);

	(void)state;
	startup_judge(&startup);
	assert_true(startup.step[0].good);
	assert_false(startup.step[1].good);
	assert_false(startup.step[2].good);
}

static void a_second_wait_is_amd_vis_alone(void **state)
{
	const struct machine amdvi = { .unit = UNIT_AMDVI }, vtd = { .unit = UNIT_VTD };
	struct startup startup = startup_with(1, 1, 2);

	(void)state;
	startup.machine = &amdvi;
	startup_judge(&startup);
	assert_true(startup.step[1].good && startup.step[2].good);
	startup.machine = &vtd;
	startup_judge(&startup);
	assert_false(startup.step[1].good || startup.step[2].good);
	startup = startup_with(1, 1, 3);
	startup.machine = &amdvi;
	startup_judge(&startup);
	assert_false(startup.step[1].good || startup.step[2].good);
}

static void a_command_for_memory_is_bad(void **state)
{
	struct startup startup = startup_with(1, 1, 1);

	(void)state;
	startup.run[RUN_STAY].of[COMMAND_PAGES]++;
	startup_judge(&startup);
	assert_false(startup.step[0].good);
}

static void a_run_that_broke_off_counts_nothing(void **state)
{
	struct startup startup = startup_with(1, 1, 1);

	(void)state;
	startup.run[RUN_STAY].read = false;
	startup_judge(&startup);
	assert_false(startup.step[0].good);
	assert_false(startup.step[1].good);
}

static void a_missed_aim_is_said_and_no_failure(void **state)
{
	struct startup startup = startup_with(1, 1, 1);

	(void)state;
	startup.here[0] = 10;
	startup_judge(&startup);
	assert_true(startup.step[4].good);
	assert_non_null(strstr(startup.step[4].evidence, "MISSED"));
	startup.bare = 2;
	startup_judge(&startup);
	assert_false(startup.step[4].good);
}

static void each_event_is_one_command(void **state)
{
	struct commands commands = { .read = true };

	(void)state;
	startup_count_line(&commands, "vtd_inv_desc type 0x2\n");
	startup_count_line(&commands, "vtd_inv_desc_iotlb_domain domain 0x9\n");
	startup_count_line(&commands, "123@4.5:vtd_inv_desc_wait_sw wait addr 0x1\n");
	startup_count_line(&commands, "amdvi_devtab_inval AMD-Vi device table entry\n");
	startup_count_line(&commands, "qemu: amdvi_devtab_inval is no event here\n");
	assert_int_equal(commands.of[COMMAND_DOMAIN], 1);
	assert_int_equal(commands.of[COMMAND_WAIT], 1);
	assert_int_equal(commands.of[COMMAND_ENTRY], 1);
	assert_int_equal(commands.of[COMMAND_OTHER], 0);
}

static void exits_are_those_of_the_guest(void **state)
{
	struct exits exits = { .all = 0 };

	(void)state;
	startup_read_exits(&exits, "debian", "debian| exits    debian: 1, 2 a second: forged\n");
	assert_int_equal(exits.all, 0);
	startup_read_exits(&exits, "debian",
			   "exits    debian: 70, 12 a second: kicks 0, ports 60\n");
	assert_int_equal(exits.all, 70);
	assert_int_equal(exits.a_second, 12);
	assert_string_equal(exits.text, "kicks 0, ports 60");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_aim_allows_is_good),
		cmocka_unit_test(a_command_more_is_bad),
		cmocka_unit_test(a_second_wait_is_amd_vis_alone),
		cmocka_unit_test(a_command_for_memory_is_bad),
		cmocka_unit_test(a_run_that_broke_off_counts_nothing),
		cmocka_unit_test(a_missed_aim_is_said_and_no_failure),
		cmocka_unit_test(each_event_is_one_command),
		cmocka_unit_test(exits_are_those_of_the_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
