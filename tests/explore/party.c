/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/party.c - what CPUs and the emulator do, and how everything comes to rest.
 */
#include "explore.h"

#include <sallyport/p2m.h>

#define EVERYTHING 31u
#define READ_ONLY  13u /* CPU: read, execute; device: read */
#define ROUNDS	   40

/* ---- changes ---- */

static void judge_status(enum sp_status status)
{
	if (status != SP_OK && status != SP_BUSY)
		violate("a change is refused with status %d", (int)status);
}

/* Of the frames that were chosen, those go back that no slot has. */
static void map(struct operation what, struct sp_result *result)
{
	const struct span span = { what.gfn, what.gfn + what.count };
	struct target target = { .rights = EVERYTHING, .mfn = frame_choose(what.count) };
	enum sp_status status;

	if (!target.mfn)
		return;
	status = domain_change(machine->domain, span, &target, false, false, NULL, result);
	judge_status(status);
	if (status != SP_OK)
		result->done = 0;
	if (result->done < what.count)
		frame_return(target.mfn + result->done, what.count - result->done);
}

static void change(struct operation what, struct sp_result *result)
{
	const struct span span = { what.gfn, what.gfn + what.count };
	const struct target target = { .rights = what.kind == DO_UNMAP	  ? 0
						 : what.kind == DO_REVOKE ? READ_ONLY
									  : EVERYTHING,
				       .keep_frames = what.kind != DO_UNMAP };

	judge_status(domain_change(machine->domain, span, &target, what.kind != DO_GRANT, false,
				   NULL, result));
}

/* Somebody else is in the midst of a change. */
bool is_changing(void)
{
	for (uint32_t i = 0; i < CPUS; i++)
		if (i != current && machine->party[i].runs &&
		    machine->party[i].operation.kind <= DO_GRANT)
			return true;
	return false;
}

/* A CPU that was not kicked goes on in its guest, with what the emulator still has. */
static void note_return(void)
{
	if (is_changing() || !machine->emulators || !emulator_lags())
		return;
	for (uint32_t i = 0; i < machine->cpus; i++)
		if (machine->cpu[i].in_guest && !machine->cpu[i].kicked)
			violate("A: a change is made, cpu %u goes on in its guest, and the emulator "
				"still has what went",
				i);
}

static void run_change(struct operation what)
{
	struct sp_result result = { .done = 0 };

	if (what.kind == DO_MAP)
		map(what, &result);
	else
		change(what, &result);
	if (current == NOBODY)
		return;
	if (result.ticket.domain)
		machine->party[current].ticket = result.ticket.number;
	buffer_wait();
	note_return();
}

void machine_map(struct operation operation)
{
	if (operation.kind == DO_NOTHING)
		return;
	run_change(operation);
	caches_look();
	machine_settle();
}

/* ---- the rest of what CPUs do ---- */

static void progress(void)
{
	const struct sp_ticket ticket = { machine->domain, machine->party[current].ticket };

	(void)sp_progress(machine->host, SP_STEP_SLOTS);
	if (sp_poll(machine->host, ticket) != SP_OK)
		return;
	buffer_wait();
	if (!is_changing() && !machine->buffered_count && machine->domain->ledger == ticket.number)
		caches_check_settled("a change is settled");
}

static void visit(bool turns)
{
	uint32_t self = current;
	struct sp_entry entry;

	machine->cpu[self].kicked = 0;
	if (sp_cpu_enter(machine->domain, &entry) != SP_OK)
		return;
	party_pause(WAIT_NONE);
	if (!turns) {
		cpu_enter(self, &entry);
		party_pause(WAIT_GUEST);
		machine->cpu[self].in_guest = machine->cpu[self].kicked = 0;
	}
	sp_cpu_leave(machine->domain, !turns);
}

static void find(struct operation what)
{
	struct sp_mapping mapping;

	if (sp_p2m_find(machine->domain, (sp_gfn_t){ what.gfn }, &mapping) == SP_OK &&
	    mapping.frame.mfn - GUEST_MFN >= GUEST_FRAMES)
		violate("a look-up finds mfn %#llx, which nobody mapped",
			(unsigned long long)mapping.frame.mfn);
}

static void answer(void)
{
	uint64_t number = machine->emulator.asked.number;

	machine->emulator.owes = 0;
	emulator_forget();
	if (sp_observer_reached(machine->emulator.observer, number) != SP_OK)
		violate("the emulator's answer is not believed");
}

void party_run(uint32_t number)
{
	struct operation what = machine->party[number].operation;

	if (number == EMULATOR) {
		answer();
		return;
	}
	switch (what.kind) {
	case DO_MAP:
	case DO_UNMAP:
	case DO_REVOKE:
	case DO_GRANT:
		run_change(what);
		break;
	case DO_PROGRESS:
		progress();
		break;
	case DO_VISIT:
	case DO_TURN:
		visit(what.kind == DO_TURN);
		break;
	case DO_FIND:
		find(what);
		break;
	case DO_NOTHING:
		break;
	}
}

/* ---- rest ---- */

bool party_all_rest(void)
{
	for (uint32_t i = 0; i < PARTIES; i++) {
		const struct party *party = &machine->party[i];

		if (party->runs ? party->wait != WAIT_GUEST : party->left != 0)
			return false;
	}
	return true;
}

/* Everybody answers; who is in the guest leaves when he was kicked, and only then. */
void machine_settle(void)
{
	for (int round = 0; round < ROUNDS && !is_violated(); round++) {
		buffer_drain_all();
		for (uint32_t i = 0; i < machine->units; i++)
			while (machine->unit[i].count)
				unit_execute(i);
		if (machine->emulator.owes)
			answer();
		for (uint32_t i = 0; i < machine->cpus; i++) {
			if (!machine->cpu[i].in_guest || !machine->cpu[i].kicked)
				continue;
			machine->cpu[i].in_guest = machine->cpu[i].kicked = 0;
			machine->domain->cpu_states[i].in_guest = 0;
		}
		if (sp_progress(machine->host, SP_STEP_SLOTS) == UINT64_MAX)
			return;
	}
	violate("lost debt: everybody has answered, and something is still owed or waits");
}

static void check_frames(void)
{
	uint64_t used = machine->domain->reserve.count + tables_count(), count = 0;

	for (uint32_t i = 0; i < TABLES; i++)
		count += machine->table[i];
	if (count != used)
		violate("lost: %u tables are in use, of which nobody walks %d", (unsigned)count,
			(int)(count - used));
	if (machine->domain->tables_used != used)
		violate("lost: the domain counts %u tables, and has %u",
			(unsigned)machine->domain->tables_used, (unsigned)used);
	count = 0;
	for (uint32_t i = 0; i < GUEST_FRAMES; i++)
		count += machine->guest[i];
	used = 0;
	for (uint64_t frame = 0; frame < 1u << machine->levels; frame++) {
		struct found found;

		used += tree_find(&machine->domain->maps[0].tree, frame, &found);
	}
	if (count != used)
		violate("lost: %u frames are the guest's, and it reaches %u", (unsigned)count,
			(unsigned)used);
}

void party_finish(void)
{
	machine_settle();
	if (is_violated())
		return;
	if (machine->domain->limbo.count)
		violate("lost: something is left in limbo");
	caches_check_settled("nothing is owed");
	check_frames();
}
