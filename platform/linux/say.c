/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/say.c - errors and warnings, on standard error, each a line that says what to do.
 */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void say(const char *kind, const char *format, va_list arguments)
{
	fflush(stdout);
	fprintf(stderr, "sallyport: %s", kind);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void say_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("", format, arguments);
	va_end(arguments);
}

void say_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("warning: ", format, arguments);
	va_end(arguments);
}

void say_fatal(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("", format, arguments);
	va_end(arguments);
	exit(status);
}
