/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/context.c - which table a device's DMA meets. 48882 2.2.2 Device Table.
 *
 *   table[requester] --> | table, levels, rights | domain id | interrupts | - |      four words of 64 bits
 *
 * Every entry is there from the beginning, blocked: valid, translating, over an empty table, no rights, no
 * interrupts. An entry with V or TV clear would be open, and is never written.
 */
#include "drivers/amdvi/unit.h"

#include "memory.h"

#define ENTRY_WORDS (DTE_BYTES / 8)

enum sp_status amdvi_frames_take(struct amdvi_unit *amdvi, uint32_t order, sp_mfn_t *frame)
{
	struct sp_host *host = amdvi->unit.host;
	enum sp_status status =
		platform_frames_take(host->embedder, host->limits.node, order, frame);

	if (status != SP_OK) {
		frame->mfn = 0;
		return status;
	}
	/* The unit reads nothing of it before an entry or a register leads there: no walker sees these stores. */
	__builtin_memset(amdvi_pointer(amdvi, *frame), 0, (size_t)SP_FRAME_BYTES << order);
	return SP_OK;
}

static void give(struct amdvi_unit *amdvi, uint32_t order, sp_mfn_t *frame)
{
	if (frame->mfn)
		platform_frames_give(amdvi->unit.host->embedder, *frame, order);
	frame->mfn = 0;
}

static void give_interrupt_tables(struct amdvi_unit *amdvi)
{
	uint32_t i;

	for (i = 0; i < amdvi->requester_count; i++)
		amdvi_remap_give(amdvi, amdvi->requesters[i]);
	amdvi->requester_count = 0;
}

void amdvi_memory_give(struct amdvi_unit *amdvi)
{
	if (amdvi->table.mfn)
		give_interrupt_tables(amdvi);
	give(amdvi, TABLE_ORDER, &amdvi->table);
	give(amdvi, 0, &amdvi->empty);
	give(amdvi, QUEUE_ORDER, &amdvi->ring);
	give(amdvi, 0, &amdvi->completion);
	give(amdvi, 0, &amdvi->events);
}

static enum sp_status take_all(struct amdvi_unit *amdvi)
{
	enum sp_status status = amdvi_frames_take(amdvi, TABLE_ORDER, &amdvi->table);

	if (status == SP_OK)
		status = amdvi_frames_take(amdvi, 0, &amdvi->empty);
	if (status == SP_OK)
		status = amdvi_frames_take(amdvi, QUEUE_ORDER, &amdvi->ring);
	if (status == SP_OK)
		status = amdvi_frames_take(amdvi, 0, &amdvi->completion);
	if (status == SP_OK)
		status = amdvi_frames_take(amdvi, 0, &amdvi->events);
	return status;
}

/* The first two words of an entry. */
static struct descriptor entry_for(sp_mfn_t table, uint32_t levels, uint64_t rights,
				   uint16_t domain)
{
	return (struct descriptor){ DTE0_VALID | DTE0_TRANSLATION | rights |
					    field_put(DTE0_LEVELS, levels) |
					    field_put(DTE0_TABLE, table.mfn),
				    field_put(DTE1_DOMAIN, domain) };
}

/* Under the domain id that no domain is given: name_count - 1 is the last of theirs. */
static struct descriptor blocked_entry(const struct amdvi_unit *amdvi)
{
	return entry_for(amdvi->empty, 4, 0, (uint16_t)amdvi->unit.name_count);
}

/* The unit does not know of the table yet: plain stores do. */
static void block_everybody(struct amdvi_unit *amdvi)
{
	struct descriptor blocked = blocked_entry(amdvi);
	uint64_t *word = amdvi_pointer(amdvi, amdvi->table);
	uint32_t i;

	for (i = 0; i < DTE_COUNT; i++, word += ENTRY_WORDS) {
		word[0] = blocked.low;
		word[1] = blocked.high;
		word[2] = DTE2_VALID;
	}
}

enum sp_status amdvi_memory_take(struct amdvi_unit *amdvi)
{
	enum sp_status status;

	if (amdvi->events.mfn)
		return SP_OK;
	status = take_all(amdvi);
	if (status == SP_OK)
		block_everybody(amdvi);
	else
		amdvi_memory_give(amdvi);
	return status;
}

static bool is_known(const struct amdvi_unit *amdvi, uint16_t requester)
{
	uint32_t i;

	for (i = 0; i < amdvi->requester_count; i++)
		if (amdvi->requesters[i] == requester)
			return true;
	return false;
}

enum sp_status amdvi_prepare_entry(struct unit *unit, uint16_t requester)
{
	struct amdvi_unit *amdvi = amdvi_unit_of(unit);
	enum sp_status status = amdvi_memory_take(amdvi);

	if (status != SP_OK || is_known(amdvi, requester))
		return status;
	if (amdvi->requester_count == REQUESTERS) {
		amdvi_log(amdvi, SP_LOG_ERROR, "more requester ids than the driver keeps");
		return SP_NO_SPACE;
	}
	amdvi->requesters[amdvi->requester_count++] = requester;
	return SP_OK;
}

uint64_t *amdvi_device_entry(const struct amdvi_unit *amdvi, uint16_t requester)
{
	return (uint64_t *)amdvi_pointer(amdvi, amdvi->table) + (size_t)requester * ENTRY_WORDS;
}

/*
 * Table, rights and domain id are the low 128 bits and change in one store: what a request meets is the old entry
 * or the new one (XSA-347). The high half, interrupts, stays as it is, so no third state lies between. The mutant
 * shows the new table under the old domain id.
 */
static void publish(struct amdvi_unit *amdvi, uint16_t requester, struct descriptor entry)
{
	uint64_t *slot = amdvi_device_entry(amdvi, requester);

	write_barrier();
	if (MUTANT(amdvi->unit.host, SP_MUT_ENTRY_CLEARED))
		store128(slot, 0, 0);
	if (MUTANT(amdvi->unit.host, SP_MUT_PRESENT_FIRST)) {
		store64(slot, entry.low);
		store64(slot + 1, entry.high);
	} else {
		store128(slot, entry.low, entry.high);
	}
}

void amdvi_attach(struct unit *unit, uint16_t requester, const struct unit_entry *entry)
{
	struct descriptor device =
		entry_for(entry->root, entry->levels, DTE0_READ | DTE0_WRITE, entry->name);

	if (entry->ats)
		device.high |= DTE1_DEVICE_CACHE;
	publish(amdvi_unit_of(unit), requester, device);
}

void amdvi_fence(struct unit *unit, uint16_t requester)
{
	struct amdvi_unit *amdvi = amdvi_unit_of(unit);

	if (amdvi->table.mfn)
		publish(amdvi, requester, blocked_entry(amdvi));
}

_Static_assert(DTE_COUNT *DTE_BYTES == SP_FRAME_BYTES << TABLE_ORDER,
	       "48882 2.2.2.1: entries of 256 bits");
_Static_assert((DTE0_LEVELS & -DTE0_LEVELS) == BIT(9), "48882 2.2.2.1: Mode is bits 11:9");
