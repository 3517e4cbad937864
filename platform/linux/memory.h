/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/memory.h - memory of a program that runs once: it is there, or the program ends.
 */
#pragma once

#include <stddef.h>

void *memory_take(size_t count, size_t bytes); /* zeroed */
char *memory_copy(const char *text);
char *memory_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Room for one more: `*items` of `bytes` each, `count` of them used. Grows by doubling; a new item is zeroed. */
void *memory_grow(void *items, size_t count, size_t bytes);
