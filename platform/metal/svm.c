/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/svm.c - guest mode on AMD CPUs (APM vol. 2, chapter 15).
 *
 *   svm_run: CLGI -> gate -> sp_cpu_enter -> VMCB <- root, ASID, TLB_CONTROL
 *                 -> svm_enter: STI VMRUN ... #VMEXIT CLI
 *                 -> sp_cpu_leave -> STGI, pending interrupts are taken -> struct svm_exit
 *
 * Nothing here needs NRIPS or DecodeAssists. Two kinds of guests differ in what exits: the built-in
 * one in everything, one with a CPU of its own (vm.h) in what it shares with others.
 */
#include "platform/metal/svm.h"

#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/string.h"
#include "platform/metal/vmcb.h"
#include "platform/metal/x86.h"

#define CPUID_EXTENDED		0x80000001u
#define CPUID_SVM_PRESENT	(1u << 2) /* ECX */
#define CPUID_SVM		0x8000000au
#define CPUID_SVM_NPT		(1u << 0) /* EDX */
#define CPUID_SVM_FLUSH_BY_ASID (1u << 6)

#define MSR_VM_CR		0xc0010114u
#define VM_CR_SVMDIS		(1ull << 4)
#define MSR_VM_HSAVE_PA		0xc0010117u

#define IOPM_FRAMES		3u /* 15.10.1 */
#define MSRPM_FRAMES		2u /* 15.11 */

#define CR0_ET			0x10u
#define CR0_ET_PE		0x11u
#define RFLAGS_RESERVED		0x2u
#define DR6_RESET		0xffff0ff0u
#define DR7_RESET		0x400u
#define PAT_RESET		0x0007040600070406ull

/*
 * What would reach beyond the guest, or stop the CPU. VMLOAD and VMSAVE take machine addresses.
 * Debug registers and #DB: not all CPUs put the host's DR7 back at exit. #AC and #DB may recur
 * for ever while they are delivered, and no interrupt gets through meanwhile.
 */
#define EXCEPTIONS		(1u << 1 | 1u << 17 | 1u << 18)
#define MISC1                                                                                  \
	(INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_SMI | INTERCEPT_INIT | INTERCEPT_CPUID |   \
	 INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA | INTERCEPT_IOIO | INTERCEPT_MSR | \
	 INTERCEPT_SHUTDOWN)
#define MISC2                                                                        \
	(INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD | INTERCEPT_VMSAVE | \
	 INTERCEPT_STGI | INTERCEPT_CLGI | INTERCEPT_SKINIT | INTERCEPT_WBINVD |     \
	 INTERCEPT_MONITOR | INTERCEPT_MWAIT | INTERCEPT_XSETBV)

/*
 * A guest that has its CPU to itself takes that CPU's interrupts and sleeps on it; the hypervisor
 * reaches it by NMI. Only what is shared with others is taken from it.
 */
#define DIRECT_MISC1                                                                         \
	(INTERCEPT_NMI | INTERCEPT_SMI | INTERCEPT_INIT | INTERCEPT_CPUID | INTERCEPT_INVD | \
	 INTERCEPT_INVLPGA | INTERCEPT_IOIO | INTERCEPT_MSR | INTERCEPT_SHUTDOWN)
#define DIRECT_MISC2 (MISC2 & ~INTERCEPT_WBINVD)

void svm_enter(uint64_t vmcb, struct svm_registers *guest, uint64_t host_state);

static struct svm_features features; /* these three: constant after svm_start */
static sp_mfn_t iopm, msrpm;	     /* all ones, for all guests */

static sp_mfn_t take_or_refuse(size_t frames)
{
	sp_mfn_t first = memory_take_zeroed(frames, 1);

	if (first.mfn == 0)
		machine_refuse("not enough RAM below 4 GiB; give the machine at least 128 MiB");
	return first;
}

