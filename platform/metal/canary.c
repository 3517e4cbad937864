/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/canary.c - bytes that nobody else could have written. */
#include "platform/metal/canary.h"

#include "platform/metal/print.h"
#include "platform/metal/string.h"
#include "platform/metal/x86.h"

#define CPUID_RDRAND (1u << 30) /* leaf 1, ECX */

static uint64_t counter;

/*
 * Under QEMU's -icount the time-stamp counter is the same at each boot, so it alone would make the
 * canaries of two boots equal; random numbers are the host's own there.
 */
static uint64_t read_noise(void)
{
	uint64_t noise = 0;

	if (!(read_cpuid(1).ecx & CPUID_RDRAND) || !read_random(&noise))
		noise = 0;
	return noise ^ read_tsc();
}

/* Marsaglia's xorshift over a counter that is disturbed: fresh, not secret. Never zero. */
static uint64_t fresh_word(void)
{
	uint64_t x = (++counter << 32 ^ read_noise()) | 1;

	for (unsigned int i = 0; i < 4; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return x;
}

struct canary canary_fresh(void)
{
	struct canary canary;

	for (size_t i = 0; i < sizeof(canary.words) / sizeof(canary.words[0]); i++)
		canary.words[i] = fresh_word();
	return canary;
}

void canary_put(void *at, const struct canary *canary)
{
	volatile uint64_t *word = at;

	for (size_t i = 0; i < sizeof(canary->words) / sizeof(canary->words[0]); i++)
		word[i] = canary->words[i];
}

struct canary canary_get(const void *at)
{
	const volatile uint64_t *word = at;
	struct canary canary;

	for (size_t i = 0; i < sizeof(canary.words) / sizeof(canary.words[0]); i++)
		canary.words[i] = word[i];
	return canary;
}

bool canary_is(const struct canary *left, const struct canary *right, size_t bytes)
{
	return memcmp(left, right, bytes < sizeof(*left) ? bytes : sizeof(*left)) == 0;
}

struct canary_text canary_text(const struct canary *canary)
{
	struct canary_text text = { "" };

	print(text.chars, sizeof(text.chars), "%016lx", canary->words[0]);
	return text;
}
