/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/guest_conf_test.c - guest.conf: good files, and each mistake with its line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/metal/guest_conf.h"

#define MIB  ((uint64_t)1 << 20)
#define GOOD "[a]\nkernel = k\nmemory = 64M\n"

static struct guest_conf conf;
static struct conf_mistakes mistakes;

/* A copy without a byte behind it: whoever reads further is seen by the sanitizer. */
static bool parse_bytes(const char *text, size_t bytes)
{
	char *copy = malloc(bytes ? bytes : 1);
	bool good;

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	conf_mistakes_begin(&mistakes, "guest.conf");
	good = guest_conf_parse(copy, bytes, &conf, &mistakes);
	assert_int_equal(good, mistakes.count == 0);
	free(copy);
	return good;
}

/* The text stays where it is: what was parsed points into it. */
static void must_parse(const char *text)
{
	conf_mistakes_begin(&mistakes, "guest.conf");
	if (!guest_conf_parse(text, strlen(text), &conf, &mistakes))
		fail_msg("%s", mistakes.text[0]);
}

/* Exactly this one mistake. */
static void must_refuse(const char *text, const char *mistake)
{
	assert_false(parse_bytes(text, strlen(text)));
	assert_string_equal(mistakes.text[0], mistake);
	assert_int_equal(mistakes.count, 1);
}

static void must_be(struct conf_text text, const char *word)
{
	assert_int_equal(text.length, strlen(word));
	assert_memory_equal(text.at, word, text.length);
}

/* ---- good files ---- */

static void a_guest_has_all_that_was_said(void **state)
{
	const struct conf_guest *web = &conf.guest[0];

	(void)state;
	must_parse("# what runs here\n"
		   "\n"
		   "[web]\n"
		   "kernel       = vmlinuz\n"
		   "initrd       = initrd.gz\n"
		   "command-line = console=ttyS0 quiet  # not a comment\n"
		   "memory       = 512M\n"
		   "cpus         = 2\n"
		   "device       = 00:02.0\n"
		   "device       = 8086:10d3\n"
		   "device       = 0001:a0:1f.7\n"
		   "console      = none\n"
		   "acpi         = on\n"
		   "balloon      = user\n"
		   "faults       = kernel\n");
	assert_int_equal(conf.guest_count, 1);
	assert_string_equal(web->name, "web");
	assert_int_equal(web->line, 3);
	must_be(web->kernel, "vmlinuz");
	must_be(web->initrd, "initrd.gz");
	must_be(web->command_line, "console=ttyS0 quiet  # not a comment");
	assert_true(web->memory == 512 * MIB);
	assert_int_equal(web->said[CONF_MEMORY], 7);
	assert_int_equal(web->cpus, 2);
	assert_int_equal(web->device_count, 3);
	assert_false(web->device[0].by_id);
	assert_int_equal(web->device[0].sbdf.sbdf, sp_sbdf(0, 0, 2, 0).sbdf);
	assert_true(web->device[1].by_id);
	assert_int_equal(web->device[1].vendor, 0x8086);
	assert_int_equal(web->device[1].device, 0x10d3);
	assert_int_equal(web->device[2].sbdf.sbdf, sp_sbdf(1, 0xa0, 0x1f, 7).sbdf);
	assert_int_equal(web->device[2].line, 11);
	assert_int_equal(web->console, CONF_CONSOLE_NONE);
	assert_true(web->acpi);
	assert_int_equal(web->balloon, CALL_BY_USER);
	assert_int_equal(web->faults, CALL_BY_KERNEL);
}

