/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_apic.c - a guest's local APIC: vapic.h says what an access comes to, and here it
 * is done to the CPU's own.
 *
 *   own interrupts (EOI, priorities, ISR ..)   as they are
 *   interrupts to the guest's CPUs             sent, each by the target's name on the machine
 *   NMI, INIT, start-up                        asked of the target (vm_cpu.h)
 *   timer by TSC deadline                      made of the one-shot timer
 *
 * The deadline spares the guest a PIT to measure the timer by, which guests could not share.
 */
#include "platform/metal/vm_apic.h"

#include "platform/metal/apic.h"
#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/layout.h"
#include "platform/metal/mptable.h"
#include "platform/metal/time.h"
#include "platform/metal/vm.h"
#include "platform/metal/vm_cpu.h"
#include "platform/metal/x86.h"

/* APM vol. 2, table 16-2. */
#define APIC_EOI	0x0b0u
#define APIC_IN_SERVICE 0x100u
#define APIC_COMMAND	0x300u
#define APIC_TARGET	0x310u
#define APIC_TIMER	0x320u
#define APIC_COUNT_FROM 0x380u
#define APIC_COUNT	0x390u
#define APIC_DIVIDE	0x3e0u
#define LOCAL_MASKED	0x10000u
#define DIVIDE_BY_1	0xbu
#define BASE_BOOTED	(1ull << 8)
#define BASE_ENABLED	(1ull << 11)

#define SHIFT		32
#define MEASURE_FOR	(20 * NS_PER_MS)

static uint64_t ticks_per_cycle; /* of the APIC per one of the TSC, times 2^32; constant */

/* Both counters over the same time: no rate of either is needed. */
void vm_apic_measure(void)
{
	uint64_t cycles, ticks, tsc;

	apic_write(APIC_TIMER, LOCAL_MASKED);
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_COUNT_FROM, 0xffffffff);
	tsc = read_tsc();
	ticks = apic_read(APIC_COUNT);
	time_wait(MEASURE_FOR);
	cycles = read_tsc() - tsc;
	ticks -= apic_read(APIC_COUNT);
	apic_write(APIC_COUNT_FROM, 0);
	ticks_per_cycle = (ticks << SHIFT) / cycles;
	console_log("time", "the local APIC's timer ticks %lu times in 1000 cycles of the TSC",
		    ticks * 1000 / cycles);
}

/* Interrupts are off from the timer's start to HLT, which switches them on: none is missed. */
void vm_apic_sleep(uint64_t nanoseconds)
{
	const uint64_t cycles = nanoseconds * time_tsc_khz() / 1000000;

	interrupts_off();
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_TIMER, VECTOR_KICK);
	apic_write(APIC_COUNT_FROM, (uint32_t)(cycles * ticks_per_cycle >> SHIFT) + 1);
	interrupts_on_and_halt();
	apic_write(APIC_TIMER, LOCAL_MASKED);
}

void vm_apic_begin(struct vm *vm)
{
	vm->apic.cpu_count = vm->cpu_count;
	for (uint32_t i = 0; i < vm->cpu_count; i++)
		vapic_reset(&vm->apic.cpu[i], cpus[vm->cpu[i].machine].apic_id,
			    LOCAL_APIC_ADDRESS | BASE_ENABLED | (i == 0 ? BASE_BOOTED : 0), false);
}

void vm_apic_reset(struct vm_cpu *cpu)
{
	vapic_init(&cpu->vm->apic.cpu[cpu->index]);
	cpu->timer = (struct vm_timer){ .deadline = false };
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
	apic_write(APIC_COUNT_FROM, 0);
	end_all();
	apic_start();
}

/* A deadline that is past fires at once; one that is further than the timer counts, too early. */
void vm_apic_set_deadline(struct vm_cpu *cpu, uint64_t tsc)
{
	const uint64_t now = read_tsc();
	unsigned __int128 ticks;

	cpu->timer.deadline_tsc = tsc;
	if (!cpu->timer.deadline)
		return;
	if (tsc == 0) {
		apic_write(APIC_COUNT_FROM, 0);
		return;
	}
	ticks = tsc > now ? (unsigned __int128)(tsc - now) * ticks_per_cycle >> SHIFT : 0;
	if (ticks == 0)
		ticks = 1;
	apic_write(APIC_COUNT_FROM, ticks > 0xffffffff ? 0xffffffff : (uint32_t)ticks);
}

