/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/root_test.c - trees that are directories and trees that are one file answer alike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/linux/fake_root.h"

static const char snapshot[] = "sallyport-snapshot 1\n"
			       "# a machine\n"
			       "sys/class/net/ eth0\n"
			       "sys/class/net/eth0 -> ../../devices/pci0/net/eth0\n"
			       "sys/devices/pci0/vendor = 0x8086\n"
			       "sys/devices/pci0/config : 64\n"
			       "\t000: 86 80 d3 10\n"
			       "\t030: 40\n"
			       "sys/devices/pci0/with\\x20space = 1\n"
			       "sys/devices/pci0/net/eth0/mtu = 1500\n"
			       "sys/devices/secret ! denied\n"
			       "sys/loop -> loop\n"
			       "proc/mounts |\n"
			       "\t/dev/sda1 / ext4 rw 0 0\n"
			       "\ttmpfs /run tmpfs rw 0 0\n";

static void a_snapshot_is_read(void **state)
{
	struct root *root = fake_root(snapshot, "");
	struct root_bytes bytes;
	struct root_names names;
	uint64_t number;

	(void)state;
	assert_false(root_is_live(root));
	assert_string_equal(root_text(root, "sys/devices/pci0/vendor"), "0x8086");
	assert_true(root_number_in(root, "sys/devices/pci0", "vendor", &number));
	assert_int_equal(number, 0x8086);
	assert_string_equal(root_text(root, "sys/devices/pci0/with space"), "1");
	assert_int_equal(root_read(root, "sys/devices/pci0/config", &bytes), ROOT_OK);
	assert_int_equal(bytes.count, 64);
	assert_memory_equal(bytes.data, "\x86\x80\xd3\x10\0", 5);
	assert_int_equal(bytes.data[0x30], 0x40);
	assert_int_equal(root_read(root, "proc/mounts", &bytes), ROOT_OK);
	assert_string_equal(bytes.data, "/dev/sda1 / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n");
	assert_int_equal(root_read(root, "sys/devices/secret", &bytes), ROOT_DENIED);
	assert_int_equal(root_read(root, "sys/devices/nothing", &bytes), ROOT_ABSENT);
	assert_int_equal(root_list(root, "sys/devices/pci0", &names), ROOT_OK);
	assert_int_equal(names.count, 4);
	root_close(root);
}

static void links_lead_on_and_never_round(void **state)
{
	struct root *root = fake_root(snapshot, "");
	struct root_bytes bytes;

	(void)state;
	assert_string_equal(root_text(root, "sys/class/net/eth0/mtu"), "1500");
	assert_string_equal(root_link_name_in(root, "sys/class/net", "eth0"), "eth0");
	assert_string_equal(root_follow(root, "sys/class/net/eth0"), "sys/devices/pci0/net/eth0");
	assert_int_equal(root_read(root, "sys/loop/x", &bytes), ROOT_ABSENT);
	root_close(root);
}

/* A snapshot names things as they were asked for, by way of a link too. */
static void what_was_asked_by_way_of_a_link_is_found_so(void **state)
{
	struct root *root = fake_root("sallyport-snapshot 1\n"
				      "sys/class/net/br0 -> ../../devices/virtual/net/br0\n"
				      "sys/class/net/br0/ lower_eth0 mtu\n"
				      "sys/class/net/br0/mtu = 9000\n"
				      "sys/devices/virtual/net/br0/flags = 0x3\n",
				      "");
	struct root_names names;

	(void)state;
	assert_string_equal(root_text(root, "sys/class/net/br0/mtu"), "9000");
	assert_string_equal(root_text(root, "sys/class/net/br0/flags"), "0x3");
	assert_int_equal(root_list(root, "sys/class/net/br0", &names), ROOT_OK);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.name[1], "lower_eth0");
	root_close(root);
}

static void a_link_does_not_leave_the_directory(void **state)
{
	char directory[] = "/tmp/sallyport-tree-XXXXXX", path[256];
	struct root_bytes bytes;
	const char *target;
	struct root *root;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/passwd", directory);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	root = root_open(directory);
	assert_int_equal(root_read(root, "passwd", &bytes), ROOT_ABSENT);
	assert_int_equal(root_read(root, "../../etc/passwd", &bytes), ROOT_ABSENT);
	assert_int_equal(root_link(root, "passwd", &target), ROOT_OK);
	assert_string_equal(target, "/etc/passwd");
	root_close(root);
	unlink(path);
	rmdir(directory);
}

static void what_was_asked_is_noted_once_and_stays_the_same(void **state)
{
	char directory[] = "/tmp/sallyport-tree-XXXXXX", path[256];
	const struct root_note *notes;
	struct root *root;
	size_t count;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/value", directory);
	file = fopen(path, "w");
	fputs("before\n", file);
	fclose(file);
	root = root_open(directory);
	assert_string_equal(root_text(root, "value"), "before");
	file = fopen(path, "w");
	fputs("after\n", file);
	fclose(file);
	assert_string_equal(root_text(root, "value"), "before");
	assert_null(root_text(root, "absent"));
	notes = root_notes(root, &count);
	assert_int_equal(count, 1);
	assert_string_equal(notes[0].path, "value");
	root_close(root);
	unlink(path);
	rmdir(directory);
}

/* What a broken snapshot is answered: the line, and status 2. */
static void refuses(const char *text, const char *said)
{
	char *path = fake_file(text, ""), line[512];
	int ends[2], status;
	size_t count = 0;
	ssize_t more;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		root_open(path);
		_exit(0);
	}
	close(ends[1]);
	while ((more = read(ends[0], line + count, sizeof(line) - 1 - count)) > 0)
		count += (size_t)more;
	close(ends[0]);
	line[count] = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	unlink(path);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
	if (!strstr(line, said))
		fail_msg("\"%s\" was not said: %s", said, line);
}

static void a_broken_snapshot_is_refused_with_its_line(void **state)
{
	(void)state;
	refuses("", "no snapshot");
	refuses("sallyport-snapshot 2\n", ":1: this is no snapshot");
	refuses("sallyport-snapshot 1\n\tlost\n", ":2: a line behind a tab");
	refuses("sallyport-snapshot 1\na ? b\n", ":2: after a path comes one of");
	refuses("sallyport-snapshot 1\na : many\n", ":2: how many bytes");
	refuses("sallyport-snapshot 1\na : 2\n\t000: 01 02 03\n", ":3: more bytes");
	refuses("sallyport-snapshot 1\na : 2\n\tzero\n", ":3: a row of bytes begins");
	refuses("sallyport-snapshot 1\na : 2\n\t0: 100\n", ":3: a byte is two");
	refuses("sallyport-snapshot 1\na : 99999999\n", ":2: how many bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_is_read),
		cmocka_unit_test(links_lead_on_and_never_round),
		cmocka_unit_test(what_was_asked_by_way_of_a_link_is_found_so),
		cmocka_unit_test(a_link_does_not_leave_the_directory),
		cmocka_unit_test(what_was_asked_is_noted_once_and_stays_the_same),
		cmocka_unit_test(a_broken_snapshot_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
