/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/console.c - the log: whole lines, never two CPUs in one line. */
#include "platform/metal/console.h"

#include "platform/metal/print.h"
#include "platform/metal/serial.h"
#include "platform/metal/spinlock.h"

#define FORCE_TRIES 10000000u /* far longer than any line takes to go out */

static struct spinlock lock;

/* Takes the line with room for the line feed; the buffer's last byte stays free for it. */
static void write_line(char *line, size_t used)
{
	bool were_on = spinlock_take(&lock);

	line[used] = '\n';
	serial_write(line, used + 1);
	spinlock_drop(&lock, were_on);
}

/* Formatting needs no lock, so the lock is held only while the line goes out. */
void console_line(const char *format, ...)
{
	char line[CONSOLE_LINE + 1];
	va_list arguments;
	size_t used;

	va_start(arguments, format);
	used = print_list(line, CONSOLE_LINE, format, arguments);
	va_end(arguments);
	write_line(line, used);
}

/* A topic of 8 characters at most keeps the texts in one column. */
void console_log(const char *topic, const char *format, ...)
{
	char line[CONSOLE_LINE + 1];
	va_list arguments;
	size_t used = print(line, CONSOLE_LINE, "%-9s", topic);

	va_start(arguments, format);
	used += print_list(line + used, CONSOLE_LINE - used, format, arguments);
	va_end(arguments);
	write_line(line, used);
}

/* Waits for a line that another CPU is writing, but not for one that will never end. */
void console_line_forced(const char *format, ...)
{
	char line[CONSOLE_LINE + 1];
	va_list arguments;
	size_t used;

	va_start(arguments, format);
	used = print_list(line, CONSOLE_LINE, format, arguments);
	va_end(arguments);
	line[used] = '\n';

	for (unsigned int i = 0; i < FORCE_TRIES && spinlock_is_held(&lock); i++)
		pause();
	serial_write(line, used + 1);
}
