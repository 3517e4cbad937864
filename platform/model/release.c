/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/release.c - oracle R: what is released is remembered by nobody.
 *
 *   units           no leaf, link or device entry, no register, no transfer under way to it
 *   functions       no leaf in their own caches
 *   others          no shadow of it, no emulator's mapping (M14)
 *   CPUs in guest   nothing under the tag they run
 *   other CPUs      may remember it asleep; the entry is condemned and must not wake (cpu.c)
 */
#include "machine.h"

/*
 * Today's tables, walked from the unit's registers on without any cache: do they still say the
 * same?
 */
static bool unit_still_maps(struct model *model, struct unit *unit, const struct entry *entry,
			    uint64_t mfn)
{
	struct cache kept = unit->cache;
	struct model_reach reach;
	uint32_t domain;
	bool looking = model->looking;

	unit->cache = (struct cache){ .room = 0 };
	model->looking = true;
	reach = unit_translate(model, unit, (uint16_t)entry->look,
			       entry->first + (mfn - entry->frame), 0, false, &domain);
	model->looking = looking;
	cache_free(&unit->cache);
	unit->cache = kept;
	return reach.ok && reach.mfn == mfn;
}

/* Links and device entries point to tables, which are never mapped twice: they have no excuse. */
static bool is_excused(struct model *model, struct unit *unit, const struct entry *entry,
		       uint64_t mfn, uint64_t count)
{
	if (!model->config.maps_may_repeat || entry->kind != ENTRY_LEAF)
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (entry_reaches(entry, mfn + i, 1) &&
		    !unit_still_maps(model, unit, entry, mfn + i))
			return false;
	return true;
}

static const char *entry_name(const struct entry *entry)
{
	switch (entry->kind) {
	case ENTRY_LEAF:
		return "a translation";
	case ENTRY_LINK:
		return "a paging-structure entry";
	case ENTRY_DEVICE:
	case ENTRY_PASID:
		return "a device's entry";
	case ENTRY_INTERRUPT:
		break;
	}
	return "an interrupt entry";
}

static void check_answers(struct model *model, const struct unit *unit, uint64_t mfn,
			  uint64_t count, const char *how)
{
	for (uint32_t i = 0; i < unit->answer_count; i++) {
		uint64_t target = unit->answer[i].maddr >> FRAME_ORDER;

		if (target >= mfn && target < mfn + count)
			model_violate(
				model,
				"oracle R: mfn 0x%llx is %s, a completion of unit %u is on its way to it",
				(unsigned long long)target, how, unit->index);
	}
}

static void check_unit(struct model *model, struct unit *unit, uint64_t mfn, uint64_t count,
		       const char *how)
{
	const char *what;

	for (uint32_t i = 0; i < unit->cache.count; i++) {
		struct entry *entry = &unit->cache.entry[i];

		if (!entry_reaches(entry, mfn, count) || is_excused(model, unit, entry, mfn, count))
			continue;
		/* Translation is off: what sleeps must not wake when it is on again. */
		if (!unit_is_translating(unit)) {
			entry->condemned = true;
			continue;
		}
		model_violate(
			model,
			"oracle R: mfn 0x%llx is %s, unit %u remembers %s to it, dfn 0x%llx order %u",
			(unsigned long long)mfn, how, unit->index, entry_name(entry),
			(unsigned long long)entry->first, entry->order);
	}
	check_answers(model, unit, mfn, count, how);
	if (unit_points_to(unit, mfn, count, &what))
		model_violate(model, "oracle R: mfn 0x%llx is %s, unit %u has its %s there",
			      (unsigned long long)mfn, how, unit->index, what);
}

/* Whether or not it is in use: nobody but an invalidation or a reset empties it. */
static void check_atc(struct model *model, struct function *function, uint64_t mfn, uint64_t count,
		      const char *how)
{
	for (uint32_t i = 0; i < function->atc.count; i++) {
		const struct entry *entry = &function->atc.entry[i];

		if (!entry_reaches(entry, mfn, count) ||
		    is_excused(model, &model->unit[function->config.unit], entry, mfn, count))
			continue;
		model_violate(
			model,
			"oracle R: mfn 0x%llx is %s, %04x remembers it in its own cache, dfn 0x%llx "
			"order %u",
			(unsigned long long)mfn, how, function->config.sbdf,
			(unsigned long long)entry->first, entry->order);
	}
}

