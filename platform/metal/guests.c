/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guests.c - the guests that run=guests starts, to their end.
 *
 *   guest.conf --> struct guest_conf, compared with the machine --> struct vm[] --> CPUs 1, 2 ..
 *
 * This is CPU 0's part: it starts the guests, moves the library forward, reads the units' faults, and
 * takes everything back.
 */
#include "platform/metal/guests.h"

#include "lib/mutant.h"
#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/faults.h"
#include "platform/metal/guest_conf.h"
#include "platform/metal/machine.h"
#include "platform/metal/machine_host.h"
#include "platform/metal/memory.h"
#include "platform/metal/monitor.h"
#include "platform/metal/nvme_virtual.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/print.h"
#include "platform/metal/time.h"
#include "platform/metal/vm_load.h"
#include "platform/metal/vpci_registers.h"
#include "platform/metal/x86.h"

#define CONF_SUFFIX    ".conf"
#define MODULES_MAX    16u
#define SETTLE_ROUNDS  64u
#define STOP_WITHIN    (2 * NS_PER_S)
#define FAULTS_AT_ONCE 64u /* a device that faults faster than we read keeps nobody here */
#define LOOK_AFTER     (1 * NS_PER_MS)
#define CHECK_AFTER    (1 * NS_PER_S)

static struct guest_conf conf; /* CPU 0; these are too large for its stack */
static struct conf_mistakes mistakes;
static struct vm vms[CONF_GUESTS];
static struct faults faults;

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	return length;
}

static void refuse_mistakes(void)
{
	for (uint32_t i = 0; i < mistakes.count && i < CONF_MISTAKES; i++)
		console_line("%s", mistakes.text[i]);
	machine_refuse("%u mistake%s in %s; no guest was started", mistakes.count,
		       mistakes.count == 1 ? "" : "s", mistakes.file);
}

static uint32_t list_modules(struct conf_module *list)
{
	const struct module *module;
	uint32_t count = 0;

	while (count < MODULES_MAX && (module = module_at(count)) != NULL)
		list[count++] = (struct conf_module){ module->name, module->bytes };
	return count;
}

/* One CPU is the hypervisor's. */
static void check(struct sp_host *host)
{
	static struct sp_function_info functions[FUNCTIONS_MAX];
	struct conf_module modules[MODULES_MAX];
	struct conf_machine machine = {
		.module = modules,
		.module_count = list_modules(modules),
		.memory = memory_figures().frames_free * SP_FRAME_BYTES,
		.cpus = cpu_count - 1,
		.function = functions,
	};

	while (machine.function_count < FUNCTIONS_MAX &&
	       sp_function_info(host, machine.function_count, &functions[machine.function_count]) ==
		       SP_OK)
		machine.function_count++;
	if (!guest_conf_check(&conf, &machine, &mistakes))
		refuse_mistakes();
}

static const struct module *find_conf(void)
{
	const struct module *module = module_find_suffix(CONF_SUFFIX);

	if (module != NULL)
		return module;
	machine_refuse("run=guests needs a module that says which, guest.conf; QEMU: "
		       "-initrd \"guest.conf,vmlinuz,initrd.gz\"");
}

static void read_conf(struct sp_host *host)
{
	const struct module *file = find_conf();

	conf_mistakes_begin(&mistakes, file->name);
	if (!guest_conf_parse(file->content, file->bytes, &conf, &mistakes))
		refuse_mistakes();
	check(host);
}

static void give_devices(struct vm *vm, const struct conf_guest *guest)
{
	struct vpci_text why;

	for (uint32_t i = 0; i < guest->device_count; i++) {
		if (vm_pci_give(vm, guest->device[i].sbdf, &why) != SP_OK)
			machine_refuse("%s:%u: guest %s: device %s", mistakes.file,
				       guest->device[i].line, guest->name, why.chars);
		console_log("guest", "%s has %s", vm->name,
			    print_sbdf(guest->device[i].sbdf).chars);
	}
}

