/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_apic.c - a guest's local APIC: its CPU's own, each access looked at (APM vol. 2,
 * 16).
 *
 *   own interrupts (EOI, priorities, ISR ..)   as they are
 *   local vector table                         fixed interrupts only; pins stay masked
 *   command register                           to itself only, fixed interrupts only
 *   timer by TSC deadline                      made of the one-shot timer
 *
 * The deadline spares the guest a PIT to measure the timer by, which guests could not share.
 */
#include "platform/metal/vm_apic.h"

#include "platform/metal/apic.h"
#include "platform/metal/console.h"
#include "platform/metal/time.h"
#include "platform/metal/vm.h"
#include "platform/metal/x86.h"

/* APM vol. 2, table 16-2. */
#define APIC_ID		  0x020u
#define APIC_VERSION	  0x030u
#define APIC_EOI	  0x0b0u
#define APIC_SPURIOUS	  0x0f0u
#define APIC_IN_SERVICE	  0x100u
#define APIC_COMMAND	  0x300u
#define APIC_TARGET	  0x310u
#define APIC_LOCAL_FIRST  0x320u /* timer, thermal, counters, LINT0, LINT1, error */
#define APIC_LOCAL_LAST	  0x370u
#define APIC_TIMER_START  0x380u
#define APIC_TIMER_NOW	  0x390u
#define APIC_DIVIDE	  0x3e0u

#define LOCAL_TIMER	  0u
#define LOCAL_LINT0	  3u
#define LOCAL_LINT1	  4u
#define LOCAL_MASKED	  0x10000u
#define LOCAL_VECTOR	  0x000ffu
#define LOCAL_DELIVERY	  0x00700u
#define LOCAL_TIMER_MODE  0x60000u
#define MODE_ONE_SHOT	  0x00000u
#define MODE_DEADLINE	  0x40000u
#define DIVIDE_BY_1	  0xbu

#define COMMAND_DELIVERY  0x00700u
#define COMMAND_LOGICAL	  0x00800u
#define COMMAND_SHORTHAND 0xc0000u
#define SHORTHAND_NONE	  0x00000u
#define SHORTHAND_SELF	  0x40000u
#define SHORTHAND_ALL	  0x80000u
#define DELIVERY_FIXED	  0x00000u
#define DELIVERY_LOWEST	  0x00100u
#define DELIVERY_INIT	  0x00500u

#define SHIFT		  32
#define MEASURE_FOR	  (20 * NS_PER_MS)

static uint64_t ticks_per_cycle; /* of the APIC per one of the TSC, times 2^32; constant */

/* Both counters over the same time: no rate of either is needed. */
void vm_apic_measure(void)
{
	uint64_t cycles, ticks, tsc;

	apic_write(APIC_LOCAL_FIRST, LOCAL_MASKED);
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_TIMER_START, 0xffffffff);
	tsc = read_tsc();
	ticks = apic_read(APIC_TIMER_NOW);
	time_wait(MEASURE_FOR);
	cycles = read_tsc() - tsc;
	ticks -= apic_read(APIC_TIMER_NOW);
	apic_write(APIC_TIMER_START, 0);
	ticks_per_cycle = (ticks << SHIFT) / cycles;
	console_log("time", "the local APIC's timer ticks %lu times in 1000 cycles of the TSC",
		    ticks * 1000 / cycles);
}

void vm_apic_start(struct vm *vm)
{
	struct vm_apic *apic = &vm->apic;

	for (uint32_t i = 0; i < VM_APIC_VECTORS; i++)
		apic->local[i] = LOCAL_MASKED;
	apic->deadline = false;
}

/* Interrupts of the guest's that were not ended would hold back those of lower vectors for ever. */
static void end_all(void)
{
	for (uint32_t at = 0; at < 256; at += 32) {
		while (apic_read(APIC_IN_SERVICE + at / 2) != 0)
			apic_write(APIC_EOI, 0);
	}
}

void vm_apic_stop(void)
{
	apic_write(APIC_TIMER_START, 0);
	end_all();
	apic_start();
}

/* A deadline that is past fires at once; one that is further than the timer counts, too early. */
void vm_apic_set_deadline(struct vm *vm, uint64_t tsc)
{
	const uint64_t now = read_tsc();
	unsigned __int128 ticks;

	vm->apic.deadline_tsc = tsc;
	if (!vm->apic.deadline)
		return;
	if (tsc == 0) {
		apic_write(APIC_TIMER_START, 0);
		return;
	}
	ticks = tsc > now ? (unsigned __int128)(tsc - now) * ticks_per_cycle >> SHIFT : 0;
	if (ticks == 0)
		ticks = 1;
	apic_write(APIC_TIMER_START, ticks > 0xffffffff ? 0xffffffff : (uint32_t)ticks);
}

