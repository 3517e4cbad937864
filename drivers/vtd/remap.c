/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/remap.c - which message a device may send. VT-d 5.1, 9.10 Interrupt Remapping Table Entry.
 *
 *   device's message: index --> entry[index]: who may use it, vector, destination
 */
#include "drivers/vtd/unit.h"

#include "memory.h"

/* Fixed delivery, edge, physical destination; and only from the requester it was made for. */
static struct descriptor entry_for(const struct irte *irte)
{
	if (!irte->present)
		return (struct descriptor){ 0, 0 };
	return (struct descriptor){ IRTE_PRESENT | field_put(IRTE_VECTOR, irte->vector) |
					    field_put(IRTE_DESTINATION, irte->destination),
				    field_put(IRTE_HIGH_SOURCE, irte->requester) |
					    field_put(IRTE_HIGH_VALIDATION, VALIDATE_SOURCE) };
}

static enum sp_status check(const struct vtd_unit *vtd, uint32_t index, const struct irte *irte)
{
	if (!vtd->unit.interrupt_remapping || !vtd->interrupts.mfn)
		return SP_UNSUPPORTED;
	if (index >= INTERRUPT_ENTRIES)
		return SP_RANGE;
	/* Extended destinations need every CPU in x2APIC mode, which the core does not ask of the embedder. */
	if (irte->present && irte->destination > 0xff)
		return SP_UNSUPPORTED;
	return SP_OK;
}

/* 5.1.5.2: the remappable format, without a subhandle: the data is not looked at. */
struct sp_message vtd_message_for(uint32_t index)
{
	return (struct sp_message){ MESSAGE_WINDOW | MESSAGE_REMAPPABLE |
					    field_put(MESSAGE_INDEX, index) |
					    field_put(MESSAGE_INDEX_15, index >> 15),
				    0 };
}

static void write_entry(struct vtd_unit *vtd, uint32_t index, struct descriptor entry)
{
	uint64_t *slot = (uint64_t *)vtd_pointer(vtd, vtd->interrupts) + 2 * index;

	store128(slot, entry.low, entry.high);
	vtd_write_back(vtd, slot, sizeof(entry));
}

/* One store, then the unit is told; the old entry may be used until it has answered. */
enum sp_status vtd_set_irte(struct unit *unit, uint32_t index, const struct irte *irte)
{
	struct vtd_unit *vtd = vtd_unit_of(unit);
	enum sp_status status = check(vtd, index, irte);
	struct descriptor entry = entry_for(irte);

	if (status != SP_OK)
		return status;
	lock_take(&unit->queue, unit->host->embedder);
	if (unit->observer.lost) {
		if (!irte->present)
			write_entry(vtd, index, entry);
		status = SP_LOST;
	} else if (!vtd_queue_has_room(vtd, 1)) {
		status = SP_BUSY;
	} else {
		write_entry(vtd, index, entry);
		if (!MUTANT(unit->host, SP_MUT_MESSAGE_UNPAID))
			vtd_queue_forget_interrupt(vtd, index);
	}
	lock_drop(&unit->queue);
	return status;
}

_Static_assert(INTERRUPT_ENTRIES * sizeof(struct descriptor) == SP_FRAME_BYTES,
	       "VT-d 9.10: entries of 16 bytes");
