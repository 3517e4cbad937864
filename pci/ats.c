/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/ats.c - a function's cache of translations, by Address Translation Services.
 */
#include "pci/ats.h"

#include "pci/capability.h"

#define ATS_CAP	    0x04
#define CAP_DEPTH   0x001fu
#define ATS_CONTROL 0x06
#define CONTROL_ON  0x8000u

uint16_t ats_find(const struct sp_host *host, const struct function *function)
{
	return capability_find_extended(host, function, EXTENDED_ATS);
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
