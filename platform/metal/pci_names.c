/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/pci_names.c - what kinds of PCI functions there are, for people. */
#include "platform/metal/pci_names.h"

#include <stddef.h>

struct class_name {
	uint32_t class_code; /* base class and subclass */
	const char *name;
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
const char *pci_class_name(uint32_t class_code)
{
	for (size_t i = 0; i < sizeof(class_names) / sizeof(class_names[0]); i++) {
		if (class_names[i].class_code == class_code >> 8)
			return class_names[i].name;
	}
	return "device of another class";
}