static void what_is_not_said_has_a_default(void **state)
{
	(void)state;
	must_parse(GOOD);
	assert_int_equal(conf.guest[0].cpus, 1);
	assert_int_equal(conf.guest[0].device_count, 0);
	assert_int_equal(conf.guest[0].console, CONF_CONSOLE_SERIAL);
	assert_false(conf.guest[0].acpi);
	assert_int_equal(conf.guest[0].balloon, CALL_BY_NOBODY);
	assert_int_equal(conf.guest[0].faults, CALL_BY_NOBODY);
	assert_int_equal(conf.guest[0].said[CONF_INITRD], 0);
	assert_int_equal(conf.guest[0].command_line.length, 0);
}

static void guests_follow_each_other(void **state)
{
	(void)state;
	must_parse("[a]\nkernel=k\nmemory=64M\n[b-2]\n\tkernel = l\n\tmemory = 1G\n[c_c]");
	assert_int_equal(conf.guest_count, 3);
	assert_string_equal(conf.guest[1].name, "b-2");
	must_be(conf.guest[1].kernel, "l");
	assert_true(conf.guest[1].memory == 1024 * MIB);
	assert_string_equal(conf.guest[2].name, "c_c");
}

/* Tabs, blanks at ends, DOS line ends, no line feed at the end. */
static void white_space_does_not_matter(void **state)
{
	(void)state;
	must_parse("\t[ a ]\t\r\n  kernel\t=\tk \r\n\r\n  # x\r\nmemory=65536K");
	assert_string_equal(conf.guest[0].name, "a");
	must_be(conf.guest[0].kernel, "k");
	assert_true(conf.guest[0].memory == 64 * MIB);
}

static void a_value_may_hold_an_equals_sign(void **state)
{
	(void)state;
	must_parse("[a]\ncommand-line = root=/dev/vda a=b=c\n");
	must_be(conf.guest[0].command_line, "root=/dev/vda a=b=c");
}

static void sizes_have_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} rows[] = {
		{ "[a]\nmemory = 64M", 64 * MIB },    { "[a]\nmemory = 66M", 66 * MIB },
		{ "[a]\nmemory = 3G", 3072 * MIB },   { "[a]\nmemory = 1024G", (uint64_t)1 << 40 },
		{ "[a]\nmemory = 67584K", 66 * MIB },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		must_parse(rows[i].text);
		assert_true(conf.guest[0].memory == rows[i].bytes);
	}
}

/* ---- mistakes ---- */

static void a_bad_size_is_named(void **state)
{
	(void)state;
	must_refuse("[a]\nmemory = 12Q", "guest.conf:2: memory 12Q: wanted a size like 512M");
	must_refuse("[a]\nmemory = 512", "guest.conf:2: memory 512: wanted a size like 512M");
	must_refuse("[a]\nmemory = M", "guest.conf:2: memory M: wanted a size like 512M");
	must_refuse("[a]\nmemory = -1M", "guest.conf:2: memory -1M: wanted a size like 512M");
	must_refuse("[a]\nmemory = 0x40M", "guest.conf:2: memory 0x40M: wanted a size like 512M");
	must_refuse("[a]\nmemory = 512 M", "guest.conf:2: memory 512 M: wanted a size like 512M");
	must_refuse("[a]\nmemory = 512m", "guest.conf:2: memory 512m: wanted a size like 512M");
	must_refuse("[a]\nmemory = 62M", "guest.conf:2: memory 62M: wanted at least 64M");
	must_refuse("[a]\nmemory = 0G", "guest.conf:2: memory 0G: wanted at least 64M");
	must_refuse("[a]\nmemory = 65M", "guest.conf:2: memory 65M: wanted a multiple of 2M");
	must_refuse("[a]\nmemory = 1025G", "guest.conf:2: memory 1025G: wanted at most 1024G");
	must_refuse("[a]\nmemory = 18446744073709551615G",
		    "guest.conf:2: memory 18446744073709551615G: wanted at most 1024G");
	must_refuse("[a]\nmemory = 18446744073709551616K",
		    "guest.conf:2: memory 18446744073709551616K: wanted a size like 512M");
}

