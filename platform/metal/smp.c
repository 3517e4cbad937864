/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/smp.c - all CPUs of the machine, and work for them.
 *
 *   MADT --> cpus[].apic_id --> INIT, start-up --> trampoline --> smp_ap_main --> smp_idle
 *   smp_run(n, function) --> cpus[n].work --> kick --> smp_idle runs it
 */
#include "platform/metal/smp.h"

#include "platform/metal/acpi.h"
#include "platform/metal/apic.h"
#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/string.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define MADT_ENTRIES	      44 /* ACPI 5.2.12 */
#define MADT_LOCAL_APIC	      0
#define MADT_LOCAL_APIC_BYTES 8u
#define MADT_ENABLED	      1u

#define ONLINE_WITHIN	      (2 * NS_PER_S)

extern const char trampoline_start[], trampoline_end[];
extern char boot_stacks[MAX_CPUS][CPU_STACK_SIZE];

/* For the one CPU that is being started: boot.S reads both. */
void *volatile smp_starting_stack;
struct cpu *volatile smp_starting_cpu;

static size_t trampoline_size(void)
{
	return memory_address(trampoline_end).maddr - memory_address(trampoline_start).maddr;
}

/*
 * Entries that are not enabled are sockets for CPUs to come. The CPU that booted is there already.
 */
static void add_cpu(const uint8_t *entry, uint32_t *left_out)
{
	uint32_t id = entry[3];

	if (!(acpi_read32(entry + 4) & MADT_ENABLED) || id == cpus[0].apic_id)
		return;
	if (cpu_count == MAX_CPUS)
		(*left_out)++;
	else
		cpus[cpu_count++].apic_id = id;
}

/* ACPI 5.2.12: entries of many types follow one another; only local APICs are looked at. */
static void find_cpus(void)
{
	struct acpi_table madt = acpi_find("APIC");
	size_t at = MADT_ENTRIES;
	const uint8_t *entry;
	uint32_t left_out = 0;

	if (madt.table == NULL || madt.bytes < MADT_ENTRIES) {
		console_log("cpu", "no usable MADT: only the CPU that booted is known");
		return;
	}
	while ((entry = acpi_next_entry(&madt, &at)) != NULL) {
		if (entry[0] == MADT_LOCAL_APIC && entry[1] >= MADT_LOCAL_APIC_BYTES)
			add_cpu(entry, &left_out);
	}
	if (left_out != 0)
		console_log("cpu", "%u more than the %u that are used; they stay off", left_out,
			    MAX_CPUS);
}

/* Set by the CPU itself when its tables are loaded and its APIC is on. */
static bool is_online(const struct cpu *cpu, uint64_t nanoseconds)
{
	const uint64_t until = time_now() + nanoseconds;

	while (!atomic_load(&cpu->online)) {
		if (time_now() > until)
			return false;
		pause();
	}
	return true;
}

/* INIT, 10 ms, start-up, and a second start-up if the first one was not heard. */
static bool start_cpu(struct cpu *cpu, sp_maddr_t page)
{
	smp_starting_stack = boot_stacks[cpu - cpus] + CPU_STACK_SIZE;
	smp_starting_cpu = cpu;
	apic_send_init(cpu->apic_id);
	time_wait(10 * NS_PER_MS);
	apic_send_startup(cpu->apic_id, page);
	if (is_online(cpu, NS_PER_MS))
		return true;
	apic_send_startup(cpu->apic_id, page);
	return is_online(cpu, ONLINE_WITHIN);
}

/* One at a time: they all begin at the same page, with the same two variables. */
void smp_start(void)
{
	sp_maddr_t page = memory_find_low_page();

	find_cpus();
	if (cpu_count > 1 && page.maddr == 0)
		machine_refuse(
			"no free RAM below 1 MiB to start the other CPUs from; boot with one CPU");
	if (cpu_count > 1)
		memcpy(memory_pointer(page), trampoline_start, trampoline_size());
	for (uint32_t i = 1; i < cpu_count; i++) {
		if (!start_cpu(&cpus[i], page))
			machine_refuse("CPU %u (APIC %u) did not start; boot with fewer CPUs", i,
				       cpus[i].apic_id);
	}
	console_log("cpu", "%u online", cpu_count);
}

/* On a stack of its own, interrupts off. */
_Noreturn void smp_ap_main(struct cpu *cpu)
{
	cpu_start(cpu);
	apic_start();
	atomic_store(&cpu->online, true);
	smp_idle();
}

/*
 * Interrupts are off between the look and HLT: a kick that comes with new work in between would
 * otherwise be taken before HLT, and the CPU would sleep on it.
 */
_Noreturn void smp_idle(void)
{
	struct work *work = &cpu_self()->work;
	void (*function)(void *);

	for (;;) {
		interrupts_off();
		function = atomic_load(&work->function);
		if (function == NULL) {
			interrupts_on_and_halt();
			continue;
		}
		interrupts_on();
		function(work->argument);
		atomic_store(&work->function, NULL);
	}
}

/* The argument goes first; storing the function hands both over. */
void smp_run(uint32_t cpu, void (*function)(void *), void *argument)
{
	struct work *work = &cpus[cpu].work;

	if (cpu >= cpu_count || cpu == cpu_self()->index || smp_is_busy(cpu))
		machine_panic("CPU %u cannot take work: it is absent, busy, or the caller", cpu);
	work->argument = argument;
	atomic_store(&work->function, function);
	smp_kick(cpu);
}

bool smp_is_busy(uint32_t cpu)
{
	return atomic_load(&cpus[cpu].work.function) != NULL;
}

bool smp_wait(uint32_t cpu, uint64_t nanoseconds)
{
	const uint64_t until = time_now() + nanoseconds;

	while (smp_is_busy(cpu)) {
		if (time_now() > until)
			return false;
		pause();
	}
	return true;
}

void smp_kick(uint32_t cpu)
{
	if (atomic_load(&cpus[cpu].kick_by_nmi))
		apic_send_nmi(cpus[cpu].apic_id);
	else
		apic_send(cpus[cpu].apic_id, VECTOR_KICK);
}

void smp_kick_by_nmi(uint32_t cpu, bool on)
{
	atomic_store(&cpus[cpu].kick_by_nmi, on);
}
