/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/machine_host.c - the library's host for this machine.
 *
 *   create   memory -> forbid -> DMAR or IVRS -> PCI functions      nothing is touched
 *   start    quarantine for every function -> units translate      no window opens
 */
#include "platform/metal/machine_host.h"

#include "platform/metal/acpi.h"
#include "platform/metal/apic.h"
#include "platform/metal/console.h"
#include "platform/metal/guest_conf.h"
#include "platform/metal/layout.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/pci_names.h"
#include "platform/metal/print.h"

#define BYTES_PER_KIB 1024u
#define DRIVERS	      1u	 /* nvme_virtual.h */
#define PCI_FIRST     0xc0000000 /* PCs have registers between here and the APICs */
#define PCI_END	      0xfec00000
#define CLASS_IOMMU   0x0806u

/* As many guests as guest.conf can name, and the hypervisor's own driver; every function of a small PC. */
static const struct sp_limits limits = { .cpus = MAX_CPUS,
					 .domains = CONF_GUESTS + DRIVERS,
					 .functions = FUNCTIONS_MAX };

static const char no_iommu[] = "this machine has no IOMMU (no DMAR or IVRS table); start QEMU with "
			       "-device amd-iommu or -device intel-iommu, before the devices";

/* In the hypervisor's own memory, so that what forbids that covers the library's state too. */
static struct sp_host *create(void)
{
	const size_t bytes = sp_host_size(&limits);
	const size_t frames = (bytes + SP_FRAME_BYTES - 1) / SP_FRAME_BYTES;
	sp_mfn_t memory = memory_take(frames, 1);
	struct sp_host *host = NULL;

	if (memory.mfn != 0)
		host = sp_host_create(memory_frame(memory), bytes, &limits, NULL);
	if (host == NULL)
		machine_refuse("not enough RAM below 4 GiB; give the machine at least 128 MiB");
	console_log("core", "%zu KiB of state, for %u domains and %u functions at most",
		    bytes / BYTES_PER_KIB, limits.domains, limits.functions);
	return host;
}

/* Whoever writes it switches translation's registers off, or another's bus mastering on. */
static bool forbid_config(struct sp_host *host)
{
	sp_maddr_t first;
	uint64_t bytes;

	for (uint32_t i = 0; pci_config_window(i, &first, &bytes); i++) {
		if (sp_host_forbid(host, sp_mfn_from_maddr(first), bytes >> SP_FRAME_ORDER,
				   "PCI configuration space") != SP_OK)
			return false;
	}
	return true;
}

/* Firmware's low memory, this image, every table, queue and vCPU: one range (memory.h). */
static void forbid(struct sp_host *host)
{
	const uint64_t own = sp_mfn_from_maddr(memory_own_end()).mfn;
	const sp_mfn_t apic = sp_mfn_from_maddr(apic_registers());

	if (sp_host_forbid(host, (sp_mfn_t){ 0 }, own, "the hypervisor's own memory") != SP_OK ||
	    sp_host_forbid(host, apic, 1, "local APIC") != SP_OK || !forbid_config(host))
		machine_panic("the library takes no list of forbidden frames");
	console_log("core", "no guest and no device gets 0x0-0x%lx or the local APIC at 0x%lx",
		    memory_own_end().maddr, apic_registers().maddr);
}

/* A machine has units of one vendor; a table that is malformed is refused whole by the library. */
static void discover(struct sp_host *host)
{
	struct acpi_table dmar = acpi_find("DMAR");
	struct acpi_table ivrs = acpi_find("IVRS");
	enum sp_status status = SP_NOT_FOUND;

	if (dmar.table != NULL)
		status = sp_iommu_discover_dmar(host, dmar.table, dmar.bytes);
	else if (ivrs.table != NULL)
		status = sp_iommu_discover_ivrs(host, ivrs.table, ivrs.bytes);
	else
		machine_refuse("%s", no_iommu);
	if (status == SP_NOT_FOUND)
		machine_refuse("the %s table names no IOMMU", dmar.table != NULL ? "DMAR" : "IVRS");
	if (status != SP_OK)
		machine_refuse("the %s table cannot be used (%s); the line before this one says "
			       "where",
			       dmar.table != NULL ? "DMAR" : "IVRS", sp_status_text(status));
}

