/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/linear.c - CPUs that run on a guest's own tables: two observers of the one change.
 *
 *   the linear map   an entry above the last level changed, so the hypervisor's own addresses mean
 *                    something else. Scope: the owner's dirty CPUs. It is asked by an IPI, and has
 *                    reached the number when each of them has flushed.
 *   private roots    an entry of a root changed, of which each CPU's guest mode has a copy. Scope: the
 *                    CPUs that have this root loaded. It is asked by a number that they read when they
 *                    enter, and a kick if they are in guest mode.
 *
 * Both gather while a batch goes on, and are posted once (ledger.c). Who uses the linear map asks
 * linear_is_paid() first: that is the deadline of the one; the entry to guest mode is that of the other.
 */
#include "memory.h"
#include "sync/domain.h"

static uint32_t self(const struct sp_domain *domain)
{
	return platform_self(domain->host->embedder);
}

/* ---- the linear map ---- */

/* Whose CPUs are asked: the owner's, whoever caused it (A0.5). */
static const struct sp_domain *scope_of(const struct sp_domain *owner)
{
	if (MUTANT(owner->host, SP_MUT_PV_CALLERS_CPUS))
		for (uint32_t i = 0; i < owner->host->domain_count; i++) {
			const struct sp_domain *domain = &owner->host->domains[i];

			if (domain->cpu == SP_CPU_PV && domain->cpu_states[self(owner)].loaded)
				return domain;
		}
	return owner;
}

void linear_send(struct sp_domain *domain)
{
	const struct cpu_state *scope = scope_of(domain)->cpu_states;
	struct sp_cpu_set cpus = { { 0 } };
	bool any = false;

	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++) {
		struct cpu_state *state = &domain->cpu_states[cpu];

		if (!load32(&scope[cpu].dirty))
			continue;
		store64(&state->flush_asked, domain->asked);
		cpus.word[cpu / 64] |= BIT(cpu % 64);
		any = true;
	}
	if (any)
		domain->direct.flush(domain->direct.argument, &cpus, domain->asked,
				     domain->links_asked);
}

static enum sp_status linear_post(struct observer *cpus, const struct command *commands,
				  uint32_t count, uint64_t *number) UNCHECKED
{
	struct sp_domain *domain = cpus_domain(cpus);

	(void)commands;
	(void)count;
	/* Whoever walks from here on finds what the change left. */
	full_barrier();
	store64(&domain->asked, domain->asked + 1);
	domain->links_asked = domain->links_gather;
	domain->links_gather = false;
	*number = domain->asked;
	if (!MUTANT(domain->host, SP_MUT_PV_FLUSH_AT_RETURN))
		linear_send(domain);
	return SP_OK;
}

static bool linear_has_reached(struct observer *cpus, uint64_t number) UNCHECKED
{
	const struct sp_domain *domain = cpus_domain(cpus);

	(void)number;
	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++) {
		const struct cpu_state *state = &domain->cpu_states[cpu];

		if (load64(&state->flushed) < load64(&state->flush_asked))
			return false;
	}
	return true;
}

static const struct observer_ops linear_ops = { linear_post, linear_has_reached };

void sp_pv_flushed(struct sp_domain *domain, uint64_t number)
{
	struct cpu_state *state = &domain->cpu_states[self(domain)];

	if (number <= load64(&domain->asked) && number > load64(&state->flushed))
		store64(&state->flushed, number);
}

bool linear_is_paid(struct sp_domain *domain)
{
	const struct watch *watch = &domain->watches[CPU_WATCH];

	ledger_post(domain);
	ledger_collect(domain);
	return !ledger_owes(watch) || MUTANT(domain->host, SP_MUT_PV_FLUSH_AT_RETURN);
}

/* ---- private roots ---- */

/*
 * The CPUs whose copy of this root is old from now on; true where there are any. They are asked here,
 * so that who enters while the batch goes on, or after the interrupt of a flush, copies it.
 */
static bool ask_roots(struct sp_domain *domain, uint64_t root) MUST_HOLD(domain->lock)
{
	bool any = false;

	domain->roots_asked++;
	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++) {
		struct cpu_state *state = &domain->cpu_states[cpu];
		bool is_loaded = load64(&state->loaded) == root;

		if (MUTANT(domain->host, SP_MUT_PV_REMOTE_ROOTS_KEPT) && cpu != self(domain))
			is_loaded = false;
		if (MUTANT(domain->host, SP_MUT_PV_ROOTS_EVERYWHERE))
			is_loaded = load32(&state->dirty);
		if (is_loaded)
			store64(&state->root_asked, domain->roots_asked);
		any |= is_loaded;
	}
	return any;
}

