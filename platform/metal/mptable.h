/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/mptable.h - what a guest without ACPI is told of its machine. */
#pragma once

#include <stdint.h>

/* Where a guest's kernel looks for it, and where it goes. */
#define MPTABLE_ADDRESS	   0xf0000u

/* Where a guest finds its interrupt controllers, as any PC. */
#define LOCAL_APIC_ADDRESS 0xfee00000u

struct mptable_cpu {
	uint8_t apic_id;
	uint32_t signature, features; /* CPUID 1, EAX and EDX, as the guest sees them */
};

/* `place`: one page of the guest's memory, zeroed, at MPTABLE_ADDRESS. The first CPU boots. */
#define MPTABLE_CPUS 32u
void mptable_write(void *place, const struct mptable_cpu *cpus, uint32_t count);
