/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/fault_text.c - what a fault means, and what to do about it.
 *
 * Why a unit blocked a request is in its code; why the request was made at all is in the address and in who has the
 * device: both together make the sentence.
 */
#include "fault_text.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define LOW_END	      (1ull << 20)
#define MESSAGE_FIRST 0xfee00000ull
#define MESSAGE_END   0xfef00000ull

/* clang-format off */
/* VT-d 7.1.3 Fault Reason Encodings. */
static const char *const reasons[256] = {
	[0x01] = "root entry absent",
	[0x02] = "context entry absent",
	[0x03] = "context entry invalid for this unit",
	[0x04] = "address beyond the domain's width",
	[0x05] = "not mapped for writing",
	[0x06] = "not mapped for reading",
	[0x07] = "page table unreadable",
	[0x08] = "root table unreadable",
	[0x09] = "context table unreadable",
	[0x0a] = "reserved bits in the root entry",
	[0x0b] = "reserved bits in the context entry",
	[0x0c] = "reserved bits in a page table entry",
	[0x0d] = "translated request not allowed",
	[0x0e] = "translation leads to the interrupt window",
	[0x20] = "reserved bits in the message",
	[0x21] = "index beyond the interrupt table",
	[0x22] = "interrupt entry absent",
	[0x23] = "interrupt table unreadable",
	[0x24] = "reserved bits in the interrupt entry",
	[0x25] = "message in the old format",
	[0x26] = "interrupt entry of another device",
	[0x27] = "posted descriptor unreadable",
	[0x28] = "reserved bits in the posted descriptor",
	[0x30] = "root table address invalid",
	[0x38] = "root entry unreadable",
	[0x39] = "root entry absent",
	[0x3a] = "reserved bits in the root entry",
	[0x40] = "context entry unreadable",
	[0x41] = "context entry absent",
	[0x42] = "reserved bits in the context entry",
	[0x43] = "context entry invalid for this unit",
	[0x44] = "device's translation cache not enabled",
	[0x45] = "request with PASID not enabled",
	[0x46] = "PASID beyond the directory",
	[0x48] = "PASID of plain requests invalid",
	[0x50] = "PASID directory unreadable",
	[0x51] = "PASID directory entry absent",
	[0x52] = "reserved bits in the PASID directory",
	[0x58] = "PASID entry unreadable",
	[0x59] = "PASID entry absent",
	[0x5a] = "reserved bits in the PASID entry",
	[0x5b] = "PASID entry invalid for this unit",
	[0x70] = "first stage: table unreadable",
	[0x71] = "first stage: not mapped",
	[0x72] = "first stage: reserved bits",
	[0x78] = "page table unreadable",
	[0x79] = "not mapped",
	[0x7a] = "reserved bits in a page table entry",
	[0x7b] = "page table address invalid",
	[0x80] = "address not canonical",
	[0x83] = "address beyond the unit's width",
	[0x84] = "address beyond the domain's width",
	[0x85] = "not mapped for writing",
	[0x86] = "not mapped for reading",
	[0x87] = "translation leads to the interrupt window",
};

static const char *const kinds[SP_FAULT_KIND_COUNT] = {
	[SP_FAULT_NOT_PRESENT] = "not mapped",
	[SP_FAULT_WRITE]       = "no right to write",
	[SP_FAULT_READ]	       = "no right to read",
	[SP_FAULT_ENTRY]       = "no entry for the device",
	[SP_FAULT_TABLE]       = "bad page table",
	[SP_FAULT_INTERRUPT]   = "interrupt blocked",
	[SP_FAULT_ADDRESS]     = "bad address",
	[SP_FAULT_OTHER]       = "other",
};
/* clang-format on */

const char *fault_code_text(const struct fault_line *fault)
{
	if (!fault->has_code)
		return NULL;
	return fault->vendor == SP_VENDOR_VTD ? reasons[fault->code & 0xff]
					      : fault_event_name(fault->code);
}

