/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/console.c - the log: whole lines, never two CPUs in one line. */
#include "platform/metal/console.h"

#include "platform/metal/print.h"
#include "platform/metal/serial.h"
#include "platform/metal/spinlock.h"

#define FORCE_TRIES 10000000u /* far longer than any line takes to go out */

static struct spinlock lock;
static const char *open; /* lock; whose line has no end yet: its prefix, or NULL */
static uint32_t column;	 /* lock; characters of that line behind the prefix */

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	return length;
}

/* Called with the lock held. */
static void end_open_line(void)
{
	if (open != NULL)
		serial_write("\n", 1);
	open = NULL;
}

/* Takes the line with room for the line feed; the buffer's last byte stays free for it. */
static void write_line(char *line, size_t used)
{
	bool were_on = spinlock_take(&lock);

	end_open_line();
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

/* Called with the lock held. What stands left of the prefix's end is not the writer's to change. */
static void write_part(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\b' && column == 0)
			continue;
		column += text[i] == '\b' ? -1u : 1u;
		serial_write(&text[i], 1);
	}
}

void console_part(const char *prefix, const char *text, size_t length)
{
	console_line_so_far(prefix, text, length, length);
}

void console_line_so_far(const char *prefix, const char *text, size_t length, size_t added)
{
	const bool were_on = spinlock_take(&lock);

	if (open != prefix) {
		end_open_line();
		serial_write(prefix, length_of(prefix));
		open = prefix;
		column = 0;
		added = length;
	}
	write_part(text + length - added, added);
	spinlock_drop(&lock, were_on);
}

void console_clear_rest(const char *prefix)
{
	static const char clear[] = { 0x1b, '[', 'K' };
	const bool were_on = spinlock_take(&lock);

	if (open == prefix)
		serial_write(clear, sizeof(clear));
	spinlock_drop(&lock, were_on);
}

void console_part_ends(const char *prefix)
{
	const bool were_on = spinlock_take(&lock);

	if (open == prefix)
		end_open_line();
	spinlock_drop(&lock, were_on);
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
