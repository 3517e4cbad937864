/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/platform.c - the sixteen functions, safe for threads, and strict.
 *
 * A page that is given back is poisoned at once, and must not be found by a walk from any root of
 * the domain that gives it. Functions that platform.h calls without a lock check that none is held.
 */
#include <stdarg.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "machine.h"

#include "memory.h"

#define POISON	    0xef /* looks like a present leaf of a frame that nobody has */
#define CHECK_EVERY 8u	 /* gives; each check reads every table of the domain */

_Thread_local struct here here;
_Thread_local uint64_t counted_stores;

/* ---- the domain's lock, seen from outside: linked with --wrap ---- */

void __real_domain_take(struct sp_domain *domain);
void __real_domain_drop(struct sp_domain *domain);
void __wrap_domain_take(struct sp_domain *domain);
void __wrap_domain_drop(struct sp_domain *domain);

void __wrap_domain_take(struct sp_domain *domain)
{
	__real_domain_take(domain);
	here.held = domain;
	here.stores_before = counted_stores;
}

void __wrap_domain_drop(struct sp_domain *domain)
{
	struct machine *machine = domain->host->embedder;
	uint64_t stores = counted_stores - here.stores_before;
	uint64_t most = load64(&machine->most_stores);

	while (stores > most &&
	       !__atomic_compare_exchange_n(&machine->most_stores, &most, stores, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	here.held = NULL;
	__real_domain_drop(domain);
}

static void expect_no_lock(struct machine *machine, const char *who)
{
	if (here.held)
		machine_complain(machine, "%s was called with a domain's lock held", who);
}

/* ---- table pages ---- */

enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	struct machine *machine = embedder;
	enum sp_status status = SP_NO_MEMORY;

	(void)node;
	expect_no_lock(machine, "platform_frames_take()");
	for (uint32_t i = 0; i < load32(&machine->slow_takes); i++)
		sched_yield();
	pthread_mutex_lock(&machine->pool);
	if (order == 0 && machine->free_count) {
		uint32_t index = machine->free_page[--machine->free_count];

		first->mfn = PAGE_MFN + index;
		store32(&machine->page_used[index], 1);
		status = SP_OK;
	}
	pthread_mutex_unlock(&machine->pool);
	return status;
}

static bool is_pointed_at(struct machine *machine, const struct format *format, uint64_t table,
			  uint32_t level, uint64_t mfn)
{
	const uint64_t *slot = platform_pointer(machine, (sp_mfn_t){ table });

	for (uint32_t i = 0; level && i < 512; i++) {
		uint64_t value = load64(&slot[i]);

		if (slot_kind(format, level, value) != SLOT_LINK)
			continue;
		if (slot_frame(format, value) == mfn ||
		    is_pointed_at(machine, format, slot_frame(format, value), level - 1, mfn))
			return true;
	}
	return false;
}

/* Who gives holds the lock of the domain whose page it was: its trees stand still. */
static void check_unreachable(struct machine *machine, uint64_t mfn)
{
	struct sp_domain *domain = here.held;

	for (uint32_t i = 0; domain && i <= MAX_UNITS; i++) {
		const struct tree *tree = &domain->maps[i].tree;

		if (domain_has_map(domain, i) &&
		    is_pointed_at(machine, tree->format, tree->root.mfn, tree->levels - 1u, mfn))
			machine_complain(machine, "page %#llx is given back but still linked",
					 (unsigned long long)mfn);
	}
}

void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order)
{
	struct machine *machine = embedder;
	uint64_t index = first.mfn - PAGE_MFN;
	bool check;

	if (order || index >= MACHINE_PAGES || !load32(&machine->page_used[index])) {
		machine_complain(machine, "page %#llx was given back but not taken",
				 (unsigned long long)first.mfn);
		return;
	}
	pthread_mutex_lock(&machine->pool);
	check = machine->gives++ % CHECK_EVERY == 0;
	pthread_mutex_unlock(&machine->pool);
	if (check)
		check_unreachable(machine, first.mfn);
	store32(&machine->page_used[index], 0);
	memset(machine->page[index], POISON, sizeof(machine->page[index]));
	pthread_mutex_lock(&machine->pool);
	machine->free_page[machine->free_count++] = (uint32_t)index;
	pthread_mutex_unlock(&machine->pool);
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	struct machine *machine = embedder;
	uint64_t index = frame.mfn - PAGE_MFN;

	if (index >= MACHINE_PAGES || !load32(&machine->page_used[index])) {
		machine_complain(machine, "page %#llx is reached but not taken",
				 (unsigned long long)frame.mfn);
		index = 0;
	}
	return machine->page[index];
}