static void a_bad_number_of_cpus_is_named(void **state)
{
	(void)state;
	must_refuse("[a]\ncpus = 0", "guest.conf:2: cpus 0: wanted a number from 1 to 32");
	must_refuse("[a]\ncpus = 33", "guest.conf:2: cpus 33: wanted a number from 1 to 32");
	must_refuse("[a]\ncpus = two", "guest.conf:2: cpus two: wanted a number from 1 to 32");
	must_refuse("[a]\ncpus = 4294967297",
		    "guest.conf:2: cpus 4294967297: wanted a number from 1 to 32");
}

static void a_bad_device_is_named(void **state)
{
	static const char *const bad[] = {
		"2.0",	     "00:02",	  "00:02.8",	   "00:20.0",	   "000:02.0",
		"00:2.0",    "0:00:02.0", "0000:00:02.0 ", "0000.00:02.0", "8086:10d3:1",
		"8086-10d3", "g086:10d3", "8086:10d",	   "e1000e",	   "00:02.0x",
		"00-02.0",   "00:02,0",	  "zzzz:00:02.0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64], mistake[128];
		bool trailing = bad[i][strlen(bad[i]) - 1] == ' ';

		snprintf(text, sizeof(text), "[a]\ndevice = %s", bad[i]);
		if (trailing) {
			must_parse(text);
			continue;
		}
		snprintf(mistake, sizeof(mistake),
			 "guest.conf:2: device %s: wanted a function like 00:02.0 or an id like "
			 "8086:10d3",
			 bad[i]);
		must_refuse(text, mistake);
	}
}

static void a_ninth_device_is_one_too_many(void **state)
{
	char text[256] = "[a]\n";

	(void)state;
	for (int i = 0; i < 8; i++)
		strcat(text, "device = 00:02.0\n");
	must_parse(text);
	assert_int_equal(conf.guest[0].device_count, 8);
	strcat(text, "device = 00:03.0\n");
	must_refuse(text,
		    "guest.conf:10: device 00:03.0: a guest can have 8 devices, this is one more");
}

static void other_words_are_named(void **state)
{
	(void)state;
	must_refuse("[a]\nconsole = vga", "guest.conf:2: console vga: wanted serial or none");
	must_refuse("[a]\nacpi = yes", "guest.conf:2: acpi yes: wanted on or off");
	must_refuse("[a]\nacpi = On", "guest.conf:2: acpi On: wanted on or off");
	must_refuse("[a]\nballoon = on", "guest.conf:2: balloon on: wanted off, kernel or user");
	must_refuse("[a]\nfaults = all", "guest.conf:2: faults all: wanted off, kernel or user");
}

static void an_unknown_setting_is_named(void **state)
{
	(void)state;
	must_refuse(
		"[a]\ncolour = blue",
		"guest.conf:2: colour: no such setting; there are kernel, initrd, command-line, "
		"memory, cpus, device, console, acpi, balloon, faults, serves");
	must_refuse(
		"[a]\nMemory = 64M",
		"guest.conf:2: Memory: no such setting; there are kernel, initrd, command-line, "
		"memory, cpus, device, console, acpi, balloon, faults, serves");
}

static void what_is_no_setting_is_named(void **state)
{
	(void)state;
	must_refuse("[a]\nmemory 64M",
		    "guest.conf:2: memory 64M: wanted a line like memory = 512M, or [name]");
	must_refuse("[a\nmemory = 64M", "guest.conf:1: [a: wanted a name in brackets, like [web]");
	must_refuse("[\n", "guest.conf:1: [: wanted a name in brackets, like [web]");
	must_refuse("[a] memory = 64M",
		    "guest.conf:1: [a] memory = 64M: wanted a name in brackets, like [web]");
	must_refuse("[a]]", "guest.conf:1: [a]]: wanted a name in brackets, like [web]");
}

