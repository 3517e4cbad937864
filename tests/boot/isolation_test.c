/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/isolation_test.c - examples/dpdk-isolation: the verdict over what was said. */
#include "isolation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HERE  "debian| [    8.0] isolation: here: "
#define BARE  "[    8.0] isolation: "
#define LINES 24

enum {
	OWN = 1, /* of guest_lines */
	CONTROL = 2,
	READ = 4,
	WRITE = 9,
	REPORT = 11,
	STATUS = 13,
	COUNTED = 16,
	FRAMES = 17
};

/* A run in a guest that is as it should be, on a unit that reports. */
static const char *const guest_lines[LINES] = {
	HERE "1..11\n",
	HERE "ok 1 - own memory works: arrives: 12000 of 12000 frames came\n",
	HERE "ok 2 - control, a read inside: arrives 0x3800080: it came\n",
	HERE "ok 3 - a read above: empty, 0x10200080: 60 bytes of 00 came\n",
	HERE "ok 4 - a read hole: empty, 0xfebff080: nothing came\n",
	HERE "ok 5 - a read far: empty, 0x4000000080: nothing came\n",
	HERE "ok 6 - control, a write inside: arrives 0x3800080: the frame is there\n",
	HERE "ok 7 - a write above: contained, 0x10200080: 0 times\n",
	HERE "ok 8 - a write hole: contained, 0xfebff080: 0 times\n",
	HERE "ok 9 - a write far: contained, 0x4000000080: 0 times\n",
	HERE "ok 10 - own memory works afterwards: arrives: 12000 of 12000 frames came\n",
	HERE "ok 11 - what was blocked is reported: Sallyport knows of 9 of 9; the last one\n",
	HERE "dpdk-isolation: contained, and reported\n",
	HERE "status 0\n",
	"fault    debian: sbdf 0000:00:10.0 read dfn 0x10200: no right to read\n",
	"faults   debian: 0000:00:10.0 3 in all\n",
	"faults   debian: 0000:00:11.0 6 in all\n",
	"guest    debian: 65536 frames were mapped, 65536 came back (ok)\n",
};

/* The same where the unit reports nothing. */
static const char report_skipped[] =
	HERE "ok 11 - what was blocked is reported: cannot tell, Sallyport knows of none # SKIP\n";

/* A run without a hypervisor that is as it should be. */
static const char *const bare_lines[LINES] = {
	BARE "no-memory: dpdk-isolation: echo 24 >/proc/sys/vm/nr_hugepages\n",
	BARE "no-memory: status 2\n",
	BARE "no-port: dpdk-isolation: bind two to uio_pci_generic\n",
	BARE "no-port: status 2\n",
	BARE "no-option: dpdk-isolation: unrecognized option '--sideways'\n",
	BARE "no-option: dpdk-isolation: --help tells the options\n",
	BARE "no-option: status 2\n",
	BARE "no-page: dpdk-isolation: wanted the first byte of a page\n",
	BARE "no-page: status 2\n",
	BARE "no-interrupt: dpdk-isolation: writes there are interrupts\n",
	BARE "no-interrupt: status 2\n",
	BARE "one-port: dpdk-isolation: one alone: two are needed\n",
	BARE "one-port: status 2\n",
};
static const char *const bare_run[LINES] = {
	"1..7\n",
	"ok 1 - own memory works: arrives: 12000 of 12000 frames came\n",
	"ok 2 - control, a read inside: arrives\n",
	"ok 3 - a read above: empty, 0x10000080: 60 bytes of 00 came\n",
	"ok 4 - control, a write inside: arrives\n",
	"not ok 5 - a write above: LEAKED, 0x10000080: sent from there: it came\n",
	"ok 6 - own memory works afterwards: arrives: 12000 of 12000 frames came\n",
	"ok 7 - what was blocked is reported: cannot tell from here # SKIP\n",
	"dpdk-isolation: NOT CONTAINED: a port of this guest reaches what is not the guest's\n",
	"status 1\n",
};
enum {
	BARE_CONTROL = 4,
	BARE_WRITE = 5,
	BARE_STATUS = 9
};

/* ---- in a guest ---- */

static struct isolation begun(unsigned int machine)
{
	struct isolation isolation;

	isolation_begin(&isolation, &isolation_machine_table[machine], 70222);
	return isolation;
}

static void feed(struct isolation *isolation, size_t line, const char *instead)
{
	for (size_t i = 0; i < LINES && guest_lines[i]; i++)
		isolation_read_line(isolation, i == line ? instead : guest_lines[i]);
	isolation->ended = (struct boot_result){ BOOT_EXITED, QEMU_EXIT_SUCCESS, 20 };
	isolation_judge(isolation);
}

/* The good run on VT-d, but for one line that is another. */
static struct isolation run_with(size_t line, const char *instead)
{
	struct isolation isolation = begun(2);

	feed(&isolation, line, instead);
	return isolation;
}