static bool cpu_still_maps(struct model *model, const struct cpu *cpu, const struct entry *entry,
			   uint64_t mfn, uint64_t count)
{
	struct table table = { .format = cpu->format,
			       .view = VIEW_CPU,
			       .root = cpu->root,
			       .levels = cpu->levels,
			       .large = 6,
			       .rights = 7,
			       .address_bits = model->config.address_bits };

	if (!model->config.maps_may_repeat || entry->kind != ENTRY_LEAF || cpu->tag != entry->look)
		return false;
	if (cpu->format == MODEL_ON_SHADOWS)
		return outsider_still_finds(model, &model->outsider[cpu->root], entry->first,
					    entry->frame);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t gfn = entry->first + (mfn + i - entry->frame);
		struct walk walk;

		if (!entry_reaches(entry, mfn + i, 1))
			continue;
		walk = walk_from(model, &table, walk_root(&table), gfn, "the judge");
		if (walk.end.kind != SLOT_LEAF ||
		    walk.end.frame + (gfn & ((1ull << walk.end.order) - 1)) != mfn + i)
			return false;
	}
	return true;
}

/*
 * In the guest, a CPU uses what it remembers at its next instruction. Elsewhere it cannot; it has
 * time until it enters, and what it remembers of a released frame must be gone by then.
 */
static void check_cpu(struct model *model, uint32_t number, uint64_t mfn, uint64_t count,
		      const char *how)
{
	struct cpu *cpu = &model->cpu[number];

	for (uint32_t i = 0; i < cpu->cache.count; i++) {
		struct entry *entry = &cpu->cache.entry[i];

		if (!entry_reaches(entry, mfn, count))
			continue;
		if (!cpu->in_guest || cpu->tag != entry->look) {
			entry->condemned =
				!model->config.maps_may_repeat || entry->kind != ENTRY_LEAF;
			continue;
		}
		if (cpu_still_maps(model, cpu, entry, mfn, count))
			continue;
		model_violate(
			model,
			"oracle R: mfn 0x%llx is %s, cpu %u in its guest remembers %s, gfn 0x%llx",
			(unsigned long long)mfn, how, number, entry_name(entry),
			(unsigned long long)entry->first);
	}
	if (cpu->in_guest && cpu->format != MODEL_ON_SHADOWS && cpu->root >= mfn &&
	    cpu->root < mfn + count)
		model_violate(model,
			      "oracle R: mfn 0x%llx is %s, it is the root that cpu %u runs on",
			      (unsigned long long)cpu->root, how, number);
}

static void check_outsider(struct model *model, uint32_t number, uint64_t mfn, uint64_t count,
			   const char *how)
{
	struct outsider *outsider = &model->outsider[number];

	for (uint32_t i = 0; i < outsider->cache.count; i++) {
		const struct entry entry = outsider->cache.entry[i];

		if (!entry_reaches(&entry, mfn, count) ||
		    (model->config.maps_may_repeat &&
		     outsider_still_finds(model, outsider, entry.first, entry.frame)))
			continue;
		model_violate(model, "oracle R: mfn 0x%llx is %s, %s %u remembers it, gfn 0x%llx",
			      (unsigned long long)entry.frame, how,
			      outsider->config.kind == MODEL_SHADOWS ? "shadows" : "emulator",
			      number, (unsigned long long)entry.first);
	}
}

static void check_transfers(struct model *model, uint64_t mfn, uint64_t count, const char *how)
{
	for (uint32_t i = 0; i < TRANSFERS_KEPT; i++) {
		const struct transfer *transfer = &model->transfer[i];
		uint64_t target = transfer->maddr >> FRAME_ORDER;

		if (transfer->number && target >= mfn && target < mfn + count)
			model_violate(model,
				      "oracle R: mfn 0x%llx is %s, a transfer to it is under way",
				      (unsigned long long)target, how);
	}
}

void release_check(struct model *model, uint64_t mfn, uint64_t count, const char *how)
{
	if (model->look_owed)
		model_look(model);
	for (uint32_t i = 0; i < model->config.unit_count; i++)
		check_unit(model, &model->unit[i], mfn, count, how);
	for (uint32_t i = 0; i < model->config.device_count; i++)
		check_atc(model, &model->function[i], mfn, count, how);
	for (uint32_t i = 0; i < MODEL_MAX_OUTSIDERS; i++)
		check_outsider(model, i, mfn, count, how);
	for (uint32_t i = 0; i < model->config.cpus; i++) {
		check_cpu(model, i, mfn, count, how);
		linear_check(model, i, mfn, count, how);
	}
	check_transfers(model, mfn, count, how);
}
