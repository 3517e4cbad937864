/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/bits.h - bits, fields and powers of two. A field is one mask; its shift is derived.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BIT(n)		(1ull << (n))
/* Bits high..low, both included, as the manuals write them. */
#define BITS(high, low) (((2ull << (high)) - 1) & ~((1ull << (low)) - 1))

static inline uint64_t field_get(uint64_t word, uint64_t mask)
{
	return (word & mask) / (mask & -mask);
}

static inline uint64_t field_put(uint64_t mask, uint64_t value)
{
	return (value * (mask & -mask)) & mask;
}

static inline uint32_t order_floor(uint64_t value)
{
	return 63 - (uint32_t)__builtin_clzll(value);
}

/* Number of the lowest bit that is set; one must be. */
static inline uint32_t lowest_bit(uint32_t word)
{
	return (uint32_t)__builtin_ctz(word);
}

static inline uint64_t align_down(uint64_t value, uint32_t order)
{
	return value >> order << order;
}

static inline bool is_aligned(uint64_t value, uint32_t order)
{
	return (value & (BIT(order) - 1)) == 0;
}

/* Order of the smallest aligned power-of-two block that holds [first, end); first < end. */
static inline uint32_t order_covering(uint64_t first, uint64_t end)
{
	uint64_t differ = first ^ (end - 1);

	return differ ? order_floor(differ) + 1 : 0;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}