static bool runs_on_old(const struct cpu_state *state)
{
	return load64(&state->in_guest) && load64(&state->reached) < load64(&state->root_asked);
}

static enum sp_status roots_post(struct observer *roots, const struct command *commands,
				 uint32_t count, uint64_t *number) UNCHECKED
{
	struct sp_domain *domain = roots_domain(roots);

	(void)commands;
	(void)count;
	full_barrier();
	*number = domain->roots_asked;
	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++) {
		if (!runs_on_old(&domain->cpu_states[cpu]))
			continue;
		domain->kick.word[cpu / 64] |= BIT(cpu % 64);
		domain->kick_any = true;
	}
	return SP_OK;
}

/* A CPU outside guest mode runs on no copy; it makes a new one when it enters. */
static bool roots_have_reached(struct observer *roots, uint64_t number) UNCHECKED
{
	const struct sp_domain *domain = roots_domain(roots);

	(void)number;
	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++)
		if (runs_on_old(&domain->cpu_states[cpu]))
			return false;
	return true;
}

static const struct observer_ops roots_ops = { roots_post, roots_have_reached };

/* ---- both ---- */

void linear_open(struct sp_domain *domain, const struct sp_pv_config *config)
{
	domain->direct = *config;
	domain->asked = domain->roots_asked = 0;
	domain->links_asked = domain->links_gather = false;
	domain->cpus = (struct observer){ .ops = &linear_ops, .column = COLUMN_LINEAR };
	domain->roots = (struct observer){ .ops = &roots_ops, .column = COLUMN_ROOT };
	domain->watches[CPU_WATCH].kinds = debt_kinds(domain->host, COLUMN_LINEAR);
	/* Of no map: who changes an entry of a root enters it. */
	domain->watches[ROOT_WATCH] =
		(struct watch){ .observer = &domain->roots,
				.kinds = debt_kinds(domain->host, COLUMN_ROOT),
				.users = 1 };
	domain->watching |= 1u << ROOT_WATCH;
}

void linear_enter(struct sp_domain *domain, enum change_kind kind, uint32_t level, uint64_t table)
{
	bool has_copies = level == DIRECT_ROOT && debt_is_whole(domain->host, COLUMN_ROOT, kind) &&
			  ask_roots(domain, table);

	/*
	 * The entry is in use as a link on the guest's ways, and as link and leaf on those of the linear
	 * map (SDM 3A 5.10.4); a frame that goes is in use as a page alone.
	 */
	domain->links_gather |= debt_is_whole(domain->host, COLUMN_LINEAR, kind) &&
				!MUTANT(domain->host, SP_MUT_PV_ONE_USE);
	ledger_enter_direct(domain, kind, has_copies);
}

bool linear_is_loaded(const struct sp_domain *domain)
{
	for (uint32_t cpu = 0; cpu < domain->host->limits.cpus; cpu++)
		if (load32(&domain->cpu_states[cpu].dirty))
			return true;
	return false;
}

void linear_load(struct sp_domain *domain, uint64_t root)
{
	struct cpu_state *state = &domain->cpu_states[self(domain)];

	/* Before it can remember anything, else it is not asked. */
	store32(&state->dirty, 1);
	store64(&state->loaded, root);
	full_barrier();
	domain->direct.load(domain->direct.argument, (sp_mfn_t){ root });
	/* It begins with nothing, and with a new copy. */
	store64(&state->flushed, domain->asked);
	store64(&state->reached, load64(&state->root_asked));
}

void linear_unload(struct sp_domain *domain)
{
	struct cpu_state *state = &domain->cpu_states[self(domain)];

	store64(&state->loaded, 0);
	store64(&state->flushed, domain->asked);
	store32(&state->dirty, 0);
}

bool sp_pv_enter(struct sp_domain *domain)
{
	struct cpu_state *state = &domain->cpu_states[self(domain)];
	uint64_t asked;

	if (MUTANT(domain->host, SP_MUT_PV_FLUSH_AT_RETURN))
		linear_send(domain);
	store64(&state->in_guest, 1);
	full_barrier();
	asked = load64(&state->root_asked);
	if (load64(&state->reached) < asked) {
		state->flush_owed = true;
		store64(&state->reached, asked);
	}
	return state->flush_owed;
}

void sp_pv_leave(struct sp_domain *domain, bool entered)
{
	struct cpu_state *state = &domain->cpu_states[self(domain)];

	if (entered)
		state->flush_owed = false;
	if (MUTANT(domain->host, SP_MUT_PV_LEFT_WITH_GUEST))
		store32(&state->dirty, 0);
	store64(&state->in_guest, 0);
}