/* In the order in which a user can do something about it. */
static void detect(void)
{
	struct cpuid svm;

	if (read_cpuid(0x80000000).eax < CPUID_SVM ||
	    !(read_cpuid(CPUID_EXTENDED).ecx & CPUID_SVM_PRESENT))
		machine_refuse("this CPU has no SVM; use an AMD CPU that has it (QEMU: -cpu EPYC)");
	if (read_msr(MSR_VM_CR) & VM_CR_SVMDIS)
		machine_refuse(
			"firmware has switched SVM off; switch it on in its setup (\"SVM mode\")");
	svm = read_cpuid(CPUID_SVM);
	if (!(svm.edx & CPUID_SVM_NPT))
		machine_refuse("this CPU's SVM has no nested paging; use one that has it "
			       "(QEMU: -cpu EPYC)");
	features.revision = svm.eax & 0xff;
	features.asids = svm.ebx;
	features.flush_by_asid = (svm.edx & CPUID_SVM_FLUSH_BY_ASID) != 0;
}

void svm_start(void)
{
	detect();
	iopm = take_or_refuse(IOPM_FRAMES);
	msrpm = take_or_refuse(MSRPM_FRAMES);
	memset(memory_frame(iopm), 0xff, IOPM_FRAMES * SP_FRAME_BYTES);
	memset(memory_frame(msrpm), 0xff, MSRPM_FRAMES * SP_FRAME_BYTES);
	console_log("svm", "revision %u, nested paging, %u ASIDs, flush by ASID: %s",
		    features.revision, features.asids, features.flush_by_asid ? "yes" : "no");
}

/* A page each for VMRUN's and for VMSAVE's half of the host's state. */
void svm_start_cpu(void *unused)
{
	struct cpu *cpu = cpu_self();

	(void)unused;
	cpu->svm_host_save = take_or_refuse(1);
	cpu->svm_host_state = take_or_refuse(1);
	write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SVME);
	write_msr(MSR_VM_HSAVE_PA, sp_maddr_from_mfn(cpu->svm_host_save).maddr);
}

struct svm_features svm_features(void)
{
	return features;
}

static void fill_control(struct vmcb *vmcb)
{
	vmcb->intercept_dr = INTERCEPT_DR_WRITES;
	vmcb->intercept_exceptions = EXCEPTIONS;
	vmcb->intercept_misc1 = MISC1;
	vmcb->intercept_misc2 = MISC2;
	vmcb->iopm_base = sp_maddr_from_mfn(iopm).maddr;
	vmcb->msrpm_base = sp_maddr_from_mfn(msrpm).maddr;
	vmcb->virtual_interrupt = V_INTR_MASKING;
	vmcb->nested_enable = NESTED_PAGING;
}

/* Each guest's own maps: what it may do without an exit is said there, bit by bit. */
static void fill_direct_control(struct vmcb *vmcb, const struct svm_permissions *may)
{
	vmcb->intercept_exceptions = EXCEPTIONS;
	vmcb->intercept_misc1 = DIRECT_MISC1;
	vmcb->intercept_misc2 = DIRECT_MISC2;
	vmcb->iopm_base = sp_maddr_from_mfn(may->ports).maddr;
	vmcb->msrpm_base = sp_maddr_from_mfn(may->registers).maddr;
	vmcb->nested_enable = NESTED_PAGING;
}

static void fill_state(struct vmcb *vmcb, uint32_t rip)
{
	const struct vmcb_segment code = { SELECTOR_GUEST_CODE, SEGMENT_CODE32, 0xffffffff, 0 };
	const struct vmcb_segment data = { SELECTOR_GUEST_DATA, SEGMENT_DATA32, 0xffffffff, 0 };

	vmcb->cs = code;
	vmcb->ds = vmcb->es = vmcb->ss = vmcb->fs = vmcb->gs = data;
	vmcb->ldtr = (struct vmcb_segment){ .attributes = SEGMENT_LDT };
	vmcb->tr = (struct vmcb_segment){ .attributes = SEGMENT_TSS32, .limit = 0x67 };
	vmcb->efer = EFER_SVME; /* VMRUN refuses a guest without it, 15.5.1 */
	vmcb->cr0 = CR0_ET_PE;
	vmcb->dr6 = DR6_RESET;
	vmcb->dr7 = DR7_RESET;
	vmcb->rflags = RFLAGS_RESERVED;
	vmcb->rip = rip;
	vmcb->guest_pat = PAT_RESET;
}

/* All but the entry (root, ASID, TLB_CONTROL) is set once, here. */
static bool create(struct svm_vcpu *vcpu, uint32_t rip)
{
	sp_mfn_t frame = memory_take_zeroed(1, 1);

	if (frame.mfn == 0)
		return false;
	*vcpu = (struct svm_vcpu){ .vmcb = memory_frame(frame) };
	fill_state(vcpu->vmcb, rip);
	return true;
}

