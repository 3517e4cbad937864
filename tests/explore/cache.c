/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/cache.c - who walks the tables, what they remember, and when that is a violation.
 *
 *   a slot's new value is seen --> everybody looks: each walk from the root, and from each link that is
 *                                  remembered, and what is found on the way stays
 *   a command, a flush         --> what it covers goes; and everybody looks
 *
 * Nobody forgets by himself, and nobody looks later than he could. That loses nothing: the core reads no
 * cache, so it goes on the same whatever is in them; and R and A object to what is remembered, so a cache
 * that holds more is objected to wherever one that holds less would be. Of all the orders in which
 * caches fill and drop, this one has in each of them all that any other has.
 */
#include <stdio.h>
#include <string.h>

#include "explore.h"

#define CPU_BITS	 7u
#define DEVICE_BITS	 24u

/* pagetable/toy.c in other words: rights in 4:0, a large leaf by bit 7, two slots a table. */
#define IS_PRESENT(slot) ((slot)&1)
#define IS_LARGE(slot)	 ((slot) >> 7 & 1)
#define FRAME(slot)	 ((uint32_t)((slot) >> 12))

struct looker {
	struct cache *cache;
	uint32_t rights; /* those that it heeds */
	const char *name;
	uint32_t number;
	bool absent; /* it remembers what is not there */
	bool fresh;  /* it comes from the root */
};

/* ---- what is remembered ---- */

static int compare(const struct entry *a, const struct entry *b)
{
	return memcmp(a, b, sizeof(*a));
}

static uint32_t end_of(const struct entry *entry)
{
	return entry->first + (1u << entry->level);
}

static bool overlaps(const struct entry *entry, uint64_t first, uint64_t end)
{
	return entry->first < end && first < end_of(entry);
}

static bool is_leaf(const struct entry *entry)
{
	return entry->kind == ENTRY_LEAF;
}

/* X7: an old large page beside a new small one that differs. */
static void check_mixture(const struct looker *walker, const struct entry *new)
{
	for (uint32_t i = 0; i < walker->cache->count; i++) {
		const struct entry *old = &walker->cache->entry[i];

		if (is_leaf(old) && !old->condemned &&
		    old->level > new->level &&overlaps(old, new->first, end_of(new)) &&
		    (old->rights != new->rights ||
		     old->mfn + (new->first - old->first) != new->mfn))
			violate("A: %s %u remembers frame %u in an old page of order %u and in a new one "
				"of order %u that differs",
				walker->name, walker->number, new->first, old->level, new->level);
	}
}

static void remember(const struct looker *walker, struct entry entry)
{
	struct cache *cache = walker->cache;
	uint32_t at = 0;

	if (is_leaf(&entry) && walker->fresh)
		check_mixture(walker, &entry);
	while (at < cache->count && compare(&cache->entry[at], &entry) < 0)
		at++;
	if (at < cache->count && compare(&cache->entry[at], &entry) == 0)
		return;
	if (cache->count == CACHED_MOST) {
		violate("explorer: a cache is too small");
		return;
	}
	memmove(&cache->entry[at + 1], &cache->entry[at], (cache->count - at) * sizeof(entry));
	cache->entry[at] = entry;
	cache->count++;
}

/* Keeps those of which `keeps` says so. */
static void keep(struct cache *cache, bool (*keeps)(const struct entry *, const void *),
		 const void *argument)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < cache->count; i++)
		if (keeps(&cache->entry[i], argument))
			cache->entry[kept++] = cache->entry[i];
	memset(&cache->entry[kept], 0, (cache->count - kept) * sizeof(struct entry));
	cache->count = kept;
}

/* ---- walks ---- */

static void see_leaf(const struct looker *walker, uint64_t slot, uint32_t level, uint32_t first)
{
	uint32_t mfn = FRAME(slot);

	for (uint32_t i = 0; i < 1u << level; i++) {
		if (mfn + i - GUEST_MFN < GUEST_FRAMES &&
		    (machine->guest[mfn + i - GUEST_MFN] == FRAME_USED || !walker->fresh))
			continue;
		violate("R: %s %u finds a way to %s %#x", walker->name, walker->number,
			mfn + i == TRAP_MFN ? "what lay in a page before it was a table, mfn"
					    : "a frame that is nobody's, mfn",
			mfn + i);
		return;
	}
	remember(walker, (struct entry){ .kind = ENTRY_LEAF,
					 .level = (uint8_t)level,
					 .rights = (uint8_t)(slot & walker->rights),
					 .first = first,
					 .mfn = mfn });
}

