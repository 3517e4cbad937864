/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/context.c - which table a device's DMA meets. VT-d 9.1 Root Entry, 9.3 Context Entry; in scalable
 * mode the ways of pasid.c.
 *
 *   root[bus] --> context[device.function] --> domain id, page table
 *
 * An absent root or context entry blocks and reports (7.1.3, reasons 1 and 2): whoever was never attached
 * reaches nothing. Once attached, an entry stays present for ever and only leads elsewhere.
 */
#include "drivers/vtd/unit.h"

#include "memory.h"

#define ENTRY_BYTES 16u

/* The unit reads nothing of it before an entry or a register leads there, so no walker sees these stores. */
enum sp_status vtd_frames_take(struct vtd_unit *vtd, uint32_t order, sp_mfn_t *frame)
{
	struct sp_host *host = vtd->unit.host;
	size_t bytes = (size_t)SP_FRAME_BYTES << order;
	enum sp_status status =
		platform_frames_take(host->embedder, host->limits.node, order, frame);

	if (status != SP_OK) {
		frame->mfn = 0;
		return status;
	}
	__builtin_memset(vtd_pointer(vtd, *frame), 0, bytes);
	/* In scalable mode entries may snoop where walks do not: the empty table is walked. */
	if (!vtd->coherent || !vtd->unit.coherent)
		platform_write_back(host->embedder, vtd_pointer(vtd, *frame), bytes);
	return SP_OK;
}

void vtd_frames_give(struct vtd_unit *vtd, uint32_t order, sp_mfn_t *frame)
{
	if (frame->mfn)
		platform_frames_give(vtd->unit.host->embedder, *frame, order);
	frame->mfn = 0;
}

static uint64_t *root_entry(const struct vtd_unit *vtd, uint32_t bus)
{
	return (uint64_t *)vtd_pointer(vtd, vtd->root) + 2 * bus;
}

static void give_context_tables(struct vtd_unit *vtd)
{
	uint32_t bus;

	for (bus = 0; bus < 256; bus++) {
		uint64_t low = load64(root_entry(vtd, bus));
		sp_mfn_t table = { field_get(low, ROOT_TABLE) };

		if (low & ROOT_PRESENT)
			vtd_frames_give(vtd, 0, &table);
	}
}

void vtd_memory_give(struct vtd_unit *vtd)
{
	if (vtd->root.mfn && vtd->unit.scalable)
		vtd_pasid_give(vtd);
	else if (vtd->root.mfn)
		give_context_tables(vtd);
	vtd_frames_give(vtd, 0, &vtd->root);
	vtd_frames_give(vtd, 0, &vtd->empty);
	vtd_frames_give(vtd, QUEUE_ORDER, &vtd->ring);
	vtd_frames_give(vtd, 0, &vtd->completion);
	vtd_frames_give(vtd, 0, &vtd->interrupts);
}

static enum sp_status take_all(struct vtd_unit *vtd)
{
	enum sp_status status = vtd_frames_take(vtd, 0, &vtd->root);

	if (status == SP_OK)
		status = vtd_frames_take(vtd, 0, &vtd->empty);
	if (status == SP_OK)
		status = vtd_frames_take(vtd, QUEUE_ORDER, &vtd->ring);
	if (status == SP_OK)
		status = vtd_frames_take(vtd, 0, &vtd->completion);
	if (status == SP_OK)
		status = vtd_frames_take(vtd, 0, &vtd->interrupts);
	return status;
}

enum sp_status vtd_memory_take(struct vtd_unit *vtd)
{
	enum sp_status status;

	if (vtd->interrupts.mfn)
		return SP_OK;
	status = take_all(vtd);
	if (status != SP_OK)
		vtd_memory_give(vtd);
	return status;
}

void vtd_link(struct vtd_unit *vtd, uint64_t *entry, uint64_t value)
{
	write_barrier();
	store64(entry, value);
	vtd_write_back(vtd, entry, sizeof(*entry));
}

