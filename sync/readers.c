/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/readers.c - look-ups without the lock: pointers into tables that nobody else knows of.
 *
 *   looks up                          lets a table go, later gives it back
 *   reading = epoch                   unlink the table (slot stored)
 *   full barrier                      full barrier, epoch + 1
 *   walk                              ...
 *   reading = 0                       each CPU: reading is 0, or began after the unlink? give it back
 *
 * Either the second sees the first's store and waits, or the first's walk begins after the unlink and
 * does not find the table.
 */
#include "memory.h"
#include "sync/domain.h"

struct reader readers_enter(struct sp_domain *domain)
{
	struct cpu_state *state = &domain->cpu_states[platform_self(domain->host->embedder)];
	uint64_t before = load64(&state->reading);

	/* An interrupt that looks up while its CPU does: the older walk counts. */
	if (!before)
		store64(&state->reading, load64(&domain->epoch));
	full_barrier();
	return (struct reader){ state, before };
}

void readers_leave(const struct reader *reader)
{
	store64(&reader->state->reading, reader->before);
}

bool readers_have_left(const struct sp_domain *domain, uint64_t epoch)
{
	if (!domain->cpu_states || MUTANT(domain->host, SP_MUT_READERS_IGNORED))
		return true;
	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++) {
		uint64_t reading = load64(&domain->cpu_states[cpu].reading);

		if (reading && reading <= epoch)
			return false;
	}
	return true;
}
