/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/physical.h - for programs of a Linux guest: its physical memory, an 82574's registers, and the
 * hypervisor's calls. Whatever cannot be done ends the program with a line that says so.
 *
 * The kernel's pages are found by /proc/kcore, a program's own by /proc/self/pagemap, registers by /dev/mem
 * (with iomem=relaxed on the kernel's command line).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "platform/metal/hypercall.h"

#define PHYSICAL_PAGE	    4096u

/* 82574 data sheet, 10.2: the first queues. */
#define PORT_CONTROL	    0x0000u
#define PORT_RECEIVE	    0x0100u
#define PORT_RECEIVE_LOW    0x2800u
#define PORT_RECEIVE_HIGH   0x2804u
#define PORT_RECEIVE_BYTES  0x2808u
#define PORT_RECEIVE_HEAD   0x2810u
#define PORT_RECEIVE_TAIL   0x2818u
#define PORT_TRANSMIT_LOW   0x3800u
#define PORT_TRANSMIT_HIGH  0x3804u
#define PORT_TRANSMIT_BYTES 0x3808u

/* The legacy layout: the buffer stays when the port has filled it. */
struct port_descriptor {
	uint64_t buffer, status;
};

/* What is said before the program ends: "WORD: cannot WHAT". */
void physical_name(const char *word);
_Noreturn void physical_fail(const char *what);

/* Locked, small pages, filled with 5a. */
void *physical_take(uint32_t pages);
uint64_t physical_gfn(const void *page);
void physical_read(uint64_t address, void *to, size_t bytes);

/* Registers; `bar` is their address as text. */
volatile uint32_t *physical_port(const char *bar);
volatile void *physical_registers(uint64_t address, size_t bytes);

static inline uint32_t port_read(const volatile uint32_t *port, uint32_t at)
{
	return port[at / 4];
}

static inline void port_write(volatile uint32_t *port, uint32_t at, uint32_t value)
{
	port[at / 4] = value;
}

/* The descriptor of a ring of this many, counted round. */
struct port_descriptor physical_received(const volatile uint32_t *port, uint32_t at);

/* platform/metal/hypercall.h */
int64_t physical_call(uint64_t number, uint64_t first, uint64_t count);
