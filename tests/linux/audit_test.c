/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/audit_test.c - what `audit` reads beside PCI functions: the command line, interrupts, mounts, routes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/linux/settings.h"
#include "platform/linux/use.h"
#include "tests/linux/fake_root.h"

/* Two functions: a disk controller with two disks, and one with two interfaces. */
static const char machine_text[] =
	"sallyport-snapshot 1\n"
	"sys/bus/pci/devices/0000:00:03.0 -> ../../../devices/pci0/0000:00:03.0\n"
	"sys/devices/pci0/0000:00:03.0/class = 0x010802\n"
	"sys/bus/pci/devices/0000:00:04.0 -> ../../../devices/pci0/0000:00:04.0\n"
	"sys/devices/pci0/0000:00:04.0/class = 0x020000\n"
	"sys/block/sda -> ../devices/pci0/0000:00:03.0/ata1/block/sda\n"
	"sys/class/block/sda -> ../../devices/pci0/0000:00:03.0/ata1/block/sda\n"
	"sys/class/block/sda2 -> ../../devices/pci0/0000:00:03.0/ata1/block/sda/sda2\n"
	"sys/dev/block/8:2 -> ../../devices/pci0/0000:00:03.0/ata1/block/sda/sda2\n"
	"sys/devices/pci0/0000:00:03.0/ata1/block/sda/sda2/partition = 2\n"
	"sys/block/nvme0c0n1 -> ../devices/pci0/0000:00:03.0/nvme/nvme0/nvme0c0n1\n"
	"sys/block/nvme0n1 -> ../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1\n"
	"sys/dev/block/259:0 -> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1\n"
	"sys/block/nvme0n10 -> ../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n10\n"
	"sys/dev/block/259:9 -> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n10\n"
	"sys/class/net/eth0 -> ../../devices/pci0/0000:00:04.0/net/eth0\n"
	"sys/class/net/eth1 -> ../../devices/pci0/0000:00:04.0/net/eth1\n"
	"sys/class/net/tun0 -> ../../devices/virtual/net/tun0\n"
	"sys/class/net/br0 -> ../../devices/virtual/net/br0\n"
	"sys/devices/virtual/net/br0/lower_eth1 -> ../eth1\n";

struct seen {
	struct root *root;
	struct machine *machine;
	struct uses *uses;
	struct settings settings;
};

static struct seen look(const char *more)
{
	struct seen seen = { .root = fake_root(machine_text, more) };

	seen.machine = machine_read(seen.root);
	seen.uses = uses_read(seen.machine);
	seen.settings = settings_read(seen.machine);
	return seen;
}

static void forget(struct seen *seen)
{
	uses_free(seen->uses);
	machine_free(seen->machine);
	root_close(seen->root);
}

/* --- settings --- */

