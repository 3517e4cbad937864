/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/bytes.c - the four functions that a freestanding compiler may call, for the program
 * that counts.
 *
 * A C library's differ with the CPU that they find, and so would the counts. Here a store of eight
 * bytes is one instruction, on every machine.
 */
#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	size_t words = size / 8, rest = size % 8;
	void *at = to;

	__asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(rest) : : "memory");
	return to;
}

void *memset(void *to, int value, size_t size)
{
	uint64_t word = (uint8_t)value * 0x0101010101010101ull;
	size_t words = size / 8, rest = size % 8;
	void *at = to;

	__asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(word) : "memory");
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(word) : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	char *to_end = (char *)to + size - 1;
	const char *from_end = (const char *)from + size - 1;

	if ((uintptr_t)to - (uintptr_t)from >= size)
		return memcpy(to, from, size);
	/* The ranges overlap and `to` is above: from the end down. */
	__asm__ volatile("std; rep movsb; cld"
			 : "+D"(to_end), "+S"(from_end), "+c"(size)
			 :
			 : "memory");
	return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
	const unsigned char *l = left, *r = right;

	for (size_t i = 0; i < size; i++)
		if (l[i] != r[i])
			return l[i] < r[i] ? -1 : 1;
	return 0;
}
