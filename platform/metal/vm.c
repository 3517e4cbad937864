/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm.c - a guest that brings its own kernel: what it is made of, and its CPU's loop.
 *
 *   run: svm_run -> exit --+- ports ------------> vm_port.c
 *                          +- MSR, CPUID -------> vm_msr.c, vm_cpuid.c
 *                          +- nested fault -----> vm_mmio.c: the APIC's page, MSI-X tables
 *                          '- what none may do -> the guest's own fault, or its end
 */
#include "platform/metal/vm.h"

#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/forgotten.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/print.h"
#include "platform/metal/smp.h"
#include "platform/metal/string.h"
#include "platform/metal/time.h"
#include "platform/metal/vm_cpuid.h"
#include "platform/metal/vm_mmio.h"
#include "platform/metal/vm_msr.h"
#include "platform/metal/vm_port.h"
#include "platform/metal/vmcb.h"
#include "platform/metal/x86.h"

#define TABLE_BUDGET	 256u
#define LARGE_FRAMES	 512u
#define DESTROY_WITHIN	 (10 * NS_PER_S)
#define LEAVE_WITHIN	 (2 * NS_PER_S)
#define IN_FLIGHT	 (50 * NS_PER_US)
#define REFUSALS_LOGGED	 20u

#define VECTOR_OPCODE	 6u
#define VECTOR_PROTECT	 13u
#define VECTOR_ALIGNMENT 17u
#define VECTOR_MACHINE	 18u

/* CPUID 8000_0001, EDX[26]: pages of 1 GiB. */
static uint8_t large_pages(void)
{
	return read_cpuid(0x80000001).edx & 1u << 26 ? 2 | 4 : 2;
}

static enum sp_status create_domain(struct vm *vm, enum sp_tables tables)
{
	const struct sp_domain_config config = {
		.number = vm->number,
		.cpu = SP_CPU_NPT,
		.tables = tables,
		.table_budget = TABLE_BUDGET,
		.cpu_large_pages = large_pages(),
		.asid = (uint16_t)vm->number,
	};

	return sp_domain_create(vm->host, &config, &vm->domain);
}

/* In the largest pages that fit: a call does one step, the rest goes on where it stopped. */
static enum sp_status map_memory(struct vm *vm)
{
	enum sp_status status = SP_OK;

	while (vm->frames_mapped < vm->frames && status == SP_OK) {
		const uint64_t at = vm->frames_mapped;
		struct sp_result result;

		status = sp_p2m_map(vm->domain, (sp_gfn_t){ at }, (sp_mfn_t){ vm->memory.mfn + at },
				    vm->frames - at, SP_RAM, &result);
		if (status == SP_BUSY)
			status = sp_wait(vm->host, result.ticket);
		else if (status == SP_OK)
			vm->frames_mapped += result.done;
	}
	return status;
}

enum sp_status vm_create(struct vm *vm, struct sp_host *host, const struct vm_config *config)
{
	enum sp_status status;

	*vm = (struct vm){ .number = config->number, .host = host, .cpu = config->cpu };
	print(vm->name, sizeof(vm->name), "%.*s", (int)config->name_length, config->name);
	vm->uart.name = vm->name;
	vm_apic_begin(vm, (uint8_t)cpus[vm->cpu].apic_id);
	vm->frames = config->bytes / SP_FRAME_BYTES;
	vm_pci_begin(vm);
	vm->memory = memory_take_for_guest(vm->frames, LARGE_FRAMES);
	if (vm->memory.mfn == 0 || !svm_permissions_take(&vm->may))
		return SP_NO_MEMORY;
	vm_msr_allow(vm);
	if (!svm_vcpu_create_direct(&vm->vcpu, 0, &vm->may))
		return SP_NO_MEMORY;
	status = create_domain(vm, config->tables);
	return status == SP_OK ? map_memory(vm) : status;
}

/*
 * Every frame that a map ever held must have come back, once, before its memory is anybody else's.
 */
