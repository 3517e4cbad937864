/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit_host.c - what holds for the host as a whole: is there an IOMMU, is it on, what does it let through.
 */
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "memory.h"

#define DMAR_FLAGS     37u
#define DMAR_REMAPPING 1
#define ECAP_REMAPPING (1u << 3)
#define USUAL_LIMIT    65535u /* mappings that VFIO lets a guest have */

static bool is_amd(const struct machine *machine)
{
	struct root_bytes bytes;

	for (size_t i = 0; i < machine->unit_count; i++) {
		if (machine->unit[i].vendor == SP_VENDOR_AMDVI)
			return true;
	}
	return root_read(machine->root, "proc/cpuinfo", &bytes) == ROOT_OK &&
	       strstr(bytes.data, "AuthenticAMD");
}

static const char *table_name(const struct machine *machine)
{
	return is_amd(machine) ? "IVRS" : "DMAR";
}

static char *how_to_switch_on(const struct audit *audit)
{
	if (audit->settings.off_by)
		return memory_print("take `%s` off the kernel's command line and boot again",
				    audit->settings.off_by);
	if (is_amd(audit->machine))
		return memory_copy(
			"boot a kernel with CONFIG_AMD_IOMMU; `dmesg | grep -i AMD-Vi` tells why it is off");
	return memory_copy("add `intel_iommu=on` to the kernel's command line and boot again");
}

/* Nothing contains what a device sends. With VFIO's no-IOMMU mode it can be given away all the same. */
static void check_translation(struct audit *audit)
{
	const struct machine *machine = audit->machine;
	enum audit_verdict weight = audit->settings.noiommu ? AUDIT_UNSAFE : AUDIT_IMPOSSIBLE;

	if (audit->settings.translation == SETTING_YES || left_out("iommu-off"))
		return;
	if (machine->table == TABLE_NONE) {
		finding_add(
			&audit->host, "iommu-none", weight,
			memory_copy("firmware describes no IOMMU"),
			memory_copy(
				"There is neither a DMAR nor an IVRS in /sys/firmware/acpi/tables, and "
				"/sys/class/iommu is empty: a device's DMA reaches all memory."),
			memory_copy(
				"switch VT-d (Intel) or IOMMU (AMD) on in the firmware's setup; where there "
				"is no such switch, the board has none"));
		return;
	}
	finding_add(
		&audit->host, "iommu-off", weight, memory_copy("the IOMMU is off"),
		memory_print(
			"/sys/class/iommu is empty: the kernel uses no IOMMU, %s%s%s. A device's DMA "
			"reaches all memory.",
			machine->table == TABLE_DENIED
				? "and whether firmware describes one may be read by root alone"
				: "although firmware describes one in ",
			machine->table == TABLE_DENIED ? "" : table_name(machine),
			audit->settings.off_by ? " (the command line says so)" : ""),
		how_to_switch_on(audit));
}

static void check_noiommu(struct audit *audit)
{
	bool has_iommu = audit->settings.translation == SETTING_YES;

	if (!audit->settings.noiommu || left_out("noiommu"))
		return;
	finding_add(
		&audit->host, "noiommu", has_iommu ? AUDIT_SAFE : AUDIT_UNSAFE,
		memory_copy("VFIO's no-IOMMU mode: no isolation at all"),
		memory_print(
			"VFIO's no-IOMMU mode is on (/sys/module/vfio/parameters/enable_unsafe_noiommu_mode, or "
			"/dev/vfio/noiommu-*): it hands out "
			"devices that no IOMMU contains; such a one reads and writes all of the host's "
			"memory.%s",
			has_iommu ? " It does so for devices without a group alone; with "
				    "those that have one nothing changes."
				  : ""),
		memory_copy("echo N > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode"));
}

static void check_identity(struct audit *audit)
{
	if (audit->settings.identity != SETTING_YES)
		return;
	finding_add(
		&audit->host, "iommu-passthrough", AUDIT_SAFE,
		memory_copy("what stays with the host is not translated"),
		memory_print(
			"Default domains are of the type identity (/sys/kernel/iommu_groups/*/type, by "
			"%s): devices of the host reach all memory, and so does one that comes back from "
			"a guest. While VFIO has a device, it is contained all the same.",
			audit->settings.identity_by),
		memory_copy(
			"without `iommu=pt` (or with iommu.passthrough=0) the host's own devices are "
			"contained too"));
}

static void check_override(struct audit *audit)
{
	if (!audit->settings.acs_override)
		return;
	finding_add(
		&audit->host, "acs-override", AUDIT_SAFE,
		memory_copy("groups are what was asked for, not what hardware keeps"),
		memory_copy(
			"/proc/cmdline has pcie_acs_override=: a patched kernel then forms groups as if "
			"bridges isolated that do not. Here each bridge's own ACS registers are judged."),
		memory_copy(
			"take pcie_acs_override= off the command line to see the groups that hardware keeps"));
}

/* VT-d 8.1: flags of DMAR, bit 0; 11.4.3: ECAP.IR. Of AMD's units all can. */
static char *why_no_remapping(const struct machine *machine)
{
	struct root_bytes table;

	if (root_read(machine->root, "sys/firmware/acpi/tables/DMAR", &table) == ROOT_OK &&
	    table.count > DMAR_FLAGS && !(table.data[DMAR_FLAGS] & DMAR_REMAPPING))
		return memory_copy(
			" Firmware says that the machine cannot (flags of DMAR, bit 0).");
	for (size_t i = 0; i < machine->unit_count; i++) {
		const struct machine_unit *unit = &machine->unit[i];

		if (unit->vendor == SP_VENDOR_VTD && unit->has_caps &&
		    !(unit->extended & ECAP_REMAPPING))
			return memory_print(
				" %s cannot (/sys/class/iommu/%s/intel-iommu/ecap, bit 3).",
				unit->name, unit->name);
	}
	return memory_copy("");
}

