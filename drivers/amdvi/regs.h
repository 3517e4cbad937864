/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/regs.h - AMD-Vi as AMD's document 48882 lays it out: registers, commands, entries, events.
 * Masks only; a field's shift is derived from its mask.
 */
#pragma once

#include "iommu/unit.h"

/* 3.4 MMIO Registers */
#define AMDVI_DEVICE_TABLE	REG64(0x0000)
#define AMDVI_COMMAND_BASE	REG64(0x0008)
#define AMDVI_EVENT_BASE	REG64(0x0010)
#define AMDVI_CONTROL		REG64(0x0018)
#define AMDVI_EXCLUSION		REG64(0x0020)
#define AMDVI_FEATURES		REG64(0x0030)
#define AMDVI_COMMAND_HEAD	REG64(0x2000)
#define AMDVI_COMMAND_TAIL	REG64(0x2008)
#define AMDVI_EVENT_HEAD	REG64(0x2010)
#define AMDVI_EVENT_TAIL	REG64(0x2018)
#define AMDVI_STATUS		REG64(0x2020)
#define REGISTER_BYTES		0x4000u
#define REGISTER_BYTES_COUNTERS 0x80000u /* with performance counters */

/* 3.4.1 Device Table Base: size in pages, less 1 */
#define DEVICE_TABLE_BASE	BITS(51, 12)
#define DEVICE_TABLE_SIZE	BITS(8, 0)

/* 3.4.1 Command Buffer Base, Event Log Base: 2^n entries of 16 bytes */
#define RING_BASE		BITS(51, 12)
#define RING_LENGTH		BITS(59, 56)
#define RING_PLACE		BITS(18, 4) /* of heads and tails, in entries */

/* 3.4.1 IOMMU Control */
#define CONTROL_ENABLE		BIT(0)
#define CONTROL_TUNNEL		BIT(1)
#define CONTROL_EVENT_LOG	BIT(2)
#define CONTROL_PASS_WRITES	BIT(8)
#define CONTROL_PASS_RESPONSES	BIT(9)
#define CONTROL_COHERENT	BIT(10)
#define CONTROL_ISOCHRONOUS	BIT(11)
#define CONTROL_COMMANDS	BIT(12)

/* 3.4.1 Extended Feature */
#define FEATURE_INVALIDATE_ALL	BIT(6)
#define FEATURE_COUNTERS	BIT(9)
#define FEATURE_LEVELS		BITS(11, 10) /* 0: 4, 1: 5, 2: 6 */

/* 3.4.11 IOMMU Status */
#define STATUS_EVENT_OVERFLOW	BIT(0)
#define STATUS_EVENT_WRITTEN	BIT(1)
#define STATUS_WAIT_DONE	BIT(2)
#define STATUS_EVENT_LOG_RUNS	BIT(3)
#define STATUS_COMMANDS_RUN	BIT(4)

/* 3.2 Capability block in configuration space */
#define CAPABILITY_ID		BITS(7, 0)
#define CAPABILITY_TYPE		BITS(18, 16)
#define CAPABILITY_IOTLB	BIT(24) /* device caches */
#define CAPABILITY_NP_CACHE	BIT(26)
#define CAPABILITY_FEATURES	BIT(27)
#define CAPABILITY_MISC		0x10u
#define MISC_VA_BITS		BITS(21, 15)

/* 2.2.2.1 Device Table Entry: 256 bits, four words */
#define DTE_BYTES		32u
#define DTE_COUNT		65536u
#define DTE0_VALID		BIT(0)
#define DTE0_TRANSLATION	BIT(1)
#define DTE0_LEVELS		BITS(11, 9)
#define DTE0_TABLE		BITS(51, 12)
#define DTE0_READ		BIT(61)
#define DTE0_WRITE		BIT(62)
#define DTE1_DOMAIN		BITS(15, 0)
#define DTE1_DEVICE_CACHE	BIT(32)	   /* I: translated requests pass */
#define DTE2_VALID		BIT(0)	   /* for interrupts; control 0: all are blocked */
#define DTE2_LENGTH		BITS(4, 1) /* 2^n entries */
#define DTE2_TABLE		BITS(51, 6)
#define DTE2_CONTROL		BITS(61, 60)
#define CONTROL_REMAPPED	2u

/* 2.2.5 Interrupt Remapping Tables: entries of 32 bits */
#define IRTE_ENABLED		0x00000001u
#define IRTE_DESTINATION	0x0000ff00u
#define IRTE_VECTOR		0x00ff0000u

#define MESSAGE_WINDOW		0xfee00000ull /* where messages go */

/* 2.4 Commands: 128 bits, low half, then high half */
#define COMMAND_OPCODE		BITS(63, 60)
#define OPCODE_WAIT		1u
#define OPCODE_DEVICE		2u
#define OPCODE_PAGES		3u
#define OPCODE_DEVICE_CACHE	4u
#define OPCODE_INTERRUPTS	5u
#define OPCODE_ALL		8u
#define WAIT_STORES		BIT(0)
#define WAIT_HOLDS		BIT(2) /* F: what follows is not begun before */
#define WAIT_PLACE		BITS(51, 3)
#define DEVICE_ID		BITS(15, 0)
#define DEVICE_DEPTH		BITS(31, 24) /* of a device's queue of invalidations */
#define DEVICE_QUEUE		BITS(47, 32)
#define PAGES_DOMAIN		BITS(47, 32)
#define PAGES_HIGH_SIZE		BIT(0) /* the address says how many pages */
#define PAGES_HIGH_LINKS	BIT(1)
#define PAGES_HIGH_ADDRESS	BITS(63, 12)

/* 2.5 Events: 128 bits, low half, then high half the address */
#define EVENT_CODE		BITS(63, 60)
#define EVENT_FLAGS		BITS(59, 48)
#define EVENT_DEVICE		BITS(15, 0)
#define EVENT_INTERRUPT		BIT(51)
#define EVENT_PRESENT		BIT(52)
#define EVENT_WRITE		BIT(53)
#define EVENT_RESERVED		BIT(55)
#define EVENT_ADDRESS		BITS(63, 12)
