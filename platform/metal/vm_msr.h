/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vm_msr.h - a guest's model-specific registers. */
#pragma once

#include "platform/metal/vm.h"

/* Opens in its map those that VMRUN or VMLOAD exchanges, or that reach nobody else. */
void vm_msr_allow(struct vm *vm);
void vm_msr_exit(struct vm_cpu *cpu);
