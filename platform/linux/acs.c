/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/acs.c - Access Control Services, as a function's configuration space shows them.
 */
#include "acs.h"

#include <stdlib.h>

#include "memory.h"

#define EXTENDED_ACS	0x000du
#define ACS_CAN		0x04u
#define ACS_CONTROL	0x06u
#define ACS_WIDE	0x08u /* where the capability is a dword, control follows it */
#define CAPABILITY_PCIE 0x10u
#define TYPE_ROOT_PORT	4u
#define VENDOR_INTEL	0x8086u

/* Root ports of Intel's 100 and 200 series have both registers as dwords: an erratum, which Linux reads so too. */
static bool has_wide_registers(const struct machine_function *function)
{
	static const struct {
		uint16_t first, last;
	} ports[] = {
		{ 0x9d10, 0x9d1b }, { 0xa110, 0xa11f }, { 0xa167, 0xa16a },
		{ 0xa290, 0xa29f }, { 0xa2e7, 0xa2ee },
	};
	uint32_t express = machine_capability(function, CAPABILITY_PCIE);

	if (function->vendor != VENDOR_INTEL || !express ||
	    (machine_config(function, express + 2, 2) >> 4 & 0xf) != TYPE_ROOT_PORT)
		return false;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (ports[i].first <= function->device && function->device <= ports[i].last)
			return true;
	}
	return false;
}

struct acs acs_of(const struct machine_function *function)
{
	uint32_t at, control;

	if (!machine_sees_extended(function))
		return (struct acs){ .answer = ACS_UNSEEN };
	at = machine_extended(function, EXTENDED_ACS);
	if (!at)
		return (struct acs){ .answer = ACS_NONE };
	control = at + (has_wide_registers(function) ? ACS_WIDE : ACS_CONTROL);
	return (struct acs){ .answer = ACS_PRESENT,
			     .can = machine_config(function, at + ACS_CAN, 2) & 0x7f,
			     .on = machine_config(function, control, 2) & 0x7f };
}

char *acs_text(uint32_t bits)
{
	static const char *const names[] = { "SV", "TB", "RR", "CR", "UF", "EC", "DT" };
	char *text = memory_copy("");

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *more;

		if (!(bits & 1u << i))
			continue;
		more = memory_print("%s%s%s", text, *text ? " " : "", names[i]);
		free(text);
		text = more;
	}
	if (*text)
		return text;
	free(text);
	return memory_copy("-");
}