char *fault_kind_text(const struct fault_line *fault)
{
	const char *direction = fault->write ? "write" : "read";

	switch (fault->event) {
	case FAULT_QUEUE:
		return memory_copy("command refused");
	case FAULT_SILENCE:
		return memory_copy("cache not answering");
	case FAULT_COMPLETION:
		return memory_copy("cache answered wrongly");
	case FAULT_PAGES:
		return memory_copy("bad page request");
	case FAULT_OWNER:
		return memory_copy(fault->code == 0xe ? "RMP unreadable" : "memory of another");
	case FAULT_LOST:
		return memory_copy("lost");
	case FAULT_STRANGE:
		return memory_copy("unknown event");
	case FAULT_TRANSFER:
		break;
	}
	if (fault->kind == SP_FAULT_INTERRUPT)
		return memory_copy(kinds[fault->kind]);
	/* VT-d's reasons 5 and 6 are those of an absent page too. */
	if (fault->kind == SP_FAULT_WRITE || fault->kind == SP_FAULT_READ)
		return memory_print("%s, %s", direction,
				    fault->vendor == SP_VENDOR_VTD ? "not mapped" : "not allowed");
	if (fault->kind == SP_FAULT_OTHER && fault_code_text(fault))
		return memory_print("%s, %s", direction, fault_code_text(fault));
	return memory_print("%s, %s", direction, kinds[fault->kind]);
}

/* --- what is at the address --- */

static bool overlaps(const struct machine_range *range, const struct fault_row *row)
{
	return range->bytes && row->line.address < range->first + range->bytes &&
	       row->last_address >= range->first;
}

/* Whose registers or memory these are. */
static int owner_of_registers(const struct machine *machine, const struct fault_row *row)
{
	for (size_t i = 0; machine && i < machine->function_count; i++) {
		for (unsigned int j = 0; j < MACHINE_RESOURCES; j++) {
			const struct machine_range *range = &machine->function[i].resource[j];

			if (!range->is_io && overlaps(range, row))
				return (int)i;
		}
	}
	return MACHINE_NONE;
}

static int owner_of_reserved(const struct machine *machine, const struct fault_row *row)
{
	for (size_t i = 0; machine && i < machine->function_count; i++) {
		for (uint32_t j = 0; j < machine->function[i].reserved_count; j++) {
			if (overlaps(&machine->function[i].reserved[j], row))
				return (int)i;
		}
	}
	return MACHINE_NONE;
}

/* --- a transfer that found no page --- */

static struct fault_advice advice(const char *means, const char *next)
{
	return (struct fault_advice){ memory_copy(means), memory_copy(next) };
}

static struct fault_advice advice_low(void)
{
	return advice(
		"The address is below 1 MiB, where firmware keeps what its own drivers use (USB keyboards, option ROMs): the "
		"device went on with what firmware had begun.",
		"Harmless if it ends once the driver has the device; else switch legacy USB support or the device's option ROM "
		"off in firmware's set-up.");
}

static struct fault_advice advice_reserved(const struct machine *machine, int owner, int sender)
{
	const char *name = machine->function[owner].name;

	if (owner == sender)
		return (struct fault_advice){
			memory_print(
				"Firmware's table reserves this range for %s and asks that it stays "
				"mapped; in the domain that the device is in it is not.",
				name),
			memory_copy(
				"Leave the device with the host: a guest cannot have this range. A firmware update or a set-up option may "
				"lift the reservation.")
		};
	return (struct fault_advice){
		memory_print(
			"Firmware's table reserves this range for %s alone, but another device uses it too: an entry "
			"(RMRR, IVMD) is missing.",
			name),
		memory_copy(
			"Report it to the board's vendor; until then firmware's feature behind it (a management controller, "
			"a RAID monitor) does not work.")
	};
}

