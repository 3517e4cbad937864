/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/fake_root.h - a machine that is a text in a test: the lines of a snapshot.
 */
#pragma once

#include "platform/linux/root.h"

/* Of these texts in a row, the second may be "". */
struct root *fake_root(const char *text, const char *more);

/* The path of a new file with this text, to be unlinked; good until the next. */
char *fake_file(const char *text, const char *more);
