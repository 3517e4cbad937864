/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm.h - a guest that brings its own kernel: memory, a CPU of its own, functions.
 *
 *   create -> load (vm_load.h) -> give functions -> start ... VM_ENDED -> destroy
 *
 * Its CPU is the guest's alone: interrupts go straight to it, and the hypervisor reaches it by NMI.
 * What is taken from it: ports, CPUID, most model-specific registers, the local APIC's page.
 */
#pragma once

#include <stdatomic.h>

#include <sallyport/passthrough.h>

#include "platform/metal/svm.h"
#include "platform/metal/uart.h"
#include "platform/metal/vm_apic.h"
#include "platform/metal/vm_pci.h"

#define VM_NAME 16u

enum vm_state {
	VM_CREATED,
	VM_RUNNING,
	VM_ENDED, /* vm->why says how */
};

/* Exits that are counted, by what they cost most for. */
enum vm_exit {
	VM_EXIT_KICK,
	VM_EXIT_PORT,
	VM_EXIT_CONFIG, /* of those: PCI configuration space */
	VM_EXIT_MSR,
	VM_EXIT_CPUID,
	VM_EXIT_APIC,
	VM_EXIT_MMIO,
	VM_EXIT_CALL,
	VM_EXIT_OTHER,
	VM_EXIT_COUNT
};

struct vm;
typedef void vm_request(struct vm *vm, void *argument);

struct vm {
	char name[VM_NAME];
	uint32_t number; /* of its domain, and its ASID */
	struct sp_host *host;
	struct sp_domain *domain;
	sp_mfn_t memory; /* one block, mapped from gfn 0 on */
	uint64_t frames;
	uint64_t frames_mapped; /* so many references are to come back */
	struct svm_permissions may;
	uint32_t cpu;

	/* its CPU alone while it runs */
	struct svm_vcpu vcpu;
	struct svm_exit exit;
	struct uart uart;
	struct vm_apic apic;
	struct vm_pci pci;
	uint32_t pit; /* what a guest that reads its absent PIT sees change */
	uint8_t clock_index;
	uint64_t exits[VM_EXIT_COUNT];
	uint64_t refused; /* acts that were not carried out */

	_Atomic enum vm_state state;
	const char *why;

	_Atomic(vm_request *) request; /* vm_call() sets, the guest's CPU clears when it is done */
	void *argument;		       /* written before request */
};

struct vm_config {
	const char *name;
	size_t name_length;
	uint32_t number;
	uint64_t bytes; /* of memory; a multiple of 2 MiB */
	uint32_t cpu;
	enum sp_tables tables;
};

/* SP_NO_MEMORY: not enough RAM, in one piece. */
SP_MUST_USE enum sp_status vm_create(struct vm *vm, struct sp_host *host,
				     const struct vm_config *config);
/* Ended, without functions. False: frames that it was given did not all come back. */
bool vm_destroy(struct vm *vm);

/* On its CPU, which must be idle. */
void vm_start(struct vm *vm);

/*
 * Has the guest's CPU do something out of guest mode, and waits until it is done; where the guest does
 * not run, the caller does it. One caller at a time.
 */
void vm_call(struct vm *vm, vm_request *request, void *argument);

/* `bytes` of its RAM, within one page; NULL: there is no RAM. */
void *vm_pointer(struct vm *vm, uint64_t address, uint32_t bytes);

/* For exits. The instruction that exited was `length` bytes long and is done. */
void vm_skip(struct vm *vm, uint32_t length);
/* Instead of it, the guest gets a general protection fault or an invalid opcode. */
void vm_refuse_protection(struct vm *vm);
void vm_refuse_opcode(struct vm *vm);
/* The guest runs no more. */
void vm_end(struct vm *vm, const char *why);
/* One line for what a guest tried and did not get; the first few of each guest. */
__attribute__((format(printf, 2, 3))) void vm_log_refusal(struct vm *vm, const char *format, ...);

/* Exits in one line, by reason. */
void vm_log_exits(const struct vm *vm, uint64_t nanoseconds);