/* `level`: of the table's slots. */
static void walk(const struct looker *walker, uint32_t mfn, uint32_t level, uint32_t first)
{
	const uint64_t *table = (const uint64_t *)(const void *)machine->bytes[mfn - TABLE_MFN];

	for (uint32_t i = 0; i < 2; i++) {
		uint64_t slot = buffer_hide(&table[i], table[i], NOBODY);
		uint32_t at = first + (i << level);

		if (!IS_PRESENT(slot)) {
			if (walker->absent)
				remember(walker, (struct entry){ .kind = ENTRY_ABSENT,
								 .level = (uint8_t)level,
								 .first = at });
		} else if (level == 0 || IS_LARGE(slot)) {
			see_leaf(walker, slot, level, at);
		} else if (FRAME(slot) - TABLE_MFN >= TABLES) {
			violate("R: %s %u takes mfn %#x for a table", walker->name, walker->number,
				FRAME(slot));
		} else {
			remember(walker, (struct entry){ .kind = ENTRY_LINK,
							 .level = (uint8_t)level,
							 .first = at,
							 .mfn = FRAME(slot) });
			walk(walker, FRAME(slot), level - 1, at);
		}
	}
}

static void look(struct looker walker, uint64_t root)
{
	struct entry links[CACHED_MOST];
	uint32_t count = 0;

	walker.fresh = true;
	walk(&walker, (uint32_t)root, machine->levels - 1, 0);
	walker.fresh = false;
	for (uint32_t i = 0; i < walker.cache->count; i++)
		if (walker.cache->entry[i].kind == ENTRY_LINK)
			links[count++] = walker.cache->entry[i];
	for (uint32_t i = 0; i < count; i++)
		walk(&walker, links[i].mfn, links[i].level - 1u, links[i].first);
}

static struct looker walker_of(uint32_t unit)
{
	return (struct looker){ .cache = &machine->unit[unit].cache,
				.rights = DEVICE_BITS,
				.name = "unit",
				.number = unit,
				.absent = machine->unit[unit].caching };
}

/* PCI Express base 6.0, 10.2.3: a device's cache asks its unit, and remembers no absent page. */
static void look_atc(uint32_t unit)
{
	struct explored_unit *of = &machine->unit[unit];
	const struct looker walker = { &of->atc, DEVICE_BITS, "the cache behind unit",
				       unit,	 false,	      true };

	for (uint32_t i = 0; i < of->cache.count; i++)
		if (is_leaf(&of->cache.entry[i]))
			remember(&walker, of->cache.entry[i]);
}

/* An emulator knows no links; it maps page by page. */
static void look_emulator(void)
{
	struct cache found = { 0 };
	const struct looker looks = { &found, CPU_BITS, "the emulator", 0, false, true };
	const struct looker keeps = {
		&machine->emulator.cache, CPU_BITS, "the emulator", 0, false, false
	};

	walk(&looks, (uint32_t)machine->domain->maps[0].tree.root.mfn, machine->levels - 1, 0);
	for (uint32_t i = 0; i < found.count; i++) {
		struct entry entry = found.entry[i];
		uint32_t end = end_of(&entry);

		for (entry.level = 0; is_leaf(&entry) && entry.first < end;
		     entry.first++, entry.mfn++)
			remember(&keeps, entry);
	}
}

static uint64_t slot_at(uint64_t root, uint32_t frame, uint32_t *level)
{
	for (*level = machine->levels - 1;; --*level) {
		const uint64_t *table =
			(const uint64_t *)(const void *)machine->bytes[root - TABLE_MFN];
		const uint64_t *at = &table[frame >> *level & 1];
		uint64_t slot = buffer_hide(at, *at, NOBODY);

		if (!IS_PRESENT(slot) || *level == 0 || IS_LARGE(slot))
			return slot;
		root = FRAME(slot);
	}
}

