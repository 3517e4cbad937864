/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/change_test.c - what changes under DPDK's traffic: reading what was said, and the verdict. */
#include "change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct boot_result well = { BOOT_EXITED, QEMU_EXIT_SUCCESS, 20 };

/* A run as it should be, of a unit that reports faults. */
static const char *const good_lines[] = {
	"debian| [    4.1] dpdk: testpmd runs by uio_pci_generic\n",
	"debian| [    5.4] dpdk: begin 0 500 1000 1000 0 0\n",
	"debian| [    5.4] dpdk: begin 1 500 1000 1000 0 0\n",
	"pages    debian: 100 of 2 MiB or more, 9999 of 4 KiB, 0 of these protected, 0 that are no memory\n",
	"debian| [    7.5] dpdk: sample 0 700 201000 201000 0 0\n",
	"debian| [    7.5] dpdk: sample 1 700 201000 201000 0 0\n",
	"debian| [    7.6] dpdk: change begins\n",
	"pages    debian: 127 of 2 MiB or more, 512 of 4 KiB, 1 of these protected, 0 that are no memory\n",
	"debian| [    9.5] dpdk: sample 0 900 301000 301000 0 0\n",
	"debian| [    9.5] dpdk: sample 1 900 301000 301000 0 0\n",
	"pages    debian: 128 of 2 MiB or more, 0 of 4 KiB, 0 of these protected, 0 that are no memory\n",
	"debian| [   10.1] dpdk: change large pages 1, with a spare page 1, splits 10, merges 10\n",
	"pages    debian: 126 of 2 MiB or more, 987 of 4 KiB, 0 of these protected, 37 that are no memory\n",
	"debian| [   10.9] dpdk: change given 64, got again 64\n",
	"monitor  0000:00:12.0 was given to debian\n",
	"fault    debian: sbdf 0000:00:12.0 write dfn 0x7000: no right to write (VT-d reason 0x05)\n",
	"debian| [   11.0] dpdk: change device moved 1, blocked 1, store lost 1, again 1\n",
	"monitor  0000:00:12.0 was taken from debian\n",
	"debian| [   11.1] dpdk: change device went 1\n",
	"debian| [   11.2] dpdk: change exchanged 64 of 64\n",
	"debian| [   11.3] dpdk: change ends\n",
	"debian| [   11.5] dpdk: sample 0 1100 401000 401000 0 0\n",
	"debian| [   11.5] dpdk: sample 1 1100 401000 401000 0 0\n",
	"debian| [   13.5] dpdk: sample 0 1300 501000 501000 0 0\n",
	"debian| [   13.5] dpdk: sample 1 1300 501000 501000 0 0\n",
	"debian| [   14.2] dpdk: stop\n",
	"debian| [   15.2] dpdk: end 0 1520 510000 510000 0 0\n",
	"debian| [   15.2] dpdk: end 1 1520 510000 510000 0 0\n",
	"guest    debian: 65664 frames were mapped, 65664 came back (ok)\n",
};
#define LINES (sizeof(good_lines) / sizeof(good_lines[0]))

static struct change change, control;

static void see(struct change *of, uint64_t frames, uint64_t wrong)
{
	for (unsigned int i = 0; i < DPDK_PORTS; i++)
		of->wire[i] = (struct wire){ .frames = frames, .round_differs = true };
	of->wire[1].wrong = wrong;
	if (wrong)
		snprintf(of->wire[1].amiss, WIRE_TEXT, "frame 40 is number 2");
}

/* `line` is said in another way; `more` comes last. */
static void read_lines(const char *start, const char *instead, const char *more)
{
	change_begin(&change, &guest_machine_table[2], 70222);
	for (size_t i = 0; i < LINES; i++)
		change_read_line(&change,
				 *start && strstr(good_lines[i], start) ? instead : good_lines[i]);
	change_read_line(&change, more);
	change.run.ended = well;
	see(&change, 510000, 0);
	change_begin(&control, &guest_machine_table[2], 70222);
	change_read_line(&control, "debian| [    9.2] dpdk: change exchanged 64 of 64\n");
	see(&control, 90000, 7);
}

static void assert_only(enum change_step bad)
{
	change_judge(&change, &control);
	for (unsigned int i = 0; i < CHANGE_STEPS; i++)
		assert_int_equal(change.step[i].good, i != (unsigned int)bad);
	assert_int_equal(change_is_good(&change), bad == CHANGE_STEPS);
}

static void a_run_as_it_should_be_is_good(void **state)
{
	(void)state;
	read_lines("", "", "");
	assert_only(CHANGE_STEPS);
	assert_non_null(
		strstr(change.step[CHANGE_RATE].evidence,
		       "200 k packets a second before, 100 k meanwhile (0.50), 100 k after"));
	assert_false(change.step[CHANGE_CONTAINED].blind);
}

