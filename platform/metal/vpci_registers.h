/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vpci_registers.h - the registers of configuration space that vpci knows.
 * PCI Express base 6.0: 7.5.1 (header), 7.5.2 (power), 7.5.3 (PCI Express), 7.7.1 (MSI), 7.7.2
 * (MSI-X), 7.9.4 (vendor-specific). Virtio 1.2: 4.1.2 (ids), 4.1.4 (its capabilities).
 */
#pragma once

/* 7.5.1.1, 7.5.1.2 */
#define CONFIG_ID	       0x00u
#define CONFIG_COMMAND	       0x04u
#define COMMAND_IO	       0x0001u
#define COMMAND_MEMORY	       0x0002u
#define COMMAND_MASTER	       0x0004u
#define COMMAND_PARITY	       0x0040u
#define COMMAND_SERR	       0x0100u
#define COMMAND_INTX_OFF       0x0400u
#define STATUS_CAPABILITIES    0x00100000u /* of the register that begins with the command */
#define CONFIG_CLASS	       0x08u
#define CONFIG_CACHE_LINE      0x0cu
#define CONFIG_HEADER	       0x0eu
#define HEADER_TYPE	       0x7fu
#define CONFIG_BAR(n)	       (0x10u + 4 * (n))
#define BAR_IO		       0x1u
#define BAR_TYPE	       0x6u
#define BAR_64		       0x4u
#define BAR_PREFETCH	       0x8u
#define BAR_FLAGS	       0xfu
#define CONFIG_SUBSYSTEM       0x2cu
#define CONFIG_CAPABILITIES    0x34u
#define CONFIG_INTERRUPT       0x3cu
#define CAPABILITIES_FIRST     0x40u
#define CAPABILITIES_END       0x100u
#define CAPABILITIES_MAX       48u

#define CAPABILITY_POWER       0x01u
#define CAPABILITY_MSI	       0x05u
#define CAPABILITY_VENDOR      0x09u
#define CAPABILITY_EXPRESS     0x10u
#define CAPABILITY_MSIX	       0x11u

/* 7.5.2.1, in the register with the capability's id; 7.5.2.2. */
#define POWER_BYTES	       8u
#define POWER_PME	       0xf8000000u /* states from which it can wake the machine */
#define POWER_STATE	       0x3u
#define POWER_NO_RESET	       0x8u /* D3 to D0 keeps its registers */

/* 7.7.1.2, as a register of 16 bits; behind it address, data and mask. */
#define MSI_ENABLE	       0x0001u
#define MSI_CAPABLE	       0x000eu /* of how many vectors */
#define MSI_GRANTED	       0x0070u
#define MSI_64		       0x0080u
#define MSI_MASKS	       0x0100u
#define MSI_BYTES(control)     (10u + ((control)&MSI_64 ? 4u : 0u) + ((control)&MSI_MASKS ? 10u : 0u))

/* 7.7.2.2 */
#define MSIX_BYTES	       12u
#define MSIX_SIZE	       0x07ffu
#define MSIX_MASKED	       0x4000u
#define MSIX_ENABLE	       0x8000u
#define MSIX_TABLE	       0x04u
#define MSIX_PENDING	       0x08u
#define MSIX_BIR	       0x7u

/* 7.5.3; 16 bits each where not said otherwise. */
#define EXPRESS_VERSION	       0x000fu
#define EXPRESS_TYPE	       0x00f0u
#define TYPE_ENDPOINT	       0x0000u
#define TYPE_LEGACY_ENDPOINT   0x0010u
#define TYPE_ROOT_ENDPOINT     0x0090u /* part of the root complex: no link */
#define EXPRESS_MESSAGE	       0x3e00u
#define EXPRESS_DEVICE_CAP     0x04u /* 32 bits */
#define DEVICE_CAP_PHANTOM     0x00000018u
#define DEVICE_CAP_RESET       0x10000000u
#define EXPRESS_DEVICE_CONTROL 0x08u /* its status above it */
#define DEVICE_ERRORS	       0x000fu
#define DEVICE_RELAXED	       0x0010u
#define DEVICE_NO_SNOOP	       0x0800u
#define DEVICE_READ_MAX	       0x7000u
#define DEVICE_PAYLOAD	       0x00e0u
#define DEVICE_PENDING	       0x00200000u
#define EXPRESS_DEVICE_CAP2    0x24u /* 32 bits */
#define DEVICE_CAP2_TIMEOUT    0x0000001fu
#define EXPRESS_BYTES1	       0x14u /* of version 1 without a slot */
#define EXPRESS_BYTES2	       0x3cu

/* Virtio 4.1.2, 4.1.4: a vendor-specific capability says where in a BAR a structure lies. */
#define VIRTIO_VENDOR	       0x1af4u
#define VIRTIO_FIRST	       0x1000u /* devices, an inclusive end */
#define VIRTIO_LAST	       0x107fu
#define VENDOR_BYTES	       2u /* a byte: its length */
#define VIRTIO_TYPE	       3u /* a byte */
#define VIRTIO_COMMON	       1u
#define VIRTIO_NOTIFY	       2u
#define VIRTIO_INTERRUPT       3u
#define VIRTIO_DEVICE	       4u
#define VIRTIO_WINDOW	       5u /* 4.1.4.9: from configuration space to any BAR */
#define VIRTIO_BAR	       4u /* a byte */
#define VIRTIO_OFFSET	       8u
#define VIRTIO_LENGTH	       12u
#define VIRTIO_BYTES	       16u
#define WINDOW_DATA	       16u
#define WINDOW_BYTES	       20u

/* 4.1.4.3, in the common structure; 6. */
#define COMMON_FEATURE_SELECT  0u
#define COMMON_FEATURE	       4u
#define FEATURE_PLATFORM       33u /* VIRTIO_F_ACCESS_PLATFORM */