/* Frame and rights that the tables say now; rights 0: none. */
static uint32_t says_now(uint64_t root, uint32_t frame, uint32_t heeded, uint32_t *rights)
{
	uint32_t level;
	uint64_t slot = slot_at(root, frame, &level);

	*rights = IS_PRESENT(slot) ? (uint32_t)slot & heeded : 0;
	return FRAME(slot) + (frame & ((1u << level) - 1));
}

/* On the way up the device's map is written first, on the way down the CPU's. */
static void check_order(void)
{
	const struct map *maps = machine->domain->maps;
	uint32_t cpu, device;

	for (uint32_t frame = 0; frame < 1u << machine->levels; frame++) {
		(void)says_now(maps[0].tree.root.mfn, frame, CPU_BITS, &cpu);
		(void)says_now(maps[1].tree.root.mfn, frame, DEVICE_BITS, &device);
		if ((cpu & CPU_READ && !(device & DEVICE_READ)) ||
		    (cpu & CPU_WRITE && !(device & DEVICE_WRITE)))
			violate("order: a CPU reaches frame %u and its device does not", frame);
	}
}

void caches_look(void)
{
	if (machine->domain->mapped >> 1 & 1)
		check_order();
	for (uint32_t i = 0; i < machine->units; i++) {
		look(walker_of(i), machine->domain->maps[machine->unit[i].map].tree.root.mfn);
		if (machine->unit[i].has_atc)
			look_atc(i);
	}
	for (uint32_t i = 0; i < machine->cpus; i++)
		if (machine->cpu[i].in_guest)
			look((struct looker){ .cache = &machine->cpu[i].cache,
					      .rights = CPU_BITS,
					      .name = "cpu",
					      .number = i },
			     machine->cpu[i].root);
	if (machine->emulators)
		look_emulator();
}

/* ---- units ---- */

/* What a command leaves: a page wider than it, and links unless it says so. VT-d 6.5.2.3. */
static bool survives(const struct entry *entry, const void *argument)
{
	const struct command *command = argument;
	uint64_t first = command->first, end = first + (1ull << command->order);

	if (command->kind == COMMAND_DOMAIN || command->kind == COMMAND_ALL ||
	    command->kind == COMMAND_ATC_ALL)
		return false;
	if (entry->kind == ENTRY_LINK)
		return !command->links || !overlaps(entry, first, end);
	return entry->first < first || end_of(entry) > end;
}

void unit_execute(uint32_t number)
{
	struct explored_unit *unit = &machine->unit[number];
	const struct queued first = unit->queue[0];

	unit->count--;
	memmove(&unit->queue[0], &unit->queue[1], unit->count * sizeof(first));
	memset(&unit->queue[unit->count], 0, sizeof(first));
	if (first.wait)
		unit->reached = first.wait;
	else if (first.command.kind == COMMAND_ATC_PAGES || first.command.kind == COMMAND_ATC_ALL)
		keep(&unit->atc, survives, &first.command);
	else
		keep(&unit->cache, survives, &first.command);
	caches_look();
}

/* ---- CPUs ---- */

static bool wakes(const struct cache *cache)
{
	for (uint32_t i = 0; i < cache->count; i++)
		if (cache->entry[i].condemned)
			return true;
	return false;
}

void cpu_enter(uint32_t number, const struct sp_entry *entry)
{
	struct cpu *cpu = &machine->cpu[number];

	if (entry->flush)
		memset(&cpu->cache, 0, sizeof(cpu->cache));
	if (wakes(&cpu->cache))
		violate("R: cpu %u enters and wakes what it remembers of a released frame", number);
	cpu->root = entry->root.maddr >> 12;
	cpu->in_guest = 1;
	if (!cpu->kicked && !is_changing() && emulator_lags())
		violate("A: cpu %u enters, and the emulator still has what went before", number);
	caches_look();
}

/* ---- the emulator ---- */

