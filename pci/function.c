/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/function.c - functions by name and by number, and their bus mastering.
 */
#include "pci/function.h"

#include "pci/ats.h"
#include "pci/capability.h"

struct function *function_find(struct sp_host *host, sp_sbdf_t sbdf)
{
	for (uint32_t i = 0; i < host->function_count; i++) {
		if (host->functions[i].sbdf.sbdf == sbdf.sbdf)
			return &host->functions[i];
	}
	return NULL;
}

bool function_is_master(const struct sp_host *host, const struct function *function)
{
	return config_read16(host, function->sbdf, CONFIG_COMMAND) & COMMAND_MASTER;
}

void function_set_master(struct sp_host *host, const struct function *function, bool on)
{
	uint32_t command = config_read16(host, function->sbdf, CONFIG_COMMAND);
	uint32_t wanted = on ? command | COMMAND_MASTER : command & ~COMMAND_MASTER;

	if (command != wanted)
		config_write16(host, function->sbdf, CONFIG_COMMAND, wanted);
}

static uint32_t unit_index(const struct sp_host *host, const struct unit *unit)
{
	uint32_t index = 0;

	while (index < host->unit_count && host->units[index] != unit)
		index++;
	return index;
}

enum sp_status sp_function_info(struct sp_host *host, uint32_t index, struct sp_function_info *info)
{
	const struct function *function;

	if (index >= host->function_count)
		return SP_NOT_FOUND;
	function = &host->functions[index];
	/* Not in the middle of an assignment, nor of a reset, when nothing answers. */
	lock_take(&host->assign, host->embedder);
	*info = (struct sp_function_info){
		.sbdf = function->sbdf,
		.vendor = function->vendor,
		.device = function->device,
		.class_code = function->class_code,
		.is_bridge = function->header != 0,
		.covered = function->unit != NULL,
		.can_reset = capability_can_reset(host, function),
		.has_ats = ats_find(host, function) != 0,
		.ats = function->ats,
		.unit = function->unit ? unit_index(host, function->unit) : 0,
		.requester_count = function->requester_count,
		.reserved_count = function->reserved_count,
		.owner = function->domain == function->quarantine ? NULL : function->domain,
		.fenced = function->fenced,
		.is_virtual = function->is_virtual,
		.physical = host->functions[function->is_virtual ? function->physical : index].sbdf,
		.vf_count = function->vf_count,
	};
	lock_drop(&host->assign);
	for (uint32_t i = 0; i < function->requester_count; i++)
		info->requester[i] = function->requester[i];
	for (uint32_t i = 0; i < function->reserved_count; i++)
		info->reserved[i] = (struct sp_reserved){ { function->reserved[i].first_mfn },
							  function->reserved[i].count,
							  function->reserved[i].read,
							  function->reserved[i].write };
	for (uint32_t i = 0; i < SP_BARS; i++)
		info->bar[i] = function->bar[i];
	return SP_OK;
}
