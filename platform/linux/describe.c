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

json_t *describe_made(json_t *value)
{
	if (!value)
		say_fatal(EXIT_UNKNOWN, "out of memory, or a name that is not UTF-8");
	return value;
}

static json_t *taken(char *text)
{
	json_t *value = json_string(text);

	free(text);
	return value;
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
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
	value = taken(memory_print("%s of %s", on, can));
	free(can);
	free(on);
	return value;
}

static json_t *range_text(const struct machine_range *range)
{
	return taken(memory_print("%#llx-%#llx%s", (unsigned long long)range->first,
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

	for (uint32_t i = 0; i < function->requester_count; i++) {
		uint32_t id = function->requester[i];

		json_array_append_new(list, taken(memory_print("%04x:%02x:%02x.%x",
							       sp_sbdf_segment(function->sbdf),
							       id >> 8, id >> 3 & 0x1f, id & 7)));
	}
	return list;
}

static json_t *children_value(const struct machine_function *function)
{
	json_t *list = json_array();

	for (size_t i = 0; i < function->child.count; i++)
		json_array_append_new(list, taken(text_plain(function->child.name[i])));
	return list;
}

static void set(json_t *row, const char *key, json_t *value)
{
	json_object_set_new(row, key, value);
}

json_t *describe_function(const struct machine *machine, const struct machine_function *function)
{
	const struct machine_group *group =
		function->group == MACHINE_NONE ? NULL : &machine->group[function->group];
	json_t *row = json_object();

	set(row, "sbdf", json_string(function->name));
	set(row, "parent",
	    function->parent == MACHINE_NONE
		    ? json_null()
		    : json_string(machine->function[function->parent].name));
	set(row, "ids", taken(memory_print("%04x:%04x", function->vendor, function->device)));
	set(row, "class", taken(names_class(function->class_code)));
	set(row, "name", taken(names_device(function->vendor, function->device)));
	set(row, "bridge", json_boolean(function->is_bridge));
	set(row, "unit",
	    function->unit == MACHINE_NONE ? json_null()
					   : json_string(machine->unit[function->unit].name));
	set(row, "group", group ? json_integer(group->number) : json_null());
	set(row, "type", text_or_null(group ? group->type : NULL));
	set(row, "driver", text_or_null(function->driver));
	set(row, "numa",
	    function->numa == MACHINE_NONE ? json_null() : json_integer(function->numa));
	set(row, "acs", acs_value(function));
	set(row, "reserved", reserved_value(machine, function));
	set(row, "requesters", requesters_value(function));
	set(row, "reset", text_or_null(function->reset));
	set(row, "vfs",
	    function->vf_total
		    ? taken(memory_print("%u of %u", function->vf_count, function->vf_total))
		    : json_null());
	set(row, "children", children_value(function));
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
