/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/domain.c - opening and closing the slot that a domain lives in; its lock; its maps.
 */
#include "sync/domain.h"

void domain_take(struct sp_domain *domain) UNCHECKED
{
	lock_take(&domain->lock, domain->host->embedder);
}

void domain_drop(struct sp_domain *domain) UNCHECKED
{
	struct sp_cpu_set kick;

	if (!domain->kick_any) {
		lock_drop(&domain->lock);
		return;
	}
	kick = domain->kick;
	domain->kick = (struct sp_cpu_set){ { 0 } };
	domain->kick_any = false;
	lock_drop(&domain->lock);
	platform_kick(domain->host->embedder, &kick);
}

/* All but what furnish_domain() gave for good. */
static void reset(struct sp_domain *domain)
{
	struct limbo limbo = { .entry = domain->limbo.entry, .size = domain->limbo.size };

	for (uint32_t i = 0; i <= MAX_UNITS; i++)
		domain->maps[i] = (struct map){ .filling = false };
	for (uint32_t i = 0; i < MAX_WATCHES; i++)
		domain->watches[i] = (struct watch){ 0 };
	domain->mapped = domain->watching = domain->claimed = 0;
	domain->ledger = domain->wanted = domain->gate_owed = 0;
	domain->lazy = domain->counts = false;
	domain->gate = (struct gate){ .closed = 0 };
	domain->relaxed = false;
	domain->batches = 0;
	domain->limbo = limbo;
	domain->reserve.count = 0;
	domain->reserving = domain->merge = (struct span){ 0, 0 };
	domain->split = domain->punch = domain->large = (struct pause){ .number = 0 };
	domain->tables_used = 0;
	domain->reserved_count = 0;
	domain->type_of = NULL;
	domain->pv = NULL;
	domain->asid = 0;
	domain->shared = SP_TABLES_SEPARATE;
	domain->cpu = SP_CPU_NONE;
	domain->table_budget = UINT32_MAX;
	domain->node = domain->host->limits.node;
}

enum sp_status domain_open(struct sp_host *host, bool quarantine, struct sp_domain **domain)
{
	enum sp_status status = SP_NO_SPACE;

	lock_take(&host->lock, host->embedder);
	for (uint32_t i = 0; i < host->domain_count && status != SP_OK; i++) {
		struct sp_domain *slot = &host->domains[i];

		if (slot->quarantine != quarantine)
			continue;
		/* Progress of other CPUs looks into every slot, and a domain's end frees one. */
		domain_take(slot);
		if (slot->state == DOMAIN_FREE) {
			reset(slot);
			slot->life++;
			slot->state = DOMAIN_LIVE;
			*domain = slot;
			status = SP_OK;
		}
		domain_drop(slot);
	}
	lock_drop(&host->lock);
	return status;
}

enum sp_status domain_add_map(struct sp_domain *domain, uint32_t index, const struct format *format,
			      uint32_t levels, uint32_t leaf_levels, bool write_back)
{
	struct map *map = &domain->maps[index];
	enum sp_status status;
	struct tree tree;
	sp_mfn_t root;

	status = platform_frames_take(domain->host->embedder, domain->node, 0, &root);
	if (status != SP_OK)
		return SP_NO_MEMORY;
	tree_make(&tree, format, domain->host->embedder, root, levels);
	tree.mutant = &domain->host->mutant;
	tree.leaf_levels = (uint8_t)(leaf_levels | 1);
	tree.write_back = write_back;
	tree.owns_frames = index == 0;
	if (write_back)
		platform_write_back(domain->host->embedder,
				    platform_pointer(domain->host->embedder, root), SP_FRAME_BYTES);
	domain_take(domain);
	domain->tables_used++;
	domain->maps_added++;
	map->tree = tree;
	domain->mapped |= 1u << index;
	domain_drop(domain);
	return SP_OK;
}

void domain_close(struct sp_domain *domain)
{
	void *embedder = domain->host->embedder;

	domain_take(domain);
	while (domain->reserve.count)
		platform_frames_give(embedder, domain->reserve.page[--domain->reserve.count], 0);
	for (uint32_t i = 0; i <= MAX_UNITS; i++)
		if (domain_has_map(domain, i))
			platform_frames_give(embedder, domain->maps[i].tree.root, 0);
	domain->mapped = 0;
	domain->state = DOMAIN_FREE;
	domain_drop(domain);
}
