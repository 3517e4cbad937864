/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm.c - a guest that brings its own kernel: what it is made of, and what all of its
 * CPUs share.
 */
#include "platform/metal/vm.h"

#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/forgotten.h"
#include "platform/metal/memory.h"
#include "platform/metal/print.h"
#include "platform/metal/smp.h"
#include "platform/metal/time.h"
#include "platform/metal/vm_cpu.h"
#include "platform/metal/vm_msr.h"
#include "platform/metal/x86.h"

#define TABLE_BUDGET	256u /* and room for every page to be a small one, in two maps */
#define LARGE_FRAMES	512u
#define DESTROY_WITHIN	(10 * NS_PER_S)
#define REFUSALS_LOGGED 20u

/* CPUID 8000_0001, EDX[26]: pages of 1 GiB. */
static uint8_t large_pages(void)
{
	return read_cpuid(0x80000001).edx & 1u << 26 ? 2 | 4 : 2;
}

static enum sp_status create_domain(struct vm *vm, enum sp_tables tables)
{
	const struct sp_domain_config config = {
		.number = vm->number,
		.cpu = SP_CPU_NPT,
		.tables = tables,
		.table_budget = TABLE_BUDGET + 2 * (uint32_t)(vm->frames / LARGE_FRAMES),
		.cpu_large_pages = large_pages(),
		.asid = (uint16_t)vm->number,
	};

	return sp_domain_create(vm->host, &config, &vm->domain);
}

/* In the largest pages that fit: a call does one step, the rest goes on where it stopped. */
static enum sp_status map_memory(struct vm *vm)
{
	enum sp_status status = SP_OK;

	while (vm->frames_mapped < vm->frames && status == SP_OK) {
		const uint64_t at = vm->frames_mapped;
		struct sp_result result;

		status = sp_p2m_map(vm->domain, (sp_gfn_t){ at }, (sp_mfn_t){ vm->memory.mfn + at },
				    vm->frames - at, SP_RAM, &result);
		if (status == SP_BUSY)
			status = sp_wait(vm->host, result.ticket);
		else if (status == SP_OK)
			vm->frames_mapped += result.done;
	}
	return status;
}

/* All wait for a start-up message, but for the one that boots. */
static bool create_cpu(struct vm *vm, uint32_t index, uint32_t machine)
{
	struct vm_cpu *cpu = &vm->cpu[index];

	*cpu = (struct vm_cpu){ .vm = vm, .index = index, .machine = machine };
	if (!svm_vcpu_create_direct(&cpu->vcpu, 0, &vm->may))
		return false;
	if (index != 0) {
		svm_vcpu_reset(&cpu->vcpu);
		atomic_store(&cpu->waits, true);
	}
	return true;
}

enum sp_status vm_create(struct vm *vm, struct sp_host *host, const struct vm_config *config)
{
	enum sp_status status;

	*vm = (struct vm){ .number = config->number, .host = host, .acpi = config->acpi };
	print(vm->name, sizeof(vm->name), "%.*s", (int)config->name_length, config->name);
	print(vm->uart.prefix, sizeof(vm->uart.prefix), "%s| ", vm->name);
	vm->uart.is_silent = config->is_silent;
	vm->balloon.right = config->balloon;
	vm->faults = config->faults;
	vm->frames = config->bytes / SP_FRAME_BYTES;
	vm_pci_begin(vm);
	vm->memory = memory_take_for_guest(vm->frames, LARGE_FRAMES);
	if (vm->memory.mfn == 0 || !svm_permissions_take(&vm->may))
		return SP_NO_MEMORY;
	balloon_begin(vm, vm->memory, vm->frames);
	vm_msr_allow(vm);
	for (; vm->cpu_count < config->cpu_count; vm->cpu_count++) {
		if (!create_cpu(vm, vm->cpu_count, config->first_cpu + vm->cpu_count))
			return SP_NO_MEMORY;
	}
	vm_apic_begin(vm);
	status = create_domain(vm, config->tables);
	return status == SP_OK ? map_memory(vm) : status;
}

