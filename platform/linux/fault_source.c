/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/fault_source.c - whose request a fault is about: by the id that it carried.
 *
 * Behind a bridge to conventional PCI, requests carry the bridge's id or that of its first function, and some devices
 * send under ids of their neighbours. The core found out who does (machine_function.requester).
 */
#include <stdlib.h>

#include "fault_text.h"
#include "memory.h"

static bool sends_as(const struct machine_function *function, const struct fault_line *fault)
{
	if (fault->has_segment && sp_sbdf_segment(function->sbdf) != sp_sbdf_segment(fault->device))
		return false;
	for (uint32_t i = 0; i < function->requester_count; i++) {
		if (function->requester[i] == sp_sbdf_requester(fault->device))
			return true;
	}
	return false;
}

static bool is_itself(const struct machine_function *function, const struct fault_line *fault)
{
	return sp_sbdf_requester(function->sbdf) == sp_sbdf_requester(fault->device);
}

/* The one with that very id; else one that borrows it. Where the line names no segment, the first that has it. */
static int find_best(const struct machine *machine, const struct fault_line *fault)
{
	int borrower = MACHINE_NONE;

	for (size_t i = 0; i < machine->function_count; i++) {
		const struct machine_function *function = &machine->function[i];

		if (!sends_as(function, fault))
			continue;
		if (is_itself(function, fault))
			return (int)i;
		if (borrower == MACHINE_NONE)
			borrower = (int)i;
	}
	return borrower;
}

struct fault_source fault_source_find(const struct machine *machine, const struct fault_line *fault)
{
	struct fault_source source = { .function = MACHINE_NONE };
	const struct machine_function *found;

	if (machine && fault->has_device)
		source.function = find_best(machine, fault);
	if (source.function == MACHINE_NONE)
		return source;
	found = &machine->function[source.function];
	source.is_alias = !is_itself(found, fault);
	for (size_t i = 0; i < machine->function_count; i++) {
		const struct machine_function *other = &machine->function[i];

		if (other == found || !sends_as(other, fault) ||
		    sp_sbdf_segment(other->sbdf) != sp_sbdf_segment(found->sbdf))
			continue;
		source.sharer = memory_grow(source.sharer, source.sharer_count, sizeof(int));
		source.sharer[source.sharer_count++] = (int)i;
	}
	return source;
}
