/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/progress.c - what moves things forward: the embedder's idle loop and timer, and every wait.
 */
#include "sync/domain.h"

#define ASK_AGAIN 20000u /* nanoseconds; a unit answers in microseconds */

static bool is_awaited(const struct sp_domain *domain) MUST_HOLD(domain->lock)
{
	for (uint32_t left = domain->watching; left; left &= left - 1)
		if (ledger_is_wanted(domain, &domain->watches[lowest_bit(left)]))
			return true;
	return false;
}

/* What waits for debt that nobody wants paid yet is no work. */
static bool has_work(const struct sp_domain *domain) MUST_HOLD(domain->lock)
{
	const struct limbo *limbo = &domain->limbo;

	return (limbo->count && ledger_paid(domain, limbo->entry[limbo->head].number) == SP_OK) ||
	       (!span_is_empty(domain->merge) &&
		ledger_paid(domain, domain->merge_number) == SP_OK);
}

/*
 * Answers when this domain wants to be looked at again. Where somebody is at work in it nobody waits:
 * each CPU would hold up all the others, domain by domain.
 */
static uint64_t progress_domain(struct sp_domain *domain, uint32_t *budget, bool wait)
{
	uint64_t again = UINT64_MAX;

	if (!wait && lock_is_taken(&domain->lock))
		return ASK_AGAIN;
	domain_take(domain);
	if (domain->state != DOMAIN_FREE) {
		ledger_collect(domain);
		ledger_post(domain);
		limbo_settle(domain, budget);
		if (domain->state == DOMAIN_LIVE)
			domain_merge(domain, budget);
		if (is_awaited(domain))
			again = ASK_AGAIN;
		else if (has_work(domain))
			again = 0;
	}
	domain_drop(domain);
	return again;
}

static uint64_t progress(struct sp_host *host, uint32_t budget, const struct sp_domain *awaited)
{
	uint64_t again = UINT64_MAX;

	if (host->units_progress)
		host->units_progress(host);
	for (uint32_t i = 0; i < host->domain_count; i++) {
		struct sp_domain *domain = &host->domains[i];
		uint32_t left = budget;

		again = min_u64(again, progress_domain(domain, &left, domain == awaited));
	}
	return again;
}

uint64_t sp_progress(struct sp_host *host, uint32_t budget)
{
	return progress(host, budget, NULL);
}

enum sp_status sp_poll(struct sp_host *host, struct sp_ticket ticket)
{
	enum sp_status status;

	(void)host;
	domain_take(ticket.domain);
	ledger_collect(ticket.domain);
	/* Who asks wants it. */
	ledger_want(ticket.domain, ticket.number);
	status = ledger_state(ticket.domain, ticket.number);
	domain_drop(ticket.domain);
	return status;
}

void wait_step(struct sp_host *host)
{
	(void)sp_progress(host, SP_STEP_SLOTS);
	platform_relax(host->embedder);
}

enum sp_status sp_wait(struct sp_host *host, struct sp_ticket ticket)
{
	enum sp_status status;

	/* Progress at least once: a BUSY that ends at once must still have moved something. */
	for (;;) {
		(void)progress(host, SP_STEP_SLOTS, ticket.domain);
		status = sp_poll(host, ticket);
		if (status != SP_PENDING)
			return status;
		platform_relax(host->embedder);
	}
}
