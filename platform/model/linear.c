/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/linear.c - CPUs of a hypervisor that runs on its guest's own tables (direct paging).
 *
 *   root[L4] --> L3 --> L2 --> L1 --> page                                  the guest's tables
 *   root[slot] = root: the address slot | L4 L3 L2 L1 >> 9 leads to the L1 table of L4 L3 L2 L1
 *                                                                           the linear map
 *   copy of root (but for that slot)                                        what guest mode runs on
 *
 * A CPU has one cache with two tags, the hypervisor's and the guest's: leaves of linear addresses and of
 * the guest's, and links at each level (SDM 3A 5.10.3). It keeps them until it flushes, or writes CR3;
 * the guest's sleep outside guest mode, and wake with the next entry unless the copy is made again. An
 * entry above the last level is in use twice (5.10.4): as a link on a guest's way, and as a link or leaf
 * on a linear one.
 */
#include <string.h>

#include "machine.h"

#define ROOT_LEVEL    3u
#define PAGE	      0u
#define TAG_HOST      (1ull << 60)
#define TAG_GUEST     (1ull << 59)
#define PRESENT	      1ull
#define WRITABLE      2ull
#define NEVER_COPIED  ((1ull << 5) | (1ull << 6) | (7ull << 9)) /* A, D and what is ignored */
#define RELAXES_UNTIL 3u

/* --- walks ----------------------------------------------------------------------------------- */

static uint32_t index_of(uint64_t page, uint32_t level)
{
	return (uint32_t)(page >> 9 * level) % SLOTS;
}

uint64_t linear_page(const struct model *model, uint64_t page)
{
	return (uint64_t)model->linear_slot << 27 | (page & ((1ull << 36) - 1)) >> 9;
}

/* The guest's walk begins at the copy. */
static uint64_t load_slot(struct model *model, const struct linear_cpu *cpu, uint64_t tag,
			  uint64_t frame, uint32_t level, uint64_t page)
{
	uint32_t index = index_of(page, level);
	bool answered;

	if (tag == TAG_GUEST && level == ROOT_LEVEL && frame == cpu->root)
		return cpu->copy[index];
	return ram_load(model, VIEW_CPU, (frame << FRAME_ORDER) + 8 * index, &answered);
}

/* Walks from the lowest link that the CPU remembers, or the root; fills what it sees. */
static bool walk(struct model *model, struct linear_cpu *cpu, uint64_t tag, uint64_t page,
		 bool fresh, struct entry *leaf)
{
	const struct entry *link = NULL;
	uint64_t frame = cpu->root, value;
	uint32_t level = ROOT_LEVEL;
	uint8_t rights = MODEL_READ | MODEL_WRITE;

	if (!fresh)
		link = cache_find(model, &cpu->cache, ENTRY_LINK, tag, page);
	if (link) {
		frame = link->frame;
		level = link->level;
		rights = link->rights;
	}
	for (;; level--) {
		struct entry entry = { .look = tag,
				       .first = page >> 9 * level << 9 * level,
				       .order = 9 * level };

		value = load_slot(model, cpu, tag, frame, level, page);
		if (!(value & PRESENT))
			return false;
		frame = entry.frame = (value & 0xffffffffff000ull) >> FRAME_ORDER;
		rights &= value & WRITABLE ? MODEL_READ | MODEL_WRITE : MODEL_READ;
		entry.rights = rights;
		if (level == PAGE) {
			entry.kind = ENTRY_LEAF;
			*leaf = entry;
			cache_add(model, &cpu->cache, &entry);
			return true;
		}
		entry.kind = ENTRY_LINK;
		entry.level = (uint8_t)(level - 1);
		cache_add(model, &cpu->cache, &entry);
	}
}

static bool leads_there(const struct entry *entry, const void *argument)
{
	const struct entry *wanted = argument;

	return entry->look == wanted->look && entry_touches(entry, wanted->first, 0);
}

/* A fault takes with it whatever denied the access, and heals when it is tried again (SDM 3A 5.10.4.1). */
static bool find(struct model *model, struct linear_cpu *cpu, uint64_t tag, uint64_t page,
		 enum model_access access, struct entry *leaf)
{
	const struct entry *known = cache_find(model, &cpu->cache, ENTRY_LEAF, tag, page);
	const struct entry wanted = { .look = tag, .first = page };

