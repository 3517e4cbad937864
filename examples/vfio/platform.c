/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/vfio/platform.c - what the library wants of a hypervisor that is a Linux process. There is no
 * register to touch and no other CPU: the units are the kernel's.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "vfio.h"

bool machine_make(struct machine *machine)
{
	machine->memory = mmap(NULL, MEMORY_FRAMES * SP_FRAME_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return machine->memory != MAP_FAILED;
}

void *machine_address(void *machine, sp_mfn_t first, uint64_t count)
{
	const struct machine *of = machine;

	return first.mfn + count <= GUEST_FRAMES ? of->memory + first.mfn * SP_FRAME_BYTES : NULL;
}

enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	struct machine *machine = embedder;

	(void)node;
	if (order != 0 || GUEST_FRAMES + machine->tables == MEMORY_FRAMES)
		return SP_NO_MEMORY;
	first->mfn = GUEST_FRAMES + machine->tables++;
	return SP_OK;
}

/* Enough for an example. */
void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order)
{
	(void)embedder, (void)first, (void)order;
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	return ((struct machine *)embedder)->memory + frame.mfn * SP_FRAME_BYTES;
}

uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes)
{
	(void)embedder, (void)address, (void)bytes;
	return UINT64_MAX;
}

void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	(void)embedder, (void)address, (void)bytes, (void)value;
}

uint32_t platform_config_read(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes)
{
	(void)embedder, (void)function, (void)offset, (void)bytes;
	return UINT32_MAX;
}

void platform_config_write(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes,
			   uint32_t value)
{
	(void)embedder, (void)function, (void)offset, (void)bytes, (void)value;
}

void platform_write_back(void *embedder, const void *first, size_t bytes)
{
	(void)embedder, (void)first, (void)bytes;
}

/* A process with vCPU threads sends each a signal. */
void platform_kick(void *embedder, const struct sp_cpu_set *cpus)
{
	(void)embedder, (void)cpus;
}

uint64_t platform_now(void *embedder)
{
	struct timespec now;

	(void)embedder;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint32_t platform_self(void *embedder)
{
	(void)embedder;
	return 0;
}

void platform_relax(void *embedder)
{
	(void)embedder;
	sched_yield();
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	(void)embedder, (void)level;
	fprintf(stderr, "vfio: %s\n", line);
}

void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	((struct machine *)embedder)->forgotten += run->count;
}

void platform_lost(void *embedder, const struct sp_lost *lost)
{
	(void)embedder, (void)lost;
}

void platform_panic(void *embedder, const char *line)
{
	(void)embedder;
	fprintf(stderr, "vfio: %s\n", line);
	abort();
}
