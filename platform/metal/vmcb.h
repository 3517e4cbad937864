/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vmcb.h - the virtual machine control block (APM vol. 2, appendix B). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	/* Control area, B.1 */
	uint32_t intercept_cr;
	uint32_t intercept_dr;
	uint32_t intercept_exceptions;
	uint32_t intercept_misc1;
	uint32_t intercept_misc2;
	uint8_t reserved_014[0x02c];
	uint64_t iopm_base;
	uint64_t msrpm_base;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;
	uint64_t virtual_interrupt;
	uint64_t interrupt_shadow;
	uint64_t exit_code;
	uint64_t exit_info1;
	uint64_t exit_info2;
	uint64_t exit_interrupt;
	uint64_t nested_enable;
	uint8_t reserved_098[0x010];
	uint64_t event_injection;
	uint64_t nested_cr3;
	uint64_t lbr_enable;
	uint64_t clean_bits;
	uint64_t next_rip;
	uint8_t reserved_0d0[0x330];

	/* State save area, B.2 */
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_4a0[0x02b];
	uint8_t cpl;
	uint8_t reserved_4cc[0x004];
	uint64_t efer;
	uint8_t reserved_4d8[0x070];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_580[0x058];
	uint64_t rsp;
	uint8_t reserved_5e0[0x018];
	uint64_t rax;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint8_t reserved_648[0x020];
	uint64_t guest_pat;
	uint8_t reserved_670[0x990];
};

/* Offset 0x004: writes of DR0-DR15. */
#define INTERCEPT_DR_WRITES 0xffff0000u

/* Offset 0x00c. */
#define INTERCEPT_INTR	    (1u << 0)
#define INTERCEPT_NMI	    (1u << 1)
#define INTERCEPT_SMI	    (1u << 2)
#define INTERCEPT_INIT	    (1u << 3)
#define INTERCEPT_CPUID	    (1u << 18)
#define INTERCEPT_IRET	    (1u << 20)
#define INTERCEPT_INVD	    (1u << 22)
#define INTERCEPT_HLT	    (1u << 24)
#define INTERCEPT_INVLPGA   (1u << 26)
#define INTERCEPT_IOIO	    (1u << 27)
#define INTERCEPT_MSR	    (1u << 28)
#define INTERCEPT_SHUTDOWN  (1u << 31)

/* Offset 0x010. */
#define INTERCEPT_VMRUN	    (1u << 0)
#define INTERCEPT_VMMCALL   (1u << 1)
#define INTERCEPT_VMLOAD    (1u << 2)
#define INTERCEPT_VMSAVE    (1u << 3)
#define INTERCEPT_STGI	    (1u << 4)
#define INTERCEPT_CLGI	    (1u << 5)
#define INTERCEPT_SKINIT    (1u << 6)
#define INTERCEPT_WBINVD    (1u << 9)
#define INTERCEPT_MONITOR   (1u << 10)
#define INTERCEPT_MWAIT	    (1u << 11)
#define INTERCEPT_XSETBV    (1u << 13)

/* Offset 0x05c. */
#define TLB_CONTROL_NOTHING 0u
#define TLB_CONTROL_ALL	    1u
#define TLB_CONTROL_GUEST   3u /* needs FlushByASID */

#define V_INTR_MASKING	    (1ull << 24)
#define NESTED_PAGING	    (1ull << 0)

/* Exit codes, appendix C. */
#define VMEXIT_EXCEPTION    0x040u /* and the exception's vector */
#define VMEXIT_INTR	    0x060u
#define VMEXIT_NMI	    0x061u
#define VMEXIT_CPUID	    0x072u
#define VMEXIT_IRET	    0x074u
#define VMEXIT_INVD	    0x076u
#define VMEXIT_HLT	    0x078u
#define VMEXIT_IOIO	    0x07bu
#define VMEXIT_MSR	    0x07cu
#define VMEXIT_SHUTDOWN	    0x07fu
#define VMEXIT_VMMCALL	    0x081u
#define VMEXIT_NPF	    0x400u
#define VMEXIT_INVALID	    (~0ull)

/* EVENTINJ and EXITINTINFO, 15.20. */
#define EVENT_NMI	    (2ull << 8)
#define EVENT_EXCEPTION	    (3ull << 8)
#define EVENT_SOFTWARE	    (4ull << 8)
#define EVENT_TYPE	    (7ull << 8)
#define EVENT_HAS_ERROR	    (1ull << 11)
#define EVENT_VALID	    (1ull << 31)

/* EXITINFO1 of IOIO, 15.10.2. */
#define IOIO_IN		    (1u << 0)
#define IOIO_STRING	    (1u << 2)
#define IOIO_SIZE	    0x70u /* one bit: 1, 2 or 4 bytes */
#define IOIO_PORT_SHIFT	    16

/* Attributes of a segment: type, S, DPL, P, AVL, L, D, G of its descriptor, in 12 bits (15.5.1). */
#define SEGMENT_CODE16	    0x09b
#define SEGMENT_DATA16	    0x093
#define SEGMENT_CODE32	    0xc9b
#define SEGMENT_DATA32	    0xc93
#define SEGMENT_LDT	    0x082
#define SEGMENT_TSS32	    0x08b

_Static_assert(offsetof(struct vmcb, iopm_base) == 0x040, "APM vol. 2, B.1 IOPM_BASE_PA");
_Static_assert(offsetof(struct vmcb, asid) == 0x058, "APM vol. 2, B.1 guest ASID");
_Static_assert(offsetof(struct vmcb, virtual_interrupt) == 0x060, "APM vol. 2, B.1 V_INTR");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x070, "APM vol. 2, B.1 EXITCODE");
_Static_assert(offsetof(struct vmcb, nested_enable) == 0x090, "APM vol. 2, B.1 NP_ENABLE");
_Static_assert(offsetof(struct vmcb, event_injection) == 0x0a8, "APM vol. 2, B.1 EVENTINJ");
_Static_assert(offsetof(struct vmcb, nested_cr3) == 0x0b0, "APM vol. 2, B.1 N_CR3");
_Static_assert(offsetof(struct vmcb, next_rip) == 0x0c8, "APM vol. 2, B.1 nRIP");
_Static_assert(offsetof(struct vmcb, es) == 0x400, "APM vol. 2, B.2 ES");
_Static_assert(offsetof(struct vmcb, tr) == 0x490, "APM vol. 2, B.2 TR");
_Static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "APM vol. 2, B.2 CPL");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "APM vol. 2, B.2 EFER");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "APM vol. 2, B.2 CR4");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "APM vol. 2, B.2 RIP");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "APM vol. 2, B.2 RSP");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "APM vol. 2, B.2 RAX");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "APM vol. 2, B.2 CR2");
_Static_assert(offsetof(struct vmcb, guest_pat) == 0x668, "APM vol. 2, B.2 G_PAT");
_Static_assert(sizeof(struct vmcb) == 4096, "APM vol. 2, B: a VMCB is one page");
