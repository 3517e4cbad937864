/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_cpu.h - one of a guest's CPUs.
 *
 *   waits --start-up--> in guest mode <--exits--> here, for a moment
 *     ^------INIT-----------'                 all: the guest ended, the CPU is idle
 *
 * While it waits it is the hypervisor's: its APIC too, and interrupts wake it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "platform/metal/vm.h"
#include "platform/metal/vm_ask.h"

/* What others want of it: bits of vm_ask.h. Any CPU, also the one that is meant. The first one of a guest begins, all others wait. */
void vm_cpu_ask(struct vm_cpu *cpu, uint32_t what);

/* The CPU's work, for smp_run(): to the guest's end. */
void vm_cpu_run(void *cpu);

/*
 * With the guest's lock: none of its CPUs is in guest mode until vm_resume(). The caller may be one of
 * them.
 */
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);