/*
 * Every frame that a map ever held must have come back, once, before its memory is anybody else's.
 */
bool vm_destroy(struct vm *vm)
{
	const uint64_t until = time_now() + DESTROY_WITHIN;
	enum sp_status status;

	do {
		status = sp_domain_destroy(vm->domain);
		(void)sp_progress(vm->host, SP_STEP_SLOTS);
	} while (status == SP_PENDING && time_now() < until);
	console_log("guest", "%s: %lu frames were mapped, %lu came back (%s)", vm->name,
		    vm->frames_mapped, forgotten_frames(vm->number), sp_status_text(status));
	if (status != SP_OK || forgotten_frames(vm->number) != vm->frames_mapped)
		return false;
	for (uint32_t i = 0; i < vm->cpu_count; i++)
		svm_vcpu_destroy(&vm->cpu[i].vcpu);
	svm_permissions_give(&vm->may);
	balloon_end(vm);
	return true;
}

/* The library's word, not arithmetic: pages may have been taken from the guest since. */
const void *vm_pointer(struct vm *vm, uint64_t address, uint32_t bytes)
{
	const uint64_t offset = address % SP_FRAME_BYTES;
	struct sp_mapping mapping;

	if (offset + bytes > SP_FRAME_BYTES ||
	    sp_p2m_find(vm->domain, (sp_gfn_t){ address >> SP_FRAME_ORDER }, &mapping) != SP_OK ||
	    (mapping.type != SP_RAM && mapping.type != SP_RAM_READONLY))
		return NULL;
	return (const char *)memory_frame(mapping.frame) + offset;
}

/* Several CPUs may find a reason at once: the first one's counts. */
void vm_end(struct vm *vm, const char *why)
{
	static struct spinlock lock;
	const bool were_on = spinlock_take(&lock);

	if (atomic_load(&vm->state) == VM_RUNNING)
		vm->why = why;
	atomic_store(&vm->state, VM_ENDED);
	spinlock_drop(&lock, were_on);
	for (uint32_t i = 0; i < vm->cpu_count; i++)
		vm_cpu_ask(&vm->cpu[i], VM_ASK_LOOK);
}

void vm_log_refusal(struct vm *vm, const char *format, ...)
{
	const uint64_t count = atomic_fetch_add(&vm->refused_said, 1) + 1;
	char text[CONSOLE_LINE / 2];
	va_list arguments;

	atomic_fetch_add(&vm->refused, 1);
	if (count > REFUSALS_LOGGED)
		return;
	va_start(arguments, format);
	print_list(text, sizeof(text), format, arguments);
	va_end(arguments);
	console_log("refused", "%s: %s%s", vm->name, text,
		    count == REFUSALS_LOGGED ? "; more of it is only counted" : "");
}

bool vm_lock(struct vm *vm)
{
	return spinlock_take(&vm->lock);
}

void vm_unlock(struct vm *vm, bool were_on)
{
	spinlock_drop(&vm->lock, were_on);
}

/* A CPU of the guest that wants the lock meanwhile is out of guest mode, where nobody waits for it. */
void vm_call(struct vm *vm, vm_request *request, void *argument)
{
	const bool were_on = vm_lock(vm);

	request(vm, argument);
	vm_unlock(vm, were_on);
}

void vm_start(struct vm *vm)
{
	atomic_store(&vm->state, VM_RUNNING);
	for (uint32_t i = vm->cpu_count; i-- != 0;)
		smp_run(vm->cpu[i].machine, vm_cpu_run, &vm->cpu[i]);
}

bool vm_wait(struct vm *vm, uint64_t nanoseconds)
{
	for (uint32_t i = 0; i < vm->cpu_count; i++) {
		if (!smp_wait(vm->cpu[i].machine, nanoseconds))
			return false;
	}
	uart_flush(&vm->uart);
	return true;
}

/* ---- what it is, and what it did ---- */

