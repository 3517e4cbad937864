/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_msr.c - a guest's model-specific registers.
 *
 *   its own (exchanged at entry, or only it uses them)   no exit
 *   the APIC's base, the timer's deadline                made here
 *   read by every kernel, of no use here                 read as 0, writes are dropped
 *   all others                                           general protection fault
 */
#include "platform/metal/vm_msr.h"

#include "platform/metal/vmcb.h"

/* APM vol. 2, appendix A. */
static const uint32_t own[] = {
	0x00000174, 0x00000175, 0x00000176,		/* SYSENTER */
	0x00000277,					/* PAT: with nested paging the VMCB's */
	0xc0000080,					/* EFER */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* STAR, LSTAR, CSTAR, SFMASK */
	0xc0000100, 0xc0000101, 0xc0000102,		/* FS, GS, kernel's GS base */
	0xc0000103, /* TSC_AUX: the hypervisor does not use it */
};

/* Feature switches of AMD's CPUs and the like, which Linux reads without asking CPUID first. */
static const uint32_t dull[] = {
	0x00000010, /* TSC: its reads have an instruction of their own; writes would move the clock */
	0x00000017,						    /* platform id */
	0x0000008b,						    /* patch level */
	0x000000fe, 0x000002ff,					    /* memory type ranges: none */
	0x00000179, 0x0000017a,					    /* machine check banks: none */
	0x000001d9,						    /* debug control */
	0xc0000104,						    /* TSC ratio */
	0xc0010000, 0xc0010001, 0xc0010002, 0xc0010003,		    /* performance counters: none */
	0xc0010004, 0xc0010005, 0xc0010006, 0xc0010007, 0xc0010010, /* SYSCFG */
	0xc0010015,						    /* HWCR */
	0xc001001f,						    /* northbridge configuration */
	0xc0010055,						    /* interrupt pending message */
	0xc0010112, 0xc0010113, 0xc0010117, /* SMM and SVM areas: not for writing, CPUID hides SVM */
	0xc0011020, 0xc0011021, 0xc0011022, 0xc0011023, /* load-store, caches */
	0xc0011028, 0xc0011029, 0xc001102a, 0xc001102c, /* decode */
};

static bool is_in(const uint32_t *list, size_t count, uint32_t msr)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i] == msr)
			return true;
	}
	return false;
}

void vm_msr_allow(struct vm *vm)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		svm_permissions_allow_register(&vm->may, own[i]);
}

static bool read_register(struct vm_cpu *cpu, uint32_t msr, uint64_t *value)
{
	*value = 0;
	if (msr == VAPIC_MSR_BASE)
		*value = vm_apic_read_base(cpu);
	else if (msr == VAPIC_MSR_DEADLINE)
		*value = cpu->timer.deadline_tsc;
	else
		return is_in(dull, sizeof(dull) / sizeof(dull[0]), msr);
	return true;
}

static bool write_register(struct vm_cpu *cpu, uint32_t msr, uint64_t value)
{
	if (msr == VAPIC_MSR_BASE)
		return vm_apic_write_base(cpu, value);
	if (msr != VAPIC_MSR_DEADLINE)
		return is_in(dull, sizeof(dull) / sizeof(dull[0]), msr);
	vm_apic_set_deadline(cpu, value);
	return true;
}

void vm_msr_exit(struct vm_cpu *cpu)
{
	struct vmcb *vmcb = cpu->vcpu.vmcb;
	struct svm_registers *registers = &cpu->vcpu.registers;
	const uint32_t msr = (uint32_t)registers->rcx;
	const bool is_write = vmcb->exit_info1 & 1;
	uint64_t value = registers->rdx << 32 | (uint32_t)vmcb->rax;
	const bool done =
		is_write ? write_register(cpu, msr, value) : read_register(cpu, msr, &value);

	if (!done) {
		vm_log_refusal(cpu->vm, "%s of MSR 0x%x", is_write ? "write" : "read", msr);
		vm_refuse_protection(cpu);
		return;
	}
	if (!is_write) {
		vmcb->rax = (uint32_t)value;
		registers->rdx = value >> 32;
	}
	vm_skip(cpu, 2);
}
