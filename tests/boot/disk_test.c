/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/disk_test.c - an NVMe controller of a guest's own: the verdict over what was said. */
#include "disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SUM	  "64ec88ca00b268e5ba1a35678a1b5316d212f4f366b2477232534a8aeca37f3c"
#define OTHER_SUM "74ec88ca00b268e5ba1a35678a1b5316d212f4f366b2477232534a8aeca37f3c"

/* A run that is as it should be. */
static const char *const good_lines[] = {
	"debian| [    2.1] disk: driver nvme at 0000:00:01.0 sectors 133120\n",
	"debian| [    2.2] disk: interrupts before nvme0q0 20 PCI-MSI\n",
	"debian| [    2.2] disk: interrupts before nvme0q1 30 PCI-MSI\n",
	"debian| [    4.4] disk: made " SUM "\n",
	"debian| [    5.4] disk: written in 110\n",
	"debian| [    6.4] disk: read in 60\n",
	"debian| [    7.4] disk: came " SUM " bytes 67108864\n",
	"debian| [    7.5] disk: interrupts after nvme0q0 20 PCI-MSI\n",
	"debian| [    7.5] disk: interrupts after nvme0q1 300 PCI-MSI\n",
	"debian| [    8.1] disk: root /dev/nvme0n2 ext4\n",
	"debian| [    8.4] disk: file file: OK\n",
	"debian| [    9.1] disk: new file is whole\n",
	"guest    debian: 65536 frames were mapped, 65536 came back (ok)\n",
};
#define LINES (sizeof(good_lines) / sizeof(good_lines[0]))

/* The good run, but for one line that is another; and for one that comes on top. */
static struct disk run_with(size_t line, const char *instead, const char *more)
{
	struct disk disk;

	disk_begin(&disk, &guest_machine_table[0]);
	for (size_t i = 0; i < LINES; i++)
		disk_read_line(&disk, i == line ? instead : good_lines[i]);
	disk_read_line(&disk, more);
	strcpy(disk.image, SUM);
	disk.ended = (struct boot_result){ BOOT_EXITED, QEMU_EXIT_SUCCESS, 20 };
	disk_judge(&disk);
	return disk;
}

/* This step, and no other, is bad. */
static void assert_bad(const struct disk *disk, enum disk_step step)
{
	for (unsigned int i = 0; i < DISK_STEPS; i++)
		assert_int_equal(disk->step[i].good, i != (unsigned int)step);
}

static void a_run_as_it_should_be_is_good(void **state)
{
	struct disk disk = run_with(LINES, "", "");

	(void)state;
	assert_bad(&disk, DISK_STEPS);
	assert_non_null(strstr(disk.step[DISK_COMES_BACK].evidence, "written in 1.1 s"));
}

static void another_sum_is_bad(void **state)
{
	struct disk disk =
		run_with(6, "debian| [    7.4] disk: came " OTHER_SUM " bytes 67108864\n", "");

	(void)state;
	assert_bad(&disk, DISK_COMES_BACK);
}

static void fewer_bytes_are_bad(void **state)
{
	struct disk disk = run_with(6, "debian| [    7.4] disk: came " SUM " bytes 67108863\n", "");

	(void)state;
	assert_bad(&disk, DISK_COMES_BACK);
}

/* Two empty sums are equal too. */
static void no_sum_at_all_is_bad(void **state)
{
	struct disk disk;

	(void)state;
	disk_begin(&disk, &guest_machine_table[0]);
	disk_judge(&disk);
	for (unsigned int i = 0; i < DISK_STEPS; i++)
		assert_false(disk.step[i].good);
}

static void a_disk_with_other_bytes_is_bad(void **state)
{
	struct disk disk = run_with(LINES, "", "");

	(void)state;
	strcpy(disk.image, OTHER_SUM);
	disk_judge(&disk);
	assert_bad(&disk, DISK_IMAGE);
}

/* The first queue is not one that data goes through. */
static void a_queue_that_stands_still_is_bad(void **state)
{
	struct disk disk =
		run_with(8, "debian| [    7.5] disk: interrupts after nvme0q1 30 PCI-MSI\n",
			 "debian| [    7.5] disk: interrupts after nvme0q0 900 PCI-MSI\n");

	(void)state;
	assert_bad(&disk, DISK_INTERRUPTS);
}

static void an_interrupt_that_is_no_message_is_bad(void **state)
{
	struct disk disk =
		run_with(8, "debian| [    7.5] disk: interrupts after nvme0q1 900 IO-APIC\n", "");

	(void)state;
	assert_bad(&disk, DISK_INTERRUPTS);
}

static void another_root_is_bad(void **state)
{
	struct disk disk = run_with(9, "debian| [    8.1] disk: root rootfs rootfs\n", "");

	(void)state;
	assert_bad(&disk, DISK_ROOT);
}

static void a_broken_file_is_bad(void **state)
{
	struct disk disk = run_with(10, "debian| [    8.4] disk: file file: FAILED\n", "");

	(void)state;
	assert_bad(&disk, DISK_ROOT);
}

static void a_fault_is_bad(void **state)
{
	struct disk disk =
		run_with(LINES, "", "fault    debian: sbdf 0000:00:02.0 write dfn 0x80\n");

	(void)state;
	assert_bad(&disk, DISK_CONTAINED);
}

static void a_frame_that_stays_away_is_bad(void **state)
{
	struct disk disk =
		run_with(12, "guest    debian: 65536 frames were mapped, 65535 came back\n", "");

	(void)state;
	assert_bad(&disk, DISK_FRAMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(another_sum_is_bad),
		cmocka_unit_test(fewer_bytes_are_bad),
		cmocka_unit_test(no_sum_at_all_is_bad),
		cmocka_unit_test(a_disk_with_other_bytes_is_bad),
		cmocka_unit_test(a_queue_that_stands_still_is_bad),
		cmocka_unit_test(an_interrupt_that_is_no_message_is_bad),
		cmocka_unit_test(another_root_is_bad),
		cmocka_unit_test(a_broken_file_is_bad),
		cmocka_unit_test(a_fault_is_bad),
		cmocka_unit_test(a_frame_that_stays_away_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
