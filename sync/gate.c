/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/gate.c - CPUs stay out of their guest until its emulators have let go of memory that went.
 *
 *   changing CPU                     entering CPU (observer.c)
 *   slot := new                      in_guest := 1
 *   closed := the change's number    full barrier
 *   full barrier                     closed > opened? in_guest := 0, SP_BUSY
 *   in guest? kick
 *   ...
 *   every emulator has answered for it: opened := number
 *
 * Both are numbers of the ledger, not a flag that the first answer would clear for all: who comes
 * waits for the last change that an emulator must hear of, whoever made it. Both lie in a line that is
 * written only when memory goes or is forgotten; who enters only reads it.
 */
#include "memory.h"
#include "sync/domain.h"

bool gate_is_closed(const struct sp_domain *domain, const struct cpu_state *state, uint64_t *number)
{
	bool is_relaxed = domain->relaxed || MUTANT(domain->host, SP_MUT_GATE_ISSUER_ONLY);

	*number = is_relaxed ? state->gate : load64(&domain->gate.closed);
	return *number > load64(&domain->gate.opened);
}

/* CPUs in guest mode leave now, also where they owe no flush: what they do next is behind the gate. */
void gate_close(struct sp_domain *domain)
{
	uint32_t self = platform_self(domain->host->embedder);

	domain->cpu_states[self].gate = domain->gate_owed;
	store64(&domain->gate.closed, domain->gate_owed);
	if (domain->relaxed || MUTANT(domain->host, SP_MUT_GATE_KICK_SKIPPED))
		return;
	full_barrier();
	cpus_note_kicks(domain);
}

void gate_open(struct sp_domain *domain)
{
	uint64_t opened = domain->gate_owed;

	for (uint32_t i = 1 + MAX_UNITS; i < ROOT_WATCH; i++) {
		const struct watch *watch = &domain->watches[i];

		if (!watch->observer || MUTANT(domain->host, SP_MUT_GATE_BOOL))
			continue;
		if (watch->posted.owed)
			opened = min_u64(opened, watch->posted_first - 1);
		else if (watch->gathering.owed)
			opened = min_u64(opened, watch->gathering_first - 1);
	}
	if (opened > load64(&domain->gate.opened))
		store64(&domain->gate.opened, opened);
}
