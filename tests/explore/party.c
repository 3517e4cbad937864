/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/party.c - what CPUs and emulators do.
 */
#include "explore.h"

#include <string.h>

#include <sallyport/p2m.h>

#include "unit_driver.h"

#define EVERYTHING 31u
#define READ_ONLY  13u /* CPU: read, execute; device: read */

/* ---- changes ---- */

static void judge_status(enum sp_status status)
{
	if (status != SP_OK && status != SP_BUSY &&
	    !(status == SP_NO_MEMORY && machine->budget < TABLES))
		violate("a change is refused with status %d", (int)status);
}

/* Of the frames that were chosen, those go back that no slot has. */
static void map(struct operation what, const uint64_t *sample, uint64_t mfn,
		struct sp_result *result)
{
	const struct span span = { what.gfn, what.gfn + what.count };
	struct target target = { .rights = EVERYTHING, .mfn = mfn };
	enum sp_status status;

	if (!target.mfn)
		return;
	status = domain_change(machine->domain[what.domain], span, &target, false, false, sample,
			       result);
	if (status != SP_STALE || !sample)
		judge_status(status);
	if (status != SP_OK)
		result->done = 0;
	if (result->done < what.count)
		frame_return(target.mfn + result->done, what.count - result->done);
}

/* The embedder looks into its own book whose frame it is; and that may be past when it is mapped. */
static void fault(struct operation what, struct sp_result *result)
{
	uint64_t sample = sp_p2m_sample(machine->domain[what.domain]), mfn;

	party_pause(WAIT_NONE);
	mfn = frame_choose(1, what.domain);
	if (!mfn)
		return;
	machine->looked[mfn - GUEST_MFN] = (uint8_t)(machine->book[what.domain] + 1);
	map(what, &sample, mfn, result);
}

/* The embedder's book says first that nothing is the guest's any more. */
static void begin_anew(struct operation what, struct sp_result *result)
{
	enum sp_status status;

	machine->book[what.domain]++;
	party_pause(WAIT_NONE);
	status = domain_begin_anew(machine->domain[what.domain], result);
	judge_status(status);
	if (status != SP_OK)
		machine->book[what.domain]--;
}

static void change(struct operation what, struct sp_result *result)
{
	const struct span span = { what.gfn, what.gfn + what.count };
	const bool goes = what.kind == DO_UNMAP || what.kind == DO_LAZY;
	const struct target target = { .rights = goes			  ? 0
						 : what.kind == DO_REVOKE ? READ_ONLY
									  : EVERYTHING,
				       .keep_frames = !goes,
				       .lazy = what.kind == DO_LAZY };

	judge_status(domain_change(machine->domain[what.domain], span, &target,
				   what.kind != DO_GRANT, false, NULL, result));
}

static bool changes(struct operation operation, uint32_t domain)
{
	return operation.kind == DO_MOVE ||
	       (operation.kind <= DO_ANEW && operation.domain == domain);
}

bool is_changing(uint32_t domain)
{
	for (uint32_t i = 0; i < CPUS; i++)
		if (i != current && machine->party[i].runs &&
		    changes(machine->party[i].operation, domain))
			return true;
	return false;
}

/* A CPU that was not kicked goes on in its guest, with what an emulator still has. */
static void note_return(uint32_t domain)
{
	if (domain || is_changing(0) || !emulator_lags())
		return;
	for (uint32_t i = 0; i < machine->cpus; i++)
		if (machine->cpu[i].in_guest && machine->cpu[i].domain == 0 &&
		    !machine->cpu[i].kicked)
			violate("A: a change is made, cpu %u goes on in its guest, and the emulator "
				"still has what went",
				i);
}

static void run_change(struct operation what)
{
	struct sp_result result = { .done = 0 };

	if (what.kind == DO_MAP)
		map(what, NULL, frame_choose(what.count, what.domain), &result);
	else if (what.kind == DO_FAULT)
		fault(what, &result);
	else if (what.kind == DO_ANEW)
		begin_anew(what, &result);
	else
		change(what, &result);
	if (current == NOBODY)
		return;
	if (result.ticket.domain)
		machine->party[current].ticket[what.domain] = result.ticket.number;
	buffer_wait();
	note_return(what.domain);
}

