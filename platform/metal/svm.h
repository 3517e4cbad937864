/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/svm.h - guest mode on AMD CPUs (APM vol. 2, chapter 15). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sallyport/p2m.h>

struct vmcb;

/* In the order that svm_enter.S knows. RAX and RSP are in the VMCB. */
struct svm_registers {
	uint64_t rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};

/* A virtual CPU: runs on one CPU at a time. */
struct svm_vcpu {
	struct vmcb *vmcb;
	struct svm_registers registers;
};

/* Why a guest left guest mode. */
enum svm_exit_kind {
	SVM_EXIT_KICK,	       /* an interrupt or NMI for the hypervisor */
	SVM_EXIT_NESTED_FAULT, /* `address` is guest-physical, `error` as in a page fault */
	SVM_EXIT_HLT,
	SVM_EXIT_VMMCALL,
	SVM_EXIT_PORT,
	SVM_EXIT_MSR,
	SVM_EXIT_CPUID,
	SVM_EXIT_SHUTDOWN, /* a triple fault */
	SVM_EXIT_INVALID,  /* VMRUN refused the VMCB: guest mode was never reached */
	SVM_EXIT_OTHER,
};

struct svm_exit {
	enum svm_exit_kind kind;
	uint64_t code;	  /* the manual's number */
	uint64_t address; /* nested faults */
	uint64_t error;
	uint64_t rip;
};

struct svm_features {
	uint32_t revision;
	uint32_t asids;
	bool flush_by_asid;
};

/* Refuses a machine that cannot do it. Then once on every CPU: svm_start_cpu(). */
void svm_start(void);
void svm_start_cpu(void *unused);
struct svm_features svm_features(void);

/* A vCPU in 32-bit protected mode, flat segments, paging off, about to execute `rip`. */
bool svm_vcpu_create(struct svm_vcpu *vcpu, uint32_t rip);
void svm_vcpu_destroy(struct svm_vcpu *vcpu);

/*
 * Which ports and model-specific registers a guest uses without an exit: none at first (APM vol. 2,
 * 15.10.1, 15.11).
 */
struct svm_permissions {
	sp_mfn_t ports, registers;
};
bool svm_permissions_take(struct svm_permissions *may);
void svm_permissions_give(struct svm_permissions *may);
void svm_permissions_allow_register(const struct svm_permissions *may, uint32_t msr);

/*
 * The same vCPU for a guest that has its CPU to itself: the CPU's interrupts go to the guest, HLT
 * sleeps without an exit, and the hypervisor kicks it by NMI alone. To be run with interrupts off
 * from the first entry on.
 */
bool svm_vcpu_create_direct(struct svm_vcpu *vcpu, uint32_t rip, const struct svm_permissions *may);

/* As after INIT (APM vol. 2, 14.1.3), then at the beginning of a page below 1 MiB, in real mode. */
void svm_vcpu_reset(struct svm_vcpu *vcpu);
void svm_vcpu_start(struct svm_vcpu *vcpu, uint8_t page);

/*
 * By which other CPUs keep a vCPU out of guest mode: while `asked` is not 0 it is not entered. Who
 * sets a bit and then kicks the CPU needs no second kick: one that comes too early is seen by the
 * bit, one that comes later by the exit.
 */
struct svm_gate {
	_Atomic uint32_t asked;
	atomic_bool inside; /* in guest mode, or on the way there; this CPU writes */
};

/*
 * Guest mode in the domain's memory until the first exit. The calling CPU runs nothing else
 * meanwhile. False: the gate (which may be NULL) is shut, or the library's is; there was no entry.
 */
bool svm_run(struct svm_vcpu *vcpu, struct sp_domain *domain, struct svm_gate *gate,
	     struct svm_exit *exit);

const char *svm_exit_text(enum svm_exit_kind kind);
