/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/threads/ground.h - what the core stands on when several threads call it: table pages.
 *
 * Each thread keeps some free pages of its own and fetches more by the dozen, so that what is
 * measured is the core's locks, not the ground's.
 */
#pragma once

#include <pthread.h>

#include <sallyport/platform.h>

#define GROUND_PAGES 16384u

struct ground {
	unsigned char *base;
	pthread_mutex_t pool;
	uint32_t free[GROUND_PAGES]; /* pool */
	uint32_t free_count;	     /* pool */
};

void ground_make(struct ground *ground);
/* Which CPU this thread is. */
void ground_set_cpu(uint32_t cpu);
/* This thread ends: its pages go back to the pool. */
void ground_leave(struct ground *ground);
