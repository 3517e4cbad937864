/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/text.c - names that people chose, as text that can be printed as JSON.
 */
#include "text.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "memory.h"

static int hex_digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

int text_escape(const char *text)
{
	int high, low;

	if (text[0] != '\\' || text[1] != 'x')
		return -1;
	high = hex_digit(text[2]);
	low = high < 0 ? -1 : hex_digit(text[3]);
	return low < 0 ? -1 : high << 4 | low;
}

static size_t length_by_head(unsigned char head)
{
	return head < 0x80   ? 1
	       : head < 0xc2 ? 0
	       : head < 0xe0 ? 2
	       : head < 0xf0 ? 3
	       : head < 0xf5 ? 4
			     : 0;
}

/* RFC 3629: the shortest form, no surrogates, nothing above 0x10ffff. How many bytes; 0: it is none. */
static size_t length_of(const unsigned char *at)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = length_by_head(*at);
	uint32_t code = length > 1 ? *at & (0x7fu >> length) : *at;

	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3fu);
	}
	if (length > 1 &&
	    (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)))
		return 0;
	return length;
}

char *text_plain(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	char *plain = memory_take(4 * strlen(text) + 1, 1), *out = plain;

	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		size_t length = length_of(at);

		if (!length) {
			*out++ = '\\';
			*out++ = 'x';
			*out++ = digits[*at >> 4];
			*out++ = digits[*at & 0xf];
			at++;
			continue;
		}
		memcpy(out, at, length);
		out += length;
		at += length;
	}
	return plain;
}
