/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/conf_text.c - pieces of a file, and the numbers and names that stand in them. */
#include "platform/metal/conf_text.h"

#include "platform/metal/string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* DOS line ends are the caller's: a carriage return inside a line is no blank. */
struct conf_text conf_text_trim(struct conf_text text)
{
	while (text.length != 0 && is_blank(text.at[0])) {
		text.at++;
		text.length--;
	}
	while (text.length != 0 && is_blank(text.at[text.length - 1]))
		text.length--;
	return text;
}

/* Case counts, as it does in names of modules. */
bool conf_text_is_word(struct conf_text text, const char *word)
{
	size_t length = 0;

	while (word[length] != '\0')
		length++;
	return text.length == length && memcmp(text.at, word, length) == 0;
}

size_t conf_text_find_char(struct conf_text text, char c)
{
	size_t at = 0;

	while (at < text.length && text.at[at] != c)
		at++;
	return at;
}

struct conf_text conf_text_first(struct conf_text text, size_t length)
{
	return (struct conf_text){ text.at, length };
}

/* The whole text from its end on is an empty one, which is still a place in the file. */
struct conf_text conf_text_rest(struct conf_text text, size_t from)
{
	return (struct conf_text){ text.at + from, text.length - from };
}

/* 16 for what is no digit in any base. */
static uint32_t digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (uint32_t)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (uint32_t)(c - 'A') + 10;
	return 16;
}

/*
 * Never more than `most`, also on the way: a number of a hundred digits is refused, not wrapped
 * around to one that fits.
 */
bool conf_text_read_number(struct conf_text text, uint32_t base, uint64_t most, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < text.length; i++) {
		uint32_t digit = digit_of(text.at[i]);

		if (digit >= base || digit > most || *number > (most - digit) / base)
			return false;
		*number = *number * base + digit;
	}
	return text.length != 0;
}

/* Exactly so many digits, as lspci writes them. */
static bool read_hex(struct conf_text text, size_t digits, uint64_t most, uint64_t *number)
{
	return text.length == digits && conf_text_read_number(text, 16, most, number);
}

/* "0000:00:02.0", or without the segment. */
bool conf_text_read_sbdf(struct conf_text value, sp_sbdf_t *sbdf)
{
	uint64_t segment = 0, bus, device, function;

	if (value.length == 12) {
		if (value.at[4] != ':' || !read_hex(conf_text_first(value, 4), 4, 0xffff, &segment))
			return false;
		value = conf_text_rest(value, 5);
	}
	if (value.length != 7 || value.at[2] != ':' || value.at[5] != '.')
		return false;
	if (!read_hex(conf_text_first(value, 2), 2, 0xff, &bus) ||
	    !read_hex(conf_text_first(conf_text_rest(value, 3), 2), 2, 0x1f, &device) ||
	    !read_hex(conf_text_rest(value, 6), 1, 7, &function))
		return false;
	*sbdf = sp_sbdf((uint32_t)segment, (uint32_t)bus, (uint32_t)device, (uint32_t)function);
	return true;
}

/* "8086:10d3" */
bool conf_text_read_id(struct conf_text value, uint16_t *vendor, uint16_t *device)
{
	uint64_t left, right;

	if (value.length != 9 || value.at[4] != ':' ||
	    !read_hex(conf_text_first(value, 4), 4, 0xffff, &left) ||
	    !read_hex(conf_text_rest(value, 5), 4, 0xffff, &right))
		return false;
	*vendor = (uint16_t)left;
	*device = (uint16_t)right;
	return true;
}
