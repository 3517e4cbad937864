/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit_group.c - who goes along: the group, shared requester ids, ranges that firmware reserves, and what
 * the host has in use there.
 */
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "memory.h"

#define CLASS_BRIDGE   0x06u
#define CLASS_DISPLAY  0x03u
#define SUBCLASS_SMBUS 0x0c05u
#define SUBCLASS_IOMMU 0x0806u
#define SUBCLASS_USB   0x0c03u

/* --- what it is --- */

/* What a chipset keeps the machine running with. */
static bool is_chipset(const struct machine_function *function)
{
	uint32_t subclass = function->class_code >> 8;

	return !function->is_bridge && (subclass >> 8 == CLASS_BRIDGE ||
					subclass == SUBCLASS_SMBUS || subclass == SUBCLASS_IOMMU);
}

void audit_kind(const struct check *check)
{
	const struct machine_function *function = check->function;

	if (function->is_bridge)
		finding_add(
			check->out, "bridge", AUDIT_IMPOSSIBLE, memory_copy("a bridge"),
			memory_copy(
				"Its header is of type 1 (config 0x0e): vfio-pci takes endpoints alone. It "
				"stays with the host when what is behind it goes."),
			NULL);
	if (is_chipset(function))
		finding_add(
			check->out, "chipset", AUDIT_UNSAFE,
			memory_copy("a part of the chipset that the machine needs"),
			memory_print(
				"Its class is %04x (.../%s/class): host bridge, ISA bridge, SMBus or IOMMU.",
				function->class_code >> 8, function->name),
			NULL);
	if (!function->is_bridge && !check->group &&
	    check->audit->settings.translation == SETTING_YES)
		finding_add(
			check->out, "no-group", AUDIT_IMPOSSIBLE, memory_copy("in no IOMMU group"),
			memory_print(
				"/%s/iommu_group is not there, while other devices have one: no unit "
				"translates what it sends, so VFIO has no hold of it.",
				function->path),
			NULL);
}

/* --- in use --- */

static enum audit_verdict weight_of(enum use_kind kind)
{
	switch (kind) {
	case USE_ROOT_DISK:
	case USE_SWAP:
	case USE_ROUTE:
		return AUDIT_UNSAFE;
	case USE_DISK:
	case USE_CONSOLE:
	case USE_KEYBOARD:
		return AUDIT_CONDITIONAL;
	}
	return AUDIT_UNSAFE;
}

static const char *id_of(enum use_kind kind)
{
	switch (kind) {
	case USE_ROOT_DISK:
		return "in-use-root-disk";
	case USE_SWAP:
		return "in-use-swap";
	case USE_DISK:
		return "in-use-disk";
	case USE_ROUTE:
		return "in-use-default-route";
	case USE_CONSOLE:
		return "in-use-console";
	case USE_KEYBOARD:
		return "in-use-keyboard";
	}
	return "in-use";
}

/* "nvme0n1 holds / (by dm-0)" */
static char *sentence_of(const struct use *use)
{
	static const char *const verbs[] = {
		[USE_ROOT_DISK] = "holds", [USE_SWAP] = "holds", [USE_DISK] = "holds",
		[USE_ROUTE] = "carries",   [USE_CONSOLE] = "is", [USE_KEYBOARD] = "has",
	};

	return memory_print("%s %s %s%s%s%s", use->child ?: "it", verbs[use->kind], use->purpose,
			    *use->way ? " (by " : "", use->way, *use->way ? ")" : "");
}

static char *next_of(const struct use *use)
{
	switch (use->kind) {
	case USE_ROOT_DISK:
		return memory_copy("give another disk away, or move the system first");
	case USE_SWAP:
		return memory_print("swapoff what lies on %s, then audit again", use->child);
	case USE_DISK:
		return strncmp(use->purpose, "part of", 7)
			       ? memory_print("umount %s", use->purpose)
			       : memory_print(
					 "stop what holds it (vgchange -an, mdadm --stop), then audit again");
	case USE_ROUTE:
		return memory_copy(
			"give another interface away, or lead the route over another first");
	case USE_CONSOLE:
		return memory_copy("have another way in (ssh, a serial console) before it goes");
	case USE_KEYBOARD:
		return memory_copy(
			"have another way in (ssh, a keyboard at another controller) before it goes");
	}
	return NULL;
}

static void add_use(const struct check *check, const struct use *use)
{
	char *sentence = sentence_of(use);
	struct audit_finding *finding;

	finding =
		finding_add(check->out, id_of(use->kind), weight_of(use->kind),
			    memory_copy(sentence),
			    memory_print("In use by the host: %s, says %s.", sentence, use->source),
			    next_of(use));
	finding->in_use = true;
	free(sentence);
}

static void add_use_of_mate(const struct check *check, const struct use *use)
{
	const char *name = check->machine->function[use->function].name;
	char *sentence = sentence_of(use);
	struct audit_finding *finding;

	finding = finding_add(
		check->out, "mate-in-use", weight_of(use->kind),
		memory_print("its group mate %s is in use: %s", name, sentence),
		memory_print("%s is in the same group %u and goes along; the host uses it: %s, says "
			     "%s.",
			     name, check->group->number, sentence, use->source),
		next_of(use));
	finding->in_use = true;
	finding_add_peer(finding, use->function);
	free(sentence);
}

void audit_uses(const struct check *check)
{
	const struct uses *uses = check->audit->uses;

	if (check->function->is_bridge || left_out("in-use"))
		return;
	for (size_t i = 0; i < uses->count; i++) {
		if (uses->use[i].function == check->index)
			add_use(check, &uses->use[i]);
	}
	for (size_t i = 0; i < uses->count && !left_out("mate-in-use"); i++) {
		if (function_is_mate(check, uses->use[i].function))
			add_use_of_mate(check, &uses->use[i]);
	}
}