/* True where the entry grants what the tables do not, or the other way round where `exact`. */
static bool differs(const struct entry *entry, uint64_t root, uint32_t heeded, bool exact)
{
	uint32_t rights;

	if (entry->kind == ENTRY_LINK)
		return false;
	for (uint32_t frame = entry->first; frame < end_of(entry); frame++) {
		uint32_t mfn = says_now(root, frame, heeded, &rights);

		if (entry->kind == ENTRY_ABSENT ? rights != 0
						: mfn != entry->mfn + (frame - entry->first) ||
							  (entry->rights & ~rights) ||
							  (exact && rights != entry->rights))
			return true;
	}
	return false;
}

static uint64_t cpu_root(void)
{
	return machine->domain->maps[0].tree.root.mfn;
}

bool emulator_lags(void)
{
	for (uint32_t i = 0; i < machine->emulator.cache.count; i++)
		if (differs(&machine->emulator.cache.entry[i], cpu_root(), CPU_BITS, false))
			return true;
	return false;
}

static bool is_not_asked(const struct entry *entry, const void *argument)
{
	const struct sp_forget *what = argument;

	for (uint32_t i = 0; i < what->run_count; i++)
		if (entry->first >= what->run[i].first &&
		    entry->first - what->run[i].first < what->run[i].count)
			return false;
	return !what->all;
}

void emulator_forget(void)
{
	keep(&machine->emulator.cache, is_not_asked, &machine->emulator.asked);
	caches_look();
}

/* ---- oracles ---- */

static void check_cache(struct cache *cache, const char *who, uint32_t number, uint64_t mfn,
			uint64_t count, bool table, bool asleep, const char *how)
{
	for (uint32_t i = 0; i < cache->count; i++) {
		struct entry *entry = &cache->entry[i];
		uint64_t size = is_leaf(entry) ? 1ull << entry->level : 1;

		if (entry->kind != (table ? ENTRY_LINK : ENTRY_LEAF) || entry->mfn >= mfn + count ||
		    mfn >= entry->mfn + size)
			continue;
		if (asleep)
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
		check_cache(&machine->unit[i].cache, "unit", i, mfn, count, table, false, how);
		check_cache(&machine->unit[i].atc, "the cache behind unit", i, mfn, count, table,
			    false, how);
	}
	for (uint32_t i = 0; i < machine->cpus; i++)
		check_cache(&machine->cpu[i].cache, "cpu", i, mfn, count, table,
			    !machine->cpu[i].in_guest, how);
	check_cache(&machine->emulator.cache, "emulator", 0, mfn, count, table, false, how);
}

static void check_settled(const struct cache *cache, const char *who, uint32_t number,
			  uint64_t root, uint32_t heeded, const char *when)
{
	for (uint32_t i = 0; i < cache->count; i++)
		if (differs(&cache->entry[i], root, heeded, heeded == DEVICE_BITS))
			violate("A: %s, and %s %u remembers frame %u, order %u, as it was", when,
				who, number, cache->entry[i].first, cache->entry[i].level);
}

/* Nothing is owed: then nobody remembers what the tables do not say. */
void caches_check_settled(const char *when)
{
	for (uint32_t i = 0; i < machine->units; i++) {
		const struct explored_unit *unit = &machine->unit[i];
		uint64_t root = machine->domain->maps[unit->map].tree.root.mfn;

		check_settled(&unit->cache, "unit", i, root, DEVICE_BITS, when);
		check_settled(&unit->atc, "the cache behind unit", i, root, DEVICE_BITS, when);
	}
	for (uint32_t i = 0; i < machine->cpus; i++)
		if (machine->cpu[i].in_guest)
			check_settled(&machine->cpu[i].cache, "cpu", i, cpu_root(), CPU_BITS, when);
	check_settled(&machine->emulator.cache, "the emulator", 0, cpu_root(), CPU_BITS, when);
}

static uint64_t count_tables(uint64_t mfn, uint32_t level)
{
	const uint64_t *table = (const uint64_t *)(const void *)machine->bytes[mfn - TABLE_MFN];
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
uint64_t tables_count(void)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < 1 + UNITS; i++)
		if (machine->domain->mapped >> i & 1)
			count += count_tables(machine->domain->maps[i].tree.root.mfn,
					      machine->levels - 1);
	return count;
}
