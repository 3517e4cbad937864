/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/exceptions.S - 256 entry points that all lead to trap(), in idt.c.
 *
 *   stack in trap():  r15 .. rax | vector | error code | rip cs rflags rsp ss  (struct trap_frame)
 *
 * Vector n enters at trap_entries + n * TRAP_ENTRY_SIZE.
 */
	.text
	.balign 16
	.globl trap_entries
	.type trap_entries, @function
trap_entries:
	.set vector, 0
	.rept 256
	.balign 16
	/* APM vol. 2, 8.2: the CPU itself pushes an error code for 8, 10-14, 17, 21, 29 and 30. */
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || \
	    (vector == 29) || (vector == 30)
	.else
	pushq $0
	.endif
	pushq $vector
	jmp trap_common
	.set vector, vector + 1
	.endr
	.balign 16
	.size trap_entries, . - trap_entries

trap_common:
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	call trap
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
