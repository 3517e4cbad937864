/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_mmio.c - accesses to pages of a guest where nothing is mapped, and stores to pages that
 * it has protected.
 *
 *   nested fault at gpa --> CS:RIP through the guest's own tables --> bytes --> decode.h
 *     --> the page's reader or writer --> perform.h: registers, flags, RIP
 *
 * The CPU tells where, but not what (no DecodeAssists), so the instruction is fetched again. It may
 * have been changed since: then another one is carried out, on the same page and with the same
 * checks, or the offsets differ and nothing is.
 */
#include "platform/metal/vm_mmio.h"

#include "platform/metal/decode.h"
#include "platform/metal/mptable.h"
#include "platform/metal/perform.h"
#include "platform/metal/string.h"
#include "platform/metal/vmcb.h"

#define CR0_PG	      0x80000000u
#define EFER_LMA      0x400u
#define RFLAGS_TF     0x100u
#define CS_LONG	      0x200u /* L in the 12 bits of attributes */
#define CS_DEFAULT    0x400u /* D */
#define FAULT_PRESENT 0x1u   /* APM vol. 2, 15.25.6 */
#define PTE_PRESENT   0x001ull
#define PTE_LARGE     0x080ull
#define PTE_FRAME     0x000ffffffffff000ull

struct fetched {
	uint8_t bytes[DECODE_BYTES_MAX];
	uint32_t count;
};

/*
 * The four levels of long mode; kernels touch the pages that are trapped from nowhere else. Rights
 * are not looked at: the CPU just executed there.
 */
static bool translate(struct vm_cpu *cpu, uint64_t linear, uint64_t *address)
{
	const struct vmcb *vmcb = cpu->vcpu.vmcb;
	uint64_t table = vmcb->cr3 & PTE_FRAME;

	*address = linear;
	if (!(vmcb->cr0 & CR0_PG))
		return true;
	if (!(vmcb->efer & EFER_LMA))
		return false;
	for (uint32_t shift = 39; shift >= 12; shift -= 9) {
		const uint64_t *slot = vm_pointer(cpu->vm, table + (linear >> shift & 511) * 8, 8);
		const uint64_t span = (1ull << shift) - 1;
		const uint64_t entry = slot != NULL ? *(const volatile uint64_t *)slot : 0;

		if (!(entry & PTE_PRESENT))
			return false;
		table = entry & PTE_FRAME;
		*address = (table & ~span) | (linear & span);
		if (shift == 12 || (shift <= 30 && entry & PTE_LARGE))
			return true;
	}
	return false;
}

/* Byte by byte: the second half of an instruction may be on another page, or on none. */
static struct fetched fetch(struct vm_cpu *cpu)
{
	const struct vmcb *vmcb = cpu->vcpu.vmcb;
	const uint64_t base = vmcb->cs.attributes & CS_LONG ? 0 : vmcb->cs.base;
	struct fetched fetched = { .count = 0 };
	uint64_t address;

	while (fetched.count < DECODE_BYTES_MAX &&
	       translate(cpu, base + vmcb->rip + fetched.count, &address)) {
		const uint8_t *byte = vm_pointer(cpu->vm, address, 1);

		if (byte == NULL)
			break;
		fetched.bytes[fetched.count++] = *byte;
	}
	return fetched;
}

static enum decode_mode mode_of(const struct vmcb *vmcb)
{
	if (vmcb->cs.attributes & CS_LONG)
		return DECODE_64;
	return vmcb->cs.attributes & CS_DEFAULT ? DECODE_32 : DECODE_16;
}

static struct perform_registers gather(const struct vm_cpu *cpu)
{
	const struct svm_registers *r = &cpu->vcpu.registers;
	const struct vmcb *vmcb = cpu->vcpu.vmcb;

	return (struct perform_registers){
		.general = { vmcb->rax, r->rcx, r->rdx, r->rbx, vmcb->rsp, r->rbp, r->rsi, r->rdi,
			     r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15 },
		.rflags = vmcb->rflags,
	};
}

static void scatter(struct vm_cpu *cpu, const struct perform_registers *from)
{
	const uint64_t *g = from->general;
	struct vmcb *vmcb = cpu->vcpu.vmcb;

	vmcb->rax = g[0];
	vmcb->rsp = g[4];
	vmcb->rflags = from->rflags;
	cpu->vcpu.registers = (struct svm_registers){
		.rbx = g[3],
		.rcx = g[1],
		.rdx = g[2],
		.rsi = g[6],
		.rdi = g[7],
		.rbp = g[5],
		.r8 = g[8],
		.r9 = g[9],
		.r10 = g[10],
		.r11 = g[11],
		.r12 = g[12],
		.r13 = g[13],
		.r14 = g[14],
		.r15 = g[15],
	};
}

/* Pages of a function's registers in which its MSI-X table is. */
static uint64_t access_function(struct vm_cpu *cpu, const struct instruction *instruction,
				struct perform_registers *registers)
{
	uint64_t read = 0;

	if (decode_reads(instruction))
		read = vm_pci_read(cpu->vm, cpu->exit.address, instruction->bytes);
	if (decode_writes(instruction))
		vm_pci_write(cpu->vm, cpu->exit.address, instruction->bytes,
			     perform_stored(instruction, registers, read));
	return read;
}

static uint64_t access_ecam(struct vm_cpu *cpu, const struct instruction *instruction,
			    struct perform_registers *registers)
{
	uint64_t read = 0;

