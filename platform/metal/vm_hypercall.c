/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_hypercall.c - what a guest asks for by VMMCALL: hypercall.h has the ABI.
 *
 *   guest.conf says off      invalid opcode
 *   hypercall_check.h        an error, said once a kind
 *   else                     balloon.h, protect.h; vm_pci.h for faults
 */
#include "platform/metal/vm_hypercall.h"

#include "platform/metal/hypercall.h"
#include "platform/metal/hypercall_check.h"
#include "platform/metal/protect.h"
#include "platform/metal/vm.h"
#include "platform/metal/vmcb.h"

#define VMMCALL_BYTES 3u

/* What the guest is still asked for. */
static int64_t wanted(const struct vm *vm)
{
	const uint64_t all = atomic_load(&vm->balloon.wanted);
	const uint64_t left = atomic_load(&vm->balloon.left);

	return all > left ? (int64_t)(all - left) : 0;
}

static int64_t carry_out(struct vm *vm, const struct hypercall *call)
{
	switch (call->number) {
	case HYPERCALL_VERSION:
		return 1;
	case HYPERCALL_WANTED:
		return wanted(vm);
	case HYPERCALL_GIVE:
		return balloon_give(vm, call->first, call->count);
	case HYPERCALL_GET:
		return balloon_get(vm, call->first, call->count);
	case HYPERCALL_EXCHANGE:
		return balloon_exchange(vm, call->first, call->count);
	case HYPERCALL_PROTECT:
		return protect_set(vm, call->first, call->count, SP_RAM_READONLY);
	case HYPERCALL_UNPROTECT:
		return protect_set(vm, call->first, call->count, SP_RAM);
	case HYPERCALL_FAULTS:
		return vm_pci_faults(vm, call->first, call->count);
	case HYPERCALL_SERVE_MAP:
		return serve_map(vm, call->first, call->count);
	case HYPERCALL_SERVE_UNMAP:
		return serve_unmap(vm, call->first, call->count);
	}
	return HYPERCALL_UNKNOWN;
}

static int64_t answer(struct vm *vm, const struct hypercall *call)
{
	const struct hypercall_guest guest = { .balloon = vm->balloon.right,
					       .faults = vm->faults,
					       .frames = vm->frames,
					       .bus = &vm->pci.bus,
					       .mutant = vm->balloon.mutant,
					       .served = vm->serve.served != NULL
								 ? vm->serve.served->frames
								 : 0 };
	const int64_t error = hypercall_check(&guest, call);

	return error != 0 ? error : carry_out(vm, call);
}

/* A guest may repeat itself as it likes; the log hears of each kind once. */
static void log_error(struct vm *vm, const struct hypercall *call, int64_t error)
{
	static const char *const why[] = {
		[-HYPERCALL_UNKNOWN] = "there is none such",
		[-HYPERCALL_NOT_PERMITTED] = "not from this ring",
		[-HYPERCALL_RANGE] = "not within its memory, or no such question",
		[-HYPERCALL_NOT_THERE] = "no page of that kind is there",
		[-HYPERCALL_THERE] = "that page was not given",
		[-HYPERCALL_NO_MEMORY] = "no memory for it",
		[-HYPERCALL_NO_FUNCTION] = "it has no such function",
	};
	const uint32_t bit = 1u << -error;

	if (vm->balloon.refused & bit) {
		atomic_fetch_add(&vm->refused, 1);
		return;
	}
	vm->balloon.refused |= bit;
	vm_log_refusal(vm, "call 0x%lx of ring %u (0x%lx, 0x%lx): %s", call->number, call->ring,
		       call->first, call->count, why[-error]);
}

void vm_hypercall_exit(struct vm_cpu *cpu)
{
	const struct svm_registers *registers = &cpu->vcpu.registers;
	struct vmcb *vmcb = cpu->vcpu.vmcb;
	const struct hypercall call = { .number = vmcb->rax,
					.first = registers->rbx,
					.count = registers->rcx,
					.ring = vmcb->cpl };
	int64_t result;
	bool were_on;

	if (cpu->vm->balloon.right == CALL_BY_NOBODY && cpu->vm->faults == CALL_BY_NOBODY) {
		vm_refuse_opcode(cpu);
		return;
	}
	were_on = vm_lock(cpu->vm);
	result = answer(cpu->vm, &call);
	if (result < 0)
		log_error(cpu->vm, &call, result);
	vm_unlock(cpu->vm, were_on);
	vmcb->rax = (uint64_t)result;
	vm_skip(cpu, VMMCALL_BYTES);
}
