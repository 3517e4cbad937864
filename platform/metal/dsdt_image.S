/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/dsdt_image.S - dsdt.asl, compiled: the build's out/dsdt.aml. */
	.section .rodata
	.balign 16
	.globl dsdt_image_start, dsdt_image_end
dsdt_image_start:
	.incbin "dsdt.aml"
dsdt_image_end:

	.section .note.GNU-stack, "", @progbits
