/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/machine_host.h - the library's host for this machine: what is forbidden, what was
 * found.
 */
#pragma once

#include <stdbool.h>

#include <sallyport/passthrough.h>

#define FUNCTIONS_MAX 64u /* of the machine */

/*
 * Memory for the library; what no guest may hold; units from DMAR or IVRS; functions. Refuses a
 * machine without IOMMU. Nothing translates yet.
 */
struct sp_host *machine_host_create(bool prefer_scalable);

/* Option vfs=, before machine_host_start(); refuses where it cannot be. */
void machine_host_enable_vfs(struct sp_host *host, sp_sbdf_t physical, uint32_t count);

/* Every function goes into quarantine, then every unit translates. Refuses where it cannot be. */
void machine_host_start(struct sp_host *host);

/* The first function with these ids. */
bool machine_host_find(struct sp_host *host, uint16_t vendor, uint16_t device,
		       struct sp_function_info *info);
