/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vm_hypercall.h - what a guest asks for by VMMCALL. */
#pragma once

struct vm_cpu;

/* The exit of VMMCALL. */
void vm_hypercall_exit(struct vm_cpu *cpu);