void platform_write_back(void *embedder, const void *first, size_t bytes)
{
	(void)embedder;
	(void)first;
	(void)bytes;
}

/* ---- registers and configuration space ---- */

uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes)
{
	(void)bytes;
	machine_complain(embedder, "register read at %#llx", (unsigned long long)address.maddr);
	return 0;
}

void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	(void)bytes;
	(void)value;
	machine_complain(embedder, "register write at %#llx", (unsigned long long)address.maddr);
}

static uint32_t *config_word(struct machine *machine, sp_sbdf_t id, uint32_t offset)
{
	uint32_t device = sp_sbdf_device(id);

	if (sp_sbdf_segment(id) || sp_sbdf_bus(id) || sp_sbdf_function(id) || device == 0 ||
	    device > MACHINE_FUNCTIONS || offset >= 64)
		return NULL;
	return &machine->config[device - 1][offset / 4];
}

uint32_t platform_config_read(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes)
{
	const uint32_t *word = config_word(embedder, function, offset);

	if (!word)
		return UINT32_MAX;
	return load32(word) >> 8 * (offset % 4) & (uint32_t)((1ull << 8 * bytes) - 1);
}

/* Only the command register can be written. */
void platform_config_write(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes,
			   uint32_t value)
{
	uint32_t *word = config_word(embedder, function, offset);

	if (word && offset == 4 && bytes == 2)
		store32(word, value);
}

/* ---- CPUs ---- */

void platform_kick(void *embedder, const struct sp_cpu_set *cpus)
{
	struct machine *machine = embedder;

	expect_no_lock(machine, "platform_kick()");
	for (uint32_t cpu = 0; cpu < MACHINE_CPUS; cpu++)
		if (cpus->word[0] & BIT(cpu))
			store32(&machine->cpu[cpu].kicked, 1);
}

uint64_t platform_now(void *embedder)
{
	struct timespec now;

	(void)embedder;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint32_t platform_self(void *embedder)
{
	(void)embedder;
	return here.cpu;
}

/* Who waits is in no guest: its kick is answered already. */
void platform_relax(void *embedder)
{
	struct machine *machine = embedder;

	store32(&machine->cpu[here.cpu].kicked, 0);
	sched_yield();
}

/* ---- what the library tells ---- */

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	(void)embedder;
	(void)level;
	(void)line;
}

static void forget_frame(struct machine *machine, struct frame *frame, uint32_t domain)
{
	if (!load32(&frame->mapped) || frame->tag >> 56 != domain)
		machine_complain(machine, "domain %u forgets frame %#llx, tag %#llx", domain,
				 (unsigned long long)(frame - machine->frame) + FRAME_MFN,
				 (unsigned long long)frame->tag);
	frame->tag = UINT64_MAX;
	store32(&frame->mapped, 0);
}

void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	struct machine *machine = embedder;

	if (!here.held)
		machine_complain(machine, "platform_forgotten() was called without the lock");
	if (run->type != SP_RAM && run->type != SP_RAM_READONLY)
		machine_complain(machine, "frames were forgotten as type %d", (int)run->type);
	for (uint64_t i = 0; run->first.mfn < NUMBERS_MFN && i < run->count; i++)
		forget_frame(machine, &machine->frame[run->first.mfn - FRAME_MFN + i], run->domain);
}

void platform_lost(void *embedder, const struct sp_lost *lost)
{
	struct machine *machine = embedder;

	expect_no_lock(machine, "platform_lost()");
	if (lost->reached >= lost->asked)
		machine_complain(machine, "a unit was lost that owes nothing");
	__atomic_fetch_add(&machine->lost, 1, __ATOMIC_RELAXED);
}

void platform_panic(void *embedder, const char *line)
{
	(void)embedder;
	fprintf(stderr, "panic: %s\n", line);
	abort();
}

void machine_complain(struct machine *machine, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	pthread_mutex_lock(&machine->mouth);
	if (machine->complaints++ == 0)
		vsnprintf(machine->complaint, sizeof(machine->complaint), format, arguments);
	pthread_mutex_unlock(&machine->mouth);
	va_end(arguments);
}
