/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/machine.c - what is asked of a machine that was read.
 */
#include "machine.h"

#include <stdio.h>
#include <string.h>

#define CONFIG_STATUS	    0x06
#define STATUS_CAPABILITIES 0x10u
#define CONFIG_LIST	    0x34
#define CAPABILITY_PCIE	    0x10u
#define LEAST_BYTES	    64u /* what everybody may see */
#define PLAIN_BYTES	    256u
#define PLACES		    48 /* more would be a circle */
#define EXTENDED_PLACES	    960

int machine_find(const struct machine *machine, sp_sbdf_t sbdf)
{
	size_t low = 0, high = machine->function_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (machine->function[middle].sbdf.sbdf < sbdf.sbdf)
			low = middle + 1;
		else
			high = middle;
	}
	return low < machine->function_count && machine->function[low].sbdf.sbdf == sbdf.sbdf
		       ? (int)low
		       : MACHINE_NONE;
}

/* The longest of those that fit: bridges' directories hold those of what is behind them. */
int machine_above(const struct machine *machine, const char *path)
{
	size_t longest = 0;
	int found = MACHINE_NONE;

	for (size_t i = 0; i < machine->function_count; i++) {
		size_t length = strlen(machine->function[i].path);

		if (length > longest && !strncmp(path, machine->function[i].path, length) &&
		    path[length] == '/') {
			found = (int)i;
			longest = length;
		}
	}
	return found;
}

bool machine_parse_sbdf(const char *text, sp_sbdf_t *sbdf)
{
	unsigned int segment = 0, bus, device, function;
	int length = 0;

	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &segment, &bus, &device, &function, &length) != 4) {
		segment = 0;
		length = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &device, &function, &length) != 3)
			return false;
	}
	if (!length || text[length] || device > 31 || function > 7)
		return false;
	*sbdf = sp_sbdf(segment, bus, device, function);
	return true;
}

uint32_t machine_config(const struct machine_function *function, uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	for (uint32_t i = bytes; i-- > 0;) {
		uint32_t byte = 0xff;

		if (offset + i < function->config.count)
			byte = (unsigned char)function->config.data[offset + i];
		value = value << 8 | byte;
	}
	return value;
}

bool machine_sees_capabilities(const struct machine_function *function)
{
	return function->config.count > LEAST_BYTES;
}

bool machine_sees_extended(const struct machine_function *function)
{
	if (!machine_sees_capabilities(function))
		return false;
	return function->config.count > PLAIN_BYTES ||
	       !machine_capability(function, CAPABILITY_PCIE);
}

uint32_t machine_capability(const struct machine_function *function, uint32_t id)
{
	uint32_t at;

	if (!machine_sees_capabilities(function) ||
	    !(machine_config(function, CONFIG_STATUS, 2) & STATUS_CAPABILITIES))
		return 0;
	at = machine_config(function, CONFIG_LIST, 1) & ~3u;
	for (uint32_t i = 0; i < PLACES && at >= LEAST_BYTES; i++) {
		if (machine_config(function, at, 1) == id)
			return at;
		at = machine_config(function, at + 1, 1) & ~3u;
	}
	return 0;
}

uint32_t machine_extended(const struct machine_function *function, uint32_t id)
{
	uint32_t at = PLAIN_BYTES;

	if (function->config.count <= PLAIN_BYTES)
		return 0;
	for (uint32_t i = 0; i < EXTENDED_PLACES && at >= PLAIN_BYTES; i++) {
		uint32_t entry = machine_config(function, at, 4);

		if (entry == 0 || entry == 0xffffffff)
			return 0;
		if ((entry & 0xffff) == id)
			return at;
		at = entry >> 20 & ~3u;
	}
	return 0;
}

const char *machine_parameter(const struct machine *machine, const char *name)
{
	size_t length = strlen(name);
	const char *found = NULL;

	/* The last one counts, as it does for the kernel. */
	for (const char *at = machine->cmdline; at && *at;
	     at += strcspn(at, " "), at += strspn(at, " ")) {
		if (strncmp(at, name, length))
			continue;
		if (name[length - 1] == '=' || at[length] == 0 || at[length] == ' ')
			found = at + length;
	}
	return found;
}
