/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/walk.c - who walks the tables, and when.
 *
 *   a slot's new value is seen --> everybody looks: each walk from the root, and from each link that is
 *                                  remembered, and what is found on the way stays
 *   a command, a flush         --> what it covers goes (cache.c); and everybody looks
 *
 * Nobody forgets by himself, and nobody looks later than he could. That loses nothing: the core reads no
 * cache, so it goes on the same whatever is in them; and R and A object to what is remembered, so a cache
 * that holds more is objected to wherever one that holds less would be. Of all the orders in which
 * caches fill and drop, this one has in each of them all that any other has.
 */
#include "explore.h"

const uint64_t *table_slots(uint64_t mfn)
{
	return (const uint64_t *)(const void *)machine->bytes[mfn - TABLE_MFN];
}

static bool is_its_own(const struct looker *walker, uint32_t mfn)
{
	uint8_t use = mfn - GUEST_MFN < GUEST_FRAMES ? machine->guest[mfn - GUEST_MFN] : FRAME_FREE;

	return walker->fresh ? use == FRAME_USED + walker->domain : mfn - GUEST_MFN < GUEST_FRAMES;
}

static void see_leaf(const struct looker *walker, uint64_t slot, uint32_t level, uint32_t first)
{
	uint32_t mfn = FRAME(slot);

	for (uint32_t i = 0; i < 1u << level; i++) {
		if (is_its_own(walker, mfn + i))
			continue;
		violate("R: %s %u finds a way to %s %#x", walker->name, walker->number,
			mfn + i == TRAP_MFN ? "what lay in a page before it was a table, mfn"
					    : "a frame that is not its guest's, mfn",
			mfn + i);
		return;
	}
	cache_remember(walker, (struct entry){ .kind = ENTRY_LEAF,
					       .level = (uint8_t)level,
					       .rights = (uint8_t)(slot & walker->rights),
					       .first = first,
					       .mfn = mfn });
}

