/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/fake_root.c - a machine that is a text in a test: the lines of a snapshot.
 */
#include "tests/linux/fake_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

char *fake_file(const char *text, const char *more)
{
	static char path[40];
	FILE *file;

	snprintf(path, sizeof(path), "/tmp/sallyport-root-XXXXXX");
	file = fdopen(mkstemp(path), "w");
	assert_non_null(file);
	fprintf(file, "%s%s", text, more);
	fclose(file);
	return path;
}

struct root *fake_root(const char *text, const char *more)
{
	char *path = fake_file(text, more);
	struct root *root = root_open(path);

	unlink(path);
	assert_non_null(root);
	return root;
}
