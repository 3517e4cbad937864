/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/serve_test.c - the verdict over a guest that serves another, from what was said. */
#include "serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct boot_result well = { BOOT_EXITED, QEMU_EXIT_SUCCESS, 30 };

static const char *const good_lines[] = {
	"serve    second serves first\n",
	"first| [ 2.3] nic: user space, kernel 6.1\n",
	"second| [ 2.4] nic: user space, kernel 6.1\n",
	"second| [ 5.5] nic: serve mapped 64\n",
	"first| [ 3.0] nic: serve served 64 of 64\n",
	"first| [ 8.6] nic: serve given 16, exchanged 8, of which 8 are served\n",
	"first| [ 11.8] nic: hung gave 1 after 3006 ms, the other CPU stood still for 2995 ms\n",
	"second| [ 14.3] nic: serve answered 25, let go 25, wrote 127519, of those hanging 37668\n",
	"serve    second: 73 pages of first mapped, 73 let go, 25 requests; first stayed out 15038 times\n",
	"balloon  25 pages with canaries, 25 whole, 0 broken\n",
	"guest    first: 100 frames were mapped, 100 came back (ok)\n",
	"guest    second: 50 frames were mapped, 50 came back (ok)\n",
};
#define LINES (sizeof(good_lines) / sizeof(good_lines[0]))

static const char leak_line[] =
	"balloon  canary broken: gfn 0x100000 of second, frame 0x7c01, which left first\n";

/* The good run, but for one line; the control leaks, or not. */
static struct serve run_with(size_t line, const char *instead, const char *control_line)
{
	struct serve serve, control;

	serve_begin(&serve, &guest_machine_table[0]);
	serve_begin(&control, &guest_machine_table[0]);
	for (size_t i = 0; i < LINES; i++)
		serve_read_line(&serve, i == line ? instead : good_lines[i]);
	serve_read_line(&control, control_line);
	serve_judge(&serve, &well, &control);
	return serve;
}

static void a_run_as_it_should_be_is_good(void **state)
{
	const struct serve serve = run_with(LINES, "", leak_line);

	(void)state;
	assert_true(serve_is_good(&serve));
	assert_non_null(strstr(serve.step[SERVE_HANGS].evidence, "3006 ms"));
}

/* A line that says less, and the step that it costs. */
static const struct {
	size_t line;
	const char *instead;
	enum serve_step step;
} worse[] = {
	{ 3, "second| [ 5.5] nic: serve mapped 63\n", SERVE_MAPS },
	{ 4, "first| [ 3.0] nic: serve served 60 of 64\n", SERVE_MAPS },
	{ 5, "first| [ 8.6] nic: serve given 15, exchanged 8, of which 8 are served\n",
	  SERVE_LETS_GO },
	{ 5, "first| [ 8.6] nic: serve given 16, exchanged 8, of which 7 are served\n",
	  SERVE_GOES_ON },
	{ 6, "first| [ 11.8] nic: hung gave 1 after 12 ms, the other CPU stood still for 2995 ms\n",
	  SERVE_HANGS },
	{ 6, "first| [ 11.8] nic: hung gave 1 after 3006 ms, the other CPU stood still for 5 ms\n",
	  SERVE_HANGS },
	{ 6,
	  "first| [ 11.8] nic: hung gave -6 after 3006 ms, the other CPU stood still for 2995 ms\n",
	  SERVE_HANGS },
	{ 7,
	  "second| [ 14.3] nic: serve answered 25, let go 25, wrote 127519, of those hanging 0\n",
	  SERVE_HANGS },
	{ 8,
	  "serve    second: 73 pages of first mapped, 73 let go, 24 requests; first stayed out 9 times\n",
	  SERVE_LETS_GO },
	{ 8,
	  "serve    second: 73 pages of first mapped, 73 let go, 25 requests; first stayed out 0 times\n",
	  SERVE_HANGS },
	{ 8,
	  "serve    second: 73 pages of first mapped, 72 let go, 25 requests; first stayed out 9 times\n",
	  SERVE_FRAMES },
	{ 9, "balloon  25 pages with canaries, 24 whole, 1 broken\n", SERVE_LETS_GO },
	{ 9, "balloon  24 pages with canaries, 24 whole, 0 broken\n", SERVE_LETS_GO },
	{ 10, "guest    first: 100 frames were mapped, 99 came back (not yet)\n", SERVE_FRAMES },
	{ 11, "guest    second: 50 frames were mapped, 49 came back (not yet)\n", SERVE_FRAMES },
};

static void each_line_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(worse) / sizeof(worse[0]); i++) {
		const struct serve serve = run_with(worse[i].line, worse[i].instead, leak_line);

		assert_false(serve.step[worse[i].step].good);
		assert_false(serve_is_good(&serve));
	}
	for (size_t line = 3; line < LINES; line++) {
		const struct serve serve = run_with(line, "", leak_line);

		assert_false(serve_is_good(&serve));
	}
}

static void a_control_that_does_not_leak_proves_nothing(void **state)
{
	const struct serve serve = run_with(LINES, "", "balloon  25 pages with canaries\n");

	(void)state;
	assert_false(serve.step[SERVE_CONTROL].good);
	assert_false(serve_is_good(&serve));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(each_line_counts),
		cmocka_unit_test(a_control_that_does_not_leak_proves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
