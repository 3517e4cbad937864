/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/svm_enter.S - the few instructions around VMRUN.
 *
 *   void svm_enter(uint64_t vmcb, struct svm_registers *guest, uint64_t host_state);
 *
 * Called with GIF clear and interrupts off, and returns so. VMRUN itself saves what the
 * hypervisor's control flow needs (APM vol. 2, 15.5.1); FS, GS, TR, LDTR and the system-call
 * registers are exchanged here by VMSAVE and VMLOAD, the general registers by hand.
 * RAX and RSP of the guest live in its VMCB.
 *
 * STI before VMRUN: with V_INTR_MASKING the host's IF at VMRUN decides whether a physical
 * interrupt ends guest mode (15.21.1). GIF is clear, so nothing is delivered before VMRUN.
 */
	.text
	.globl svm_enter
	.type svm_enter, @function
svm_enter:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rsi			/* guest registers */
	pushq %rdx			/* where the host's own VMSAVE state goes */

	movq %rdx, %rax
	vmsave
	movq %rdi, %rax

	movq 0x00(%rsi), %rbx
	movq 0x08(%rsi), %rcx
	movq 0x10(%rsi), %rdx
	movq 0x20(%rsi), %rdi
	movq 0x28(%rsi), %rbp
	movq 0x30(%rsi), %r8
	movq 0x38(%rsi), %r9
	movq 0x40(%rsi), %r10
	movq 0x48(%rsi), %r11
	movq 0x50(%rsi), %r12
	movq 0x58(%rsi), %r13
	movq 0x60(%rsi), %r14
	movq 0x68(%rsi), %r15
	movq 0x18(%rsi), %rsi

	sti
	vmload
	vmrun
	vmsave				/* RAX is the VMCB's address again */
	cli

	pushq %rsi
	movq 0x10(%rsp), %rsi
	movq %rbx, 0x00(%rsi)
	movq %rcx, 0x08(%rsi)
	movq %rdx, 0x10(%rsi)
	movq %rdi, 0x20(%rsi)
	movq %rbp, 0x28(%rsi)
	movq %r8, 0x30(%rsi)
	movq %r9, 0x38(%rsi)
	movq %r10, 0x40(%rsi)
	movq %r11, 0x48(%rsi)
	movq %r12, 0x50(%rsi)
	movq %r13, 0x58(%rsi)
	movq %r14, 0x60(%rsi)
	movq %r15, 0x68(%rsi)
	popq %rax
	movq %rax, 0x18(%rsi)

	popq %rax
	vmload				/* the host's GS again, before anything uses it */
	addq $8, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret
	.size svm_enter, . - svm_enter

	.section .note.GNU-stack, "", @progbits
