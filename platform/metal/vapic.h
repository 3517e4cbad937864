/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vapic.h - what a guest may do with the local APIC of its CPU.
 *
 *   trapped page, or trapped MSRs --> vapic_write() --> an act: for the CPU's own APIC,
 *                                                       for CPUs of the guest, or refused
 *
 * The CPU is the guest's alone and takes its interrupts without the hypervisor. But through the
 * same registers it could stop any other CPU (INIT), break into it (NMI, SMI) or interrupt it: so
 * the command register and the local vector table are filtered, and commands only reach CPUs of the
 * guest. A pure state machine: the caller carries out the acts. A guest's CPUs have their machine's
 * APIC ids. APM vol. 2, chapter 16; SDM vol. 3A, chapter 11 (x2APIC).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VAPIC_CPUS	   32u /* of one guest */
#define VAPIC_LOCALS	   6u  /* timer, thermal, counters, LINT0, LINT1, error */
#define VAPIC_PAGE	   4096u
#define VAPIC_MSR_BASE	   0x1bu
#define VAPIC_MSR_DEADLINE 0x6e0u
#define VAPIC_MSR_FIRST	   0x800u /* x2APIC: a register each, 16 bytes of the page are one */
#define VAPIC_MSR_LAST	   0x83fu
#define VAPIC_VECTOR_FIRST 32u /* below: exceptions, which an interrupt must not be mistaken for */

/* What was refused, and why; counted for each CPU. */
enum vapic_refusal {
	VAPIC_REFUSED_TARGET,	/* a command to nobody, or to a CPU that is not the guest's */
	VAPIC_REFUSED_DELIVERY, /* SMI, external interrupts, what the manual reserves */
	VAPIC_REFUSED_VECTOR,	/* below 32: an exception's */
	VAPIC_REFUSED_LOCAL,	/* a local source that would raise more than a fixed interrupt */
	VAPIC_REFUSED_REGISTER, /* no such register, or not to be written */
	VAPIC_REFUSED_WIDTH,	/* the page takes 32 bits at multiples of 16 */
	VAPIC_REFUSED_BASE,	/* the page moved, the APIC switched off */
	VAPIC_REFUSALS
};

enum vapic_act_kind {
	VAPIC_NOTHING,	/* it was only to be remembered */
	VAPIC_PASS,	/* store `value` to register `offset` of the CPU's own APIC */
	VAPIC_DEADLINE, /* the same, for the timer, which the guest wants to run by TSC deadline */
	VAPIC_SEND,	/* a fixed interrupt of `vector` to the `targets` */
	VAPIC_NMI,	/* to the targets */
	VAPIC_INIT,
	VAPIC_STARTUP, /* they begin at page `vector` */
	VAPIC_X2APIC,  /* switch the CPU's own APIC to x2APIC mode */
	VAPIC_REFUSED, /* `refusal` */
};

struct vapic_act {
	enum vapic_act_kind kind;
	enum vapic_refusal refusal;
	uint32_t offset; /* of the page, also where it was an MSR */
	uint32_t value;
	uint32_t targets; /* CPU n of the guest is bit n; may be the sender too */
	uint8_t vector;
};

/* A CPU of the guest: its own alone while it runs, but for `logical` and `format`. */
struct vapic {
	uint32_t id;	   /* physical */
	uint32_t base_low; /* of MSR 1B */
	bool can_x2apic;
	bool x2apic;
	_Atomic uint32_t logical; /* LDR; a sender on another CPU reads it */
	_Atomic uint32_t format;  /* DFR; the same */
	uint32_t target;	  /* the command register's upper half */
	uint32_t command;	  /* its lower half */
	uint32_t divide;
	uint32_t local[VAPIC_LOCALS]; /* as the guest wrote them */
	uint64_t refused[VAPIC_REFUSALS];
};

struct vapic_guest {
	uint32_t cpu_count;
	struct vapic cpu[VAPIC_CPUS];
	uint32_t mutant; /* a negative control, tests only */
};

/*
 * As after reset. `id` is the CPU's APIC id, `base` its MSR 1B: the page's address and whether it
 * booted the guest. `can_x2apic`: the CPU can, and the guest may.
 */
void vapic_reset(struct vapic *apic, uint32_t id, uint64_t base, bool can_x2apic);

/* As after INIT: the same, but for id, base and mode. Others may send to it meanwhile. */
void vapic_init(struct vapic *apic);

/*
 * A register, read. True: `value` is it. False: the CPU's own register at the same place is.
 * Offsets of the page; what the page does not have reads as 0.
 */
bool vapic_read(const struct vapic *apic, uint32_t offset, uint32_t *value);
struct vapic_act vapic_write(struct vapic_guest *guest, uint32_t cpu, uint32_t offset,
			     uint32_t value);

/* May an interrupt of the guest, or of a function that it has, have this vector? */
bool vapic_may_send(const struct vapic_guest *guest, uint32_t vector);

/* CPUs that a name of 8 bits, as it stands in a device's message, means: bits. 0: none. */
uint32_t vapic_named(const struct vapic_guest *guest, uint32_t name, bool logical);

/* Of the page: 4 bytes at a multiple of 16. False: counted; reads give 0. */
bool vapic_check_width(struct vapic *apic, uint32_t offset, uint32_t bytes);

/* x2APIC mode: MSRs 800 to 83F. The command register is one of 64 bits. */
bool vapic_msr_read(const struct vapic *apic, uint32_t msr, uint64_t *value);
struct vapic_act vapic_msr_write(struct vapic_guest *guest, uint32_t cpu, uint32_t msr,
				 uint64_t value);

/*
 * May the guest reach this MSR of its CPU without an exit, in x2APIC mode? For the permission map:
 * end of interrupt, priorities, what is in service, the timer's count. `deadline`: TSC deadlines
 * are made of that count by the hypervisor, so it is not the guest's.
 */
bool vapic_msr_is_direct(uint32_t msr, bool write, bool deadline);

/* MSR 1B: x2APIC mode on is all that can be asked for. */
struct vapic_act vapic_base_write(struct vapic_guest *guest, uint32_t cpu, uint64_t value);
uint64_t vapic_base_read(const struct vapic *apic);

/* "command 0x4500 to APIC 0x3: ..." */
struct vapic_text {
	char chars[128];
};
struct vapic_text vapic_explain(const struct vapic *apic, const struct vapic_act *act);
