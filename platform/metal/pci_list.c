/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/pci_list.c - PCI functions, for people. */
#include "platform/metal/pci_list.h"

#include <stddef.h>

#include "platform/metal/console.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/print.h"

#define VENDOR_ID	     0x00
#define DEVICE_ID	     0x02
#define CLASS_REVISION	     0x08
#define HEADER_TYPE	     0x0e
#define SECONDARY_BUS	     0x19
#define HEADER_BRIDGE	     0x01
#define HEADER_MULTIFUNCTION 0x80

/* Called for each function found; true stops the walk. */
typedef bool visitor(sp_sbdf_t function, void *context);

struct class_name {
	uint32_t class_code; /* base class and subclass */
	const char *name;
};

struct wanted {
	uint16_t vendor, device;
	sp_sbdf_t *function;
};

/* PCI Code and ID Assignment 1.11, 1. */
/* clang-format off */
static const struct class_name class_names[] = {
	{0x0000, "unclassified device"},	{0x0001, "VGA-compatible device"},
	{0x00ff, "unclassified device"},	{0x0100, "SCSI controller"},
	{0x0101, "IDE controller"},		{0x0106, "SATA controller"},
	{0x0107, "SAS controller"},		{0x0108, "NVMe controller"},
	{0x0200, "Ethernet controller"},	{0x0280, "network controller"},
	{0x0300, "VGA controller"},		{0x0302, "3D controller"},
	{0x0380, "display controller"},		{0x0401, "audio device"},
	{0x0403, "HD audio device"},		{0x0500, "RAM controller"},
	{0x0600, "host bridge"},		{0x0601, "ISA bridge"},
	{0x0604, "PCI bridge"},			{0x0680, "bridge"},
	{0x0700, "serial controller"},		{0x0780, "communication controller"},
	{0x0806, "IOMMU"},			{0x0880, "system peripheral"},
	{0x0c03, "USB controller"},		{0x0c05, "SMBus controller"},
	{0x1080, "encryption controller"},	{0x1180, "signal processing controller"},
};
/* clang-format on */

/* class_code is the whole of 24 bits; the programming interface does not matter here. */
const char *pci_list_class_name(uint32_t class_code)
{
	for (size_t i = 0; i < sizeof(class_names) / sizeof(class_names[0]); i++) {
		if (class_names[i].class_code == class_code >> 8)
			return class_names[i].name;
	}
	return "device of another class";
}

/* Secondary buses are numbered above their bridge's bus, or firmware has not set them up. */
static void note_bridge(sp_sbdf_t function, uint8_t type, bool *reached)
{
	uint32_t secondary = pci_config_read(function, SECONDARY_BUS, 1);

	if ((type & ~HEADER_MULTIFUNCTION) == HEADER_BRIDGE && secondary > sp_sbdf_bus(function))
		reached[secondary] = true;
}

/* PCI 3.0, 3.2.2.3.4: without function 0 there is none; with one, the multi-function bit says. */
static bool walk_device(uint32_t bus, uint32_t device, bool *reached, visitor *visit, void *context)
{
	for (uint32_t i = 0; i < 8; i++) {
		sp_sbdf_t function = sp_sbdf(0, bus, device, i);
		uint8_t type = (uint8_t)pci_config_read(function, HEADER_TYPE, 1);
		bool present = pci_config_read(function, VENDOR_ID, 2) != 0xffff;

		if (!present && i == 0)
			return false;
		if (present) {
			note_bridge(function, type, reached);
			if (visit(function, context))
				return true;
		}
		if (i == 0 && !(type & HEADER_MULTIFUNCTION))
			return false;
	}
	return false;
}

/* Bus by bus upwards, each only when a bridge below led to it. */
static void walk(visitor *visit, void *context)
{
	bool reached[256] = { true };

	for (uint32_t bus = 0; bus < 256; bus++) {
		for (uint32_t device = 0; reached[bus] && device < 32; device++) {
			if (walk_device(bus, device, reached, visit, context))
				return;
		}
	}
}

static bool log_function(sp_sbdf_t function, void *context)
{
	uint32_t class_code = pci_config_read(function, CLASS_REVISION, 4) >> 8;

	(void)context;
	console_log("pci", "%s  %04x:%04x  class %04x  %s", print_sbdf(function).chars,
		    pci_config_read(function, VENDOR_ID, 2),
		    pci_config_read(function, DEVICE_ID, 2), class_code >> 8,
		    pci_list_class_name(class_code));
	return false;
}

void pci_list_log(void)
{
	walk(log_function, NULL);
}

static bool is_wanted(sp_sbdf_t function, void *context)
{
	const struct wanted *wanted = context;

	if (pci_config_read(function, VENDOR_ID, 2) != wanted->vendor ||
	    pci_config_read(function, DEVICE_ID, 2) != wanted->device)
		return false;
	*wanted->function = function;
	return true;
}

/* Segment 0xffff is no segment of a real machine: its last function stands for "not found". */
bool pci_list_find(uint16_t vendor, uint16_t device, sp_sbdf_t *function)
{
	struct wanted wanted = { vendor, device, function };

	*function = (sp_sbdf_t){ 0xffffffff };
	walk(is_wanted, &wanted);
	return function->sbdf != 0xffffffff;
}
