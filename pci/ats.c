/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/ats.c - a function's cache of translations, by Address Translation Services.
 *
 *   0x100 -> [id, version, next] -> [id, version, next] -> 0      7.6.3
 */
#include "pci/ats.h"

#include "lib/bits.h"

#define FIRST_PLACE    0x100u
#define PLACES	       960 /* of 4 bytes behind it: whoever finds more walks in a circle */
#define CAPABILITY_ATS 0x000fu
#define NOTHING_THERE  0xffffffffu

#define ATS_CAP	       0x04
#define CAP_DEPTH      0x001fu
#define ATS_CONTROL    0x06
#define CONTROL_ON     0x8000u

uint16_t ats_find(const struct sp_host *host, const struct function *function)
{
	uint32_t at = FIRST_PLACE;

	if (!function->pcie)
		return 0;
	for (uint32_t i = 0; i < PLACES && at >= FIRST_PLACE; i++) {
		uint32_t entry = config_read32(host, function->sbdf, at);

		if (entry == 0 || entry == NOTHING_THERE)
			return 0;
		if ((entry & 0xffff) == CAPABILITY_ATS)
			return (uint16_t)at;
		at = entry >> 20 & ~3u;
	}
	return 0;
}

uint32_t ats_depth(const struct sp_host *host, const struct function *function)
{
	uint32_t at = ats_find(host, function) + ATS_CAP;
	uint32_t depth = config_read16(host, function->sbdf, at) & CAP_DEPTH;

	return depth ? depth : CAP_DEPTH + 1;
}

void ats_set(const struct sp_host *host, const struct function *function, bool on)
{
	uint32_t at = ats_find(host, function) + ATS_CONTROL;

	config_write16(host, function->sbdf, at, on ? CONTROL_ON : 0);
}
