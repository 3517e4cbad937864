/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_cpu.c - one of a guest's CPUs: its loop, and what other CPUs ask of it.
 *
 *   svm_run -> exit --+- ports ------------> vm_port.c
 *                     +- MSR, CPUID -------> vm_msr.c, vm_cpuid.c
 *                     +- nested fault -----> vm_mmio.c: the APIC's page, MSI-X tables
 *                     +- VMMCALL ----------> vm_hypercall.c: memory comes and goes
 *                     '- what none may do -> the guest's own fault, or its end
 */
#include "platform/metal/vm_cpu.h"

#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/machine.h"
#include "platform/metal/smp.h"
#include "platform/metal/time.h"
#include "platform/metal/vm_cpuid.h"
#include "platform/metal/vm_hypercall.h"
#include "platform/metal/vm_mmio.h"
#include "platform/metal/vm_msr.h"
#include "platform/metal/vm_port.h"
#include "platform/metal/vmcb.h"
#include "platform/metal/x86.h"

#define IN_FLIGHT	 (50 * NS_PER_US)
#define GATE_LOOK	 (100 * NS_PER_US)
#define LEAVE_WITHIN	 (10 * NS_PER_S)

#define VECTOR_OPCODE	 6u
#define VECTOR_PROTECT	 13u
#define VECTOR_ALIGNMENT 17u
#define VECTOR_MACHINE	 18u

/* ---- for exits ---- */

/* QEMU 7.2 keeps the shadow of STI over an exit; an instruction that is done ends it. */
void vm_skip(struct vm_cpu *cpu, uint32_t length)
{
	cpu->vcpu.vmcb->rip += length;
	cpu->vcpu.vmcb->interrupt_shadow = 0;
}

void vm_refuse_protection(struct vm_cpu *cpu)
{
	cpu->vcpu.vmcb->event_injection =
		VECTOR_PROTECT | EVENT_EXCEPTION | EVENT_HAS_ERROR | EVENT_VALID;
}

void vm_refuse_opcode(struct vm_cpu *cpu)
{
	cpu->vcpu.vmcb->event_injection = VECTOR_OPCODE | EVENT_EXCEPTION | EVENT_VALID;
}

/* Intercepted because it may recur while it is delivered (svm.c); the guest gets it all the same. */
static void pass_exception(struct vm_cpu *cpu, uint32_t vector)
{
	const uint64_t error = vector == VECTOR_ALIGNMENT ? EVENT_HAS_ERROR : 0;

	if (vector == VECTOR_MACHINE)
		machine_panic("machine check on CPU %u, in guest %s", cpu->machine, cpu->vm->name);
	cpu->vcpu.vmcb->event_injection = vector | EVENT_EXCEPTION | error | EVENT_VALID;
}

static void end_badly(struct vm_cpu *cpu)
{
	console_log("guest", "%s: exit 0x%lx, info 0x%lx 0x%lx, rip 0x%lx, on CPU %u",
		    cpu->vm->name, cpu->exit.code, cpu->exit.error, cpu->exit.address,
		    cpu->exit.rip, cpu->machine);
	vm_end(cpu->vm, svm_exit_text(cpu->exit.kind));
}

/* What the guest was about to be told when it left is told again, if nothing else comes. */
static void repeat_event(struct vmcb *vmcb)
{
	const uint64_t event = vmcb->exit_interrupt;

	if (event & EVENT_VALID && (event & EVENT_TYPE) != EVENT_SOFTWARE)
		vmcb->event_injection = event;
}

static enum vm_exit handle_other(struct vm_cpu *cpu)
{
	const uint64_t code = cpu->exit.code;

	if (code >= VMEXIT_EXCEPTION && code < VMEXIT_EXCEPTION + 32) {
		pass_exception(cpu, (uint32_t)(code - VMEXIT_EXCEPTION));
	} else if (code == VMEXIT_IRET) {
		cpu->in_nmi = false;
		cpu->vcpu.vmcb->intercept_misc1 &= ~INTERCEPT_IRET;
	} else if (cpu->exit.kind == SVM_EXIT_SHUTDOWN || cpu->exit.kind == SVM_EXIT_INVALID) {
		end_badly(cpu);
	} else {
		vm_refuse_opcode(cpu);
	}
	return VM_EXIT_OTHER;
}

static enum vm_exit handle_exit(struct vm_cpu *cpu)
{
	repeat_event(cpu->vcpu.vmcb);
	switch (cpu->exit.kind) {
	case SVM_EXIT_KICK:
		return VM_EXIT_KICK;
	case SVM_EXIT_PORT:
		return vm_port_exit(cpu);
	case SVM_EXIT_MSR:
		vm_msr_exit(cpu);
		return VM_EXIT_MSR;
	case SVM_EXIT_CPUID:
		vm_cpuid_exit(cpu);
		return VM_EXIT_CPUID;
	case SVM_EXIT_NESTED_FAULT:
		return vm_mmio_exit(cpu);
	case SVM_EXIT_VMMCALL:
		vm_hypercall_exit(cpu);
		return VM_EXIT_CALL;
	case SVM_EXIT_HLT:
	case SVM_EXIT_SHUTDOWN:
	case SVM_EXIT_INVALID:
	case SVM_EXIT_OTHER:
		break;
	}
	return handle_other(cpu);
}

/* ---- what others ask ---- */

