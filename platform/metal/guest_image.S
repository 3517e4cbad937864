/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/guest_image.S - the built-in guest, embedded as the build's out/guest.bin. */
	.section .rodata
	.balign 16
	.globl guest_image_start, guest_image_end
guest_image_start:
	.incbin "guest.bin"
guest_image_end:

	.section .note.GNU-stack, "", @progbits
