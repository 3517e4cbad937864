/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/memory.h - the machine's RAM below 4 GiB, in frames of 4 KiB.
 * All functions may be called on any CPU. Machine addresses are identity mapped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sallyport/address.h>

#define LOW_LIMIT 0x100000000ull /* the identity map ends here */

struct multiboot_info;

struct memory_figures {
	uint64_t ram_bytes;  /* all RAM the loader told of */
	uint64_t high_bytes; /* of that, above 4 GiB and left alone */
	sp_maddr_t top_of_low_ram;
	size_t frames, frames_free; /* managed here */
};

/* The image, the loader's information, its modules and all below 1 MiB are never handed out. */
void memory_start(const struct multiboot_info *info);

/*
 * Contiguous frames; `align` in frames, a power of two. Frame 0: none left. The hypervisor's own
 * come dirty and lie below memory_own_end(); a guest's come zeroed and lie above it.
 */
sp_mfn_t memory_take(size_t count, size_t align);
sp_mfn_t memory_take_zeroed(size_t count, size_t align);
sp_mfn_t memory_take_for_guest(size_t count, size_t align);
void memory_give(sp_mfn_t first, size_t count);

/* What no guest and no device may reach ends here. */
sp_maddr_t memory_own_end(void);

/* A page below 1 MiB for the code that starts other CPUs, or address 0. */
sp_maddr_t memory_find_low_page(void);
bool memory_is_ram(sp_maddr_t address, uint64_t size);
struct memory_figures memory_figures(void);

/* The image of the hypervisor, stacks included. */
sp_maddr_t memory_image_start(void);
sp_maddr_t memory_image_end(void);

/* The empty statement hides constants: compilers take those below 4096 for null pointers. */
static inline void *memory_pointer(sp_maddr_t address)
{
	uintptr_t value = address.maddr;

	__asm__("" : "+r"(value));
	return (void *)value;
}

static inline void *memory_frame(sp_mfn_t frame)
{
	return memory_pointer(sp_maddr_from_mfn(frame));
}

static inline sp_maddr_t memory_address(const void *pointer)
{
	return (sp_maddr_t){ (uintptr_t)pointer };
}
