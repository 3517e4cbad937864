/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vpci_open.h - vpci's own: what vpci_add() works on. */
#pragma once

#include "platform/metal/vpci.h"

struct opening {
	struct vpci *vpci;
	const struct sp_function_info *all;
	uint32_t count;
	const struct sp_function_info *info;
	struct vpci_function *function;
	struct vpci_text *why;
};

/* Of the function itself: bytes 1, 2 or 4, aligned. */
uint32_t vpci_open_read(const struct opening *o, uint32_t offset, uint32_t bytes);

/* Says why, and answers the status. */
__attribute__((format(printf, 3, 4))) enum sp_status vpci_open_refuse(const struct opening *o,
								      enum sp_status status,
								      const char *format, ...);

/* Checks and places the base address registers. Nothing of the function is written. */
SP_MUST_USE enum sp_status vpci_open_bars(struct opening *o);

/*
 * Virtio: bytes of a vendor-specific capability that the guest is shown, 0 for none of it; and
 * whether the function may be shown at all. Its features are read, what was written for that is
 * written back.
 */
uint32_t vpci_virtio_bytes(const struct opening *o, uint32_t at);
SP_MUST_USE enum sp_status vpci_virtio_check(const struct opening *o);