/* The list in the message is that of the table. */
static void the_message_knows_all_settings(void **state)
{
	(void)state;
	assert_false(parse_bytes("x = y", 5));
	for (int key = 0; key < CONF_KEYS; key++)
		assert_non_null(strstr(mistakes.text[0], conf_key_name((enum conf_key)key)));
}

static void a_setting_without_a_guest_is_named(void **state)
{
	assert_false(parse_bytes("memory = 64M\n" GOOD, 13 + strlen(GOOD)));
	assert_string_equal(
		mistakes.text[0],
		"guest.conf:1: memory: belongs to no guest; a guest begins with a line like [web]");
	(void)state;
}

static void a_setting_without_a_value_is_named(void **state)
{
	(void)state;
	must_refuse("[a]\nkernel =", "guest.conf:2: kernel: has no value");
	must_refuse("[a]\nkernel = \t ", "guest.conf:2: kernel: has no value");
}

static void a_setting_said_twice_is_named(void **state)
{
	(void)state;
	must_refuse("[a]\nkernel = k\n\nkernel = l",
		    "guest.conf:4: kernel l: is set twice, first in line 2");
	must_refuse("[a]\nmemory = 64M\nmemory = 64M",
		    "guest.conf:3: memory 64M: is set twice, first in line 2");
}

static void a_bad_name_is_named(void **state)
{
	static const char *const bad[] = { "",	  "1a", "-a", "a b",
					   "a.b", "a/", "[a", "aaaaaaaaaaaaaaaa" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64], mistake[128];

		snprintf(text, sizeof(text), "\n[%s]\nmemory = 64M", bad[i]);
		snprintf(mistake, sizeof(mistake),
			 "guest.conf:2: [%s]: wanted a name of 1 to 15 letters, digits, - and _, a "
			 "letter first",
			 bad[i]);
		must_refuse(text, mistake);
	}
	must_parse("[aaaaaaaaaaaaaaa]");
	assert_string_equal(conf.guest[0].name, "aaaaaaaaaaaaaaa");
}

static void a_name_given_twice_is_named(void **state)
{
	(void)state;
	must_refuse(GOOD "[b]\n[a]\nmemory = 64M",
		    "guest.conf:5: [a]: this guest is there already, in line 1");
}

static void a_ninth_guest_is_one_too_many(void **state)
{
	(void)state;
	must_refuse("[a]\n[b]\n[c]\n[d]\n[e]\n[f]\n[g]\n[h]\n[i]\nmemory = 64M\n",
		    "guest.conf:9: [i]: there can be 8 guests, this is one more");
	assert_int_equal(conf.guest_count, 8);
}

static void a_file_without_a_guest_is_refused(void **state)
{
	static const char *const files[] = { "", "\n\n", "# nothing\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		must_refuse(files[i],
			    "guest.conf: no guest; a guest begins with a line like [web]");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	static const char zero[] = "[a]\nkernel = k\0l\n";

	(void)state;
	assert_false(parse_bytes(zero, sizeof(zero) - 1));
	assert_string_equal(mistakes.text[0],
			    "guest.conf:2: the line holds bytes that are no ASCII text");
	must_refuse("[a]\nkernel = \x1b[2J",
		    "guest.conf:2: the line holds bytes that are no ASCII text");
	must_refuse("[a]\nkernel = \xc3\xa4",
		    "guest.conf:2: the line holds bytes that are no ASCII text");
	must_parse("# \xc3\xa4 in a comment\n[a]");
}

static void long_lines_are_refused(void **state)
{
	char text[3000] = "[a]\ncommand-line = ";
	size_t begin = strlen(text);

	(void)state;
	memset(text + begin, 'x', 2047);
	must_parse(text);
	assert_int_equal(conf.guest[0].command_line.length, 2047);
	text[begin + 2047] = 'x';
	assert_false(parse_bytes(text, strlen(text)));
	assert_non_null(strstr(mistakes.text[0], "x: wanted at most 2047 bytes"));
	assert_true(strlen(mistakes.text[0]) < 120);
	memset(text + begin, 'x', 2300);
	must_refuse(text, "guest.conf:2: the line is longer than 2200 bytes");
}

