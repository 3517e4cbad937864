/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_load.c - a Linux kernel into a guest's memory, by the 32-bit boot protocol
 * (Documentation/x86/boot.rst of the kernel, protocol 2.10 and above).
 *
 *   10000  boot parameters (the "zero page")     20000  command line
 *   f0000  MP table, or ACPI's                 1000000  kernel, where it prefers to be
 *   ffff0  reset
 *   ....   initial RAM disk, at the end of memory
 *
 *   bzImage:  | boot sector, setup code, (setup_sects + 1) * 512 | protected mode code ... |
 */
#include "platform/metal/vm_load.h"

#include "platform/metal/memory.h"
#include "platform/metal/mptable.h"
#include "platform/metal/print.h"
#include "platform/metal/string.h"
#include "platform/metal/time.h"
#include "platform/metal/vacpi.h"
#include "platform/metal/vm_cpuid.h"
#include "platform/metal/vmcb.h"

#define BOOT_PARAMETERS	     0x10000u
#define COMMAND_LINE	     0x20000u
#define COMMAND_LINE_BYTES   0x800u
#define LOW_END		     0x9f000u
#define ROMS_END	     0x100000u
#define RESET_VECTOR	     0xffff0u

/* Offsets in the boot parameters; the setup header has the same in the file. */
#define E820_COUNT	     0x1e8
#define HEADER		     0x1f1
#define SETUP_SECTORS	     0x1f1
#define JUMP_LENGTH	     0x201
#define MAGIC		     0x202
#define VERSION		     0x206
#define LOADER_TYPE	     0x210
#define LOAD_FLAGS	     0x211
#define CODE32_START	     0x214
#define INITRD_ADDRESS	     0x218
#define INITRD_BYTES	     0x21c
#define COMMAND_LINE_POINTER 0x228
#define INITRD_LAST	     0x22c
#define COMMAND_LINE_SIZE    0x238
#define PREFERRED	     0x258
#define INIT_BYTES	     0x260
#define E820_TABLE	     0x2d0
#define SECTOR		     512u
#define HEADER_LAST	     0x280u /* no header reached so far */

#define MAGIC_VALUE	     0x53726448u /* "HdrS" */
#define VERSION_NEEDED	     0x020au
#define LOADED_HIGH	     0x01u
#define LOADER_UNKNOWN	     0xffu
#define E820_RAM	     1u
#define E820_RESERVED	     2u

struct e820_entry {
	uint64_t first, bytes;
	uint32_t type;
} __attribute__((packed));

/* The file's bytes lie as they like. */
static uint32_t read32(const void *at, size_t offset)
{
	uint32_t value;

	memcpy(&value, (const char *)at + offset, sizeof(value));
	return value;
}

static void write32(void *at, size_t offset, uint64_t value)
{
	const uint32_t narrow = (uint32_t)value;

	memcpy((char *)at + offset, &narrow, sizeof(narrow));
}

/* The block is in one piece, and nothing was taken from it yet. */
static char *at(const struct vm *vm, uint64_t address)
{
	return (char *)memory_frame(vm->memory) + address;
}

static size_t setup_bytes(const uint8_t *file)
{
	return (file[SETUP_SECTORS] != 0 ? file[SETUP_SECTORS] + 1u : 5u) * SECTOR;
}

static const char *check_kernel(const struct vm *vm, const struct module *kernel)
{
	const uint8_t *file = kernel->content;

	if (kernel->bytes < 2 * SECTOR || read32(file, MAGIC) != MAGIC_VALUE)
		return "the kernel is no bzImage";
	if ((read32(file, VERSION) & 0xffff) < VERSION_NEEDED)
		return "the kernel speaks a boot protocol older than 2.10";
	if (!(file[LOAD_FLAGS] & LOADED_HIGH) || setup_bytes(file) >= kernel->bytes)
		return "the kernel is no bzImage that is loaded above 1 MiB";
	if ((uint64_t)read32(file, PREFERRED) + read32(file, INIT_BYTES) >
	    vm->frames * SP_FRAME_BYTES)
		return "the guest has too little memory for this kernel";
	return NULL;
}

static const char *load_kernel(const struct vm *vm, const struct module *kernel)
{
	const uint8_t *file = kernel->content;
	const size_t setup = setup_bytes(file);
	const uint32_t end = MAGIC + file[JUMP_LENGTH];
	char *parameters = at(vm, BOOT_PARAMETERS);

	if (kernel->bytes - setup > read32(file, INIT_BYTES) || end > HEADER_LAST)
		return "the kernel's header contradicts its size";
	memcpy(at(vm, read32(file, PREFERRED)), file + setup, kernel->bytes - setup);
	memcpy(parameters + HEADER, file + HEADER, end - HEADER);
	parameters[LOADER_TYPE] = (char)LOADER_UNKNOWN;
	write32(parameters, CODE32_START, read32(file, PREFERRED));
	return NULL;
}

