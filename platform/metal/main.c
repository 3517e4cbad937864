/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/main.c - the order in which the reference hypervisor comes up.
 *
 *   options -> memory -> this CPU -> ACPI, time -> SVM -> all CPUs -> PCI -> what run= says
 */
#include "engines/edu.h"
#include "platform/metal/acpi.h"
#include "platform/metal/apic.h"
#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/idt.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/multiboot.h"
#include "platform/metal/nested_selftest.h"
#include "platform/metal/options.h"
#include "platform/metal/paging.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/pci_list.h"
#include "platform/metal/print.h"
#include "platform/metal/serial.h"
#include "platform/metal/smp.h"
#include "platform/metal/svm.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define VERSION	      "0.1.0"
#define START_WITHIN  (2 * NS_PER_S)
#define BYTES_PER_MIB 0x100000u

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
	f = memory_figures();
	paging_uncache_from(f.top_of_low_ram);
	console_log("memory", "%lu MiB of RAM, %lu MiB of it free; top of low RAM 0x%lx",
		    f.ram_bytes / BYTES_PER_MIB, f.frames_free * SP_FRAME_BYTES / BYTES_PER_MIB,
		    f.top_of_low_ram.maddr);
	console_log("memory", "image 0x%lx-0x%lx", memory_image_start().maddr,
		    memory_image_end().maddr);
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

static void log_iommu_tables(void)
{
	const bool dmar = acpi_find("DMAR").table != NULL;
	const bool ivrs = acpi_find("IVRS").table != NULL;

	console_log("acpi", "%s",
		    dmar && ivrs ? "DMAR and IVRS: VT-d and AMD-Vi units"
		    : dmar	 ? "DMAR: VT-d units"
		    : ivrs	 ? "IVRS: AMD-Vi units"
				 : "neither DMAR nor IVRS: no IOMMU");
}

/* For looking at the machine from outside, with a debugger or a monitor. */
static _Noreturn void idle(void)
{
	console_log("idle", "nothing runs; the machine waits for ever");
	for (;;)
		interrupts_on_and_halt();
}

static void run(const struct options *options)
{
	sp_sbdf_t edu = { 0 };
	bool has_edu = pci_list_find(EDU_VENDOR, EDU_DEVICE, &edu);

	if (options->run == RUN_IDLE)
		idle();
	if (cpu_count < 2)
		machine_refuse(
			"a guest needs a CPU of its own; give the machine two or more (QEMU: -smp 2)");
	machine_end(nested_selftest_run(edu, has_edu));
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
	log_iommu_tables();
	time_start();
	svm_start();
	smp_start();
	start_svm_everywhere();
	pci_config_start();
	pci_list_log();
	run(&options);
}
