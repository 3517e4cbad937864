/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_apic.h - a guest's local APICs: its CPUs' own, each access looked at.
 *
 * The guest takes its interrupts and ends them by itself, but through this page it could also stop
 * other CPUs (INIT, NMI) or interrupt them: so the page is trapped, and what is done there is done
 * here, or refused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "platform/metal/vapic.h"

struct vm;
struct vm_cpu;

struct vm_timer {
	bool deadline;	       /* it is in TSC deadline mode */
	uint64_t deadline_tsc; /* as last written */
};

/* Measures what a local APIC's timer counts in; once, on the first CPU, after time_start(). */
void vm_apic_measure(void);

/*
 * The calling CPU, whose APIC no guest has, sleeps for about that long, or until an interrupt. An
 * emulated machine's other CPUs have the host's to themselves meanwhile.
 */
void vm_apic_sleep(uint64_t nanoseconds);

/* All registers of all its CPUs as after reset. */
void vm_apic_begin(struct vm *vm);
/* The same of one, by INIT. */
void vm_apic_reset(struct vm_cpu *cpu);
/* On the guest's CPU after its last exit: the APIC is the hypervisor's again. */
void vm_apic_stop(void);

/* One aligned access of 32 bits; `offset` in the page. */
uint32_t vm_apic_read(struct vm_cpu *cpu, uint32_t offset);
void vm_apic_write(struct vm_cpu *cpu, uint32_t offset, uint32_t value);

/* MSR 1B. False: the guest may not. */
uint64_t vm_apic_read_base(const struct vm_cpu *cpu);
bool vm_apic_write_base(struct vm_cpu *cpu, uint64_t value);

/* MSR 6E0: the time-stamp counter's value at which the timer fires. */
void vm_apic_set_deadline(struct vm_cpu *cpu, uint64_t tsc);

/* How many accesses of all its CPUs were refused. */
uint64_t vm_apic_refused(const struct vm *vm);
