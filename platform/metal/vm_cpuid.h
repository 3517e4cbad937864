/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vm_cpuid.h - what a guest is told of its CPU. */
#pragma once

#include "platform/metal/vm.h"
#include "platform/metal/x86.h"

void vm_cpuid_exit(struct vm_cpu *cpu);

/* On the guest's CPU, or for another that is the same. */
struct cpuid vm_cpuid(const struct vm_cpu *cpu, uint32_t leaf, uint32_t subleaf);