/* This step, and no other, is bad. */
static void assert_bad(const struct isolation *isolation, unsigned int step)
{
	for (unsigned int i = 0; i < isolation_steps(isolation->machine); i++)
		assert_int_equal(isolation->step[i].good, i != step);
}

static void a_run_as_it_should_be_is_good(void **state)
{
	struct isolation isolation = run_with(LINES, "");

	(void)state;
	assert_bad(&isolation, ISOLATION_STEPS);
	assert_false(isolation.step[ISOLATION_REPORTED].blind);
}

static void nothing_at_all_is_bad(void **state)
{
	(void)state;
	for (unsigned int machine = 0; machine < isolation_machine_count; machine++) {
		struct isolation isolation = begun(machine);

		isolation_judge(&isolation);
		for (unsigned int i = 0; i < isolation_steps(isolation.machine); i++)
			assert_false(isolation.step[i].good);
	}
}

static void own_memory_that_breaks_is_bad(void **state)
{
	struct isolation isolation =
		run_with(OWN, HERE "not ok 1 - own memory works: BROKEN: 11999 of 12000\n");

	(void)state;
	assert_bad(&isolation, ISOLATION_OWN);
	assert_non_null(strstr(isolation.step[ISOLATION_OWN].evidence, "11999"));
}

static void a_control_that_does_not_arrive_is_bad(void **state)
{
	struct isolation isolation = run_with(
		CONTROL, HERE "not ok 2 - control, a read inside: DOES NOT ARRIVE, 0x3800080\n");

	(void)state;
	assert_bad(&isolation, ISOLATION_INSIDE);
}

static void a_read_that_gets_something_is_bad(void **state)
{
	struct isolation isolation =
		run_with(READ, HERE "not ok 4 - a read hole: LEAKED, 0xfebff080: 60 bytes came\n");

	(void)state;
	assert_bad(&isolation, ISOLATION_READS);
}

static void a_write_that_arrives_is_bad(void **state)
{
	struct isolation isolation =
		run_with(WRITE, HERE "not ok 9 - a write far: LEAKED, 0x4000000080: it came\n");

	(void)state;
	assert_bad(&isolation, ISOLATION_WRITES);
}

static void a_row_that_is_not_said_is_bad(void **state)
{
	struct isolation isolation = run_with(WRITE, "");

	(void)state;
	assert_false(isolation.step[ISOLATION_ROWS].good);
	assert_false(isolation.step[ISOLATION_WRITES].good);
}

static void reports_that_the_hypervisor_does_not_know_are_bad(void **state)
{
	struct isolation isolation = run_with(COUNTED, "");

	(void)state;
	assert_bad(&isolation, ISOLATION_REPORTED);
}

static void no_report_is_bad_where_there_are_some(void **state)
{
	struct isolation isolation = run_with(REPORT, report_skipped);

	(void)state;
	assert_bad(&isolation, ISOLATION_REPORTED);
	assert_null(strstr(isolation.step[ISOLATION_REPORTED].evidence, "SKIP"));
}

static void too_few_reports_are_bad(void **state)
{
	struct isolation isolation = run_with(
		REPORT,
		HERE "ok 11 - what was blocked is reported: Sallyport knows of 8 of 9; the last\n");

	(void)state;
	assert_bad(&isolation, ISOLATION_REPORTED);
}

static void another_status_is_bad(void **state)
{
	struct isolation isolation = run_with(STATUS, HERE "status 3\n");

	(void)state;
	assert_bad(&isolation, ISOLATION_STATUS);
}

static void a_program_that_does_not_end_is_bad(void **state)
{
	struct isolation isolation = run_with(STATUS, "");

	(void)state;
	assert_bad(&isolation, ISOLATION_STATUS);
}

static void a_frame_that_stays_away_is_bad(void **state)
{
	struct isolation isolation =
		run_with(FRAMES, "guest    debian: 65536 frames were mapped, 65535 came back\n");

	(void)state;
	assert_bad(&isolation, ISOLATION_FRAMES);
}

/* ---- where the unit reports nothing ---- */

static void feed_silent(struct isolation *isolation, const char *report, const char *status)
{
	for (size_t i = 0; i < LINES && guest_lines[i]; i++) {
		if (strstr(guest_lines[i], "fault ") || strstr(guest_lines[i], "faults "))
			continue;
		isolation_read_line(isolation, i == REPORT   ? report
					       : i == STATUS ? status
							     : guest_lines[i]);
	}
	isolation->ended = (struct boot_result){ BOOT_EXITED, QEMU_EXIT_SUCCESS, 20 };
	isolation_judge(isolation);
}

static void what_nobody_reports_is_passed_over(void **state)
{
	struct isolation isolation = begun(0);

	(void)state;
	feed_silent(&isolation, report_skipped, HERE "status 3\n");
	assert_bad(&isolation, ISOLATION_STEPS);
	assert_true(isolation.step[ISOLATION_REPORTED].blind);
}

