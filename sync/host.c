/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/host.c - making a host: what of the arena is carved for the domains.
 */
#include "sync/domain.h"

#define MAX_DOMAINS   4096u
#define MAX_FUNCTIONS 4096u
#define MAX_LIMBO     (1u << 20)

static uint32_t or_default(uint32_t value, uint32_t usual)
{
	return value ? value : usual;
}

/* False where a limit is beyond what can be. */
static bool complete_limits(const struct sp_limits *given, struct sp_limits *limits)
{
	*limits = (struct sp_limits){ .cpus = or_default(given->cpus, 8),
				      .domains = or_default(given->domains, 16),
				      .units = or_default(given->units, MAX_UNITS),
				      .functions = or_default(given->functions, 64),
				      .limbo = or_default(given->limbo, 2 * SP_STEP_SLOTS),
				      .node = given->node };
	return limits->cpus <= SP_MAX_CPUS && limits->domains <= MAX_DOMAINS &&
	       limits->units <= HOST_UNITS && limits->functions <= MAX_FUNCTIONS &&
	       limits->limbo >= SP_STEP_SLOTS + 16 && limits->limbo <= MAX_LIMBO;
}

static size_t domain_bytes(uint32_t limbo, uint32_t cpus)
{
	return host_round(limbo * sizeof(struct limbo_entry)) +
	       host_round(limbo * sizeof(struct let_go)) +
	       host_round(cpus * sizeof(struct cpu_state));
}

size_t sp_host_size(const struct sp_limits *given)
{
	struct sp_limits limits;

	if (!complete_limits(given, &limits))
		return 0;
	return host_round(sizeof(struct sp_host)) + HOST_ALIGNMENT +
	       host_round(((size_t)limits.domains + limits.functions) * sizeof(struct sp_domain)) +
	       limits.domains * domain_bytes(limits.limbo, limits.cpus) +
	       limits.functions *
		       (domain_bytes(QUARANTINE_LIMBO, 0) + host_round(HOST_FUNCTION_BYTES)) +
	       limits.units * host_round(HOST_UNIT_BYTES) +
	       host_round(HOST_SCOPES * HOST_SCOPE_BYTES) +
	       host_round(HOST_RESERVED * HOST_RESERVED_BYTES);
}

/* What a domain keeps for as long as the host lives, whoever uses the slot. */
static bool furnish_domain(struct sp_host *host, struct sp_domain *domain, bool quarantine)
{
	uint32_t limbo = quarantine ? QUARANTINE_LIMBO : host->limits.limbo;

	domain->host = host;
	domain->quarantine = quarantine;
	domain->limbo.size = limbo;
	domain->limbo.entry = host_alloc(host, limbo * sizeof(*domain->limbo.entry));
	domain->gone_max = limbo;
	domain->gone = host_alloc(host, limbo * sizeof(*domain->gone));
	if (!quarantine)
		domain->cpu_states =
			host_alloc(host, host->limits.cpus * sizeof(*domain->cpu_states));
	return domain->limbo.entry && domain->gone && (quarantine || domain->cpu_states);
}

static bool furnish(struct sp_host *host)
{
	host->domain_count = host->limits.domains + host->limits.functions;
	host->domains = host_alloc(host, host->domain_count * sizeof(*host->domains));
	if (!host->domains)
		return false;
	for (uint32_t i = 0; i < host->domain_count; i++)
		if (!furnish_domain(host, &host->domains[i], i >= host->limits.domains))
			return false;
	return true;
}

struct sp_host *sp_host_create(void *memory, size_t bytes, const struct sp_limits *given,
			       void *embedder)
{
	struct sp_host *host = memory;
	struct sp_limits limits;
	uintptr_t arena;

	if (!memory || (uintptr_t)memory % 16 || !complete_limits(given, &limits) ||
	    bytes < sp_host_size(given))
		return NULL;
	*host = (struct sp_host){ .embedder = embedder, .limits = limits };
	arena = ((uintptr_t)memory + sizeof(*host) + HOST_ALIGNMENT - 1) &
		~(uintptr_t)(HOST_ALIGNMENT - 1);
	host->arena = (uint8_t *)arena;
	host->arena_end = (uint8_t *)memory + bytes;
	/* The message window, in every unit's eyes (VT-d 3.14, 48882 2.1.4). */
	host->special[host->special_count++] =
		(struct forbidden){ 0xfee00, 0xfef00, "the interrupt message window" };
	return furnish(host) ? host : NULL;
}
