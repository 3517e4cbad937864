/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/oracle.c - what must not be remembered: of what is released (R), of what is settled (A), and by
 * whom, when a guest goes on (A4.2).
 */
#include <string.h>

#include "explore.h"

static bool wakes(const struct cpu *cpu)
{
	for (uint32_t i = 0; i < cpu->cache.count; i++)
		if (cpu->cache.entry[i].condemned && cpu->cache.entry[i].tag == cpu->tag)
			return true;
	return false;
}

void cpu_enter(uint32_t number, uint32_t domain, const struct sp_entry *entry)
{
	struct cpu *cpu = &machine->cpu[number];

	cpu->domain = domain;
	cpu->root = entry->root.maddr >> 12;
	cpu->tag = machine->npt ? domain : (uint32_t)cpu->root;
	if (entry->flush)
		cache_drop_tag(&cpu->cache, cpu->tag);
	if (wakes(cpu))
		violate("R: cpu %u enters and wakes what it remembers of a released frame", number);
	cpu->in_guest = 1;
	if (domain == 0 && !cpu->kicked && !is_changing(0) && emulator_lags())
		violate("A: cpu %u enters, and the emulator still has what went before", number);
	caches_look();
}

/* True where the entry grants what the tables do not, or the other way round where `exact`. */
static bool differs(const struct entry *entry, uint64_t root, uint32_t heeded, bool exact)
{
	uint32_t rights;

	if (entry->kind == ENTRY_LINK || entry->kind == ENTRY_DEVICE)
		return false;
	for (uint32_t frame = entry->first; frame < entry_end(entry); frame++) {
		uint32_t mfn = says_now(root, frame, heeded, &rights);

		if (entry->kind == ENTRY_ABSENT ? rights != 0
						: mfn != entry->mfn + (frame - entry->first) ||
							  (entry->rights & ~rights) ||
							  (exact && rights != entry->rights))
			return true;
	}
	return false;
}

bool emulator_lags(void)
{
	for (uint32_t i = 0; i < machine->emulators; i++) {
		const struct cache *cache = &machine->emulator[i].cache;

		for (uint32_t k = 0; k < cache->count; k++)
			if (differs(&cache->entry[k], machine_root(0, 0), CPU_BITS, false))
				return true;
	}
	return false;
}

static void check_cache(struct cache *cache, const char *who, uint32_t number, uint64_t mfn,
			uint64_t count, bool table, const struct cpu *sleeper, const char *how)
{
	for (uint32_t i = 0; i < cache->count; i++) {
		struct entry *entry = &cache->entry[i];
		uint64_t size = entry_is_leaf(entry) ? 1ull << entry->level : 1;

		if (entry->kind != (table ? ENTRY_LINK : ENTRY_LEAF) || entry->mfn >= mfn + count ||
		    mfn >= entry->mfn + size)
			continue;
		if (sleeper && (!sleeper->in_guest || sleeper->tag != entry->tag))
			entry->condemned = 1;
		else
			violate("R: mfn %#llx is %s, and %s %u remembers it at frame %u, order %u",
				(unsigned long long)mfn, how, who, number, entry->first,
				entry->level);
	}
}

void caches_check_release(uint64_t mfn, uint64_t count, bool table, const char *how)
{
	for (uint32_t i = 0; i < machine->units; i++) {
		check_cache(&machine->unit[i].cache, "unit", i, mfn, count, table, NULL, how);
		check_cache(&machine->unit[i].atc, "the cache behind unit", i, mfn, count, table,
			    NULL, how);
	}
	for (uint32_t i = 0; i < machine->cpus; i++)
		check_cache(&machine->cpu[i].cache, "cpu", i, mfn, count, table, &machine->cpu[i],
			    how);
	for (uint32_t i = 0; i < machine->emulators; i++)
		check_cache(&machine->emulator[i].cache, "emulator", i, mfn, count, table, NULL,
			    how);
}

static void check_settled(const struct looker *of, uint64_t root, const char *when)
{
	const struct cache *cache = of->cache;

	for (uint32_t i = 0; i < cache->count; i++)
		if (cache->entry[i].tag == of->tag &&
		    differs(&cache->entry[i], root, of->rights, of->rights == DEVICE_BITS))
			violate("A: %s, and %s %u remembers frame %u, order %u, as it was", when,
				of->name, of->number, cache->entry[i].first, cache->entry[i].level);
}

static void check_unit(uint32_t number, uint32_t domain, const char *when)
{
	struct explored_unit *unit = &machine->unit[number];
	struct looker of = { .cache = &unit->cache,
			     .rights = DEVICE_BITS,
			     .name = "unit",
			     .number = number,
			     .tag = unit_tag(number, domain) };

	check_settled(&of, machine_root(domain, unit->map), when);
	of.cache = &unit->atc;
	of.name = "the cache behind unit";
	check_settled(&of, machine_root(domain, unit->map), when);
}

void caches_check_moved(const char *when)
{
	for (uint32_t i = 0; i < machine->units; i++) {
		const struct explored_unit *unit = &machine->unit[i];

		for (uint32_t k = 0; unit->moves && k < unit->cache.count; k++)
			if (unit->cache.entry[k].tag != unit->name)
				violate("A: %s, and unit %u remembers something under name %u, which is "
					"nobody's",
					when, i, unit->cache.entry[k].tag);
	}
}

void caches_check_settled(uint32_t domain, const char *when)
{
	uint64_t root = machine_root(domain, 0);

	for (uint32_t i = 0; i < machine->units; i++)
		check_unit(i, domain, when);
	for (uint32_t i = 0; i < machine->cpus; i++)
		if (machine->cpu[i].in_guest && machine->cpu[i].domain == domain)
			check_settled(&(struct looker){ .cache = &machine->cpu[i].cache,
							.rights = CPU_BITS,
							.name = "cpu",
							.number = i,
							.tag = machine->cpu[i].tag },
				      root, when);
	for (uint32_t i = 0; domain == 0 && i < machine->emulators; i++)
		check_settled(&(struct looker){ .cache = &machine->emulator[i].cache,
						.rights = CPU_BITS,
						.name = "emulator",
						.number = i },
			      root, when);
}

static uint64_t count_tables(uint64_t mfn, uint32_t level)
{
	const uint64_t *table = table_slots(mfn);
	uint64_t count = 1;

	for (uint32_t i = 0; i < 2; i++) {
		if (level == 0 || !IS_PRESENT(table[i])) {
			continue;
		}
		if (!IS_LARGE(table[i]))
			count += count_tables(FRAME(table[i]), level - 1);
	}
	return count;
}

/* Those that somebody walks. */
uint64_t tables_count(uint32_t domain)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < 2; i++)
		if (machine->domain[domain]->mapped >> i & 1)
			count += count_tables(machine_root(domain, i), machine->levels - 1);
	return count;
}
