/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/commands.c - what each unit was told, in the order of execution: the evidence for
 * oracle E.
 */
#include <stdio.h>

#include "machine.h"

void command_log(struct model *model, const struct model_command *command)
{
	struct model_command *kept = &model->command[model->command_count++ % COMMANDS_KEPT];

	*kept = *command;
	kept->at = model->now;
}

uint32_t model_command_count(const struct model *model)
{
	return model->command_count;
}

struct model_command model_command(const struct model *model, uint32_t index)
{
	return model->command[index % COMMANDS_KEPT];
}

void model_commands_reset(struct model *model)
{
	model_take_lock(model);
	model->command_count = 0;
	for (uint32_t cpu = 0; cpu < MODEL_MAX_CPUS; cpu++)
		model->cpu[cpu].kicks = model->cpu[cpu].flushes = 0;
	model_drop_lock(model);
}

static const char *kind_name(enum model_command_kind kind)
{
	switch (kind) {
	case MODEL_CMD_WAIT:
		return "wait";
	case MODEL_CMD_ENTRY_ALL:
		return "all entries";
	case MODEL_CMD_ENTRY_DOMAIN:
		return "entries of the domain";
	case MODEL_CMD_ENTRY:
		return "entry of the requester";
	case MODEL_CMD_PASID_ALL:
		return "all PASID entries";
	case MODEL_CMD_PASID_DOMAIN:
		return "PASID entries of the domain";
	case MODEL_CMD_PASID:
		return "PASID entry";
	case MODEL_CMD_IOTLB_ALL:
		return "all translations";
	case MODEL_CMD_IOTLB_DOMAIN:
		return "translations of the domain";
	case MODEL_CMD_IOTLB_PAGES:
		return "pages";
	case MODEL_CMD_ATC:
		return "device cache";
	case MODEL_CMD_INTERRUPTS:
		return "interrupt entries";
	case MODEL_CMD_WRITE_BUFFER:
		return "write buffer";
	case MODEL_CMD_FORGET:
		return "frames";
	case MODEL_CMD_OTHER:
		break;
	}
	return "other";
}

void model_command_text(const struct model_command *command, char *line, size_t bytes)
{
	if (command->kind == MODEL_CMD_FORGET) {
		snprintf(line, bytes, "observer %u: %s, %llu from 0x%llx", command->requester,
			 command->order >= ALL_ORDER ? "everything" : "frames",
			 (unsigned long long)command->count, (unsigned long long)command->first);
		return;
	}
	snprintf(line, bytes,
		 "unit %u: %s, domain %u, requester %04x, dfn 0x%llx order %u, links %d",
		 command->unit, kind_name(command->kind), command->domain, command->requester,
		 (unsigned long long)command->first, command->order, command->links);
}
