/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/hypercall.h - what a guest may ask of the hypervisor: the whole ABI. Constants alone,
 * so that programs in guests can include it.
 *
 *   VMMCALL      in       RAX the call, RBX and RCX its arguments
 *                out      RAX at least 0: the answer; below 0: an error. Other registers are kept
 *
 *   call         RBX      RCX      answer
 *   VERSION                        1
 *   WANTED                         pages that the guest is asked to part with, those it did deducted
 *   GIVE         gfn      pages    how many went: from `gfn` on the guest has none any more
 *   GET          gfn      pages    how many came: zeroed, where the guest gave some before
 *   EXCHANGE     gfn      pages    how many have another frame, with what was in the old one
 *   PROTECT      gfn      pages    how many can be read but not written from now on
 *   UNPROTECT    gfn      pages    how many can be written again
 *   FAULTS       function what     how often the function's DMA was blocked since the guest has it, or
 *                                  where the last one was aimed (its page; 0: the unit does not say)
 *   SERVE_MAP    gfn      place    1: that page of the guest that it serves is at place HYPERCALL_SERVE_PAGES + place
 *   SERVE_UNMAP  place    places   how many of these were mapped, and are no more
 *
 * A gfn is a guest-physical address / 4096, below the memory that guest.conf says; the pages of a call
 * are 1 to 512. A call that did less than was asked for did the first ones. On return every CPU and
 * device has forgotten the frames that went, and the right to write: a transfer that a device still
 * aims at a page that was given, or writes to one that is protected, is blocked, and reported as a fault
 * of its function; what a CPU stores to a protected page is lost, and logged.
 *
 * A function is named as the guest's own bus has it: bus << 8 | device << 3 | function. Others have no
 * name. What is reported is what the unit reports, some of them not every blocked transfer.
 *
 * Who may call, guest.conf says (docs/guest-conf.md): `balloon` for WANTED to UNPROTECT, `faults` for
 * FAULTS, either for VERSION. With `kernel` ring 0 may, with `user` every program may; with `off` for
 * both VMMCALL is an invalid opcode. A guest harms but itself: whoever gives a page in use loses what
 * is in it. A page is unprotected before it is given or exchanged.
 *
 * The SERVE calls are for a guest that guest.conf lets serve another (`serves`), with the right to
 * `balloon`; for all others there are none such. What must be unmapped stands in the ring at
 * HYPERCALL_SERVE_RING: include/sallyport/server.h.
 */
#pragma once

#define HYPERCALL_VERSION	0x53500000ull /* "SP" */
#define HYPERCALL_WANTED	0x53500001ull
#define HYPERCALL_GIVE		0x53500002ull
#define HYPERCALL_GET		0x53500003ull
#define HYPERCALL_EXCHANGE	0x53500004ull
#define HYPERCALL_PROTECT	0x53500005ull
#define HYPERCALL_UNPROTECT	0x53500006ull
#define HYPERCALL_FAULTS	0x53500007ull
#define HYPERCALL_LAST		HYPERCALL_FAULTS

#define HYPERCALL_SERVE_MAP	0x53500100ull
#define HYPERCALL_SERVE_UNMAP	0x53500101ull

#define HYPERCALL_SERVE_RING	0x180000ull /* gfns of the server: 6 GiB, behind all that it has */
#define HYPERCALL_SERVE_PAGES	0x180200ull
#define HYPERCALL_SERVE_PLACES	128ull

#define HYPERCALL_PAGES_MAX	512ull

/* What FAULTS is asked for. */
#define HYPERCALL_FAULT_COUNT	0ull
#define HYPERCALL_FAULT_ADDRESS 1ull

#define HYPERCALL_UNKNOWN	(-1) /* there is no such call */
#define HYPERCALL_NOT_PERMITTED (-2) /* not from this ring */
#define HYPERCALL_RANGE		(-3) /* gfn or pages are not within the guest's memory; no such `what` */
#define HYPERCALL_NOT_THERE	(-4) /* the first page has no frame of that kind */
#define HYPERCALL_THERE		(-5) /* the first page was never given */
#define HYPERCALL_NO_MEMORY	(-6) /* there is no frame, or no table page, for the first page */
#define HYPERCALL_NO_FUNCTION	(-7) /* the guest has no function of that name */
