/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/acs.c - Access Control Services, as a function's configuration space shows them.
 */
#include "acs.h"

#include <stdlib.h>

#include "memory.h"

#define EXTENDED_ACS 0x000du
#define ACS_CAN	     0x04u
#define ACS_CONTROL  0x06u

struct acs acs_of(const struct machine_function *function)
{
	uint32_t at;

	if (!machine_sees_extended(function))
		return (struct acs){ .answer = ACS_UNSEEN };
	at = machine_extended(function, EXTENDED_ACS);
	if (!at)
		return (struct acs){ .answer = ACS_NONE };
	return (struct acs){ .answer = ACS_PRESENT,
			     .can = machine_config(function, at + ACS_CAN, 2) & 0x7f,
			     .on = machine_config(function, at + ACS_CONTROL, 2) & 0x7f };
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
