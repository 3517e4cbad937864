/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/start.S - the smallest kernel: as a bzImage (Linux's Documentation/arch/x86/boot.rst), it ends
 * its machine by the keyboard controller at once; with -DSTAY it sleeps for ever. For counting what the
 * start and the end of a guest cost, without what a kernel does in between.
 */
	.code32
	.text
	.org	0x1f1
	.byte	1			/* one sector of set-up behind the first */
	.org	0x1fe
	.word	0xaa55
	.byte	0xeb, 0x66		/* the header's end, from 0x202 on */
	.ascii	"HdrS"
	.word	0x020f			/* the protocol's version */
	.org	0x211
	.byte	1			/* loaded high */
	.org	0x214
	.long	0x100000
	.org	0x22c
	.long	0x7fffffff		/* initial RAM disks up to here */
	.org	0x238
	.long	2047			/* of the command line */
	.org	0x258
	.quad	0x1000000		/* where it wants to lie */
	.long	0x1000			/* and how much it needs there */
	.org	0x400
#ifndef STAY
	mov	$0xfe, %al
	out	%al, $0x64
#endif
1:	hlt
	jmp	1b
	.org	0x600