	if (known && (known->rights & access) == access) {
		*leaf = *known;
		return true;
	}
	if (!known && walk(model, cpu, tag, page, false, leaf) && (leaf->rights & access) == access)
		return true;
	cache_drop(&cpu->cache, leads_there, &wanted);
	return walk(model, cpu, tag, page, true, leaf) && (leaf->rights & access) == access;
}

/* What the tables say, without any cache: the judge's. */
static uint64_t table_of(struct model *model, const struct linear_cpu *cpu, uint64_t page)
{
	uint64_t frame = cpu->root;

	for (uint32_t level = ROOT_LEVEL; level > PAGE; level--) {
		uint64_t value = load_slot(model, cpu, TAG_HOST, frame, level, page);

		if (!(value & PRESENT))
			return 0;
		frame = (value & 0xffffffffff000ull) >> FRAME_ORDER;
	}
	return frame;
}

/* --- speculation ----------------------------------------------------------------------------- */

void model_linear_watch(struct model *model, uint64_t address)
{
	uint32_t count = model->linear_watched_count;

	if (count < MODEL_MAX_WATCHED) {
		model->linear_watched[count] = address >> FRAME_ORDER;
		model->linear_watched_count++;
	}
}

void linear_look(struct model *model)
{
	bool often = model->config.adversary == MODEL_ADVERSARY_MAX;
	struct entry leaf;

	for (uint32_t i = 0; i < model->config.cpus; i++) {
		struct linear_cpu *cpu = &model->linear[i];

		for (uint32_t w = 0; cpu->root && w < model->linear_watched_count; w++) {
			uint64_t page = model->linear_watched[w];

			if (!often && model_draw(model, 3))
				continue;
			/* Both ways: afresh, and from whatever is remembered. */
			for (int fresh = 0; fresh < 2; fresh++) {
				uint64_t at = linear_page(model, page);

				(void)walk(model, cpu, TAG_HOST, at, fresh, &leaf);
				(void)walk(model, cpu, TAG_HOST, linear_page(model, at), fresh,
					   &leaf);
				if (cpu->in_guest)
					(void)walk(model, cpu, TAG_GUEST, page, fresh, &leaf);
			}
		}
		if (!often && cpu->root)
			cache_drop_some(model, &cpu->cache);
	}
}

/* --- what a CPU does ------------------------------------------------------------------------- */

void model_linear_open(struct model *model, uint32_t slot, uint32_t own_slots)
{
	model->linear_slot = slot;
	model->linear_own = own_slots;
}

static void copy_root(struct model *model, struct linear_cpu *cpu)
{
	bool answered;

	for (uint32_t i = 0; i < SLOTS; i++)
		cpu->copy[i] = i - model->linear_slot < model->linear_own
				       ? 0
				       : ram_load(model, VIEW_CPU,
						  (cpu->root << FRAME_ORDER) + 8 * i, &answered);
}

void model_linear_load(struct model *model, uint32_t number, uint64_t root)
{
	struct linear_cpu *cpu = &model->linear[number];

	model_take_lock(model);
	buffer_drain(model);
	cache_drop_all(&cpu->cache);
	cpu->root = root;
	if (root)
		copy_root(model, cpu);
	model_drop_lock(model);
}

static bool is_page(const struct entry *entry, const void *argument)
{
	(void)argument;
	return entry->kind == ENTRY_LEAF;
}

void model_linear_flush(struct model *model, uint32_t number, bool links)
{
	struct linear_cpu *cpu = &model->linear[number];

	model_take_lock(model);
	buffer_drain_all(model);
	if (links)
		cache_drop_all(&cpu->cache);
	else
		cache_drop(&cpu->cache, is_page, NULL);
	cpu->flushes++;
	model_drop_lock(model);
}

static bool is_guests(const struct entry *entry, const void *argument)
{
	(void)argument;
	return entry->look == TAG_GUEST;
}

/* A slot of the copy allows what the root does not, or hides what it does. */
static bool is_old(struct model *model, const struct linear_cpu *cpu, uint32_t index)
{
	uint64_t now = load_slot(model, cpu, TAG_HOST, cpu->root, ROOT_LEVEL,
				 (uint64_t)index << 9 * ROOT_LEVEL);
	uint64_t then = cpu->copy[index];

	if (index - model->linear_slot < model->linear_own || !((now | then) & PRESENT))
		return false;
	return ((now ^ then) & ~NEVER_COPIED) != 0;
}

