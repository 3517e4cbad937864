/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/external.c - observers of the embedder's: emulators of devices, and shadows.
 *
 *   a change --post--> forget(n)  ... the embedder ...  sp_observer_reached(n) --> paid
 *
 * What answers may be hostile or confused: a number is believed only between the last that was
 * reached and the last that was asked.
 */
#include "memory.h"
#include "sync/domain.h"

static struct sp_observer *external_of(struct observer *observer)
{
	return (struct sp_observer *)observer;
}

static enum sp_status external_post(struct observer *observer, const struct command *commands,
				    uint32_t count, uint64_t *number)
{
	struct sp_observer *external = external_of(observer);
	struct sp_forget what = { .number = external->asked + 1 };

	for (uint32_t i = 0; i < count; i++) {
		if (commands[i].kind == COMMAND_RUN && !what.all)
			what.run[what.run_count++] =
				(struct sp_run){ commands[i].first, commands[i].count };
		else
			what = (struct sp_forget){ .number = what.number, .all = true };
	}
	/* Who looks up again from here on finds what the change left. */
	full_barrier();
	store64(&external->asked, what.number);
	*number = what.number;
	if (external->config.forget(external->config.argument, &what))
		store64(&external->reached, what.number);
	return SP_OK;
}

/* It says that all is gone; the embedder knows better. */
static bool still_holds(const struct sp_observer *external)
{
	return external->config.holds && external->config.holds(external->config.argument) &&
	       !MUTANT(external->domain->host, SP_MUT_SERVER_BELIEVED);
}

static bool external_has_reached(struct observer *observer, uint64_t number)
{
	struct sp_observer *external = external_of(observer);

	if (MUTANT(external->domain->host, SP_MUT_EMULATOR_NOT_AWAITED))
		return true;
	if (external->server.ring)
		server_look(external);
	return load64(&external->reached) >= number && !still_holds(external);
}

static const struct observer_ops external_ops = { external_post, external_has_reached };

void external_open(struct sp_domain *domain, struct sp_observer *external,
		   enum observer_column column, const struct sp_observer_config *config)
{
	*external = (struct sp_observer){ .observer = { .ops = &external_ops, .column = column },
					  .domain = domain,
					  .config = *config };
}

enum sp_status sp_observer_reached(struct sp_observer *external, uint64_t number)
{
	if (number > load64(&external->asked) || number <= load64(&external->reached) ||
	    external->server.ring) {
		host_log(external->domain->host, SP_LOG_WARNING,
			 "an observer answered a number that it was not asked: not believed");
		return SP_INVALID;
	}
	store64(&external->reached, number);
	return SP_OK;
}

/* ---- emulators ---- */

static struct sp_observer *free_emulator(struct sp_domain *domain) MUST_HOLD(domain->lock)
{
	for (uint32_t i = 0; i < SP_MAX_OBSERVERS; i++)
		if (!domain->emulators[i].config.forget)
			return &domain->emulators[i];
	return NULL;
}

/* It knows nothing yet, so it is asked of nothing that went before. */
static void begin_watch(struct sp_domain *domain, struct sp_observer *external)
	MUST_HOLD(domain->lock)
{
	struct watch *watch = ledger_add_watch(domain, &external->observer, &domain->maps[0], 0);

	if (!MUTANT(domain->host, SP_MUT_NEWCOMER_OWES) || !domain->limbo.count)
		return;
	watch->posted = (struct debt){ .owed = true };
	watch->posted_number = watch->posted_first = 1;
}

enum sp_status external_add(struct sp_domain *domain, const struct sp_observer_config *config,
			    const struct sp_server_config *server, struct sp_observer **observer)
{
	enum sp_status status = SP_OK;
	struct sp_observer *external;

	domain_take(domain);
	external = free_emulator(domain);
	if (!config->forget || domain->state != DOMAIN_LIVE) {
		status = SP_INVALID;
	} else if (domain->pv) {
		/* Its CPUs wait at no gate (linear.c). */
		status = SP_UNSUPPORTED;
	} else if (!external) {
		status = SP_NO_SPACE;
	} else {
		external_open(domain, external, COLUMN_EMULATOR, config);
		if (server) {
			external->server = *server;
			external->config.argument = external;
		}
		begin_watch(domain, external);
		*observer = external;
	}
	domain_drop(domain);
	return status;
}

enum sp_status sp_observer_add(struct sp_domain *domain, const struct sp_observer_config *config,
			       struct sp_observer **observer)
{
	return external_add(domain, config, NULL, observer);
}

