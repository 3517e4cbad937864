/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/platform.c - the platform under the core.
 *
 *   mfn 0x100 ..   table frames, 64 bytes each: two slots, and whatever lay there before
 *   mfn 0x200 ..   the guests'
 *   mfn 0x300      where what lay there before leads
 *   mfn 0x400 ..   queues of drivers' units, and their completion words
 */
#include <string.h>

#include "explore.h"
#include "memory.h"

struct machine *machine;

/* A present leaf of every size, to where nobody may come. */
#define FORGED ((uint64_t)TRAP_MFN << 12 | 0x9f)

bool is_table(uint64_t at)
{
	uint64_t first = (uintptr_t)machine->bytes;

	return at >= first && at < first + sizeof(machine->bytes);
}

void forge(uint64_t frame)
{
	uint64_t *word = (uint64_t *)(void *)machine->bytes[frame];

	for (uint32_t i = 0; i < FRAME_STRIDE / 8; i++)
		word[i] = FORGED;
}

/* ---- frames of the guest ---- */

uint64_t frame_choose(uint64_t count, uint32_t domain)
{
	for (uint64_t first = 0; first + count <= GUEST_FRAMES; first += count) {
		uint64_t n = 0;

		while (n < count && machine->guest[first + n] == FRAME_FREE)
			n++;
		if (n < count)
			continue;
		memset(&machine->guest[first], (int)(FRAME_USED + domain), count);
		return GUEST_MFN + first;
	}
	return 0;
}

/* They were chosen, and not mapped. */
void frame_return(uint64_t mfn, uint64_t count)
{
	memset(&machine->guest[mfn - GUEST_MFN], FRAME_FREE, count);
	memset(&machine->looked[mfn - GUEST_MFN], 0, count);
}

void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	uint64_t first = run->first.mfn - GUEST_MFN;
	uint32_t domain = run->domain - 1;

	(void)embedder;
	buffer_wait();
	party_pause(WAIT_NONE);
	caches_check_release(run->first.mfn, run->count, false, "forgotten");
	for (uint64_t i = 0; i < run->count; i++) {
		if (first + i >= GUEST_FRAMES || machine->guest[first + i] != FRAME_USED + domain) {
			violate("R: mfn %#llx is forgotten by domain %u, which had not mapped it",
				(unsigned long long)(run->first.mfn + i), domain);
			return;
		}
		machine->guest[first + i] = FRAME_FREE;
		machine->looked[first + i] = 0;
	}
}

/* ---- frames for tables ---- */

/* Whoever takes one takes it for the domain of his operation. */
static uint32_t domain_at_work(void)
{
	return current == NOBODY ? machine->making : machine->party[current].operation.domain;
}

enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	(void)embedder;
	(void)node;
	(void)order;
	party_pause(WAIT_NONE);
	for (uint32_t i = 0; i < TABLES; i++) {
		if (machine->table[i] != FRAME_FREE)
			continue;
		machine->table[i] = (uint8_t)(FRAME_USED + domain_at_work());
		forge(i);
		first->mfn = TABLE_MFN + i;
		return SP_OK;
	}
	return SP_NO_MEMORY;
}

void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order)
{
	(void)embedder;
	(void)order;
	buffer_wait();
	party_pause(WAIT_NONE);
	caches_check_release(first.mfn, 1, true, "given back");
	if (machine->table[first.mfn - TABLE_MFN] == FRAME_FREE)
		violate("R: table %#llx is given back twice", (unsigned long long)first.mfn);
	machine->table[first.mfn - TABLE_MFN] = FRAME_FREE;
	forge(first.mfn - TABLE_MFN);
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	(void)embedder;
	if (frame.mfn - TABLE_MFN < TABLES)
		return machine->bytes[frame.mfn - TABLE_MFN];
	if (unit_pointer(frame.mfn))
		return unit_pointer(frame.mfn);
	violate("R: the core takes mfn %#llx for a table", (unsigned long long)frame.mfn);
	return machine->bytes[0];
}

/* ---- the rest of the platform ---- */

void platform_kick(void *embedder, const struct sp_cpu_set *cpus)
{
	(void)embedder;
	party_pause(WAIT_NONE);
	for (uint32_t i = 0; i < machine->cpus; i++)
		machine->cpu[i].kicked |= cpus->word[0] >> i & 1;
}

uint32_t platform_self(void *embedder)
{
	(void)embedder;
	return current < CPUS ? current : 0;
}

/* For a lock, until its word changes; else it looks again, and search.c finds who does so for ever. */
void platform_relax(void *embedder)
{
	(void)embedder;
	if (current == NOBODY)
		violate("somebody waits, and nobody is there");
	else
		party_pause(machine->party[current].lock ? WAIT_VALUE : WAIT_NONE);
}

uint64_t platform_now(void *embedder)
{
	(void)embedder;
	return 1;
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	(void)embedder;
	(void)level;
	violate("the core complains: %s", line);
}

void platform_lost(void *embedder, const struct sp_lost *lost)
{
	(void)embedder;
	(void)lost;
}

/* It must not come back: the party stands still, and the search ends here anyway. */
_Noreturn void platform_panic(void *embedder, const char *line)
{
	(void)embedder;
	violate("panic: %s", line);
	for (;;)
		party_pause(WAIT_DRAIN);
}

void platform_write_back(void *embedder, const void *first, size_t bytes)
{
	(void)embedder;
	(void)first;
	(void)bytes;
}

uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes)
{
	(void)embedder;
	(void)bytes;
	return unit_read(address.maddr);
}

/* A device's register: the write comes behind all stores. */
void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	(void)embedder;
	(void)bytes;
	buffer_wait();
	party_pause(WAIT_NONE);
	unit_write(address.maddr, value);
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
