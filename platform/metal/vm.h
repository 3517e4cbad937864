/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm.h - a guest that brings its own kernel: memory, CPUs of its own, functions.
 *
 *   create -> load (vm_load.h) -> give functions -> start ... VM_ENDED -> destroy
 *
 * Its CPUs (vm_cpu.h) are the guest's alone: interrupts go straight to them, and the hypervisor
 * reaches them by NMI. What is taken from them: ports, CPUID, most model-specific registers, the local
 * APIC's page.
 */
#pragma once

#include <stdatomic.h>

#include <sallyport/passthrough.h>

#include "platform/metal/balloon.h"
#include "platform/metal/layout.h"
#include "platform/metal/serve.h"
#include "platform/metal/spinlock.h"
#include "platform/metal/svm.h"
#include "platform/metal/uart.h"
#include "platform/metal/vm_apic.h"
#include "platform/metal/vm_pci.h"

#define VM_NAME 16u
#define VM_CPUS (MAX_CPUS - 1) /* the first one is the hypervisor's */

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

/* What its CPUs sent to each other. */
enum vm_sent {
	VM_SENT_INTERRUPT,
	VM_SENT_NMI,
	VM_SENT_START, /* INIT and start-up messages */
	VM_SENT_COUNT
};

struct vm;
typedef void vm_request(struct vm *vm, void *argument);

/* Of one CPU; it alone writes, and others may read what is a little old. */
struct vm_counts {
	uint64_t exits[VM_EXIT_COUNT];
	uint64_t sent[VM_SENT_COUNT];
	uint64_t gated; /* entries that the library refused: an emulator had not let go */
};

/* One of the guest's CPUs, on a CPU of the machine that is nobody else's. */
struct vm_cpu {
	struct vm *vm;
	uint32_t index;	  /* 0 is the one that boots the guest */
	uint32_t machine; /* in cpus[] */
	struct svm_gate gate;
	atomic_bool waits; /* for a start-up message; the hypervisor's meanwhile. This CPU writes */

	/* that CPU alone while the guest runs */
	struct svm_vcpu vcpu;
	struct svm_exit exit;
	struct vm_timer timer;
	bool nmi_due, in_nmi;
	struct vm_counts counts;
};

struct vm {
	char name[VM_NAME];
	uint32_t number; /* of its domain, and its ASID */
	struct sp_host *host;
	struct sp_domain *domain;
	sp_mfn_t memory; /* one block, mapped from gfn 0 on; single frames may leave it (balloon.h) */
	uint64_t frames;
	_Atomic uint64_t frames_mapped; /* so many references are to come back */
	struct svm_permissions may;
	bool acpi; /* ACPI tables and ECAM; else an MP table and ports CF8, CFC */
	uint32_t cpu_count;
	struct vm_cpu cpu[VM_CPUS];
	struct vapic_guest apic; /* each CPU its own; a sender reads others' names */

	struct spinlock lock; /* of what its CPUs share: from here to the blank line */
	struct uart uart;
	struct vm_pci pci;
	uint32_t pit; /* what a guest that reads its absent PIT sees change */
	uint8_t clock_index;
	struct balloon balloon; /* what is atomic in it needs no lock */
	enum call_right faults; /* who may ask for them */
	struct serve serve;

	uint32_t mutant; /* a negative control, tests only */

	atomic_ulong refused;	   /* acts that were not carried out */
	atomic_ulong refused_said; /* of those, what the log heard of, or would have */
	_Atomic enum vm_state state;
	const char *why; /* written before VM_ENDED, once */
};

struct vm_config {
	const char *name;
	size_t name_length;
	uint32_t number;
	uint64_t bytes;	    /* of memory; a multiple of 2 MiB */
	uint32_t first_cpu; /* of the machine, idle; cpu_count of them */
	uint32_t cpu_count;
	bool acpi;
	enum sp_tables tables;
	enum call_right balloon, faults; /* who may make which hypercalls */
	bool is_silent;			 /* what it writes to its serial port goes nowhere */
};

/* SP_NO_MEMORY: not enough RAM, in one piece. */
SP_MUST_USE enum sp_status vm_create(struct vm *vm, struct sp_host *host,
				     const struct vm_config *config);
/* Ended, without functions. False: frames that it was given did not all come back. */
bool vm_destroy(struct vm *vm);

/* On its CPUs, which must be idle: the first one begins, the others wait for its messages. */
void vm_start(struct vm *vm);

/* What a guest's CPUs share, for one of them or for CPU 0. Interrupts are off meanwhile. */
bool vm_lock(struct vm *vm);
void vm_unlock(struct vm *vm, bool were_on);

/* Does something to what they share, from another CPU, also while they run. */
void vm_call(struct vm *vm, vm_request *request, void *argument);

/* False: they did not all leave in time. */
bool vm_wait(struct vm *vm, uint64_t nanoseconds);

/* `bytes` of its RAM, to read, within one page; NULL: there is no RAM. */
const void *vm_pointer(struct vm *vm, uint64_t address, uint32_t bytes);

/* For exits. The instruction that exited was `length` bytes long and is done. */
void vm_skip(struct vm_cpu *cpu, uint32_t length);
/* Instead of it, the guest gets a general protection fault or an invalid opcode. */
void vm_refuse_protection(struct vm_cpu *cpu);
void vm_refuse_opcode(struct vm_cpu *cpu);
/* The guest runs no more, on any of its CPUs. */
void vm_end(struct vm *vm, const char *why);
/* One line for what a guest tried and did not get; the first few of each guest. */
__attribute__((format(printf, 2, 3))) void vm_log_refusal(struct vm *vm, const char *format, ...);

/* "CPU 1", or "CPUs 1 to 2": those of the machine that it has. */
struct vm_cpus_text {
	char chars[24];
};
struct vm_cpus_text vm_cpus_text(const struct vm *vm);

/* Of all its CPUs: entries that the library refused. */
uint64_t vm_count_gated(const struct vm *vm);

/* Exits in one line, by reason; of several CPUs, what they sent each other. */
void vm_log_exits(const struct vm *vm, uint64_t nanoseconds);
/* In how large pages its memory is mapped. */
void vm_log_pages(const struct vm *vm);
