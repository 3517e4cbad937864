/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/x86.h - single instructions that C has no word for, each under its own name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/* I/O ports. */
static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* Model-specific registers; one that the CPU lacks is a general protection fault. */
static inline uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline struct cpuid read_cpuid_of(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline struct cpuid read_cpuid(uint32_t leaf)
{
	return read_cpuid_of(leaf, 0);
}

/* LFENCE keeps RDTSC from running ahead of what is being timed. */
static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* APM vol. 3, RDRAND: false when the CPU has no number ready. Only where CPUID 1 ECX[30] is set. */
static inline bool read_random(uint64_t *value)
{
	uint8_t ready;

	__asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(ready) : : "cc");
	return ready != 0;
}

/* The address of the last page fault. */
static inline uint64_t read_cr2(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr2, %0" : "=r"(value));
	return value;
}

static inline uint64_t read_cr3(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr3, %0" : "=r"(value));
	return value;
}

/* Also forgets all translations of this CPU that are not global; there are no global ones. */
static inline void write_cr3(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

/* The memory clobbers keep accesses inside the section that they protect. */
static inline void interrupts_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void interrupts_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

/* Interrupts off until the caller puts back what they were. */
static inline bool interrupts_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return (flags & 0x200) != 0;
}

static inline void interrupts_restore(bool were_on)
{
	if (were_on)
		interrupts_on();
}

/* STI holds interrupts back for one instruction: none is lost between it and HLT. */
static inline void interrupts_on_and_halt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

/* Until the next interrupt; with interrupts off until an NMI, an SMI or for ever. */
static inline void halt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/* Breakpoints of this CPU. */
static inline void write_dr7(uint64_t value)
{
	__asm__ volatile("movq %0, %%dr7" : : "r"(value));
}

/* In a loop that waits: other CPUs of an emulated machine get their turn sooner. */
static inline void pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* GIF, APM vol. 2, 15.17: clear, it holds back NMIs too. Needs EFER.SVME. */
static inline void global_interrupts_off(void)
{
	__asm__ volatile("clgi" : : : "memory");
}

static inline void global_interrupts_on(void)
{
	__asm__ volatile("stgi" : : : "memory");
}

/* This CPU forgets where the address leads. */
static inline void forget_page(const volatile void *address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* The line's content is in memory when a fence that follows has passed. */
static inline void flush_line(const void *line)
{
	__asm__ volatile("clflush (%0)" : : "r"(line) : "memory");
}

static inline void memory_fence(void)
{
	__asm__ volatile("mfence" : : : "memory");
}
