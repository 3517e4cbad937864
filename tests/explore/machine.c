/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/machine.c - the platform under the core, and the observers that it is given.
 *
 *   mfn 0x100 ..   table frames, 64 bytes each: two slots, and whatever lay there before
 *   mfn 0x200 ..   the guest's
 *   mfn 0x300      where what lay there before leads
 */
#include <stdio.h>
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

static void forge(uint64_t frame)
{
	uint64_t *word = (uint64_t *)(void *)machine->bytes[frame];

	for (uint32_t i = 0; i < FRAME_STRIDE / 8; i++)
		word[i] = FORGED;
}

/* ---- frames of the guest ---- */

uint64_t frame_choose(uint64_t count)
{
	for (uint64_t first = 0; first + count <= GUEST_FRAMES; first += count) {
		uint64_t n = 0;

		while (n < count && machine->guest[first + n] == FRAME_FREE)
			n++;
		if (n < count)
			continue;
		memset(&machine->guest[first], FRAME_USED, count);
		return GUEST_MFN + first;
	}
	return 0;
}

/* They were chosen, and not mapped. */
void frame_return(uint64_t mfn, uint64_t count)
{
	memset(&machine->guest[mfn - GUEST_MFN], FRAME_FREE, count);
}

void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	uint64_t first = run->first.mfn - GUEST_MFN;

	(void)embedder;
	buffer_wait();
	party_pause(WAIT_NONE);
	caches_check_release(run->first.mfn, run->count, false, "forgotten");
	for (uint64_t i = 0; i < run->count; i++) {
		if (first + i >= GUEST_FRAMES || machine->guest[first + i] != FRAME_USED) {
			violate("R: mfn %#llx is forgotten, and was not mapped",
				(unsigned long long)(run->first.mfn + i));
			return;
		}
		machine->guest[first + i] = FRAME_FREE;
	}
}

/* ---- frames for tables ---- */

enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	(void)embedder;
	(void)node;
	(void)order;
	party_pause(WAIT_NONE);
	for (uint32_t i = 0; i < TABLES; i++) {
		if (machine->table[i] != FRAME_FREE)
			continue;
		machine->table[i] = FRAME_USED;
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
	if (machine->table[first.mfn - TABLE_MFN] != FRAME_USED)
		violate("R: table %#llx is given back twice", (unsigned long long)first.mfn);
	machine->table[first.mfn - TABLE_MFN] = FRAME_FREE;
	forge(first.mfn - TABLE_MFN);
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	(void)embedder;
	if (frame.mfn - TABLE_MFN < TABLES)
		return machine->bytes[frame.mfn - TABLE_MFN];
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

/* Nobody here waits but for a lock. */
void platform_relax(void *embedder)
{
	(void)embedder;
	if (current == NOBODY)
		violate("a lock is never dropped");
	party_pause(WAIT_VALUE);
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
	(void)address;
	(void)bytes;
	violate("explorer: no register is here");
	return 0;
}

void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	(void)embedder;
	(void)address;
	(void)bytes;
	(void)value;
	violate("explorer: no register is here");
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

/* ---- units: a queue that is told commands in no vendor's words ---- */

static enum sp_status unit_post(struct observer *observer, const struct command *commands,
				uint32_t count, uint64_t *number)
{
	struct explored_unit *unit = (struct explored_unit *)observer;

	/* The store to a tail register comes behind all stores. */
	buffer_wait();
	party_pause(WAIT_NONE);
	if (unit->count + count + 1 > machine->room)
		return SP_BUSY;
	for (uint32_t i = 0; i < count; i++)
		unit->queue[unit->count++] = (struct queued){ .command = commands[i] };
	*number = ++unit->asked;
	unit->queue[unit->count++] = (struct queued){ .wait = *number };
	return SP_OK;
}

static bool unit_has_reached(struct observer *observer, uint64_t number)
{
	return load64(&((struct explored_unit *)observer)->reached) >= number;
}

static const struct observer_ops unit_ops = { unit_post, unit_has_reached };

/* ---- the emulator ---- */

static bool forget(void *argument, const struct sp_forget *what)
{
	struct emulator *emulator = &machine->emulator;

	(void)argument;
	/* What tells it comes behind the stores before it, by memory or by a register. */
	buffer_wait();
	party_pause(WAIT_NONE);
	if (emulator->owes)
		violate("the emulator is asked again before it answered");
	emulator->asked = *what;
	emulator->owes = 1;
	return false;
}

/* ---- making it ---- */

static enum sp_type type_of(uint32_t rights, enum memory_type memory)
{
	(void)memory;
	return rights & DEVICE_WRITE ? SP_RAM : SP_RAM_READONLY;
}

static bool add_units(const struct scope *scope)
{
	struct sp_domain *domain = machine->domain;
	uint32_t map = scope->separate ? 1 : 0;

	if (scope->separate && domain_add_map(domain, 1, &format_toy, machine->levels,
					      scope->small ? 1 : 7, false) != SP_OK)
		return false;
	for (uint32_t i = 0; i < scope->units; i++) {
		struct explored_unit *unit = &machine->unit[i];
		struct watch *watch;

		unit->observer = (struct observer){ .ops = &unit_ops,
						    .column = scope->caching ? COLUMN_VTD_CACHING
									     : COLUMN_VTD,
						    .widest_order = 18 };
		unit->map = map;
		unit->caching = scope->caching;
		unit->has_atc = scope->atc && i == 0;
		domain_take(domain);
		watch = ledger_add_watch(domain, &unit->observer, &domain->maps[map],
					 (uint16_t)(7 + i));
		watch->users = 1;
		if (unit->has_atc &&
		    ledger_add_atc(domain, watch, (struct atc){ .requester = 16, .depth = 1 }) !=
			    SP_OK)
			violate("no room for a device's cache");
		domain_drop(domain);
	}
	return true;
}

static bool add_domain(const struct scope *scope)
{
	struct sp_domain *domain;

	if (domain_open(machine->host, false, &domain) != SP_OK)
		return false;
	machine->domain = domain;
	domain->number = 1;
	domain->cpu = SP_CPU_EPT;
	domain->table_budget = TABLES;
	domain->type_of = type_of;
	if (domain_add_map(domain, 0, &format_toy, machine->levels, scope->small ? 1 : 7, false) !=
	    SP_OK)
		return false;
	cpus_open(domain);
	return true;
}

static bool add_emulator(const struct scope *scope)
{
	const struct sp_observer_config config = { .forget = forget };

	if (!scope->emulator)
		return true;
	machine->emulators = 1;
	return sp_observer_add(machine->domain, &config, &machine->emulator.observer) == SP_OK;
}

bool machine_make(const struct scope *scope, enum sp_mutant mutant)
{
	const struct sp_limits limits = { .cpus = scope->cpus, .domains = 1, .functions = 1 };
	size_t bytes = sp_host_size(&limits);
	void *arena;

	machine = world_make(bytes, &arena);
	schedule_reset(scope);
	machine->cpus = scope->cpus;
	machine->units = scope->units;
	machine->levels = scope->levels ? scope->levels : 3;
	machine->room = scope->queue_room ? scope->queue_room : QUEUE_MOST;
	machine->host = sp_host_create(arena, bytes, &limits, machine);
	if (!machine->host || !add_domain(scope) || !add_units(scope) || !add_emulator(scope))
		return false;
	/* No function was found: nobody looks for its quarantine. */
	machine->host->domain_count = 1;
	for (uint32_t i = 0; i < 4; i++)
		machine_map(scope->has[i]);
	machine_settle();
	machine->host->mutant = mutant;
	world_reset();
	return true;
}

/* ---- names, for who reads a schedule ---- */

struct name {
	uint64_t at, bytes;
	const char *text;
};

const char *machine_name(uint64_t at, char *text, size_t bytes)
{
	const struct sp_domain *domain = machine->domain;
#define NAME(field)                                          \
	{                                                    \
		(uintptr_t) & (field), sizeof(field), #field \
	}
	const struct name names[] = {
		NAME(domain->lock.next),
		NAME(domain->lock.serving),
		NAME(domain->asked),
		NAME(domain->epoch),
		NAME(domain->gate.closed),
		NAME(domain->gate.opened),
		NAME(domain->cpu_states[0].in_guest),
		NAME(domain->cpu_states[0].reached),
		NAME(domain->cpu_states[0].reading),
		NAME(domain->cpu_states[1].in_guest),
		NAME(domain->cpu_states[1].reached),
		NAME(domain->cpu_states[1].reading),
		NAME(machine->unit[0].reached),
		NAME(machine->unit[1].reached),
		NAME(domain->emulators[0].asked),
		NAME(domain->emulators[0].reached),
	};
#undef NAME

	if (is_table(at)) {
		uint64_t offset = at - (uintptr_t)machine->bytes;

		snprintf(text, bytes, "table %#x slot %u",
			 (unsigned)(TABLE_MFN + offset / FRAME_STRIDE),
			 (unsigned)(offset % FRAME_STRIDE / 8));
		return text;
	}
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (at >= names[i].at && at < names[i].at + names[i].bytes)
			return names[i].text;
	return at ? "another word" : "nothing yet";
}
