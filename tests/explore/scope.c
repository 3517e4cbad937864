/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/scope.c - the machines that are explored, and what their CPUs may do.
 *
 * Each CPU makes `each` operations, any of those listed for it, in any order, as often as it likes. The
 * toy's tables have two slots, so that two frames make a table and four a large page of large pages.
 */
#include <stdio.h>

#include "explore.h"

/* clang-format off */
#define MAP(gfn, count)	   { DO_MAP, gfn, count, 0 }
#define UNMAP(gfn, count)  { DO_UNMAP, gfn, count, 0 }
#define LAZY(gfn, count)   { DO_LAZY, gfn, count, 0 }
#define REVOKE(gfn, count) { DO_REVOKE, gfn, count, 0 }
#define GRANT(gfn, count)  { DO_GRANT, gfn, count, 0 }
#define FAULT(gfn)	   { DO_FAULT, gfn, 1, 0 }
#define ANEW		   { DO_ANEW, 0, 0, 0 }
#define PROGRESS	   { DO_PROGRESS, 0, 0, 0 }
#define VISIT		   { DO_VISIT, 0, 0, 0 }
#define TURN		   { DO_TURN, 0, 0, 0 }
#define FLUSH		   { DO_FLUSH, 0, 0, 0 }
#define FIND(gfn)	   { DO_FIND, gfn, 0, 0 }
#define KILL		   { DO_KILL, 0, 0, 0 }
#define JOIN		   { DO_JOIN, 0, 0, 0 }
/* In the second domain. */
#define MAP2(gfn, count)   { DO_MAP, gfn, count, 1 }
#define UNMAP2(gfn, count) { DO_UNMAP, gfn, count, 1 }
#define VISIT2		   { DO_VISIT, 0, 0, 1 }
#define MOVE(domain)	   { DO_MOVE, 0, 0, domain }
#define PROGRESS2	   { DO_PROGRESS, 0, 0, 1 }

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
	{ .name = "2 CPUs, an emulator", .cpus = 2, .emulators = 1, .each = 2,
	  .has = { MAP(0, 1), MAP(1, 1) },
	  .may = { { UNMAP(0, 1), REVOKE(1, 1), MAP(1, 1) }, { VISIT, PROGRESS } } },
	{ .name = "2 CPUs, look-ups", .cpus = 2, .each = 2,
	  .has = { MAP(0, 2), MAP(4, 1) }, .small = true,
	  .may = { { UNMAP(0, 2), MAP(0, 2), PROGRESS }, { FIND(0) } } },
	{ .name = "2 CPUs, a map of two tables", .cpus = 2, .levels = 2, .small = true, .each = 1,
	  .has = { { DO_NOTHING, 0, 0, 0 } },
	  .may = { { MAP(0, 4) }, { MAP(0, 1), UNMAP(0, 2), PROGRESS } } },
	{ .name = "1 CPU, 2 VT-d units, a device's cache", .cpus = 1, .units = 2, .unit = UNIT_VTD, .queue = QUEUE_AT_END,
	  .atc = true, .each = 2,
	  .has = { MAP(0, 1), MAP(2, 2) },
	  .may = { { UNMAP(0, 1), MAP(0, 1), REVOKE(0, 1), UNMAP(2, 2), UNMAP(2, 1), PROGRESS } } },
	{ .name = "1 CPU, a VT-d unit and a device's cache, large pages", .cpus = 1, .units = 1, .unit = UNIT_VTD, .atc = true, .each = 3,
	  .has = { MAP(0, 4), MAP(4, 1) },
	  .may = { { UNMAP(0, 1), UNMAP(2, 2), UNMAP(0, 4), MAP(0, 1), MAP(0, 2), REVOKE(1, 1), GRANT(0, 4), PROGRESS } } },
	{ .name = "1 CPU, an AMD-Vi unit and a device's cache, large pages", .cpus = 1, .units = 1, .unit = UNIT_AMDVI, .atc = true, .each = 3,
	  .has = { MAP(0, 4), MAP(4, 1) },
	  .may = { { UNMAP(0, 1), UNMAP(2, 2), UNMAP(0, 4), MAP(0, 1), MAP(0, 2), REVOKE(1, 1), GRANT(0, 4), PROGRESS } } },
	{ .name = "1 CPU, 2 AMD-Vi units, a device's cache", .cpus = 1, .units = 2, .unit = UNIT_AMDVI, .queue = QUEUE_AT_END,
	  .atc = true, .each = 2,
	  .has = { MAP(0, 1), MAP(2, 2) },
	  .may = { { UNMAP(0, 1), MAP(0, 1), REVOKE(0, 1), UNMAP(2, 2), UNMAP(2, 1), PROGRESS } } },
	{ .name = "2 CPUs, a VT-d unit: a guest", .cpus = 2, .units = 1, .unit = UNIT_VTD, .queue = QUEUE_AT_END, .each = 2,
	  .has = { MAP(0, 1), MAP(1, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 1) }, { VISIT, PROGRESS } } },
	{ .name = "2 CPUs, 2 domains behind a VT-d unit", .cpus = 2, .units = 1, .unit = UNIT_VTD, .domains = 2, .each = 2,
	  .has = { MAP(0, 1), MAP2(0, 1) },
	  .may = { { UNMAP(0, 1), PROGRESS }, { MAP2(0, 1), PROGRESS2 } } },
	{ .name = "2 CPUs, 2 domains behind a VT-d unit whose queue is full", .cpus = 2, .units = 1, .unit = UNIT_VTD,
	  .queue = QUEUE_FULL, .domains = 2, .each = 2, .in_order = true,
	  .has = { MAP(0, 1), MAP2(0, 1) },
	  .may = { { UNMAP(0, 1), PROGRESS }, { UNMAP2(0, 1), PROGRESS2 } } },
	{ .name = "2 CPUs, 2 domains behind an AMD-Vi unit with one wait left", .cpus = 2, .units = 1, .unit = UNIT_AMDVI,
	  .queue = QUEUE_WAITS, .domains = 2, .each = 2, .in_order = true,
	  .has = { MAP(0, 1), MAP2(0, 1) },
	  .may = { { UNMAP(0, 1), PROGRESS }, { UNMAP2(0, 1), PROGRESS2 } } },
	{ .name = "2 CPUs, 2 domains: a CPU goes from one guest to the other", .cpus = 2, .domains = 2, .each = 2, .npt = true, .used = true,
	  .has = { MAP(0, 1), MAP2(0, 1) },
	  .may = { { UNMAP(0, 1), MAP2(0, 1), PROGRESS }, { VISIT, VISIT2 } } },
	{ .name = "2 CPUs: lazy changes, and flushes for other reasons", .cpus = 2, .each = 2, .used = true,
	  .has = { MAP(0, 1), MAP(1, 1) },
	  .may = { { LAZY(0, 1), LAZY(1, 1), PROGRESS }, { VISIT, FLUSH, UNMAP(1, 1) } } },
	{ .name = "2 CPUs: another root", .cpus = 2, .each = 2,
	  .has = { MAP(0, 1) },
	  .may = { { FAULT(0), UNMAP(0, 1), PROGRESS }, { ANEW, VISIT } } },
	{ .name = "2 CPUs: another root, and one that enters", .cpus = 2, .each = 2,
	  .has = { MAP(0, 1) },
	  .may = { { ANEW, PROGRESS }, { VISIT } } },
	{ .name = "2 CPUs: another root under one ASID", .cpus = 2, .each = 2, .npt = true,
	  .has = { MAP(0, 1) },
	  .may = { { ANEW, PROGRESS }, { VISIT } } },
	{ .name = "2 CPUs, two emulators", .cpus = 2, .emulators = 2, .each = 2,
	  .has = { MAP(0, 1) },
	  .may = { { UNMAP(0, 1), PROGRESS }, { VISIT } } },
	{ .name = "2 CPUs, an emulator that dies and one that comes", .cpus = 2, .emulators = 1, .each = 1,
	  .has = { MAP(0, 1) },
	  .may = { { UNMAP(0, 1) }, { KILL, JOIN } } },
	{ .name = "1 CPU, a unit: few tables are allowed", .cpus = 1, .units = 1, .each = 3, .budget = 5,
	  .has = { MAP(0, 1) },
	  .may = { { MAP(2, 1), MAP(4, 1), UNMAP(0, 1), UNMAP(2, 1), PROGRESS } } },
	{ .name = "1 CPU, 1 unit, more ranges than it is told one by one", .cpus = 1, .units = 1, .each = 7, .levels = 4, .small = true,
	  .in_order = true,
	  .has = { MAP(0, 12) },
	  .may = { { UNMAP(0, 1), UNMAP(2, 1), UNMAP(4, 1), UNMAP(6, 1), UNMAP(8, 1), UNMAP(10, 1), PROGRESS } } },
	{ .name = "2 CPUs, 2 VT-d units, a device's cache, an emulator, 2 domains", .cpus = 2, .units = 2, .unit = UNIT_VTD,
	  .queue = QUEUE_AT_END, .atc = true, .emulators = 1, .domains = 2, .each = 1,
	  .has = { MAP(0, 1), MAP2(0, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 1) }, { VISIT, MAP2(0, 1), PROGRESS2 } } },
	{ .name = "2 CPUs, 2 AMD-Vi units, a device's cache, an emulator, 2 domains", .cpus = 2, .units = 2, .unit = UNIT_AMDVI,
	  .queue = QUEUE_AT_END, .atc = true, .emulators = 1, .domains = 2, .each = 1, .npt = true,
	  .has = { MAP(0, 1), MAP2(0, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 1) }, { VISIT, MAP2(0, 1), PROGRESS2 } } },
	{ .name = "2 CPUs, 2 domains: a VT-d unit's device goes from one to the other", .cpus = 2, .units = 1, .unit = UNIT_VTD,
	  .domains = 2, .moves = true, .each = 2, .in_order = true,
	  .has = { MAP(0, 1), MAP(1, 1), MAP2(0, 1) },
	  .may = { { UNMAP(0, 1) }, { MOVE(1), MOVE(0) } } },
	{ .name = "2 CPUs, 2 domains: an AMD-Vi unit's device goes from one to the other", .cpus = 2, .units = 1, .unit = UNIT_AMDVI,
	  .domains = 2, .moves = true, .each = 2, .in_order = true,
	  .has = { MAP(0, 1), MAP(1, 1), MAP2(0, 1) },
	  .may = { { UNMAP(0, 1) }, { MOVE(1), MOVE(0) } } },
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
	{ .name = "2 CPUs, 2 units, a device's cache, an emulator", .cpus = 2, .units = 2, .atc = true, .emulators = 1,
	  .each = 2, .soak = true,
	  .has = { MAP(0, 2), MAP(2, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 2), REVOKE(2, 1), PROGRESS }, { VISIT, TURN, UNMAP(2, 1), PROGRESS, FIND(0) } } },
	{ .name = "2 CPUs, 2 VT-d units, a device's cache, an emulator, 2 domains", .cpus = 2, .units = 2, .unit = UNIT_VTD,
	  .atc = true, .emulators = 1, .domains = 2, .each = 2, .soak = true,
	  .has = { MAP(0, 2), MAP2(0, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 2), REVOKE(1, 1), PROGRESS }, { VISIT, UNMAP2(0, 1), MAP2(0, 1), PROGRESS2 } } },
	{ .name = "2 CPUs, 2 AMD-Vi units, a device's cache, an emulator, 2 domains", .cpus = 2, .units = 2, .unit = UNIT_AMDVI,
	  .atc = true, .emulators = 1, .domains = 2, .each = 2, .npt = true, .soak = true,
	  .has = { MAP(0, 2), MAP2(0, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 2), REVOKE(1, 1), PROGRESS }, { VISIT, UNMAP2(0, 1), MAP2(0, 1), PROGRESS2 } } },
	{ .name = "2 CPUs, a VT-d unit whose queue is full", .cpus = 2, .units = 1, .unit = UNIT_VTD, .queue = QUEUE_FULL,
	  .each = 2, .soak = true,
	  .has = { MAP(0, 1), MAP(1, 1) },
	  .may = { { UNMAP(0, 1), PROGRESS }, { UNMAP(1, 1), PROGRESS } } },
	{ .name = "2 CPUs, an AMD-Vi unit with one wait left", .cpus = 2, .units = 1, .unit = UNIT_AMDVI, .queue = QUEUE_WAITS,
	  .each = 2, .soak = true,
	  .has = { MAP(0, 1), MAP(1, 1) },
	  .may = { { UNMAP(0, 1), PROGRESS }, { UNMAP(1, 1), PROGRESS } } },
	{ .name = "3 CPUs, 2 units, large pages", .cpus = 3, .units = 2, .atc = true, .each = 2, .soak = true,
	  .has = { MAP(0, 4), MAP(4, 1) },
	  .may = { { UNMAP(0, 1), MAP(0, 2), PROGRESS }, { VISIT, REVOKE(1, 1), PROGRESS }, { VISIT, FIND(1) } } },
};
/* clang-format on */
const uint32_t scope_count = sizeof(scopes) / sizeof(scopes[0]);

