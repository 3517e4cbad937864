/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/say.h - errors and warnings, on standard error, each a line that says what to do.
 */
#pragma once

#define PRINTF(text, first) __attribute__((format(printf, text, first)))

void say_error(const char *format, ...) PRINTF(1, 2);
void say_warning(const char *format, ...) PRINTF(1, 2);

/* An error, then the end with this status. */
_Noreturn void say_fatal(int status, const char *format, ...) PRINTF(2, 3);
