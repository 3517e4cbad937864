/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/idt.h - interrupts and exceptions of the hypervisor itself. */
#pragma once

#include <stdint.h>

/* What exceptions.S leaves on the stack. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Fills the one table of all CPUs, and masks the old interrupt controllers. */
void idt_start(void);
void idt_load(void);

/* How often an interrupt came on this vector, on any CPU, since boot. */
uint64_t idt_count(uint8_t vector);

void trap(struct trap_frame *frame);
