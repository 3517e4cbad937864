/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/text.h - a line for people, put together piece by piece. What does not fit is left out.
 *
 *   struct text text = { .length = 0 };
 *   text_sbdf(text_add(&text, "function "), function->sbdf);
 *   host_log(host, SP_LOG_ERROR, text.line);
 */
#pragma once

#include <stddef.h>

#include <sallyport/address.h>

#define TEXT_BYTES 200

struct text {
	size_t length;
	char line[TEXT_BYTES]; /* always ends with a zero */
};

static inline struct text *text_char(struct text *text, char what)
{
	if (text->length + 1 < TEXT_BYTES)
		text->line[text->length++] = what;
	text->line[text->length] = 0;
	return text;
}

static inline struct text *text_add(struct text *text, const char *what)
{
	while (*what)
		text_char(text, *what++);
	return text;
}

/* At least `digits` of them, without a prefix. */
static inline struct text *text_digits(struct text *text, uint64_t value, uint32_t base,
				       uint32_t digits)
{
	char reversed[24];
	uint32_t count = 0;

	while (value || count < digits) {
		reversed[count++] = "0123456789abcdef"[value % base];
		value /= base;
	}
	while (count)
		text_char(text, reversed[--count]);
	return text;
}

static inline struct text *text_number(struct text *text, uint64_t value)
{
	return text_digits(text, value, 10, 1);
}

static inline struct text *text_hex(struct text *text, uint64_t value)
{
	return text_digits(text_add(text, "0x"), value, 16, 1);
}

/* 0000:00:02.0 */
static inline struct text *text_sbdf(struct text *text, sp_sbdf_t id)
{
	text_char(text_digits(text, sp_sbdf_segment(id), 16, 4), ':');
	text_char(text_digits(text, sp_sbdf_bus(id), 16, 2), ':');
	text_char(text_digits(text, sp_sbdf_device(id), 16, 2), '.');
	return text_digits(text, sp_sbdf_function(id), 16, 1);
}
