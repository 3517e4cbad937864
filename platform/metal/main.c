/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/main.c - the order in which the reference hypervisor comes up.
 *
 *   options -> memory -> this CPU -> ACPI, time -> SVM -> all CPUs -> IOMMU, PCI -> guests
 *   -> what run= says
 */
#include "lib/mutant.h"
#include "platform/metal/acpi.h"
#include "platform/metal/apic.h"
#include "platform/metal/console.h"
#include "platform/metal/controls.h"
#include "platform/metal/cpu.h"
#include "platform/metal/engines.h"
#include "platform/metal/guests.h"
#include "platform/metal/idt.h"
#include "platform/metal/machine.h"
#include "platform/metal/machine_host.h"
#include "platform/metal/memory.h"
#include "platform/metal/module.h"
#include "platform/metal/multiboot.h"
#include "platform/metal/options.h"
#include "platform/metal/paging.h"
#include "platform/metal/patch.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/rows.h"
#include "platform/metal/serial.h"
#include "platform/metal/smp.h"
#include "platform/metal/svm.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define VERSION	      "0.1.0"
#define START_WITHIN  (2 * NS_PER_S)
#define BYTES_PER_MIB 0x100000u

static struct stage stage; /* CPU 0; the guests' CPUs have their part of it */

void boot_main(uint32_t magic, const struct multiboot_info *info);

/* In the loader's memory, which is never given out. */
static const char *command_line(const struct multiboot_info *info)
{
	if (!(info->flags & MULTIBOOT_HAS_COMMAND_LINE))
		return "";
	return memory_pointer((sp_maddr_t){ info->command_line });
}

static struct options read_options(const struct multiboot_info *info)
{
	struct options options;
	struct option_error error;

	if (!options_parse(command_line(info), &options, &error))
		machine_refuse("%s", error.text);
	if (options.help) {
		options_print_help();
		machine_end(true);
	}
	console_log("options", "tables=%s run=%s (help=1 explains them)",
		    options_word_of_tables(&options), options_word_of_run(&options));
	return options;
}

/* The first thing that touches a device register comes after this. */
static void start_memory(const struct multiboot_info *info)
{
	struct memory_figures f;

	memory_start(info);
	module_start(info);
	f = memory_figures();
	paging_uncache_from(f.top_of_low_ram);
	console_log("memory", "%lu MiB of RAM, %lu MiB of it free; top of low RAM 0x%lx",
		    f.ram_bytes / BYTES_PER_MIB, f.frames_free * SP_FRAME_BYTES / BYTES_PER_MIB,
		    f.top_of_low_ram.maddr);
	console_log("memory", "image 0x%lx-0x%lx, tables and state up to 0x%lx, guests above",
		    memory_image_start().maddr, memory_image_end().maddr, memory_own_end().maddr);
	if (f.high_bytes != 0)
		console_log("memory", "%lu MiB above 4 GiB are not used",
			    f.high_bytes / BYTES_PER_MIB);
}

/* From here on an exception prints its line instead of resetting the machine. */
static void start_this_cpu(void)
{
	idt_start();
	cpu_start(&cpus[0]);
	apic_start();
	cpus[0].apic_id = apic_id();
	atomic_store(&cpus[0].online, true);
	interrupts_on();
	console_log("cpu", "%s", cpu_name().chars);
}

/* A CPU that did not answer now would not answer a kick either. */
static void start_svm_everywhere(void)
{
	svm_start_cpu(NULL);
	for (uint32_t i = 1; i < cpu_count; i++) {
		smp_run(i, svm_start_cpu, NULL);
		if (!smp_wait(i, START_WITHIN))
			machine_refuse("CPU %u does not answer; boot with fewer CPUs", i);
	}
}

/* For looking at the machine from outside, with a debugger or a monitor. */
static _Noreturn void idle(void)
{
	console_log("idle", "nothing runs; the machine waits for ever");
	for (;;)
		interrupts_on_and_halt();
}

static enum sp_tables tables_of(const struct options *options)
{
	return options->tables == TABLES_SHARED ? SP_TABLES_SHARED : SP_TABLES_SEPARATE;
}

static bool run_controls(void)
{
	bool good;

	controls_check(&stage);
	good = controls_without_translation(&stage);
	stage_open(&stage);
	return controls_with_defects(&stage) && good;
}

/* For the controls of what guests show: the core's guard, if it is one, and the word for the guests'. */
static enum option_leave_out leave_out(struct sp_host *host, const struct options *options)
{
	const enum option_leave_out what = (enum option_leave_out)options->leave_out;
	const enum sp_mutant mutant = what == LEAVE_OUT_EXCHANGE ? SP_MUT_REPLACE_UNPAID
				      : what == LEAVE_OUT_SERVE	 ? SP_MUT_EMULATOR_NOT_AWAITED
								 : SP_MUT_NONE;

	if (what != LEAVE_OUT_NOTHING && sp_mutant_choose(host, mutant) != SP_OK)
		machine_refuse(
			"leave-out needs the image with mutants: start sallyport-mutants.elf");
	return what;
}

/* A leak is a failure; so is a frame that does not come back in the end. */
static void run(const struct options *options)
{
	struct sp_host *host = machine_host_create(options->vtd == VTD_SCALABLE);
	bool good;

	if (options->vf_count != 0 && options->run != RUN_GUESTS)
		machine_refuse("option vfs: virtual functions are for guests; say run=guests too");
	if (options->vf_count != 0)
		machine_host_enable_vfs(host, options->physical, options->vf_count);
	if (options->run == RUN_IDLE) {
		machine_host_start(host);
		idle();
	}
	if (options->run == RUN_GUESTS) {
		machine_host_start(host);
		machine_end(guests_run(host, tables_of(options), options->typing == TYPING_GUEST,
				       leave_out(host, options)));
	}
	stage_create(&stage, host, tables_of(options));
	if (options->run == RUN_CONTROLS) {
		good = run_controls();
	} else if (options->run == RUN_ENGINES) {
		stage_open(&stage);
		good = engines_run(&stage);
	} else if (options->run == RUN_PATCH) {
		stage_open(&stage);
		good = patch_run(&stage);
	} else {
		stage_open(&stage);
		good = rows_run(&stage);
	}
	machine_end(stage_close(&stage) && good);
}

/* From boot.S, on the first CPU, interrupts off. */
void boot_main(uint32_t magic, const struct multiboot_info *info)
{
	struct options options;

	serial_start();
	console_line("Sallyport %s, reference hypervisor", VERSION);
	if (magic != MULTIBOOT_LOADER_MAGIC)
		machine_refuse("not started by a multiboot 1 loader (magic 0x%x); QEMU: -kernel",
			       magic);
	options = read_options(info);
	start_memory(info);
	start_this_cpu();
	acpi_start();
	time_start();
	svm_start();
	smp_start();
	start_svm_everywhere();
	pci_config_start();
	run(&options);
}
