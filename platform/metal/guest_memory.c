/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guest_memory.c - a guest's memory: what lies where, and changes that are waited
 * for.
 */
#include "platform/metal/guest_memory.h"

#include "platform/metal/memory.h"

#define FRAMES	     (GUEST_BYTES / SP_FRAME_BYTES)
#define LARGE_FRAMES 512u
#define LARGE_BYTES  (LARGE_FRAMES * SP_FRAME_BYTES)
#define BUSY_MAX     10000u /* far more than a limbo full of frames takes to empty */

enum verb {
	VERB_MAP,
	VERB_UNMAP,
	VERB_SET_TYPE
};

struct wished {
	enum verb verb;
	sp_gfn_t first;
	sp_mfn_t frame;
	uint64_t count;
	enum sp_type type;
};

sp_gfn_t guest_gfn(uint32_t address)
{
	return (sp_gfn_t){ address >> SP_FRAME_ORDER };
}

static bool is_identity(sp_mfn_t memory)
{
	const uint64_t first = GUEST_BASE >> SP_FRAME_ORDER;

	return memory.mfn < first + FRAMES && first < memory.mfn + FRAMES;
}

/*
 * Aligned so that large pages can map it. A block that would overlap its own gfns is passed over.
 */
static sp_mfn_t take_block(void)
{
	sp_mfn_t block = memory_take_for_guest(FRAMES, LARGE_FRAMES);
	sp_mfn_t other;

	if (block.mfn == 0 || !is_identity(block))
		return block;
	other = take_block();
	memory_give(block, FRAMES);
	return other;
}

bool guest_memory_take(struct guest *guest)
{
	guest->memory = take_block();
	return guest->memory.mfn != 0;
}

void guest_memory_give(struct guest *guest)
{
	memory_give(guest->memory, FRAMES);
	guest->memory = (sp_mfn_t){ 0 };
}

/* From GUEST_SMALL on frames fall while gfns rise, so that no two pages ever make a larger one. */
sp_mfn_t guest_memory_home(const struct guest *guest, uint32_t address)
{
	uint32_t offset = address - GUEST_BASE;
	uint64_t region = offset / LARGE_BYTES * LARGE_FRAMES;
	uint64_t page = offset % LARGE_BYTES / SP_FRAME_BYTES;

	if (address >= GUEST_SMALL)
		page = LARGE_FRAMES - 1 - page;
	return (sp_mfn_t){ guest->memory.mfn + region + page };
}

/* The pages of GUEST_SMALL take their frames from the end of its block. */
sp_mfn_t guest_memory_spare(const struct guest *guest, uint32_t n)
{
	return (sp_mfn_t){ guest->memory.mfn + 2 * LARGE_FRAMES + n };
}

/* One step of the library; how far it came is in the result. */
static enum sp_status call(const struct guest *guest, const struct wished *wished,
			   struct sp_result *result)
{
	switch (wished->verb) {
	case VERB_MAP:
		return sp_p2m_map(guest->domain, wished->first, wished->frame, wished->count,
				  wished->type, result);
	case VERB_UNMAP:
		return sp_p2m_unmap(guest->domain, wished->first, wished->count, result);
	case VERB_SET_TYPE:
		return sp_p2m_set_type(guest->domain, wished->first, wished->count, wished->type,
				       result);
	}
	return SP_INVALID;
}

/*
 * Busy means that something is in the way that ends (a split that is not paid, a full limbo): wait
 * for it, then the same call again. Tickets are points in one ledger: waiting for the last one waits
 * for all before it.
 */
static enum sp_status apply(struct guest *guest, struct wished wished)
{
	struct sp_result result = { .ticket = { guest->domain, 0 } };
	enum sp_status status = SP_OK;
	uint32_t busy = 0;

	while (wished.count != 0 && busy < BUSY_MAX) {
		status = call(guest, &wished, &result);
		if (status == SP_BUSY) {
			busy++;
			status = sp_wait(guest->host, result.ticket);
		}
		if (status != SP_OK)
			return status;
		if (wished.verb == VERB_MAP && wished.type == SP_RAM)
			guest->frames_mapped += result.done;
		wished.first.gfn += result.done;
		wished.frame.mfn += result.done;
		wished.count -= result.done;
	}
	return wished.count != 0 ? SP_BUSY : sp_wait(guest->host, result.ticket);
}

enum sp_status guest_memory_map(struct guest *guest, uint32_t address, sp_mfn_t frame,
				uint64_t count)
{
	return apply(guest, (struct wished){ .verb = VERB_MAP,
					     .first = guest_gfn(address),
					     .frame = frame,
					     .count = count,
					     .type = SP_RAM });
}

enum sp_status guest_memory_map_registers(struct guest *guest, uint32_t address, sp_mfn_t frame,
					  uint64_t count)
{
	return apply(guest, (struct wished){ .verb = VERB_MAP,
					     .first = guest_gfn(address),
					     .frame = frame,
					     .count = count,
					     .type = SP_MMIO });
}

enum sp_status guest_memory_unmap(struct guest *guest, uint32_t address, uint64_t count)
{
	return apply(guest, (struct wished){ .verb = VERB_UNMAP,
					     .first = guest_gfn(address),
					     .count = count });
}

enum sp_status guest_memory_set_type(struct guest *guest, uint32_t address, uint64_t count,
				     enum sp_type type)
{
	return apply(guest, (struct wished){ .verb = VERB_SET_TYPE,
					     .first = guest_gfn(address),
					     .count = count,
					     .type = type });
}

/* Page by page: each has a frame of its own choice. */
static enum sp_status map_small(struct guest *guest, uint32_t first, uint32_t pages)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < pages && status == SP_OK; i++) {
		uint32_t address = first + i * SP_FRAME_BYTES;

		status = guest_memory_map(guest, address, guest_memory_home(guest, address), 1);
	}
	return status;
}

/* The first two regions are one run, so that they get two pages of 2 MiB. */
enum sp_status guest_memory_map_all(struct guest *guest)
{
	enum sp_status status = guest_memory_map(
		guest, GUEST_BASE, guest_memory_home(guest, GUEST_BASE), 2 * LARGE_FRAMES);

	if (status == SP_OK)
		status = map_small(guest, GUEST_SMALL, GUEST_SMALL_PAGES);
	if (status == SP_OK)
		status = map_small(guest, GUEST_WHOLE, GUEST_WHOLE_PAGES);
	return status;
}

/* Asked from the library, not computed: what counts is what the tables say. */
uint64_t guest_memory_count_identical(struct guest *guest)
{
	uint64_t identical = 0;

	for (uint32_t i = 0; i < FRAMES; i++) {
		sp_gfn_t frame = { (GUEST_BASE >> SP_FRAME_ORDER) + i };
		struct sp_mapping mapping;

		if (sp_p2m_find(guest->domain, frame, &mapping) == SP_OK &&
		    mapping.frame.mfn == frame.gfn)
			identical++;
	}
	return identical;
}
