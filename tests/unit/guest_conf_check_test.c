/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/guest_conf_check_test.c - guest.conf and the machine: what does not fit is named with
 * its line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform/metal/guest_conf.h"

#define MIB ((uint64_t)1 << 20)

static struct guest_conf conf;
static struct conf_mistakes mistakes;

/* The text stays where it is: what was parsed points into it. */
static void must_parse(const char *text)
{
	conf_mistakes_begin(&mistakes, "guest.conf");
	if (!guest_conf_parse(text, strlen(text), &conf, &mistakes))
		fail_msg("%s", mistakes.text[0]);
}

static const struct conf_module modules[] = { { "guest.conf", 200 },
					      { "vmlinuz", 8 * MIB },
					      { "initrd.gz", 30 * MIB } };

/* A host bridge, two NICs of one id, one without a unit, two behind one bridge. */
static const struct sp_function_info functions[] = {
	{ .sbdf = { 0x00 }, .vendor = 0x8086, .device = 0x29c0, .is_bridge = true, .covered = true },
	{ .sbdf = { 0x10 },
	  .vendor = 0x8086,
	  .device = 0x10d3,
	  .covered = true,
	  .requester_count = 1,
	  .requester = { 0x10 } },
	{ .sbdf = { 0x18 },
	  .vendor = 0x8086,
	  .device = 0x10d3,
	  .covered = true,
	  .requester_count = 1,
	  .requester = { 0x18 } },
	{ .sbdf = { 0x20 }, .vendor = 0x1234, .device = 0x11e8 },
	{ .sbdf = { 0x108 },
	  .vendor = 0x1b36,
	  .device = 0x0010,
	  .covered = true,
	  .requester_count = 2,
	  .requester = { 0x108, 0x100 } },
	{ .sbdf = { 0x110 },
	  .vendor = 0x1b36,
	  .device = 0x0011,
	  .covered = true,
	  .requester_count = 2,
	  .requester = { 0x110, 0x100 } },
};

static const struct conf_machine machine = {
	.module = modules,
	.module_count = sizeof(modules) / sizeof(modules[0]),
	.memory = 1024 * MIB,
	.cpus = 3,
	.function = functions,
	.function_count = sizeof(functions) / sizeof(functions[0]),
};

static bool check(const char *text)
{
	must_parse(text);
	return guest_conf_check(&conf, &machine, &mistakes);
}

static void must_not_fit(const char *text, const char *mistake)
{
	if (check(text))
		fail_msg("no mistake, but wanted: %s", mistake);
	assert_string_equal(mistakes.text[0], mistake);
	assert_int_equal(mistakes.count, 1);
}

#define LINUX(name) "[" name "]\nkernel = vmlinuz\nmemory = 256M\n"

static void a_machine_with_all_of_it_is_content(void **state)
{
	(void)state;
	assert_true(check(LINUX("a") "initrd = initrd.gz\ncpus = 2\ndevice = 00:03.0\n" //
			  LINUX("b") "device = 8086:10d3\n"));
	assert_int_equal(conf.guest[0].kernel_module, 1);
	assert_int_equal(conf.guest[0].initrd_module, 2);
	assert_int_equal(conf.guest[1].initrd_module, machine.module_count);
	/* 00:03.0 was named: the id gets the other one. */
	assert_int_equal(conf.guest[1].device[0].sbdf.sbdf, 0x10);
	assert_true(conf.guest[1].device[0].found);
}

static void a_guest_needs_kernel_and_memory(void **state)
{
	(void)state;
	must_not_fit("\n[a]\nmemory = 64M", "guest.conf:2: [a]: has no kernel");
	must_not_fit("[a]\nkernel = vmlinuz", "guest.conf:1: [a]: has no memory");
}

static void a_module_that_is_not_there_is_named(void **state)
{
	(void)state;
	must_not_fit("[a]\nkernel = bzImage\nmemory = 64M",
		     "guest.conf:2: kernel bzImage: no boot module has this name");
	must_not_fit(LINUX("a") "initrd = initrd",
		     "guest.conf:4: initrd initrd: no boot module has this name");
}

static void modules_must_fit_into_memory(void **state)
{
	const struct conf_module large[] = { { "vmlinuz", 10 * MIB + 1 },
					     { "initrd.gz", 60 * MIB } };
	struct conf_machine with = machine;

	(void)state;
	with.module = large;
	with.module_count = 2;
	must_parse("[a]\nkernel = vmlinuz\ninitrd = initrd.gz\nmemory = 70M");
	assert_false(guest_conf_check(&conf, &with, &mistakes));
	assert_string_equal(mistakes.text[0],
			    "guest.conf:4: memory 70M: kernel and initrd alone are 71M");
}

