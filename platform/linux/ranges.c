/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/ranges.c - who has which machine addresses.
 *
 *   proc/iomem --> memory      core: RMRR, unity --> firmware      the kernel's groups --> firmware, interrupts
 *   resource --> bar
 */
#include "ranges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct range {
	const char *kind, *what; /* what is static, or of the root */
	uint64_t first, last;
	json_t *of;
};

struct ranges {
	struct range *range;
	size_t count;
};

static void add_owner(json_t *of, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(of, i, one)
	{
		if (!strcmp(json_string_value(one), name))
			return;
	}
	json_array_append_new(of, json_string(name));
}

/* The same range of several functions is one. */
static void add(struct ranges *ranges, const char *kind, const char *what, uint64_t first,
		uint64_t last, const char *owner)
{
	struct range *range = NULL;

	for (size_t i = 0; i < ranges->count && !range; i++) {
		struct range *one = &ranges->range[i];

		if (!strcmp(one->kind, kind) && one->first == first && one->last == last)
			range = one;
	}
	if (!range) {
		ranges->range = memory_grow(ranges->range, ranges->count, sizeof(*range));
		range = &ranges->range[ranges->count++];
		*range = (struct range){ kind, what, first, last, json_array() };
	}
	if (owner)
		add_owner(range->of, owner);
}

/* "100000-7fffffff : System RAM"; who is not root is shown zeros. */
static bool add_memory(struct ranges *ranges, struct root *root)
{
	struct root_bytes bytes;
	bool seen = false;

	if (root_read(root, "proc/iomem", &bytes) != ROOT_OK)
		return false;
	for (const char *at = bytes.data; at && *at;
	     at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		unsigned long long first, last;
		int end = 0;

		if (*at == ' ' || sscanf(at, "%llx-%llx : %n", &first, &last, &end) != 2 || !end ||
		    !last)
			continue;
		seen = true;
		if (!strncmp(at + end, "System RAM", 10))
			add(ranges, "memory", NULL, first, last, NULL);
	}
	return seen;
}

static void add_function(struct ranges *ranges, const struct machine_function *function)
{
	static const char *const names[MACHINE_RESOURCES] = { "BAR 0", "BAR 1", "BAR 2", "BAR 3",
							      "BAR 4", "BAR 5", "ROM" };

	for (size_t i = 0; i < MACHINE_RESOURCES; i++) {
		const struct machine_range *range = &function->resource[i];

		if (range->bytes && range->first && !range->is_io)
			add(ranges, "bar", names[i], range->first, range->first + range->bytes - 1,
			    function->name);
	}
	for (uint32_t i = 0; i < function->reserved_count; i++) {
		const struct machine_range *range = &function->reserved[i];

		if (range->bytes)
			add(ranges, "firmware", range->write ? NULL : "read only", range->first,
			    range->first + range->bytes - 1, function->name);
	}
}

static const char *kind_of(const struct machine_range *range)
{
	return range->type && strstr(range->type, "msi") ? "interrupts" : "firmware";
}

static void add_group(struct ranges *ranges, const struct machine *machine,
		      const struct machine_group *group)
{
	for (size_t i = 0; i < group->reserved_count; i++) {
		const struct machine_range *range = &group->reserved[i];

		for (size_t j = 0; j < group->member_count && range->bytes; j++)
			add(ranges, kind_of(range), range->type, range->first,
			    range->first + range->bytes - 1,
			    machine->function[group->member[j]].name);
	}
}

static int compare(const void *a, const void *b)
{
	const struct range *one = a, *other = b;

	return one->first != other->first ? (one->first < other->first ? -1 : 1)
	       : one->last != other->last ? (one->last > other->last ? -1 : 1)
					  : strcmp(one->kind, other->kind);
}

json_t *ranges_describe(const struct machine *machine, bool *memory_seen)
{
	struct ranges ranges = { 0 };
	json_t *list = json_array();

	*memory_seen = add_memory(&ranges, machine->root);
	for (size_t i = 0; i < machine->function_count; i++)
		add_function(&ranges, &machine->function[i]);
	for (size_t i = 0; i < machine->group_count; i++)
		add_group(&ranges, machine, &machine->group[i]);
	if (ranges.count)
		qsort(ranges.range, ranges.count, sizeof(*ranges.range), compare);
	for (size_t i = 0; i < ranges.count; i++) {
		const struct range *range = &ranges.range[i];
		char *first = memory_print("%#llx", (unsigned long long)range->first);
		char *last = memory_print("%#llx", (unsigned long long)range->last);

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?, s:o}", "kind",
						      range->kind, "first", first, "last", last,
						      "what", range->what, "of", range->of));
		free(first);
		free(last);
	}
	free(ranges.range);
	return list;
}
