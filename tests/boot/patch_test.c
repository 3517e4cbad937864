/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/patch_test.c - the verdict over code that is written over, from what was said. */
#include "patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct boot_result well = { BOOT_EXITED, QEMU_EXIT_SUCCESS, 5 };
static const struct boot_result badly = { BOOT_EXITED, QEMU_EXIT_FAILURE, 5 };
static const struct boot_result stuck = { BOOT_TIMED_OUT, 0, 120 };

static const char *const good_lines[] = {
	"patch 1 good \"4000 patches of 8 bytes at 0x40414040 in 9 ms; two CPUs executed the old code 3 times\"\n",
	"patch 2 good \"200 patches of 15 bytes\"\n",
	"patch 3 good \"200 patches of 15 bytes\"\n",
	"patch 4 good \"60 patches of 15 bytes\"\n",
	"patch 5 good \"while it stands CPUs go round 0 times\"\n",
	"end patch\n",
	"patch-control 1 bad \"1 patches of 8 bytes; a mix 5; the mix gave 0x1b9687c3\"\n",
	"patch-control 2 bad \"1 patches of 15 bytes\"\n",
	"patch-control 3 bad \"2 patches of 15 bytes\"\n",
	"patch-control 4 bad \"77 patches of 15 bytes\"\n",
	"patch-control 5 bad \"11 patches of 15 bytes\"\n",
	"patch-control 6 bad \"while it stands CPUs go round 4475272 times\"\n",
	"end patch\n",
};
#define LINES (sizeof(good_lines) / sizeof(good_lines[0]))

/* The good run, but for one line. */
static struct patch run_with(size_t line, const char *instead, const struct boot_result *rows,
			     const struct boot_result *controls)
{
	struct patch patch;

	patch_begin(&patch, &patch_machine_table[0]);
	for (size_t i = 0; i < LINES; i++)
		patch_read_line(&patch, i == line ? instead : good_lines[i]);
	patch_judge(&patch, rows, controls);
	return patch;
}

static void a_run_as_it_should_be_is_good(void **state)
{
	const struct patch patch = run_with(LINES, "", &well, &well);

	(void)state;
	assert_true(patch_is_good(&patch));
	assert_non_null(strstr(patch.step[PATCH_CONTROL_BYTES].evidence, "0x1b9687c3"));
}

static void each_line_counts(void **state)
{
	(void)state;
	for (size_t line = 0; line < LINES; line++) {
		const struct patch patch = run_with(line, "", &well, &well);

		assert_false(patch_is_good(&patch));
	}
}

/* A line that says something else, and the step that it costs. */
static const struct {
	size_t line;
	const char *instead;
	enum patch_step step;
} worse[] = {
	{ 0, "patch 1 bad \"a mix 1\"\n", PATCH_EIGHT },
	{ 1, "patch 2 unobservable \"0 fetches waited\"\n", PATCH_LONGER },
	{ 2, "patch 3 good\n", PATCH_TWO_PAGES },
	{ 3, "patch 5 good \"twice\"\n", PATCH_LARGE },
	{ 3, "patch 5 good \"twice\"\n", PATCH_WINDOW },
	{ 4, "patch 6 good \"there is no sixth\"\n", PATCH_WINDOW },
	{ 6, "patch-control 1 good \"no mix\"\n", PATCH_CONTROL_BYTES },
	{ 7, "patch-control 2 unobservable \"no mix\"\n", PATCH_CONTROL_FLUSH },
	{ 11, "patch-control 7 bad \"there is no seventh\"\n", PATCH_CONTROL_WINDOW },
	{ 12, "refused: option run=patch\n", PATCH_END },
};

static void each_word_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(worse) / sizeof(worse[0]); i++) {
		const struct patch patch = run_with(worse[i].line, worse[i].instead, &well, &well);

		assert_false(patch.step[worse[i].step].good);
		assert_false(patch_is_good(&patch));
	}
}

static void a_boot_that_does_not_end_well_is_not_good(void **state)
{
	(void)state;
	assert_false(run_with(LINES, "", &badly, &well).step[PATCH_END].good);
	assert_false(run_with(LINES, "", &well, &stuck).step[PATCH_END].good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(each_line_counts),
		cmocka_unit_test(each_word_counts),
		cmocka_unit_test(a_boot_that_does_not_end_well_is_not_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
