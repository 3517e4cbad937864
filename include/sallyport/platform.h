/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/platform.h - the whole contract with the embedder: sixteen functions that the
 * hypervisor supplies.
 *
 * Each takes the pointer that was given to sp_host_create(), so that one process can hold many
 * machines. None may call back into the library, except that platform_relax() may serve the
 * caller's own mailbox.
 *
 * "Lock" says what the library may hold when it calls: `none`, or `any` (domain, unit or queue
 * lock; the function must not wait for another CPU). Interrupts are as the caller of the library
 * left them. During sp_device_*() calls `none` leaves the lock that makes them exclude each other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sallyport/address.h>
#include <sallyport/status.h>

#define SP_MAX_CPUS 256

/* CPU n is bit n % 64 of word n / 64. */
struct sp_cpu_set {
	uint64_t word[SP_MAX_CPUS / 64];
};

/* What a frame was mapped as; sallyport/p2m.h says what each allows. */
enum sp_type {
	SP_HOLE,
	SP_RAM,
	SP_RAM_READONLY,
	SP_MMIO,
	SP_RESERVED,
	SP_RAM_HELD,
	SP_TYPE_COUNT
};

enum sp_log {
	SP_LOG_ERROR,
	SP_LOG_WARNING,
	SP_LOG_INFO
};

/* A run of guest frames that nobody remembers a way to any more. */
struct sp_forgotten {
	uint32_t domain; /* the number given at sp_domain_create() */
	enum sp_type type;
	sp_mfn_t first;
	uint64_t count; /* frames */
};

/* An observer that did not answer within its deadline. */
struct sp_lost {
	sp_maddr_t unit; /* register base of the unit */
	uint64_t asked;	 /* the number it was asked to reach */
	uint64_t reached;
};

/*
 * 2^order contiguous frames, naturally aligned, for tables and queues; they may come dirty. May
 * refuse. Order 0 for page tables; 1 and 4 for queues, 9 for an AMD-Vi device table. Lock: none.
 */
SP_MUST_USE enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order,
						sp_mfn_t *first);

/* Gives back what platform_frames_take() gave. Comes dirty; no observer remembers it. Lock: any. */
void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order);

/*
 * Where the CPU reaches a frame that platform_frames_take() gave, 2^order frames in a row; and, for
 * sp_p2m_patch() alone, one of a guest's memory. Lock: any.
 */
void *platform_pointer(void *embedder, sp_mfn_t frame);

/* A device register, uncached, exactly `bytes` wide (4 or 8), naturally aligned. Lock: any. */
uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes);
void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value);

/*
 * PCI configuration space, bytes 1, 2 or 4, naturally aligned, offset < 4096. All ones where
 * nothing answers, and beyond 256 where the machine has no ECAM. Lock: any.
 */
uint32_t platform_config_read(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes);
void platform_config_write(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes,
			   uint32_t value);

/* Returns when the bytes are in memory, where a walker that does not snoop sees them. Lock: any. */
void platform_write_back(void *embedder, const void *first, size_t bytes);

/*
 * Makes each of these CPUs leave guest mode soon, if it is there: an IPI whose exit suffices. Does
 * not wait. The caller's own CPU may be among them and is then not in guest mode: nothing to do.
 * Lock: none.
 */
void platform_kick(void *embedder, const struct sp_cpu_set *cpus);

/* Nanoseconds, monotonic, the same on all CPUs. Lock: any. */
uint64_t platform_now(void *embedder);

/* The number of the CPU that runs, below sp_limits.cpus. Lock: any. */
uint32_t platform_self(void *embedder);

/* Called between two looks of a loop that waits, for a lock or for an observer. Lock: any. */
void platform_relax(void *embedder);

/* One line for people, without a line feed. Lock: any. */
void platform_log(void *embedder, enum sp_log level, const char *line);

/*
 * The library's reference on these frames has ended; every map of a frame is told once. Lock:
 * domain.
 */
void platform_forgotten(void *embedder, const struct sp_forgotten *run);

/* Bus mastering of the unit's functions was switched off already. Lock: none. */
void platform_lost(void *embedder, const struct sp_lost *lost);

/* A promise inside the library was broken. Must not return. Lock: any. */
_Noreturn void platform_panic(void *embedder, const char *line);
