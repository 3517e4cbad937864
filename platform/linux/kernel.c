/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/kernel.c - what the kernel shows of PCI functions, groups and units, in sysfs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "memory.h"

#define DEVICES		  "sys/bus/pci/devices"
#define GROUPS		  "sys/kernel/iommu_groups"
#define UNITS		  "sys/class/iommu"

/* include/linux/ioport.h, which /sys/.../resource prints. */
#define RESOURCE_IO	  0x00000100u
#define RESOURCE_PREFETCH 0x00002000u
#define RESOURCE_WIDE	  0x00100000u

static uint64_t number_in(const struct machine *machine, const char *directory, const char *name,
			  uint64_t otherwise)
{
	uint64_t number;

	return root_number_in(machine->root, directory, name, &number) ? number : otherwise;
}

static void read_resources(const struct machine *machine, struct machine_function *function)
{
	char *path = memory_print("%s/resource", function->path);
	struct root_bytes bytes;
	const char *at;

	if (root_read(machine->root, path, &bytes) != ROOT_OK)
		bytes.data = "";
	at = bytes.data;
	for (unsigned int i = 0; i < MACHINE_RESOURCES && *at; i++) {
		unsigned long long first, last, flags;

		if (sscanf(at, "%llx %llx %llx", &first, &last, &flags) == 3 && flags)
			function->resource[i] = (struct machine_range){
				.first = first,
				.bytes = last - first + 1,
				.is_io = flags & RESOURCE_IO,
				.prefetchable = flags & RESOURCE_PREFETCH,
				.wide = flags & RESOURCE_WIDE,
			};
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	free(path);
}

static void read_config(const struct machine *machine, struct machine_function *function)
{
	char *path = memory_print("%s/config", function->path);

	if (root_read(machine->root, path, &function->config) != ROOT_OK)
		function->config = (struct root_bytes){ "", 0 };
	free(path);
}

static void read_identity(const struct machine *machine, struct machine_function *function)
{
	const char *path = function->path;

	function->vendor = (uint16_t)number_in(machine, path, "vendor", 0xffff);
	function->device = (uint16_t)number_in(machine, path, "device", 0xffff);
	function->subsystem_vendor = (uint16_t)number_in(machine, path, "subsystem_vendor", 0);
	function->subsystem = (uint16_t)number_in(machine, path, "subsystem_device", 0);
	function->class_code = (uint32_t)number_in(machine, path, "class", 0);
	function->revision = (uint8_t)number_in(machine, path, "revision", 0);
	function->is_bridge =
		function->config.count > 0x0e && (function->config.data[0x0e] & 0x7f) == 1;
	if (function->is_bridge) {
		function->secondary_bus = (uint8_t)machine_config(function, 0x19, 1);
		function->subordinate_bus = (uint8_t)machine_config(function, 0x1a, 1);
	}
}

static void read_state(const struct machine *machine, struct machine_function *function)
{
	const char *path = function->path,
		   *override = root_text_in(machine->root, path, "driver_override");
	int64_t numa = (int64_t)number_in(machine, path, "numa_node", (uint64_t)MACHINE_NONE);

	function->driver = root_link_name_in(machine->root, path, "driver");
	function->override = override && *override && strcmp(override, "(null)") ? override : NULL;
	function->numa = numa < 0 ? MACHINE_NONE : (int)numa;
	function->reset = root_text_in(machine->root, path, "reset_method");
	function->is_boot_vga = number_in(machine, path, "boot_vga", 0);
	function->vf_count = (uint32_t)number_in(machine, path, "sriov_numvfs", 0);
	function->vf_total = (uint32_t)number_in(machine, path, "sriov_totalvfs", 0);
}

static bool add_function(struct machine *machine, const char *name)
{
	struct machine_function *function;
	char *link = memory_print("%s/%s", DEVICES, name);
	const char *path = root_follow(machine->root, link);
	sp_sbdf_t sbdf;

	free(link);
	if (!path || !machine_parse_sbdf(name, &sbdf))
		return false;
	machine->function =
		memory_grow(machine->function, machine->function_count, sizeof(*function));
	function = &machine->function[machine->function_count++];
	*function = (struct machine_function){ .sbdf = sbdf,
					       .path = path,
					       .parent = MACHINE_NONE,
					       .group = MACHINE_NONE,
					       .physical = MACHINE_NONE,
					       .unit = MACHINE_NONE };
	snprintf(function->name, sizeof(function->name), "%s", name);
	read_config(machine, function);
	read_identity(machine, function);
	read_state(machine, function);
	read_resources(machine, function);
	return true;
}

static int compare_functions(const void *a, const void *b)
{
	const struct machine_function *left = a, *right = b;

	return left->sbdf.sbdf < right->sbdf.sbdf ? -1 : left->sbdf.sbdf > right->sbdf.sbdf;
}

static void read_functions(struct machine *machine)
{
	struct root_names names;

	if (root_list(machine->root, DEVICES, &names) != ROOT_OK)
		return;
	for (size_t i = 0; i < names.count; i++)
		add_function(machine, names.name[i]);
	if (machine->function_count)
		qsort(machine->function, machine->function_count, sizeof(*machine->function),
		      compare_functions);
}

static void link_functions(struct machine *machine)
{
	for (size_t i = 0; i < machine->function_count; i++) {
		struct machine_function *function = &machine->function[i];
		const char *physical = root_link_name_in(machine->root, function->path, "physfn");
		sp_sbdf_t sbdf;

		function->parent = machine_above(machine, function->path);
		if (physical && machine_parse_sbdf(physical, &sbdf))
			function->physical = machine_find(machine, sbdf);
	}
}

/* Network interfaces and disks, each at the function that it is below. */
static void read_children(struct machine *machine, const char *class)
{
	struct root_names names;

	if (root_list(machine->root, class, &names) != ROOT_OK)
		return;
	for (size_t i = 0; i < names.count; i++) {
		char *link = memory_print("%s/%s", class, names.name[i]);
		const char *path = root_follow(machine->root, link);
		int above = path ? machine_above(machine, path) : MACHINE_NONE;
		struct machine_function *function;

		free(link);
		if (above == MACHINE_NONE)
			continue;
		function = &machine->function[above];
		function->child.name =
			memory_grow(function->child.name, function->child.count, sizeof(char *));
		function->child.name[function->child.count++] = names.name[i];
	}
}

/* "0x00000000fee00000 0x00000000feefffff msi" */
static void read_group_ranges(const struct machine *machine, struct machine_group *group,
			      const char *path)
{
	char *name = memory_print("%s/reserved_regions", path);
	struct root_bytes bytes;
	const char *at;

	if (root_read(machine->root, name, &bytes) != ROOT_OK)
		bytes.data = "";
	for (at = bytes.data; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		unsigned long long first, last;
		char type[32];

		if (sscanf(at, "%llx %llx %31s", &first, &last, type) != 3)
			continue;
		group->reserved = memory_grow(group->reserved, group->reserved_count,
					      sizeof(*group->reserved));
		group->reserved[group->reserved_count++] = (struct machine_range){
			.first = first, .bytes = last - first + 1, .type = memory_copy(type)
		};
	}
	free(name);
}

static void read_members(struct machine *machine, struct machine_group *group, const char *path)
{
	char *directory = memory_print("%s/devices", path);
	struct root_names names;

	if (root_list(machine->root, directory, &names) != ROOT_OK)
		names.count = 0;
	free(directory);
	for (size_t i = 0; i < names.count; i++) {
		sp_sbdf_t sbdf;
		int index = machine_parse_sbdf(names.name[i], &sbdf) ? machine_find(machine, sbdf)
								     : MACHINE_NONE;

		if (index == MACHINE_NONE)
			continue;
		group->member = memory_grow(group->member, group->member_count, sizeof(int));
		group->member[group->member_count++] = index;
		machine->function[index].group = (int)(group - machine->group);
	}
}

static bool is_noiommu(const struct machine *machine, const char *path)
{
	const char *name = root_text_in(machine->root, path, "name");

	return name && !strcmp(name, "vfio-noiommu");
}

static void read_groups(struct machine *machine)
{
	struct root_names names;

	if (root_list(machine->root, GROUPS, &names) != ROOT_OK)
		return;
	for (size_t i = 0; i < names.count; i++) {
		char *path = memory_print("%s/%s", GROUPS, names.name[i]);
		struct machine_group *group;

		machine->group = memory_grow(machine->group, machine->group_count, sizeof(*group));
		group = &machine->group[machine->group_count++];
		group->number = (uint32_t)strtoul(names.name[i], NULL, 10);
		group->type = root_text_in(machine->root, path, "type");
		group->noiommu = is_noiommu(machine, path);
		read_members(machine, group, path);
		read_group_ranges(machine, group, path);
		free(path);
	}
}

static uint64_t hex_in(const struct machine *machine, const char *path, const char *directory,
		       const char *name, bool *known)
{
	char *below = memory_print("%s/%s", path, directory);
	const char *text = root_text_in(machine->root, below, name);

	free(below);
	*known = text && *text;
	return *known ? strtoull(text, NULL, 16) : 0;
}

/*
 * AMD's extended features: one number until 5.19, two from 6.0 on. The second register's (EFR2) comes first until 6.6, and
 * last since; it has but few low bits, while EFR has those beyond 2^20 on all hardware that has EFR2. So the larger is EFR.
 */
static uint64_t features_in(const struct machine *machine, const char *path, bool *known)
{
	char *below = memory_print("%s/amd-iommu", path);
	const char *text = root_text_in(machine->root, below, "features");
	uint64_t first = 0, second = 0;
	char *end;

	free(below);
	*known = text && *text;
	if (*known) {
		first = strtoull(text, &end, 16);
		second = *end == ':' ? strtoull(end + 1, NULL, 16) : 0;
	}
	return first > second ? first : second;
}

static void add_unit(struct machine *machine, const char *name)
{
	char *path = memory_print("%s/%s", UNITS, name);
	struct machine_unit unit = { .name = name, .used = true };
	bool extended;

	if (!strncmp(name, "dmar", 4)) {
		unit.vendor = SP_VENDOR_VTD;
		unit.address = hex_in(machine, path, "intel-iommu", "address", &unit.has_address);
		unit.caps = hex_in(machine, path, "intel-iommu", "cap", &unit.has_caps);
		unit.extended = hex_in(machine, path, "intel-iommu", "ecap", &extended);
	} else if (!strncmp(name, "ivhd", 4)) {
		unit.vendor = SP_VENDOR_AMDVI;
		unit.caps = hex_in(machine, path, "amd-iommu", "cap", &unit.has_caps);
		unit.extended = features_in(machine, path, &extended);
	} else {
		free(path);
		return;
	}
	machine->unit = memory_grow(machine->unit, machine->unit_count, sizeof(unit));
	machine->unit[machine->unit_count++] = unit;
	free(path);
}

/* sys/devices/../iommu -> .. /dmar0 */
static void link_units(struct machine *machine)
{
	for (size_t i = 0; i < machine->function_count; i++) {
		struct machine_function *function = &machine->function[i];
		const char *name = root_link_name_in(machine->root, function->path, "iommu");

		for (size_t j = 0; name && j < machine->unit_count; j++) {
			if (!strcmp(machine->unit[j].name, name))
				function->unit = (int)j;
		}
	}
}

static void read_units(struct machine *machine)
{
	struct root_names names;

	if (root_list(machine->root, UNITS, &names) != ROOT_OK)
		return;
	for (size_t i = 0; i < names.count; i++)
		add_unit(machine, names.name[i]);
	link_units(machine);
}

struct machine *machine_read(struct root *root)
{
	struct machine *machine = memory_take(1, sizeof(*machine));

	machine->root = root;
	machine->cmdline = root_text(root, "proc/cmdline");
	read_functions(machine);
	link_functions(machine);
	read_children(machine, "sys/class/net");
	read_children(machine, "sys/block");
	read_groups(machine);
	read_units(machine);
	survey(machine);
	return machine;
}

void machine_free(struct machine *machine)
{
	for (size_t i = 0; i < machine->function_count; i++)
		free(machine->function[i].child.name);
	for (size_t i = 0; i < machine->group_count; i++) {
		struct machine_group *group = &machine->group[i];

		for (size_t j = 0; j < group->reserved_count; j++)
			free((char *)(uintptr_t)group->reserved[j].type);
		free(group->reserved);
		free(group->member);
	}
	free(machine->group);
	free(machine->function);
	free(machine->unit);
	free(machine->trouble);
	free(machine);
}
