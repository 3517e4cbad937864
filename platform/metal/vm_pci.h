/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_pci.h - the functions of a guest: what it does to the bus of vpci.h is carried
 * out on the machine's.
 */
#pragma once

#include <stdatomic.h>

#include <sallyport/iommu.h>

#include "platform/metal/vpci.h"

struct vm;

/* What is true of a function on the machine. */
struct vm_pci_function {
	bool mapped[SP_BARS];
	sp_gfn_t first[SP_BARS];
	uint8_t vector[SP_MESSAGES]; /* what an interrupt's entry has; 0: it is absent */
	uint8_t cpu[SP_MESSAGES];    /* of the guest, to which it goes */
	/* Since the guest has it. CPU 0 writes, the guest may ask. */
	_Atomic uint64_t faults, fault_address;
};

struct vm_pci {
	struct vpci bus;
	struct vm_pci_function of[VPCI_FUNCTIONS]; /* by the place in bus.function[] */
	uint64_t messages;			   /* entries that were written, in all */
	uint64_t moved;				   /* of those, how many went to another CPU */
};

/* An empty bus. */
void vm_pci_begin(struct vm *vm);

/* Assigns a function and shows it. Not SP_OK: the function is in quarantine; `why` says it. */
SP_MUST_USE enum sp_status vm_pci_give(struct vm *vm, sp_sbdf_t function, struct vpci_text *why);
/*
 * With the guest's lock, or while it does not run: the function vanishes from its bus. SP_NOT_FOUND: it
 * has none such; else as sp_device_release().
 */
SP_MUST_USE enum sp_status vm_pci_take(struct vm *vm, sp_sbdf_t function);

/* The guest does not run. SP_OK, or what the first release that went wrong said. */
SP_MUST_USE enum sp_status vm_pci_take_all(struct vm *vm);

/* CPU 0: one more fault of a function, if it is this guest's, and DMA. */
void vm_pci_note_fault(struct vm *vm, const struct sp_fault *fault);
/* For the hypercall, which was checked: `name` is a function of the guest's. */
int64_t vm_pci_faults(struct vm *vm, uint64_t name, uint64_t what);

/* With the guest's lock, all that follows. Ports CF8 and CFC to CFF. */
uint32_t vm_pci_port_read(struct vm *vm, uint32_t port, uint32_t bytes);
void vm_pci_port_write(struct vm *vm, uint32_t port, uint32_t bytes, uint32_t value);

/* Bus 0's configuration space by memory, where the guest has it so. */
bool vm_pci_has_ecam(const struct vm *vm, uint64_t address);
uint64_t vm_pci_ecam_read(struct vm *vm, uint64_t address, uint32_t bytes);
void vm_pci_ecam_write(struct vm *vm, uint64_t address, uint32_t bytes, uint64_t value);

/* Is there a page of a function's registers that is not mapped, because its MSI-X table is there? */
bool vm_pci_has(struct vm *vm, uint64_t address);
uint64_t vm_pci_read(struct vm *vm, uint64_t address, uint32_t bytes);
void vm_pci_write(struct vm *vm, uint64_t address, uint32_t bytes, uint64_t value);
