/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/names.h - what PCI functions are called, by libpci and its pci.ids.
 */
#pragma once

#include <stdint.h>

/* Each to be freed. Numbers where pci.ids knows no name. */
char *names_device(uint16_t vendor, uint16_t device);
char *names_class(uint32_t class_code); /* 24 bits */
