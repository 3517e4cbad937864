/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/model/sentences.c - sentences that are true in every mode: a test for each of both. */
#include "sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NAME_BYTES 160

int sentences_run(const char *group, const struct sentence *sentences, size_t count)
{
	const size_t most = count * bench_mode_count;
	struct CMUnitTest *tests = calloc(most, sizeof(*tests));
	char(*names)[NAME_BYTES] = calloc(most, sizeof(*names));
	size_t used = 0;
	int failed = -1;

	for (size_t i = 0; tests && names && i < count; i++) {
		for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
			if (sentences[i].is_of && !sentences[i].is_of(&bench_modes[mode]))
				continue;
			snprintf(names[used], NAME_BYTES, "%s: %s", sentences[i].name,
				 bench_modes[mode].name);
			tests[used] =
				(struct CMUnitTest){ names[used], sentences[i].run, NULL, NULL,
						     (void *)(uintptr_t)&bench_modes[mode] };
			used++;
		}
	}
	if (tests && names)
		failed = _cmocka_run_group_tests(group, tests, used, NULL, NULL);
	free(tests);
	free(names);
	return failed;
}
