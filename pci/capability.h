/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/capability.h - a function's lists of capabilities, and the two of them that matter here.
 */
#pragma once

#include "pci/config.h"

#define CAPABILITY_PCIE	       0x10
#define CAPABILITY_ADVANCED    0x13
#define EXTENDED_ATS	       0x000fu
#define EXTENDED_SRIOV	       0x0010u

/* PCI Express base 6.0: 7.5.3, offsets from the capability. */
#define PCIE_FLAGS	       0x02
#define FLAGS_TYPE	       0x00f0u
#define TYPE_ROOT_PORT	       4u
#define TYPE_UPSTREAM	       5u
#define TYPE_DOWNSTREAM	       6u
#define TYPE_PCIE_TO_PCI       7u /* conventional buses below it */
#define TYPE_PCI_TO_PCIE       8u
#define PCIE_DEVICE_CAP	       0x04
#define DEVICE_CAP_PHANTOM     0x00000018u
#define DEVICE_CAP_FLR	       0x10000000u
#define PCIE_DEVICE_CONTROL    0x08
#define DEVICE_CONTROL_PHANTOM 0x0200u
#define DEVICE_CONTROL_FLR     0x8000u
#define PCIE_DEVICE_STATUS     0x0a
#define DEVICE_STATUS_PENDING  0x0020u

/* Advanced Capabilities for Conventional PCI, ECN of 2006: offsets from the capability. */
#define ADVANCED_CAP	       0x03
#define ADVANCED_HAS_TP	       0x01u
#define ADVANCED_HAS_FLR       0x02u
#define ADVANCED_CONTROL       0x04
#define ADVANCED_FLR	       0x01u
#define ADVANCED_STATUS	       0x05
#define ADVANCED_PENDING       0x01u

/* Where the capability stands; 0: not there, or the list is broken (logged). */
uint16_t capability_find(const struct sp_host *host, sp_sbdf_t function, uint32_t id);

/* The same of an extended capability (7.6.3), from 100h on. */
uint16_t capability_find_extended(const struct sp_host *host, const struct function *function,
				  uint32_t id);

/* FLAGS_TYPE of a function with a PCI Express capability. */
uint32_t capability_pcie_type(const struct sp_host *host, const struct function *function);

bool capability_can_reset(const struct sp_host *host, const struct function *function);