/* One line that is otherwise, and the step that it spoils. */
static const struct {
	const char *start, *instead;
	enum change_step step;
} spoilt[] = {
	{ "large pages 1",
	  "debian| dpdk: change large pages 2, with a spare page 1, splits 10, merges 10\n",
	  CHANGE_SPLIT },
	{ "large pages 1",
	  "debian| dpdk: change large pages 1, with a spare page 1, splits 9, merges 10\n",
	  CHANGE_SPLIT },
	{ "large pages 1",
	  "debian| dpdk: change large pages 1, with a spare page 1, splits 10, merges 9\n",
	  CHANGE_SPLIT },
	{ "large pages 1",
	  "debian| dpdk: change large pages 0, with a spare page 0, splits 0, merges 0\n",
	  CHANGE_SPLIT },
	{ " 512 of 4 KiB", "pages    debian: 128 of 2 MiB or more, 0 of 4 KiB, 0 of these\n",
	  CHANGE_SPLIT },
	{ "128 of 2 MiB", "pages    debian: 127 of 2 MiB or more, 512 of 4 KiB, 1 of these\n",
	  CHANGE_SPLIT },
	{ "given 64", "debian| dpdk: change given 63, got again 63\n", CHANGE_MEMORY },
	{ "given 64", "debian| dpdk: change given 64, got again 63\n", CHANGE_MEMORY },
	{ "was given to", "", CHANGE_DEVICE },
	{ "was taken from", "", CHANGE_DEVICE },
	{ "device moved", "debian| dpdk: change device moved 0, blocked 1, store lost 1, again 1\n",
	  CHANGE_DEVICE },
	{ "device moved", "debian| dpdk: change device moved 1, blocked 1, store lost 0, again 1\n",
	  CHANGE_DEVICE },
	{ "device moved", "debian| dpdk: change device moved 1, blocked 1, store lost 1, again 0\n",
	  CHANGE_DEVICE },
	{ "device went", "debian| dpdk: change device went 0\n", CHANGE_DEVICE },
	{ "exchanged 64", "debian| dpdk: change exchanged 63 of 64\n", CHANGE_EXCHANGE },
	{ "exchanged 64", "", CHANGE_EXCHANGE },
	{ "end 0", "debian| dpdk: end 0 1520 510000 510000 1 0\n", CHANGE_PACKETS },
	{ "end 0", "debian| dpdk: end 0 1520 510000 510000 0 1\n", CHANGE_PACKETS },
	{ "end 0", "debian| dpdk: end 0 1520 510000 509000 0 0\n", CHANGE_PACKETS },
	{ "sbdf 0000:00:12.0", "", CHANGE_CONTAINED },
	{ "65664 came back", "guest    debian: 65664 frames were mapped, 65663 came back (LOST)\n",
	  CHANGE_FRAMES },
};

static void each_line_that_is_otherwise_spoils_its_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		read_lines(spoilt[i].start, spoilt[i].instead, "");
		assert_only(spoilt[i].step);
	}
}

static void a_port_that_is_blocked_is_not_contained(void **state)
{
	(void)state;
	read_lines(
		"", "",
		"fault    debian: sbdf 0000:00:10.0 read dfn 0x7000: no right to read (VT-d reason 0x06)\n");
	assert_only(CHANGE_CONTAINED);
}

static void what_no_unit_reports_is_passed_over(void **state)
{
	(void)state;
	read_lines("sbdf 0000:00:12.0", "", "");
	change.fault_seen_here = false;
	assert_only(CHANGE_STEPS);
	assert_true(change.step[CHANGE_CONTAINED].blind);
}

static void a_wrong_frame_is_seen(void **state)
{
	(void)state;
	read_lines("", "", "");
	see(&change, 510000, 1);
	assert_only(CHANGE_WIRE);
	assert_non_null(strstr(change.step[CHANGE_WIRE].evidence, "frame 40 is number 2"));
}

static void frames_that_nobody_looked_at_are_missed(void **state)
{
	(void)state;
	read_lines("", "", "");
	see(&change, 509999, 0);
	assert_only(CHANGE_WIRE);
	read_lines("", "", "");
	change.wire[0].round_differs = false;
	assert_only(CHANGE_WIRE);
}

static void a_control_that_shows_nothing_is_bad(void **state)
{
	(void)state;
	read_lines("", "", "");
	see(&control, 90000, 0);
	assert_only(CHANGE_CONTROL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(each_line_that_is_otherwise_spoils_its_step),
		cmocka_unit_test(a_port_that_is_blocked_is_not_contained),
		cmocka_unit_test(what_no_unit_reports_is_passed_over),
		cmocka_unit_test(a_wrong_frame_is_seen),
		cmocka_unit_test(frames_that_nobody_looked_at_are_missed),
		cmocka_unit_test(a_control_that_shows_nothing_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
