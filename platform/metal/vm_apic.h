/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_apic.h - a guest's local APIC: its CPU's own, each access looked at.
 *
 * The guest takes its interrupts and ends them by itself, but through this page it could also stop
 * other CPUs (INIT, NMI) or interrupt them: so the page is trapped, and what is done there is done
 * here, or refused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vm;

#define VM_APIC_VECTORS 6u /* entries of the local vector table */

struct vm_apic {
	uint8_t id;
	bool deadline;			 /* the timer is in TSC deadline mode */
	uint64_t deadline_tsc;		 /* as last written */
	uint32_t target;		 /* high half of the command register */
	uint32_t divide;		 /* as the guest wrote it */
	uint32_t local[VM_APIC_VECTORS]; /* local vector table, as the guest wrote it */
};

/* Measures what a local APIC's timer counts in; once, on the first CPU, after time_start(). */
void vm_apic_measure(void);

/* On the guest's CPU before its first entry: all registers as after reset. */
void vm_apic_start(struct vm *vm);
/* On the guest's CPU after its last exit: the APIC is the hypervisor's again. */
void vm_apic_stop(void);

/* One aligned access of 32 bits; `offset` in the page. */
uint32_t vm_apic_read(struct vm *vm, uint32_t offset);
void vm_apic_write(struct vm *vm, uint32_t offset, uint32_t value);

/* MSR 6E0: the time-stamp counter's value at which the timer fires. */
void vm_apic_set_deadline(struct vm *vm, uint64_t tsc);
