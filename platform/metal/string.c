/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/string.c - the four functions that a freestanding compiler may call.
 * String instructions throughout: a C loop would be compiled into a call of itself.
 */
#include "platform/metal/string.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
	return to;
}

void *memset(void *to, int value, size_t size)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(value) : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	char *to_end = (char *)to + size - 1;
	const char *from_end = (const char *)from + size - 1;

	if ((uintptr_t)to - (uintptr_t)from >= size)
		return memcpy(to, from, size);

	/* The ranges overlap and `to` is above: copy from the end down. */
	__asm__ volatile("std; rep movsb; cld"
			 : "+D"(to_end), "+S"(from_end), "+c"(size)
			 :
			 : "memory");
	return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
	const unsigned char *l = left, *r = right;

	for (size_t i = 0; i < size; i++) {
		if (l[i] != r[i])
			return l[i] < r[i] ? -1 : 1;
	}
	return 0;
}
