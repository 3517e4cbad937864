/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/apic.h - the local APIC of the CPU that runs, in xAPIC mode. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sallyport/address.h>

/* On each CPU: on, all sources of its own masked. */
void apic_start(void);
uint32_t apic_id(void);
sp_maddr_t apic_registers(void);
void apic_end_interrupt(void);
bool apic_is_in_service(uint8_t vector);

/* A register of the CPU that runs; `offset` is a multiple of 16. */
uint32_t apic_read(uint32_t offset);
void apic_write(uint32_t offset, uint32_t value);

void apic_send(uint32_t apic_id, uint8_t vector);
void apic_send_nmi(uint32_t apic_id);
void apic_send_init(uint32_t apic_id);

/* The CPU starts in real mode at `page`, which lies below 1 MiB. */
void apic_send_startup(uint32_t apic_id, sp_maddr_t page);
