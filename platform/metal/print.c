/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/print.c - formatting into a buffer. */
#include "platform/metal/print.h"

#include <stdbool.h>

struct sink {
	char *buffer;
	size_t size;
	size_t used;
};

struct directive {
	bool left, zero;
	bool precision_given; /* as an argument: %.*s */
	unsigned int width;
	unsigned int precision;
	unsigned int longs; /* 0: int, 1: long or size_t, 2: long long */
	char kind;
};

#define NO_PRECISION (~0u)

/* One byte always stays free for the ending zero. */
static void put(struct sink *sink, char c)
{
	if (sink->used + 1 < sink->size)
		sink->buffer[sink->used++] = c;
}

static void put_padded(struct sink *sink, const struct directive *d, const char *text,
		       size_t length)
{
	size_t padding = d->width > length ? d->width - length : 0;

	if (!d->left) {
		for (size_t i = 0; i < padding; i++)
			put(sink, d->zero ? '0' : ' ');
	}
	for (size_t i = 0; i < length; i++)
		put(sink, text[i]);
	if (d->left) {
		for (size_t i = 0; i < padding; i++)
			put(sink, ' ');
	}
}

/* Digits are made from the last one back; 20 are enough for 64 bits. */
static void put_number(struct sink *sink, const struct directive *d, uint64_t value, bool negative)
{
	const unsigned int base = d->kind == 'x' ? 16 : 10;
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	if (negative)
		digits[--at] = '-';
	put_padded(sink, d, digits + at, sizeof(digits) - at);
}

/* The smallest number has no positive twin: its magnitude is taken unsigned. */
static void put_signed(struct sink *sink, const struct directive *d, int64_t value)
{
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	put_number(sink, d, magnitude, value < 0);
}

/* A precision bounds the reading too: names in firmware's tables end without a zero. */
static void put_string(struct sink *sink, const struct directive *d, const char *text)
{
	size_t length = 0;

	while (length < d->precision && text[length] != '\0')
		length++;
	put_padded(sink, d, text, length);
}

static const char *parse_number(const char *format, unsigned int *number)
{
	*number = 0;
	while (*format >= '0' && *format <= '9')
		*number = *number * 10 + (unsigned int)(*format++ - '0');
	return format;
}

/* format points behind the percent sign; returns what follows the directive. */
static const char *parse_directive(const char *format, struct directive *d)
{
	*d = (struct directive){ .precision = NO_PRECISION };
	for (; *format == '-' || *format == '0'; format++) {
		if (*format == '-')
			d->left = true;
		else
			d->zero = true;
	}
	format = parse_number(format, &d->width);
	if (format[0] == '.' && format[1] == '*') {
		d->precision_given = true;
		format += 2;
	} else if (*format == '.') {
		format = parse_number(format + 1, &d->precision);
	}
	for (; *format == 'l' || *format == 'z'; format++)
		d->longs++;
	d->kind = *format;
	return *format == '\0' ? format : format + 1;
}

size_t print_list(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct sink sink = { .buffer = buffer, .size = size };
	struct directive d;

	while (*format != '\0') {
		if (*format != '%') {
			put(&sink, *format++);
			continue;
		}
		format = parse_directive(format + 1, &d);
		if (d.precision_given)
			d.precision = (unsigned int)va_arg(arguments, int);
		if (d.kind == 's')
			put_string(&sink, &d, va_arg(arguments, const char *));
		else if (d.kind == 'c')
			put(&sink, (char)va_arg(arguments, int));
		else if (d.kind == 'd')
			put_signed(&sink, &d,
				   d.longs ? va_arg(arguments, long) : va_arg(arguments, int));
		else if (d.kind == 'u' || d.kind == 'x')
			put_number(&sink, &d,
				   d.longs ? va_arg(arguments, unsigned long)
					   : va_arg(arguments, unsigned int),
				   false);
		else
			put(&sink, d.kind);
	}
	if (size != 0)
		buffer[sink.used] = '\0';
	return sink.used;
}

size_t print(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t used;

	va_start(arguments, format);
	used = print_list(buffer, size, format, arguments);
	va_end(arguments);
	return used;
}

/* By value: a caller may print several in one line. */
struct sbdf_text print_sbdf(sp_sbdf_t function)
{
	struct sbdf_text text = { { 0 } };

	print(text.chars, sizeof(text.chars), "%04x:%02x:%02x.%u", sp_sbdf_segment(function),
	      sp_sbdf_bus(function), sp_sbdf_device(function), sp_sbdf_function(function));
	return text;
}
