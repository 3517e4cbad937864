/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/trampoline.S - the first instructions of every CPU but the first.
 *
 * smp.c copies trampoline_start..trampoline_end to a page below 1 MiB; a start-up IPI begins
 * it in real mode with CS = page. Everything it needs has a fixed address in the image, so
 * nothing in the copy is patched. APM vol. 2, 14.8: long mode straight from real mode.
 */
#include "platform/metal/layout.h"

	.section .rodata
	.code16
	.globl trampoline_start, trampoline_end
trampoline_start:
	cli
	movw %cs, %ax
	movw %ax, %ds
	movl $BOOT_CR4, %eax
	movl %eax, %cr4
	movl $boot_pml4, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	lgdtl gdt_pointer - trampoline_start
	movl $BOOT_CR0, %eax
	movl %eax, %cr0
	ljmpl $SELECTOR_CODE, $ap_entry

	.balign 4
gdt_pointer:
	.word 3 * 8 - 1
	.long boot_gdt
trampoline_end:

	.section .note.GNU-stack, "", @progbits
