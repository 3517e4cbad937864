/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vpci_fixture.h - a machine of five functions whose every write is seen, and a guest's
 * PCI bus over them.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"
#include "platform/metal/vpci.h"
#include "platform/metal/vpci_registers.h"

#define SPACES	5u
#define NIC	1u /* by index: MSI, MSI-X, power, PCI Express and more that is hidden */
#define PLAIN	2u /* one 32-bit BAR, nothing else */
#define DEVFN	8u /* of the first function that is added */
#define POWER	0xc8u
#define MSI	0xd0u
#define EXPRESS 0xe0u
#define MSIX	0xa0u
#define VPD	0x60u
#define KIB	1024u

struct machine {
	uint8_t space[SPACES][4096];
	struct sp_function_info info[SPACES];
	uint32_t writes; /* of all functions, without those at their opening */
	uint32_t written_offset, written_bytes, written_value;
	struct vpci vpci;
	struct vpci_text why;
};

extern struct machine machine;

int vpci_machine(void **state); /* a cmocka set-up; nothing is shown yet */

/* The machine's own configuration space. */
uint32_t config_get(uint32_t index, uint32_t offset, uint32_t bytes);
void config_put(uint32_t index, uint32_t offset, uint32_t bytes, uint32_t value);
void config_set_bar(uint32_t index, uint32_t bar, uint64_t address, uint64_t bytes, uint32_t flags);
void config_set_capability(uint32_t index, uint32_t at, uint32_t id, uint32_t next);

/* Shows a function of the machine to the guest. */
enum sp_status guest_add(uint32_t index);

/* What the guest does to the first one that was added; `write` answers what it asks for. */
uint32_t guest_read(uint32_t offset, uint32_t bytes);
uint32_t guest_write(uint32_t offset, uint32_t bytes, uint32_t value);
