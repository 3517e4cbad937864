/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/vf_test.c - two virtual functions, a guest each: the verdict over what was said. */
#include "vf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ONE   "64ec88ca00b268e5ba1a35678a1b5316d212f4f366b2477232534a8aeca37f3c"
#define OTHER "74ec88ca00b268e5ba1a35678a1b5316d212f4f366b2477232534a8aeca37f3c"

/* A run that is as it should be. */
static const char *const good_lines[] = {
	"nvme     0000:00:10.0: virtual function 1 is controller 1, online: 2 queues, 2 interrupts; "
	"namespace 1 is attached\n",
	"nvme     0000:00:10.0: virtual function 2 is controller 2, online: 2 queues, 2 interrupts; "
	"namespace 2 is attached\n",
	"first| [    2.1] vf: driver nvme has 0x1b36 0x0010, disks 1, sectors 133120\n",
	"second| [    2.1] vf: driver nvme has 0x1b36 0x0010, disks 1, sectors 135168\n",
	"first| [    2.2] vf: bus 2 functions, 0 physical\n",
	"second| [    2.2] vf: bus 2 functions, 0 physical\n",
	"first| [    2.2] vf: interrupts before 30 PCI-MSI\n",
	"second| [    2.2] vf: interrupts before 40 PCI-MSI\n",
	"first| [    4.4] vf: made " ONE "\n",
	"second| [    4.4] vf: made " OTHER "\n",
	"first| [    4.5] vf: begins\n",
	"second| [    4.6] vf: begins\n",
	"first| [    5.4] vf: round 1 came " ONE "\n",
	"second| [    5.4] vf: round 1 came " OTHER "\n",
	"first| [    6.4] vf: round 2 came " ONE "\n",
	"second| [    6.4] vf: round 2 came " OTHER "\n",
	"first| [    7.5] vf: ends\n",
	"second| [    7.6] vf: ends\n",
	"first| [    7.7] vf: interrupts after 330 PCI-MSI\n",
	"second| [    7.7] vf: interrupts after 340 PCI-MSI\n",
	"first| [   12.7] vf: control prp-inside 1\n",
	"first| [   12.7] vf: attack prp-outside\n",
	"fault    first: sbdf 0000:00:10.1 write dfn 0x18000: not present (VT-d reason 0x05)\n",
	"guest    first: 49152 frames were mapped, 49152 came back (ok)\n",
	"guest    second: 49152 frames were mapped, 49152 came back (ok)\n",
	"nvme     0000:00:10.0: 5 frames were mapped, 5 came back (ok, ok)\n",
};
#define LINES (sizeof(good_lines) / sizeof(good_lines[0]))

/* A unit that reports what it blocks. */
static const struct machine *reporting_machine(void)
{
	const struct machine *machine = guest_machine_table;

	while (machine->unit != UNIT_VTD)
		machine++;
	return machine;
}

/* The good run, but for one line that is another; and for one that comes on top. */
static struct vf run_with(const char *line, const char *instead, const char *more)
{
	bool found = *line == '\0';
	struct vf vf;

	vf_begin(&vf, reporting_machine());
	for (size_t i = 0; i < LINES; i++) {
		const bool is_it = *line && strstr(good_lines[i], line);

		vf_read_line(&vf, is_it ? instead : good_lines[i]);
		found = found || is_it;
	}
	assert_true(found);
	vf_read_line(&vf, more);
	strcpy(vf.guest[0].image, ONE);
	strcpy(vf.guest[1].image, OTHER);
	vf.ended = (struct boot_result){ BOOT_EXITED, QEMU_EXIT_SUCCESS, 20 };
	vf_judge(&vf, 70222);
	return vf;
}

/* These steps, and no other, are bad. */
static void assert_bad(const struct vf *vf, enum vf_step step, enum vf_step too)
{
	for (unsigned int i = 0; i < VF_STEPS; i++)
		assert_int_equal(vf->step[i].good,
				 i != (unsigned int)step && i != (unsigned int)too);
}

static void a_run_as_it_should_be_is_good(void **state)
{
	struct vf vf = run_with("", "", "");

	(void)state;
	assert_bad(&vf, VF_STEPS, VF_STEPS);
}

static void nothing_said_is_bad(void **state)
{
	struct vf vf;

	(void)state;
	vf_begin(&vf, reporting_machine());
	vf_judge(&vf, 70222);
	for (unsigned int i = 0; i < VF_STEPS; i++)
		assert_false(vf.step[i].good);
}

static void one_that_is_not_online_is_bad(void **state)
{
	struct vf vf =
		run_with("namespace 2",
			 "nvme     0000:00:10.0: virtual function 2 is controller 2, online: 2 "
			 "queues, 2 interrupts; namespace 2 is not there\n",
			 "");

	(void)state;
	assert_bad(&vf, VF_ON, VF_STEPS);
}

