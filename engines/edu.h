/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engines/edu.h - QEMU's educational PCI device, made to read and write memory on command.
 *
 * Freestanding, for guests of 32 or 64 bits and for hypervisors. One transfer at a time; a
 * transfer happens 100 ms after its start, and the device does not tell whether it arrived.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sallyport/status.h>

#define EDU_VENDOR	 0x1234u
#define EDU_DEVICE	 0x11e8u
#define EDU_BAR_BYTES	 0x100000u
#define EDU_TRANSFER_MAX 2048u /* QEMU 7.2 ends itself at 4096 */

enum edu_direction {
	EDU_FROM_BUS, /* memory to the device's buffer */
	EDU_TO_BUS,   /* the device's buffer to memory */
};

struct edu {
	uintptr_t registers; /* BAR 0, mapped uncached */
};

bool edu_is_present(const struct edu *edu);

/*
 * Aims a transfer of up to EDU_TRANSFER_MAX bytes at a bus address. SP_BUSY: one is under way.
 * SP_INVALID: no bytes, or too many. SP_RANGE: a caller of 32 bits and an address above 4 GiB.
 */
SP_MUST_USE enum sp_status edu_start(const struct edu *edu, uint64_t bus_address, uint32_t bytes,
				     enum edu_direction direction);
bool edu_is_busy(const struct edu *edu);

/* What the device itself says it was last told to do: who drove it need not be believed. */
bool edu_is_aimed(const struct edu *edu, uint64_t bus_address, uint32_t bytes,
		  enum edu_direction direction);