bool svm_vcpu_create(struct svm_vcpu *vcpu, uint32_t rip)
{
	if (!create(vcpu, rip))
		return false;
	fill_control(vcpu->vmcb);
	return true;
}

bool svm_vcpu_create_direct(struct svm_vcpu *vcpu, uint32_t rip, const struct svm_permissions *may)
{
	if (!create(vcpu, rip))
		return false;
	fill_direct_control(vcpu->vmcb, may);
	return true;
}

/*
 * What INIT leaves: CR0 without caches off, which nobody misses; the control area stays. APM vol. 2,
 * table 14-1.
 */
void svm_vcpu_reset(struct svm_vcpu *vcpu)
{
	const struct vmcb_segment code = { 0, SEGMENT_CODE16, 0xffff, 0 };
	const struct vmcb_segment data = { 0, SEGMENT_DATA16, 0xffff, 0 };
	const struct vmcb_segment table = { .limit = 0xffff };
	struct vmcb *vmcb = vcpu->vmcb;

	vcpu->registers = (struct svm_registers){ .rdx = read_cpuid(1).eax };
	vmcb->cs = code;
	vmcb->ds = vmcb->es = vmcb->ss = vmcb->fs = vmcb->gs = data;
	vmcb->gdtr = vmcb->idtr = table;
	vmcb->ldtr = (struct vmcb_segment){ .attributes = SEGMENT_LDT, .limit = 0xffff };
	vmcb->tr = (struct vmcb_segment){ .attributes = SEGMENT_TSS32, .limit = 0xffff };
	vmcb->cpl = 0;
	vmcb->efer = EFER_SVME;
	vmcb->cr0 = CR0_ET;
	vmcb->cr2 = vmcb->cr3 = vmcb->cr4 = 0;
	vmcb->dr6 = DR6_RESET;
	vmcb->dr7 = DR7_RESET;
	vmcb->rflags = RFLAGS_RESERVED;
	vmcb->rax = vmcb->rsp = vmcb->rip = 0;
	vmcb->interrupt_shadow = 0;
	vmcb->event_injection = 0;
}

void svm_vcpu_start(struct svm_vcpu *vcpu, uint8_t page)
{
	struct vmcb *vmcb = vcpu->vmcb;

	vmcb->cs.selector = (uint16_t)(page << 8);
	vmcb->cs.base = (uint64_t)page << SP_FRAME_ORDER;
	vmcb->rip = 0;
}

bool svm_permissions_take(struct svm_permissions *may)
{
	may->ports = memory_take(IOPM_FRAMES, 1);
	may->registers = memory_take(MSRPM_FRAMES, 1);
	if (may->ports.mfn == 0 || may->registers.mfn == 0)
		return false;
	memset(memory_frame(may->ports), 0xff, IOPM_FRAMES * SP_FRAME_BYTES);
	memset(memory_frame(may->registers), 0xff, MSRPM_FRAMES * SP_FRAME_BYTES);
	return true;
}

void svm_permissions_give(struct svm_permissions *may)
{
	memory_give(may->ports, IOPM_FRAMES);
	memory_give(may->registers, MSRPM_FRAMES);
}

/*
 * 15.11: two bits a register, read and write, in three blocks of 2 KiB: from 0, from C000_0000 and
 * from C001_0000. What lies in none of them always exits.
 */
void svm_permissions_allow_register(const struct svm_permissions *may, uint32_t msr)
{
	static const uint32_t first[] = { 0, 0xc0000000, 0xc0010000 };
	uint8_t *map = memory_frame(may->registers);

	for (uint32_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		const uint32_t n = msr - first[i];

		if (n < 0x2000)
			map[i * 2048 + n / 4] &= (uint8_t) ~(3u << n % 4 * 2);
	}
}

void svm_vcpu_destroy(struct svm_vcpu *vcpu)
{
	memory_give(sp_mfn_from_maddr(memory_address(vcpu->vmcb)), 1);
	vcpu->vmcb = NULL;
}