void sp_observer_remove(struct sp_observer *external)
{
	struct sp_domain *domain = external->domain;

	domain_take(domain);
	for (uint32_t i = 0; i < MAX_WATCHES; i++) {
		struct watch *watch = &domain->watches[i];

		if (watch->observer != &external->observer)
			continue;
		/* Nothing remembers any more: what it owed is paid by its end. */
		watch->posted = watch->gathering = (struct debt){ 0 };
		ledger_remove_watch(domain, watch);
	}
	external->config = (struct sp_observer_config){ 0 };
	external->server = (struct sp_server_config){ .ring = NULL };
	if (!MUTANT(domain->host, SP_MUT_LEAVER_GATES))
		gate_open(domain);
	domain_drop(domain);
}

/* Of a subtree nobody looks at what it holds: as if all of it were memory. */
static bool lets_go_of_memory(const struct sp_domain *domain, const struct stale *stale)
{
	for (uint32_t i = 0; i < stale->gone_count; i++) {
		const struct let_go *gone = &stale->gone[i];

		if (gone->kind == GONE_SUBTREE ||
		    (gone->kind == GONE_FRAMES &&
		     domain->type_of(gone->rights, (enum memory_type)gone->memory) != SP_MMIO))
			return true;
	}
	return stale->gone_count == 0;
}

/* Section 7, column IOREQ: "Q if RAM". */
uint32_t emulator_kinds(const struct sp_domain *domain, const struct stale *stale)
{
	uint32_t kinds = stale->kinds[WALKER_CPU];

	if (!lets_go_of_memory(domain, stale))
		kinds &= ~(1u << KIND_UNMAP | 1u << KIND_REPLACE | 1u << KIND_PUNCH |
			   1u << KIND_UNLINK);
	return kinds;
}

bool external_are_gone(const struct sp_domain *domain)
{
	for (uint32_t i = 0; i < SP_MAX_OBSERVERS; i++)
		if (domain->emulators[i].config.forget)
			return false;
	return true;
}

/* One request for all that is changed between the two: CPUs and units have theirs at each change. */
void sp_batch_begin(struct sp_domain *domain)
{
	domain_take(domain);
	domain->batches++;
	domain_drop(domain);
}

void sp_batch_end(struct sp_domain *domain)
{
	domain_take(domain);
	domain->batches--;
	ledger_post_change(domain);
	domain_drop(domain);
}

/* ---- shadows, and the CPUs that run on them ---- */

static bool shadows_are_gone(const struct sp_domain *domain, uint64_t number)
{
	return load64(&domain->shadows.reached) >= number ||
	       MUTANT(domain->host, SP_MUT_SHADOWS_KEPT);
}

/*
 * Note n9: first the shadows, then whoever filled a TLB from them; the other way round it fills
 * again.
 */
static bool shadowed_have_reached(struct observer *cpus, uint64_t number) UNCHECKED
{
	struct sp_domain *domain = cpus_domain(cpus);

	if (!shadows_are_gone(domain, number))
		return false;
	if (domain->shadows_gone < number) {
		domain->shadows_gone = number;
		/* They filled from the shadows up to now. */
		if (!MUTANT(domain->host, SP_MUT_SHADOW_CPUS_KEPT))
			domain->shadows_asked = cpus_ask(domain, domain->clock);
	}
	return cpus_have_left(domain, domain->shadows_asked);
}

static enum sp_status shadowed_post(struct observer *cpus, const struct command *commands,
				    uint32_t count, uint64_t *number) UNCHECKED
{
	struct sp_domain *domain = cpus_domain(cpus);

	if (MUTANT(domain->host, SP_MUT_CPUS_BEFORE_SHADOWS)) {
		domain->shadows_asked = cpus_ask(domain, domain->clock);
		domain->shadows_gone = domain->shadows.asked + 1;
	}
	if (MUTANT(domain->host, SP_MUT_SHADOWS_KEPT)) {
		*number = ++domain->shadows.asked;
		return SP_OK;
	}
	if (external_post(&domain->shadows.observer, commands, count, number) == SP_OK)
		(void)shadowed_have_reached(cpus, *number);
	return SP_OK;
}

static const struct observer_ops shadowed_ops = { shadowed_post, shadowed_have_reached };

void shadows_open(struct sp_domain *domain, const struct sp_observer_config *config)
{
	external_open(domain, &domain->shadows, COLUMN_SHADOW, config);
	domain->shadows_gone = domain->shadows_asked = 0;
	domain->cpus.ops = &shadowed_ops;
	domain->cpus.column = COLUMN_SHADOW;
	domain->watches[CPU_WATCH].kinds = debt_kinds(domain->host, COLUMN_SHADOW);
}

struct sp_observer *sp_domain_shadows(struct sp_domain *domain)
{
	return domain->cpu == SP_CPU_SHADOW ? &domain->shadows : NULL;
}
