/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/cpu.c - one CPU's own tables. */
#include "platform/metal/cpu.h"

#include "platform/metal/idt.h"
#include "platform/metal/string.h"
#include "platform/metal/x86.h"

#define MSR_GS_BASE		0xc0000101
#define CPUID_EXTENDED_FEATURES 0x80000001
#define CPUID_NX		(1u << 20)
#define CPUID_HYPERVISOR	0x40000000
#define CPUID_HAS_HYPERVISOR	(1u << 31) /* CPUID 1, ECX */

#define TSS_IST1		9 /* words in the TSS, APM vol. 2, 12.2.5 */
#define TSS_IST2		11
#define TSS_IO_BASE		25
#define TSS_AVAILABLE		0x0000890000000000ull /* present, 64-bit TSS */

struct descriptor_pointer {
	uint16_t limit;
	uint16_t base[4]; /* in words: the structure needs no packing */
};

struct cpu cpus[MAX_CPUS];
uint32_t cpu_count = 1;
static uint32_t cache_line; /* every CPU writes the same */

static char trap_stacks[MAX_CPUS][2][TRAP_STACK_SIZE] __attribute__((aligned(16)));

_Static_assert(sizeof(struct descriptor_pointer) == 10, "APM vol. 2, 4.6.2 GDTR");
_Static_assert(sizeof(cpus[0].tss) == 104, "APM vol. 2, 12.2.5 64-bit TSS");

/* Stack pointers in the TSS are not aligned to 8 bytes: they are written by halves. */
static void set_stack(struct cpu *cpu, unsigned int word, const char *top)
{
	cpu->tss[word] = (uint32_t)(uintptr_t)top;
	cpu->tss[word + 1] = (uint32_t)((uintptr_t)top >> 32);
}

/* NMI and double fault come on stacks of their own: whatever they interrupt may be broken. */
static void fill_tss(struct cpu *cpu)
{
	set_stack(cpu, TSS_IST1, trap_stacks[cpu->index][0] + TRAP_STACK_SIZE);
	set_stack(cpu, TSS_IST2, trap_stacks[cpu->index][1] + TRAP_STACK_SIZE);
	cpu->tss[TSS_IO_BASE] = (uint32_t)sizeof(cpu->tss) << 16;
}

static void fill_gdt(struct cpu *cpu)
{
	uint64_t base = (uintptr_t)cpu->tss;

	cpu->gdt[SELECTOR_CODE / 8] = GDT_CODE64;
	cpu->gdt[SELECTOR_DATA / 8] = GDT_DATA;
	cpu->gdt[SELECTOR_TSS / 8] = TSS_AVAILABLE | (sizeof(cpu->tss) - 1) |
				     (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	cpu->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

/* The boot GDT has the same selectors, so the segment registers may stay as they are. */
static void load_gdt(const struct cpu *cpu)
{
	struct descriptor_pointer pointer = { .limit = sizeof(cpu->gdt) - 1 };
	uint64_t base = (uintptr_t)cpu->gdt;

	memcpy(pointer.base, &base, sizeof(base));
	__asm__ volatile("lgdt %0" : : "m"(pointer) : "memory");
	__asm__ volatile("ltr %0" : : "r"((uint16_t)SELECTOR_TSS));
}

/* The nested tables may use NX only if the host's EFER does (APM vol. 2, 15.25.5). */
static void enable_nx(void)
{
	if (read_cpuid(CPUID_EXTENDED_FEATURES).edx & CPUID_NX)
		write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
}

/* CPUID 1, EBX[15:8], in quadwords; 64 bytes where it says nothing. */
static void find_cache_line(void)
{
	uint32_t bytes = (read_cpuid(1).ebx >> 8 & 0xff) * 8;

	cache_line = bytes != 0 ? bytes : 64;
}

void cpu_start(struct cpu *cpu)
{
	find_cache_line();
	cpu->self = cpu;
	cpu->index = (uint32_t)(cpu - cpus);
	fill_tss(cpu);
	fill_gdt(cpu);
	load_gdt(cpu);
	write_msr(MSR_GS_BASE, (uintptr_t)cpu);
	idt_load();
	enable_nx();
}

/* Keeps the ending zero at the last byte. */
static void trim(char *text, size_t size)
{
	size_t used = 0;

	while (used < size - 1 && text[used] != '\0')
		used++;
	while (used > 0 && text[used - 1] == ' ')
		used--;
	text[used] = '\0';
}

/* CPUID 8000_0002 to 8000_0004 hold 48 characters, padded with blanks by some. */
struct cpu_name cpu_name(void)
{
	struct cpu_name name = { { 0 } };
	struct cpuid vendor = read_cpuid(0);

	if (read_cpuid(0x80000000).eax < 0x80000004) {
		memcpy(name.chars, &vendor.ebx, 4);
		memcpy(name.chars + 4, &vendor.edx, 4);
		memcpy(name.chars + 8, &vendor.ecx, 4);
		return name;
	}
	for (uint32_t i = 0; i < 3; i++) {
		struct cpuid part = read_cpuid(0x80000002 + i);

		memcpy(name.chars + i * sizeof(part), &part, sizeof(part));
	}
	trim(name.chars, sizeof(name.chars));
	return name;
}

uint32_t cpu_cache_line(void)
{
	return cache_line;
}

/* Hypervisors name themselves at 4000_0000, where hardware has no leaf. */
bool cpu_is_emulated(void)
{
	struct cpuid name = read_cpuid(CPUID_HYPERVISOR);

	return (read_cpuid(1).ecx & CPUID_HAS_HYPERVISOR) && memcmp(&name.ebx, "TCGT", 4) == 0;
}
