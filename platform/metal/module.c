/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/module.c - files that the boot loader brought along.
 *
 *   QEMU: -initrd "guests/debian.conf,/boot/vmlinuz quiet"
 *                         '--name---'       '-name-' '-words-'
 */
#include "platform/metal/module.h"

#include "platform/metal/console.h"
#include "platform/metal/memory.h"
#include "platform/metal/multiboot.h"
#include "platform/metal/string.h"

static const struct multiboot_module *list; /* constant after module_start */
static size_t count;

void module_start(const struct multiboot_info *info)
{
	if (!(info->flags & MULTIBOOT_HAS_MODULES))
		return;
	list = memory_pointer((sp_maddr_t){ info->modules_address });
	count = info->modules_count;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A loader that gives no line gives a name of no length. */
static struct module read_module(const struct multiboot_module *entry)
{
	const char *line = memory_pointer((sp_maddr_t){ entry->command_line });
	struct module module = {
		.name = line,
		.content = memory_pointer((sp_maddr_t){ entry->start }),
		.bytes = entry->end > entry->start ? entry->end - entry->start : 0,
	};

	for (; *line != '\0' && !is_blank(*line); line++) {
		if (*line == '/')
			module.name = line + 1;
	}
	module.name_length = (size_t)(line - module.name);
	while (is_blank(*line))
		line++;
	module.words = line;
	return module;
}

bool module_find(const char *name, size_t name_length, struct module *module)
{
	for (size_t i = 0; i < count; i++) {
		*module = read_module(&list[i]);
		if (module->name_length == name_length &&
		    memcmp(module->name, name, name_length) == 0)
			return true;
	}
	return false;
}

void module_log_all(void)
{
	for (size_t i = 0; i < count; i++) {
		struct module module = read_module(&list[i]);

		console_log("module", "%.*s: %zu bytes at 0x%lx", (int)module.name_length,
			    module.name, module.bytes, memory_address(module.content).maddr);
	}
}
