/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/remap.c - which message a device may send. 48882 2.2.5 Interrupt Remapping Tables.
 *
 *   table[requester] --> the requester's own interrupt table --> entry[message's data]: vector, destination
 *
 * An entry does not say who may use it, so no two requesters share a table (XSA-36). Until the first entry of a
 * requester is written it has no table, and the device table entry blocks every message.
 */
#include "drivers/amdvi/unit.h"

#include "memory.h"

static bool has_table(uint64_t word)
{
	return field_get(word, DTE2_CONTROL) == CONTROL_REMAPPED;
}

static sp_mfn_t table_of(uint64_t word)
{
	return sp_mfn_from_maddr((sp_maddr_t){ word & DTE2_TABLE });
}

/* Fixed delivery, edge, physical destination. */
static uint32_t entry_for(const struct irte *irte)
{
	if (!irte->present)
		return 0;
	return (uint32_t)(IRTE_ENABLED | field_put(IRTE_DESTINATION, irte->destination) |
			  field_put(IRTE_VECTOR, irte->vector));
}

/* The third word alone changes, in one store: interrupts blocked before, remapped by a table of nothing after. */
static enum sp_status give_table(struct amdvi_unit *amdvi, uint64_t *word)
{
	sp_mfn_t table;
	enum sp_status status = amdvi_frames_take(amdvi, INTERRUPT_ORDER, &table);

	if (status != SP_OK)
		return status;
	write_barrier();
	store64(word, DTE2_VALID | field_put(DTE2_LENGTH, order_floor(INTERRUPT_ENTRIES)) |
			      sp_maddr_from_mfn(table).maddr |
			      field_put(DTE2_CONTROL, CONTROL_REMAPPED));
	return SP_OK;
}

static enum sp_status check(const struct amdvi_unit *amdvi, uint32_t index, const struct irte *irte)
{
	if (!amdvi->table.mfn)
		return SP_UNSUPPORTED;
	if (index >= INTERRUPT_ENTRIES)
		return SP_RANGE;
	/* Wider destinations need entries of 128 bits and every CPU in x2APIC mode. */
	if (irte->present && irte->destination > 0xff)
		return SP_UNSUPPORTED;
	return SP_OK;
}

static void store_entry(struct amdvi_unit *amdvi, uint64_t word, uint32_t index,
			const struct irte *irte)
{
	store32((uint32_t *)amdvi_pointer(amdvi, table_of(word)) + index, entry_for(irte));
}

/* One store, then the unit is told; the old entry may be used until it has answered. */
static enum sp_status write_entry(struct amdvi_unit *amdvi, uint64_t word, uint32_t index,
				  const struct irte *irte)
{
	struct unit *unit = &amdvi->unit;
	enum sp_status status = SP_OK;

	lock_take(&unit->queue, unit->host->embedder);
	if (unit->observer.lost) {
		if (!irte->present)
			store_entry(amdvi, word, index, irte);
		status = SP_LOST;
	} else if (!amdvi_queue_has_room(amdvi, 3)) {
		status = SP_BUSY;
	} else {
		store_entry(amdvi, word, index, irte);
		if (!MUTANT(unit->host, SP_MUT_MESSAGE_UNPAID))
			amdvi_queue_forget_interrupts(amdvi, irte->requester);
	}
	lock_drop(&unit->queue);
	return status;
}

/* 2.2.5: the low bits of the data are the index; what lies above in them would be a delivery mode. */
struct sp_message amdvi_message_for(uint32_t index)
{
	return (struct sp_message){ MESSAGE_WINDOW, index };
}

enum sp_status amdvi_set_irte(struct unit *unit, uint32_t index, const struct irte *irte)
{
	struct amdvi_unit *amdvi = amdvi_unit_of(unit);
	enum sp_status status = check(amdvi, index, irte);
	uint64_t *word;

	if (status == SP_OK)
		status = amdvi_prepare_entry(unit, irte->requester);
	if (status != SP_OK)
		return status;
	word = amdvi_device_entry(amdvi, irte->requester) + 2;
	if (!has_table(load64(word)))
		status = give_table(amdvi, word);
	if (status != SP_OK)
		return status;
	return write_entry(amdvi, load64(word), index, irte);
}

/* The unit does not read the device table any more. */
void amdvi_remap_give(struct amdvi_unit *amdvi, uint16_t requester)
{
	uint64_t word = load64(amdvi_device_entry(amdvi, requester) + 2);

	if (has_table(word))
		platform_frames_give(amdvi->unit.host->embedder, table_of(word), INTERRUPT_ORDER);
}

_Static_assert(INTERRUPT_ENTRIES * sizeof(uint32_t) == SP_FRAME_BYTES << INTERRUPT_ORDER,
	       "48882 2.2.5: entries of 32 bits");
