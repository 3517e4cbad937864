/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit_registers.c - what the device's registers tell: MSI-X, widths, virtual functions, ATS.
 */
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "memory.h"

#define PAGE		4096u
#define CAPABILITY_MSIX 0x11u
#define CAPABILITY_PCIE 0x10u
#define EXTENDED_ATS	0x000fu
#define ATS_CONTROL	0x06u
#define ATS_ON		0x8000u
#define BARS		6u

/* --- could it be seen --- */

/* PCI Express base 6.0: 2.3.2. A virtual function's own vendor is ffff, and nothing follows from that. */
void audit_silence(const struct check *check)
{
	const struct machine_function *function = check->function;

	if (function->physical != MACHINE_NONE || !function->config.count ||
	    machine_config(function, 0, 4) != 0xffffffff || left_out("silent"))
		return;
	finding_add(
		check->out, "silent", AUDIT_UNKNOWN, memory_copy("it does not answer"),
		memory_print(
			"/sys/bus/pci/devices/%s/config reads as ones alone: it is without power, or its link "
			"is gone.",
			function->name),
		memory_copy(
			"look whether `dmesg` tells of its link; a power cycle may bring it back"));
}

void audit_seen(const struct check *check)
{
	const struct machine_function *function = check->function;
	bool denied = !machine_sees_capabilities(function);

	if (function->is_bridge || machine_sees_extended(function) ||
	    left_out("capabilities-unseen"))
		return;
	finding_add(
		check->out, "capabilities-unseen", AUDIT_UNKNOWN,
		memory_print("its %scapabilities could not be read", denied ? "" : "extended "),
		memory_print(
			"/sys/bus/pci/devices/%s/config shows %zu bytes alone: %sATS and ACS are judged by what "
			"the kernel tells of them, or not at all.",
			function->name, function->config.count,
			denied ? "what resets it, MSI-X, " : ""),
		memory_copy(
			denied ? "run it as root"
			       : "find out why the kernel has no way to the rest (`dmesg | grep -i mcfg`)"));
}

/* --- MSI-X --- */

/* PCI Express base 6.0: 7.7.2. The table's page, if something else is before it there, or the register is small. */
void audit_msix(const struct check *check)
{
	const struct machine_function *function = check->function;
	uint32_t at = machine_capability(function, CAPABILITY_MSIX), table, bar, offset;
	const struct machine_range *range;

	if (!at || function->is_bridge || left_out("msix-page"))
		return;
	table = machine_config(function, at + 4, 4);
	bar = table & 7;
	offset = table & ~7u;
	range = bar < BARS ? &function->resource[bar] : NULL;
	if (!range || !range->bytes || (offset % PAGE == 0 && range->bytes >= PAGE))
		return;
	finding_add(
		check->out, "msix-page", AUDIT_SAFE,
		memory_copy("its MSI-X table shares a page with other registers"),
		memory_print(
			"The table is at %#x of BAR %u (%#llx bytes; MSI-X capability at %#x of /sys/bus/pci/devices/%s/config). "
			"A monitor that traps the table traps what else is in that page: slow, not unsafe, "
			"as remapping checks each interrupt.",
			offset, bar, (unsigned long long)range->bytes, at, function->name),
		memory_copy("with QEMU, x-msix-relocation= puts the table elsewhere"));
}

static bool shares_page(const struct machine *machine, const struct machine_range *range, int index,
			int *other)
{
	uint64_t page = range->first / PAGE;

	for (size_t i = 0; i < machine->function_count; i++) {
		for (unsigned int j = 0; j < BARS && (int)i != index; j++) {
			const struct machine_range *theirs = &machine->function[i].resource[j];

			*other = (int)i;
			if (theirs->bytes && !theirs->is_io && theirs->first / PAGE <= page &&
			    (theirs->first + theirs->bytes - 1) / PAGE >= page)
				return true;
		}
	}
	return false;
}

