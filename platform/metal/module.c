/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/module.c - files that the boot loader brought along. */
#include "platform/metal/module.h"

#include "platform/metal/console.h"
#include "platform/metal/guest_conf.h"
#include "platform/metal/memory.h"
#include "platform/metal/multiboot.h"
#include "platform/metal/string.h"

#define MODULES_MAX 16u

static struct module modules[MODULES_MAX]; /* both constant after module_start */
static uint32_t count;

static void add(const struct multiboot_module *entry)
{
	struct module *module = &modules[count++];

	conf_module_name(memory_pointer((sp_maddr_t){ entry->command_line }), module->name,
			 sizeof(module->name));
	module->content = memory_pointer((sp_maddr_t){ entry->start });
	module->bytes = entry->end > entry->start ? entry->end - entry->start : 0;
	console_log("module", "%s: %zu bytes at 0x%x", module->name, module->bytes, entry->start);
}

void module_start(const struct multiboot_info *info)
{
	const struct multiboot_module *list = memory_pointer((sp_maddr_t){ info->modules_address });
	uint32_t all = info->flags & MULTIBOOT_HAS_MODULES ? info->modules_count : 0;

	for (uint32_t i = 0; i < all && i < MODULES_MAX; i++)
		add(&list[i]);
	if (all > MODULES_MAX)
		console_log("module", "%u more than the %u that are looked at", all - MODULES_MAX,
			    MODULES_MAX);
}

const struct module *module_at(uint32_t index)
{
	return index < count ? &modules[index] : NULL;
}

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	return length;
}

const struct module *module_find_suffix(const char *suffix)
{
	const size_t wanted = length_of(suffix);

	for (uint32_t i = 0; i < count; i++) {
		const size_t length = length_of(modules[i].name);

		if (length > wanted &&
		    memcmp(modules[i].name + length - wanted, suffix, wanted) == 0)
			return &modules[i];
	}
	return NULL;
}