/* Before it has functions, some of which are refused otherwise. */
static void leave_out(struct vm *vm, enum option_leave_out what)
{
	vm->apic.mutant = what == LEAVE_OUT_SMP ? SP_MUT_COMMAND_UNCHECKED : SP_MUT_NONE;
	vm->mutant = what == LEAVE_OUT_SMP ? SP_MUT_TABLE_UNPAUSED : SP_MUT_NONE;
	vm->pci.bus.mutant = what == LEAVE_OUT_VIRTIO ? SP_MUT_PLATFORM_UNCHECKED : SP_MUT_NONE;
}

static void create(struct vm *vm, const struct conf_guest *guest, struct sp_host *host,
		   const struct vm_config *place, enum option_leave_out left_out)
{
	const struct vm_config config = { .name = guest->name,
					  .name_length = length_of(guest->name),
					  .number = place->number,
					  .bytes = guest->memory,
					  .first_cpu = place->first_cpu,
					  .cpu_count = guest->cpus,
					  .acpi = guest->acpi,
					  .tables = place->tables,
					  .balloon = guest->balloon,
					  .faults = guest->faults,
					  .is_silent = guest->console == CONF_CONSOLE_NONE };
	const struct vm_files files = { .kernel = module_at(guest->kernel_module),
					.initrd = module_at(guest->initrd_module),
					.command_line = guest->command_line };
	const char *amiss;
	enum sp_status status;

	status = vm_create(vm, host, &config);
	if (status != SP_OK)
		machine_refuse("guest %s: no memory of %lu MiB in one piece (%s)", guest->name,
			       guest->memory >> 20, sp_status_text(status));
	amiss = vm_load(vm, &files);
	if (amiss != NULL)
		machine_refuse("%s:%u: guest %s: %s", mistakes.file, guest->line, vm->name, amiss);
	console_log("guest", "%s: %lu MiB from gfn 0 on, from mfn 0x%lx on, on %s", vm->name,
		    guest->memory >> 20, vm->memory.mfn, vm_cpus_text(vm).chars);
	leave_out(vm, left_out);
	guests_settle_faults(host);
	give_devices(vm, guest);
}

struct vm *guests_at(uint32_t index)
{
	return index < conf.guest_count ? &vms[index] : NULL;
}

const struct faults *guests_faults(void)
{
	return &faults;
}

static bool any_runs(void)
{
	for (uint32_t i = 0; i < conf.guest_count; i++) {
		if (atomic_load(&vms[i].state) == VM_RUNNING)
			return true;
	}
	return false;
}

const char *guests_owner(sp_sbdf_t function)
{
	for (uint32_t i = 0; i < conf.guest_count; i++) {
		if (vpci_find(&vms[i].pci.bus, function) != NULL)
			return vms[i].name;
	}
	return "nobody";
}

/* Bus mastering off, entries blocked, until its release sees a reset work. */
static void stop_function(struct sp_host *host, sp_sbdf_t function)
{
	const enum sp_status status = sp_function_fence(host, function);
	const bool is_master = pci_config_read(function, CONFIG_COMMAND, 2) & COMMAND_MASTER;

	console_log("fault",
		    "%s of %s: more than %u in a second, it is stopped, bus mastering %s (%s)",
		    print_sbdf(function).chars, guests_owner(function), FAULTS_STORM,
		    is_master ? "on" : "off", sp_status_text(status));
}

/* True: there may be more. */
static bool read_faults(struct sp_host *host)
{
	struct sp_fault fault;
	uint32_t count = 0;
	char text[160];

	for (; count < FAULTS_AT_ONCE && sp_iommu_next_fault(host, &fault) == SP_OK; count++) {
		for (uint32_t i = 0; i < conf.guest_count; i++)
			vm_pci_note_fault(&vms[i], &fault);
		switch (faults_note(&faults, &fault, time_now())) {
		case FAULTS_SAY:
			sp_fault_text(&fault, text, sizeof(text));
			console_log("fault", "%s: %s", guests_owner(fault.requester), text);
			break;
		case FAULTS_STOP:
			stop_function(host, fault.requester);
			break;
		case FAULTS_COUNT:
			break;
		}
	}
	return count == FAULTS_AT_ONCE;
}

