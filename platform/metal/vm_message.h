/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_message.h - interrupts of a guest's functions: what it wants sent becomes an entry
 * of the unit, and what the function must send for it. With the guest's lock.
 */
#pragma once

#include "platform/metal/vm.h"

/* One vector, as the guest's table or capability has it now. */
void vm_message_route(struct vm *vm, struct vpci_function *function, uint32_t vector);

/* MSI-X of a function was switched on or off: all of its vectors. */
void vm_message_switch(struct vm *vm, struct vpci_function *function);
