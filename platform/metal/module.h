/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/module.h - files that the boot loader brought along. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct multiboot_info;

#define MODULE_NAME 64u

/* In the loader's memory, which is never given out. */
struct module {
	char name[MODULE_NAME]; /* conf_module_name() of the loader's line */
	const void *content;
	size_t bytes;
};

/* Reads the list. */
void module_start(const struct multiboot_info *info);

/* From 0; NULL: there are no more. */
const struct module *module_at(uint32_t index);
/* The first whose name ends so; NULL: none. */
const struct module *module_find_suffix(const char *suffix);
