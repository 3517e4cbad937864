/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/cpu.c - CPUs that run guests: translations and paging-structure entries by tag.
 *
 *   tag     EPT: the root's address (EP4TA, SDM 3C 29.4.2)      NPT: the ASID (APM 2 15.16)
 *           on shadows: both; what a CPU does not remember it finds in the shadows (outsider.c)
 *
 * Entries of other tags sleep, and live again with their tag (M12). A frame may be released while a
 * CPU outside that guest still remembers it, if the CPU forgets before it enters: such entries are
 * condemned, and entering with one is the violation.
 */
#include "machine.h"

#define NPT_TAG	   (1ull << 63) /* apart from every root address */
#define SHADOW_TAG (1ull << 62)

static uint64_t tag_of(enum model_format format, uint64_t root, uint32_t asid)
{
	if (format == MODEL_ON_SHADOWS)
		return SHADOW_TAG | root << 32 | asid;
	return format == MODEL_NPT ? NPT_TAG | asid : root;
}

static bool has_tag(const struct entry *entry, const void *tag)
{
	return entry->look == *(const uint64_t *)tag;
}

static bool wakes(const struct cpu *cpu)
{
	for (uint32_t i = 0; i < cpu->cache.count; i++)
		if (cpu->cache.entry[i].condemned && cpu->cache.entry[i].look == cpu->tag)
			return true;
	return false;
}

void model_cpu_enter(struct model *model, uint32_t number, enum model_format format, uint64_t root,
		     uint32_t levels, uint32_t asid, bool flush)
{
	struct cpu *cpu = &model->cpu[number];

	model_take_lock(model);
	if (cpu->in_guest)
		model_violate(model, "contract: cpu %u enters a guest twice", number);
	if (format == MODEL_NPT && asid == 0)
		model_violate(model, "manual: cpu %u enters with ASID 0 (APM 2 15.5.1)", number);
	cpu->format = format;
	cpu->root = format == MODEL_ON_SHADOWS ? root : root >> FRAME_ORDER;
	cpu->levels = levels;
	cpu->tag = tag_of(format, root, asid);
	if (flush) {
		cpu->flushes++;
		cache_drop(&cpu->cache, has_tag, &cpu->tag);
	}
	if (wakes(cpu))
		model_violate(model,
			      "oracle R: cpu %u enters and wakes an entry of a released frame",
			      number);
	cpu->in_guest = true;
	cpu->is_ahead = outsiders_lag(model, number);
	model_look(model);
	model_drop_lock(model);
}

void model_cpu_leave(struct model *model, uint32_t number)
{
	model_take_lock(model);
	model->cpu[number].in_guest = false;
	model->cpu[number].kicked = false;
	code_serialise(model, number);
	model_drop_lock(model);
}

bool model_cpu_in_guest(const struct model *model, uint32_t number)
{
	return model->cpu[number].in_guest;
}

/* --- translation ----------------------------------------------------------------------------- */

static struct table table_of(const struct model *model, const struct cpu *cpu)
{
	return (struct table){ .format = cpu->format,
			       .view = VIEW_CPU,
			       .root = cpu->root,
			       .levels = cpu->levels,
			       .large = 6,
			       .rights = 7,
			       .address_bits = model->config.address_bits };
}

static struct walk walk_and_remember(struct model *model, uint32_t number, uint64_t gfn,
				     bool from_root)
{
	struct cpu *cpu = &model->cpu[number];
	struct table table = table_of(model, cpu);
	struct entry own = { .look = cpu->tag };
	struct start start = walk_root(&table);
	const struct entry *link = NULL;
	struct walk walk;

	if (!from_root)
		link = cache_find(model, &cpu->cache, ENTRY_LINK, cpu->tag, gfn);
	if (link)
		start = (struct start){ link->frame, link->level, link->rights };
	walk = walk_from(model, &table, start, gfn, "a CPU");
	walk_remember(model, &cpu->cache, &walk, gfn, &own, &own);
	return walk;
}

/* Small: what a shadow holds is one page. */
static bool shadow_and_remember(struct model *model, struct cpu *cpu, uint64_t gfn,
				enum model_access access, struct entry *leaf)
{
	if (!outsider_leaf(model, &model->outsider[cpu->root], gfn, access, leaf))
		return false;
	leaf->look = cpu->tag;
	cache_add(model, &cpu->cache, leaf);
	return true;
}

/* The address is one that devices use too: a guest's device addresses are its own. */
void cpu_speculate(struct model *model, uint32_t number, uint64_t gfn)
{
	struct entry leaf;
	struct walk walk;

	if (model->cpu[number].format == MODEL_ON_SHADOWS) {
		(void)shadow_and_remember(model, &model->cpu[number], gfn, 0, &leaf);
		return;
	}
	if (model->cpu[number].format == MODEL_DIRECT || gfn >> 9 * model->cpu[number].levels)
		return;
	walk = walk_and_remember(model, number, gfn, true);
	walk_judge(model, &walk, gfn, "a CPU");
	walk_and_remember(model, number, gfn, false);
}

static bool is_leaf_for(const struct entry *entry, const void *argument)
{
	const struct entry *wanted = argument;

	return entry->kind == ENTRY_LEAF && entry->look == wanted->look &&
	       entry_touches(entry, wanted->first, 0);
}

static struct model_reach answer(const struct walk *walk, uint64_t gfn, enum model_access access)
{
	struct model_reach reach = { .ok = false };

	if (walk->end.kind == SLOT_ABSENT)
		reach.why = "not present";
	else if (walk->end.kind != SLOT_LEAF)
		reach.why = "reserved bits or no memory";
	else if ((walk->end.rights & access) != access)
		reach.why = "no right";
	else
		reach = (struct model_reach){
			.ok = true,
			.memory = walk->end.memory,
			.mfn = walk->end.frame + (gfn & ((1ull << walk->end.order) - 1)),
		};
	return reach;
}