void machine_map(struct operation operation)
{
	if (operation.kind == DO_NOTHING)
		return;
	machine->making = operation.domain;
	run_change(operation);
	caches_look();
	machine_settle();
}

/* ---- the rest of what CPUs do ---- */

static void progress(uint32_t number)
{
	struct sp_domain *domain = machine->domain[number];
	const struct sp_ticket ticket = { domain, machine->party[current].ticket[number] };

	(void)sp_progress(machine->host, SP_STEP_SLOTS);
	if (sp_poll(machine->host, ticket) != SP_OK)
		return;
	buffer_wait();
	if (!is_changing(number) && !machine->buffered_count && domain->ledger == ticket.number)
		caches_check_settled(number, "a change is settled");
}

static void visit(uint32_t number, bool turns)
{
	struct sp_domain *domain = machine->domain[number];
	uint32_t self = current;
	struct sp_entry entry;

	machine->cpu[self].kicked = 0;
	if (sp_cpu_enter(domain, &entry) != SP_OK)
		return;
	party_pause(WAIT_NONE);
	if (!turns) {
		cpu_enter(self, number, &entry);
		party_pause(WAIT_GUEST);
		machine->cpu[self].in_guest = machine->cpu[self].kicked = 0;
	}
	sp_cpu_leave(domain, !turns);
}

static void flush(uint32_t number)
{
	memset(&machine->cpu[current].cache, 0, sizeof(machine->cpu[current].cache));
	sp_cpu_flushed(machine->domain[number]);
}

static void move(uint32_t number)
{
	if (unit_tag(0, number))
		return;
	if (function_move(machine->host, machine->domain[number]) != SP_OK)
		violate("a function does not go where it is to go");
	caches_check_moved("a function has gone to another domain");
}

static void find(struct operation what)
{
	struct sp_mapping mapping;

	if (sp_p2m_find(machine->domain[what.domain], (sp_gfn_t){ what.gfn }, &mapping) == SP_OK &&
	    mapping.frame.mfn - GUEST_MFN >= GUEST_FRAMES)
		violate("a look-up finds mfn %#llx, which nobody mapped",
			(unsigned long long)mapping.frame.mfn);
}

/* ---- emulators ---- */

bool emulator_can_answer(uint32_t number)
{
	const struct emulator *emulator = &machine->emulator[number];

	return emulator->owes && emulator->observer && !emulator->dead;
}

void emulator_answer(uint32_t number)
{
	struct emulator *emulator = &machine->emulator[number];
	uint64_t asked = emulator->asked.number;

	emulator->owes = 0;
	cache_forget(&emulator->cache, &emulator->asked);
	caches_look();
	if (sp_observer_reached(emulator->observer, asked) != SP_OK)
		violate("an emulator's answer is not believed");
}

/* Its process is dead, and does not answer any more: then the domain does not wait for it. */
static void kill_emulator(void)
{
	struct emulator *emulator = &machine->emulator[0];

	if (!emulator->observer || emulator->dead || machine->party[CPUS].runs)
		return;
	emulator->dead = 1;
	memset(&emulator->cache, 0, sizeof(emulator->cache));
	sp_observer_remove(emulator->observer);
	emulator->owes = 0;
}

static void join_emulator(void)
{
	if (machine->emulator[1].observer)
		return;
	if (!machine_add_emulator(1))
		violate("an emulator is refused");
	caches_look();
}

void party_run(uint32_t number)
{
	struct operation what = machine->party[number].operation;

	if (number >= CPUS) {
		emulator_answer(number - CPUS);
		return;
	}
	switch (what.kind) {
	case DO_MAP:
	case DO_UNMAP:
	case DO_LAZY:
	case DO_REVOKE:
	case DO_GRANT:
	case DO_FAULT:
	case DO_ANEW:
		run_change(what);
		break;
	case DO_PROGRESS:
		progress(what.domain);
		break;
	case DO_VISIT:
	case DO_TURN:
		visit(what.domain, what.kind == DO_TURN);
		break;
	case DO_FLUSH:
		flush(what.domain);
		break;
	case DO_FIND:
		find(what);
		break;
	case DO_KILL:
		kill_emulator();
		break;
	case DO_JOIN:
		join_emulator();
		break;
	case DO_MOVE:
		move(what.domain);
		break;
	case DO_NOTHING:
		break;
	}
}