static enum svm_exit_kind kind_of(uint64_t code)
{
	switch (code) {
	case VMEXIT_INTR:
	case VMEXIT_NMI:
		return SVM_EXIT_KICK;
	case VMEXIT_NPF:
		return SVM_EXIT_NESTED_FAULT;
	case VMEXIT_HLT:
		return SVM_EXIT_HLT;
	case VMEXIT_VMMCALL:
		return SVM_EXIT_VMMCALL;
	case VMEXIT_IOIO:
		return SVM_EXIT_PORT;
	case VMEXIT_MSR:
		return SVM_EXIT_MSR;
	case VMEXIT_CPUID:
		return SVM_EXIT_CPUID;
	case VMEXIT_SHUTDOWN:
		return SVM_EXIT_SHUTDOWN;
	case VMEXIT_INVALID:
		return SVM_EXIT_INVALID;
	}
	return SVM_EXIT_OTHER;
}

/* Every field at every entry: nothing is kept in clean bits. */
static void load_entry(struct vmcb *vmcb, const struct sp_entry *entry)
{
	vmcb->nested_cr3 = entry->root.maddr;
	vmcb->asid = entry->asid;
	vmcb->tlb_control = !entry->flush	     ? TLB_CONTROL_NOTHING
			    : features.flush_by_asid ? TLB_CONTROL_GUEST
						     : TLB_CONTROL_ALL;
}

static void decode(const struct vmcb *vmcb, struct svm_exit *exit)
{
	exit->kind = kind_of(vmcb->exit_code);
	exit->code = vmcb->exit_code;
	exit->address = vmcb->exit_info2;
	exit->error = vmcb->exit_info1;
	exit->rip = vmcb->rip;
}

/* Says "inside" first: who asks, then sees it not inside, knows that it will see what was asked. */
static bool pass(struct svm_gate *gate)
{
	if (gate == NULL)
		return true;
	atomic_store(&gate->inside, true);
	if (atomic_load(&gate->asked) == 0)
		return true;
	atomic_store(&gate->inside, false);
	return false;
}

/* False: the library's gate is closed, an emulator still has what the guest has no more. */
static bool run(struct svm_vcpu *vcpu, struct sp_domain *domain, struct svm_exit *exit)
{
	sp_maddr_t host_state = sp_maddr_from_mfn(cpu_self()->svm_host_state);
	struct sp_entry entry;

	if (sp_cpu_enter(domain, &entry) != SP_OK)
		return false;
	load_entry(vcpu->vmcb, &entry);
	svm_enter(memory_address(vcpu->vmcb).maddr, &vcpu->registers, host_state.maddr);
	write_dr7(DR7_RESET); /* a guest's breakpoints: not all CPUs put the host's DR7 back */
	decode(vcpu->vmcb, exit);
	/* A VMCB that VMRUN refuses flushes nothing: the flush stays owed. */
	sp_cpu_leave(domain, exit->kind != SVM_EXIT_INVALID);
	return true;
}

/*
 * CLGI first: a kick that comes after the gate was looked at or the library was asked, NMI or
 * interrupt, must wait for VMRUN and end guest mode at once, not be taken here and forgotten.
 */
bool svm_run(struct svm_vcpu *vcpu, struct sp_domain *domain, struct svm_gate *gate,
	     struct svm_exit *exit)
{
	bool were_on = interrupts_save();
	bool passed, ran;

	global_interrupts_off();
	passed = pass(gate);
	ran = passed && run(vcpu, domain, exit);
	if (passed && gate != NULL)
		atomic_store(&gate->inside, false);
	global_interrupts_on();
	interrupts_restore(were_on);
	return ran;
}

const char *svm_exit_text(enum svm_exit_kind kind)
{
	switch (kind) {
	case SVM_EXIT_KICK:
		return "it was kicked";
	case SVM_EXIT_NESTED_FAULT:
		return "nested page fault";
	case SVM_EXIT_HLT:
		return "it executed HLT";
	case SVM_EXIT_VMMCALL:
		return "it executed VMMCALL, and there are no calls";
	case SVM_EXIT_PORT:
		return "it used an I/O port";
	case SVM_EXIT_MSR:
		return "it used a model-specific register";
	case SVM_EXIT_CPUID:
		return "it executed CPUID";
	case SVM_EXIT_SHUTDOWN:
		return "triple fault";
	case SVM_EXIT_INVALID:
		return "VMRUN refused its state";
	case SVM_EXIT_OTHER:
		return "it did what no guest may do";
	}
	return "unknown exit";
}
