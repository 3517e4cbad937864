/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/linux_test.c - host tools on a Linux of its own: the verdict over what was said. */
#include "linux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	FIRST,
	COLON,
	BLIND,
	OUR_OWN,
	LINES = 4
};

/* As a script has them: for all machines, then for one of them. */
static const char *const script[] = {
	"# SPDX-License-Identifier: BSD-2-Clause\n",
	"# step: the first\n",
	"# step: bind: a device\n",
	"# step: what is not seen\n",
};
static const char *const other_script[] = {
	"# on: linux-amdvi\n",
	"# step: of another machine\n",
};

static const char *const good_lines[LINES] = {
	"[    3.8] linux: ok the first: 13 of 13: all\n",
	"[    4.0] linux: ok bind: a device: it is bound\n",
	"[    4.2] linux: blind what is not seen: bus master alone explains it\n",
	"[    5.0] linux: end at 4.9\n",
};

static void announce(struct linux_host *host, const char *const *lines, size_t count)
{
	bool is_on = true;

	for (size_t i = 0; i < count; i++)
		linux_host_announce(host, lines[i], &is_on);
}

/* The good run, but for one line that is another, and one more. The caller frees it. */
static struct linux_host *run_with(size_t line, const char *instead, const char *more,
				   enum boot_end end)
{
	struct linux_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->machine = &linux_machine_table[0];
	announce(host, script, sizeof(script) / sizeof(script[0]));
	announce(host, other_script, sizeof(other_script) / sizeof(other_script[0]));
	for (size_t i = 0; i < LINES; i++)
		linux_host_read_line(host, i == line ? instead : good_lines[i]);
	linux_host_read_line(host, more);
	host->ended = (struct boot_result){ end, 0, 9 };
	linux_host_judge(host);
	assert_int_equal(host->count, OUR_OWN + 1);
	return host;
}

/* This step, and no other, is bad. */
static void assert_bad(struct linux_host *host, unsigned int step)
{
	for (unsigned int i = 0; i < host->count; i++)
		assert_int_equal(host->step[i].good, i != step);
	assert_int_equal(linux_host_is_good(host), step >= host->count);
	free(host);
}

static void a_run_as_it_should_be_is_good(void **state)
{
	struct linux_host *host = run_with(LINES, "", "", BOOT_EXITED);

	(void)state;
	assert_string_equal(host->name[FIRST], "the first");
	assert_string_equal(host->step[FIRST].evidence, "13 of 13: all");
	assert_string_equal(host->step[COLON].evidence, "it is bound");
	assert_true(host->step[BLIND].blind);
	assert_false(host->step[FIRST].blind);
	assert_bad(host, host->count);
}

static void nothing_at_all_is_bad(void **state)
{
	struct linux_host *host = calloc(1, sizeof(*host));

	(void)state;
	assert_non_null(host);
	host->machine = &linux_machine_table[0];
	host->has_ended = true;
	linux_host_judge(host);
	assert_false(linux_host_is_good(host));
	free(host);
}

static void a_step_that_fails_is_bad(void **state)
{
	(void)state;
	assert_bad(run_with(FIRST, "[ 3.8] linux: not ok the first: 12 of 13\n", "", BOOT_EXITED),
		   FIRST);
}

static void a_step_that_is_not_said_is_bad(void **state)
{
	(void)state;
	assert_bad(run_with(COLON, "", "", BOOT_EXITED), COLON);
}

static void what_was_not_announced_is_bad(void **state)
{
	(void)state;
	assert_bad(run_with(LINES, "", "[ 4] linux: ok something else: here\n", BOOT_EXITED),
		   OUR_OWN);
	assert_bad(run_with(LINES, "", "[ 4] linux: ok of another machine: here\n", BOOT_EXITED),
		   OUR_OWN);
}

/* The first word counts: an ok cannot be added to what failed. */
static void what_is_said_twice_is_bad(void **state)
{
	(void)state;
	assert_bad(run_with(LINES, "", good_lines[FIRST], BOOT_EXITED), OUR_OWN);
}

static void a_machine_that_does_not_end_is_bad(void **state)
{
	(void)state;
	assert_bad(run_with(LINES, "", "", BOOT_TIMED_OUT), OUR_OWN);
	assert_bad(run_with(OUR_OWN, "", "", BOOT_EXITED), OUR_OWN);
}

/* A program's own lines are shown behind a bar, whatever they are. */
static void what_a_program_says_is_no_step(void **state)
{
	struct linux_host *host =
		run_with(FIRST, "[ 3.8] linux| ] linux: ok the first: \n", "", BOOT_EXITED);

	(void)state;
	assert_bad(host, FIRST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(nothing_at_all_is_bad),
		cmocka_unit_test(a_step_that_fails_is_bad),
		cmocka_unit_test(a_step_that_is_not_said_is_bad),
		cmocka_unit_test(what_was_not_announced_is_bad),
		cmocka_unit_test(what_is_said_twice_is_bad),
		cmocka_unit_test(a_machine_that_does_not_end_is_bad),
		cmocka_unit_test(what_a_program_says_is_no_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
