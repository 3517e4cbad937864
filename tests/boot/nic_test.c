/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/nic_test.c - the verdict over a guest with ports of its own, from what was said.
 */
#include "nic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct boot_result well = { BOOT_EXITED, QEMU_EXIT_SUCCESS, 40 };

/* A run that is as it should be. */
static const char *const good_lines[] = {
	"core     unit at 0xfed80000 translates\n",
	"debian| [    2.44] nic: user space, kernel 6.1.0-56-amd64\n",
	"debian| [    7.33] nic: link up\n",
	"debian| [    7.64] nic: before eth0-rx-0 4 PCI-MSI\n",
	"debian| [    7.67] nic: before eth0-tx-0 5 PCI-MSI\n",
	"debian| [    7.68] nic: before eth0 1 PCI-MSI\n",
	"debian| [    7.69] nic: before eth1-rx-0 4 PCI-MSI\n",
	"debian| [    7.70] nic: before eth1-tx-0 5 PCI-MSI\n",
	"debian| [   11.34] nic: ping 500 500\n",
	"debian| [   11.38] nic: after eth0-rx-0 844 PCI-MSI\n",
	"debian| [   11.42] nic: after eth0-tx-0 780 PCI-MSI\n",
	"debian| [   11.43] nic: after eth0 1 PCI-MSI\n",
	"debian| [   11.43] nic: after eth1-rx-0 819 PCI-MSI\n",
	"debian| [   11.48] nic: after eth1-tx-0 886 PCI-MSI\n",
	"guest    debian: 65536 frames were mapped, 65536 came back (ok)\n",
};
#define LINES (sizeof(good_lines) / sizeof(good_lines[0]))

/* The good run, but for one line that is another; and for one that comes on top. */
static struct nic run_with(size_t line, const char *instead, const char *more)
{
	struct nic nic = { .guest = "debian", .packets = NIC_PACKETS, .wanted = 4 };

	for (size_t i = 0; i < LINES; i++)
		nic_read_line(&nic, i == line ? instead : good_lines[i]);
	nic_read_line(&nic, more);
	nic_judge(&nic, &well);
	return nic;
}

/* This step, and no other, is bad. */
static void assert_bad(const struct nic *nic, enum nic_step step)
{
	assert_false(nic_is_good(nic));
	for (unsigned int i = 0; i < NIC_STEPS; i++)
		assert_int_equal(nic->step[i].good, i != (unsigned int)step);
}

static void a_run_as_it_should_be_is_good(void **state)
{
	struct nic nic = run_with(LINES, "", "");

	(void)state;
	assert_true(nic_is_good(&nic));
	assert_string_equal(nic.step[NIC_USER_SPACE].evidence, "6.1.0-56-amd64");
	assert_non_null(strstr(nic.step[NIC_INTERRUPTS].evidence, "eth1-tx-0 5 to 886"));
}

static void a_lost_packet_is_bad(void **state)
{
	struct nic nic = run_with(8, "debian| [   11.34] nic: ping 500 499\n", "");

	(void)state;
	assert_bad(&nic, NIC_TRAFFIC);
}

static void fewer_packets_than_wanted_are_bad(void **state)
{
	struct nic nic = run_with(8, "debian| [   11.34] nic: ping 3 3\n", "");

	(void)state;
	assert_bad(&nic, NIC_TRAFFIC);
}

static void a_vector_that_stands_still_is_bad(void **state)
{
	struct nic nic = run_with(12, "debian| [   11.43] nic: after eth1-rx-0 4 PCI-MSI\n", "");

	(void)state;
	assert_bad(&nic, NIC_INTERRUPTS);
}

static void an_interrupt_that_is_no_message_is_bad(void **state)
{
	struct nic nic = run_with(12, "debian| [   11.43] nic: after eth1-rx-0 900 IO-APIC\n", "");

	(void)state;
	assert_bad(&nic, NIC_INTERRUPTS);
}

static void a_fault_is_bad(void **state)
{
	struct nic nic = run_with(LINES, "", "fault    debian: sbdf 0000:00:02.0 write dfn 0x80\n");

	(void)state;
	assert_bad(&nic, NIC_CONTAINED);
	assert_non_null(strstr(nic.step[NIC_CONTAINED].evidence, "00:02.0"));
}

static void a_fault_of_another_guest_is_not_counted(void **state)
{
	struct nic nic = run_with(LINES, "", "fault    hostile: sbdf 0000:00:03.0 read dfn 0x80\n");

	(void)state;
	assert_true(nic_is_good(&nic));
}

static void a_frame_that_stays_away_is_bad(void **state)
{
	struct nic nic = run_with(
		14, "guest    debian: 65536 frames were mapped, 65535 came back (ok)\n", "");

	(void)state;
	assert_bad(&nic, NIC_FRAMES);
}

/* Else a guest could say that its own frames came back. */
static void a_guest_does_not_speak_for_the_hypervisor(void **state)
{
	struct nic nic = run_with(
		14, "debian| guest    debian: 65536 frames were mapped, 65536 came back (ok)\n",
		"");

	(void)state;
	assert_bad(&nic, NIC_FRAMES);
}

static void a_run_without_an_end_is_bad(void **state)
{
	const struct boot_result late = { BOOT_TIMED_OUT, 0, 600 };
	struct nic nic = run_with(LINES, "", "");

	(void)state;
	nic_judge(&nic, &late);
	assert_bad(&nic, NIC_END);
}

static void a_refusal_is_told(void **state)
{
	struct nic nic = { .guest = "debian", .packets = NIC_PACKETS, .wanted = 4 };

	(void)state;
	nic_read_line(&nic, "refused: this CPU has no SVM\n");
	nic_judge(&nic, &(struct boot_result){ BOOT_EXITED, QEMU_EXIT_FAILURE, 1 });
	assert_false(nic.step[NIC_USER_SPACE].good);
	assert_non_null(strstr(nic.step[NIC_USER_SPACE].evidence, "no SVM"));
	assert_false(nic.step[NIC_CONTAINED].good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(a_lost_packet_is_bad),
		cmocka_unit_test(fewer_packets_than_wanted_are_bad),
		cmocka_unit_test(a_vector_that_stands_still_is_bad),
		cmocka_unit_test(an_interrupt_that_is_no_message_is_bad),
		cmocka_unit_test(a_fault_is_bad),
		cmocka_unit_test(a_fault_of_another_guest_is_not_counted),
		cmocka_unit_test(a_frame_that_stays_away_is_bad),
		cmocka_unit_test(a_guest_does_not_speak_for_the_hypervisor),
		cmocka_unit_test(a_run_without_an_end_is_bad),
		cmocka_unit_test(a_refusal_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