bool vm_destroy(struct vm *vm)
{
	const uint64_t until = time_now() + DESTROY_WITHIN;
	enum sp_status status;

	do {
		status = sp_domain_destroy(vm->domain);
		(void)sp_progress(vm->host, SP_STEP_SLOTS);
	} while (status == SP_PENDING && time_now() < until);
	console_log("guest", "%s: %lu frames were mapped, %lu came back (%s)", vm->name,
		    vm->frames_mapped, forgotten_frames(vm->number), sp_status_text(status));
	if (status != SP_OK || forgotten_frames(vm->number) != vm->frames_mapped)
		return false;
	svm_vcpu_destroy(&vm->vcpu);
	svm_permissions_give(&vm->may);
	memory_give(vm->memory, vm->frames);
	return true;
}

/* The library's word, not arithmetic: pages may have been taken from the guest since. */
void *vm_pointer(struct vm *vm, uint64_t address, uint32_t bytes)
{
	const uint64_t offset = address % SP_FRAME_BYTES;
	struct sp_mapping mapping;

	if (offset + bytes > SP_FRAME_BYTES ||
	    sp_p2m_find(vm->domain, (sp_gfn_t){ address >> SP_FRAME_ORDER }, &mapping) != SP_OK ||
	    mapping.type != SP_RAM)
		return NULL;
	return (char *)memory_frame(mapping.frame) + offset;
}

/* QEMU 7.2 keeps the shadow of STI over an exit; an instruction that is done ends it. */
void vm_skip(struct vm *vm, uint32_t length)
{
	vm->vcpu.vmcb->rip += length;
	vm->vcpu.vmcb->interrupt_shadow = 0;
}

void vm_refuse_protection(struct vm *vm)
{
	vm->vcpu.vmcb->event_injection =
		VECTOR_PROTECT | EVENT_EXCEPTION | EVENT_HAS_ERROR | EVENT_VALID;
}

void vm_refuse_opcode(struct vm *vm)
{
	vm->vcpu.vmcb->event_injection = VECTOR_OPCODE | EVENT_EXCEPTION | EVENT_VALID;
}

void vm_end(struct vm *vm, const char *why)
{
	vm->why = why;
	atomic_store(&vm->state, VM_ENDED);
}

void vm_log_refusal(struct vm *vm, const char *format, ...)
{
	char text[CONSOLE_LINE / 2];
	va_list arguments;

	if (++vm->refused > REFUSALS_LOGGED)
		return;
	va_start(arguments, format);
	print_list(text, sizeof(text), format, arguments);
	va_end(arguments);
	console_log("refused", "%s: %s%s", vm->name, text,
		    vm->refused == REFUSALS_LOGGED ? "; more of it is only counted" : "");
}

/* Intercepted because it may recur while it is delivered (svm.c); the guest gets it all the same. */
static void pass_exception(struct vm *vm, uint32_t vector)
{
	const uint64_t error = vector == VECTOR_ALIGNMENT ? EVENT_HAS_ERROR : 0;

	if (vector == VECTOR_MACHINE)
		machine_panic("machine check on CPU %u, in guest %s", vm->cpu, vm->name);
	vm->vcpu.vmcb->event_injection = vector | EVENT_EXCEPTION | error | EVENT_VALID;
}

static void end_badly(struct vm *vm)
{
	console_log("guest", "%s: exit 0x%lx, info 0x%lx 0x%lx, rip 0x%lx", vm->name, vm->exit.code,
		    vm->exit.error, vm->exit.address, vm->exit.rip);
	vm_end(vm, svm_exit_text(vm->exit.kind));
}

/* What the guest was about to be told when it left is told again, if nothing else comes. */
static void repeat_event(struct vmcb *vmcb)
{
	const uint64_t event = vmcb->exit_interrupt;

	if (event & EVENT_VALID && (event & EVENT_TYPE) != EVENT_SOFTWARE)
		vmcb->event_injection = event;
}

static enum vm_exit handle_other(struct vm *vm)
{
	const uint64_t code = vm->exit.code;

