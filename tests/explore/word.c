/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/word.c - which words nobody else may store while a party looks at them.
 *
 *   under a lock    a domain's slots, what CPUs are asked for, its gate ...; what a unit is known to have reached
 *   its own         a CPU's state
 *   nobody's        what is written once, before anybody looks
 */
#include "explore.h"

static bool party_holds(const struct party *party, uint64_t lock)
{
	return party->held[0] == lock || party->held[1] == lock;
}

/* Stored under the domain's lock alone. */
static bool is_domains(const struct sp_domain *domain, uint64_t at)
{
	if (at == (uintptr_t)&domain->asked || at == (uintptr_t)&domain->clock ||
	    at == (uintptr_t)&domain->epoch || at == (uintptr_t)&domain->generation ||
	    at == (uintptr_t)&domain->gate.closed || at == (uintptr_t)&domain->gate.opened ||
	    at == (uintptr_t)&domain->maps[0].tree.root.mfn)
		return true;
	for (uint32_t i = 0; i < SP_MAX_OBSERVERS; i++)
		if (at == (uintptr_t)&domain->emulators[i].asked)
			return true;
	return false;
}

/* The lock under which the word is stored; 0: none. */
static uint64_t lock_of(uint64_t at)
{
	uint64_t frame = (at - (uintptr_t)machine->bytes) / FRAME_STRIDE;

	if (is_table(at) && machine->table[frame] != FRAME_FREE)
		return (uintptr_t)&machine->domain[machine->table[frame] - FRAME_USED]->lock;
	for (uint32_t i = 0; i < machine->domains; i++)
		if (is_domains(machine->domain[i], at))
			return (uintptr_t)&machine->domain[i]->lock;
	for (uint32_t i = 0; i < machine->units; i++)
		if (machine->unit[i].lock && at == machine->unit[i].clock)
			return machine->unit[i].lock;
	return 0;
}

static bool is_own(uint64_t at)
{
	for (uint32_t i = 0; i < machine->domains && current < CPUS; i++) {
		uint64_t mine = (uintptr_t)&machine->domain[i]->cpu_states[current];

		if (at >= mine && at < mine + sizeof(struct cpu_state))
			return true;
	}
	return false;
}

/* Written by nobody in these scopes; a root where none is replaced. */
static bool is_constant(uint64_t at)
{
	for (uint32_t i = 0; i < machine->domains; i++) {
		const struct sp_domain *domain = machine->domain[i];

		for (uint32_t map = 0; map < 2 && machine->fixed_roots; map++)
			if (at == (uintptr_t)&domain->maps[map].tree.root.mfn ||
			    at == (uintptr_t)&domain->maps[map].tree.top)
				return true;
		for (uint32_t k = 0; k < SP_MAX_OBSERVERS; k++)
			if (at == (uintptr_t)&domain->emulators[k].observer.lost)
				return true;
		if (at == (uintptr_t)&domain->cpus.lost)
			return true;
	}
	for (uint32_t i = 0; i < machine->units; i++)
		if (at == (uintptr_t)&machine->unit[i].observed->lost)
			return true;
	return false;
}

bool word_may_be_stored(uint64_t at)
{
	uint64_t lock = lock_of(at);

	return !lock || is_table(at) || party_holds(&machine->party[current], lock);
}

bool word_is_quiet(uint64_t at)
{
	uint64_t lock = lock_of(at);

	return (lock && party_holds(&machine->party[current], lock)) || is_own(at) ||
	       is_constant(at);
}
