/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/host.c - the arena, and what of it is carved when a host is made.
 */
#include "sync/domain.h"

#define HOST_ALIGNMENT 64u
#define MAX_DOMAINS    4096u
#define MAX_FUNCTIONS  4096u
#define MAX_LIMBO      (1u << 20)

static size_t rounded(size_t bytes)
{
	return (bytes + HOST_ALIGNMENT - 1) & ~(size_t)(HOST_ALIGNMENT - 1);
}

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
	       limits->units <= MAX_UNITS && limits->functions <= MAX_FUNCTIONS &&
	       limits->limbo >= SP_STEP_SLOTS + 16 && limits->limbo <= MAX_LIMBO;
}

static size_t domain_bytes(uint32_t limbo, uint32_t cpus)
{
	return rounded(limbo * sizeof(struct limbo_entry)) +
	       rounded(limbo * sizeof(struct let_go)) + rounded(cpus * sizeof(struct cpu_state));
}

size_t sp_host_size(const struct sp_limits *given)
{
	struct sp_limits limits;

	if (!complete_limits(given, &limits))
		return 0;
	return rounded(sizeof(struct sp_host)) + HOST_ALIGNMENT +
	       rounded(((size_t)limits.domains + limits.functions) * sizeof(struct sp_domain)) +
	       limits.domains * domain_bytes(limits.limbo, limits.cpus) +
	       limits.functions *
		       (domain_bytes(QUARANTINE_LIMBO, 0) + rounded(HOST_FUNCTION_BYTES)) +
	       limits.units * rounded(HOST_UNIT_BYTES) + rounded(HOST_SCOPES * HOST_SCOPE_BYTES) +
	       rounded(HOST_RESERVED * HOST_RESERVED_BYTES);
}

void *host_alloc(struct sp_host *host, size_t bytes)
{
	uint8_t *at = host->arena;

	bytes = rounded(bytes);
	if (bytes > (size_t)(host->arena_end - at))
		return NULL;
	host->arena = at + bytes;
	for (size_t i = 0; i < bytes; i++)
		at[i] = 0;
	return at;
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

enum sp_status sp_host_forbid(struct sp_host *host, sp_mfn_t first, uint64_t count, const char *why)
{
	if (count == 0 || first.mfn + count < first.mfn)
		return SP_INVALID;
	if (host->forbidden_count == HOST_FORBIDDEN)
		return SP_NO_SPACE;
	host->forbidden[host->forbidden_count++] =
		(struct forbidden){ first.mfn, first.mfn + count, why };
	return SP_OK;
}

static const char *find_overlap(const struct forbidden *ranges, uint32_t range_count,
				uint64_t first, uint64_t count)
{
	for (uint32_t i = 0; i < range_count; i++)
		if (first < ranges[i].end && ranges[i].first < first + count)
			return ranges[i].why;
	return NULL;
}

const char *host_forbids(const struct sp_host *host, uint64_t first_mfn, uint64_t count)
{
	return find_overlap(host->forbidden, host->forbidden_count, first_mfn, count);
}

const char *host_treats_specially(const struct sp_host *host, uint64_t first_dfn, uint64_t count)
{
	return find_overlap(host->special, host->special_count, first_dfn, count);
}

enum sp_status host_add_special(struct sp_host *host, uint64_t first_dfn, uint64_t end,
				const char *why)
{
	if (host->special_count == HOST_SPECIAL)
		return SP_NO_SPACE;
	host->special[host->special_count++] = (struct forbidden){ first_dfn, end, why };
	return SP_OK;
}

void host_log(const struct sp_host *host, enum sp_log level, const char *line)
{
	platform_log(host->embedder, level, line);
}

enum sp_status sp_mutant_choose(struct sp_host *host, uint32_t mutant)
{
	if (mutant >= SP_MUT_COUNT || !MUTANTS_BUILT)
		return SP_UNSUPPORTED;
	host->mutant = mutant;
	return SP_OK;
}

const char *sp_status_text(enum sp_status status)
{
	static const char *const text[SP_STATUS_COUNT] = {
		[SP_OK] = "ok",
		[SP_PENDING] = "not yet",
		[SP_BUSY] = "busy: wait, then repeat",
		[SP_NO_MEMORY] = "no memory, or the budget is used up",
		[SP_NO_SPACE] = "a fixed table is full",
		[SP_INVALID] = "invalid arguments",
		[SP_RANGE] = "beyond what the map can address",
		[SP_RESERVED_RANGE] = "a reserved range",
		[SP_UNSUPPORTED] = "not supported by this map, unit or machine",
		[SP_SHARED_REQUESTER] = "the requester id has another owner",
		[SP_NOT_FOUND] = "not found",
		[SP_MALFORMED] = "malformed",
		[SP_LOST] = "an observer was lost",
	};

	return (uint32_t)status < SP_STATUS_COUNT ? text[status] : "unknown status";
}
