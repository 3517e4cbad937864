/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/cache.c - what an observer remembers: one list of entries, the oldest first.
 *
 * Nothing leaves it but by an invalidation that the manuals say drops it, or at a whim of the
 * adversary (M1). Two entries may say different things of one address (M4); which of them is used
 * is the adversary's choice, and the worst is the oldest.
 */
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* Every look goes through all of it; more than a small machine maps is not worth the time. */
#define ROOM_AT_MOST 1024u

static bool is_same(const struct entry *a, const struct entry *b)
{
	return a->look == b->look && a->first == b->first && a->frame == b->frame &&
	       a->kind == b->kind && a->order == b->order && a->size == b->size &&
	       a->level == b->level && a->rights == b->rights && a->memory == b->memory &&
	       a->absent == b->absent && a->domain == b->domain && a->source == b->source &&
	       memcmp(a->word, b->word, sizeof(a->word)) == 0;
}

static void drop_at(struct cache *cache, uint32_t index)
{
	cache->count--;
	memmove(&cache->entry[index], &cache->entry[index + 1],
		(cache->count - index) * sizeof(*cache->entry));
}

static bool make_room(struct model *model, struct cache *cache)
{
	uint32_t room = cache->room ? cache->room * 2 : 32;
	struct entry *more;

	if (cache->count < cache->room)
		return true;
	if (room > ROOM_AT_MOST) {
		/* M1: any entry may go at any moment. */
		drop_at(cache, (uint32_t)model_draw(model, cache->count));
		return true;
	}
	more = realloc(cache->entry, room * sizeof(*more));
	if (!more)
		return false;
	cache->entry = more;
	cache->room = room;
	return true;
}

static bool is_leaf(const struct entry *entry)
{
	return entry->kind == ENTRY_LEAF && !entry->absent;
}

/*
 * Where both say something, do they say the same? SDM 3A 4.10.4.3: rights that came need no
 * invalidation, a CPU that finds the old ones faults and walks again; a device's fault is lost.
 */
static bool agree(const struct cache *cache, const struct entry *old, const struct entry *new)
{
	uint64_t dfn = old->first > new->first ? old->first : new->first;
	uint32_t more = old->rights & ~new->rights, less = new->rights & ~old->rights;

	return !more && (!less || cache->is_cpus) &&
	       old->frame + (dfn - old->first) == new->frame + (dfn - new->first);
}

/*
 * X7, VT-d 6.5.3.3, SDM 3A 5.10.4: the size of a page and what it leads to do not change at once, for
 * which of the two is used is then nobody's promise, nor that one invalidation finds both. The small
 * one must be what the tables say now: an old small one beside a new large one is owed with its own
 * width, and an old link or the unit's own memory may bring it at any time.
 */
static void check_mixture(struct model *model, const struct cache *cache, const struct entry *entry)
{
	for (uint32_t i = 0; i < cache->count; i++) {
		const struct entry *old = &cache->entry[i];

		if (!is_leaf(old) || old->look != entry->look || old->domain != entry->domain ||
		    old->size <= entry->size || !entry_touches(old, entry->first, entry->order) ||
		    agree(cache, old, entry))
			continue;
		model_violate(
			model,
			"oracle A: dfn 0x%llx is translated by an old page of order %u and by a new "
			"one of order %u that differs, both remembered by one walker",
			(unsigned long long)entry->first, old->size, entry->size);
		return;
	}
}

void cache_add(struct model *model, struct cache *cache, const struct entry *entry)
{
	if (is_leaf(entry) && entry->fresh)
		check_mixture(model, cache, entry);
	for (uint32_t i = 0; i < cache->count; i++)
		if (is_same(&cache->entry[i], entry))
			return;
	if (make_room(model, cache))
		cache->entry[cache->count++] = *entry;
}

/*
 * M6: an invalidation drops what it covers wholly; a wider page may stay, and the worst is that it
 * does.
 */
bool entry_within(const struct entry *entry, uint64_t first, uint32_t order)
{
	if (order >= ALL_ORDER)
		return true;
	return entry->order <= order && entry->first >> order == first >> order;
}

/* Some address of the range is one of the entry's. */
bool entry_touches(const struct entry *entry, uint64_t first, uint32_t order)
{
	uint32_t wider = entry->order > order ? entry->order : order;

	return wider >= ALL_ORDER || entry->first >> wider == first >> wider;
}

/*
 * AMD-Vi's device table entry points to the function's interrupt table too; VT-d's third word is 0.
 */
static bool has_interrupt_table(const struct entry *entry, uint64_t mfn, uint64_t count)
{
	uint64_t first = (entry->word[2] & 0xfffffffffffc0ull) >> FRAME_ORDER;
	uint64_t frames = ((16ull << (entry->word[2] >> 1 & 15)) + FRAME_BYTES - 1) >> FRAME_ORDER;

	return entry->kind == ENTRY_DEVICE && (entry->word[2] & 1) && first < mfn + count &&
	       mfn < first + frames;
}

/*
 * Whether the frames are reached by this entry: as the table it points to, or as memory that it
 * maps.
 */
bool entry_reaches(const struct entry *entry, uint64_t mfn, uint64_t count)
{
	uint64_t own = entry->kind == ENTRY_LEAF ? 1ull << entry->order : 1;

	if (entry->absent || entry->kind == ENTRY_INTERRUPT)
		return false;
	if (has_interrupt_table(entry, mfn, count))
		return true;
	return entry->frame < mfn + count && mfn < entry->frame + own;
}

/*
 * The lowest link skips most of what the tables say now; among equals the oldest is the most stale.
 */
struct entry *cache_find(struct model *model, struct cache *cache, enum entry_kind kind,
			 uint64_t look, uint64_t dfn)
{
	struct entry *found = NULL;
	uint64_t seen = 0;

	for (uint32_t i = 0; i < cache->count; i++) {
		struct entry *entry = &cache->entry[i];

		if (entry->look != look || entry->kind != kind || !entry_touches(entry, dfn, 0))
			continue;
		if (model->config.adversary == MODEL_ADVERSARY_RANDOM) {
			if (model_draw(model, ++seen) == 0)
				found = entry;
		} else if (!found || entry->level < found->level) {
			found = entry;
		}
	}
	return found;
}

/* Age is order: what stays keeps its place. */
uint32_t cache_drop(struct cache *cache, entry_test test, const void *argument)
{
	uint32_t kept = 0, dropped;

	for (uint32_t i = 0; i < cache->count; i++) {
		if (test(&cache->entry[i], argument))
			continue;
		if (kept != i)
			cache->entry[kept] = cache->entry[i];
		kept++;
	}
	dropped = cache->count - kept;
	cache->count = kept;
	return dropped;
}

void cache_drop_all(struct cache *cache)
{
	cache->count = 0;
}

void cache_free(struct cache *cache)
{
	free(cache->entry);
	*cache = (struct cache){ .room = 0 };
}

static bool is_unlucky(const struct entry *entry, const void *argument)
{
	(void)entry;
	return model_draw((struct model *)(uintptr_t)argument, 8) == 0;
}

void cache_drop_some(struct model *model, struct cache *cache)
{
	if (model_draw(model, 4) == 0)
		cache_drop(cache, is_unlucky, model);
}