/* It is the guest with which it becomes too much that is named. */
static void sums_are_compared_with_the_machine(void **state)
{
	(void)state;
	assert_true(check(LINUX("a") LINUX("b") "[c]\nkernel = vmlinuz\nmemory = 512M\n"));
	must_not_fit(
		LINUX("a") "[b]\nkernel = vmlinuz\nmemory = 770M\n" LINUX("c"),
		"guest.conf:6: memory 770M: makes 1026M together, but there are 1024M for guests");
	must_not_fit(LINUX("a") "cpus = 2\n" LINUX("b") LINUX("c"),
		     "guest.conf:8: cpus 1: makes 4 together, but there are 3 for guests");
	must_not_fit(LINUX("a") "cpus = 4\n",
		     "guest.conf:4: cpus 4: makes 4 together, but there are 3 for guests");
}

static void a_device_that_cannot_be_given_is_named(void **state)
{
	(void)state;
	must_not_fit(LINUX("a") "device = 00:09.0",
		     "guest.conf:4: device 0000:00:09.0: this machine has no such function");
	must_not_fit(LINUX("a") "device = 00:00.0",
		     "guest.conf:4: device 0000:00:00.0: is a bridge, which no guest can have");
	must_not_fit(LINUX("a") "device = 00:04.0",
		     "guest.conf:4: device 0000:00:04.0: no IOMMU translates it, so nothing would "
		     "contain it");
	must_not_fit(LINUX("a") "device = 1234:11e8",
		     "guest.conf:4: device 1234:11e8: no IOMMU translates it, so nothing would "
		     "contain it");
	must_not_fit(LINUX("a") "device = 10de:0001",
		     "guest.conf:4: device 10de:0001: this machine has none with this id");
}

static void a_device_has_one_owner(void **state)
{
	(void)state;
	must_not_fit(LINUX("a") "device = 00:02.0\n" LINUX("b") "device = 0000:00:02.0",
		     "guest.conf:8: device 0000:00:02.0: belongs to guest a already, line 4");
	must_not_fit(LINUX("a") "device = 00:02.0\ndevice = 00:02.0\n",
		     "guest.conf:5: device 0000:00:02.0: belongs to guest a already, line 4");
	must_not_fit(LINUX("a") "device = 8086:10d3\ndevice = 8086:10d3\n" //
		     LINUX("b") "device = 8086:10d3\n",
		     "guest.conf:9: device 8086:10d3: this machine has 2 with this id, all of them "
		     "given away");
}

static void functions_that_share_an_id_go_together(void **state)
{
	(void)state;
	assert_true(check(LINUX("a") "device = 01:01.0\ndevice = 01:02.0\n"));
	must_not_fit(LINUX("a") "device = 01:01.0\n" LINUX("b") "device = 01:02.0\n",
		     "guest.conf:8: device 0000:01:02.0: shares its requester id with 0000:01:01.0 "
		     "of guest a, line 4; both need one owner");
}

static void a_module_has_the_last_part_of_its_path_as_name(void **state)
{
	static const struct {
		const char *string, *name;
	} rows[] = {
		{ "vmlinuz", "vmlinuz" },
		{ "/boot/vmlinuz-6.1 quiet a/b", "vmlinuz-6.1" },
		{ "out/guest.conf\tx", "guest.conf" },
		{ "", "" },
		{ "boot/", "" },
		{ "averyverylongname", "averyverylongn" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[15];

		conf_module_name(rows[i].string, name, sizeof(name));
		assert_string_equal(name, rows[i].name);
	}
}

static void a_guest_serves_another_that_is_there(void **state)
{
	static const char first[] = "[a]\nkernel = vmlinuz\nmemory = 64M\n";
	char text[200];

	(void)state;
	snprintf(text, sizeof(text),
		 "[b]\nkernel = vmlinuz\nmemory = 64M\nballoon = user\nserves = a\n%s", first);
	assert_true(check(text));
	assert_int_equal(conf.guest[0].served, 1);
	assert_int_equal(conf.guest[1].served, CONF_GUESTS);
	must_not_fit("[b]\nkernel = vmlinuz\nmemory = 64M\nballoon = user\nserves = c\n",
		     "guest.conf:5: serves c: there is no such guest");
	must_not_fit("[b]\nkernel = vmlinuz\nmemory = 64M\nballoon = user\nserves = b\n",
		     "guest.conf:5: serves b: a guest cannot serve itself");
	snprintf(text, sizeof(text), "%s[b]\nkernel = vmlinuz\nmemory = 64M\nserves = a\n", first);
	must_not_fit(text,
		     "guest.conf:7: serves a: needs hypercalls; say balloon = kernel, or user");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_serves_another_that_is_there),
		cmocka_unit_test(a_machine_with_all_of_it_is_content),
		cmocka_unit_test(a_guest_needs_kernel_and_memory),
		cmocka_unit_test(a_module_that_is_not_there_is_named),
		cmocka_unit_test(modules_must_fit_into_memory),
		cmocka_unit_test(sums_are_compared_with_the_machine),
		cmocka_unit_test(a_device_that_cannot_be_given_is_named),
		cmocka_unit_test(a_device_has_one_owner),
		cmocka_unit_test(functions_that_share_an_id_go_together),
		cmocka_unit_test(a_module_has_the_last_part_of_its_path_as_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