static void check_copy(struct model *model, uint32_t number, const char *when)
{
	const struct linear_cpu *cpu = &model->linear[number];

	for (uint32_t i = 0; i < SLOTS; i++) {
		if (!is_old(model, cpu, i))
			continue;
		model_violate(
			model,
			"oracle A: cpu %u %s on a copy of its root, mfn 0x%llx, that is old in "
			"slot %u",
			number, when, (unsigned long long)cpu->root, i);
		return;
	}
}

void model_linear_enter(struct model *model, uint32_t number, bool resync)
{
	struct linear_cpu *cpu = &model->linear[number];

	model_take_lock(model);
	buffer_drain_all(model);
	if (resync) {
		cpu->resyncs++;
		copy_root(model, cpu);
		cache_drop(&cpu->cache, is_guests, NULL);
	}
	for (uint32_t i = 0; i < cpu->cache.count; i++)
		if (cpu->cache.entry[i].condemned && cpu->cache.entry[i].look == TAG_GUEST)
			model_violate(model,
				      "oracle R: cpu %u enters and wakes an entry of a released "
				      "frame",
				      number);
	check_copy(model, number, "enters its guest");
	cpu->in_guest = true;
	model->cpu[number].in_guest = true;
	model->cpu[number].format = MODEL_DIRECT;
	model_look(model);
	model_drop_lock(model);
}

void model_linear_leave(struct model *model, uint32_t number)
{
	model_cpu_leave(model, number);
	model->linear[number].in_guest = false;
}

/* Stores where its TLB leads; the judge says where that should have been. */
bool model_linear_write(struct model *model, uint32_t number, uint64_t address, uint64_t value)
{
	struct linear_cpu *cpu = &model->linear[number];
	uint64_t page = address >> FRAME_ORDER & ((1ull << 36) - 1), right;
	struct entry leaf;
	bool found;

	model_take_lock(model);
	buffer_drain(model);
	found = find(model, cpu, TAG_HOST, linear_page(model, page), MODEL_WRITE, &leaf);
	right = table_of(model, cpu, page);
	if (!found)
		model_violate(model, "oracle A: cpu %u finds no L1 entry of 0x%llx", number,
			      (unsigned long long)address);
	else if (leaf.frame != right)
		model_violate(model,
			      "oracle A: cpu %u stores the L1 entry of 0x%llx into mfn 0x%llx, not "
			      "into 0x%llx",
			      number, (unsigned long long)address, (unsigned long long)leaf.frame,
			      (unsigned long long)right);
	if (found && ram_holds(model, leaf.frame))
		model_store(model, (leaf.frame << FRAME_ORDER) + 8 * index_of(page, PAGE), value,
			    true);
	model_drop_lock(model);
	return found;
}

struct model_reach model_linear_access(struct model *model, uint32_t number, uint64_t address,
				       enum model_access access)
{
	struct model_reach reach = { .why = "not present, or no right" };
	struct linear_cpu *cpu = &model->linear[number];
	struct entry leaf;

	model_take_lock(model);
	buffer_drain_all(model);
	reach.exited = !cpu->in_guest;
	reach.ok =
		cpu->in_guest && find(model, cpu, TAG_GUEST,
				      address >> FRAME_ORDER & ((1ull << 36) - 1), access, &leaf);
	if (reach.ok)
		reach.mfn = leaf.frame;
	model_drop_lock(model);
	return reach;
}

/* --- interrupts between CPUs ----------------------------------------------------------------- */

void model_linear_set_answers(struct model *model, enum model_answers answers)
{
	model->linear_answers = answers;
}

bool model_linear_step(struct model *model, uint32_t number)
{
	struct linear_cpu *cpu = &model->linear[number];
	uint64_t asked = cpu->asked;
	bool was_in_guest = cpu->in_guest;

	if (!cpu->owes)
		return false;
	cpu->owes = false;
	if (was_in_guest)
		cpu->handler.leave(cpu->handler.argument, number);
	model_linear_flush(model, number, cpu->links);
	cpu->handler.flushed(cpu->handler.argument, number, asked);
	if (was_in_guest)
		cpu->handler.enter(cpu->handler.argument, number);
	return true;
}