/* VFIO maps whole pages, so it traps a register that is smaller where others live beside it. */
void audit_small_bars(const struct check *check)
{
	const struct machine_function *function = check->function;

	for (unsigned int i = 0; i < BARS && !function->is_bridge; i++) {
		const struct machine_range *range = &function->resource[i];
		int other;

		if (!range->bytes || range->is_io || range->bytes >= PAGE ||
		    !shares_page(check->machine, range, check->index, &other))
			continue;
		finding_add_peer(
			finding_add(
				check->out, "bar-page", AUDIT_SAFE,
				memory_print("BAR %u shares a page with %s", i,
					     check->machine->function[other].name),
				memory_print(
					"/sys/bus/pci/devices/%s/resource: BAR %u is %#llx bytes at %#llx, and %s has registers in "
					"that page. VFIO does not map it, so each access is trapped.",
					function->name, i, (unsigned long long)range->bytes,
					(unsigned long long)range->first,
					check->machine->function[other].name),
				memory_print(
					"`pci=resource_alignment=12@%s` on the kernel's command line gives it a page of its own",
					function->name)),
			other);
	}
}

/* --- widths --- */

/* VT-d 11.4.2: MGAW, and the deepest of SAGAW. 48882 3.4.13: HATS. 0: not known. */
static unsigned int unit_bits(const struct machine_unit *unit)
{
	unsigned int most, deepest = 39;

	if (!unit->has_caps)
		return 0;
	if (unit->vendor == SP_VENDOR_AMDVI)
		return 48 + 9 * (unsigned int)(unit->extended >> 10 & 3);
	most = (unsigned int)(unit->caps >> 16 & 0x3f) + 1;
	if (unit->caps >> 10 & 1)
		deepest = 48;
	if (unit->caps >> 11 & 1)
		deepest = 57;
	return most < deepest ? most : deepest;
}

static void check_bars(const struct check *check)
{
	unsigned int bits = check->audit->settings.cpu_bits;

	for (unsigned int i = 0; i < BARS; i++) {
		const struct machine_range *range = &check->function->resource[i];

		if (!bits || bits > 63 || !range->bytes || range->is_io ||
		    (range->first + range->bytes - 1) >> bits == 0)
			continue;
		finding_add(
			check->out, "address-width", AUDIT_IMPOSSIBLE,
			memory_print("BAR %u lies beyond what the CPU can address", i),
			memory_print(
				"/sys/bus/pci/devices/%s/resource has BAR %u at %#llx; /proc/cpuinfo says %u bits physical.",
				check->function->name, i, (unsigned long long)range->first, bits),
			memory_copy(
				"switch 64-bit BARs (Above 4G Decoding) in the firmware's setup, or boot "
				"with pci=realloc"));
	}
}

/* Where it says so, as the beginning of a sentence. */
static char *width_source(const struct machine_unit *unit)
{
	if (unit->vendor == SP_VENDOR_AMDVI)
		return memory_print("%s has %#llx in its extended features (HATS; "
				    "/sys/class/iommu/%s/amd-iommu/features)",
				    unit->name, (unsigned long long)unit->extended, unit->name);
	return memory_print("%s has %#llx in its CAP register (MGAW, SAGAW; "
			    "/sys/class/iommu/%s/intel-iommu/cap)",
			    unit->name, (unsigned long long)unit->caps, unit->name);
}

static void check_memory(const struct check *check, const struct machine_unit *unit)
{
	unsigned int bits = unit_bits(unit), cpu = check->audit->settings.cpu_bits;
	uint64_t memory = check->audit->settings.memory_bytes;
	char *source;

	if (!bits || bits > 63 || !cpu || bits >= cpu)
		return;
	source = width_source(unit);
	finding_add(
		check->out, "address-width", memory >> bits ? AUDIT_CONDITIONAL : AUDIT_SAFE,
		memory_print("its unit translates %u bits, the CPU %u", bits, cpu),
		memory_print(
			"%s: addresses of %u bits, while /proc/cpuinfo says %u. Guest memory and BARs that the "
			"guest puts beyond %u bits cannot be mapped for the device.",
			source, bits, cpu, bits),
		memory_print("with QEMU: -cpu host,host-phys-bits-limit=%u", bits));
	free(source);
}

