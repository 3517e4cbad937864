/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/fill.c - slots in a row, by stores of 64, 32 or 8 bytes.
 *
 *   ordinary    |xxxxxxxx|xxxxxxxx|   64-byte stores fill a line at once: none is read first
 *   past cache  a line is gathered in the CPU and goes to memory whole, SDM 1 10.4.6.2
 *
 * A file of its own: it alone of what is timed may use vector registers.
 */
#include <immintrin.h>

#include "tests/bench/fill.h"

#define SLOTS 512u
#define FRAME 0x1000ll /* what the next slot has more */
#define FEW   8u       /* below it the detour costs more than it saves */

enum width {
	WIDTH_UNKNOWN,
	WIDTH_8,
	WIDTH_32,
	WIDTH_64
};

static enum width width(void)
{
	static enum width known;

	if (!known)
		known = __builtin_cpu_supports("avx512f") ? WIDTH_64
			: __builtin_cpu_supports("avx2")  ? WIDTH_32
							  : WIDTH_8;
	return known;
}

const char *fill_width(void)
{
	static const char *const names[] = { "", "8", "32", "64" };

	return names[width()];
}

static void fill_8(uint64_t *slot, uint32_t count, uint64_t leaf)
{
	for (uint32_t i = 0; i < count; i++, leaf += FRAME)
		slot[i] = leaf;
}

__attribute__((target("avx2"))) static __m256i four_from(uint64_t leaf)
{
	return _mm256_add_epi64(_mm256_set1_epi64x((long long)leaf),
				_mm256_set_epi64x(3 * FRAME, 2 * FRAME, FRAME, 0));
}

__attribute__((target("avx2"))) static void fill_32(uint64_t *slot, uint32_t count, uint64_t leaf)
{
	const __m256i step = _mm256_set1_epi64x(4 * FRAME);
	__m256i value = four_from(leaf);

	for (; count >= 4; count -= 4, slot += 4, leaf += 4 * FRAME) {
		_mm256_storeu_si256((__m256i *)(void *)slot, value);
		value = _mm256_add_epi64(value, step);
	}
	fill_8(slot, count, leaf);
}

__attribute__((target("avx512f"))) static __m512i eight_from(uint64_t leaf)
{
	return _mm512_add_epi64(_mm512_set1_epi64((long long)leaf),
				_mm512_set_epi64(7 * FRAME, 6 * FRAME, 5 * FRAME, 4 * FRAME,
						 3 * FRAME, 2 * FRAME, FRAME, 0));
}

__attribute__((target("avx512f"))) static void fill_64(uint64_t *slot, uint32_t count,
						       uint64_t leaf)
{
	const __m512i step = _mm512_set1_epi64(8 * FRAME);
	__m512i value = eight_from(leaf);

	for (; count >= 8; count -= 8, slot += 8, leaf += 8 * FRAME) {
		_mm512_storeu_si512(slot, value);
		value = _mm512_add_epi64(value, step);
	}
	fill_8(slot, count, leaf);
}

void fill_slots(uint64_t *slot, uint32_t count, uint64_t leaf)
{
	if (count < FEW || width() == WIDTH_8)
		fill_8(slot, count, leaf);
	else if (width() == WIDTH_32)
		fill_32(slot, count, leaf);
	else
		fill_64(slot, count, leaf);
}

static void stream_8(uint64_t *slot, uint64_t leaf)
{
	for (uint32_t i = 0; i < SLOTS; i++, leaf += FRAME)
		_mm_stream_si64((long long *)&slot[i], (long long)leaf);
}

__attribute__((target("avx2"))) static void stream_32(uint64_t *slot, uint64_t leaf)
{
	const __m256i step = _mm256_set1_epi64x(4 * FRAME);
	__m256i value = four_from(leaf);

	for (uint32_t i = 0; i < SLOTS; i += 4) {
		_mm256_stream_si256((__m256i *)(void *)&slot[i], value);
		value = _mm256_add_epi64(value, step);
	}
}

__attribute__((target("avx512f"))) static void stream_64(uint64_t *slot, uint64_t leaf)
{
	const __m512i step = _mm512_set1_epi64(8 * FRAME);
	__m512i value = eight_from(leaf);

	for (uint32_t i = 0; i < SLOTS; i += 8) {
		_mm512_stream_si512((__m512i *)(void *)&slot[i], value);
		value = _mm512_add_epi64(value, step);
	}
}

void fill_table_past_cache(uint64_t *table, uint64_t leaf)
{
	if (width() == WIDTH_8)
		stream_8(table, leaf);
	else if (width() == WIDTH_32)
		stream_32(table, leaf);
	else
		stream_64(table, leaf);
}

void fill_fence(void)
{
	_mm_sfence();
}

__attribute__((target("avx2"))) static uint32_t clear_32(uint64_t *slot, uint32_t count)
{
	uint32_t i = 0;

	for (; i + 4 <= count; i += 4)
		_mm256_storeu_si256((__m256i *)(void *)&slot[i], _mm256_setzero_si256());
	return i;
}

__attribute__((target("avx512f"))) static uint32_t clear_64(uint64_t *slot, uint32_t count)
{
	uint32_t i = 0;

	for (; i + 8 <= count; i += 8)
		_mm512_storeu_si512(&slot[i], _mm512_setzero_si512());
	return i;
}

void clear_slots(uint64_t *slot, uint32_t count)
{
	uint32_t done = 0;

	if (width() == WIDTH_32)
		done = clear_32(slot, count);
	if (width() == WIDTH_64)
		done = clear_64(slot, count);
	for (; done < count; done++) {
		slot[done] = 0;
		/* Else the loop becomes a call of memset(). */
		__asm__ volatile("" : : "r"(slot) : "memory");
	}
}
