/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/guest/entry.S - the guest's first instructions: 32 bits, flat, no paging. */
	.section .entry, "ax"
	.code32
	.globl guest_entry
	.type guest_entry, @function
guest_entry:
	cld
	movl %ebx, %eax			/* which of the guest's CPUs it is: 8 KiB of stack for each */
	shll $13, %eax
	movl $0x40010000, %esp		/* GUEST_MAILBOX: the stacks grow down from it */
	subl %eax, %esp
	pushl %ebx
	call guest_main
1:	hlt
	jmp 1b
	.size guest_entry, . - guest_entry

	.section .note.GNU-stack, "", @progbits
