/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/multiboot.h - what a multiboot 1 loader hands over (specification 0.6.96, 3.3). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MULTIBOOT_LOADER_MAGIC	   0x2badb002u

#define MULTIBOOT_HAS_COMMAND_LINE (1u << 2)
#define MULTIBOOT_HAS_MODULES	   (1u << 3)
#define MULTIBOOT_HAS_MEMORY_MAP   (1u << 6)

/* Fields behind the memory map are not used here. */
struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper;
	uint32_t boot_device;
	uint32_t command_line;
	uint32_t modules_count, modules_address;
	uint32_t symbols[4];
	uint32_t memory_map_size, memory_map_address;
};

/* The end is the first byte behind the module. */
struct multiboot_module {
	uint32_t start, end;
	uint32_t command_line;
	uint32_t reserved;
};

/* `size` counts what follows it; the next entry starts size + 4 bytes on. */
struct multiboot_range {
	uint32_t size;
	uint32_t base_low, base_high;
	uint32_t length_low, length_high;
	uint32_t type;
};

#define MULTIBOOT_RAM 1u

_Static_assert(offsetof(struct multiboot_info, memory_map_size) == 44, "multiboot 3.3");
_Static_assert(sizeof(struct multiboot_module) == 16, "multiboot 3.3, modules");
_Static_assert(sizeof(struct multiboot_range) == 24, "multiboot 3.3, memory map");
