/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/script_test.c - what of a monitor's script is due when. */
#include "platform/metal/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NS_PER_S 1000000000ull

static struct script begin(const char *text)
{
	struct script script;

	script_begin(&script, (struct conf_text){ text, strlen(text) });
	return script;
}

/* All that is due at this second, with commas. */
static const char *due(struct script *script, unsigned int second)
{
	static char text[200];
	struct conf_text line;
	size_t used = 0;

	text[0] = '\0';
	while (script_next(script, second * NS_PER_S, &line)) {
		line = conf_text_trim(line);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s",
					 used ? "," : "", (int)line.length, line.at);
		assert_true(used < sizeof(text));
	}
	return text;
}

static void a_line_is_due_once_at_its_second(void **state)
{
	struct script script = begin("# a comment\n2 guests\n2 map first 10\n\n5 help");

	(void)state;
	assert_string_equal(due(&script, 0), "");
	assert_string_equal(due(&script, 1), "");
	assert_string_equal(due(&script, 2), "guests,map first 10");
	assert_string_equal(due(&script, 4), "");
	assert_string_equal(due(&script, 7), "help");
	assert_string_equal(due(&script, 9), "");
}

static void a_line_with_an_interval_comes_again(void **state)
{
	struct script script = begin("1/2 stats\n3 help\n3/1 pages\n");

	(void)state;
	assert_string_equal(due(&script, 0), "");
	assert_string_equal(due(&script, 1), "stats");
	assert_string_equal(due(&script, 2), "");
	assert_string_equal(due(&script, 3), "help,pages,stats");
	assert_string_equal(due(&script, 4), "pages");
	assert_string_equal(due(&script, 5), "stats,pages");
}

static void seconds_that_were_missed_are_not_made_up_for(void **state)
{
	struct script script = begin("1/1 stats\n");

	(void)state;
	assert_string_equal(due(&script, 1), "stats");
	assert_string_equal(due(&script, 60), "stats");
	assert_string_equal(due(&script, 61), "stats");
	script = begin("1/1 stats\n");
	assert_string_equal(due(&script, 60), "stats");
}

static void what_is_no_time_is_a_comment(void **state)
{
	struct script script = begin("x guests\n1/ guests\n1/0 guests\n/1 guests\n-1 guests\n"
				     "100001 guests\n1 help\n");

	(void)state;
	assert_string_equal(due(&script, 100000), "help");
}

static void more_repeats_than_there_is_room_for_come_once(void **state)
{
	struct script script = begin("1/1 a\n1/1 b\n1/1 c\n1/1 d\n1/1 e\n");

	(void)state;
	assert_string_equal(due(&script, 1), "a,b,c,d,e");
	assert_string_equal(due(&script, 2), "a,b,c,d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_due_once_at_its_second),
		cmocka_unit_test(a_line_with_an_interval_comes_again),
		cmocka_unit_test(seconds_that_were_missed_are_not_made_up_for),
		cmocka_unit_test(what_is_no_time_is_a_comment),
		cmocka_unit_test(more_repeats_than_there_is_room_for_come_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
