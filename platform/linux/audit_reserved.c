/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit_reserved.c - ranges that firmware keeps mapped for a device: RMRR of VT-d 8.4, IVMD of 48882 5.2.3.
 */
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "memory.h"

#define CLASS_DISPLAY 0x03u
#define SUBCLASS_USB  0x0c03u

static bool is_type(const struct machine_range *range, const char *type)
{
	return range->type && !strcmp(range->type, type);
}

static bool is_amd(const struct machine *machine)
{
	return machine->unit_count && machine->unit[0].vendor == SP_VENDOR_AMDVI;
}

static const char *range_word(const struct machine *machine)
{
	return is_amd(machine) ? "unity range (IVMD)" : "RMRR";
}

/* From 6.6 on the core of Linux's IOMMU code refuses; before, the driver of Intel's units alone did. */
static bool is_let_go(const struct check *check)
{
	unsigned int kernel = check->audit->settings.kernel;

	return is_amd(check->machine) && kernel && kernel < SETTINGS_KERNEL(6, 6);
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

#define LET_GO                                                                              \
	"and this kernel (/proc/sys/kernel/osrelease, before 6.6) takes it away when VFIO " \
	"takes the device: what firmware does there with the device fails from then on"

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
				"direct-relaxable%s: who asked for it (firmware for a USB keyboard or the boot display, the kernel for ISA) "
				"is done with it, so the kernel drops the range when VFIO takes it.",
				check->group->number, first, last, owners),
			NULL);
	else
		finding_add(
			check->out, "rmrr", is_let_go(check) ? AUDIT_CONDITIONAL : AUDIT_IMPOSSIBLE,
			memory_print("firmware keeps a range of memory for it: %s", word),
			memory_print(
				"/sys/kernel/iommu_groups/%u/reserved_regions has %#llx-%#llx direct%s: "
				"firmware wants this range mapped for the device at any time, %s.",
				check->group->number, first, last, owners,
				is_let_go(check) ? LET_GO : "so the kernel refuses VFIO"),
			memory_copy(
				"switch off in the firmware's setup what uses it (shared memory of the "
				"management controller, RAID option ROM), or update the firmware"));
	free(owners);
}

static const char *foreseen(const struct check *check, bool relaxable)
{
	if (relaxable)
		return "drop that when VFIO takes it";
	if (is_let_go(check))
		return "(before 6.6, /proc/sys/kernel/osrelease) take that away when VFIO takes it, and what firmware does "
		       "there with the device fails from then on";
	return "refuse VFIO";
}

/* Without groups there is but firmware's table; the kernel then lets USB and graphics go, behind Intel's units alone. */
static void foresee_ranges(const struct check *check)
{
	const struct machine_function *function = check->function;
	bool relaxable = !is_amd(check->machine) && (function->class_code >> 8 == SUBCLASS_USB ||
						     function->class_code >> 16 == CLASS_DISPLAY);
	enum audit_verdict weight = relaxable	       ? AUDIT_SAFE
				    : is_let_go(check) ? AUDIT_CONDITIONAL
						       : AUDIT_IMPOSSIBLE;

	for (uint32_t i = 0; i < function->reserved_count; i++) {
		unsigned long long first = function->reserved[i].first,
				   last = first + function->reserved[i].bytes - 1;

		finding_add(
			check->out, relaxable ? "rmrr-relaxable" : "rmrr", weight,
			memory_print("firmware keeps a range of memory for it: %s",
				     range_word(check->machine)),
			memory_print(
				"Firmware's table reserves %#llx-%#llx for it; with the IOMMU on the kernel "
				"will %s.",
				first, last, foreseen(check, relaxable)),
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
