/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/guest/entry.S - the guest's first instructions: 32 bits, flat, no paging. */
	.section .entry, "ax"
	.code32
	.globl guest_entry
	.type guest_entry, @function
guest_entry:
	cld
	movl $0x40010000, %esp		/* GUEST_MAILBOX: the stack grows down from it */
	call guest_main
1:	hlt
	jmp 1b
	.size guest_entry, . - guest_entry

	.section .note.GNU-stack, "", @progbits