/*
 * The pins belong to the machine's old interrupt controller and its NMI, the rest may raise what
 * reaches this CPU alone: fixed interrupts.
 */
static uint32_t local_allowed(uint32_t entry, uint32_t value)
{
	if (entry == LOCAL_LINT0 || entry == LOCAL_LINT1 ||
	    (value & LOCAL_DELIVERY) != DELIVERY_FIXED)
		return LOCAL_MASKED;
	return value & (LOCAL_MASKED | LOCAL_VECTOR | LOCAL_TIMER_MODE);
}

static void write_timer(struct vm_apic *apic, uint32_t value)
{
	const bool deadline = (value & LOCAL_TIMER_MODE) == MODE_DEADLINE;

	/* Another mode: what was counted down for is over. */
	if (deadline != apic->deadline)
		apic_write(APIC_TIMER_START, 0);
	apic->deadline = deadline;
	if (!apic->deadline) {
		apic_write(APIC_DIVIDE, apic->divide);
		apic_write(APIC_LOCAL_FIRST, local_allowed(LOCAL_TIMER, value));
		return;
	}
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LOCAL_FIRST, local_allowed(LOCAL_TIMER, value & ~LOCAL_TIMER_MODE));
}

static void write_local(struct vm *vm, uint32_t offset, uint32_t value)
{
	const uint32_t entry = (offset - APIC_LOCAL_FIRST) / 16;

	vm->apic.local[entry] = value;
	if (entry == LOCAL_TIMER)
		write_timer(&vm->apic, value);
	else
		apic_write(offset, local_allowed(entry, value));
}

static bool is_to_itself(const struct vm_apic *apic, uint32_t command)
{
	switch (command & COMMAND_SHORTHAND) {
	case SHORTHAND_SELF:
	case SHORTHAND_ALL:
		return true;
	case SHORTHAND_NONE:
		/* Logical names are the guest's own choice: one CPU has all of them. */
		return command & COMMAND_LOGICAL || apic->target >> 24 == apic->id ||
		       apic->target >> 24 == 0xff;
	}
	return false;
}

/*
 * Whoever may send INIT stops any CPU of the machine, whoever may send NMI breaks into any. To
 * "all but itself" nobody is left.
 */
static void write_command(struct vm *vm, uint32_t command)
{
	const uint32_t delivery = command & COMMAND_DELIVERY;
	const bool is_plain = delivery == DELIVERY_FIXED || delivery == DELIVERY_LOWEST;

	if (is_plain && is_to_itself(&vm->apic, command))
		apic_write(APIC_COMMAND, SHORTHAND_SELF | (command & LOCAL_VECTOR));
	else if (!is_plain || (command & COMMAND_SHORTHAND) == SHORTHAND_NONE)
		vm_log_refusal(vm, "interrupt command 0x%x to APIC 0x%x", command,
			       vm->apic.target >> 24);
}

uint32_t vm_apic_read(struct vm *vm, uint32_t offset)
{
	if (offset >= APIC_LOCAL_FIRST && offset <= APIC_LOCAL_LAST)
		return vm->apic.local[(offset - APIC_LOCAL_FIRST) / 16];
	if (offset == APIC_TARGET)
		return vm->apic.target;
	if (offset == APIC_DIVIDE)
		return vm->apic.divide;
	return apic_read(offset);
}

/* What is left are the guest's own priorities, the end of its interrupts, errors, logical names. */
void vm_apic_write(struct vm *vm, uint32_t offset, uint32_t value)
{
	struct vm_apic *apic = &vm->apic;

	if (offset >= APIC_LOCAL_FIRST && offset <= APIC_LOCAL_LAST)
		write_local(vm, offset, value);
	else if (offset == APIC_COMMAND)
		write_command(vm, value);
	else if (offset == APIC_TARGET)
		apic->target = value;
	else if (offset == APIC_DIVIDE)
		apic->divide = value;
	else if (offset != APIC_ID && offset != APIC_VERSION &&
		 !(offset == APIC_TIMER_START && apic->deadline))
		apic_write(offset, value);
	if (offset == APIC_DIVIDE && !apic->deadline)
		apic_write(APIC_DIVIDE, value);
}
