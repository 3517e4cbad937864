/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/smp.h - all CPUs of the machine, and work for them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/* Starts every CPU that the MADT lists, one after the other, at most MAX_CPUS. */
void smp_start(void);

/* The CPU sleeps until it is given work. Never returns. */
_Noreturn void smp_idle(void);

/* Hands `function` to an idle CPU other than the caller's, and returns at once. */
void smp_run(uint32_t cpu, void (*function)(void *), void *argument);
bool smp_is_busy(uint32_t cpu);

/* False: still busy after the time. */
bool smp_wait(uint32_t cpu, uint64_t nanoseconds);

/* Takes a CPU out of guest mode or out of its sleep. */
void smp_kick(uint32_t cpu);
/* The CPU's interrupts are its guest's: from here on it is kicked by NMI, or no more. */
void smp_kick_by_nmi(uint32_t cpu, bool on);

_Noreturn void smp_ap_main(struct cpu *cpu); /* from boot.S */
