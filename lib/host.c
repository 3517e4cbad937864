/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/host.c - the arena, and the ranges that nothing may be mapped to.
 */
#include "lib/host.h"

size_t host_round(size_t bytes)
{
	return (bytes + HOST_ALIGNMENT - 1) & ~(size_t)(HOST_ALIGNMENT - 1);
}

void *host_alloc(struct sp_host *host, size_t bytes)
{
	uint8_t *at = host->arena;

	bytes = host_round(bytes);
	if (bytes > (size_t)(host->arena_end - at))
		return NULL;
	host->arena = at + bytes;
	for (size_t i = 0; i < bytes; i++)
		at[i] = 0;
	return at;
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
	bool is_cell = mutant >= SP_MUT_CELL_BASE && mutant < SP_MUT_CELL_END;

	if ((mutant >= SP_MUT_COUNT && !is_cell) || !MUTANTS_BUILT)
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
		[SP_REFERENCED] = "somebody else refers to the frame",
		[SP_LOST] = "an observer was lost",
		[SP_STALE] = "looked for in a map that is no more",
	};

	return (uint32_t)status < SP_STATUS_COUNT ? text[status] : "unknown status";
}
