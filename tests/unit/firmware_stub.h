/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/firmware_stub.h - for the tests that read firmware's tables: a table put together piece by piece, and
 * a platform that answers registers and configuration space from arrays.
 *
 * It defines the platform, so one file of a test program includes it; then nothing of the model is linked.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sallyport/iommu.h>

#include "iommu/unit.h"
#include "memory_stub.h"

#define STUB_TABLE_BYTES 2048
#define STUB_REGISTERS	 96

struct stub_register {
	uint64_t address, value;
};

/* One machine at a time; the tests run one after another. */
struct stub {
	uint8_t table[STUB_TABLE_BYTES];
	uint32_t length;
	struct stub_register reg[STUB_REGISTERS];
	uint32_t reg_count;
	uint32_t capability; /* what configuration space answers at 0x40, */
	uint32_t misc;	     /* and at 0x50 */
	char line[256];	     /* the last one logged */
	uint32_t errors, notes;
	struct sp_limits limits;
	void *memory;
	struct sp_host *host;
};

static struct stub stub;

/* --- the platform ------------------------------------------------------------------------------- */

uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes)
{
	(void)embedder;
	for (uint32_t i = 0; i < stub.reg_count; i++)
		if (stub.reg[i].address == address.maddr)
			return stub.reg[i].value;
	return bytes == 4 ? UINT32_MAX : UINT64_MAX;
}

void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	(void)embedder;
	(void)bytes;
	fail_msg("discovery wrote 0x%llx to the register at 0x%llx", (unsigned long long)value,
		 (unsigned long long)address.maddr);
}

uint32_t platform_config_read(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes)
{
	(void)embedder;
	(void)function;
	assert_int_equal(bytes, 4);
	assert_int_equal(offset % 4, 0);
	assert_true(offset < 0x100);
	return offset == 0x40 ? stub.capability : offset == 0x50 ? stub.misc : UINT32_MAX;
}

void platform_config_write(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes,
			   uint32_t value)
{
	(void)embedder;
	(void)bytes;
	fail_msg("discovery wrote 0x%x to configuration space of %x at 0x%x", value, function.sbdf,
		 offset);
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	(void)embedder;
	if (level == SP_LOG_ERROR)
		stub.errors++;
	else
		stub.notes++;
	snprintf(stub.line, sizeof(stub.line), "%s", line);
}

enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	(void)embedder;
	(void)node;
	(void)order;
	(void)first;
	fail_msg("discovery took memory");
	return SP_NO_MEMORY;
}

void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order)
{
	(void)embedder;
	(void)order;
	fail_msg("discovery gave 0x%llx back", (unsigned long long)first.mfn);
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	(void)embedder;
	fail_msg("discovery looked into 0x%llx", (unsigned long long)frame.mfn);
	return NULL;
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
	(void)embedder;
	return 0;
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

void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	(void)embedder;
	(void)run;
}

void platform_lost(void *embedder, const struct sp_lost *lost)
{
	(void)embedder;
	(void)lost;
}

void platform_panic(void *embedder, const char *line)
{
	(void)embedder;
	fprintf(stderr, "panic: %s\n", line);
	abort();
}

/* --- a table, piece by piece -------------------------------------------------------------------- */

static inline void put(uint32_t bytes, uint64_t value)
{
	for (uint32_t i = 0; i < bytes; i++)
		stub.table[stub.length++] = (uint8_t)(i < 8 ? value >> 8 * i : 0);
}

static inline void put_at(uint32_t at, uint32_t bytes, uint64_t value)
{
	for (uint32_t i = 0; i < bytes; i++)
		stub.table[at + i] = (uint8_t)(value >> 8 * i);
}

/* ACPI's header, and the 12 bytes that DMAR and IVRS add. */
static inline void begin_table(const char *signature)
{
	memset(&stub, 0, sizeof(stub));
	memcpy(stub.table, signature, 4);
	stub.length = 48;
	stub.limits = (struct sp_limits){
		.cpus = 1, .domains = 1, .functions = 1, .limbo = SP_STEP_SLOTS + 16
	};
}

static inline void set_register(uint64_t address, uint64_t value)
{
	assert_true(stub.reg_count < STUB_REGISTERS);
	stub.reg[stub.reg_count++] = (struct stub_register){ address, value };
}

/* --- a host that reads it ------------------------------------------------------------------------ */

static inline void make_host(void)
{
	size_t bytes = sp_host_size(&stub.limits);

	stub.memory = aligned_alloc(64, bytes);
	assert_non_null(stub.memory);
	stub.host = sp_host_create(stub.memory, bytes, &stub.limits, &stub);
	assert_non_null(stub.host);
}

static inline void free_host(void)
{
	free(stub.memory);
	stub.memory = NULL;
}

typedef enum sp_status (*discover_t)(struct sp_host *host, const void *table, size_t bytes);

/* In a piece of memory of exactly this size: a byte read behind it is found. */
static inline enum sp_status discover_bytes(discover_t discover, uint32_t bytes)
{
	uint8_t *exact = malloc(bytes ? bytes : 1);
	enum sp_status status;

	assert_non_null(exact);
	memcpy(exact, stub.table, bytes);
	status = discover(stub.host, exact, bytes);
	free(exact);
	return status;
}

static inline enum sp_status discover_table(discover_t discover)
{
	put_at(4, 4, stub.length);
	make_host();
	return discover_bytes(discover, stub.length);
}

static inline void assert_nothing_registered(void)
{
	assert_int_equal(stub.host->unit_count, 0);
	assert_int_equal(stub.host->scope_count, 0);
	assert_int_equal(stub.host->reserved_count, 0);
}

/* Refused with one line, this one, and nothing left behind. */
static inline void assert_refused(discover_t discover, enum sp_status wished, const char *line)
{
	enum sp_status status = discover_table(discover);

	assert_string_equal(stub.line, line);
	assert_int_equal(status, wished);
	assert_int_equal(stub.errors, 1);
	assert_nothing_registered();
	free_host();
}

/* However the table is cut off or one byte of it changed: a refusal leaves nothing, and nobody reads beyond. */
static inline void assert_survives(discover_t discover)
{
	static const uint8_t bytes[] = { 0x00, 0x01, 0x03, 0x7f, 0x80, 0xff };
	uint32_t length = stub.length;

	for (uint32_t cut = 0; cut < length; cut++) {
		put_at(4, 4, cut);
		make_host();
		if (discover_bytes(discover, cut) != SP_OK)
			assert_nothing_registered();
		free_host();
	}
	put_at(4, 4, length);
	for (uint32_t at = 0; at < length; at++) {
		uint8_t good = stub.table[at];

		for (uint32_t i = 0; i < sizeof(bytes); i++) {
			stub.table[at] = bytes[i];
			make_host();
			if (discover_bytes(discover, length) != SP_OK)
				assert_nothing_registered();
			free_host();
		}
		stub.table[at] = good;
	}
}
