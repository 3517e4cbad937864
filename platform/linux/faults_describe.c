/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/faults_describe.c - a log's faults as JSON.
 */
#include "faults.h"

#include <stdlib.h>

#include "describe.h"
#include "memory.h"
#include "value.h"

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *hex_or_null(bool known, uint64_t value)
{
	return known ? value_taken(memory_print("%#llx", (unsigned long long)value)) : json_null();
}

/* The id as the line has it, where no function is known. */
static json_t *requester_value(const struct fault_line *fault)
{
	return value_id(sp_sbdf_segment(fault->device), sp_sbdf_requester(fault->device));
}

static json_t *address_value(const struct fault_row *row)
{
	if (!row->line.has_address)
		return json_null();
	if (row->line.kind == SP_FAULT_INTERRUPT && row->line.vendor == SP_VENDOR_VTD)
		return value_taken(
			memory_print("index %#llx", (unsigned long long)row->line.address));
	if (row->line.address == row->last_address)
		return hex_or_null(true, row->line.address);
	return value_taken(memory_print("%#llx-%#llx", (unsigned long long)row->line.address,
					(unsigned long long)row->last_address));
}

static json_t *code_value(const struct fault_line *fault)
{
	if (!fault->has_code)
		return json_null();
	if (fault->vendor == SP_VENDOR_VTD)
		return value_taken(memory_print("reason 0x%02x", fault->code));
	return text_or_null(fault_event_name(fault->code));
}

static json_t *sharers_value(const struct machine *machine, const struct fault_source *source)
{
	json_t *list = json_array();

	for (size_t i = 0; i < source->sharer_count; i++)
		json_array_append_new(list, json_string(machine->function[source->sharer[i]].name));
	return list;
}

static void set_source(json_t *row, const struct machine *machine,
		       const struct fault_source *source, const struct fault_line *fault)
{
	const struct machine_function *function =
		source->function == MACHINE_NONE ? NULL : &machine->function[source->function];

	value_set(row, "sbdf",
		  function	      ? json_string(function->name)
		  : fault->has_device ? requester_value(fault)
				      : json_null());
	value_set(row, "alias",
		  source->is_alias || source->sharer_count ? requester_value(fault) : json_null());
	value_set(row, "shared", sharers_value(machine, source));
	value_set(row, "driver", text_or_null(function ? function->driver : NULL));
	value_set(row, "group",
		  function && function->group != MACHINE_NONE
			  ? json_integer(machine->group[function->group].number)
			  : json_null());
	value_set(row, "children", function ? describe_children(function) : json_array());
}

static void set_times(json_t *row, const struct fault_row *fault)
{
	double rate = fault_row_rate(fault);

	value_set(row, "first", text_or_null(fault->first.when));
	value_set(row, "last", text_or_null(fault->last.when));
	value_set(row, "seconds",
		  rate < 0 ? json_null() : json_real(fault->last.seconds - fault->first.seconds));
	value_set(row, "rate", rate < 0 ? json_null() : json_real(rate));
}

static void set_what(json_t *row, const struct fault_row *fault)
{
	const struct fault_line *line = &fault->line;
	bool is_transfer = line->event == FAULT_TRANSFER;

	value_set(row, "vendor", json_string(line->vendor == SP_VENDOR_VTD ? "VT-d" : "AMD-Vi"));
	value_set(row, "count", json_integer((json_int_t)fault->count));
	value_set(row, "kind", value_taken(fault_kind_text(line)));
	value_set(row, "access",
		  !is_transfer			     ? json_null()
		  : line->kind == SP_FAULT_INTERRUPT ? json_string("interrupt")
						     : json_string(line->write ? "write" : "read"));
	value_set(row, "address", address_value(fault));
	value_set(row, "first_address", hex_or_null(line->has_address, line->address));
	value_set(row, "last_address", hex_or_null(line->has_address, fault->last_address));
	value_set(row, "code", code_value(line));
	value_set(row, "reason",
		  line->vendor == SP_VENDOR_VTD ? text_or_null(fault_code_text(line))
						: json_null());
	value_set(row, "flags", hex_or_null(line->has_flags, line->flags));
	value_set(row, "domain", hex_or_null(line->has_domain, line->domain));
	value_set(row, "pasid", hex_or_null(line->has_pasid, line->pasid));
}

static json_t *describe(const struct machine *machine, const struct fault_row *fault)
{
	struct fault_source source = fault_source_find(machine, &fault->line);
	struct fault_advice advice = fault_advice_of(machine, &source, fault);
	json_t *row = json_object();

	set_source(row, machine, &source, &fault->line);
	set_what(row, fault);
	set_times(row, fault);
	value_set(row, "means", value_taken(advice.means));
	value_set(row, "next", value_taken(advice.next));
	free(source.sharer);
	return row;
}

json_t *faults_describe(const struct machine *machine, const struct fault_rows *rows)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rows->count; i++) {
		const struct log_line *first = &rows->row[i].first, *origin = &rows->row[0].first;
		bool timed = first->clock != LOG_NO_TIME && first->clock == origin->clock;
		json_t *row = describe(machine, &rows->row[i]);

		value_set(row, "at",
			  timed ? json_real(first->seconds - origin->seconds) : json_null());
		json_array_append_new(list, row);
	}
	return list;
}
