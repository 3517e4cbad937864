/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/pci_names.h - what kinds of PCI functions there are, for people. */
#pragma once

#include <stdint.h>

/* The whole class code of 24 bits; never NULL. */
const char *pci_class_name(uint32_t class_code);
