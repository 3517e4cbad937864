/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vm_port.h - a guest's I/O ports: all of them exit. */
#pragma once

#include "platform/metal/vm.h"

/* Carries out, or leaves out, the access that exited. */
enum vm_exit vm_port_exit(struct vm_cpu *cpu);