static void a_pass_without_a_report_is_bad(void **state)
{
	struct isolation isolation = begun(0);

	(void)state;
	feed_silent(&isolation, report_skipped, HERE "status 0\n");
	assert_bad(&isolation, ISOLATION_STATUS);
}

static void a_report_from_nowhere_is_bad(void **state)
{
	struct isolation isolation = begun(0);

	(void)state;
	feed_silent(&isolation, guest_lines[REPORT], HERE "status 3\n");
	assert_bad(&isolation, ISOLATION_REPORTED);
}

/* ---- without a hypervisor ---- */

/* `word` of what is missing is said otherwise; line `line` of both runs is another. */
static struct isolation bare_with(size_t refusal, const char *instead, size_t line,
				  const char *other)
{
	static const char *const words[] = { "here", "look" };
	struct isolation isolation = begun(3);
	char text[EVIDENCE_SIZE];

	for (size_t i = 0; i < LINES && bare_lines[i]; i++)
		isolation_read_line(&isolation, i == refusal ? instead : bare_lines[i]);
	for (size_t run = 0; run < 2; run++) {
		for (size_t i = 0; i < LINES && bare_run[i]; i++) {
			char *name;

			snprintf(text, sizeof(text), BARE "%s: %s", words[run],
				 i == line ? other : bare_run[i]);
			name = run == 1 ? strstr(text, "a write above") : NULL;
			if (name)
				memcpy(name, "a write named", strlen("a write named"));
			isolation_read_line(&isolation, text);
		}
	}
	isolation_judge(&isolation);
	return isolation;
}

static void a_bare_run_as_it_should_be_is_good(void **state)
{
	struct isolation isolation = bare_with(LINES, "", LINES, "");

	(void)state;
	assert_bad(&isolation, ISOLATION_BARE_STEPS);
}

static void a_refusal_with_another_status_is_bad(void **state)
{
	struct isolation isolation = bare_with(3, BARE "no-port: status 139\n", LINES, "");

	(void)state;
	assert_bad(&isolation, ISOLATION_BARE_REFUSES);
}

static void a_refusal_that_names_nothing_is_bad(void **state)
{
	struct isolation isolation =
		bare_with(2, BARE "no-port: dpdk-isolation: it does not work\n", LINES, "");

	(void)state;
	assert_bad(&isolation, ISOLATION_BARE_REFUSES);
}

static void a_leak_that_is_not_found_is_bad(void **state)
{
	struct isolation isolation = bare_with(
		LINES, "", BARE_WRITE, "ok 5 - a write above: contained, 0x10000080: 0 times\n");

	(void)state;
	assert_false(isolation.step[ISOLATION_BARE_FOUND].good);
	assert_false(isolation.step[ISOLATION_BARE_SEEN].good);
}

static void a_leak_with_another_status_is_bad(void **state)
{
	struct isolation isolation = bare_with(LINES, "", BARE_STATUS, "status 0\n");

	(void)state;
	assert_false(isolation.step[ISOLATION_BARE_FOUND].good);
	assert_false(isolation.step[ISOLATION_BARE_SEEN].good);
}

/* Status 1 for another reason is no leak. */
static void a_leak_whose_control_fails_is_bad(void **state)
{
	struct isolation isolation =
		bare_with(LINES, "", BARE_CONTROL,
			  "not ok 4 - control, a write inside: DOES NOT ARRIVE, 0x3800080\n");

	(void)state;
	assert_false(isolation.step[ISOLATION_BARE_FOUND].good);
	assert_false(isolation.step[ISOLATION_BARE_SEEN].good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(nothing_at_all_is_bad),
		cmocka_unit_test(own_memory_that_breaks_is_bad),
		cmocka_unit_test(a_control_that_does_not_arrive_is_bad),
		cmocka_unit_test(a_read_that_gets_something_is_bad),
		cmocka_unit_test(a_write_that_arrives_is_bad),
		cmocka_unit_test(a_row_that_is_not_said_is_bad),
		cmocka_unit_test(reports_that_the_hypervisor_does_not_know_are_bad),
		cmocka_unit_test(no_report_is_bad_where_there_are_some),
		cmocka_unit_test(too_few_reports_are_bad),
		cmocka_unit_test(another_status_is_bad),
		cmocka_unit_test(a_program_that_does_not_end_is_bad),
		cmocka_unit_test(a_frame_that_stays_away_is_bad),
		cmocka_unit_test(what_nobody_reports_is_passed_over),
		cmocka_unit_test(a_pass_without_a_report_is_bad),
		cmocka_unit_test(a_report_from_nowhere_is_bad),
		cmocka_unit_test(a_bare_run_as_it_should_be_is_good),
		cmocka_unit_test(a_refusal_with_another_status_is_bad),
		cmocka_unit_test(a_refusal_that_names_nothing_is_bad),
		cmocka_unit_test(a_leak_that_is_not_found_is_bad),
		cmocka_unit_test(a_leak_with_another_status_is_bad),
		cmocka_unit_test(a_leak_whose_control_fails_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