static void words_of_the_command_line_are_found_whole(void **state)
{
	static const struct {
		const char *line, *off, *identity;
	} lines[] = {
		{ "quiet intel_iommu=off", "intel_iommu=off", NULL },
		{ "intel_iommu=sm_on,off quiet", "intel_iommu=off", NULL },
		{ "amd_iommu=off", "amd_iommu=off", NULL },
		{ "intel_iommu=on iommu=soft", "iommu=soft", NULL },
		{ "xintel_iommu=off", NULL, NULL },
		{ "intel_iommu=offline", NULL, NULL },
		{ "intel_iommu=on iommu=pt", NULL, "iommu=pt" },
		{ "iommu=force,pt", NULL, "iommu=pt" },
		{ "iommu=ptx", NULL, NULL },
		{ "iommu.passthrough=1", NULL, "iommu.passthrough=1" },
		{ "iommu.passthrough=0", NULL, NULL },
		{ "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[256];
		struct seen seen;

		snprintf(text, sizeof(text), "proc/cmdline = %s\n", lines[i].line);
		seen = look(text);
		if (lines[i].off)
			assert_string_equal(seen.settings.off_by, lines[i].off);
		else
			assert_null(seen.settings.off_by);
		if (lines[i].identity)
			assert_string_equal(seen.settings.identity_by, lines[i].identity);
		else
			assert_null(seen.settings.identity_by);
		forget(&seen);
	}
}

static void expect_interrupts(const char *text, enum settings_answer answer)
{
	struct seen seen = look(text);

	assert_int_equal(seen.settings.interrupts, answer);
	forget(&seen);
}

static void remapping_is_told_by_interrupts_else_by_the_log(void **state)
{
	(void)state;
	expect_interrupts("proc/interrupts |\n\t 0: 1 IR-IO-APIC 2-edge timer\n", SETTING_YES);
	expect_interrupts("proc/interrupts |\n\t 0: 1 IO-APIC 2-edge timer\n", SETTING_NO);
	/* A device may be called what it likes. */
	expect_interrupts("proc/interrupts |\n\t 0: 1 IO-APIC 2-edge XIR-x\n", SETTING_NO);
	expect_interrupts("proc/interrupts ! denied\n"
			  "dev/kmsg |\n\t6,1,2,-;DMAR-IR: Enabled IRQ remapping in x2apic mode\n",
			  SETTING_YES);
	expect_interrupts("proc/interrupts ! denied\n"
			  "dev/kmsg |\n\t6,1,2,-;AMD-Vi: Interrupt remapping enabled\n",
			  SETTING_YES);
	/* The log may have lost its first lines. */
	expect_interrupts("proc/interrupts ! denied\ndev/kmsg |\n\t6,1,2,-;hello\n",
			  SETTING_UNSEEN);
	expect_interrupts("", SETTING_UNSEEN);
}

static void what_a_module_says_comes_before_the_command_line(void **state)
{
	struct seen seen;

	(void)state;
	seen = look("proc/cmdline = vfio_iommu_type1.allow_unsafe_interrupts=1\n");
	assert_true(seen.settings.unsafe_interrupts);
	assert_false(seen.settings.noiommu);
	forget(&seen);
	seen = look("proc/cmdline = vfio_iommu_type1.allow_unsafe_interrupts=1\n"
		    "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts = N\n"
		    "sys/module/vfio/parameters/enable_unsafe_noiommu_mode = Y\n");
	assert_false(seen.settings.unsafe_interrupts);
	assert_true(seen.settings.noiommu);
	forget(&seen);
}

static void widths_and_memory_are_numbers(void **state)
{
	struct seen seen = look("proc/cpuinfo |\n\tprocessor\t: 0\n"
				"\taddress sizes\t: 46 bits physical, 48 bits virtual\n"
				"proc/meminfo |\n\tMemTotal:       32768 kB\n");

	(void)state;
	assert_int_equal(seen.settings.cpu_bits, 46);
	assert_int_equal(seen.settings.memory_bytes, 32768 * 1024);
	forget(&seen);
	seen = look("");
	assert_int_equal(seen.settings.cpu_bits, 0);
	assert_int_equal(seen.settings.memory_bytes, 0);
	forget(&seen);
}

/* --- uses --- */

static const struct use *use_of(const struct seen *seen, enum use_kind kind)
{
	for (size_t i = 0; i < seen->uses->count; i++) {
		if (seen->uses->use[i].kind == kind)
			return &seen->uses->use[i];
	}
	return NULL;
}

/* One use of this kind, with this child and purpose; NULL: none. */
static void expect_use(const char *text, enum use_kind kind, const char *child, const char *purpose)
{
	struct seen seen = look(text);
	const struct use *use = use_of(&seen, kind);

	if (!child) {
		assert_null(use);
	} else {
		assert_non_null(use);
		assert_string_equal(use->child, child);
		assert_string_equal(use->purpose, purpose);
	}
	forget(&seen);
}

static void mounts_lead_to_disks(void **state)
{
	(void)state;
	expect_use("proc/self/mountinfo |\n\t1 0 8:2 / / rw - ext4 /dev/sda2 rw\n"
		   "\t2 0 8:2 /b /boot rw shared:1 - ext4 /dev/sda2 rw\n",
		   USE_ROOT_DISK, "sda", "/, /boot");
	/* btrfs has a number of its own, and names its device. */
	expect_use("proc/self/mountinfo |\n\t1 0 0:30 /@ / rw - btrfs /dev/sda2 rw\n",
		   USE_ROOT_DISK, "sda", "/");
	expect_use("proc/self/mountinfo |\n\t1 0 8:2 / /a\\040b\\134c rw - ext4 /dev/sda2 rw\n",
		   USE_DISK, "sda", "/a b\\c");
	expect_use("proc/self/mountinfo |\n\t1 0 0:5 / /dev rw - devtmpfs /dev/tmp rw\n", USE_DISK,
		   NULL, NULL);
	expect_use("proc/self/mountinfo |\n\tnonsense\n\t1 0 8 / / - \n", USE_ROOT_DISK, NULL,
		   NULL);
}

static void the_ways_to_a_multipath_disk_are_in_use(void **state)
{
	(void)state;
	expect_use("proc/self/mountinfo |\n\t1 0 259:0 / /srv rw - ext4 /dev/nvme0n1 rw\n",
		   USE_DISK, "nvme0n1", "/srv");
	expect_use("proc/self/mountinfo |\n\t1 0 259:9 / /srv rw - ext4 /dev/nvme0n10 rw\n",
		   USE_DISK, NULL, NULL);
}

static void volumes_that_nobody_mounted_hold_their_disk(void **state)
{
	(void)state;
	expect_use("sys/devices/pci0/0000:00:03.0/ata1/block/sda/sda2/holders/ dm-3\n"
		   "sys/devices/pci0/0000:00:03.0/ata1/block/sda/ sda2\n",
		   USE_DISK, "sda", "part of dm-3");
}

static void links_that_run_in_a_circle_end(void **state)
{
	(void)state;
	expect_use("proc/self/mountinfo |\n\t1 0 253:0 / / rw - ext4 /dev/dm-0 rw\n"
		   "sys/dev/block/253:0 -> ../../devices/virtual/block/dm-0\n"
		   "sys/devices/virtual/block/dm-0/slaves/dm-0 -> ../../dm-0\n",
		   USE_ROOT_DISK, NULL, NULL);
}

static void swap_is_found_by_its_name(void **state)
{
	(void)state;
	expect_use("proc/swaps |\n\tFilename\tType\n\t/dev/sda2 partition\t1\t0\t-2\n", USE_SWAP,
		   "sda", "swap");
	expect_use("proc/swaps |\n\tFilename\tType\n\t/swapfile file\t1\t0\t-2\n", USE_SWAP, NULL,
		   NULL);
}

static void what_cannot_be_read_is_said(void **state)
{
	struct seen seen = look("proc/self/mountinfo ! denied\nproc/net/route ! denied\n");

	(void)state;
	assert_int_equal(seen.uses->lost_count, 2);
	forget(&seen);
	seen = look("proc/net/route |\n\tIface\n"
		    "proc/self/mountinfo |\n\t1 0 0:27 / / rw - zfs rpool/root rw\n");
	assert_int_equal(seen.uses->lost_count, 1);
	forget(&seen);
}

#define ROUTE_HEAD "proc/net/route |\n\tIface\tDestination\tGateway\tFlags\n"

static void routes_lead_to_interfaces(void **state)
{
	(void)state;
	expect_use(ROUTE_HEAD "\teth0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		   USE_ROUTE, "eth0", "the default route");
	/* Below a bridge. */
	expect_use(ROUTE_HEAD "\tbr0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		   USE_ROUTE, "eth1", "the default route");
	/* A tunnel has the default route; its packets go by a gateway. */
	expect_use(ROUTE_HEAD "\ttun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
			      "\teth1\t01020304\t0102000A\t0007\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n",
		   USE_ROUTE, "eth1", "a route by a gateway");
	/* A neighbourhood alone is no way out; nor is a route that refuses, or one that is down. */
	expect_use(ROUTE_HEAD "\teth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
			      "\teth0\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n"
			      "\teth0\t00000000\t00000000\t0002\t0\t0\t0\t00000000\t0\t0\t0\n",
		   USE_ROUTE, NULL, NULL);
}

#define ZEROS "00000000000000000000000000000000"

static void ipv6_has_routes_of_its_own(void **state)
{
	(void)state;
	expect_use("proc/net/ipv6_route |\n\t" ZEROS " 00 " ZEROS " 00 fe80000000000000000000000000"
		   "0001 00000400 00000003 00000000 00000003 eth0\n",
		   USE_ROUTE, "eth0", "the default route");
	expect_use("proc/net/ipv6_route |\n\t" ZEROS " 00 " ZEROS " 00 " ZEROS
		   " ffffffff 00000001 00000000 00200200 eth0\n",
		   USE_ROUTE, NULL, NULL);
}

static void a_keyboard_is_what_has_sysrq(void **state)
{
	static const char form[] = "proc/bus/input/devices |\n\tN: Name=\"Power Button\"\n"
				   "\tS: Sysfs=/devices/LNXSYSTM:00/input0\n"
				   "\tH: Handlers=sysrq kbd event0\n\t\n"
				   "\tN: Name=\"USB\"\n"
				   "\tS: Sysfs=/devices/pci0/0000:00:03.0/usb1/input3\n"
				   "\tH: Handlers=%skbd event3\n\t\n";
	char text[512];
	struct seen seen;

	(void)state;
	snprintf(text, sizeof(text), form, "sysrq ");
	seen = look(text);
	assert_non_null(use_of(&seen, USE_KEYBOARD));
	assert_string_equal(seen.machine->function[use_of(&seen, USE_KEYBOARD)->function].name,
			    "0000:00:03.0");
	forget(&seen);
	/* A webcam's button. */
	snprintf(text, sizeof(text), form, "");
	seen = look(text);
	assert_null(use_of(&seen, USE_KEYBOARD));
	forget(&seen);
}

static void the_console_is_the_line_of_that_name(void **state)
{
	static const char form[] =
		"sys/class/tty/console/active = tty0 %s\n"
		"sys/class/tty/ttyS1 -> ../../devices/pci0/0000:00:03.0/tty/ttyS1\n"
		"sys/class/tty/ttyS10 -> ../../devices/pci0/0000:00:04.0/tty/ttyS10\n";
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), form, "ttyS1");
	expect_use(text, USE_CONSOLE, "ttyS1", "the kernel's console");
	snprintf(text, sizeof(text), form, "ttyS");
	expect_use(text, USE_CONSOLE, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_the_command_line_are_found_whole),
		cmocka_unit_test(remapping_is_told_by_interrupts_else_by_the_log),
		cmocka_unit_test(what_a_module_says_comes_before_the_command_line),
		cmocka_unit_test(widths_and_memory_are_numbers),
		cmocka_unit_test(mounts_lead_to_disks),
		cmocka_unit_test(the_ways_to_a_multipath_disk_are_in_use),
		cmocka_unit_test(volumes_that_nobody_mounted_hold_their_disk),
		cmocka_unit_test(links_that_run_in_a_circle_end),
		cmocka_unit_test(swap_is_found_by_its_name),
		cmocka_unit_test(what_cannot_be_read_is_said),
		cmocka_unit_test(routes_lead_to_interfaces),
		cmocka_unit_test(ipv6_has_routes_of_its_own),
		cmocka_unit_test(a_keyboard_is_what_has_sysrq),
		cmocka_unit_test(the_console_is_the_line_of_that_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