/* As high as it may lie, so that it is out of the kernel's way. */
static const char *load_initrd(const struct vm *vm, const struct module *initrd)
{
	char *parameters = at(vm, BOOT_PARAMETERS);
	const uint64_t kernel_end =
		(uint64_t)read32(parameters, CODE32_START) + read32(parameters, INIT_BYTES);
	uint64_t end = vm->frames * SP_FRAME_BYTES;
	uint64_t first;

	if (initrd == NULL || initrd->bytes == 0)
		return NULL;
	if (end > read32(parameters, INITRD_LAST) + 1ull)
		end = read32(parameters, INITRD_LAST) + 1ull;
	if (initrd->bytes > end || end - initrd->bytes < kernel_end)
		return "the guest has too little memory for its initial RAM disk";
	first = (end - initrd->bytes) & ~(uint64_t)(SP_FRAME_BYTES - 1);
	memcpy(at(vm, first), initrd->content, initrd->bytes);
	write32(parameters, INITRD_ADDRESS, first);
	write32(parameters, INITRD_BYTES, initrd->bytes);
	return NULL;
}

/*
 * What the guest finds by no table: where there is no ACPI, that, and configuration space by ports;
 * and the rate of the TSC, for which it has no timer to measure by.
 */
static const char *write_command_line(const struct vm *vm, const struct vm_files *files)
{
	char *line = at(vm, COMMAND_LINE), *parameters = at(vm, BOOT_PARAMETERS);
	const size_t used = print(line, COMMAND_LINE_BYTES, "%stsc=reliable tsc_early_khz=%lu %.*s",
				  vm->acpi ? "" : "acpi=off pci=conf1 ", time_tsc_khz(),
				  (int)files->command_line.length, files->command_line.at);

	if (used + 1 >= COMMAND_LINE_BYTES || used > read32(parameters, COMMAND_LINE_SIZE))
		return "the command line is too long";
	write32(parameters, COMMAND_LINE_POINTER, COMMAND_LINE);
	return NULL;
}

static void write_memory_map(const struct vm *vm)
{
	const struct e820_entry map[] = {
		{ 0, LOW_END, E820_RAM },
		{ ROMS_END, vm->frames * SP_FRAME_BYTES - ROMS_END, E820_RAM },
		{ VACPI_ECAM, VPCI_ECAM_BYTES, E820_RESERVED },
	};
	const size_t count = sizeof(map) / sizeof(map[0]) - (vm->acpi ? 0 : 1);
	char *parameters = at(vm, BOOT_PARAMETERS);

	parameters[E820_COUNT] = (char)count;
	memcpy(parameters + E820_TABLE, map, count * sizeof(map[0]));
}

/*
 * Where a CPU of a PC begins, and where some kernels jump to start the machine anew: Linux does with
 * "hardware-reduced" ACPI, for which it wants EFI. mov $cf9,%dx; mov $6,%al; out %al,(%dx); hlt; jmp
 */
static void write_reset_vector(const struct vm *vm)
{
	static const uint8_t code[] = { 0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, 0xf4, 0xeb, 0xfd };

	memcpy(at(vm, RESET_VECTOR), code, sizeof(code));
}

static void write_acpi(const struct vm *vm)
{
	const struct vpci *bus = &vm->pci.bus;
	struct vacpi_machine machine = { .cpu_count = vm->cpu_count,
					 .low_first = bus->low.first,
					 .low_end = bus->low.end,
					 .high_first = bus->high.first,
					 .high_end = bus->high.end };

	for (uint32_t i = 0; i < vm->cpu_count; i++)
		machine.apic_id[i] = (uint8_t)vm->apic.cpu[i].id;
	vacpi_write(at(vm, VACPI_ADDRESS), &machine);
}

static void write_mptable(const struct vm *vm)
{
	const struct cpuid cpuid = vm_cpuid(&vm->cpu[0], 1, 0);
	struct mptable_cpu cpu[VM_CPUS];

	for (uint32_t i = 0; i < vm->cpu_count; i++)
		cpu[i] = (struct mptable_cpu){ (uint8_t)vm->apic.cpu[i].id, cpuid.eax, cpuid.edx };
	mptable_write(at(vm, MPTABLE_ADDRESS), cpu, vm->cpu_count);
}

const char *vm_load(struct vm *vm, const struct vm_files *files)
{
	const char *amiss = check_kernel(vm, files->kernel);

	if (amiss == NULL)
		amiss = load_kernel(vm, files->kernel);
	if (amiss == NULL)
		amiss = load_initrd(vm, files->initrd);
	if (amiss == NULL)
		amiss = write_command_line(vm, files);
	if (amiss != NULL)
		return amiss;
	write_memory_map(vm);
	write_reset_vector(vm);
	if (vm->acpi)
		write_acpi(vm);
	else
		write_mptable(vm);
	vm->cpu[0].vcpu.vmcb->rip = read32(at(vm, BOOT_PARAMETERS), CODE32_START);
	vm->cpu[0].vcpu.registers = (struct svm_registers){ .rsi = BOOT_PARAMETERS };
	return NULL;
}

_Static_assert(sizeof(struct e820_entry) == 20, "boot.rst, e820_table");
