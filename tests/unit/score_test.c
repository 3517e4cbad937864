/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/score_test.c - the reader of the mutants' score misses no Neg and no part of one.
 */
#include "tests/mutants/mutants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOM 8

static const char page[] =
	"## 0. The adversary\n"
	"- M1 Not read here. Neg: drop it.\n"
	"\n"
	"## 2. In step\n"
	"Some words, and Neg: no statement.\n"
	"- A1.1 No control at all.\n"
	"- A1.2 Three of them. Neg: release after the CPU / after the\n"
	"  unit (XSA-480) / at once.\n"
	"- A1.3 A width: x. Neg: width = new order: split 2M, unmap one. (Others\n"
	"  shipped it, in 6.12.)\n"
	"- A1.4 One at CM=1, one at NpCache=1. Neg for each of the two.\n"
	"\n"
	"- A1.5 Every \"Neg\" above is a mutant.\n"
	"## 7. Elsewhere\n"
	"- n1 Not read here either. Neg: walk.\n"
	"## 5. Emulators\n"
	"- A4.4 Each waits. Neg: one bool.\n";

static int read_page(const char *text, struct statement *statements)
{
	char path[] = "/tmp/score_test.XXXXXX";
	int file = mkstemp(path), count;

	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	count = statements_read(path, statements, ROOM);
	unlink(path);
	return count;
}

static void statements_with_a_neg_are_found(void **state)
{
	struct statement statements[ROOM];

	(void)state;
	assert_int_equal(read_page(page, statements), 4);
	assert_string_equal(statements[0].name, "A1.2");
	assert_string_equal(statements[0].neg,
			    " release after the CPU / after the unit (XSA-480) / at once ");
	assert_string_equal(statements[1].neg, " width = new order: split 2M, unmap one ");
	assert_string_equal(statements[2].name, "A1.4");
	assert_string_equal(statements[3].name, "A4.4");
}

/* Errors that the rows leave of one statement; each row has words of its own, NULL ends them. */
static int errors_of(const char *name, const char *const *words)
{
	struct statement statements[ROOM];
	struct row rows[ROOM] = { 0 };
	int count = read_page(page, statements), errors = -1, row_count = 0;

	for (; words[row_count]; row_count++) {
		snprintf(rows[row_count].statement, sizeof(rows[0].statement), "%s", name);
		snprintf(rows[row_count].words, sizeof(rows[0].words), "%s", words[row_count]);
	}
	for (int i = 0; i < count; i++)
		if (strcmp(statements[i].name, name) == 0)
			errors = statement_check(&statements[i], rows, row_count);
	return errors;
}

static void a_neg_of_three_things_needs_three_rows(void **state)
{
	(void)state;
	assert_int_equal(errors_of("A1.2", (const char *const[]){ "release after the CPU",
								  "after the unit (XSA-480)",
								  "at once", NULL }),
			 0);
	assert_int_equal(errors_of("A1.2",
				   (const char *const[]){ "release after the CPU",
							  "after the unit (XSA-480)", NULL }),
			 1);
	assert_int_equal(errors_of("A1.2", (const char *const[]){ NULL }), 1);
}

static void a_row_quotes_what_the_page_says(void **state)
{
	(void)state;
	assert_int_equal(errors_of("A1.2", (const char *const[]){ "release ...", "never", NULL }),
			 1);
	assert_int_equal(errors_of("A1.2", (const char *const[]){ "release ...", "+ never", NULL }),
			 0);
	assert_int_equal(errors_of("A1.3", (const char *const[]){ "width ...", NULL }), 0);
	assert_int_equal(errors_of("A1.3", (const char *const[]){ "width", NULL }), 1);
}

static void for_each_of_two_needs_two(void **state)
{
	(void)state;
	assert_int_equal(errors_of("A1.4", (const char *const[]){ "CM=1", "NpCache=1", NULL }), 0);
	assert_int_equal(errors_of("A1.4", (const char *const[]){ "CM=1", NULL }), 1);
	assert_int_equal(errors_of("A1.4", (const char *const[]){ "CM=1", "CM=1", NULL }), 1);
	assert_int_equal(errors_of("A1.4", (const char *const[]){ "CM=1", "RWBF=1", NULL }), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_with_a_neg_are_found),
		cmocka_unit_test(a_neg_of_three_things_needs_three_rows),
		cmocka_unit_test(a_row_quotes_what_the_page_says),
		cmocka_unit_test(for_each_of_two_needs_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
