/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit_group.c - what it is, who goes along, and who has it now.
 */
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "memory.h"

#define CLASS_BRIDGE   0x06u
#define SUBCLASS_SMBUS 0x0c05u
#define SUBCLASS_IOMMU 0x0806u

/* --- what it is --- */

/* What a chipset keeps the machine running with. */
bool function_is_chipset(const struct machine_function *function)
{
	uint32_t subclass = function->class_code >> 8;

	return !function->is_bridge && (subclass >> 8 == CLASS_BRIDGE ||
					subclass == SUBCLASS_SMBUS || subclass == SUBCLASS_IOMMU);
}

/* Others have a unit, and it has none: in no group, or in one that VFIO made up. */
static bool is_uncontained(const struct check *check)
{
	return check->audit->settings.translation == SETTING_YES &&
	       (!check->group || check->group->noiommu);
}

/* Kernels from 5.19 on make up a group for whatever has none, whether or not other devices have an IOMMU. */
static void add_uncontained(const struct check *check)
{
	const char *name = check->function->name;
	bool taken = check->audit->settings.noiommu;
	char *evidence;

	if (check->group)
		evidence = memory_print(
			"/sys/kernel/iommu_groups/%u/name is vfio-noiommu: VFIO made that group up, and no unit translates "
			"what %s sends. It reads and writes all of the host's memory.",
			check->group->number, name);
	else
		evidence = memory_print(
			"/sys/bus/pci/devices/%s/iommu_group is not there, while other devices have one: no unit "
			"translates what it sends, so VFIO %s.",
			name,
			taken ? "takes it in its no-IOMMU mode alone, where it reaches all of the host's memory"
			      : "has no hold of it");
	finding_add(
		check->out, "no-group", taken ? AUDIT_UNSAFE : AUDIT_IMPOSSIBLE,
		memory_copy(check->group ? "in a group that contains nothing"
					 : "in no IOMMU group"),
		evidence,
		taken ? memory_copy(
				"echo N > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode")
		      : NULL);
}

void audit_kind(const struct check *check)
{
	const struct machine_function *function = check->function;

	if (function->is_bridge && !left_out("bridge"))
		finding_add(
			check->out, "bridge", AUDIT_IMPOSSIBLE, memory_copy("a bridge"),
			memory_copy(
				"Its header is of type 1 (config 0x0e): vfio-pci takes endpoints alone. It "
				"stays with the host when what is behind it goes."),
			NULL);
	if (function_is_chipset(function) && !left_out("chipset"))
		finding_add(
			check->out, "chipset", AUDIT_UNSAFE,
			memory_copy("a part of the chipset that the machine needs"),
			memory_print(
				"Its class is %04x (.../%s/class): host bridge, ISA bridge, SMBus or IOMMU.",
				function->class_code >> 8, function->name),
			NULL);
	if (!function->is_bridge && is_uncontained(check) && !left_out("no-group"))
		add_uncontained(check);
}

/* --- the group --- */

static void add_mates(const struct check *check, const int *mate, size_t count)
{
	char *list = finding_list(check->machine, mate, count);
	struct audit_finding *finding;

	finding = finding_add(
		check->out, "group-mates", AUDIT_CONDITIONAL,
		count == 1
			? memory_print("goes with %s of group %u",
				       check->machine->function[*mate].name, check->group->number)
			: memory_print("goes with %zu others of group %u", count,
				       check->group->number),
		memory_print(
			"/sys/kernel/iommu_groups/%u/devices holds %s too: the kernel sees nothing that keeps "
			"them apart, so all go to one guest (`sallyport bind` takes the whole group), or stay without a driver.",
			check->group->number, list),
		NULL);
	for (size_t i = 0; i < count; i++)
		finding_add_peer(finding, mate[i]);
	free(list);
}

