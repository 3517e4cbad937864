/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m/domain.c - a guest's domain, and the little that the CPU side of each mode asks for.
 */
#include "p2m/pv.h"
#include "p2m/types.h"

/* What each CPU format is on its own, and where units may walk it too. */
static const struct cpu_side {
	const struct format *alone, *shared;
	bool has_asid;
} cpu_sides[] = {
	[SP_CPU_EPT] = { &format_ept, &format_ept_vtd, false },
	[SP_CPU_NPT] = { &format_npt, &format_npt_amdvi, true },
	[SP_CPU_SHADOW] = { &format_software, &format_software, false },
	[SP_CPU_PV] = { &format_software, &format_software, false },
};

static enum sp_type type_of(uint32_t rights, enum memory_type memory)
{
	enum sp_type type = SP_HOLE;

	(void)p2m_type_of(rights, memory, &type);
	return type;
}

static enum sp_status check_config(const struct sp_domain_config *config)
{
	bool is_shadowed = config->cpu == SP_CPU_SHADOW, is_pv = config->cpu == SP_CPU_PV;

	if (config->cpu != SP_CPU_EPT && config->cpu != SP_CPU_NPT && !is_shadowed && !is_pv)
		return SP_UNSUPPORTED;
	if (is_pv != (config->pv != NULL) || (is_pv && !pv_is_sound(config->pv)))
		return SP_INVALID;
	if (config->tables != SP_TABLES_SHARED && config->tables != SP_TABLES_SEPARATE)
		return SP_INVALID;
	if (is_shadowed != (config->shadows != NULL) || (is_shadowed && !config->shadows->forget))
		return SP_INVALID;
	/* APM 2 15.16: ASID 0 is the host's. */
	if ((cpu_sides[config->cpu].has_asid != (config->asid != 0) && !is_shadowed) ||
	    config->table_budget < 8)
		return SP_INVALID;
	if (config->gate != SP_GATE_EVERY_CPU && config->gate != SP_GATE_ISSUER)
		return SP_INVALID;
	if ((config->cpu_levels != 0 && config->cpu_levels != 4 && config->cpu_levels != 5) ||
	    (config->cpu_large_pages & ~6u))
		return SP_INVALID;
	return SP_OK;
}

enum sp_status sp_domain_create(struct sp_host *host, const struct sp_domain_config *config,
				struct sp_domain **made)
{
	enum sp_status status = check_config(config);
	const struct cpu_side *side;
	struct sp_domain *domain;

	if (status != SP_OK)
		return status;
	status = domain_open(host, false, &domain);
	if (status != SP_OK)
		return status;
	side = &cpu_sides[config->cpu];
	domain_take(domain);
	domain->number = config->number;
	domain->cpu = config->cpu;
	domain->shared = (uint8_t)config->tables;
	domain->asid = config->asid;
	domain->allow_unremapped = config->allow_unremapped;
	domain->relaxed = config->gate == SP_GATE_ISSUER;
	domain->allow_physical = config->allow_physical;
	domain->table_budget = config->table_budget;
	domain->node = config->node;
	domain->type_of = type_of;
	domain_drop(domain);
	status = domain_add_map(domain, 0,
				config->tables == SP_TABLES_SHARED ? side->shared : side->alone,
				config->cpu_levels ? config->cpu_levels : 4,
				config->cpu_large_pages, false);
	if (status != SP_OK) {
		domain_close(domain);
		return status;
	}
	domain_take(domain);
	cpus_open(domain);
	if (config->cpu == SP_CPU_SHADOW)
		shadows_open(domain, config->shadows);
	if (config->cpu == SP_CPU_PV)
		pv_open(domain, config->pv);
	domain_drop(domain);
	*made = domain;
	return SP_OK;
}

static bool has_device(const struct sp_domain *domain)
{
	for (uint32_t i = CPU_WATCH + 1; i <= MAX_UNITS; i++)
		if (domain->watches[i].observer && domain->watches[i].users)
			return true;
	return false;
}

/*
 * Section 7, row 11: the root goes too, so CPUs in guest mode leave it, even where nothing is mapped.
 * What was to become large does not any more; left standing it would call progress for ever.
 */
static void begin_end(struct sp_domain *domain) MUST_HOLD(domain->lock)
{
	struct map *map = &domain->maps[0];
	struct stale stale;

	domain->state = DOMAIN_DYING;
	domain->merge = (struct span){ 0, 0 };
	stale_begin(&stale, NULL, 0);
	stale_add(&stale, WALKER_CPU, KIND_UNLINK, (struct span){ 0, map->tree.frames });
	(void)ledger_enter(domain, map, &stale);
	domain->wanted = UINT64_MAX;
}

/* True when nothing of the domain is left anywhere. */
static bool empty_domain(struct sp_domain *domain) MUST_HOLD(domain->lock)
{
	uint32_t budget = SP_STEP_SLOTS;
	bool empty;

	if (domain->state == DOMAIN_LIVE)
		begin_end(domain);
	empty = domain_let_go(domain);
	ledger_collect(domain);
	limbo_settle(domain, &budget);
	return empty && domain->limbo.count == 0 && ledger_state(domain, domain->ledger) == SP_OK;
}

enum sp_status sp_domain_destroy(struct sp_domain *domain)
{
	bool empty = false, busy;

	domain_take(domain);
	busy = has_device(domain) || !external_are_gone(domain) ||
	       (domain->cpu == SP_CPU_PV && linear_is_loaded(domain));
	if (!busy)
		empty = empty_domain(domain);
	domain_drop(domain);
	if (busy)
		return SP_BUSY;
	if (!empty)
		return SP_PENDING;
	domain_close(domain);
	return SP_OK;
}