void vm_cpu_ask(struct vm_cpu *cpu, uint32_t what)
{
	uint32_t asked = atomic_load(&cpu->gate.asked);

	while (!atomic_compare_exchange_weak(&cpu->gate.asked, &asked, vm_ask_add(asked, what)))
		;
	if (cpu->machine != cpu_self()->index)
		smp_kick(cpu->machine);
}

static void reset(struct vm_cpu *cpu)
{
	svm_vcpu_reset(&cpu->vcpu);
	vm_apic_reset(cpu);
	cpu->vcpu.vmcb->intercept_misc1 &= ~INTERCEPT_IRET;
	cpu->nmi_due = false;
	cpu->in_nmi = false;
	atomic_store(&cpu->waits, true);
}

/* Takes it off the word only if nothing was added meanwhile: that might undo it. */
static struct vm_next take_next(struct vm_cpu *cpu)
{
	uint32_t asked = atomic_load(&cpu->gate.asked);
	struct vm_next next;

	do {
		next = vm_ask_next(asked, atomic_load(&cpu->waits));
	} while (!atomic_compare_exchange_weak(&cpu->gate.asked, &asked, asked & ~next.taken));
	return next;
}

/* Out of guest mode. A pause is short: somebody changes what no CPU may see half done. */
static void answer(struct vm_cpu *cpu)
{
	const struct vm_next next = take_next(cpu);

	switch (next.step) {
	case VM_STEP_NOTHING:
		return;
	case VM_STEP_PAUSE:
		pause();
		return;
	case VM_STEP_RESET:
		reset(cpu);
		return;
	case VM_STEP_START:
		svm_vcpu_start(&cpu->vcpu, next.page);
		atomic_store(&cpu->waits, false);
		return;
	case VM_STEP_NMI:
		cpu->nmi_due = true;
		return;
	}
}

/*
 * One at a time, and none before the IRET that ends the last: which is still to be executed when it
 * exits. Whatever else is to be told goes first.
 */
static void inject_nmi(struct vm_cpu *cpu)
{
	struct vmcb *vmcb = cpu->vcpu.vmcb;

	if (!cpu->nmi_due || cpu->in_nmi || vmcb->event_injection & EVENT_VALID ||
	    cpu->exit.code == VMEXIT_IRET)
		return;
	vmcb->event_injection = VECTOR_NMI | EVENT_NMI | EVENT_VALID;
	vmcb->intercept_misc1 |= INTERCEPT_IRET;
	cpu->nmi_due = false;
	cpu->in_nmi = true;
}

/* ---- all of them ---- */

/* It was kicked: a CPU that does not leave guest mode now could not be told of anything. */
static void wait_until_out(const struct vm_cpu *cpu)
{
	const uint64_t until = time_now() + LEAVE_WITHIN;

	while (atomic_load(&cpu->gate.inside)) {
		if (time_now() > until)
			machine_panic("CPU %u does not leave guest %s", cpu->machine,
				      cpu->vm->name);
		pause();
	}
}

void vm_pause(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->cpu_count; i++) {
		if (vm->cpu[i].machine != cpu_self()->index)
			vm_cpu_ask(&vm->cpu[i], VM_ASK_PAUSE);
	}
	for (uint32_t i = 0; i < vm->cpu_count; i++)
		wait_until_out(&vm->cpu[i]);
}

void vm_resume(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->cpu_count; i++)
		atomic_fetch_and(&vm->cpu[i].gate.asked, ~VM_ASK_PAUSE);
}

/* ---- the loop ---- */

static bool goes_on(const struct vm_cpu *cpu)
{
	return atomic_load(&cpu->vm->state) == VM_RUNNING;
}

/*
 * Parked: an emulator of the guest has not let go of what went. This CPU has nothing else to run; CPU 0
 * moves the library forward, and the loop asks again.
 */
static void wait_at_gate(struct vm_cpu *cpu)
{
	const uint64_t until = time_now() + GATE_LOOK;

	cpu->counts.gated++;
	while (time_now() < until && atomic_load(&cpu->gate.asked) == 0)
		pause();
}

/*
 * From here on kicks are NMIs; one that was sent before as an interrupt is taken here and not by the
 * guest. Then interrupts stay off: those that come are the guest's, and wait for it.
 */
static void run_guest(struct vm_cpu *cpu)
{
	bool were_on;

	smp_kick_by_nmi(cpu->machine, true);
	time_wait(IN_FLIGHT);
	were_on = interrupts_save();
	while (goes_on(cpu) && !atomic_load(&cpu->waits)) {
		inject_nmi(cpu);
		if (svm_run(&cpu->vcpu, cpu->vm->domain, &cpu->gate, &cpu->exit)) {
			cpu->vcpu.vmcb->event_injection = 0;
			cpu->counts.exits[handle_exit(cpu)]++;
		} else if (atomic_load(&cpu->gate.asked) == 0) {
			wait_at_gate(cpu);
		}
		answer(cpu);
	}
	vm_apic_stop();
	smp_kick_by_nmi(cpu->machine, false);
	interrupts_restore(were_on);
}

/*
 * A kick is an interrupt here. Interrupts are off between the look and HLT: one that comes in between
 * wakes the CPU at once.
 */
static void wait_for_start(struct vm_cpu *cpu)
{
	interrupts_off();
	if (atomic_load(&cpu->gate.asked) == 0)
		interrupts_on_and_halt();
	interrupts_on();
	answer(cpu);
}

void vm_cpu_run(void *argument)
{
	struct vm_cpu *cpu = argument;

	while (goes_on(cpu)) {
		if (atomic_load(&cpu->waits))
			wait_for_start(cpu);
		else
			run_guest(cpu);
	}
}
