/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/threads/ground.c - the sixteen functions, for threads; no unit, no function is there.
 */
#include "tests/bench/threads/ground.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_MFN 0x100000u
#define OWN_MAX	  64u
#define DOZEN	  12u
#define SPINS	  1000u

static _Thread_local struct own {
	uint32_t cpu, spins;
	uint32_t page[OWN_MAX], count;
} own;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "threads: %s\n", what);
	exit(1);
}

void ground_make(struct ground *ground)
{
	ground->base = aligned_alloc(SP_FRAME_BYTES, (size_t)GROUND_PAGES * SP_FRAME_BYTES);
	if (!ground->base || pthread_mutex_init(&ground->pool, NULL))
		fail("no memory for the tables");
	for (uint32_t i = 0; i < GROUND_PAGES; i++)
		ground->free[ground->free_count++] = GROUND_PAGES - 1 - i;
}

void ground_set_cpu(uint32_t cpu)
{
	own.cpu = cpu;
}

void ground_leave(struct ground *ground)
{
	pthread_mutex_lock(&ground->pool);
	while (own.count)
		ground->free[ground->free_count++] = own.page[--own.count];
	pthread_mutex_unlock(&ground->pool);
}

static void fetch(struct ground *ground)
{
	pthread_mutex_lock(&ground->pool);
	while (own.count < DOZEN && ground->free_count)
		own.page[own.count++] = ground->free[--ground->free_count];
	pthread_mutex_unlock(&ground->pool);
}

enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	(void)node;
	if (!own.count)
		fetch(embedder);
	if (order || !own.count)
		return SP_NO_MEMORY;
	first->mfn = FIRST_MFN + own.page[--own.count];
	return SP_OK;
}

void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order)
{
	(void)order;
	if (own.count == OWN_MAX)
		ground_leave(embedder);
	own.page[own.count++] = (uint32_t)(first.mfn - FIRST_MFN);
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	return ((struct ground *)embedder)->base + (frame.mfn - FIRST_MFN) * SP_FRAME_BYTES;
}

void platform_write_back(void *embedder, const void *first, size_t bytes)
{
	(void)embedder;
	(void)first;
	(void)bytes;
}

void platform_kick(void *embedder, const struct sp_cpu_set *cpus)
{
	(void)embedder;
	(void)cpus;
}

uint64_t platform_now(void *embedder)
{
	static uint64_t now;

	(void)embedder;
	return __atomic_add_fetch(&now, 1, __ATOMIC_RELAXED);
}

uint32_t platform_self(void *embedder)
{
	(void)embedder;
	return own.cpu;
}

/* Who holds the lock may have lost its CPU. */
void platform_relax(void *embedder)
{
	(void)embedder;
	__builtin_ia32_pause();
	if (++own.spins % SPINS == 0)
		sched_yield();
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	(void)embedder;
	if (level == SP_LOG_ERROR)
		fprintf(stderr, "threads: %s\n", line);
}

void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	(void)embedder;
	(void)run;
}

uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes)
{
	(void)embedder;
	(void)address;
	(void)bytes;
	fail("register read");
}

void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	(void)embedder;
	(void)address;
	(void)bytes;
	(void)value;
	fail("register write");
}

uint32_t platform_config_read(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes)
{
	(void)embedder;
	(void)function;
	(void)offset;
	(void)bytes;
	return UINT32_MAX;
}

void platform_config_write(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes,
			   uint32_t value)
{
	(void)embedder;
	(void)function;
	(void)offset;
	(void)bytes;
	(void)value;
}

void platform_lost(void *embedder, const struct sp_lost *lost)
{
	(void)embedder;
	(void)lost;
}

void platform_panic(void *embedder, const char *line)
{
	(void)embedder;
	fail(line);
}
