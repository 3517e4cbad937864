/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/idt.c - interrupts and exceptions of the hypervisor itself.
 *
 *   0-31    exceptions: a panic line, but for the NMI, which is only noted
 *   32-255  counted: VECTOR_KICK, VECTOR_COUNTING (forged messages), and whatever else comes
 */
#include "platform/metal/idt.h"

#include <stdatomic.h>
#include <stddef.h>

#include "platform/metal/apic.h"
#include "platform/metal/cpu.h"
#include "platform/metal/machine.h"
#include "platform/metal/string.h"
#include "platform/metal/x86.h"

#define VECTORS		 256
#define TRAP_ENTRY_SIZE	 16
#define GATE_INTERRUPT	 0x8e00u /* present, interrupt gate, ring 0 */
#define IST_NMI		 1u
#define IST_DOUBLE_FAULT 2u

#define PIC1_COMMAND	 0x20
#define PIC1_DATA	 0x21
#define PIC2_COMMAND	 0xa0
#define PIC2_DATA	 0xa1

struct gate {
	uint64_t low, high;
};

extern char trap_entries[];

static struct gate idt[VECTORS] __attribute__((aligned(16)));
static atomic_ulong counts[VECTORS];

_Static_assert(sizeof(struct gate) == 16, "APM vol. 2, 4.8.4 Gate Descriptors in Long Mode");

/* clang-format off */
static const char *const exception_names[] = {
	"divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode",
	"device not available", "double fault", "coprocessor segment", "invalid TSS",
	"segment not present", "stack fault", "general protection", "page fault", "reserved",
	"x87 error", "alignment check", "machine check", "SIMD error", "reserved", "control protection",
};
/* clang-format on */

/* APM vol. 2, 4.8.4: the offset is scattered over three fields. */
static struct gate gate_for(unsigned int vector)
{
	uint64_t entry = (uintptr_t)trap_entries + vector * TRAP_ENTRY_SIZE;
	uint64_t stack = vector == VECTOR_NMI		 ? IST_NMI
			 : vector == VECTOR_DOUBLE_FAULT ? IST_DOUBLE_FAULT
							 : 0;

	return (struct gate){
		.low = (entry & 0xffff) | SELECTOR_CODE << 16 | (stack | GATE_INTERRUPT) << 32 |
		       (entry & 0xffff0000) << 32,
		.high = entry >> 32,
	};
}

/*
 * Both are moved away from the exceptions first: even a masked PIC may raise its spurious vector.
 */
static void mask_pics(void)
{
	out8(PIC1_COMMAND, 0x11);
	out8(PIC2_COMMAND, 0x11);
	out8(PIC1_DATA, VECTOR_FIRST_IRQ);
	out8(PIC2_DATA, VECTOR_FIRST_IRQ + 8);
	out8(PIC1_DATA, 4);
	out8(PIC2_DATA, 2);
	out8(PIC1_DATA, 1);
	out8(PIC2_DATA, 1);
	out8(PIC1_DATA, 0xff);
	out8(PIC2_DATA, 0xff);
}

void idt_start(void)
{
	mask_pics();
	for (unsigned int i = 0; i < VECTORS; i++)
		idt[i] = gate_for(i);
}

/* On each CPU. The table is filled before the first one loads it. */
void idt_load(void)
{
	struct {
		uint16_t limit;
		uint16_t base[4];
	} pointer = { .limit = sizeof(idt) - 1 };
	uint64_t base = (uintptr_t)idt;

	memcpy(pointer.base, &base, sizeof(base));
	__asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
}

uint64_t idt_count(uint8_t vector)
{
	return atomic_load(&counts[vector]);
}

/* Vectors 22 to 31 have no name here. */
static const char *exception_name(uint64_t vector)
{
	if (vector >= sizeof(exception_names) / sizeof(exception_names[0]))
		return "reserved";
	return exception_names[vector];
}

/* One line, so that it survives being cut out of a log. */
static _Noreturn void panic_for(const struct trap_frame *f)
{
	machine_panic(
		"cpu %u: %s (vector %lu, error 0x%lx, cr2 0x%lx) at rip 0x%lx; rax %lx rbx %lx "
		"rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx rsp %lx r8 %lx r9 %lx r10 %lx r11 %lx "
		"r12 %lx r13 %lx r14 %lx r15 %lx rflags %lx cr3 %lx",
		cpu_self()->index, exception_name(f->vector), f->vector, f->error, read_cr2(),
		f->rip, f->rax, f->rbx, f->rcx, f->rdx, f->rsi, f->rdi, f->rbp, f->rsp, f->r8,
		f->r9, f->r10, f->r11, f->r12, f->r13, f->r14, f->r15, f->rflags, read_cr3());
}

/* Called from exceptions.S. An NMI may come anywhere: nothing but its own counter is touched. */
void trap(struct trap_frame *frame)
{
	if (frame->vector == VECTOR_NMI) {
		atomic_fetch_add(&cpu_self()->nmis, 1);
		return;
	}
	/* A breakpoint that a guest left, hit between its exit and svm_run()'s write to DR7. */
	if (frame->vector == VECTOR_DEBUG) {
		write_dr7(0x400);
		return;
	}
	if (frame->vector < VECTOR_FIRST_IRQ)
		panic_for(frame);

	atomic_fetch_add(&counts[frame->vector], 1);
	if (frame->vector == VECTOR_KICK)
		atomic_fetch_add(&cpu_self()->kicks, 1);
	/* The spurious one is not in service, unless a guest left one of that number behind. */
	if (frame->vector != VECTOR_SPURIOUS || apic_is_in_service(VECTOR_SPURIOUS))
		apic_end_interrupt();
}
