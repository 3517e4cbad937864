/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/machine.c - making the machine that a scope describes: domains, and who watches them.
 */
#include <stdio.h>
#include <string.h>

#include "explore.h"
#include "memory.h"
#include "unit_driver.h"

/* ---- emulators ---- */

static bool forget(void *argument, const struct sp_forget *what)
{
	struct emulator *emulator = argument;

	/* What tells it comes behind the stores before it, by memory or by a register. */
	buffer_wait();
	party_pause(WAIT_NONE);
	if (emulator->owes)
		violate("an emulator is asked again before it answered");
	emulator->asked = *what;
	emulator->owes = 1;
	return false;
}

bool machine_add_emulator(uint32_t index)
{
	struct sp_observer_config config = { .forget = forget };
	struct sp_observer *observer;

	config.argument = &machine->emulator[index];
	if (sp_observer_add(machine->domain[0], &config, &observer) != SP_OK)
		return false;
	machine->emulator[index].observer = observer;
	return true;
}

/* ---- domains ---- */

uint64_t machine_root(uint32_t domain, uint32_t map)
{
	const uint64_t *root = &machine->domain[domain]->maps[map].tree.root.mfn;

	return buffer_hide(root, *root, NOBODY);
}

static enum sp_type type_of(uint32_t rights, enum memory_type memory)
{
	(void)memory;
	return rights & DEVICE_WRITE ? SP_RAM : SP_RAM_READONLY;
}

static bool watch_units(const struct scope *scope, struct sp_domain *domain, uint32_t index)
{
	bool good = true;

	if (scope->moves)
		return true;
	domain_take(domain);
	for (uint32_t i = 0; i < machine->units; i++) {
		struct explored_unit *unit = &machine->unit[i];
		struct watch *watch =
			ledger_add_watch(domain, unit->observed, &domain->maps[unit->map],
					 (uint16_t)(UNIT_NAME + index));

		watch->users = 1;
		if (unit->has_atc && index == 0)
			good &= ledger_add_atc(domain, watch,
					       (struct atc){ .requester = 16, .depth = 1 }) ==
				SP_OK;
	}
	domain_drop(domain);
	return good && (!scope->separate || domain->mapped >> 1 & 1);
}

/* Whoever had the tag before left something in every CPU. */
static void leave_asleep(uint32_t domain)
{
	uint32_t tag = machine->npt ? domain : (uint32_t)machine_root(domain, 0);

	for (uint32_t i = 0; i < machine->cpus; i++) {
		struct cache *cache = &machine->cpu[i].cache;

		cache->entry[cache->count++] = (struct entry){
			.kind = ENTRY_LEAF, .condemned = 1, .mfn = TRAP_MFN, .tag = tag
		};
	}
}

static bool add_domain(const struct scope *scope, uint32_t index, enum sp_mutant mutant)
{
	uint32_t leaves = scope->small ? 1 : 7;
	struct sp_domain *domain;

	machine->making = index;
	if (domain_open(machine->host, false, &domain) != SP_OK)
		return false;
	machine->domain[index] = domain;
	domain->number = index + 1;
	domain->cpu = scope->npt ? SP_CPU_NPT : SP_CPU_EPT;
	domain->asid = (uint16_t)(index + 1);
	domain->table_budget = machine->budget;
	domain->type_of = type_of;
	for (uint32_t i = 0; i < (scope->separate ? 2u : 1u); i++)
		if (domain_add_map(domain, i, &format_toy, machine->levels, leaves, false) != SP_OK)
			return false;
	/* This mutant is one of the domain's birth. */
	machine->host->mutant = mutant == SP_MUT_CPU_NAME_REUSED ? mutant : SP_MUT_NONE;
	cpus_open(domain);
	machine->host->mutant = SP_MUT_NONE;
	if (scope->used)
		leave_asleep(index);
	return watch_units(scope, domain, index);
}

static bool has_anew(const struct scope *scope)
{
	for (uint32_t i = 0; i < CPUS * OPERATIONS; i++)
		if (scope->may[i / OPERATIONS][i % OPERATIONS].kind == DO_ANEW)
			return true;
	return false;
}

static bool furnish(const struct scope *scope, enum sp_mutant mutant)
{
	bool good = true;

	for (uint32_t i = 0; i < machine->units; i++)
		good = good && unit_make(i, scope);
	for (uint32_t i = 0; i < machine->domains; i++)
		good = good && add_domain(scope, i, mutant);
	if (scope->moves && good)
		good = function_make(machine->host, machine->unit[0].observed, machine->domain[0]);
	for (uint32_t i = 0; i < scope->emulators && good; i++)
		good = machine_add_emulator(i);
	return good;
}

static void begin(const struct scope *scope)
{
	for (uint32_t i = 0; i < sizeof(scope->has) / sizeof(scope->has[0]); i++)
		machine_map(scope->has[i]);
	machine_settle();
	for (uint32_t i = 0; i < machine->units; i++)
		unit_begin(i, scope->queue);
}

