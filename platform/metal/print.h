/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/print.h - formatting into a buffer.
 *
 * Understood: %s %c %d %u %x %% with l, ll or z before d, u, x; a width, a leading 0 or '-', and
 * for %s a precision, also as an argument. What does not fit is cut off; the result always ends in
 * a zero.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sallyport/address.h>

struct sbdf_text {
	char chars[16]; /* "0000:00:00.0" */
};

__attribute__((format(printf, 3, 4))) size_t print(char *buffer, size_t size, const char *format,
						   ...);
__attribute__((format(printf, 3, 0))) size_t print_list(char *buffer, size_t size,
							const char *format, va_list arguments);

struct sbdf_text print_sbdf(sp_sbdf_t function);