/* Its own is one MiB larger. */
static void the_others_namespace_is_bad(void **state)
{
	struct vf vf = run_with(
		"135168",
		"second| [    2.1] vf: driver nvme has 0x1b36 0x0010, disks 1, sectors 133120\n",
		"");

	(void)state;
	assert_bad(&vf, VF_DRIVER, VF_CONTAINED);
}

static void a_physical_function_on_a_bus_is_bad(void **state)
{
	struct vf vf = run_with("second| [    2.2] vf: bus",
				"second| [    2.2] vf: bus 3 functions, 1 physical\n", "");

	(void)state;
	assert_bad(&vf, VF_ALONE, VF_STEPS);
}

static void the_others_bytes_are_bad(void **state)
{
	struct vf vf = run_with("vf: round 2 came " OTHER,
				"second| [    6.4] vf: round 2 came " ONE "\n", "");

	(void)state;
	assert_bad(&vf, VF_COMES_BACK, VF_CONTAINED);
}

static void a_round_that_is_missing_is_bad(void **state)
{
	struct vf vf = run_with("vf: round 2 came " OTHER, "", "");

	(void)state;
	assert_bad(&vf, VF_COMES_BACK, VF_CONTAINED);
}

static void the_others_bytes_on_its_disk_are_bad(void **state)
{
	struct vf vf = run_with("", "", "");

	(void)state;
	strcpy(vf.guest[1].image, ONE);
	vf_judge(&vf, 70222);
	assert_bad(&vf, VF_IMAGE, VF_STEPS);
}

static void one_after_the_other_is_bad(void **state)
{
	struct vf vf =
		run_with("second| [    4.6] vf: begins", "", "second| [    9.0] vf: begins\n");

	(void)state;
	assert_bad(&vf, VF_AT_ONCE, VF_STEPS);
}

static void a_queue_that_stands_still_is_bad(void **state)
{
	struct vf vf =
		run_with("after 330", "first| [    7.7] vf: interrupts after 30 PCI-MSI\n", "");

	(void)state;
	assert_bad(&vf, VF_INTERRUPTS, VF_STEPS);
}

static void a_fault_is_bad(void **state)
{
	struct vf vf = run_with("", "",
				"fault    second: sbdf 0000:00:10.2 write dfn 0x80: not present\n");

	(void)state;
	assert_bad(&vf, VF_CONTAINED, VF_STEPS);
}

static void a_transfer_beyond_that_nobody_names_is_bad(void **state)
{
	struct vf vf = run_with("fault ", "", "");

	(void)state;
	assert_bad(&vf, VF_AIMED, VF_STEPS);
	vf.machine = &guest_machine_table[0];
	vf_judge(&vf, 70222);
	assert_true(vf.step[VF_AIMED].good && vf.step[VF_AIMED].blind);
	vf_judge(&vf, 110100);
	assert_false(vf.step[VF_AIMED].good);
}

/* The name is the virtual function's: the physical one's would say that both are one to the unit. */
static void another_name_is_bad(void **state)
{
	struct vf vf =
		run_with("fault ", "fault    nobody: sbdf 0000:00:10.0 write dfn 0x18000\n", "");

	(void)state;
	assert_bad(&vf, VF_AIMED, VF_CONTAINED);
}

static void an_aim_that_never_arrives_is_bad(void **state)
{
	struct vf vf = run_with("vf: control", "first| [   12.7] vf: control prp-inside 0\n", "");

	(void)state;
	assert_bad(&vf, VF_AIMED, VF_STEPS);
}

static void a_frame_of_the_driver_that_stays_away_is_bad(void **state)
{
	struct vf vf =
		run_with("5 came back",
			 "nvme     0000:00:10.0: 5 frames were mapped, 4 came back (ok, ok)\n", "");

	(void)state;
	assert_bad(&vf, VF_FRAMES, VF_STEPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(nothing_said_is_bad),
		cmocka_unit_test(one_that_is_not_online_is_bad),
		cmocka_unit_test(the_others_namespace_is_bad),
		cmocka_unit_test(a_physical_function_on_a_bus_is_bad),
		cmocka_unit_test(the_others_bytes_are_bad),
		cmocka_unit_test(a_round_that_is_missing_is_bad),
		cmocka_unit_test(the_others_bytes_on_its_disk_are_bad),
		cmocka_unit_test(one_after_the_other_is_bad),
		cmocka_unit_test(a_queue_that_stands_still_is_bad),
		cmocka_unit_test(a_fault_is_bad),
		cmocka_unit_test(a_transfer_beyond_that_nobody_names_is_bad),
		cmocka_unit_test(another_name_is_bad),
		cmocka_unit_test(an_aim_that_never_arrives_is_bad),
		cmocka_unit_test(a_frame_of_the_driver_that_stays_away_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