bool machine_make(const struct scope *scope, enum sp_mutant mutant)
{
	const struct sp_limits limits = { .cpus = scope->cpus,
					  .domains = scope->domains ? scope->domains : 1,
					  .units = UNITS,
					  .functions = 1 };
	size_t bytes = sp_host_size(&limits), before = MACHINE_BYTES + UNITS * RING_STRIDE;

	machine = world_make(before + bytes);
	machine->cpus = scope->cpus;
	machine->units = scope->units;
	machine->domains = limits.domains;
	machine->emulators = EMULATORS;
	machine->levels = scope->levels ? scope->levels : 3;
	machine->room = scope->queue_room ? scope->queue_room : QUEUE_MOST;
	machine->budget = scope->budget ? scope->budget : TABLES;
	machine->fixed_roots = !has_anew(scope);
	machine->npt = scope->npt;
	choice_reset(scope);
	machine->host = sp_host_create((uint8_t *)machine + before, bytes, &limits, machine);
	if (!machine->host)
		return false;
	/* No function was found: nobody looks for its quarantine. */
	machine->host->domain_count = machine->domains;
	if (!furnish(scope, mutant))
		return false;
	begin(scope);
	machine->host->mutant = mutant;
	world_reset();
	return true;
}

/* ---- names, for who reads a schedule ---- */

struct name {
	uint64_t at, bytes;
	const char *text;
};

static const char *find_name(const struct name *names, size_t count, uint64_t at)
{
	for (size_t i = 0; i < count; i++)
		if (at >= names[i].at && at < names[i].at + names[i].bytes)
			return names[i].text;
	return NULL;
}

#define NAME(field, text)                                  \
	{                                                  \
		(uintptr_t) & (field), sizeof(field), text \
	}
#define FIND(names, at) find_name(names, sizeof(names) / sizeof((names)[0]), at)

static const char *name_in_domain(const struct sp_domain *domain, uint64_t at)
{
	const struct name names[] = {
		NAME(domain->lock.next, "the lock"),
		NAME(domain->lock.serving, "the lock's turn"),
		NAME(domain->asked, "what CPUs are asked for"),
		NAME(domain->clock, "the CPUs' clock"),
		NAME(domain->epoch, "the epoch"),
		NAME(domain->generation, "the generation"),
		NAME(domain->maps[0].tree.root, "the root"),
		NAME(domain->gate.closed, "what the gate waits for"),
		NAME(domain->gate.opened, "how far the gate is open"),
		NAME(domain->emulators[0].asked, "what emulator 0 is asked for"),
		NAME(domain->emulators[0].reached, "what emulator 0 has done"),
		NAME(domain->emulators[1].asked, "what emulator 1 is asked for"),
		NAME(domain->emulators[1].reached, "what emulator 1 has done"),
	};

	return FIND(names, at);
}

static const char *name_of_cpu(const struct sp_domain *domain, uint32_t cpu, uint64_t at)
{
	const struct cpu_state *state = &domain->cpu_states[cpu];
	const struct name names[] = {
		NAME(state->in_guest, "in the guest"),
		NAME(state->reached, "has flushed for"),
		NAME(state->reading, "looks up since"),
	};

	return FIND(names, at);
}

static const char *name_of_unit(const struct explored_unit *unit, uint64_t at)
{
	const struct lock *lock = (const struct lock *)(uintptr_t)unit->lock;
	const struct name plain[] = { { unit->clock, 8, "what it has reached" } };
	const struct name names[] = {
		{ unit->clock, 8, "what it is known to have reached" },
		NAME(lock->next, "its queue's lock"),
		NAME(lock->serving, "its queue's lock's turn"),
		{ (uintptr_t)unit->completion, 8, "its completion word" },
	};

	return unit->kind == UNIT_PLAIN ? FIND(plain, at) : FIND(names, at);
}
#undef NAME

const char *machine_name(uint64_t at, char *text, size_t bytes)
{
	const char *name = NULL;

	if (is_table(at)) {
		uint64_t offset = at - (uintptr_t)machine->bytes;

		snprintf(text, bytes, "table %#x slot %u",
			 (unsigned)(TABLE_MFN + offset / FRAME_STRIDE),
			 (unsigned)(offset % FRAME_STRIDE / 8));
		return text;
	}
	for (uint32_t i = 0; i < machine->domains && !name; i++) {
		name = name_in_domain(machine->domain[i], at);
		if (name)
			snprintf(text, bytes, "domain %u: %s", i, name);
		for (uint32_t cpu = 0; cpu < machine->cpus && !name; cpu++) {
			name = name_of_cpu(machine->domain[i], cpu, at);
			if (name)
				snprintf(text, bytes, "domain %u, cpu %u: %s", i, cpu, name);
		}
	}
	for (uint32_t i = 0; i < machine->units && !name; i++) {
		name = name_of_unit(&machine->unit[i], at);
		if (name)
			snprintf(text, bytes, "unit %u: %s", i, name);
	}
	if (!name)
		snprintf(text, bytes, at ? "another word" : "nothing yet");
	return text;
}
