/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vacpi.h - what a guest with acpi=on is told of its machine.
 *
 * A machine without the old fixed hardware ("hardware-reduced"): CPUs, configuration space by memory,
 * a way to reset and one to switch off.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Kernels look for the first table from e0000 to fffff; all of them are there. */
#define VACPI_ADDRESS	    0xf0000u
#define VACPI_BYTES	    0x10000u

/* Bus 0's configuration space, right below the APICs; dsdt.asl has it too. */
#define VACPI_ECAM	    0xfeb00000u

/* Ports. ACPI 6.3, 4.8.3.7: type of sleep in bits 4:2, and bit 5 to begin it. */
#define VACPI_SLEEP_CONTROL 0x600u
#define VACPI_SLEEP_STATUS  0x601u
#define VACPI_SWITCH_OFF    0x34u
#define VACPI_RESET	    0xcf9u
#define VACPI_RESET_VALUE   0x06u

#define VACPI_CPUS	    32u

struct vacpi_machine {
	uint32_t cpu_count;
	uint8_t apic_id[VACPI_CPUS]; /* the first one boots */
	uint64_t low_first, low_end; /* room for registers of functions; not an inclusive end */
	uint64_t high_first, high_end;
};

/* `place`: VACPI_BYTES of the guest's memory, zeroed, at VACPI_ADDRESS. */
void vacpi_write(void *place, const struct vacpi_machine *machine);