static void all_mistakes_are_told_at_once(void **state)
{
	(void)state;
	assert_false(parse_bytes("[a]\nmemory = x\ncpus = y\nfoo\n", 28));
	assert_int_equal(mistakes.count, 3);
	assert_non_null(strstr(mistakes.text[2], "guest.conf:4: foo"));
}

static void more_mistakes_than_have_room_are_counted(void **state)
{
	char text[512] = "[a]\n";

	(void)state;
	for (int i = 0; i < 40; i++)
		strcat(text, "x\n");
	assert_false(parse_bytes(text, strlen(text)));
	assert_int_equal(mistakes.count, 40);
	assert_non_null(strstr(mistakes.text[CONF_MISTAKES - 1], "guest.conf:17: x"));
}

/* What was discarded does not count as said by the next guest. */
static void a_refused_guest_leaves_nothing_to_the_next(void **state)
{
	(void)state;
	must_refuse(
		"[1]\nkernel = k\nmemory = 64M\n[a]\nkernel = k\nmemory = 128M\n",
		"guest.conf:1: [1]: wanted a name of 1 to 15 letters, digits, - and _, a letter "
		"first");
	assert_int_equal(conf.guest_count, 1);
	assert_true(conf.guest[0].memory == 128 * MIB);
}

/* Every beginning of a file, and every file with one byte changed, ends with an answer. */
static void files_that_are_damaged_are_read_to_the_end(void **state)
{
	static const char text[] = "# x\n[web]\nkernel = vmlinuz\nmemory = 512M\ncpus = 2\n"
				   "device = 0000:00:02.0\ndevice = 8086:10d3\nacpi = on\n";
	static const char bytes[] = { 0, '\n', '\r', ' ', '=', '[', ']', '#', ':', '9', -1 };
	char damaged[sizeof(text)];
	uint32_t good = 0;

	(void)state;
	for (size_t length = 0; length < sizeof(text); length++)
		good += parse_bytes(text, length);
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		for (size_t k = 0; k < sizeof(bytes); k++) {
			memcpy(damaged, text, sizeof(text));
			damaged[i] = bytes[k];
			good += parse_bytes(damaged, sizeof(text) - 1);
		}
	}
	assert_true(good > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_has_all_that_was_said),
		cmocka_unit_test(what_is_not_said_has_a_default),
		cmocka_unit_test(guests_follow_each_other),
		cmocka_unit_test(white_space_does_not_matter),
		cmocka_unit_test(a_value_may_hold_an_equals_sign),
		cmocka_unit_test(sizes_have_a_unit),
		cmocka_unit_test(a_bad_size_is_named),
		cmocka_unit_test(a_bad_number_of_cpus_is_named),
		cmocka_unit_test(a_bad_device_is_named),
		cmocka_unit_test(a_ninth_device_is_one_too_many),
		cmocka_unit_test(other_words_are_named),
		cmocka_unit_test(an_unknown_setting_is_named),
		cmocka_unit_test(what_is_no_setting_is_named),
		cmocka_unit_test(the_message_knows_all_settings),
		cmocka_unit_test(a_setting_without_a_guest_is_named),
		cmocka_unit_test(a_setting_without_a_value_is_named),
		cmocka_unit_test(a_setting_said_twice_is_named),
		cmocka_unit_test(a_bad_name_is_named),
		cmocka_unit_test(a_name_given_twice_is_named),
		cmocka_unit_test(a_ninth_guest_is_one_too_many),
		cmocka_unit_test(a_file_without_a_guest_is_refused),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(long_lines_are_refused),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(more_mistakes_than_have_room_are_counted),
		cmocka_unit_test(a_refused_guest_leaves_nothing_to_the_next),
		cmocka_unit_test(files_that_are_damaged_are_read_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
