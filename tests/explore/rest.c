/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/rest.c - how everything comes to rest, and what must hold then.
 */
#include "explore.h"

#define ROUNDS 40

bool party_all_rest(void)
{
	for (uint32_t i = 0; i < PARTIES; i++) {
		const struct party *party = &machine->party[i];

		if (party->runs ? party->wait != WAIT_GUEST : party->left != 0)
			return false;
	}
	return true;
}

/* Somebody wants all of it, also what went lazily. */
static void want_everything(void)
{
	for (uint32_t i = 0; i < machine->domains; i++) {
		domain_take(machine->domain[i]);
		ledger_want(machine->domain[i], machine->domain[i]->ledger);
		domain_drop(machine->domain[i]);
	}
}

/* Who was kicked leaves, and who was not stays. */
static void leave_guests(void)
{
	for (uint32_t i = 0; i < machine->cpus; i++) {
		struct cpu *cpu = &machine->cpu[i];

		if (!cpu->in_guest || !cpu->kicked)
			continue;
		cpu->in_guest = cpu->kicked = 0;
		machine->domain[cpu->domain]->cpu_states[i].in_guest = 0;
	}
}

void machine_settle(void)
{
	want_everything();
	for (int round = 0; round < ROUNDS && !is_violated(); round++) {
		buffer_drain_all();
		for (uint32_t i = 0; i < machine->units; i++)
			while (!unit_is_idle(i) && !is_violated())
				unit_execute(i, lowest_bit(unit_choices(i)));
		for (uint32_t i = 0; i < machine->emulators; i++)
			if (emulator_can_answer(i))
				emulator_answer(i);
		leave_guests();
		if (sp_progress(machine->host, SP_STEP_SLOTS) == UINT64_MAX)
			return;
	}
	violate("lost debt: everybody has answered, and something is still owed or waits");
}

static uint32_t count_use(const uint8_t *use, uint32_t most, uint32_t domain)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < most; i++)
		count += use[i] == FRAME_USED + domain;
	return count;
}

static void check_tables(uint32_t number)
{
	const struct sp_domain *domain = machine->domain[number];
	uint64_t used = domain->reserve.count + tables_count(number);
	uint32_t count = count_use(machine->table, TABLES, number);

	if (count != used)
		violate("lost: %u tables are in use, of which nobody walks %d", count,
			(int)(count - used));
	if (domain->tables_used != used)
		violate("lost: the domain counts %u tables, and has %u",
			(unsigned)domain->tables_used, (unsigned)used);
	if (used > machine->budget)
		violate("budget: the domain has %u tables, and may have %u", (unsigned)used,
			machine->budget);
}

static void check_frames(uint32_t number)
{
	const struct sp_domain *domain = machine->domain[number];
	uint32_t count = count_use(machine->guest, GUEST_FRAMES, number), used = 0;

	for (uint64_t frame = 0; frame < 1u << machine->levels; frame++) {
		struct found found;
		uint8_t looked;

		if (!tree_find(&domain->maps[0].tree, frame, &found))
			continue;
		used++;
		looked = machine->looked[found.mfn - GUEST_MFN];
		if (looked && looked <= machine->book[number])
			violate("A: frame %u is what a fault looked for before everything went",
				(unsigned)frame);
	}
	if (count != used)
		violate("lost: %u frames are the guest's, and it reaches %u", count, used);
}

void party_finish(void)
{
	machine_settle();
	for (uint32_t i = 0; i < machine->domains && !is_violated(); i++) {
		if (machine->domain[i]->limbo.count)
			violate("lost: something is left in limbo");
		if (machine->domain[i]->gate.closed > machine->domain[i]->gate.opened)
			violate("lost: the gate stays closed, and nobody is waited for");
		caches_check_settled(i, "nothing is owed");
		caches_check_moved("nothing is owed");
		check_tables(i);
		check_frames(i);
	}
}
