/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/cpu.h - what belongs to one CPU, reached through its GS base. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sallyport/address.h>

#include "platform/metal/layout.h"

/* A function that another CPU is asked to run (smp.h). */
struct work {
	_Atomic(void (*)(void *)) function; /* NULL: nothing asked, or done */
	void *argument;			    /* written before function */
};

struct cpu {
	struct cpu *self; /* at GS:0 */
	uint32_t index;	  /* 0 is the CPU that booted */
	uint32_t apic_id;
	atomic_bool online;
	atomic_bool kick_by_nmi; /* smp_kick_by_nmi() */
	struct work work;	 /* the asking CPU writes, this one clears */
	atomic_ulong kicks;	 /* this CPU writes */
	atomic_ulong nmis;	 /* this CPU writes, from its NMI handler */
	sp_mfn_t svm_host_save;	 /* VM_HSAVE_PA; this CPU alone */
	sp_mfn_t svm_host_state; /* VMSAVE's part of the host; this CPU alone */
	uint64_t gdt[5];
	uint32_t tss[26];
};

extern struct cpu cpus[MAX_CPUS];
extern uint32_t cpu_count; /* constant after smp_start */

/* Own GDT, TSS, interrupt table and GS base; once on each CPU before anything else. */
void cpu_start(struct cpu *cpu);

/* The CPU's brand, or its vendor where it has none. */
struct cpu_name {
	char chars[52];
};
struct cpu_name cpu_name(void);

/* What CLFLUSH writes back at once, in bytes; the same on every CPU. */
uint32_t cpu_cache_line(void);

/* True: QEMU's own emulation, and no hardware, decides what is seen. */
bool cpu_is_emulated(void);

static inline struct cpu *cpu_self(void)
{
	struct cpu *cpu;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

_Static_assert(offsetof(struct cpu, self) == 0, "cpu_self() reads GS:0");
