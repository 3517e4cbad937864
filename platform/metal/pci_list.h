/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/pci_list.h - PCI functions, for people. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sallyport/address.h>

/* One line a function of segment 0, behind bridges too. */
void pci_list_log(void);

/* The first function on segment 0 with these ids. */
bool pci_list_find(uint16_t vendor, uint16_t device, sp_sbdf_t *function);
const char *pci_list_class_name(uint32_t class_code);