/* --- the group --- */

static void add_mates(const struct check *check, const int *mate, size_t count)
{
	char *list = finding_list(check->machine, mate, count);
	struct audit_finding *finding;

	finding = finding_add(
		check->out, "group-mates", AUDIT_CONDITIONAL,
		memory_print("goes with the %zu other%s of group %u", count, count > 1 ? "s" : "",
			     check->group->number),
		memory_print(
			"/sys/kernel/iommu_groups/%u/devices holds %s too: nothing keeps them apart, so all go to "
			"one guest, or stay without a driver.",
			check->group->number, list),
		memory_print("sallyport bind %s   # takes the whole group", check->function->name));
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

/* --- reserved ranges --- */

static bool is_type(const struct machine_range *range, const char *type)
{
	return range->type && !strcmp(range->type, type);
}

static const char *range_word(const struct machine *machine)
{
	return machine->unit_count && machine->unit[0].vendor == SP_VENDOR_AMDVI
		       ? "unity range (IVMD)"
		       : "RMRR";
}

/* Whose range it is, by firmware's table: the group's list does not tell. */
static char *owners_of(const struct check *check, const struct machine_range *range)
{
	int *owner = memory_take(check->group->member_count, sizeof(int));
	size_t count = 0;
	char *list, *text;

	for (size_t i = 0; i < check->group->member_count; i++) {
		const struct machine_function *member =
			&check->machine->function[check->group->member[i]];

		for (uint32_t j = 0; j < member->reserved_count; j++) {
			if (member->reserved[j].first <= range->first &&
			    range->first < member->reserved[j].first + member->reserved[j].bytes) {
				owner[count++] = check->group->member[i];
				break;
			}
		}
	}
	list = finding_list(check->machine, owner, count);
	text = count ? memory_print("; by firmware's table it is for %s", list) : memory_copy("");
	free(list);
	free(owner);
	return text;
}

static void add_range(const struct check *check, const struct machine_range *range, bool relaxable)
{
	const char *word = range_word(check->machine);
	char *owners = owners_of(check, range);
	unsigned long long first = range->first, last = range->first + range->bytes - 1;

	if (relaxable)
		finding_add(
			check->out, "rmrr-relaxable", AUDIT_SAFE,
			memory_print("firmware's %s is let go", word),
			memory_print(
				"/sys/kernel/iommu_groups/%u/reserved_regions has %#llx-%#llx "
				"direct-relaxable%s: firmware used the device (USB keyboard, boot display) "
				"and is done with it, so the kernel drops the range when VFIO takes it.",
				check->group->number, first, last, owners),
			NULL);
	else
		finding_add(
			check->out, "rmrr", AUDIT_IMPOSSIBLE,
			memory_print("firmware keeps a range of memory for it: %s", word),
			memory_print(
				"/sys/kernel/iommu_groups/%u/reserved_regions has %#llx-%#llx direct%s: "
				"firmware wants this range mapped for the device at any time, so the kernel "
				"refuses VFIO.",
				check->group->number, first, last, owners),
			memory_copy(
				"switch off in the firmware's setup what uses it (shared memory of the "
				"management controller, RAID option ROM), or update the firmware"));
	free(owners);
}

/* Without groups there is but firmware's table; the kernel then lets USB and graphics go. */
static void foresee_ranges(const struct check *check)
{
	const struct machine_function *function = check->function;
	bool relaxable = function->class_code >> 8 == SUBCLASS_USB ||
			 function->class_code >> 16 == CLASS_DISPLAY;

	for (uint32_t i = 0; i < function->reserved_count; i++) {
		unsigned long long first = function->reserved[i].first,
				   last = first + function->reserved[i].bytes - 1;

		finding_add(
			check->out, relaxable ? "rmrr-relaxable" : "rmrr",
			relaxable ? AUDIT_SAFE : AUDIT_IMPOSSIBLE,
			memory_print("firmware keeps a range of memory for it: %s",
				     range_word(check->machine)),
			memory_print(
				"Firmware's table reserves %#llx-%#llx for it; with the IOMMU on the kernel "
				"will %s.",
				first, last,
				relaxable ? "drop that when VFIO takes it" : "refuse VFIO"),
			NULL);
	}
}

void audit_reserved(const struct check *check)
{
	const struct machine_group *group = check->group;

	if (check->function->is_bridge || left_out("rmrr"))
		return;
	if (!group || !group->reserved_count) {
		foresee_ranges(check);
		return;
	}
	for (size_t i = 0; i < group->reserved_count; i++) {
		if (is_type(&group->reserved[i], "direct"))
			add_range(check, &group->reserved[i], false);
		else if (is_type(&group->reserved[i], "direct-relaxable"))
			add_range(check, &group->reserved[i], true);
	}
}

/* --- who has it now --- */

void audit_driver(const struct check *check)
{
	const struct machine_function *function = check->function;

	if (function->is_bridge)
		return;
	if (function->driver && !strcmp(function->driver, "vfio-pci"))
		finding_add(check->out, "bound-to-vfio", AUDIT_SAFE, memory_copy("vfio-pci has it"),
			    memory_print("/%s/driver leads to vfio-pci.", function->path),
			    memory_print("sallyport verify %s", function->name));
	else
		finding_add(check->out, "bound-to-host", AUDIT_SAFE,
			    memory_print("%s has it", function->driver ?: "no driver"),
			    memory_print("/%s/driver %s%s.", function->path,
					 function->driver ? "leads to " : "is not there",
					 function->driver ?: ""),
			    memory_print("sallyport bind %s", function->name));
}
