/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/memory.c - memory of a program that runs once: it is there, or the program ends.
 */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "say.h"

static void *must(void *memory)
{
	if (!memory)
		say_fatal(EXIT_UNKNOWN, "out of memory");
	return memory;
}

void *memory_take(size_t count, size_t bytes)
{
	return must(calloc(count ? count : 1, bytes));
}

char *memory_copy(const char *text)
{
	return must(strdup(text));
}

char *memory_print(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return must(text);
}

void *memory_grow(void *items, size_t count, size_t bytes)
{
	/* Full at 0 and at every power of two. */
	if ((count & (count - 1)) == 0)
		items = must(reallocarray(items, count ? 2 * count : 1, bytes));
	memset((char *)items + count * bytes, 0, bytes);
	return items;
}
