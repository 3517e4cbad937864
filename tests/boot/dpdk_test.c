/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/dpdk_test.c - DPDK in a guest: reading what was said, and the verdict. */
#include "dpdk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct boot_result well = { BOOT_EXITED, QEMU_EXIT_SUCCESS, 20 };

/* A run in a guest as it should be; of a bare machine the same, without the name. */
static const char *const good_lines[] = {
	"debian| [    1.9] dpdk: port 0000:00:01.0 has uio_pci_generic\n",
	"debian| [    1.9] dpdk: port 0000:00:02.0 has uio_pci_generic\n",
	"debian| [    4.1] dpdk: testpmd runs by uio_pci_generic\n",
	"exits    debian: 900, 300 a second: kicks 0, ports 1, PCI configuration 2, MSRs 3, CPUID 4, "
	"APIC 5, device registers 6, calls 7, others 8; refused 0\n",
	"debian| [    5.4] dpdk: begin 0 500 1000 1000 0 0\n",
	"debian| [    5.4] dpdk: begin 1 500 1000 1000 0 0\n",
	"exits    debian: 1000, 300 a second: kicks 0, ports 100, PCI configuration 0, MSRs 500, CPUID "
	"0, APIC 400, device registers 0, calls 0, others 0; refused 0\n",
	"debian| [    7.5] dpdk: sample 0 700 101000 101000 0 0\n",
	"debian| [    7.5] dpdk: sample 1 700 101000 101000 0 0\n",
	"exits    debian: 1200, 300 a second: kicks 0, ports 100, PCI configuration 0, MSRs 600, CPUID "
	"0, APIC 500, device registers 0, calls 0, others 0; refused 0\n",
	"debian| [    9.6] dpdk: last 0 900 301000 300968 0 0\n",
	"debian| [    9.6] dpdk: last 1 900 301000 301000 0 0\n",
	"debian| [    9.7] dpdk: stop\n",
	"exits    debian: 9999, 300 a second: kicks 0, ports 100, PCI configuration 0, MSRs 600, CPUID "
	"0, APIC 500, device registers 0, calls 0, others 0; refused 0\n",
	"debian| [   11.2] dpdk: end 0 1120 310000 310000 0 0\n",
	"debian| [   11.7] dpdk: end 1 1120 310000 310000 0 0\n",
	"debian| [   12.2] dpdk: end\n",
	"guest    debian: 65536 frames were mapped, 65536 came back (ok)\n",
};
#define LINES (sizeof(good_lines) / sizeof(good_lines[0]))

static void read_run(struct dpdk_run *run, size_t line, const char *instead, const char *more)
{
	dpdk_begin(run);
	for (size_t i = 0; i < LINES; i++)
		dpdk_read_line(run, i == line ? instead : good_lines[i]);
	dpdk_read_line(run, more);
	run->cpu = 4;
	run->ended = well;
}

/* All runs are good, but for one line of the first here. */
static void read_all(struct dpdk *dpdk, size_t line, const char *instead, const char *more)
{
	*dpdk = (struct dpdk){ .machine = &guest_machine_table[0], .length = &dpdk_short };
	read_run(&dpdk->here[0], line, instead, more);
	read_run(&dpdk->here[1], LINES, "", "");
	read_run(&dpdk->bare, LINES, "", "");
}

static void assert_bad(const struct dpdk *dpdk, enum dpdk_step step)
{
	for (unsigned int i = 0; i < DPDK_STEPS; i++)
		assert_int_equal(dpdk->step[i].good, i != (unsigned int)step);
}

static void assert_good(const struct dpdk *dpdk)
{
	for (unsigned int i = 0; i < DPDK_STEPS; i++)
		assert_true(dpdk->step[i].good);
}

static struct dpdk dpdk;

static void a_run_as_it_should_be_is_good(void **state)
{
	(void)state;
	read_all(&dpdk, LINES, "", "");
	dpdk_judge(&dpdk);
	assert_good(&dpdk);
	assert_int_equal(dpdk_packets(&dpdk.here[0]), 599968);
	assert_true(dpdk_rate(&dpdk.here[0]) == 599968.0 / 4);
	assert_true(dpdk_ratio(&dpdk) == 1.0);
	assert_non_null(strstr(dpdk.step[DPDK_RATIO].evidence, "met"));
}

static void samples_are_rates_between_readings(void **state)
{
	(void)state;
	read_all(&dpdk, LINES, "", "");
	assert_int_equal(dpdk.bare.sample_count, 2);
	assert_true(dpdk.bare.sample[0] == 100000.0);
	assert_true(dpdk.bare.sample[1] == 399968.0 / 2);
	assert_true(dpdk_spread(&dpdk.bare) > 0.66 && dpdk_spread(&dpdk.bare) < 0.67);
}

static void an_interval_that_is_too_short_is_no_sample(void **state)
{
	(void)state;
	read_all(&dpdk, LINES, "", "");
	dpdk_read_line(&dpdk.bare, "[    9.7] dpdk: last 0 950 401000 401000 0 0\n");
	dpdk_read_line(&dpdk.bare, "[    9.7] dpdk: last 1 950 401000 401000 0 0\n");
	assert_int_equal(dpdk.bare.sample_count, 2);
	assert_int_equal(dpdk_packets(&dpdk.bare), 800000);
}

