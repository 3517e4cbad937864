/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/walk.c - how a CPU or a unit finds a frame: what it remembers, else a walk.
 *
 *   remembered page  ----------------------------------> frame
 *   remembered table -----------------> slot ----------> frame      no upper table is read again
 *   root -> table -> ... -> table ----> slot ----------> frame
 *
 * No lock is taken and nothing is asked: as hardware does it, at any moment of a change.
 */
#include "machine.h"

#include "memory.h"

static bool page_has(const struct cached_page *page, uint64_t name, uint64_t frame)
{
	return page->name == name && page->first == align_down(frame, page->order);
}

static const struct cached_page *find_page(const struct cache *cache, uint64_t name, uint64_t frame)
{
	for (uint32_t i = 0; i < CACHED_PAGES; i++)
		if (page_has(&cache->page[i], name, frame))
			return &cache->page[i];
	return NULL;
}

static const struct cached_table *find_table(const struct cache *cache, uint64_t name,
					     uint64_t frame)
{
	for (uint32_t i = 0; i < CACHED_TABLES; i++)
		if (cache->table[i].name == name && cache->table[i].first == align_down(frame, 9))
			return &cache->table[i];
	return NULL;
}

void cache_forget_name(struct cache *cache, uint64_t name)
{
	for (uint32_t i = 0; i < CACHED_PAGES; i++)
		if (cache->page[i].name == name)
			cache->page[i].name = 0;
	for (uint32_t i = 0; i < CACHED_TABLES; i++)
		if (cache->table[i].name == name)
			cache->table[i].name = 0;
}

static bool overlaps(uint64_t first, uint32_t order, uint64_t other, uint32_t other_order)
{
	uint32_t wider = order > other_order ? order : other_order;

	return align_down(first, wider) == align_down(other, wider);
}

/* Tables stay where only leaves are named. */
void cache_forget_span(struct cache *cache, uint64_t name, uint64_t first, uint32_t order,
		       bool links)
{
	for (uint32_t i = 0; i < CACHED_PAGES; i++) {
		struct cached_page *page = &cache->page[i];

		if (page->name == name && overlaps(first, order, page->first, page->order))
			page->name = 0;
	}
	for (uint32_t i = 0; i < CACHED_TABLES && links; i++) {
		struct cached_table *table = &cache->table[i];

		if (table->name == name && overlaps(first, order, table->first, 9))
			table->name = 0;
	}
}

/* Full: the one filled longest ago goes. */
static const struct cached_page *remember(struct cache *cache, const struct way *way,
					  uint64_t frame, uint32_t level, uint64_t slot)
{
	struct cached_page *page = &cache->page[cache->fills++ % CACHED_PAGES];
	uint32_t order = span_order(way->format, level);

	*page = (struct cached_page){ .name = way->name,
				      .first = align_down(frame, order),
				      .mfn = slot_frame(way->format, slot),
				      .order = order };
	return page;
}

static void remember_table(struct cache *cache, const struct way *way, uint64_t frame, uint64_t mfn)
{
	cache->table[cache->fills % CACHED_TABLES] =
		(struct cached_table){ way->name, align_down(frame, 9), mfn };
}

/* NULL: absent. */
static const struct cached_page *walk(struct machine *machine, struct cache *cache,
				      const struct way *way, uint64_t frame)
{
	const struct cached_table *start = find_table(cache, way->name, frame);
	uint64_t table = start ? start->mfn : way->root, slot;
	uint32_t level = start ? 1 : way->levels;

	for (;;) {
		const uint64_t *slots = platform_pointer(machine, (sp_mfn_t){ table });

		level--;
		slot = load64(&slots[frame >> span_order(way->format, level) & 511]);
		if (slot_kind(way->format, level, slot) != SLOT_LINK)
			break;
		table = slot_frame(way->format, slot);
		if (level == 1)
			remember_table(cache, way, frame, table);
	}
	if (slot_kind(way->format, level, slot) == SLOT_ABSENT)
		return NULL;
	return remember(cache, way, frame, level, slot);
}

bool walk_touch(struct machine *machine, struct cache *cache, const struct way *way, uint64_t frame,
		uint32_t *domain)
{
	const struct cached_page *page = find_page(cache, way->name, frame);
	uint64_t mfn, tag;

	if (!page)
		page = walk(machine, cache, way, frame);
	if (!page)
		return false;
	mfn = page->mfn + (frame - page->first);
	*domain = 0;
	if (mfn >= RESERVED_MFN && mfn < FRAME_MFN)
		return true;
	if (mfn - FRAME_MFN >= MACHINE_FRAMES) {
		machine_complain(machine, "frame %#llx leads to %#llx, which is no memory",
				 (unsigned long long)frame, (unsigned long long)mfn);
		return false;
	}
	tag = machine->frame[mfn - FRAME_MFN].tag;
	*domain = (uint32_t)(tag >> 56);
	if ((tag >> 32 & 0xffffff) != frame)
		machine_complain(machine, "frame %#llx leads to one with tag %#llx",
				 (unsigned long long)frame, (unsigned long long)tag);
	return true;
}