enum sp_status vtd_prepare_entry(struct unit *unit, uint16_t requester)
{
	struct vtd_unit *vtd = vtd_unit_of(unit);
	enum sp_status status = vtd_memory_take(vtd);
	uint32_t bus = requester >> 8;
	sp_mfn_t table;

	if (status == SP_OK && unit->scalable)
		return vtd_pasid_prepare(vtd, requester);
	if (status != SP_OK || load64(root_entry(vtd, bus)) & ROOT_PRESENT)
		return status;
	status = vtd_frames_take(vtd, 0, &table);
	if (status == SP_OK)
		vtd_link(vtd, root_entry(vtd, bus),
			 field_put(ROOT_TABLE, table.mfn) | ROOT_PRESENT);
	return status;
}

static uint64_t *context_entry(const struct vtd_unit *vtd, uint16_t requester)
{
	sp_mfn_t table = { field_get(load64(root_entry(vtd, requester >> 8)), ROOT_TABLE) };

	return (uint64_t *)vtd_pointer(vtd, table) + 2 * (requester & 0xff);
}

/*
 * VT-d 6.2.2.1: domain id and table change together, in one 16-byte store. In two, a walk between them would
 * tag translations of one table with the other's domain id, and no later invalidation would find them.
 */
void vtd_publish(struct vtd_unit *vtd, uint64_t *slot, struct descriptor entry)
{
	write_barrier();
	/* As memset may: the domain id goes while the entry is present. */
	if (MUTANT(vtd->unit.host, SP_MUT_ENTRY_CLEARED)) {
		store64(slot + 1, 0);
		store64(slot, 0);
	}
	if (MUTANT(vtd->unit.host, SP_MUT_PRESENT_FIRST)) {
		store64(slot, entry.low);
		store64(slot + 1, entry.high);
	} else {
		store128(slot, entry.low, entry.high);
	}
	vtd_write_back(vtd, slot, ENTRY_BYTES);
}

static struct descriptor context_for(sp_mfn_t table, uint32_t levels, uint16_t domain)
{
	return (struct descriptor){ field_put(CONTEXT_TABLE, table.mfn) | CONTEXT_PRESENT,
				    field_put(CONTEXT_HIGH_WIDTH, levels - 2) |
					    field_put(CONTEXT_HIGH_DOMAIN, domain) };
}

void vtd_attach(struct unit *unit, uint16_t requester, const struct unit_entry *entry)
{
	struct vtd_unit *vtd = vtd_unit_of(unit);
	struct descriptor context = context_for(entry->root, entry->levels, entry->name);

	if (unit->scalable) {
		vtd_pasid_attach(vtd, requester, entry);
		return;
	}
	if (entry->ats)
		context.low |= CONTEXT_DEVICE_CACHE;
	vtd_publish(vtd, context_entry(vtd, requester), context);
}

static bool is_prepared(const struct vtd_unit *vtd, uint16_t requester)
{
	if (vtd->unit.scalable)
		return vtd_pasid_is_prepared(vtd, requester);
	return load64(root_entry(vtd, requester >> 8)) & ROOT_PRESENT;
}

/* Under the domain id that no domain is given: name_count - 1 is the last of theirs. */
void vtd_fence(struct unit *unit, uint16_t requester)
{
	const struct vtd_unit *vtd = vtd_unit_of(unit);
	const struct unit_entry blocked = { .root = vtd->empty,
					    .levels = (uint8_t)order_floor(unit->levels),
					    .name = (uint16_t)unit->name_count };

	if (is_prepared(vtd, requester))
		vtd_attach(unit, requester, &blocked);
}

_Static_assert(sizeof(struct descriptor) == ENTRY_BYTES, "VT-d 9.3 Context Entry");
_Static_assert(256 * ENTRY_BYTES == SP_FRAME_BYTES,
	       "VT-d 9.1: 256 root entries, 9.3: 256 context entries a table");
