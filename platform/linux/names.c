/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/names.c - what PCI functions are called, by libpci and its pci.ids. Never by asking the network.
 */
#include "names.h"

#include <pci/pci.h>
#include <stdlib.h>

#include "memory.h"

static void ignore(char *format, ...)
{
	(void)format;
}

/* No access to the machine is set up, so what pci_init() would fill in is filled in here. */
static struct pci_access *names(void)
{
	static struct pci_access *access;
	char *other = getenv("SALLYPORT_PCI_IDS"); /* instead of the system's */

	if (access)
		return access;
	access = pci_alloc();
	access->warning = access->debug = ignore;
	if (other)
		pci_set_name_list_path(access, other, 0);
	return access;
}

char *names_device(uint16_t vendor, uint16_t device)
{
	char text[256];

	if (pci_lookup_name(names(), text, sizeof(text),
			    PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_HWDB, vendor,
			    device))
		return memory_copy(text);
	return memory_print("%04x:%04x", vendor, device);
}

char *names_class(uint32_t class_code)
{
	char text[256];

	if (pci_lookup_name(names(), text, sizeof(text), PCI_LOOKUP_CLASS | PCI_LOOKUP_NO_HWDB,
			    (int)(class_code >> 8)))
		return memory_copy(text);
	return memory_print("class %04x", class_code >> 8);
}
