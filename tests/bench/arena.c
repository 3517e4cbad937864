/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/arena.c - the frames that tables are made of, and the rest of a platform: as little
 * as a hypervisor could do.
 */
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/bench/bench.h"

#define LINE 64

void arena_make(struct arena *arena)
{
	size_t bytes = (size_t)ARENA_FRAMES * SP_FRAME_BYTES;
	void *base = aligned_alloc(1u << 21, bytes);

	arena->free = calloc(ARENA_FRAMES, sizeof(*arena->free));
	if (!base || !arena->free)
		bench_fail("no memory for the tables: the bench needs about 3 GiB free");
	(void)madvise(base, bytes, MADV_HUGEPAGE);
	arena->base = base;
}

void arena_rewind(struct arena *arena)
{
	if (arena->used)
		bench_fail("%u table pages did not come back", arena->used);
	if (arena->ever < arena->top)
		arena->ever = arena->top;
	arena->free_count = arena->top = 0;
}

void arena_exhausted(void)
{
	bench_fail("more than %u table pages", ARENA_FRAMES);
}

/* Leaf 7 says which of the three ways to write a line back there is. SDM 2A, CPUID; CLWB. */
static unsigned int line_features(void)
{
	static unsigned int features = 1; /* no such bit below: not read yet */
	unsigned int a, b = 0, c, d;

	if (features == 1) {
		(void)__get_cpuid_count(7, 0, &a, &b, &c, &d);
		features = b & (1u << 23 | 1u << 24);
	}
	return features;
}

/* One instruction a line, whichever it is: the counts are those of any machine. */
#define EACH_LINE(instruction)           \
	for (; from < end; from += LINE) \
	__asm__ volatile(instruction " %0" : "+m"(*(char *)from))

void arena_write_back(const void *first, uint64_t bytes)
{
	uintptr_t from = (uintptr_t)first & ~(uintptr_t)(LINE - 1), end = (uintptr_t)first + bytes;
	unsigned int features = line_features();

	if (features & 1u << 24)
		EACH_LINE("clwb");
	else if (features & 1u << 23)
		EACH_LINE("clflushopt");
	else
		EACH_LINE("clflush");
	__asm__ volatile("sfence" ::: "memory");
}

void arena_chill(struct arena *arena)
{
	uint32_t frames = arena->ever > arena->top ? arena->ever : arena->top;

	for (size_t at = 0; at < (size_t)frames * SP_FRAME_BYTES; at += LINE)
		__asm__ volatile("clflush %0" : "+m"(arena->base[at]));
	__asm__ volatile("mfence" ::: "memory");
}

/* ---- the platform: the embedder's pointer is the side ---- */

static struct arena *arena_of(void *embedder)
{
	return &((struct side *)embedder)->arena;
}

enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	(void)node;
	if (order)
		return SP_NO_MEMORY;
	first->mfn = arena_take(arena_of(embedder));
	return SP_OK;
}

void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order)
{
	(void)order;
	arena_give(arena_of(embedder), first.mfn);
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	return arena_table(arena_of(embedder), frame.mfn);
}

void platform_write_back(void *embedder, const void *first, size_t bytes)
{
	(void)embedder;
	arena_write_back(first, bytes);
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
	return ++now;
}

uint32_t platform_self(void *embedder)
{
	(void)embedder;
	return 0;
}

void platform_relax(void *embedder)
{
	(void)embedder;
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	(void)embedder;
	if (level == SP_LOG_ERROR)
		fprintf(stderr, "bench: %s\n", line);
}

/* An embedder would drop its references here; what that costs is its own. */
void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	(void)embedder;
	(void)run;
}

/* ---- no unit and no function is there ---- */

uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes)
{
	(void)embedder;
	(void)bytes;
	bench_fail("register read at %#llx", (unsigned long long)address.maddr);
}

void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	(void)embedder;
	(void)bytes;
	(void)value;
	bench_fail("register write at %#llx", (unsigned long long)address.maddr);
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
	bench_fail("panic: %s", line);
}
