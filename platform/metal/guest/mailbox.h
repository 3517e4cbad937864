/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guest/mailbox.h - the guest's memory, and how the hypervisor talks to the guest.
 * Both sides include it: the guest with 32-bit pointers, the hypervisor with 64-bit ones.
 *
 *   GUEST_BASE       image, stack below GUEST_MAILBOX
 *   GUEST_MAILBOX    one page, a struct mailbox for each of the guest's CPUs; which one it is, EBX says at first
 *   GUEST_LARGE      one page of 2 MiB
 *   GUEST_SMALL      GUEST_SMALL_PAGES pages of 4 KiB, whose frames lie so that they never merge
 *   GUEST_WHOLE      GUEST_WHOLE_PAGES likewise, alone in their 2 MiB
 *   GUEST_REGISTERS  the edu device's, while the guest has it
 *
 * The hypervisor writes a command, then `asked`. The guest executes it, writes the answer, then
 * `answered`. A guest may write any nonsense here: the hypervisor believes nothing of it.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* No machine address that a guest is given RAM at, so that no gfn equals its mfn. */
#define GUEST_BASE	  0x40000000u
#define GUEST_MAILBOX	  (GUEST_BASE + 0x10000u)
#define GUEST_LARGE	  (GUEST_BASE + 0x200000u)
#define GUEST_SMALL	  (GUEST_BASE + 0x400000u)
#define GUEST_WHOLE	  (GUEST_BASE + 0x600000u)
#define GUEST_REGISTERS	  (GUEST_BASE + 0x800000u)
#define GUEST_BYTES	  0x800000u
#define GUEST_SMALL_PAGES 32u
#define GUEST_WHOLE_PAGES 8u
#define GUEST_BOX_BYTES	  128u

enum guest_verb {
	GUEST_PING,	    /* value comes back inverted */
	GUEST_WRITE,	    /* value to the word at address */
	GUEST_READ,	    /* the word at address */
	GUEST_FILL,	    /* bytes at address with the pattern of seed `value` */
	GUEST_CHECKSUM,	    /* pattern_sum() over bytes at address */
	GUEST_EDU_TRANSFER, /* bytes between edu and bus address; value: enum edu_direction */
	GUEST_EDU_START,    /* the same without waiting for its end */
	GUEST_EDU_WAIT,	    /* for the end of what was started */
	GUEST_SPIN,	    /* touch the word at address until stop; value 0: read, 1: increment */
	GUEST_EXECUTE,	    /* the code at address until stop; it gives back one of `whole` */
};

enum guest_result {
	GUEST_DONE,
	GUEST_STOPPED, /* `stop` was set before the end */
	GUEST_REFUSED, /* the device's driver refused: value is its enum sp_status */
	GUEST_UNKNOWN_VERB,
};

struct mailbox {
	/* The hypervisor writes. */
	_Atomic uint32_t asked; /* number of the command, written last */
	uint32_t verb;		/* enum guest_verb */
	uint64_t address;	/* guest-physical, or what edu puts on the bus */
	uint64_t registers;	/* edu's, guest-physical */
	uint32_t bytes;
	uint32_t value;
	_Atomic uint32_t stop;
	uint32_t whole[2]; /* what the old and the new code give back */
	uint8_t unused[20];

	/* The guest writes. */
	_Atomic uint32_t answered; /* number of the command, written last */
	uint32_t result;	   /* enum guest_result */
	uint64_t answer;
	_Atomic uint32_t progress; /* GUEST_SPIN, GUEST_EXECUTE: rounds so far */
	/* GUEST_EXECUTE: how often the code was the old, the new, or neither; each round's before `progress`. */
	_Atomic uint32_t ran[2], ran_mixed;
	uint32_t mixed; /* what it gave back when it was neither, first */
};

/* Word i of a pattern: any two seeds differ in every word. */
static inline uint32_t pattern_word(uint32_t seed, uint32_t i)
{
	return seed ^ i * 0x9e3779b1u;
}

static inline uint32_t pattern_sum(uint32_t sum, uint32_t word)
{
	return (sum << 5 | sum >> 27) ^ word;
}

_Static_assert(offsetof(struct mailbox, address) == 8, "one layout for 32 and 64 bits");
_Static_assert(offsetof(struct mailbox, stop) == 32, "one layout for 32 and 64 bits");
_Static_assert(offsetof(struct mailbox, answered) == 64,
	       "one layout; each side writes a line of its own");
_Static_assert(offsetof(struct mailbox, answer) == 72, "one layout for 32 and 64 bits");
_Static_assert(sizeof(struct mailbox) <= GUEST_BOX_BYTES, "each in its place");
