/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/scope.c - the machines that are explored, and what their CPUs may do.
 *
 * Each CPU makes `each` operations, any of those listed for it, in any order, as often as it likes. The
 * toy's tables have two slots, so that two frames make a table and four a large page of large pages.
 */
#include <stdio.h>

#include "explore.h"

#define MAP(gfn, count)            \
	{                          \
		DO_MAP, gfn, count \
	}
#define UNMAP(gfn, count)            \
	{                            \
		DO_UNMAP, gfn, count \
	}
#define REVOKE(gfn, count)            \
	{                             \
		DO_REVOKE, gfn, count \
	}
#define GRANT(gfn, count)            \
	{                            \
		DO_GRANT, gfn, count \
	}
#define PROGRESS                  \
	{                         \
		DO_PROGRESS, 0, 0 \
	}
#define VISIT                  \
	{                      \
		DO_VISIT, 0, 0 \
	}
#define TURN                  \
	{                     \
		DO_TURN, 0, 0 \
	}
#define FIND(gfn)               \
	{                       \
		DO_FIND, gfn, 0 \
	}

/* clang-format off */
const struct scope scopes[] = {
	{ .name = "1 CPU, 2 units, a device's cache", .cpus = 1, .units = 2, .atc = true, .each = 2,
	  .has = { MAP(0, 1), MAP(2, 2) },
	  .may = { { UNMAP(0, 1), MAP(0, 1), REVOKE(0, 1), UNMAP(2, 2), UNMAP(2, 1), PROGRESS } } },
	{ .name = "1 CPU, 1 unit, large pages", .cpus = 1, .units = 1, .each = 3,
	  .has = { MAP(0, 4), MAP(4, 1) },
	  .may = { { UNMAP(0, 1), UNMAP(2, 2), UNMAP(0, 4), MAP(0, 1), MAP(0, 2), REVOKE(1, 1), GRANT(0, 4), PROGRESS } } },
	{ .name = "1 CPU, 1 unit with a table of its own that remembers absent pages", .cpus = 1, .units = 1,
	  .separate = true, .caching = true, .each = 2,
	  .has = { MAP(0, 1) },
	  .may = { { MAP(0, 1), MAP(1, 1), MAP(4, 2), UNMAP(0, 1), UNMAP(0, 2), REVOKE(0, 1), GRANT(0, 1), PROGRESS } } },
	{ .name = "2 CPUs, 1 unit: a guest", .cpus = 2, .units = 1, .each = 2,
	  .has = { MAP(0, 1), MAP(1, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 1) }, { VISIT, PROGRESS } } },
	{ .name = "2 CPUs, an emulator", .cpus = 2, .emulator = true, .each = 2,
	  .has = { MAP(0, 1), MAP(1, 1) },
	  .may = { { UNMAP(0, 1), REVOKE(1, 1), MAP(1, 1) }, { VISIT, PROGRESS } } },
	{ .name = "2 CPUs, look-ups", .cpus = 2, .each = 2,
	  .has = { MAP(0, 2), MAP(4, 1) }, .small = true,
	  .may = { { UNMAP(0, 2), MAP(0, 2), PROGRESS }, { FIND(0) } } },
	{ .name = "2 CPUs, a map of two tables", .cpus = 2, .levels = 2, .small = true, .each = 1,
	  .has = { { DO_NOTHING, 0, 0 } },
	  .may = { { MAP(0, 4) }, { MAP(0, 1), UNMAP(0, 2), PROGRESS } } },
	/* make soak goes on here */
	{ .name = "2 CPUs, 1 unit: both change", .cpus = 2, .units = 1, .each = 2, .soak = true,
	  .has = { MAP(0, 1), MAP(1, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 1) }, { UNMAP(1, 1), UNMAP(0, 2) } } },
	{ .name = "2 CPUs, 1 unit: changes, progress and a guest", .cpus = 2, .units = 1, .each = 2, .soak = true,
	  .has = { MAP(0, 1), MAP(1, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 1), PROGRESS }, { VISIT, UNMAP(1, 1), PROGRESS } } },
	{ .name = "2 CPUs, 1 unit, a short queue", .cpus = 2, .units = 1, .each = 2, .queue_room = 2, .soak = true,
	  .has = { MAP(0, 1), MAP(1, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 1), PROGRESS }, { UNMAP(1, 1), PROGRESS } } },
	{ .name = "2 CPUs, 2 units, a device's cache, an emulator", .cpus = 2, .units = 2, .atc = true, .emulator = true,
	  .each = 2, .soak = true,
	  .has = { MAP(0, 2), MAP(2, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 2), REVOKE(2, 1), PROGRESS }, { VISIT, TURN, UNMAP(2, 1), PROGRESS, FIND(0) } } },
	{ .name = "3 CPUs, 2 units, large pages", .cpus = 3, .units = 2, .atc = true, .each = 2, .soak = true,
	  .has = { MAP(0, 4), MAP(4, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 2), PROGRESS }, { VISIT, REVOKE(1, 1), PROGRESS }, { VISIT, FIND(1) } } },
};
/* clang-format on */
const uint32_t scope_count = sizeof(scopes) / sizeof(scopes[0]);

const char *operation_text(struct operation operation)
{
	static const char *const verbs[] = {
		"nothing", "map",      "unmap",		  "revoke",
		"grant",   "progress", "visit the guest", "turn back from the guest",
		"find"
	};
	static char text[60];

	if (operation.kind >= DO_PROGRESS && operation.kind <= DO_TURN)
		return verbs[operation.kind];
	if (operation.count < 2)
		snprintf(text, sizeof(text), "%s frame %u", verbs[operation.kind], operation.gfn);
	else
		snprintf(text, sizeof(text), "%s frames %u to %u", verbs[operation.kind],
			 operation.gfn, operation.gfn + operation.count - 1u);
	return text;
}