static struct vapic *apic_of(const struct vm_cpu *cpu)
{
	return &cpu->vm->apic.cpu[cpu->index];
}

/* In another mode, what was counted down for is over. */
static void set_timer(struct vm_cpu *cpu, uint32_t value, bool deadline)
{
	if (deadline != cpu->timer.deadline)
		apic_write(APIC_COUNT_FROM, 0);
	cpu->timer.deadline = deadline;
	apic_write(APIC_DIVIDE, deadline ? DIVIDE_BY_1 : apic_of(cpu)->divide);
	apic_write(APIC_TIMER, value);
}

/* Only a build that leaves the check out (SP_MUT_COMMAND_UNCHECKED) passes a command. */
static void store(struct vm_cpu *cpu, const struct vapic_act *act)
{
	if (act->offset == APIC_COMMAND)
		apic_write(APIC_TARGET, apic_of(cpu)->target);
	if (act->offset == APIC_TIMER)
		set_timer(cpu, act->value, false);
	else
		apic_write(act->offset, act->value);
}

/* A CPU that waits to be started takes no interrupts: they would be the hypervisor's. */
static void interrupt(struct vm_cpu *target, uint8_t vector)
{
	if (!atomic_load(&target->waits))
		apic_send(cpus[target->machine].apic_id, vector);
}

static void send(struct vm_cpu *cpu, const struct vapic_act *act)
{
	struct vm *vm = cpu->vm;

	for (uint32_t i = 0; i < vm->cpu_count; i++) {
		if (!(act->targets >> i & 1))
			continue;
		if (act->kind == VAPIC_SEND)
			interrupt(&vm->cpu[i], act->vector);
		else if (act->kind == VAPIC_NMI)
			vm_cpu_ask(&vm->cpu[i], VM_ASK_NMI);
		else if (act->kind == VAPIC_INIT)
			vm_cpu_ask(&vm->cpu[i], VM_ASK_INIT);
		else
			vm_cpu_ask(&vm->cpu[i], VM_ASK_START | VM_ASK_PAGE(act->vector));
		cpu->counts.sent[act->kind == VAPIC_SEND  ? VM_SENT_INTERRUPT
				 : act->kind == VAPIC_NMI ? VM_SENT_NMI
							  : VM_SENT_START]++;
	}
}

static void carry_out(struct vm_cpu *cpu, const struct vapic_act *act)
{
	switch (act->kind) {
	case VAPIC_NOTHING:
	case VAPIC_X2APIC:
		return;
	case VAPIC_PASS:
		store(cpu, act);
		return;
	case VAPIC_DEADLINE:
		set_timer(cpu, act->value, true);
		return;
	case VAPIC_SEND:
	case VAPIC_NMI:
	case VAPIC_INIT:
	case VAPIC_STARTUP:
		send(cpu, act);
		return;
	case VAPIC_REFUSED:
		vm_log_refusal(cpu->vm, "%s", vapic_explain(apic_of(cpu), act).chars);
		return;
	}
}

uint32_t vm_apic_read(struct vm_cpu *cpu, uint32_t offset)
{
	uint32_t value;

	return vapic_read(apic_of(cpu), offset, &value) ? value : apic_read(offset);
}

void vm_apic_write(struct vm_cpu *cpu, uint32_t offset, uint32_t value)
{
	const struct vapic_act act = vapic_write(&cpu->vm->apic, cpu->index, offset, value);

	carry_out(cpu, &act);
}

uint64_t vm_apic_read_base(const struct vm_cpu *cpu)
{
	return vapic_base_read(apic_of(cpu));
}

bool vm_apic_write_base(struct vm_cpu *cpu, uint64_t value)
{
	const struct vapic_act act = vapic_base_write(&cpu->vm->apic, cpu->index, value);

	carry_out(cpu, &act);
	return act.kind != VAPIC_REFUSED;
}

uint64_t vm_apic_refused(const struct vm *vm)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < vm->cpu_count; i++) {
		for (uint32_t k = 0; k < VAPIC_REFUSALS; k++)
			all += vm->apic.cpu[i].refused[k];
	}
	return all;
}