const char *operation_text(struct operation operation)
{
	static const char *const verbs[] = {
		[DO_NOTHING] = "nothing",
		[DO_MAP] = "map",
		[DO_UNMAP] = "unmap",
		[DO_LAZY] = "unmap lazily",
		[DO_REVOKE] = "revoke",
		[DO_GRANT] = "grant",
		[DO_FAULT] = "handle a fault at",
		[DO_ANEW] = "everything goes",
		[DO_PROGRESS] = "progress",
		[DO_VISIT] = "visit the guest",
		[DO_TURN] = "turn back from the guest",
		[DO_FLUSH] = "flush for another reason",
		[DO_FIND] = "look up",
		[DO_KILL] = "emulator 0 dies",
		[DO_JOIN] = "emulator 1 comes",
		[DO_MOVE] = "the device goes to another domain",
	};
	static char text[80];
	const char *verb = verbs[operation.kind];
	int length;

	if (operation.kind == DO_FIND || operation.count == 1)
		length = snprintf(text, sizeof(text), "%s frame %u", verb, operation.gfn);
	else if (operation.count)
		length = snprintf(text, sizeof(text), "%s frames %u to %u", verb, operation.gfn,
				  operation.gfn + operation.count - 1u);
	else
		length = snprintf(text, sizeof(text), "%s", verb);
	if (machine->domains > 1)
		snprintf(text + length, sizeof(text) - (size_t)length, ", domain %u",
			 operation.domain);
	return text;
}
