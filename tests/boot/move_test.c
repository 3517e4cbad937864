/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/move_test.c - the verdict over a port that changes its guest, from what was said.
 */
#include "move.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TAKEN 2u
#define GIVEN 3u
#define LAST  8u

static const struct boot_result well = { BOOT_EXITED, QEMU_EXIT_SUCCESS, 60 };

static const char *const good_lines[] = {
	"first| [ 2.0] nic: user space, kernel 6.1\n",
	"first| [ 7.0] nic: link up\n",
	"monitor  0000:00:12.0 was taken from first\n",
	"monitor  0000:00:12.0 was given to second\n",
	"second| [ 2.0] nic: user space, kernel 6.1\n",
	"second| [ 30.0] nic: link up\n",
	"second| [ 33.0] nic: ping 500 500\n",
	"second| [ 33.1] nic: after eth0-rx-0 821 PCI-MSI\n",
	"first| [ 40.0] nic: ping 32000 32000\n",
	"second| [ 33.1] nic: after eth0-tx-0 669 PCI-MSI\n",
	"first| [ 40.1] nic: after eth0-rx-0 900 PCI-MSI\n",
	"first| [ 40.1] nic: after eth0-tx-0 900 PCI-MSI\n",
	"first| [ 40.1] nic: after eth1-rx-0 900 PCI-MSI\n",
	"first| [ 40.1] nic: after eth1-tx-0 900 PCI-MSI\n",
	"guest    first: 100 frames were mapped, 100 came back (ok)\n",
	"guest    second: 50 frames were mapped, 50 came back (ok)\n",
};
#define LINES (sizeof(good_lines) / sizeof(good_lines[0]))

/* The good run, but for one line. */
static struct move run_with(size_t line, const char *instead)
{
	struct move move;

	move_begin(&move, &move_machine_table[0]);
	for (size_t i = 0; i < LINES; i++)
		move_read_line(&move, i == line ? instead : good_lines[i]);
	move_judge(&move, &well);
	return move;
}

static void a_run_as_it_should_be_is_good(void **state)
{
	const struct move move = run_with(LINES, "");

	(void)state;
	assert_true(move_is_good(&move));
}

static void a_port_that_was_not_taken_is_bad(void **state)
{
	const struct move move = run_with(TAKEN, "");

	(void)state;
	assert_false(move.step[0].good);
}

static void a_guests_word_is_not_the_monitors(void **state)
{
	const struct move move =
		run_with(GIVEN, "second| monitor  0000:00:12.0 was given to second\n");

	(void)state;
	assert_false(move.step[0].good);
}

static void who_lost_packets_did_not_work_on(void **state)
{
	const struct move move = run_with(LAST, "first| nic: ping 32000 31999\n");

	(void)state;
	assert_false(move.step[1].good);
	assert_true(move.step[2].good);
}

static void who_ended_before_the_move_shows_nothing(void **state)
{
	const struct move move = run_with(1, "first| nic: ping 32000 32000\n");

	(void)state;
	assert_false(move.step[1].good);
}

static void who_got_the_port_and_sent_nothing_is_bad(void **state)
{
	const struct move move = run_with(6, "");

	(void)state;
	assert_false(move.step[2].good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(a_port_that_was_not_taken_is_bad),
		cmocka_unit_test(a_guests_word_is_not_the_monitors),
		cmocka_unit_test(who_lost_packets_did_not_work_on),
		cmocka_unit_test(who_ended_before_the_move_shows_nothing),
		cmocka_unit_test(who_got_the_port_and_sent_nothing_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