static void a_ring_may_be_in_flight_and_no_more(void **state)
{
	(void)state;
	read_all(&dpdk, 14, "debian| [   11.2] dpdk: end 0 1120 310064 310000 0 0\n", "");
	dpdk_judge(&dpdk);
	assert_good(&dpdk);
	read_all(&dpdk, 14, "debian| [   11.2] dpdk: end 0 1120 310065 310000 0 0\n", "");
	dpdk_judge(&dpdk);
	assert_bad(&dpdk, DPDK_PACKETS);
}

static void more_received_than_sent_is_bad(void **state)
{
	(void)state;
	read_all(&dpdk, 15, "debian| [   11.7] dpdk: end 1 1120 310000 310001 0 0\n", "");
	dpdk_judge(&dpdk);
	assert_bad(&dpdk, DPDK_PACKETS);
}

static void an_error_is_bad(void **state)
{
	(void)state;
	read_all(&dpdk, 15, "debian| [   11.7] dpdk: end 1 1120 310000 310000 1 0\n", "");
	dpdk_judge(&dpdk);
	assert_bad(&dpdk, DPDK_PACKETS);
	read_all(&dpdk, 15, "debian| [   11.7] dpdk: end 1 1120 310000 310000 0 1\n", "");
	dpdk_judge(&dpdk);
	assert_bad(&dpdk, DPDK_PACKETS);
}

static void a_run_that_breaks_off_is_bad(void **state)
{
	(void)state;
	read_all(&dpdk, 15, "", "");
	dpdk_judge(&dpdk);
	assert_bad(&dpdk, DPDK_PACKETS);
}

static void a_bare_run_that_breaks_off_is_bad(void **state)
{
	(void)state;
	read_all(&dpdk, LINES, "", "");
	dpdk_begin(&dpdk.bare);
	dpdk_judge(&dpdk);
	assert_false(dpdk.step[DPDK_BARE].good);
	assert_false(dpdk.step[DPDK_RATIO].good);
}

static void a_missed_aim_is_said_and_no_failure(void **state)
{
	(void)state;
	read_all(&dpdk, LINES, "", "");
	dpdk.bare.cpu = 2;
	dpdk_judge(&dpdk);
	assert_good(&dpdk);
	assert_non_null(strstr(dpdk.step[DPDK_RATIO].evidence, "0.50; the aim of 0.95 is MISSED"));
	dpdk.bare.cpu = 0.3;
	dpdk_judge(&dpdk);
	assert_bad(&dpdk, DPDK_RATIO);
}

/* Those before the first reading and after the last one are of starting and of ending. */
static void exits_are_counted_while_it_runs(void **state)
{
	(void)state;
	read_all(&dpdk, LINES, "", "");
	assert_int_equal(dpdk.here[0].exit_lines, 2);
	assert_true(dpdk_exits_a_second(&dpdk.here[0]) == 200.0);
	dpdk_judge(&dpdk);
	assert_non_null(strstr(dpdk.step[DPDK_EXITS].evidence, "MSRs 100, APIC 100"));
}

static void exits_in_the_data_path_are_bad(void **state)
{
	(void)state;
	read_all(
		&dpdk, 9,
		"exits    debian: 11000, 300 a second: kicks 0, ports 100, PCI configuration 0, "
		"MSRs 600, CPUID 0, APIC 500, device registers 9000, calls 0, others 0; refused 0\n",
		"");
	dpdk_judge(&dpdk);
	assert_bad(&dpdk, DPDK_EXITS);
}

static void a_guest_does_not_count_its_own_exits(void **state)
{
	(void)state;
	read_all(&dpdk, 9, "debian| exits    debian: 1000, 300 a second: kicks 0, ports 100\n", "");
	dpdk_judge(&dpdk);
	assert_bad(&dpdk, DPDK_EXITS);
}

static void a_fault_is_bad(void **state)
{
	(void)state;
	read_all(&dpdk, LINES, "", "fault    debian: sbdf 0000:00:10.0 write dfn 0x80000\n");
	dpdk_judge(&dpdk);
	assert_bad(&dpdk, DPDK_CONTAINED);
}

static void a_frame_that_stays_away_is_bad(void **state)
{
	(void)state;
	read_all(&dpdk, 17, "guest    debian: 65536 frames were mapped, 65535 came back\n", "");
	dpdk_judge(&dpdk);
	assert_bad(&dpdk, DPDK_FRAMES);
}

static void what_testpmd_complains_of_is_told(void **state)
{
	(void)state;
	read_all(&dpdk, 2, "debian| [   4.1] dpdk: EAL: Error - exiting with code: 1\n", "");
	dpdk_judge(&dpdk);
	assert_false(dpdk.step[DPDK_STARTS].good);
	assert_non_null(strstr(dpdk.step[DPDK_STARTS].evidence, "exiting with code: 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(samples_are_rates_between_readings),
		cmocka_unit_test(an_interval_that_is_too_short_is_no_sample),
		cmocka_unit_test(a_ring_may_be_in_flight_and_no_more),
		cmocka_unit_test(more_received_than_sent_is_bad),
		cmocka_unit_test(an_error_is_bad),
		cmocka_unit_test(a_run_that_breaks_off_is_bad),
		cmocka_unit_test(a_bare_run_that_breaks_off_is_bad),
		cmocka_unit_test(a_missed_aim_is_said_and_no_failure),
		cmocka_unit_test(exits_are_counted_while_it_runs),
		cmocka_unit_test(exits_in_the_data_path_are_bad),
		cmocka_unit_test(a_guest_does_not_count_its_own_exits),
		cmocka_unit_test(a_fault_is_bad),
		cmocka_unit_test(a_frame_that_stays_away_is_bad),
		cmocka_unit_test(what_testpmd_complains_of_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
