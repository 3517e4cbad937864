/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/sriov_place.h - where the registers of virtual functions lie.
 */
#pragma once

#include "pci/function.h"

/* Of all virtual functions together, from one BAR of the capability on. */
struct vf_registers {
	uint64_t address, bytes; /* of the first one's; 0 bytes: there are none */
	bool prefetchable, wide;
};

/*
 * Where firmware put it, if that is within the window, and nobody else is there; else at the lowest free
 * place of the window. `placed` are others of the same function. SP_NO_SPACE, logged.
 */
SP_MUST_USE enum sp_status sriov_place(const struct sp_host *host, const struct function *physical,
				       const struct sp_window *window, uint32_t count,
				       const struct vf_registers placed[SP_BARS],
				       struct vf_registers *registers);
