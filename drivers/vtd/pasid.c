/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/pasid.c - scalable mode: which table a device's DMA meets. VT-d 9.2 Scalable-Mode Root Entry, 9.4
 * Context Entry, 9.5 PASID Directory Entry, 9.6 PASID Table Entry.
 *
 *   root[bus]: lower, upper --> context[device.function] --> directory[0] --> entry[0]: domain id, page table
 *              functions 0-127, 128-255     RID_PASID 0
 *
 * Requests without PASID use entry 0 of the function's own table; with PASID none passes (PASIDE = 0). All up to
 * the last entry is made by prepare and then stays: only that entry leads elsewhere, and the context entry opens or
 * closes the way for translated requests. An absent PASID entry blocks and reports.
 */
#include "drivers/vtd/unit.h"

#include "memory.h"

#define HALF_FUNCTIONS 128u
#define CONTEXT_WORDS  4u
#define PASID_WORDS    8u

/* A root entry is two words, one for each half of its bus. */
static uint64_t *half_entry(const struct vtd_unit *vtd, uint32_t half)
{
	return (uint64_t *)vtd_pointer(vtd, vtd->root) + half;
}

static uint64_t *context_in(const struct vtd_unit *vtd, uint32_t half, uint32_t function)
{
	sp_mfn_t table = { field_get(load64(half_entry(vtd, half)), ROOT_TABLE) };

	return (uint64_t *)vtd_pointer(vtd, table) + CONTEXT_WORDS * function;
}

static uint64_t *context_entry(const struct vtd_unit *vtd, uint16_t requester)
{
	return context_in(vtd, requester / HALF_FUNCTIONS, requester % HALF_FUNCTIONS);
}

static sp_mfn_t directory_of(uint64_t context)
{
	return (sp_mfn_t){ field_get(context, SCALABLE_DIRECTORY) };
}

static sp_mfn_t table_of(const struct vtd_unit *vtd, uint64_t context)
{
	const uint64_t *directory = vtd_pointer(vtd, directory_of(context));

	return (sp_mfn_t){ field_get(load64(directory), DIRECTORY_TABLE) };
}

bool vtd_pasid_is_prepared(const struct vtd_unit *vtd, uint16_t requester)
{
	return load64(half_entry(vtd, requester / HALF_FUNCTIONS)) & ROOT_PRESENT &&
	       load64(context_entry(vtd, requester)) & CONTEXT_PRESENT;
}

static void give_context(struct vtd_unit *vtd, uint64_t context)
{
	sp_mfn_t directory = directory_of(context), table;

	if (!(context & CONTEXT_PRESENT))
		return;
	table = table_of(vtd, context);
	vtd_frames_give(vtd, 0, &table);
	vtd_frames_give(vtd, 0, &directory);
}

void vtd_pasid_give(struct vtd_unit *vtd)
{
	for (uint32_t half = 0; half < 2 * 256; half++) {
		uint64_t low = load64(half_entry(vtd, half));
		sp_mfn_t table = { field_get(low, ROOT_TABLE) };

		if (!(low & ROOT_PRESENT))
			continue;
		for (uint32_t i = 0; i < HALF_FUNCTIONS; i++)
			give_context(vtd, load64(context_in(vtd, half, i)));
		vtd_frames_give(vtd, 0, &table);
	}
}

static enum sp_status prepare_half(struct vtd_unit *vtd, uint32_t half)
{
	enum sp_status status;
	sp_mfn_t table;

	if (load64(half_entry(vtd, half)) & ROOT_PRESENT)
		return SP_OK;
	status = vtd_frames_take(vtd, 0, &table);
	if (status == SP_OK)
		vtd_link(vtd, half_entry(vtd, half),
			 field_put(ROOT_TABLE, table.mfn) | ROOT_PRESENT);
	return status;
}

/* 128 PASIDs at least have room in a directory (PDTS = 0); one is used. */
static enum sp_status prepare_context(struct vtd_unit *vtd, uint64_t *context)
{
	sp_mfn_t directory, table;
	enum sp_status status = vtd_frames_take(vtd, 0, &directory);

	if (status != SP_OK)
		return status;
	status = vtd_frames_take(vtd, 0, &table);
	if (status != SP_OK) {
		vtd_frames_give(vtd, 0, &directory);
		return status;
	}
	vtd_link(vtd, vtd_pointer(vtd, directory),
		 field_put(DIRECTORY_TABLE, table.mfn) | DIRECTORY_PRESENT);
	/* The other words are zero: RID_PASID is 0. So the entry shows whole. */
	vtd_link(vtd, context, field_put(SCALABLE_DIRECTORY, directory.mfn) | CONTEXT_PRESENT);
	return SP_OK;
}

enum sp_status vtd_pasid_prepare(struct vtd_unit *vtd, uint16_t requester)
{
	enum sp_status status = prepare_half(vtd, requester / HALF_FUNCTIONS);

	if (status != SP_OK || vtd_pasid_is_prepared(vtd, requester))
		return status;
	return prepare_context(vtd, context_entry(vtd, requester));
}

static void let_translated(struct vtd_unit *vtd, uint64_t *context, bool pass)
{
	uint64_t before = load64(context);
	uint64_t after = pass ? before | SCALABLE_CACHE : before & ~SCALABLE_CACHE;

	if (after != before)
		vtd_link(vtd, context, after);
}

/* As 6.2.2.1 asks: domain id, type and table in one store. They lie in the first 128 of its 512 bits. */
static struct descriptor pasid_for(const struct vtd_unit *vtd, const struct unit_entry *entry)
{
	return (struct descriptor){ field_put(PASID_ROOT, entry->root.mfn) |
					    field_put(PASID_WIDTH, entry->levels - 2u) |
					    field_put(PASID_TYPE, TYPE_SECOND_STAGE) |
					    PASID_PRESENT,
				    field_put(PASID_HIGH_DOMAIN, entry->name) |
					    (vtd->unit.coherent ? PASID_HIGH_SNOOP : 0) };
}

/* The way of translated requests closes before the table is another, and opens after. */
void vtd_pasid_attach(struct vtd_unit *vtd, uint16_t requester, const struct unit_entry *entry)
{
	uint64_t *context = context_entry(vtd, requester);
	uint64_t *pasid = vtd_pointer(vtd, table_of(vtd, load64(context)));

	if (!entry->ats)
		let_translated(vtd, context, false);
	vtd_publish(vtd, pasid, pasid_for(vtd, entry));
	if (entry->ats)
		let_translated(vtd, context, true);
}

_Static_assert(HALF_FUNCTIONS *CONTEXT_WORDS * 8 == SP_FRAME_BYTES,
	       "VT-d 9.4: 128 context entries of 256 bits a table");
_Static_assert(64 * PASID_WORDS * 8 == SP_FRAME_BYTES, "VT-d 9.6: 64 PASID entries a table");
