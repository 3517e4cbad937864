/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/devices.h - the device entries of an IVRS block.
 */
#pragma once

#include "iommu/firmware.h"

/* Checks the entries of a block behind its header; adds them to the unit, NULL: only checks. */
enum sp_status ivrs_read_devices(const struct firmware *ivrs, const struct firmware_part *block,
				 uint32_t header, struct unit *unit);
