/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/value.c - JSON values as the commands make them.
 */
#include "value.h"

#include <stdlib.h>

#include "memory.h"

json_t *value_taken(char *text)
{
	json_t *value = json_string(text);

	free(text);
	return value;
}

json_t *value_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

json_t *value_id(uint16_t segment, uint16_t id)
{
	return value_taken(
		memory_print("%04x:%02x:%02x.%x", segment, id >> 8, id >> 3 & 0x1f, id & 7));
}

void value_set(json_t *row, const char *key, json_t *value)
{
	json_object_set_new(row, key, value);
}