void model_linear_ask(struct model *model, const struct sp_cpu_set *cpus, uint64_t number,
		      bool links, const struct model_handler *handler)
{
	uint32_t self = platform_self(model);

	for (uint32_t i = 0; i < model->config.cpus; i++) {
		struct linear_cpu *cpu = &model->linear[i];

		if (!(cpus->word[i / 64] >> i % 64 & 1))
			continue;
		cpu->owes = true;
		cpu->asked = number;
		cpu->links = links;
		cpu->handler = *handler;
		cpu->relaxed = 0;
		/* Its own is no interrupt. */
		if (i == self) {
			cpu->owes = false;
			model_linear_flush(model, i, links);
			handler->flushed(handler->argument, i, number);
		} else if (model->linear_answers == MODEL_AT_ONCE) {
			(void)model_linear_step(model, i);
		}
	}
}

void linear_relax(struct model *model)
{
	for (uint32_t i = 0; i < model->config.cpus; i++)
		if (model->linear[i].owes && model->linear_answers == MODEL_LATE &&
		    ++model->linear[i].relaxed >= RELAXES_UNTIL)
			(void)model_linear_step(model, i);
}

/* --- the judge ------------------------------------------------------------------------------- */

uint32_t model_linear_flushes(const struct model *model, uint32_t number)
{
	return model->linear[number].flushes;
}

uint32_t model_linear_resyncs(const struct model *model, uint32_t number)
{
	return model->linear[number].resyncs;
}

void model_linear_reset_counts(struct model *model)
{
	for (uint32_t i = 0; i < MODEL_MAX_CPUS; i++)
		model->linear[i].flushes = model->linear[i].resyncs = 0;
}

bool model_linear_remembers(const struct model *model, uint32_t number, uint64_t mfn)
{
	const struct cache *cache = &model->linear[number].cache;

	for (uint32_t i = 0; i < cache->count; i++)
		if (entry_reaches(&cache->entry[i], mfn, 1))
			return true;
	return false;
}

/* What a CPU remembers of the hypervisor's addresses is used at any time, what of the guest's in guest mode. */
void linear_check(struct model *model, uint32_t number, uint64_t mfn, uint64_t count,
		  const char *how)
{
	struct linear_cpu *cpu = &model->linear[number];

	for (uint32_t i = 0; i < cpu->cache.count; i++) {
		struct entry *entry = &cpu->cache.entry[i];

		if (!entry_reaches(entry, mfn, count))
			continue;
		entry->condemned = true;
		if (entry->look == TAG_GUEST && !cpu->in_guest)
			continue;
		model_violate(
			model, "oracle R: mfn 0x%llx is %s, cpu %u remembers %s to it, page 0x%llx",
			(unsigned long long)mfn, how, number,
			entry->kind == ENTRY_LEAF ? "a translation" : "a paging-structure entry",
			(unsigned long long)entry->first);
	}
	if (cpu->root >= mfn && cpu->root < mfn + count)
		model_violate(model, "oracle R: mfn 0x%llx is %s, it is the root of cpu %u",
			      (unsigned long long)cpu->root, how, number);
}

/*
 * Oracle A when all is paid: copies that CPUs run on are those of today, and a linear address that is
 * remembered leads where the tables do.
 */
void model_linear_agree(struct model *model)
{
	model_take_lock(model);
	for (uint32_t i = 0; i < model->config.cpus; i++) {
		struct linear_cpu *cpu = &model->linear[i];

		if (!cpu->root)
			continue;
		if (cpu->in_guest)
			check_copy(model, i, "runs its guest");
		for (uint32_t w = 0; w < model->linear_watched_count; w++) {
			uint64_t page = model->linear_watched[w];
			uint64_t right = table_of(model, cpu, page);
			const struct entry *known = cache_find(model, &cpu->cache, ENTRY_LEAF,
							       TAG_HOST, linear_page(model, page));

			if (known && known->frame != right)
				model_violate(
					model,
					"oracle A: cpu %u remembers mfn 0x%llx as the L1 table of "
					"page 0x%llx, which is 0x%llx",
					i, (unsigned long long)known->frame,
					(unsigned long long)page, (unsigned long long)right);
		}
	}
	model_drop_lock(model);
}
