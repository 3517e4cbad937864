/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/summary_test.c - what is read of OUT/PART.json. */
#include "summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char steps[] =
	"{\"machines\": [{\"name\": \"amdvi-shared\", \"seconds\": 11.6, \"steps\": ["
	"{\"step\": \"a\", \"good\": true, \"evidence\": \"first\"},"
	"{\"step\": \"b\", \"good\": true, \"evidence\": \"second\", \"observable\": false},"
	"{\"step\": \"c\", \"good\": true, \"evidence\": \"500 sent\"}]},"
	"{\"name\": \"vtd-separate\", \"seconds\": 3, \"steps\": ["
	"{\"step\": \"a\", \"good\": false, \"evidence\": \"nothing\"}]}]}";
static const char rows[] = "{\"machines\": [{\"name\": \"m\", \"rows\": ["
			   "{\"row\": 1, \"result\": \"arrives\", \"evidence\": \"x\"},"
			   "{\"row\": 2, \"result\": \"contained\", \"evidence\": \"y\"},"
			   "{\"row\": 3, \"result\": \"unobservable\", \"evidence\": \"z\"},"
			   "{\"row\": 4, \"result\": \"leaked\", \"evidence\": \"w\"}]}]}";

static struct summary_line line;
static char machine[64];

static bool read_text(const char *text, const char *part, size_t n)
{
	json_t *file = json_loads(text, 0, NULL);
	const bool found = summary_read(file, part, n, machine, sizeof(machine), &line);

	json_decref(file);
	return found;
}

static void steps_are_counted(void **state)
{
	(void)state;
	assert_true(read_text(steps, "nic", 0));
	assert_string_equal(machine, "amdvi-shared");
	assert_int_equal(line.rows, 3);
	assert_int_equal(line.seen, 2);
	assert_int_equal(line.bad, 0);
	assert_string_equal(line.what, "500 sent");
	assert_true(line.seconds > 11 && line.seconds < 12);
}

static void a_bad_step_is_neither_seen_nor_passed_over(void **state)
{
	(void)state;
	assert_true(read_text(steps, "nic", 1));
	assert_int_equal(line.rows, 1);
	assert_int_equal(line.seen, 0);
	assert_int_equal(line.bad, 1);
	assert_string_equal(line.what, "nothing");
	assert_false(read_text(steps, "nic", 2));
}

static void rows_have_results(void **state)
{
	(void)state;
	assert_true(read_text(rows, "matrix", 0));
	assert_int_equal(line.rows, 4);
	assert_int_equal(line.seen, 2);
	assert_int_equal(line.bad, 1);
}

static void what_is_no_such_file_has_no_machine(void **state)
{
	(void)state;
	assert_false(read_text("{}", "nic", 0));
	assert_false(read_text("[]", "nic", 0));
	assert_false(read_text("{\"machines\": [{\"name\": \"m\"}]}", "nic", 0));
}

/* As the whole program does it, for files that are there and one that is not. */
static void a_part_without_a_file_is_bad(void **state)
{
	char out[] = "/tmp/summary_test.XXXXXX", path[64], *text = NULL;
	char *both[] = { (char[]){ "nic" }, (char[]){ "move" } };
	const struct terminal terminal = { .is_terminal = false };
	size_t size = 0;
	FILE *output = open_memstream(&text, &size), *file;

	(void)state;
	assert_non_null(mkdtemp(out));
	snprintf(path, sizeof(path), "%s/nic.json", out);
	file = fopen(path, "w");
	assert_non_null(file);
	fwrite(steps, 1, strstr(steps, ",{\"name\"") - steps, file);
	fputs("]}", file);
	fclose(file);
	assert_true(summary_print(out, both, 1, &terminal, output));
	assert_false(summary_print(out, both, 2, &terminal, output));
	fclose(output);
	assert_non_null(strstr(text, "amdvi-shared    3    2      12 500 sent"));
	assert_non_null(strstr(text, "NOT every row"));
	free(text);
	unlink(path);
	rmdir(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_counted),
		cmocka_unit_test(a_bad_step_is_neither_seen_nor_passed_over),
		cmocka_unit_test(rows_have_results),
		cmocka_unit_test(what_is_no_such_file_has_no_machine),
		cmocka_unit_test(a_part_without_a_file_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