/* "3", "3-4": the numbers of the bits that are set; units leave none out between them. */
static void print_levels(char *text, size_t size, uint8_t levels)
{
	unsigned int first = 1, last = 7;

	while (first < last && !(levels >> first & 1))
		first++;
	while (last > first && !(levels >> last & 1))
		last--;
	if (first == last)
		print(text, size, "%u", first);
	else
		print(text, size, "%u-%u", first, last);
}

/* What decides how a unit is driven: tables it walks, ids it has, caches it keeps. */
static void log_unit(const struct sp_unit_info *unit)
{
	char levels[8];

	print_levels(levels, sizeof(levels), unit->levels);
	console_log("unit", "%s at 0x%lx: %s levels, 4K%s%s pages, %u domain ids, %s walks%s%s%s",
		    unit->vendor == SP_VENDOR_VTD ? "VT-d" : "AMD-Vi", unit->registers.maddr,
		    levels, unit->large_pages & 2 ? " 2M" : "", unit->large_pages & 4 ? " 1G" : "",
		    unit->domain_ids, unit->coherent ? "snooping" : "non-snooping",
		    unit->caches_not_present ? ", remembers absent entries" : "",
		    unit->interrupt_remapping ? ", remaps interrupts" : "",
		    unit->scalable ? ", scalable mode" : "");
}

static void log_units(struct sp_host *host)
{
	struct sp_unit_info unit;

	for (uint32_t i = 0; sp_unit_info(host, i, &unit) == SP_OK; i++)
		log_unit(&unit);
}

/* Forbidden ranges come before anything that could be mapped; segment 0 is all that PCs have. */
struct sp_host *machine_host_create(bool prefer_scalable)
{
	struct sp_host *host = create();
	enum sp_status status;

	forbid(host);
	sp_iommu_prefer_scalable(host, prefer_scalable);
	discover(host);
	log_units(host);
	status = sp_pci_scan(host, 0);
	if (status != SP_OK)
		machine_refuse("PCI configuration space cannot be used: %s",
			       sp_status_text(status));
	return host;
}

/* In the part of the address space that PCs keep for registers, and above memory where that ends later. */
void machine_host_enable_vfs(struct sp_host *host, sp_sbdf_t physical, uint32_t count)
{
	const uint64_t top = memory_figures().top_of_low_ram.maddr;
	const uint64_t first = top > PCI_FIRST ? top : PCI_FIRST;
	const struct sp_window window = { { first }, first < PCI_END ? PCI_END - first : 0 };
	const enum sp_status status = sp_pci_enable_vfs(host, physical, count, &window);

	if (status == SP_NOT_FOUND)
		machine_refuse("option vfs: this machine has no function %s",
			       print_sbdf(physical).chars);
	if (status != SP_OK)
		machine_refuse(
			"option vfs: no %u virtual functions of %s (%s); the line before this "
			"one says why",
			count, print_sbdf(physical).chars, sp_status_text(status));
	console_log("pci", "%s has %u virtual functions on", print_sbdf(physical).chars, count);
}

/* The unit of AMD is a function too, and does not translate its own requests. */
static const char *place_of(const struct sp_function_info *f)
{
	if (f->class_code >> 8 == CLASS_IOMMU)
		return "the IOMMU itself";
	if (f->covered)
		return "quarantine";
	return f->is_bridge ? "no DMA of its own" : "no unit covers it: bus mastering off";
}

static void log_function(const struct sp_function_info *f)
{
	console_log("pci", "%s  %04x:%04x  class %04x  %-20s %s%s%s", print_sbdf(f->sbdf).chars,
		    f->vendor, f->device, f->class_code >> 8, pci_class_name(f->class_code),
		    place_of(f), f->is_virtual ? ", virtual function of " : "",
		    f->is_virtual ? print_sbdf(f->physical).chars : "");
}

/* Only now is it known which unit covers which function: hence the list comes here. */
void machine_host_start(struct sp_host *host)
{
	enum sp_status status = sp_iommu_start(host);
	struct sp_function_info function;

	if (status != SP_OK)
		machine_refuse("the IOMMU cannot be used (%s); the lines before this one say why",
			       sp_status_text(status));
	for (uint32_t i = 0; sp_function_info(host, i, &function) == SP_OK; i++)
		log_function(&function);
}

bool machine_host_find(struct sp_host *host, uint16_t vendor, uint16_t device,
		       struct sp_function_info *info)
{
	for (uint32_t i = 0; sp_function_info(host, i, info) == SP_OK; i++) {
		if (info->vendor == vendor && info->device == device)
			return true;
	}
	return false;
}
