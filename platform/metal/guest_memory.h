/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guest_memory.h - a guest's memory: what lies where, and changes that are waited
 * for.
 *
 *   block of 8 MiB   | 2 MiB      | 2 MiB      | 2 MiB            | 2 MiB            |
 *   mapped at        GUEST_BASE   GUEST_LARGE  GUEST_SMALL,       GUEST_WHOLE,
 *                    one page     one page     from the end down  from the end down
 *
 * Frames in falling order never make a run, so those pages stay 4 KiB pages.
 */
#pragma once

#include "platform/metal/guest.h"

/* The block, zeroed; no frame of it has the number that it is mapped at. False: not enough RAM. */
bool guest_memory_take(struct guest *guest);
void guest_memory_give(struct guest *guest);

/* Everything but registers, as drawn above. */
SP_MUST_USE enum sp_status guest_memory_map_all(struct guest *guest);

/* The frame that lies behind an address at first; an unused one, n < 256. */
sp_mfn_t guest_memory_home(const struct guest *guest, uint32_t address);
sp_mfn_t guest_memory_spare(const struct guest *guest, uint32_t n);

/*
 * All of it, and forgotten by everybody on return: repeats what was refused as busy, goes on where
 * a call stopped, waits. `count` in frames.
 */
SP_MUST_USE enum sp_status guest_memory_map(struct guest *guest, uint32_t address, sp_mfn_t frame,
					    uint64_t count);
/* Registers, for the CPU alone; they are not counted among the frames that must come back. */
SP_MUST_USE enum sp_status guest_memory_map_registers(struct guest *guest, uint32_t address,
						      sp_mfn_t frame, uint64_t count);
SP_MUST_USE enum sp_status guest_memory_unmap(struct guest *guest, uint32_t address,
					      uint64_t count);
SP_MUST_USE enum sp_status guest_memory_set_type(struct guest *guest, uint32_t address,
						 uint64_t count, enum sp_type type);

/* Frames of the guest's memory whose gfn is their mfn: none, or the demo would prove nothing. */
uint64_t guest_memory_count_identical(struct guest *guest);

sp_gfn_t guest_gfn(uint32_t address);