static char *how_to_remap(const struct machine *machine)
{
	const char *intremap = machine_parameter(machine, "intremap=");

	if (machine_parameter(machine, "nointremap"))
		return memory_copy(
			"take `nointremap` off the kernel's command line and boot again");
	if (intremap && !strncmp(intremap, "off", 3))
		return memory_copy(
			"take `intremap=off` off the kernel's command line and boot again");
	return memory_copy(
		"switch interrupt remapping (also called x2APIC) on in the firmware's setup");
}

static void add_no_remapping(struct audit *audit)
{
	bool allowed = audit->settings.unsafe_interrupts;
	char *why = why_no_remapping(audit->machine);

	finding_add(
		&audit->host, "no-interrupt-remapping", allowed ? AUDIT_UNSAFE : AUDIT_IMPOSSIBLE,
		memory_copy("interrupts are not remapped"),
		memory_print(
			"No chip in /%s is called IR-..: whoever has a device can raise any vector on any "
			"CPU of the host, by a write of the device to 0xfee00000 and above. VFIO %s.%s",
			audit->settings.interrupts_source,
			allowed ? "goes on all the same, as allow_unsafe_interrupts is Y"
				: "refuses (allow_unsafe_interrupts is N)",
			why),
		how_to_remap(audit->machine));
	free(why);
}

static void check_interrupts(struct audit *audit)
{
	if (audit->settings.translation != SETTING_YES || left_out("no-interrupt-remapping"))
		return;
	switch (audit->settings.interrupts) {
	case SETTING_NO:
		add_no_remapping(audit);
		return;
	case SETTING_UNSEEN:
		finding_add(
			&audit->host, "interrupts-unseen", AUDIT_UNKNOWN,
			memory_copy("whether interrupts are remapped is not known"),
			memory_copy("Neither /proc/interrupts nor the kernel's log could be read."),
			memory_copy("run it as root"));
		return;
	case SETTING_YES:
		break;
	}
	if (audit->settings.interrupts_unchecked && !left_out("interrupts-unchecked"))
		finding_add(
			&audit->host, "interrupts-unchecked", AUDIT_UNSAFE,
			memory_copy("any device may use any other's interrupts"),
			memory_copy(
				"/proc/cmdline has intremap=nosid: a unit does not compare who raises an "
				"interrupt with whose entry it is."),
			memory_copy("take intremap=nosid off the command line and boot again"));
	if (audit->settings.unsafe_interrupts)
		finding_add(
			&audit->host, "unsafe-interrupts-allowed", AUDIT_SAFE,
			memory_copy("VFIO would go on without interrupt remapping"),
			memory_copy(
				"allow_unsafe_interrupts of vfio_iommu_type1 is Y, and not needed here: "
				"interrupts are remapped."),
			memory_copy(
				"take vfio_iommu_type1.allow_unsafe_interrupts=1 off the command line or "
				"out of /etc/modprobe.d"));
}

static void check_table(struct audit *audit)
{
	const struct machine *machine = audit->machine;

	if (audit->settings.translation != SETTING_YES || left_out("table"))
		return;
	if (machine->table == TABLE_DENIED)
		finding_add(
			&audit->host, "table-denied", AUDIT_UNKNOWN,
			memory_copy("firmware's table may be read by root alone"),
			memory_print(
				"/sys/firmware/acpi/tables/%s is not for us to read: what ranges firmware "
				"reserves, and for whom, is known by what the kernel made of it alone.",
				table_name(machine)),
			memory_copy("run it as root"));
	if (machine->table == TABLE_REFUSED)
		finding_add(
			&audit->host, "table-refused", AUDIT_UNKNOWN,
			memory_copy("firmware's table is not understood"),
			memory_print("/sys/firmware/acpi/tables/%s is refused: %.*s.",
				     table_name(machine),
				     (int)strcspn(machine->trouble ?: "", "\n"),
				     machine->trouble ?: ""),
			memory_copy(
				"update the firmware; until then what the table reserves is not known"));
}

static void check_uses(struct audit *audit)
{
	for (size_t i = 0; i < audit->uses->lost_count && !left_out("use-unseen"); i++)
		finding_add(&audit->host, "use-unseen", AUDIT_UNKNOWN,
			    memory_copy("what the host uses is not known in full"),
			    memory_print("%s.", audit->uses->lost[i].sentence),
			    memory_copy("look yourself that the device is not among them"));
}

/* A guest's memory in many pieces, or a guest's own unit, needs many. */
static void check_limit(struct audit *audit)
{
	unsigned int limit = audit->settings.entry_limit;

	if (!limit || limit >= USUAL_LIMIT)
		return;
	finding_add(
		&audit->host, "dma-entry-limit", AUDIT_SAFE,
		memory_print("a guest may have %u mappings", limit),
		memory_print(
			"/sys/module/vfio_iommu_type1/parameters/dma_entry_limit is %u, less than the usual "
			"%u: a guest whose memory is in many pieces may not start.",
			limit, USUAL_LIMIT),
		memory_print("echo %u > /sys/module/vfio_iommu_type1/parameters/dma_entry_limit",
			     USUAL_LIMIT));
}

void audit_host(struct audit *audit)
{
	check_noiommu(audit);
	check_translation(audit);
	check_interrupts(audit);
	check_table(audit);
	check_uses(audit);
	check_identity(audit);
	check_override(audit);
	check_limit(audit);
}
