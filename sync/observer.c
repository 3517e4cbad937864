/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/observer.c - the CPUs of a domain, as an observer.
 *
 *   asking CPU                 entering CPU (interrupts off)
 *   write the slot             in_guest = 1
 *   full barrier               full barrier
 *   clock, asked = n           read asked; behind? a flush goes with this entry, reached = clock
 *   full barrier               enter
 *   read in_guest; set, and it has not flushed since the slot was written? kick
 *
 * One of the two sees the other: either the asker sees in_guest and kicks, or the enterer sees n
 * and flushes. A CPU outside guest mode uses nothing it remembers, so being seen outside is an
 * answer; what sleeps under the tag is flushed by its next entry. gate.c has why an entry is refused.
 */
#include "memory.h"
#include "sync/domain.h"

bool observer_is_lost(const struct observer *observer)
{
	return load32(&observer->lost) != 0;
}

static void note_kick(struct sp_domain *domain, uint32_t cpu) MUST_HOLD(domain->lock)
{
	if (MUTANT(domain->host, SP_MUT_KICK_SKIPPED))
		return;
	domain->kick.word[cpu / 64] |= BIT(cpu % 64);
	domain->kick_any = true;
}

void cpus_note_kicks(struct sp_domain *domain)
{
	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++)
		if (load64(&domain->cpu_states[cpu].in_guest))
			note_kick(domain, cpu);
}

/* In the guest, and what it remembers is older than the number. */
static bool is_behind(const struct sp_domain *domain, const struct cpu_state *state,
		      uint64_t number)
{
	return load64(&state->in_guest) &&
	       clock_must_flush(load64(&domain->clock), load64(&state->reached), number - 1);
}

uint64_t cpus_ask(struct sp_domain *domain, uint64_t stamp)
{
	uint64_t number =
		MUTANT(domain->host, SP_MUT_CLOCK_EQUAL) ? stamp : clock_next(stamp, CLOCK_BITS);

	if (!MUTANT(domain->host, SP_MUT_ASK_WITHOUT_BARRIER))
		full_barrier();
	/* Whoever flushes from here on is past the stamp; who did so before is left alone. */
	if (domain->clock < number)
		store64(&domain->clock, number);
	store64(&domain->asked, number);
	if (!MUTANT(domain->host, SP_MUT_ASK_WITHOUT_BARRIER))
		full_barrier();
	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++) {
		struct cpu_state *state = &domain->cpu_states[cpu];

		if (!is_behind(domain, state, number))
			continue;
		note_kick(domain, cpu);
		if (MUTANT(domain->host, SP_MUT_CPU_STAMP_EARLY))
			store64(&state->reached, number);
	}
	return number;
}

bool cpus_have_left(const struct sp_domain *domain, uint64_t number)
{
	if (MUTANT(domain->host, SP_MUT_KICK_SKIPPED))
		return true;
	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++)
		if (is_behind(domain, &domain->cpu_states[cpu], number))
			return false;
	return true;
}

static enum sp_status cpus_post(struct observer *cpus, const struct command *commands,
				uint32_t count, uint64_t *number) UNCHECKED
{
	(void)commands;
	(void)count;
	*number = cpus_ask(cpus_domain(cpus), cpus_domain(cpus)->stamp);
	return SP_OK;
}

static bool cpus_have_reached(struct observer *cpus, uint64_t number)
{
	return cpus_have_left(cpus_domain(cpus), number);
}

static const struct observer_ops cpus_ops = { cpus_post, cpus_have_reached };

