/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/pci_config.h - PCI configuration space through ECAM or the ports CF8 and CFC. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sallyport/address.h>

/* Finds the ECAM windows of the MCFG table. After acpi_start(). */
void pci_config_start(void);

/* Numbered from 0; false: there are no more. */
bool pci_config_window(uint32_t index, sp_maddr_t *first, uint64_t *bytes);

/*
 * `bytes` is 1, 2 or 4, `offset` aligned to it and below 4096. All ones where nothing answers,
 * and beyond 256 where no window covers the bus.
 */
uint32_t pci_config_read(sp_sbdf_t function, uint32_t offset, uint32_t bytes);
void pci_config_write(sp_sbdf_t function, uint32_t offset, uint32_t bytes, uint32_t value);
