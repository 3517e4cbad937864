/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/balloon_test.c - the verdict over memory that goes from one guest to another, from what was
 * said.
 */
#include "balloon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct boot_result well = { BOOT_EXITED, QEMU_EXIT_SUCCESS, 30 };

static const char *const good_lines[] = {
	"first| [ 2.0] nic: user space, kernel 6.1\n",
	"second| [ 2.0] nic: user space, kernel 6.1\n",
	"first| [ 7.0] nic: link up\n",
	"first| [ 9.0] nic: aimed exchanged 8, given 1, received 7000 before, 3000 after\n",
	"fault    first: sbdf 0000:00:12.0 write dfn 0x6fc1: no right to write (VT-d reason 0x05)\n",
	"first| [ 12.0] nic: balloon exchanged 96, given 24, got again 24\n",
	"second| [ 17.0] nic: pages 128, changed 0\n",
	"first| [ 19.0] nic: ping 6000 6000\n",
	"first| [ 19.1] nic: after eth0-rx-0 900 PCI-MSI\n",
	"first| [ 19.1] nic: after eth0-tx-0 900 PCI-MSI\n",
	"first| [ 19.1] nic: after eth1-rx-0 900 PCI-MSI\n",
	"first| [ 19.1] nic: after eth1-tx-0 900 PCI-MSI\n",
	"balloon  129 pages with canaries, 129 whole, 0 broken\n",
	"guest    first: 100 frames were mapped, 100 came back (ok)\n",
	"guest    second: 50 frames were mapped, 50 came back (ok)\n",
};
#define LINES (sizeof(good_lines) / sizeof(good_lines[0]))

static const char leak_line[] =
	"balloon  canary broken: gfn 0x100001 of second, frame 0xa1c7, which left first\n";

/* The good run of a machine that reports faults, but for one line; the control leaks. */
static struct balloon run_with(size_t line, const char *instead)
{
	struct balloon balloon, control;

	balloon_begin(&balloon, &guest_machine_table[guest_machine_count - 1], 70222);
	balloon_begin(&control, &guest_machine_table[guest_machine_count - 1], 70222);
	for (size_t i = 0; i < LINES; i++)
		balloon_read_line(&balloon, i == line ? instead : good_lines[i]);
	balloon_read_line(&control, leak_line);
	balloon_judge(&balloon, &well, &control);
	return balloon;
}

static void a_run_as_it_should_be_is_good(void **state)
{
	const struct balloon balloon = run_with(LINES, "");

	(void)state;
	assert_true(balloon_is_good(&balloon));
}

static void a_broken_canary_is_bad(void **state)
{
	const struct balloon balloon =
		run_with(12, "balloon  129 pages with canaries, 128 whole, 1 broken\n");

	(void)state;
	assert_false(balloon.step[BALLOON_CANARIES].good);
}

static void a_page_that_changed_under_its_owner_is_bad(void **state)
{
	const struct balloon balloon = run_with(6, "second| nic: pages 128, changed 1\n");

	(void)state;
	assert_false(balloon.step[BALLOON_CANARIES].good);
}

static void a_guests_word_is_not_the_hypervisors(void **state)
{
	const struct balloon balloon =
		run_with(12, "first| balloon  129 pages with canaries, 129 whole, 0 broken\n");

	(void)state;
	assert_false(balloon.step[BALLOON_LEAVES].good);
	assert_false(balloon.step[BALLOON_CANARIES].good);
}

static void a_lost_packet_is_bad(void **state)
{
	const struct balloon balloon = run_with(7, "first| nic: ping 6000 5999\n");

	(void)state;
	assert_false(balloon.step[BALLOON_RECEIVES].good);
}

static void who_sent_too_little_shows_nothing(void **state)
{
	const struct balloon balloon = run_with(7, "first| nic: ping 100 100\n");

	(void)state;
	assert_false(balloon.step[BALLOON_RECEIVES].good);
}

static void a_fault_of_another_function_is_bad(void **state)
{
	const struct balloon balloon =
		run_with(4, "fault    first: sbdf 0000:00:10.0 write dfn 0x1: no right to write\n");

	(void)state;
	assert_false(balloon.step[BALLOON_AIMED].good);
}

static void a_fault_that_is_not_told_is_bad_where_faults_are(void **state)
{
	const struct balloon balloon = run_with(4, "");

	(void)state;
	assert_false(balloon.step[BALLOON_AIMED].good);
}

static void a_page_that_did_not_come_again_is_bad(void **state)
{
	const struct balloon balloon =
		run_with(5, "first| nic: balloon exchanged 96, given 24, got again 23\n");

	(void)state;
	assert_false(balloon.step[BALLOON_AGAIN].good);
	assert_true(balloon.step[BALLOON_CANARIES].good);
}

static void a_control_that_does_not_leak_is_bad(void **state)
{
	struct balloon balloon = run_with(LINES, ""), control;

	(void)state;
	balloon_begin(&control, balloon.machine, 70222);
	balloon_judge(&balloon, &well, &control);
	assert_false(balloon.step[BALLOON_CONTROL].good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(a_broken_canary_is_bad),
		cmocka_unit_test(a_page_that_changed_under_its_owner_is_bad),
		cmocka_unit_test(a_guests_word_is_not_the_hypervisors),
		cmocka_unit_test(a_lost_packet_is_bad),
		cmocka_unit_test(who_sent_too_little_shows_nothing),
		cmocka_unit_test(a_fault_of_another_function_is_bad),
		cmocka_unit_test(a_fault_that_is_not_told_is_bad_where_faults_are),
		cmocka_unit_test(a_page_that_did_not_come_again_is_bad),
		cmocka_unit_test(a_control_that_does_not_leak_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
