/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/canary.h - bytes that nobody else could have written, and the look whether they
 * are still there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANARY_BYTES 64u

struct canary {
	uint64_t words[CANARY_BYTES / sizeof(uint64_t)];
};

struct canary_text {
	char chars[24]; /* the first word */
};

/* Another one at each call, and at each boot. No word is zero. */
struct canary canary_fresh(void);

/* The memory is a device's target too: both really store and load. */
void canary_put(void *at, const struct canary *canary);
struct canary canary_get(const void *at);
bool canary_is(const struct canary *left, const struct canary *right, size_t bytes);

struct canary_text canary_text(const struct canary *canary);