static void add_bridges(const struct check *check, const int *bridge, size_t count)
{
	char *list = finding_list(check->machine, bridge, count);
	struct audit_finding *finding;

	finding = finding_add(
		check->out, "group-bridge", AUDIT_SAFE,
		memory_copy("bridges of its group stay with the host"),
		memory_print(
			"/sys/kernel/iommu_groups/%u/devices holds the bridge%s %s: VFIO lets the "
			"host keep a bridge of a group that is given away.",
			check->group->number, count > 1 ? "s" : "", list),
		NULL);
	for (size_t i = 0; i < count; i++)
		finding_add_peer(finding, bridge[i]);
	free(list);
}

void audit_group(const struct check *check)
{
	const struct machine_group *group = check->group;
	size_t mate_count = 0, bridge_count = 0;
	int *mate, *bridge;

	if (!group || check->function->is_bridge || left_out("group"))
		return;
	mate = memory_take(group->member_count, sizeof(int));
	bridge = memory_take(group->member_count, sizeof(int));
	for (size_t i = 0; i < group->member_count; i++) {
		if (check->machine->function[group->member[i]].is_bridge)
			bridge[bridge_count++] = group->member[i];
		else if (group->member[i] != check->index)
			mate[mate_count++] = group->member[i];
	}
	if (mate_count)
		add_mates(check, mate, mate_count);
	if (bridge_count)
		add_bridges(check, bridge, bridge_count);
	free(mate);
	free(bridge);
}

/* --- requester ids --- */

static bool shares_id(const struct machine_function *a, const struct machine_function *b,
		      uint16_t *id)
{
	if (sp_sbdf_segment(a->sbdf) != sp_sbdf_segment(b->sbdf))
		return false;
	for (uint32_t i = 0; i < a->requester_count; i++) {
		for (uint32_t j = 0; j < b->requester_count; j++) {
			*id = a->requester[i];
			if (a->requester[i] == b->requester[j])
				return true;
		}
	}
	return false;
}

/* Endpoints alone: what a bridge sends by itself is not a guest's. */
void audit_requesters(const struct check *check)
{
	const struct machine *machine = check->machine;

	if (check->function->is_bridge || left_out("requester-shared"))
		return;
	for (size_t i = 0; i < machine->function_count; i++) {
		const struct machine_function *other = &machine->function[i];
		uint16_t id;

		if ((int)i == check->index || other->is_bridge ||
		    !shares_id(check->function, other, &id))
			continue;
		finding_add_peer(
			finding_add(
				check->out, "requester-shared",
				function_is_mate(check, (int)i) ? AUDIT_SAFE : AUDIT_UNSAFE,
				memory_print("shares a requester id with %s", other->name),
				memory_print(
					"What it sends may carry %02x:%02x.%x, and so may what %s sends: "
					"the bridge between them and the unit puts its own id there, so "
					"the unit cannot tell them apart.",
					id >> 8, id >> 3 & 0x1f, id & 7, other->name),
				NULL),
			(int)i);
	}
}

/* --- who has it now --- */

/* Is there something yet that speaks against giving it away at all? */
static bool is_worth_binding(const struct check *check)
{
	const struct audit_findings *host = &check->audit->host;

	for (size_t i = 0; i < check->out->count; i++) {
		if (check->out->finding[i].weight > AUDIT_CONDITIONAL ||
		    check->out->finding[i].in_use)
			return false;
	}
	return !host->count || host->finding[0].weight <= AUDIT_CONDITIONAL;
}

void audit_driver(const struct check *check)
{
	const struct machine_function *function = check->function;
	const char *driver = function->driver;
	bool worth = is_worth_binding(check);

	if (function->is_bridge)
		return;
	if (driver && !strcmp(driver, "vfio-pci"))
		finding_add(check->out, "bound-to-vfio", AUDIT_SAFE, memory_copy("vfio-pci has it"),
			    memory_print("/sys/bus/pci/devices/%s/driver leads to vfio-pci.",
					 function->name),
			    worth ? memory_print("sallyport verify %s", function->name) : NULL);
	else
		finding_add(check->out, "bound-to-host", AUDIT_SAFE,
			    memory_print("%s has it", driver ?: "no driver"),
			    memory_print("/sys/bus/pci/devices/%s/driver %s%s.", function->name,
					 driver ? "leads to " : "is not there", driver ?: ""),
			    worth ? memory_print("sallyport bind %s", function->name) : NULL);
}
