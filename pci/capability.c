/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/capability.c - a function's list of capabilities. PCI Express base 6.0: 7.5.1.1.11, 7.5.3.
 *
 *   0x34 -> [id, next] -> [id, next] -> 0
 *   0x100 -> [id, version, next] -> [id, version, next] -> 0      7.6.3
 */
#include "pci/capability.h"

#include "lib/bits.h"

/*
 * Behind the header stand 48 capabilities of 4 bytes, at most: whoever finds more walks in a
 * circle.
 */
#define FIRST_PLACE	0x40u
#define PLACES		48
/* The same of those behind the first 256 bytes. */
#define EXTENDED_FIRST	0x100u
#define EXTENDED_PLACES 960
#define NOTHING_THERE	0xffffffffu

uint16_t capability_find(const struct sp_host *host, sp_sbdf_t function, uint32_t id)
{
	uint32_t at;

	if (!(config_read16(host, function, CONFIG_STATUS) & STATUS_CAPABILITIES))
		return 0;
	at = config_read8(host, function, CONFIG_CAPABILITIES) & ~3u;
	for (uint32_t i = 0; i < PLACES && at >= FIRST_PLACE; i++) {
		uint32_t entry = config_read16(host, function, at);

		if ((entry & 0xff) == id)
			return (uint16_t)at;
		at = entry >> 8 & ~3u;
	}
	if (at)
		config_log(host, SP_LOG_WARNING, function,
			   "its list of capabilities does not end where it should; read so far");
	return 0;
}

uint16_t capability_find_extended(const struct sp_host *host, const struct function *function,
				  uint32_t id)
{
	uint32_t at = EXTENDED_FIRST;

	if (!function->pcie)
		return 0;
	for (uint32_t i = 0; i < EXTENDED_PLACES && at >= EXTENDED_FIRST; i++) {
		uint32_t entry = config_read32(host, function->sbdf, at);

		if (entry == 0 || entry == NOTHING_THERE)
			return 0;
		if ((entry & 0xffff) == id)
			return (uint16_t)at;
		at = entry >> 20 & ~3u;
	}
	return 0;
}

uint32_t capability_pcie_type(const struct sp_host *host, const struct function *function)
{
	uint32_t flags = config_read16(host, function->sbdf, function->pcie + PCIE_FLAGS);

	return (uint32_t)field_get(flags, FLAGS_TYPE);
}

bool capability_can_reset(const struct sp_host *host, const struct function *function)
{
	uint32_t pcie = function->pcie, advanced = function->advanced;

	if (pcie && config_read32(host, function->sbdf, pcie + PCIE_DEVICE_CAP) & DEVICE_CAP_FLR)
		return true;
	return advanced &&
	       config_read8(host, function->sbdf, advanced + ADVANCED_CAP) & ADVANCED_HAS_FLR;
}
