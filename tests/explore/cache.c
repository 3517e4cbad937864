/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/cache.c - what a cache remembers, each under the name that it looks it up by, and what
 * makes it forget.
 *
 *   an invalidation   what it covers goes; what is wider stays (M6), and links unless it names them (M7)
 */
#include <string.h>

#include "explore.h"

static int compare(const struct entry *a, const struct entry *b)
{
	return memcmp(a, b, sizeof(*a));
}

uint32_t entry_end(const struct entry *entry)
{
	return entry->first + (1u << entry->level);
}

static bool overlaps(const struct entry *entry, uint64_t first, uint64_t end)
{
	return entry->first < end && first < entry_end(entry);
}

bool entry_is_leaf(const struct entry *entry)
{
	return entry->kind == ENTRY_LEAF;
}

/* X7: an old large page beside a new small one that differs. */
static void check_mixture(const struct looker *walker, const struct entry *new)
{
	for (uint32_t i = 0; i < walker->cache->count; i++) {
		const struct entry *old = &walker->cache->entry[i];

		if (entry_is_leaf(old) && old->tag == new->tag && !old->condemned &&
		    old->level > new->level &&overlaps(old, new->first, entry_end(new)) &&
		    (old->rights != new->rights ||
		     old->mfn + (new->first - old->first) != new->mfn))
			violate("A: %s %u remembers frame %u in an old page of order %u and in a new one "
				"of order %u that differs",
				walker->name, walker->number, new->first, old->level, new->level);
	}
}

void cache_remember(const struct looker *walker, struct entry entry)
{
	struct cache *cache = walker->cache;
	uint32_t at = 0;

	entry.tag = walker->tag;
	if (entry_is_leaf(&entry) && walker->fresh)
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

/* ---- what goes ---- */

struct order {
	const struct command *command;
	enum unit_kind kind;
};

/* An entry goes by itself: a VT-d unit compares its name too. AMD-Vi's "all" is of entries as well. */
static bool entry_survives(const struct entry *entry, const struct order *order)
{
	const struct command *command = order->command;

	if (command->kind == COMMAND_ENTRY)
		return order->kind == UNIT_VTD && entry->tag != command->name;
	return command->kind != COMMAND_ENTRIES &&
	       (command->kind != COMMAND_ALL || order->kind != UNIT_AMDVI);
}

/* What a command leaves. VT-d 6.5.2.3; of links an AMD-Vi unit drops those that its size covers (M7). */
static bool survives(const struct entry *entry, const void *argument)
{
	const struct order *order = argument;
	const struct command *command = order->command;
	uint64_t first = command->first, end = first + (1ull << command->order);
	bool whole = entry->first >= first && entry_end(entry) <= end;

	if (entry->kind == ENTRY_DEVICE)
		return entry_survives(entry, order);
	if (command->kind == COMMAND_ENTRY || command->kind == COMMAND_ENTRIES)
		return true;
	if (command->kind == COMMAND_ALL || command->kind == COMMAND_ATC_ALL)
		return false;
	if (command->kind != COMMAND_ATC_PAGES && entry->tag != command->name)
		return true;
	if (command->kind == COMMAND_DOMAIN)
		return false;
	if (entry->kind == ENTRY_LINK)
		return !command->links ||
		       (order->kind == UNIT_AMDVI ? !whole : !overlaps(entry, first, end));
	return !whole;
}

void cache_obey(struct cache *cache, const struct command *command, enum unit_kind kind)
{
	const struct order order = { command, kind };

	keep(cache, survives, &order);
}

static bool is_of_another(const struct entry *entry, const void *argument)
{
	return entry->tag != *(const uint32_t *)argument;
}

void cache_drop_tag(struct cache *cache, uint32_t tag)
{
	keep(cache, is_of_another, &tag);
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

void cache_forget(struct cache *cache, const struct sp_forget *what)
{
	keep(cache, is_not_asked, what);
}
