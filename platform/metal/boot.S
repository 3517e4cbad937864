/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/boot.S - from a multiboot loader to C in long mode.
 *
 *   loader, 32 bit --> boot_entry --> identity map of 4 GiB --> long mode --> boot_main
 *   trampoline.S, 64 bit ----------------------------------> ap_entry --> smp_ap_main(cpu)
 *
 *   boot_pml4[0] --> boot_pdpt[0..3] --> boot_pd[0..2047], 2 MiB each
 *
 * The map starts out write-back everywhere; paging.c makes what is not RAM uncached as soon
 * as the memory map has been read. Before that nothing but I/O ports is touched.
 */
#include "platform/metal/layout.h"

#define MULTIBOOT_MAGIC	0x1badb002
#define MULTIBOOT_FLAGS	0x00000003	/* page-aligned modules; memory map wanted */

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_MAGIC
	.long MULTIBOOT_FLAGS
	.long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.text
	.code32
	.globl boot_entry
	.type boot_entry, @function
boot_entry:
	cli
	cld
	movl %eax, %ebp			/* the loader's magic */
	movl %ebx, %esi			/* its information block */

	movl $bss_start, %edi
	movl $bss_end, %ecx
	subl %edi, %ecx
	shrl $2, %ecx
	xorl %eax, %eax
	rep stosl

	/* APM vol. 3, CPUID 8000_0001 EDX[29]: long mode. */
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	cpuid
	testl $(1 << 29), %edx
	jz no_long_mode

	movl $boot_pdpt + BOOT_LINK, boot_pml4
	movl $boot_pdpt, %edi
	movl $boot_pd + BOOT_LINK, %eax
	movl $4, %ecx
1:	movl %eax, (%edi)
	addl $8, %edi
	addl $4096, %eax
	loop 1b

	movl $boot_pd, %edi
	movl $BOOT_LEAF, %eax
	movl $2048, %ecx
2:	movl %eax, (%edi)
	addl $8, %edi
	addl $0x200000, %eax
	loop 2b

	/* APM vol. 2, 14.6.1: PAE, the table's root, LME, then paging. */
	movl $BOOT_CR4, %eax
	movl %eax, %cr4
	movl $boot_pml4, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl $BOOT_CR0, %eax
	movl %eax, %cr0
	lgdt boot_gdt_pointer
	ljmpl $SELECTOR_CODE, $boot_entry64

/* There is no C yet and no console: the message goes to COM1 from here. */
no_long_mode:
	movl $no_long_mode_text, %esi
3:	movw $(COM1_PORT + 5), %dx
4:	inb %dx, %al
	testb $0x20, %al
	jz 4b
	movw $COM1_PORT, %dx
	lodsb
	testb %al, %al
	jz 5f
	outb %al, %dx
	jmp 3b
5:	movw $EXIT_PORT, %dx
	movl $EXIT_FAILURE_CODE, %eax
	outl %eax, %dx
6:	hlt
	jmp 6b
	.size boot_entry, . - boot_entry

	.code64
boot_entry64:
	movw $SELECTOR_DATA, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	xorl %eax, %eax
	movw %ax, %fs
	movw %ax, %gs
	movl $boot_stacks + CPU_STACK_SIZE, %esp
	movl %ebp, %edi
	movl %esi, %esi
	xorl %ebp, %ebp
	call boot_main
7:	cli
	hlt
	jmp 7b

/* A CPU that trampoline.S brought to long mode; smp.c starts one at a time. */
	.globl ap_entry
	.type ap_entry, @function
ap_entry:
	movw $SELECTOR_DATA, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	xorl %eax, %eax
	movw %ax, %fs
	movw %ax, %gs
	movq smp_starting_stack, %rsp
	movq smp_starting_cpu, %rdi
	xorl %ebp, %ebp
	call smp_ap_main
8:	cli
	hlt
	jmp 8b
	.size ap_entry, . - ap_entry

	.section .rodata
no_long_mode_text:
	.asciz "refused: this CPU has no 64-bit mode; use a 64-bit AMD CPU with SVM (QEMU: -cpu EPYC)\n"

	.balign 8
	.globl boot_gdt_pointer
boot_gdt_pointer:
	.word boot_gdt_end - boot_gdt - 1
	.long boot_gdt
	.long 0
	.balign 8
	.globl boot_gdt
boot_gdt:
	.quad 0
	.quad GDT_CODE64
	.quad GDT_DATA
boot_gdt_end:

	.bss
	.balign 4096
	.globl boot_pml4
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
	.globl boot_pd
boot_pd:
	.skip 4 * 4096
	.globl boot_stacks
boot_stacks:
	.skip MAX_CPUS * CPU_STACK_SIZE

	.section .note.GNU-stack, "", @progbits