static struct fault_advice advice_peer(const struct machine *machine, int owner)
{
	return (struct fault_advice){
		memory_print(
			"The address is in a register range of %s: one device tried to reach another directly, which its "
			"domain does not map.",
			machine->function[owner].name),
		memory_copy(
			"If peer-to-peer is wanted, give both to the same guest; if not, the unit did its work, and the driver "
			"was given a wrong address.")
	};
}

static struct fault_advice advice_by_driver(const struct machine_function *function, bool mapped)
{
	if (!function->driver)
		return (struct fault_advice){
			memory_copy(
				"No driver has the device, yet it transfers: whoever had it, a driver or a guest that has ended, left "
				"it running."),
			memory_print("Stop it by a reset: echo 1 > /sys/bus/pci/devices/%s/reset",
				     function->name)
		};
	if (!strcmp(function->driver, "vfio-pci"))
		return advice(
			"The device is a guest's, and the guest's driver gave it an address that is no memory of the guest: the "
			"unit kept it in.",
			"Look into the guest's log at that time; the host is not affected. Faults right at the guest's end or "
			"reset are a device that was not stopped in time.");
	if (mapped)
		return (struct fault_advice){
			memory_print(
				"The page is mapped for the other direction only: %s mapped a buffer for reading that "
				"the device writes, or the reverse.",
				function->driver),
			memory_print("Update the kernel, and report it to whoever maintains %s.",
				     function->driver)
		};
	return (struct fault_advice){
		memory_print(
			"%s unmapped this buffer before the device was done with it, or never mapped it, or firmware uses "
			"the device behind the driver's back.",
			function->driver),
		memory_print(
			"Update the kernel and the device's firmware; if it stays, report it to whoever maintains %s. "
			"iommu=pt only hides it.",
			function->driver)
	};
}

static struct fault_advice advice_transfer(const struct machine *machine,
					   const struct fault_source *source,
					   const struct fault_row *row)
{
	const struct machine_function *function =
		source->function == MACHINE_NONE ? NULL : &machine->function[source->function];
	/* A guest counts its addresses by itself: that one is like a machine address says nothing. */
	bool is_guests = function && function->driver && !strcmp(function->driver, "vfio-pci");
	int owner;

	if (row->line.has_address && !is_guests) {
		if (row->last_address < LOW_END)
			return advice_low();
		owner = owner_of_reserved(machine, row);
		if (owner != MACHINE_NONE)
			return advice_reserved(machine, owner, source->function);
		owner = owner_of_registers(machine, row);
		if (owner != MACHINE_NONE)
			return advice_peer(machine, owner);
		if (row->line.address >= MESSAGE_FIRST && row->line.address < MESSAGE_END)
			return advice(
				"The address is the window of interrupt messages, reached by a transfer that is no valid message.",
				"Look whether the device's driver sets interrupts up twice (MSI and MSI-X), and update its firmware.");
	}
	if (function)
		return advice_by_driver(function, row->line.vendor == SP_VENDOR_AMDVI &&
							  row->line.kind != SP_FAULT_NOT_PRESENT);
	return advice(
		"The device used an address that nobody mapped for it: its driver unmapped too early, or a guest's driver gave it "
		"an address that is no memory of the guest.",
		"Find out who has the device: sallyport list");
}

/* --- messages --- */

static struct fault_advice advice_message(const struct fault_row *row)
{
	if (row->line.vendor == SP_VENDOR_VTD && row->line.has_code) {
		if (row->line.code == 0x26)
			return advice(
				"The message named an interrupt entry that belongs to another requester id: the device, or a guest that "
				"drives it, forged a message, or its messages come under another id than its transfers (a bridge's).",
				"If the device is a guest's, do not trust that guest. Else look at the ids it sends under: sallyport list "
				"-o +REQUESTERS");
		if (row->line.code == 0x25)
			return advice(
				"The message is in the format from before remapping, which the unit blocks: firmware left it in an "
				"interrupt controller or in the device, or a guest writes messages itself.",
				"Once at boot it is firmware's and harmless. Again and again: update firmware, and reset the device.");
	}
	return advice(
		"The message named an interrupt that is not set up: the kernel freed it while the device still sent, as after kexec, "
		"kdump, or a driver that unbinds without stopping its device.",
		"Harmless if it ends; else reload the device's driver.");
}

