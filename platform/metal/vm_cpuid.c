/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_cpuid.c - what a guest is told of its CPU: hardware's answer, less what it may
 * not use, and a timer by the time-stamp counter's deadline, which vm_apic.c makes.
 */
#include "platform/metal/vm_cpuid.h"

#include "platform/metal/vmcb.h"

#define BASIC_LAST    0x00000007u
#define HYPERVISOR    0x40000000u
#define EXTENDED      0x80000000u
#define EXTENDED_LAST 0x80000008u

/* Leaf 1, ECX. */
#define C1_MONITOR    (1u << 3)
#define C1_VMX	      (1u << 5)
#define C1_FMA	      (1u << 12)
#define C1_X2APIC     (1u << 21)
#define C1_DEADLINE   (1u << 24)
#define C1_XSAVE      (7u << 26) /* XSAVE, OSXSAVE, AVX */
#define C1_F16C	      (1u << 29)
#define C1_HYPERVISOR (1u << 31)
/* Leaf 1, EDX: what the guest cannot have alone: machine checks, memory types, sibling threads. */
#define D1_MCE	      (1u << 7)
#define D1_MTRR	      (1u << 12)
#define D1_MCA	      (1u << 14)
#define D1_ACPI	      (1u << 22)
#define D1_HTT	      (1u << 28)
/* Leaf 6, EAX: the APIC's timer runs on in every sleep. */
#define A6_ARAT	      (1u << 2)
/* Leaf 7, EBX that needs no register of its own: FSGSBASE, BMI1, SMEP, BMI2, ERMS, RDSEED, ADX, SMAP,
 * CLFLUSHOPT, CLWB, SHA. */
#define B7_KEPT                                                                             \
	(1u << 0 | 1u << 3 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 18 | 1u << 19 | 1u << 20 | \
	 1u << 23 | 1u << 24 | 1u << 29)
/* Leaf 8000_0001, ECX. */
#define C81_SVM	      (1u << 2)
#define C81_OSVW      (1u << 9)
#define C81_IBS	      (1u << 10)
#define C81_XOP	      (1u << 11)
#define C81_SKINIT    (1u << 12)
#define C81_WDT	      (1u << 13)
#define C81_LWP	      (1u << 15)
#define C81_FMA4      (1u << 16)
#define C81_TOPOLOGY  (1u << 22)
#define C81_COUNTERS  (0x1fu << 23) /* counters, breakpoints by data, and MWAITX behind them */
#define C81_MWAITX    (1u << 29)
/* Leaf 8000_0007, EDX: the counter runs at one rate, always. */
#define D87_INVARIANT (1u << 8)

static struct cpuid leaf_1(const struct vm_cpu *cpu, struct cpuid r)
{
	r.ebx = (r.ebx & 0xff00) | 1u << 16 | cpu->vm->apic.cpu[cpu->index].id << 24;
	r.ecx &= ~(C1_MONITOR | C1_VMX | C1_FMA | C1_X2APIC | C1_XSAVE | C1_F16C);
	r.ecx |= C1_DEADLINE | C1_HYPERVISOR;
	r.edx &= ~(D1_MCE | D1_MTRR | D1_MCA | D1_ACPI | D1_HTT);
	return r;
}

static struct cpuid leaf_extended_1(struct cpuid r)
{
	r.ecx &= ~(C81_SVM | C81_OSVW | C81_IBS | C81_XOP | C81_SKINIT | C81_WDT | C81_LWP |
		   C81_FMA4 | C81_TOPOLOGY | C81_COUNTERS | C81_MWAITX);
	r.edx &= ~(D1_MCE | D1_MTRR | D1_MCA);
	return r;
}

/* Leaves that tell of caches, threads and counters are empty: nothing follows from them here. */
struct cpuid vm_cpuid(const struct vm_cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r = read_cpuid_of(leaf, subleaf);

	switch (leaf) {
	case 0:
		r.eax = r.eax < BASIC_LAST ? r.eax : BASIC_LAST;
		return r;
	case 1:
		return leaf_1(cpu, r);
	case 6:
		return (struct cpuid){ .eax = A6_ARAT };
	case 7:
		return (struct cpuid){ .ebx = subleaf == 0 ? r.ebx & B7_KEPT : 0 };
	case HYPERVISOR:
		return (struct cpuid){ HYPERVISOR, 0x6c6c6153, 0x726f7079, 0x00000074 };
	case EXTENDED:
		r.eax = r.eax < EXTENDED_LAST ? r.eax : EXTENDED_LAST;
		return r;
	case EXTENDED + 1:
		return leaf_extended_1(r);
	case EXTENDED + 2:
	case EXTENDED + 3:
	case EXTENDED + 4:
		return r;
	case EXTENDED + 7:
		return (struct cpuid){ .edx = D87_INVARIANT };
	case EXTENDED + 8:
		return (struct cpuid){ .eax = r.eax };
	}
	return (struct cpuid){ 0 };
}

void vm_cpuid_exit(struct vm_cpu *cpu)
{
	struct svm_registers *registers = &cpu->vcpu.registers;
	struct cpuid r = vm_cpuid(cpu, (uint32_t)cpu->vcpu.vmcb->rax, (uint32_t)registers->rcx);

	cpu->vcpu.vmcb->rax = r.eax;
	registers->rbx = r.ebx;
	registers->rcx = r.ecx;
	registers->rdx = r.edx;
	vm_skip(cpu, 2);
}