struct vm_cpus_text vm_cpus_text(const struct vm *vm)
{
	const uint32_t first = vm->cpu[0].machine;
	struct vm_cpus_text text = { { 0 } };

	if (vm->cpu_count == 1)
		print(text.chars, sizeof(text.chars), "CPU %u", first);
	else
		print(text.chars, sizeof(text.chars), "CPUs %u to %u", first,
		      first + vm->cpu_count - 1);
	return text;
}

static struct vm_counts add_counts(const struct vm *vm)
{
	struct vm_counts all = { .gated = 0 };

	for (uint32_t i = 0; i < vm->cpu_count; i++) {
		for (uint32_t k = 0; k < VM_EXIT_COUNT; k++)
			all.exits[k] += vm->cpu[i].counts.exits[k];
		for (uint32_t k = 0; k < VM_SENT_COUNT; k++)
			all.sent[k] += vm->cpu[i].counts.sent[k];
	}
	return all;
}

uint64_t vm_count_gated(const struct vm *vm)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < vm->cpu_count; i++)
		all += vm->cpu[i].counts.gated;
	return all;
}

static uint64_t add_exits(const struct vm_counts *counts)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < VM_EXIT_COUNT; i++)
		all += counts->exits[i];
	return all;
}

/* A guest of one CPU has nobody to send to. */
static void log_sent(const struct vm *vm, const struct vm_counts *all)
{
	if (vm->cpu_count == 1)
		return;
	console_log("apic",
		    "%s: between its %u CPUs %lu interrupts, %lu NMIs, %lu INITs and start-ups; "
		    "refused %lu; its devices' messages went to another CPU %lu times",
		    vm->name, vm->cpu_count, all->sent[VM_SENT_INTERRUPT], all->sent[VM_SENT_NMI],
		    all->sent[VM_SENT_START], vm_apic_refused(vm), vm->pci.moved);
	for (uint32_t i = 0; i < vm->cpu_count; i++)
		console_log("apic",
			    "%s: CPU %u of the guest, %u of the machine: %lu exits, %lu sent",
			    vm->name, i, vm->cpu[i].machine, add_exits(&vm->cpu[i].counts),
			    vm->cpu[i].counts.sent[VM_SENT_INTERRUPT]);
}

void vm_log_exits(const struct vm *vm, uint64_t nanoseconds)
{
	const struct vm_counts counts = add_counts(vm);
	const uint64_t all = add_exits(&counts), *n = counts.exits;

	console_log("exits",
		    "%s: %lu, %lu a second: kicks %lu, ports %lu, PCI configuration %lu, MSRs %lu, "
		    "CPUID %lu, APIC %lu, device registers %lu, calls %lu, others %lu; refused %lu",
		    vm->name, all, all * (uint64_t)NS_PER_S / (nanoseconds | 1), n[VM_EXIT_KICK],
		    n[VM_EXIT_PORT], n[VM_EXIT_CONFIG], n[VM_EXIT_MSR], n[VM_EXIT_CPUID],
		    n[VM_EXIT_APIC], n[VM_EXIT_MMIO], n[VM_EXIT_CALL], n[VM_EXIT_OTHER],
		    atomic_load(&vm->refused));
	log_sent(vm, &counts);
}

void vm_log_pages(const struct vm *vm)
{
	uint64_t large = 0, small = 0, protected = 0, other = 0;
	struct sp_mapping mapping;

	for (uint64_t gfn = 0; gfn < vm->frames; gfn += mapping.count) {
		if (sp_p2m_find(vm->domain, (sp_gfn_t){ gfn }, &mapping) != SP_OK) {
			mapping.count = 1;
			other++;
		} else if (mapping.type == SP_MMIO) {
			other++;
		} else {
			large += mapping.order != 0;
			small += mapping.order == 0;
			protected += mapping.type == SP_RAM_READONLY ? mapping.count : 0;
		}
	}
	console_log("pages",
		    "%s: %lu of 2 MiB or more, %lu of 4 KiB, %lu of these protected, %lu "
		    "that are no memory",
		    vm->name, large, small, protected, other);
}
