/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/fill.c - a late map learns what the guest's memory is.
 *
 *   look   under the lock: does the map say, from here on, what the CPU's map says?
 *   yes    go on behind what agrees
 *   no     write what was read, without holding the lock in between; look again, at the same place
 *
 * Why that is right: what is read may be out of date when it is written, so the guest's memory may
 * be changed in between, and the stale write put a frame there that is the guest's no more. But the
 * map is not watched yet, no entry leads to it, and nobody walks it. And no place is left before
 * both maps were seen to agree under the lock; from then on each change writes both under one lock
 * (the map is in the list since before the first look), and the fill never writes there again. So
 * when the last place was seen to agree, all agree.
 */
#include "passthrough/fill.h"

#include "iommu/domain.h"
#include "p2m/types.h"

/* A run of equal frames in the CPU's map, and how much of it the other map has already. */
struct run {
	struct target target; /* for devices */
	uint64_t count;
	uint64_t agreed;
};

static uint32_t device_rights(const struct found *found)
{
	enum sp_type type;

	if (!found->rights || !p2m_type_of(found->rights, found->memory, &type))
		return 0;
	return p2m_types[type].rights & DEVICE_RIGHTS;
}

static bool agrees(const struct found *found, const struct target *target, uint64_t at)
{
	uint32_t rights = found->rights & DEVICE_RIGHTS;

	return rights == target->rights && (!rights || found->mfn == target->mfn + at);
}

/* At most SP_STEP_SLOTS looks, so that the lock is held for a bounded time. */
static uint64_t count_agreed(const struct tree *tree, uint64_t frame, const struct run *run)
{
	uint64_t agreed = 0;

	for (uint32_t i = 0; i < SP_STEP_SLOTS && agreed < run->count; i++) {
		struct found found = { 0 };

		(void)tree_find(tree, frame + agreed, &found);
		if (!agrees(&found, &run->target, agreed))
			break;
		agreed += found.count;
	}
	return min_u64(agreed, run->count);
}

static struct run look(struct sp_domain *domain, uint32_t index, uint64_t frame, uint64_t end)
{
	struct found found = { 0 };
	struct run run;

	domain_take(domain);
	(void)tree_find(&domain->maps[0].tree, frame, &found);
	run = (struct run){ .count = min_u64(found.count, end - frame) };
	run.target = (struct target){ .rights = device_rights(&found),
				      .mfn = found.mfn,
				      .memory = found.memory };
	run.agreed = count_agreed(&domain->maps[index].tree, frame, &run);
	domain_drop(domain);
	return run;
}

enum sp_status fill_map(struct sp_domain *domain, uint32_t index, uint64_t frames)
{
	uint64_t frame = 0, end = min_u64(frames, domain->maps[0].tree.frames);
	enum sp_status status = SP_OK;

	while (frame < end && status == SP_OK) {
		struct run run = look(domain, index, frame, end);
		struct wish wish = { .map = index, .target = run.target };
		struct sp_ticket ticket;

		frame += run.agreed;
		if (run.agreed == 0)
			status = unit_map_change(domain, (struct span){ frame, frame + run.count },
						 &wish, 1, &ticket);
	}
	return status;
}

/* The frames behind `first` that certainly are no memory for devices; 0: `first` is. */
static uint64_t skip_others(struct sp_domain *domain, struct span span)
{
	uint64_t skipped = 0, count = span.end - span.first;

	domain_take(domain);
	for (uint32_t i = 0; i < SP_STEP_SLOTS && skipped < count; i++) {
		struct found found = { 0 };

		(void)tree_find(&domain->maps[0].tree, span.first + skipped, &found);
		if (device_rights(&found))
			break;
		skipped += found.count;
	}
	domain_drop(domain);
	return min_u64(skipped, count);
}

bool fill_finds_memory(struct sp_domain *domain, struct span span)
{
	span.end = min_u64(span.end, domain->maps[0].tree.frames);
	while (!span_is_empty(span)) {
		uint64_t skipped = skip_others(domain, span);

		if (!skipped)
			return true;
		span.first += skipped;
	}
	return false;
}
