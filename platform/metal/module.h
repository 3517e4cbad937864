/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/module.h - files that the boot loader brought along. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct multiboot_info;

/* In the loader's memory, which is never given out. */
struct module {
	const char *name; /* the last part of its path; not ended by a zero */
	size_t name_length;
	const char *words; /* what the loader's line has behind the path; ended by a zero */
	const void *content;
	size_t bytes;
};

/* Remembers where the list is. */
void module_start(const struct multiboot_info *info);
bool module_find(const char *name, size_t name_length, struct module *module);
void module_log_all(void);
