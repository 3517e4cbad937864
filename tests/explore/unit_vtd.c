/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/unit_vtd.c - a VT-d unit as drivers/vtd knows it, started; its queue is drivers/vtd/queue.c.
 */
#include "drivers/vtd/unit.h"

#include "unit_driver.h"

struct made_unit vtd_make(const struct unit_place *place)
{
	struct vtd_unit *vtd = (void *)unit_new(place->host, sizeof(*vtd), &vtd_ops);

	if (!vtd)
		return (struct made_unit){ NULL, NULL, NULL };
	vtd->unit.registers.maddr = place->registers;
	vtd->unit.observer.column = COLUMN_VTD;
	vtd->unit.observer.widest_order = 18;
	vtd->unit.name_count = 256;
	vtd->unit.asked = vtd->unit.reached = place->number;
	vtd->coherent = vtd->unit.coherent = true;
	vtd->ring.mfn = place->ring;
	vtd->completion.mfn = place->completion;
	vtd_queue_reset(vtd);
	vtd->unit.started = true;
	return (struct made_unit){ &vtd->unit.observer, &vtd->unit.queue, &vtd->unit.reached };
}

_Static_assert(QUEUE_DESCRIPTORS == RING_SLOTS, "16 frames of descriptors of 16 bytes");
