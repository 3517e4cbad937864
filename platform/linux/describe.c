/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/describe.c - a machine's functions as JSON, the form that list, tree and report share.
 */
#include "describe.h"

#include <stdlib.h>

#include "acs.h"
#include "command.h"
#include "memory.h"
#include "names.h"
#include "say.h"
#include "text.h"
#include "value.h"

json_t *describe_made(json_t *value)
{
	if (!value)
		say_fatal(EXIT_UNKNOWN, "out of memory, or a name that is not UTF-8");
	return value;
}

static json_t *acs_value(const struct machine_function *function)
{
	struct acs acs = acs_of(function);
	char *can, *on;
	json_t *value;

	if (!function->is_bridge && acs.answer != ACS_PRESENT)
		return json_null();
	if (acs.answer == ACS_UNSEEN)
		return json_string("?");
	if (acs.answer == ACS_NONE)
		return json_string("none");
	can = acs_text(acs.can);
	on = acs_text(acs.on);
	value = value_taken(memory_print("%s of %s", on, can));
	free(can);
	free(on);
	return value;
}

static json_t *range_text(const struct machine_range *range)
{
	return value_taken(memory_print("%#llx-%#llx%s", (unsigned long long)range->first,
					(unsigned long long)(range->first + range->bytes - 1),
					range->write ? "" : " read only"));
}

/* Firmware's, by the core; what the kernel shows of a group is for each member what firmware says of one. */
static json_t *reserved_value(const struct machine *machine,
			      const struct machine_function *function)
{
	json_t *list;

	if (machine->table == TABLE_DENIED)
		return json_string("?");
	list = json_array();
	for (uint32_t i = 0; i < function->reserved_count; i++)
		json_array_append_new(list, range_text(&function->reserved[i]));
	return list;
}

static json_t *requesters_value(const struct machine_function *function)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < function->requester_count; i++)
		json_array_append_new(list, value_id(sp_sbdf_segment(function->sbdf),
						     function->requester[i]));
	return list;
}

json_t *describe_children(const struct machine_function *function)
{
	json_t *list = json_array();

	for (size_t i = 0; i < function->child.count; i++)
		json_array_append_new(list, value_taken(text_plain(function->child.name[i])));
	return list;
}

json_t *describe_function(const struct machine *machine, const struct machine_function *function)
{
	const struct machine_group *group =
		function->group == MACHINE_NONE ? NULL : &machine->group[function->group];
	json_t *row = json_object();

	value_set(row, "sbdf", json_string(function->name));
	value_set(row, "parent",
		  function->parent == MACHINE_NONE
			  ? json_null()
			  : json_string(machine->function[function->parent].name));
	value_set(row, "ids",
		  value_taken(memory_print("%04x:%04x", function->vendor, function->device)));
	value_set(row, "class", value_taken(names_class(function->class_code)));
	value_set(row, "name", value_taken(names_device(function->vendor, function->device)));
	value_set(row, "bridge", json_boolean(function->is_bridge));
	value_set(row, "unit",
		  function->unit == MACHINE_NONE ? json_null()
						 : json_string(machine->unit[function->unit].name));
	value_set(row, "group", group ? json_integer(group->number) : json_null());
	value_set(row, "type", value_or_null(group ? group->type : NULL));
	value_set(row, "driver", value_or_null(function->driver));
	value_set(row, "numa",
		  function->numa == MACHINE_NONE ? json_null() : json_integer(function->numa));
	value_set(row, "acs", acs_value(function));
	value_set(row, "reserved", reserved_value(machine, function));
	value_set(row, "requesters", requesters_value(function));
	value_set(row, "reset", value_or_null(function->reset));
	value_set(row, "vfs",
		  function->vf_total ? value_taken(memory_print("%u of %u", function->vf_count,
								function->vf_total))
				     : json_null());
	value_set(row, "children", describe_children(function));
	return row;
}

json_t *describe_functions(const struct machine *machine, const bool *chosen)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < machine->function_count; i++) {
		if (chosen[i])
			json_array_append_new(rows,
					      describe_function(machine, &machine->function[i]));
	}
	return rows;
}
