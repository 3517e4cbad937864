/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/value.h - JSON values as the commands make them.
 */
#pragma once

#include <jansson.h>

#include <sallyport/address.h>

/* A string, of text that is freed. */
json_t *value_taken(char *text);
/* Null for NULL. */
json_t *value_or_null(const char *text);
/* "0000:02:00.0", of an id of this segment, whether or not a function has it. */
json_t *value_id(uint16_t segment, uint16_t id);
void value_set(json_t *row, const char *key, json_t *value);
