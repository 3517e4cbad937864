/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_mmio.h - pages of a guest where nothing is mapped, because each access to them
 * is looked at.
 */
#pragma once

#include "platform/metal/vm.h"

/* Carries out the access that faulted, or ends the guest where there is nothing. */
enum vm_exit vm_mmio_exit(struct vm_cpu *cpu);
