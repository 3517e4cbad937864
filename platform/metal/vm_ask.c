/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vm_ask.c - what other CPUs ask of a guest's CPU, and what it does next. */
#include "platform/metal/vm_ask.h"

#define START_BITS (VM_ASK_START | VM_ASK_PAGE_MASK)

/*
 * An INIT undoes what was asked before it. Of two start-up messages the first is heard, the second
 * comes to a CPU that runs.
 */
uint32_t vm_ask_add(uint32_t asked, uint32_t what)
{
	if (what & VM_ASK_INIT)
		return (asked & ~(START_BITS | VM_ASK_NMI)) | what;
	if (what & VM_ASK_START && asked & VM_ASK_START)
		what &= ~START_BITS;
	return asked | what;
}

/*
 * The start-up bits stay behind an INIT: in between the CPU is taken from the guest, its APIC too. A
 * CPU that waits hears nothing else.
 */
struct vm_next vm_ask_next(uint32_t asked, bool waits)
{
	if (asked & VM_ASK_PAUSE)
		return (struct vm_next){ .step = VM_STEP_PAUSE };
	if (asked & VM_ASK_INIT)
		return (struct vm_next){ .step = VM_STEP_RESET, .taken = VM_ASK_INIT };
	if (waits && asked & VM_ASK_START)
		return (struct vm_next){ .step = VM_STEP_START,
					 .page = (uint8_t)((asked & VM_ASK_PAGE_MASK) >> 8),
					 .taken = asked };
	if (!waits && asked & VM_ASK_NMI)
		return (struct vm_next){ .step = VM_STEP_NMI, .taken = asked };
	return (struct vm_next){ .step = VM_STEP_NOTHING, .taken = asked };
}