void cpus_open(struct sp_domain *domain)
{
	domain->cpus =
		(struct observer){ .ops = &cpus_ops,
				   .column = domain->cpu == SP_CPU_EPT ? COLUMN_EPT : COLUMN_NPT };
	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++)
		domain->cpu_states[cpu] = (struct cpu_state){
			.root = domain->maps[0].tree.root.mfn,
			.reached = MUTANT(domain->host, SP_MUT_CPU_NAME_REUSED) ? 1 : 0
		};
	/*
	 * The tag may have been another domain's: each CPU flushes before its first entry (section
	 * 7, row 12).
	 */
	domain->asked = domain->clock = 1;
	domain->stamp = 0;
	domain->epoch = 1;
	domain->watches[CPU_WATCH] =
		(struct watch){ .observer = &domain->cpus,
				.map = &domain->maps[0],
				.kinds = debt_kinds(domain->host, domain->cpus.column),
				.users = 1 };
	domain->watching |= 1u << CPU_WATCH;
}

/*
 * Section 7, row 11: another root than the last time. Under an ASID the old tree's entries are used
 * until they are dropped; under the root's own address those sleep of whatever had it as a root before.
 */
static bool is_another_root(const struct sp_domain *domain, struct cpu_state *state, uint64_t root)
{
	if (domain->cpu == SP_CPU_SHADOW || state->root == root)
		return false;
	state->root = root;
	return true;
}

enum sp_status sp_cpu_enter(struct sp_domain *domain, struct sp_entry *entry)
{
	struct cpu_state *state = &domain->cpu_states[platform_self(domain->host->embedder)];
	const struct tree *tree = &domain->maps[0].tree;
	uint64_t asked, gate, root = 0;
	bool owed;

	store64(&state->in_guest, 1);
	if (!MUTANT(domain->host, SP_MUT_ENTER_WITHOUT_BARRIER))
		full_barrier();
	/* A flag that is cleared each time, whether or not it was set, is a shared line each time. */
	if (MUTANT(domain->host, SP_MUT_GATE_ATOMIC))
		store64(&domain->gate.opened, load64(&domain->gate.opened));
	if (gate_is_closed(domain, state, &gate)) {
		store64(&state->in_guest, 0);
		*entry = (struct sp_entry){ .ticket = { domain, gate } };
		return SP_BUSY;
	}
	if (MUTANT(domain->host, SP_MUT_ROOT_READ_EARLY))
		root = load64(&tree->root.mfn);
	asked = load64(&domain->asked);
	owed = load64(&state->reached) < asked;
	if (owed)
		store64(&state->reached, load64(&domain->clock));
	/* Behind both: who reads a number, or the clock, reads the root that was stored before it ticked. */
	if (!MUTANT(domain->host, SP_MUT_ROOT_READ_EARLY))
		root = load64(&tree->root.mfn);
	owed |= is_another_root(domain, state, root);
	if (owed && !(MUTANT(domain->host, SP_MUT_ROOT_UNFLUSHED) && domain->generation))
		state->flush_owed = true;
	*entry = (struct sp_entry){ .asid = domain->asid, .flush = state->flush_owed };
	if (domain->cpu == SP_CPU_SHADOW)
		return SP_OK;
	entry->root = sp_maddr_from_mfn((sp_mfn_t){ root });
	entry->levels = tree->levels;
	return SP_OK;
}

void sp_cpu_leave(struct sp_domain *domain, bool entered)
{
	struct cpu_state *state = &domain->cpu_states[platform_self(domain->host->embedder)];

	if (entered && state->flush_owed && MUTANT(domain->host, SP_MUT_CLOCK_TICK_LATE))
		store64(&state->reached, load64(&domain->clock));
	if (entered)
		state->flush_owed = false;
	store64(&state->in_guest, 0);
}

/* Out of the guest it fills nothing again: so the tick may come behind the flush. */
void sp_cpu_flushed(struct sp_domain *domain)
{
	struct cpu_state *state = &domain->cpu_states[platform_self(domain->host->embedder)];

	domain_take(domain);
	store64(&domain->clock, clock_next(domain->clock, CLOCK_BITS));
	store64(&state->reached, domain->clock);
	state->flush_owed = false;
	domain_drop(domain);
}
