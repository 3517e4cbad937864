/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/unit_amdvi.c - an AMD-Vi unit as drivers/amdvi knows it, started; its queue is
 * drivers/amdvi/queue.c.
 */
#include "drivers/amdvi/unit.h"

#include "unit_driver.h"

struct made_unit amdvi_make(const struct unit_place *place)
{
	struct amdvi_unit *amdvi = (void *)unit_new(place->host, sizeof(*amdvi), &amdvi_ops);

	if (!amdvi)
		return (struct made_unit){ NULL, NULL, NULL };
	amdvi->unit.registers.maddr = place->registers;
	amdvi->unit.observer.column = COLUMN_AMDVI;
	amdvi->unit.observer.widest_order = 51;
	amdvi->unit.name_count = 256;
	amdvi->unit.asked = amdvi->unit.reached = place->number;
	amdvi->features = FEATURE_INVALIDATE_ALL;
	amdvi->ring.mfn = place->ring;
	amdvi->completion.mfn = place->completion;
	amdvi_queue_reset(amdvi);
	amdvi->unit.started = true;
	return (struct made_unit){ &amdvi->unit.observer, &amdvi->unit.queue,
				   &amdvi->unit.reached };
}

_Static_assert(QUEUE_DESCRIPTORS == RING_SLOTS, "16 frames of commands of 16 bytes");