void audit_widths(const struct check *check)
{
	const struct machine_unit *unit;

	if (check->function->is_bridge || left_out("address-width"))
		return;
	check_bars(check);
	if (check->function->unit == MACHINE_NONE)
		return;
	unit = &check->machine->unit[check->function->unit];
	if (unit->used && unit->has_caps)
		check_memory(check, unit);
	else if (unit->used)
		finding_add(check->out, "address-width-unseen", AUDIT_UNKNOWN,
			    memory_copy("how wide addresses its unit translates is not known"),
			    memory_print("/sys/class/iommu/%s shows no capabilities.", unit->name),
			    NULL);
}

/* --- virtual functions --- */

static void check_virtual(const struct check *check)
{
	const struct machine_function *physical =
		&check->machine->function[check->function->physical];
	bool given = physical->driver && !strcmp(physical->driver, "vfio-pci");

	finding_add_peer(
		finding_add(
			check->out, "virtual-function", given ? AUDIT_UNSAFE : AUDIT_SAFE,
			memory_print(given ? "whoever has %s decides for it"
					   : "is a function of %s",
				     physical->name),
			memory_print(
				"/sys/bus/pci/devices/%s/physfn leads to %s, which %s has%s",
				check->function->name, physical->name,
				physical->driver ?: "no driver",
				given ? ": if that is a guest, it can stop, change and watch this one."
				      : ", so its physical function stays with the host."),
			given ? memory_print("sallyport unbind %s", physical->name) : NULL),
		check->function->physical);
}

static void check_physical(const struct check *check)
{
	const struct machine_function *function = check->function;

	if (!function->vf_count) {
		finding_add(
			check->out, "sriov", AUDIT_SAFE,
			memory_print("could have %u virtual functions", function->vf_total),
			memory_print(
				"/sys/bus/pci/devices/%s/sriov_totalvfs is %u, sriov_numvfs 0: a guest that has the whole function "
				"cannot switch them on.",
				function->name, function->vf_total),
			NULL);
		return;
	}
	finding_add(
		check->out, "vfs-on", AUDIT_UNSAFE,
		memory_print("%u virtual function%s on", function->vf_count,
			     function->vf_count == 1 ? " of it is" : "s of it are"),
		memory_print(
			"/sys/bus/pci/devices/%s/sriov_numvfs is %u: whoever has the physical function decides for all of them, "
			"whomever they belong to, and a reset of it takes them away.",
			function->name, function->vf_count),
		memory_print(
			"give a virtual function away instead, or first: echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs",
			function->name));
}

void audit_sriov(const struct check *check)
{
	if (left_out("sriov"))
		return;
	if (check->function->physical != MACHINE_NONE)
		check_virtual(check);
	else if (check->function->vf_total)
		check_physical(check);
}

/* --- ATS --- */

/* PCI Express base 6.0: 10.5.1. What the kernel has on for its own driver, it has on for a guest too. */
void audit_ats(const struct check *check)
{
	uint32_t at = machine_extended(check->function, EXTENDED_ATS);
	bool on;

	if (!at || check->function->is_bridge)
		return;
	on = machine_config(check->function, at + ATS_CONTROL, 2) & ATS_ON;
	finding_add(
		check->out, "ats", AUDIT_SAFE, memory_copy("may keep translations itself (ATS)"),
		memory_print(
			"Its ATS capability at %#x of /sys/bus/pci/devices/%s/config is %s: with ATS on, what the device marks as "
			"translated passes unlooked at, so that the device itself is trusted.",
			at, check->function->name, on ? "on" : "off (VFIO may switch it on)"),
		memory_copy("pci=noats on the command line keeps it off for all"));
}