/* Others may fault meanwhile, so there need not be an end. */
void guests_settle_faults(struct sp_host *host)
{
	for (uint32_t i = 0; i < SETTLE_ROUNDS && read_faults(host); i++)
		continue;
}

/* A server whose CPUs have left maps nothing any more: whoever waits for it goes on. */
static void bury_servers(void)
{
	for (uint32_t i = 0; i < conf.guest_count; i++) {
		if (vms[i].serve.served != NULL && atomic_load(&vms[i].state) == VM_ENDED &&
		    vm_wait(&vms[i], 0))
			serve_end(&vms[i]);
	}
}

static void serve(struct sp_host *host)
{
	uint64_t checked = time_now();

	while (any_runs()) {
		(void)sp_progress(host, SP_STEP_SLOTS);
		(void)read_faults(host);
		monitor_look();
		bury_servers();
		if (time_now() - checked > CHECK_AFTER) {
			(void)balloon_check(false);
			checked = time_now();
		}
		vm_apic_sleep(LOOK_AFTER);
	}
}

/* How many there were of each function, also of those that nothing was said of. */
static void log_faults(const struct vm *vm)
{
	const struct vpci *bus = &vm->pci.bus;

	for (uint32_t i = 0; i < bus->function_count; i++) {
		const struct faults_of *of = faults_find(&faults, bus->function[i].sbdf);

		if (of != NULL)
			console_log("faults", "%s: %s %lu in all%s", vm->name,
				    print_sbdf(of->function).chars, of->count,
				    of->stopped ? ", stopped" : "");
	}
}

/* Everything that it was given is to come back. */
static bool end(struct vm *vm, uint64_t started)
{
	enum sp_status status;

	if (!vm_wait(vm, STOP_WITHIN)) {
		console_log("guest", "%s does not leave %s", vm->name, vm_cpus_text(vm).chars);
		return false;
	}
	console_log("guest", "%s ended: %s", vm->name, vm->why);
	vm_log_exits(vm, time_now() - started);
	log_faults(vm);
	status = vm_pci_take_all(vm);
	if (status != SP_OK)
		console_log("guest", "%s does not give its devices back: %s", vm->name,
			    sp_status_text(status));
	return vm_destroy(vm) && status == SP_OK;
}

static void begin_serving(void)
{
	for (uint32_t i = 0; i < conf.guest_count; i++) {
		const struct conf_guest *guest = &conf.guest[i];

		if (guest->said[CONF_SERVES] != 0 && !serve_begin(&vms[i], &vms[guest->served]))
			machine_refuse("%s:%u: guest %s: no memory for its ring, or %s has %u "
				       "servers already",
				       mistakes.file, guest->said[CONF_SERVES], guest->name,
				       vms[guest->served].name, SP_MAX_OBSERVERS);
	}
}

/* CPU 0 is the hypervisor's; each guest has the next ones. */
static void create_all(struct sp_host *host, enum sp_tables tables, enum option_leave_out left_out)
{
	struct vm_config place = { .first_cpu = 1, .tables = tables };

	for (uint32_t i = 0; i < conf.guest_count; i++) {
		place.number = i + 1;
		create(&vms[i], &conf.guest[i], host, &place, left_out);
		place.first_cpu += conf.guest[i].cpus;
	}
}

bool guests_run(struct sp_host *host, enum sp_tables tables, bool typing_to_guest,
		enum option_leave_out left_out)
{
	uint64_t started;
	bool whole;

	read_conf(host);
	vm_apic_measure();
	nvme_virtual_begin(host);
	create_all(host, tables, left_out);
	begin_serving();
	started = time_now();
	monitor_start(host, typing_to_guest ? &vms[0] : NULL);
	for (uint32_t i = 0; i < conf.guest_count; i++)
		vm_start(&vms[i]);
	serve(host);
	for (uint32_t i = 0; i < conf.guest_count; i++) {
		if (vm_wait(&vms[i], STOP_WITHIN))
			serve_end(&vms[i]);
	}
	whole = balloon_check(true);
	for (uint32_t i = 0; i < conf.guest_count; i++)
		whole = end(&vms[i], started) && whole;
	return nvme_virtual_end() && whole;
}
