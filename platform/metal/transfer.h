/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/transfer.h - one DMA of the edu device, seen to be done, and what the unit says of
 * it.
 *
 * The device's own registers tell that it was started, at what, and that it is over; whoever drives
 * it is not asked.
 */
#pragma once

#include "platform/metal/stage.h"

struct transfer {
	struct guest *driver; /* NULL: the hypervisor */
	uint64_t address;     /* what the device puts on the bus */
	uint32_t bytes;
	enum edu_direction direction;
};

/* False: the device was not seen busy with just that. */
bool transfer_begin(struct stage *stage, const struct transfer *transfer);
/* False: the device is busy still, long after its 100 ms. */
bool transfer_end(struct stage *stage);
bool transfer_run(struct stage *stage, const struct transfer *transfer);

/* What to add to the evidence: "; fault: <record>", or nothing. */
struct fault_line {
	char text[160];
};

/* Takes all records there are and logs each; answers the first one of the edu device. */
struct fault_line transfer_faults(struct stage *stage);
