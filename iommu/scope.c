/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/scope.c - which unit covers which function, and which of firmware's ranges are whose.
 *
 *   scope: bus 0, path (1c,4) (0,0)     0:1c.4 is a bridge to bus 3 ----> function 3:00.0
 *
 * The nearest scope wins: one that names the function, else one that names a bridge above it, else
 * the unit that takes the rest. Two units that are equally near contradict each other.
 */
#include "iommu/scope.h"

#include "lib/text.h"
#include "pci/config.h"
#include "pci/requester.h"

#define DISTANCE_REST 0x10000
#define DISTANCE_NONE (-1)

enum sp_status scope_add(struct sp_host *host, const struct scope *scope)
{
	if (!host->scopes)
		host->scopes = host_alloc(host, HOST_SCOPES * sizeof(*host->scopes));
	if (!host->scopes || host->scope_count == HOST_SCOPES) {
		host_log(host, SP_LOG_ERROR, "firmware's table names more devices than fit");
		return SP_NO_SPACE;
	}
	host->scopes[host->scope_count++] = *scope;
	return SP_OK;
}

static enum sp_status check_range(const struct sp_host *host, uint64_t first, uint64_t count)
{
	struct text text = { .length = 0 };

	if (count && first + count > first)
		return SP_OK;
	text_hex(text_add(&text, "reserved range at mfn "), first);
	text_add(&text, " is empty or wraps around");
	host_log(host, SP_LOG_ERROR, text.line);
	return SP_INVALID;
}

enum sp_status reserved_add(struct sp_host *host, const struct reserved *reserved)
{
	enum sp_status status = check_range(host, reserved->first_mfn, reserved->count);

	if (status != SP_OK)
		return status;
	if (!host->reserved)
		host->reserved = host_alloc(host, HOST_RESERVED * sizeof(*host->reserved));
	if (!host->reserved || host->reserved_count == HOST_RESERVED) {
		host_log(host, SP_LOG_ERROR,
			 "firmware's table names more reserved ranges than fit");
		return SP_NO_SPACE;
	}
	host->reserved[host->reserved_count++] = *reserved;
	return SP_OK;
}

/* NULL: firmware names what is not there, or leads through what is no bridge. */
static const struct function *path_end(struct sp_host *host, uint16_t segment,
				       const struct scope *scope)
{
	const struct function *function = NULL;
	uint32_t bus = scope->start_bus;

	for (uint32_t i = 0; i < scope->path_length; i++) {
		if (i > 0 && (function->header != 1 || function->secondary_bus == 0))
			return NULL;
		if (i > 0)
			bus = function->secondary_bus;
		function = function_find(host, sp_sbdf(segment, bus, scope->path[i][0],
						       scope->path[i][1]));
		if (!function)
			return NULL;
	}
	return function;
}

/* How many bridges up `above` stands; 0: it is the function itself. */
static int32_t steps_up(const struct sp_host *host, const struct function *function,
			const struct function *above)
{
	for (int32_t steps = 0;; steps++) {
		if (function == above)
			return steps;
		if (function->parent < 0)
			return DISTANCE_NONE;
		function = &host->functions[function->parent];
	}
}

static bool is_within(const struct scope *scope, uint16_t id)
{
	return scope->first <= id && id <= scope->last;
}

static int32_t distance(struct sp_host *host, uint16_t segment, const struct scope *scope,
			const struct function *function)
{
	const struct function *end;

	if (sp_sbdf_segment(function->sbdf) != segment)
		return DISTANCE_NONE;
	switch (scope->kind) {
	case SCOPE_REST:
		return DISTANCE_REST;
	case SCOPE_RANGE:
		return is_within(scope, sp_sbdf_requester(function->sbdf)) ? 0 : DISTANCE_NONE;
	case SCOPE_PATH:
		return path_end(host, segment, scope) == function ? 0 : DISTANCE_NONE;
	case SCOPE_BELOW:
		end = path_end(host, segment, scope);
		return end ? steps_up(host, function, end) : DISTANCE_NONE;
	}
	return DISTANCE_NONE;
}

/*
 * A virtual function is not there when firmware writes its table. So it is under the unit of its
 * physical function (VT-d 8.3.1), even where others have the rest; only a range of ids that names its
 * own is nearer.
 */
static int32_t distance_of_either(struct sp_host *host, const struct scope *scope,
				  const struct function *function)
{
	int32_t own = distance(host, scope->unit->segment, scope, function), physical;

	if (!function->is_virtual || (own == 0 && scope->kind == SCOPE_RANGE))
		return own;
	physical =
		distance(host, scope->unit->segment, scope, &host->functions[function->physical]);
	return physical == DISTANCE_NONE ? DISTANCE_NONE : physical + 1;
}

static enum sp_status resolve_unit(struct sp_host *host, struct function *function)
{
	int32_t nearest = DISTANCE_REST + 2;
	bool contradicts = false;

	for (uint32_t i = 0; i < host->scope_count; i++) {
		const struct scope *scope = &host->scopes[i];
		int32_t here = distance_of_either(host, scope, function);

		if (here == DISTANCE_NONE || here > nearest)
			continue;
		contradicts = here == nearest && (contradicts || scope->unit != function->unit);
		nearest = here;
		function->unit = scope->unit;
		if (scope->kind == SCOPE_RANGE && scope->has_alias &&
		    (!function->is_virtual || here == 0))
			requester_add(host, function, scope->alias);
	}
	if (contradicts) {
		config_log(host, SP_LOG_ERROR, function->sbdf,
			   "firmware's table gives it to two units");
		return SP_MALFORMED;
	}
	if (function->unusable)
		function->unit = NULL;
	return SP_OK;
}

/* Nothing is merged (XSA-378): what lies between two ranges belongs to nobody. */
static enum sp_status add_range(struct sp_host *host, struct function *function,
				const struct reserved *reserved)
{
	if (function->reserved_count == FUNCTION_RESERVED) {
		config_log(host, SP_LOG_ERROR, function->sbdf,
			   "has more reserved ranges than can be kept");
		return SP_NO_SPACE;
	}
	function->reserved[function->reserved_count++] =
		(struct function_range){ reserved->first_mfn, reserved->count, reserved->read,
					 reserved->write };
	return SP_OK;
}

static bool concerns(struct sp_host *host, const struct reserved *reserved,
		     const struct function *function)
{
	if (reserved->by_path)
		return distance(host, reserved->segment, &reserved->scope, function) !=
		       DISTANCE_NONE;
	if (sp_sbdf_segment(function->sbdf) != reserved->segment)
		return false;
	for (uint32_t i = 0; i < function->requester_count; i++) {
		if (is_within(&reserved->scope, function->requester[i]))
			return true;
	}
	return false;
}

static enum sp_status resolve_reserved(struct sp_host *host, struct function *function)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < host->reserved_count && status == SP_OK; i++) {
		if (concerns(host, &host->reserved[i], function))
			status = add_range(host, function, &host->reserved[i]);
	}
	return status;
}

enum sp_status scope_resolve(struct sp_host *host)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < host->function_count && status == SP_OK; i++)
		status = resolve_unit(host, &host->functions[i]);
	for (uint32_t i = 0; i < host->function_count && status == SP_OK; i++)
		status = resolve_reserved(host, &host->functions[i]);
	return status;
}

_Static_assert(sizeof(struct scope) <= HOST_SCOPE_BYTES, "what sp_host_size() reckons with");
_Static_assert(sizeof(struct reserved) <= HOST_RESERVED_BYTES, "what sp_host_size() reckons with");
