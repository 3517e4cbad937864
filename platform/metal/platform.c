/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/platform.c - what the library asks of this hypervisor: sallyport/platform.h, on a
 * PC.
 *
 *   frames      memory.c, from below memory_own_end(): one forbidden range holds every table
 *   registers   the identity map; paging.c made all that is no RAM uncached
 *   kicks       an interrupt each; its exit from guest mode is all that is wanted
 *
 * There is one machine, so the embedder's pointer is not used.
 */
#include <sallyport/platform.h>

#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/forgotten.h"
#include "platform/metal/layout.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/smp.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

/* One memory node: all RAM is equally far. */
enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	const size_t count = (size_t)1 << order;

	(void)embedder;
	(void)node;
	*first = memory_take(count, count);
	return first->mfn != 0 ? SP_OK : SP_NO_MEMORY;
}

void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order)
{
	(void)embedder;
	memory_give(first, (size_t)1 << order);
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	(void)embedder;
	return memory_frame(frame);
}

/* What firmware says about registers is not believed beyond the map. */
static volatile void *mmio(sp_maddr_t address)
{
	if (address.maddr >= LOW_LIMIT)
		machine_panic("a register at 0x%lx is above 4 GiB, which is not mapped",
			      address.maddr);
	return memory_pointer(address);
}

/* One access of exactly this width: QEMU ends itself where a register is accessed too wide. */
uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes)
{
	(void)embedder;
	if (bytes == 4)
		return *(volatile uint32_t *)mmio(address);
	return *(volatile uint64_t *)mmio(address);
}

void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	(void)embedder;
	if (bytes == 4)
		*(volatile uint32_t *)mmio(address) = (uint32_t)value;
	else
		*(volatile uint64_t *)mmio(address) = value;
}

uint32_t platform_config_read(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes)
{
	(void)embedder;
	return pci_config_read(function, offset, bytes);
}

void platform_config_write(void *embedder, sp_sbdf_t function, uint32_t offset, uint32_t bytes,
			   uint32_t value)
{
	(void)embedder;
	pci_config_write(function, offset, bytes, value);
}

/* APM vol. 3, CLFLUSH: ordered by MFENCE alone, before and after. */
void platform_write_back(void *embedder, const void *first, size_t bytes)
{
	const uintptr_t line = cpu_cache_line();
	const uintptr_t end = (uintptr_t)first + bytes;

	(void)embedder;
	memory_fence();
	for (uintptr_t at = (uintptr_t)first & ~(line - 1); at < end; at += line)
		flush_line((const void *)at);
	memory_fence();
}

/* The caller's own CPU runs the library: it is in no guest. */
void platform_kick(void *embedder, const struct sp_cpu_set *set)
{
	const uint32_t self = cpu_self()->index;

	(void)embedder;
	for (uint32_t cpu = 0; cpu < cpu_count; cpu++) {
		if (cpu != self && (set->word[cpu / 64] >> cpu % 64 & 1))
			smp_kick(cpu);
	}
}

uint64_t platform_now(void *embedder)
{
	(void)embedder;
	return time_now();
}

uint32_t platform_self(void *embedder)
{
	(void)embedder;
	return cpu_self()->index;
}

/*
 * What other CPUs want of this one is a kick, and that is served by its interrupt: every wait of
 * this hypervisor has interrupts on, or is a guest's CPU that has left guest mode: its exit was the
 * answer. No CPU waits for work that another one was handed.
 */
void platform_relax(void *embedder)
{
	(void)embedder;
	pause();
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	static const char *const marks[] = {
		[SP_LOG_ERROR] = "error: ",
		[SP_LOG_WARNING] = "warning: ",
		[SP_LOG_INFO] = "",
	};

	(void)embedder;
	console_log("core", "%s%s", marks[level], line);
}

/* Nothing is freed here: a guest's frames go back as one block, when all of them came back. */
void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	(void)embedder;
	forgotten_note(run);
}

void platform_lost(void *embedder, const struct sp_lost *lost)
{
	(void)embedder;
	console_log("lost",
		    "unit at 0x%lx does not answer: asked for %lu, reached %lu; "
		    "bus mastering of its devices is off",
		    lost->unit.maddr, lost->asked, lost->reached);
}

_Noreturn void platform_panic(void *embedder, const char *line)
{
	(void)embedder;
	machine_panic("core: %s", line);
}
