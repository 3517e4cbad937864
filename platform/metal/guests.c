/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guests.c - the guests that run=guests starts, to their end.
 */
#include "platform/metal/guests.h"

#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/machine.h"
#include "platform/metal/print.h"
#include "platform/metal/smp.h"
#include "platform/metal/string.h"
#include "platform/metal/time.h"
#include "platform/metal/vm_load.h"
#include "platform/metal/x86.h"

#define GUESTS_MAX  4u
#define STOP_WITHIN (2 * NS_PER_S)

static struct vm vms[GUESTS_MAX];

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	return length;
}

static void create(struct vm *vm, struct sp_host *host, enum sp_tables tables)
{
	struct vm_files files = { .initrd = { .bytes = 0 } };
	struct vm_config config = { .name = "debian",
				    .name_length = 6,
				    .number = 1,
				    .bytes = 256u << 20,
				    .cpu = 1,
				    .tables = tables };
	enum sp_status status;
	const char *amiss;

	if (!module_find("vmlinuz", 7, &files.kernel))
		machine_refuse("no module vmlinuz");
	(void)module_find("initrd.gz", 9, &files.initrd);
	files.command_line = files.kernel.words;
	files.command_line_length = length_of(files.kernel.words);
	status = vm_create(vm, host, &config);
	if (status != SP_OK)
		machine_refuse("guest: %s", sp_status_text(status));
	amiss = vm_load(vm, &files);
	if (amiss != NULL)
		machine_refuse("guest %s: %s", vm->name, amiss);
}

bool guests_run(struct sp_host *host, enum sp_tables tables)
{
	struct vm *vm = &vms[0];
	uint64_t started;

	module_log_all();
	vm_apic_measure();
	create(vm, host, tables);
	started = time_now();
	vm_start(vm);
	while (atomic_load(&vm->state) == VM_RUNNING) {
		(void)sp_progress(host, SP_STEP_SLOTS);
		time_wait(10 * NS_PER_MS);
	}
	(void)smp_wait(vm->cpu, STOP_WITHIN);
	console_log("guest", "%s ended: %s", vm->name, vm->why);
	vm_log_exits(vm, time_now() - started);
	return vm_destroy(vm);
}