/* `level`: of the table's slots. */
static void walk(const struct looker *walker, uint32_t mfn, uint32_t level, uint32_t first)
{
	const uint64_t *table = table_slots(mfn);

	for (uint32_t i = 0; i < 2; i++) {
		uint64_t slot = buffer_hide(&table[i], table[i], NOBODY);
		uint32_t at = first + (i << level);

		if (!IS_PRESENT(slot)) {
			if (walker->absent)
				cache_remember(walker, (struct entry){ .kind = ENTRY_ABSENT,
								       .level = (uint8_t)level,
								       .first = at });
		} else if (level == 0 || IS_LARGE(slot)) {
			see_leaf(walker, slot, level, at);
		} else if (FRAME(slot) - TABLE_MFN >= TABLES) {
			violate("R: %s %u takes mfn %#x for a table", walker->name, walker->number,
				FRAME(slot));
		} else {
			cache_remember(walker, (struct entry){ .kind = ENTRY_LINK,
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
		if (walker.cache->entry[i].kind == ENTRY_LINK &&
		    walker.cache->entry[i].tag == walker.tag)
			links[count++] = walker.cache->entry[i];
	for (uint32_t i = 0; i < count; i++)
		walk(&walker, links[i].mfn, links[i].level - 1u, links[i].first);
}

static uint32_t domain_of(uint64_t root)
{
	for (uint32_t i = 0; i < machine->domains; i++)
		if (machine_root(i, 0) == root)
			return i;
	violate("R: a device's entry leads to mfn 0x%llx, which is no root",
		(unsigned long long)root);
	return 0;
}

/* By the entry that there is, and by each that is remembered (M8). */
static void look_by_entries(uint32_t number)
{
	struct explored_unit *unit = &machine->unit[number];
	struct looker looker = { .cache = &unit->cache,
				 .rights = DEVICE_BITS,
				 .name = "unit",
				 .number = number,
				 .tag = unit->name };
	struct cache before;

	if (unit->root)
		cache_remember(&looker,
			       (struct entry){ .kind = ENTRY_DEVICE, .mfn = (uint32_t)unit->root });
	before = unit->cache;
	for (uint32_t i = 0; i < before.count; i++) {
		if (before.entry[i].kind != ENTRY_DEVICE)
			continue;
		looker.tag = before.entry[i].tag;
		looker.domain = domain_of(before.entry[i].mfn);
		look(looker, before.entry[i].mfn);
	}
}

static void look_unit(uint32_t number)
{
	struct explored_unit *unit = &machine->unit[number];

	for (uint32_t i = 0; i < machine->domains; i++)
		look((struct looker){ .cache = &unit->cache,
				      .rights = DEVICE_BITS,
				      .name = "unit",
				      .number = number,
				      .domain = i,
				      .tag = UNIT_NAME + i,
				      .absent = unit->caching },
		     machine_root(i, unit->map));
}

/* PCI Express base 6.0, 10.2.3: a device's cache asks its unit, and remembers no absent page. */
static void look_atc(uint32_t number)
{
	struct explored_unit *unit = &machine->unit[number];
	const struct looker walker = { .cache = &unit->atc,
				       .rights = DEVICE_BITS,
				       .name = "the cache behind unit",
				       .number = number,
				       .tag = UNIT_NAME,
				       .fresh = true };

	for (uint32_t i = 0; i < unit->cache.count; i++)
		if (entry_is_leaf(&unit->cache.entry[i]) && unit->cache.entry[i].tag == UNIT_NAME)
			cache_remember(&walker, unit->cache.entry[i]);
}

/* An emulator knows no links; it maps page by page. */
static void look_emulator(uint32_t number)
{
	struct cache found = { 0 };
	const struct looker looks = { .cache = &found,
				      .rights = CPU_BITS,
				      .name = "emulator",
				      .number = number,
				      .fresh = true };
	const struct looker keeps = { .cache = &machine->emulator[number].cache,
				      .rights = CPU_BITS,
				      .name = "emulator",
				      .number = number };

	walk(&looks, (uint32_t)machine_root(0, 0), machine->levels - 1, 0);
	for (uint32_t i = 0; i < found.count; i++) {
		struct entry entry = found.entry[i];
		uint32_t end = entry_end(&entry);

		for (entry.level = 0; entry_is_leaf(&entry) && entry.first < end;
		     entry.first++, entry.mfn++)
			cache_remember(&keeps, entry);
	}
}

static uint64_t slot_at(uint64_t root, uint32_t frame, uint32_t *level)
{
	for (*level = machine->levels - 1;; --*level) {
		const uint64_t *at = &table_slots(root)[frame >> *level & 1];
		uint64_t slot = buffer_hide(at, *at, NOBODY);

		if (!IS_PRESENT(slot) || *level == 0 || IS_LARGE(slot))
			return slot;
		root = FRAME(slot);
	}
}

uint32_t says_now(uint64_t root, uint32_t frame, uint32_t heeded, uint32_t *rights)
{
	uint32_t level;
	uint64_t slot = slot_at(root, frame, &level);

	*rights = IS_PRESENT(slot) ? (uint32_t)slot & heeded : 0;
	return FRAME(slot) + (frame & ((1u << level) - 1));
}

/* On the way up the device's map is written first, on the way down the CPU's. */
static void check_order(uint32_t domain)
{
	uint32_t cpu, device;

	for (uint32_t frame = 0; frame < 1u << machine->levels; frame++) {
		(void)says_now(machine_root(domain, 0), frame, CPU_BITS, &cpu);
		(void)says_now(machine_root(domain, 1), frame, DEVICE_BITS, &device);
		if ((cpu & CPU_READ && !(device & DEVICE_READ)) ||
		    (cpu & CPU_WRITE && !(device & DEVICE_WRITE)))
			violate("order: a CPU reaches frame %u and its device does not", frame);
	}
}

void caches_look(void)
{
	for (uint32_t i = 0; i < machine->domains; i++)
		if (machine->domain[i]->mapped >> 1 & 1)
			check_order(i);
	for (uint32_t i = 0; i < machine->units; i++) {
		if (machine->unit[i].moves)
			look_by_entries(i);
		else
			look_unit(i);
		if (machine->unit[i].has_atc)
			look_atc(i);
	}
	for (uint32_t i = 0; i < machine->cpus; i++)
		if (machine->cpu[i].in_guest)
			look((struct looker){ .cache = &machine->cpu[i].cache,
					      .rights = CPU_BITS,
					      .name = "cpu",
					      .number = i,
					      .domain = machine->cpu[i].domain,
					      .tag = machine->cpu[i].tag },
			     machine->cpu[i].root);
	for (uint32_t i = 0; i < machine->emulators; i++)
		if (machine->emulator[i].observer && !machine->emulator[i].dead)
			look_emulator(i);
}