	if (decode_reads(instruction))
		read = vm_pci_ecam_read(cpu->vm, cpu->exit.address, instruction->bytes);
	if (decode_writes(instruction))
		vm_pci_ecam_write(cpu->vm, cpu->exit.address, instruction->bytes,
				  perform_stored(instruction, registers, read));
	return read;
}

/* Registers of the APIC are 32 bits wide, one in 16 bytes; other accesses read as 0. */
static uint64_t access_apic(struct vm_cpu *cpu, const struct instruction *instruction,
			    struct perform_registers *registers)
{
	const uint32_t offset = (uint32_t)cpu->exit.address % SP_FRAME_BYTES;
	uint64_t read = 0;

	if (!vapic_check_width(&cpu->vm->apic.cpu[cpu->index], offset, instruction->bytes)) {
		vm_log_refusal(cpu->vm, "access of %u bytes at 0x%x of the APIC",
			       instruction->bytes, offset);
		return 0;
	}
	if (decode_reads(instruction))
		read = vm_apic_read(cpu, offset);
	if (decode_writes(instruction))
		vm_apic_write(cpu, offset, (uint32_t)perform_stored(instruction, registers, read));
	return read;
}

static void end_undecoded(struct vm_cpu *cpu, enum decode_result result,
			  const struct fetched *fetched, const struct instruction *instruction)
{
	struct decode_text text =
		decode_explain(result, fetched->bytes, instruction->length, cpu->exit.rip);

	vm_log_refusal(cpu->vm, "access to 0x%lx: %s", cpu->exit.address, text.chars);
	vm_end(cpu->vm,
	       "it touched what is not plain memory by an instruction that is not understood");
}

/* What is there can be read, and no store changes it: its owner wanted that. */
static uint64_t access_protected(struct vm_cpu *cpu, const struct instruction *instruction)
{
	const void *there = vm_pointer(cpu->vm, cpu->exit.address, instruction->bytes);
	uint64_t read = 0;

	vm_log_refusal(cpu->vm, "write of %u bytes at 0x%lx, which is protected",
		       instruction->bytes, cpu->exit.address);
	if (there != NULL)
		memcpy(&read, there, instruction->bytes);
	return read;
}

/* As on any PC: ones are read, and what is written is lost. */
static uint64_t access_nothing(struct vm_cpu *cpu, const struct instruction *instruction)
{
	vm_log_refusal(cpu->vm, "%s of %u bytes at 0x%lx, where nothing is",
		       decode_writes(instruction) ? "write" : "read", instruction->bytes,
		       cpu->exit.address);
	return ~0ull >> (64 - 8 * instruction->bytes);
}

/* One access after the other: functions are all CPUs'. */
static uint64_t access_shared(struct vm_cpu *cpu, const struct instruction *instruction,
			      struct perform_registers *registers)
{
	const bool were_on = vm_lock(cpu->vm);
	uint64_t read;

	if (vm_pci_has_ecam(cpu->vm, cpu->exit.address))
		read = access_ecam(cpu, instruction, registers);
	else if (vm_pci_has(cpu->vm, cpu->exit.address))
		read = access_function(cpu, instruction, registers);
	else if (cpu->exit.error & FAULT_PRESENT)
		read = access_protected(cpu, instruction);
	else
		read = access_nothing(cpu, instruction);
	vm_unlock(cpu->vm, were_on);
	return read;
}

static bool is_apic(const struct vm_cpu *cpu)
{
	return cpu->exit.address >> SP_FRAME_ORDER == LOCAL_APIC_ADDRESS >> SP_FRAME_ORDER;
}

static void perform(struct vm_cpu *cpu, const struct instruction *instruction)
{
	struct perform_registers registers = gather(cpu);
	const uint64_t address = perform_address(instruction, &registers, cpu->exit.rip);
	uint64_t read;

	/* Another CPU of the guest exchanged the instruction: it runs again, as it is now. */
	if ((address ^ cpu->exit.address) % SP_FRAME_BYTES != 0)
		return;
	if (is_apic(cpu))
		read = access_apic(cpu, instruction, &registers);
	else
		read = access_shared(cpu, instruction, &registers);
	perform_finish(instruction, &registers, read);
	scatter(cpu, &registers);
	vm_skip(cpu, instruction->length);
}

/* Another CPU may have had the page mapped, or unprotected, since: then the instruction just runs again. */
static bool is_mapped_by_now(struct vm_cpu *cpu)
{
	const sp_gfn_t gfn = { cpu->exit.address >> SP_FRAME_ORDER };
	struct sp_mapping mapping;

	if (sp_p2m_find(cpu->vm->domain, gfn, &mapping) != SP_OK)
		return false;
	return !(cpu->exit.error & FAULT_PRESENT) || mapping.type == SP_RAM;
}

enum vm_exit vm_mmio_exit(struct vm_cpu *cpu)
{
	struct instruction instruction;
	struct fetched fetched;
	enum decode_result result;

	if (is_mapped_by_now(cpu))
		return VM_EXIT_MMIO;
	fetched = fetch(cpu);
	result = decode(fetched.bytes, fetched.count, mode_of(cpu->vcpu.vmcb), &instruction);
	if (result == DECODE_OK)
		perform(cpu, &instruction);
	else
		end_undecoded(cpu, result, &fetched, &instruction);
	if (vm_pci_has_ecam(cpu->vm, cpu->exit.address))
		return VM_EXIT_CONFIG;
	return is_apic(cpu) ? VM_EXIT_APIC : VM_EXIT_MMIO;
}
