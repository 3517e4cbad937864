/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_ask.h - what other CPUs ask of a guest's CPU, and what it does next.
 *
 *            INIT                    start-up, with a page
 *   runs -----------> waits for it ------------------------> runs
 *     NMI: due          NMI: lost                start-up: not heard
 *
 * A word of bits that any CPU adds to and the one that is meant takes from; it alone knows whether it
 * waits. A pure state machine. APM vol. 2, 14.1.3 and 16.5.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VM_ASK_INIT	  0x01u
#define VM_ASK_START	  0x02u
#define VM_ASK_NMI	  0x04u
#define VM_ASK_PAUSE	  0x08u /* who set it clears it */
#define VM_ASK_LOOK	  0x10u /* at the guest's state, which changed */
#define VM_ASK_PAGE(page) ((uint32_t)(page) << 8)
#define VM_ASK_PAGE_MASK  0xff00u

enum vm_step {
	VM_STEP_NOTHING,
	VM_STEP_PAUSE, /* stay here, and look again */
	VM_STEP_RESET, /* and wait */
	VM_STEP_START, /* at `page` */
	VM_STEP_NMI,   /* is due */
};

struct vm_next {
	enum vm_step step;
	uint8_t page;
	uint32_t taken; /* bits that are done with */
};

/* What is asked when `what` comes on top of it. */
uint32_t vm_ask_add(uint32_t asked, uint32_t what);

/* One step at a time: an INIT and the start-up behind it are two. */
struct vm_next vm_ask_next(uint32_t asked, bool waits);