/* --- what a unit itself complains of --- */

static struct fault_advice advice_silence(void)
{
	return advice(
		"The unit told the device to forget translations (ATS) and got no answer: the device hangs, was reset or unplugged, "
		"or its ATS is broken. The kernel waits for it, sometimes until a CPU locks up.",
		"Boot with pci=noats, or reset the device before it is used again; update its firmware. Until it answers, it "
		"may use pages that were taken from it.");
}

static struct fault_advice advice_entry(const struct fault_source *source)
{
	if (source->function == MACHINE_NONE)
		return advice(
			"The request carried an id that the kernel knows of no device: the device sends under ids of functions that do "
			"not exist, or firmware hid it.",
			"The kernel needs a DMA alias quirk for it; until then the device cannot work with the IOMMU on. See whether "
			"a newer kernel has one.");
	return advice(
		"The unit has no usable entry for this device: it sent before the kernel had set it up or after it was detached, or "
		"firmware's table (DMAR, IVRS) does not name it.",
		"Harmless once at boot. Else update firmware, and look at what its table says: sallyport list -o +UNIT");
}

static struct fault_advice advice_of_kind(const struct machine *machine,
					  const struct fault_source *source,
					  const struct fault_row *row)
{
	switch (row->line.kind) {
	case SP_FAULT_INTERRUPT:
		return advice_message(row);
	case SP_FAULT_ENTRY:
		return advice_entry(source);
	case SP_FAULT_TABLE:
		return advice(
			"The unit could not read a page table, or found nonsense in it: a defect of the kernel or of memory, not of "
			"the device.",
			"Look for memory errors (ras-mc-ctl --summary, edac in the log), and update the kernel.");
	case SP_FAULT_ADDRESS:
		return advice(
			"The address is wider than the domain, or one that the unit treats specially: the device's driver, or the "
			"guest's, computed it wrongly, or sets a wider DMA mask than the IOMMU has.",
			"Update the driver; for a guest, give it no more physical address bits than the host's IOMMU has.");
	case SP_FAULT_NOT_PRESENT:
	case SP_FAULT_WRITE:
	case SP_FAULT_READ:
	case SP_FAULT_OTHER:
	case SP_FAULT_KIND_COUNT:
		break;
	}
	return advice_transfer(machine, source, row);
}

struct fault_advice fault_advice_of(const struct machine *machine,
				    const struct fault_source *source, const struct fault_row *row)
{
	switch (row->line.event) {
	case FAULT_TRANSFER:
		return advice_of_kind(machine, source, row);
	case FAULT_SILENCE:
		return advice_silence();
	case FAULT_COMPLETION:
		return advice(
			"The device answered an order to forget translations (ATS) with what is no valid answer.",
			"Boot with pci=noats, and update the device's firmware.");
	case FAULT_QUEUE:
		return advice(
			"The unit refused or could not read a command of the kernel: what it was to forget, it may still remember. A "
			"defect of the kernel, of memory, or registers that fell away with a device.",
			"Take the machine's guests down, reboot and update the kernel and firmware; report it with the lines around "
			"it.");
	case FAULT_PAGES:
		return advice(
			"The device asked for a page (PRI) in a way that its entry does not allow, or for an address space that is "
			"gone.",
			"Its process or guest ended while it still worked: harmless once. Else update its driver.");
	case FAULT_OWNER:
		return advice(
			"The device reached for memory that the RMP (SEV-SNP) assigns to a guest or to firmware: confidential guests' "
			"memory is closed to devices.",
			"The guest must share its DMA buffers (swiotlb); update the guest's kernel.");
	case FAULT_LOST:
	case FAULT_STRANGE:
		break;
	}
	return advice("An event that these tables do not know.",
		      "Look into the manual (AMD 48882 2.5) and report the line.");
}