	if (code >= VMEXIT_EXCEPTION && code < VMEXIT_EXCEPTION + 32)
		pass_exception(vm, (uint32_t)(code - VMEXIT_EXCEPTION));
	else if (vm->exit.kind == SVM_EXIT_SHUTDOWN || vm->exit.kind == SVM_EXIT_INVALID)
		end_badly(vm);
	else
		vm_refuse_opcode(vm);
	return VM_EXIT_OTHER;
}

static enum vm_exit handle_exit(struct vm *vm)
{
	repeat_event(vm->vcpu.vmcb);
	switch (vm->exit.kind) {
	case SVM_EXIT_KICK:
		return VM_EXIT_KICK;
	case SVM_EXIT_PORT:
		return vm_port_exit(vm);
	case SVM_EXIT_MSR:
		vm_msr_exit(vm);
		return VM_EXIT_MSR;
	case SVM_EXIT_CPUID:
		vm_cpuid_exit(vm);
		return VM_EXIT_CPUID;
	case SVM_EXIT_NESTED_FAULT:
		return vm_mmio_exit(vm);
	case SVM_EXIT_VMMCALL:
		vm_refuse_opcode(vm);
		return VM_EXIT_CALL;
	case SVM_EXIT_HLT:
	case SVM_EXIT_SHUTDOWN:
	case SVM_EXIT_INVALID:
	case SVM_EXIT_OTHER:
		break;
	}
	return handle_other(vm);
}

static void serve_request(struct vm *vm)
{
	vm_request *request = atomic_load(&vm->request);

	if (request == NULL)
		return;
	request(vm, vm->argument);
	atomic_store(&vm->request, NULL);
}

/*
 * A kick that comes between the CPU's look and its entry is taken by the hypervisor and forgotten:
 * so it is sent again.
 */
void vm_call(struct vm *vm, vm_request *request, void *argument)
{
	if (atomic_load(&vm->state) != VM_RUNNING) {
		(void)smp_wait(vm->cpu, LEAVE_WITHIN);
		request(vm, argument);
		return;
	}
	vm->argument = argument;
	atomic_store(&vm->request, request);
	while (atomic_load(&vm->request) != NULL) {
		smp_kick(vm->cpu);
		vm_apic_sleep(NS_PER_MS);
	}
}

/*
 * From here on kicks are NMIs; one that was sent before as an interrupt is taken here and not by the
 * guest. Then interrupts stay off: those that come are the guest's, and wait for it.
 */
static void run(void *argument)
{
	struct vm *vm = argument;
	bool were_on;

	smp_kick_by_nmi(vm->cpu, true);
	time_wait(IN_FLIGHT);
	were_on = interrupts_save();
	while (atomic_load(&vm->state) == VM_RUNNING) {
		svm_run(&vm->vcpu, vm->domain, &vm->exit);
		vm->vcpu.vmcb->event_injection = 0;
		vm->exits[handle_exit(vm)]++;
		serve_request(vm);
	}
	serve_request(vm);
	uart_flush(&vm->uart);
	vm_apic_stop();
	smp_kick_by_nmi(vm->cpu, false);
	interrupts_restore(were_on);
}

void vm_start(struct vm *vm)
{
	atomic_store(&vm->state, VM_RUNNING);
	smp_run(vm->cpu, run, vm);
}

void vm_log_exits(const struct vm *vm, uint64_t nanoseconds)
{
	const uint64_t *n = vm->exits;
	uint64_t all = 0;

	for (uint32_t i = 0; i < VM_EXIT_COUNT; i++)
		all += n[i];
	console_log("exits",
		    "%s: %lu, %lu a second: kicks %lu, ports %lu, PCI configuration %lu, MSRs %lu, "
		    "CPUID %lu, APIC %lu, device registers %lu, calls %lu, others %lu; refused %lu",
		    vm->name, all, all * (uint64_t)NS_PER_S / (nanoseconds | 1), n[VM_EXIT_KICK],
		    n[VM_EXIT_PORT], n[VM_EXIT_CONFIG], n[VM_EXIT_MSR], n[VM_EXIT_CPUID],
		    n[VM_EXIT_APIC], n[VM_EXIT_MMIO], n[VM_EXIT_CALL], n[VM_EXIT_OTHER],
		    vm->refused);
}