/* APM 2 15.25.6: the leaf's dirty bit, in memory. */
static void mark_dirty(struct model *model, uint64_t maddr)
{
	uint8_t *at = ram_at(model, VIEW_CPU, maddr);

	if (!buffer_hides(model, at, 8))
		__atomic_fetch_or((uint64_t *)(void *)at, 1ull << 6, __ATOMIC_SEQ_CST);
}

static struct model_reach access_on_shadows(struct model *model, struct cpu *cpu, uint64_t gfn,
					    enum model_access access)
{
	struct model_reach reach = { .why = "not present" };
	struct entry leaf;

	if (!shadow_and_remember(model, cpu, gfn, access, &leaf))
		return reach;
	reach.ok = (leaf.rights & access) == access;
	reach.why = reach.ok ? "" : "no right";
	reach.mfn = leaf.frame;
	reach.memory = leaf.memory;
	return reach;
}

static struct model_reach access_by_walk(struct model *model, uint32_t number, uint64_t gfn,
					 enum model_access access)
{
	struct walk walk = walk_and_remember(model, number, gfn, false);
	struct model_reach reach = answer(&walk, gfn, access);

	if (reach.ok && model->cpu[number].format == MODEL_NPT && access == MODEL_WRITE)
		mark_dirty(model, walk.end_maddr);
	return reach;
}

/*
 * A translation that grants the access is used, however old. One that does not is dropped and the
 * tables are walked again: what a CPU denies by an old entry heals by itself (SDM 3C 29.4.3.2),
 * what it grants does not.
 */
struct model_reach model_cpu_access(struct model *model, uint32_t number, uint64_t gfn,
				    enum model_access access)
{
	struct cpu *cpu = &model->cpu[number];
	struct model_reach reach = { .exited = true, .why = "not in guest mode" };
	struct entry wanted = { .look = cpu->tag, .first = gfn };
	const struct entry *leaf;

	model_take_lock(model);
	/* What the guest does it does some time after its entry. */
	buffer_drain_all(model);
	/* Whoever leaves at once, because it was kicked meanwhile, has asked nobody for anything. */
	if (cpu->in_guest && cpu->is_ahead)
		model_violate(
			model,
			"oracle A: cpu %u runs on in its guest, and an emulator still has what "
			"went before it entered",
			number);
	if (cpu->in_guest) {
		model->recent[model->recent_next++ % 4] = gfn;
		leaf = cache_find(model, &cpu->cache, ENTRY_LEAF, cpu->tag, gfn);
		if (leaf && (leaf->rights & access) == access) {
			reach = (struct model_reach){ .ok = true,
						      .memory = leaf->memory,
						      .mfn = leaf->frame + (gfn - leaf->first) };
		} else {
			cache_drop(&cpu->cache, is_leaf_for, &wanted);
			reach = cpu->format == MODEL_ON_SHADOWS
					? access_on_shadows(model, cpu, gfn, access)
					: access_by_walk(model, number, gfn, access);
		}
	}
	model_drop_lock(model);
	return reach;
}

bool cpu_fetch(struct model *model, uint32_t number, uint64_t gfn, uint64_t *mfn)
{
	struct cpu *cpu = &model->cpu[number];
	struct entry wanted = { .look = cpu->tag, .first = gfn };
	const struct entry *leaf = cache_find(model, &cpu->cache, ENTRY_LEAF, cpu->tag, gfn);
	struct model_reach reach;

	if (leaf && (leaf->rights & MODEL_EXECUTE)) {
		*mfn = leaf->frame + (gfn - leaf->first);
		return true;
	}
	cache_drop(&cpu->cache, is_leaf_for, &wanted);
	reach = cpu->format == MODEL_ON_SHADOWS ? access_on_shadows(model, cpu, gfn, MODEL_EXECUTE)
						: access_by_walk(model, number, gfn, MODEL_EXECUTE);
	*mfn = reach.mfn;
	return reach.ok;
}

/* --- kicks ----------------------------------------------------------------------------------- */

void platform_kick(void *embedder, const struct sp_cpu_set *cpus)
{
	struct model *model = embedder;

	model_take_lock(model);
	for (uint32_t i = 0; i < model->config.cpus; i++) {
		if (!(cpus->word[i / 64] >> i % 64 & 1))
			continue;
		model->cpu[i].kicks++;
		if (!model->cpu[i].kicked)
			model->cpu[i].exit_at = model->now + model->config.kick_ns;
		model->cpu[i].kicked = model->cpu[i].in_guest;
	}
	model_drop_lock(model);
}

void model_deliver_kicks(struct model *model)
{
	for (uint32_t i = 0; i < model->config.cpus; i++) {
		if (!model->cpu[i].kicked || model->cpu[i].exit_at > model->now)
			continue;
		model->cpu[i].kicked = false;
		if (model->config.exit_cpu)
			model->config.exit_cpu(model, i, model->config.argument);
	}
	/* An exit takes its time. */
	model_drain(model);
}

uint32_t model_cpu_kicks(const struct model *model, uint32_t number)
{
	return model->cpu[number].kicks;
}

uint32_t model_cpu_flushes(const struct model *model, uint32_t number)
{
	return model->cpu[number].flushes;
}

bool model_cpu_remembers(const struct model *model, uint32_t number, uint64_t mfn)
{
	const struct cache *cache = &model->cpu[number].cache;

	for (uint32_t i = 0; i < cache->count; i++)
		if (entry_reaches(&cache->entry[i], mfn, 1))
			return true;
	return false;
}
