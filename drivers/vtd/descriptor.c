/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/descriptor.c - generic commands as descriptors. VT-d 6.5.2.
 *
 *   legacy mode     entry -> context cache              \
 *   scalable mode   entry -> context cache, PASID cache  > IOTLB -> devices' caches -> wait
 */
#include "drivers/vtd/unit.h"

#define ORDER_ALL 52u /* of frames: every address */

static struct descriptor inval_context_all(void)
{
	return (struct descriptor){ INVAL_CONTEXT | field_put(INVAL_GRANULARITY, GRANULARITY_ALL),
				    0 };
}

/* 6.5.2.1: by source id and the domain id that the entry carried, all function bits compared. */
static struct descriptor inval_context_device(uint16_t requester, uint16_t domain)
{
	return (struct descriptor){ INVAL_CONTEXT | field_put(INVAL_GRANULARITY, GRANULARITY_PART) |
					    field_put(INVAL_DOMAIN, domain) |
					    field_put(INVAL_SOURCE, requester),
				    0 };
}

/* Scalable mode. 6.5.2.2: by the domain id that the PASID entry carried. All requests without PASID use number 0. */
static struct descriptor inval_pasid(uint16_t domain)
{
	return (struct descriptor){ INVAL_PASID | field_put(INVAL_GRANULARITY, PASID_PART) |
					    field_put(INVAL_DOMAIN, domain) |
					    field_put(INVAL_PASID_NUMBER, 0),
				    0 };
}

static struct descriptor inval_pasids_all(void)
{
	return (struct descriptor){ INVAL_PASID | field_put(INVAL_GRANULARITY, PASID_ALL), 0 };
}

static struct descriptor inval_iotlb_all(const struct vtd_unit *vtd)
{
	return (struct descriptor){
		INVAL_IOTLB | vtd->drain | field_put(INVAL_GRANULARITY, GRANULARITY_ALL), 0
	};
}

static struct descriptor inval_iotlb_domain(const struct vtd_unit *vtd, uint16_t domain)
{
	return (struct descriptor){ INVAL_IOTLB | vtd->drain |
					    field_put(INVAL_GRANULARITY, GRANULARITY_DOMAIN) |
					    field_put(INVAL_DOMAIN, domain),
				    0 };
}

/* 6.5.2.3: the hint keeps paging-structure caches, which is right only where no link changed. */
static struct descriptor inval_iotlb_pages(const struct vtd_unit *vtd,
					   const struct command *command)
{
	return (struct descriptor){ INVAL_IOTLB | vtd->drain |
					    field_put(INVAL_GRANULARITY, GRANULARITY_PART) |
					    field_put(INVAL_DOMAIN, command->name),
				    field_put(INVAL_HIGH_PAGE, command->first) |
					    field_put(INVAL_HIGH_ORDER, command->order) |
					    (command->links ? 0 : INVAL_HIGH_HINT) };
}

/*
 * 6.5.2.5: with S the address says the size too, 4K << order: its lowest order - 1 page bits are ones
 * and the next is zero. For order 52 that is every address. A function is its own physical function: there are
 * no virtual ones here.
 */
static struct descriptor inval_device(const struct vtd_unit *vtd, struct atc atc, uint64_t first,
				      uint32_t order)
{
	uint64_t page = order ? align_down(first, order) | (BIT(order - 1) - 1) : first;
	uint64_t low = INVAL_DEVICE | field_put(INVAL_DEPTH, atc.depth & 31) |
		       field_put(INVAL_SOURCE, atc.requester);

	if (vtd->extended & ECAP_DIT)
		low |= field_put(INVAL_PF_LOW, atc.requester & 0xf) |
		       field_put(INVAL_PF_HIGH, atc.requester >> 4);
	return (struct descriptor){ low, field_put(INVAL_HIGH_PAGE, page) |
						 (order ? INVAL_HIGH_SIZE : 0) };
}

static struct descriptor inval_interrupts_all(void)
{
	return (struct descriptor){ INVAL_INTERRUPT, 0 };
}

struct descriptor vtd_encode_interrupt(uint32_t index)
{
	return (struct descriptor){
		INVAL_INTERRUPT | INVAL_BY_INDEX | field_put(INVAL_INDEX, index), 0
	};
}

/* Of a function whose entry now lets its translated requests pass, or no longer does. */
static bool is_device_cache(const struct vtd_unit *vtd, uint16_t requester)
{
	for (uint32_t i = 0; i < vtd->unit.atc_count; i++)
		if (vtd->unit.atc[i].requester == requester)
			return true;
	return false;
}

/*
 * In scalable mode domain and table are in the PASID entry; the context entry only says whether ATS is let through,
 * and names no domain. What changed is forgotten from the top down.
 */
static uint32_t encode_entry(const struct vtd_unit *vtd, const struct command *command,
			     struct descriptor *out)
{
	uint32_t count = 0;

	if (!vtd->unit.scalable) {
		out[0] = inval_context_device(command->requester, command->name);
		return 1;
	}
	if (is_device_cache(vtd, command->requester) &&
	    !MUTANT(vtd->unit.host, SP_MUT_CONTEXT_KEPT))
		out[count++] = inval_context_device(command->requester, 0);
	if (MUTANT(vtd->unit.host, SP_MUT_PASID_KEPT))
		out[count++] = inval_context_device(command->requester, 0);
	else
		out[count++] = inval_pasid(command->name);
	return count;
}

static uint32_t encode_entries(const struct vtd_unit *vtd, struct descriptor *out)
{
	out[0] = inval_context_all();
	out[1] = inval_pasids_all();
	return vtd->unit.scalable ? 2 : 1;
}

uint32_t vtd_encode(const struct vtd_unit *vtd, const struct command *command,
		    struct descriptor *out)
{
	switch (command->kind) {
	case COMMAND_ENTRY:
		return encode_entry(vtd, command, out);
	case COMMAND_ENTRIES:
		return encode_entries(vtd, out);
	case COMMAND_PAGES:
		if (vtd->unit.observer.no_pages || command->order > vtd->unit.observer.widest_order)
			out[0] = inval_iotlb_domain(vtd, command->name);
		else
			out[0] = inval_iotlb_pages(vtd, command);
		return 1;
	case COMMAND_DOMAIN:
		out[0] = inval_iotlb_domain(vtd, command->name);
		return 1;
	case COMMAND_ALL:
		out[0] = inval_iotlb_all(vtd);
		return 1;
	case COMMAND_ATC_PAGES:
		out[0] = inval_device(vtd, (struct atc){ command->requester, command->depth },
				      command->first, command->order);
		return 1;
	case COMMAND_ATC_ALL:
		out[0] = inval_device(vtd, (struct atc){ command->requester, command->depth }, 0,
				      ORDER_ALL);
		return 1;
	case COMMAND_FLUSH:
	case COMMAND_RUN:
		break;
	}
	return 0;
}

/* 6.5.2: context before PASID before IOTLB, else what is below refills through the old entry. */
uint32_t vtd_encode_everything(const struct vtd_unit *vtd, struct descriptor *out)
{
	uint32_t count = 0;

	out[count++] = inval_context_all();
	if (vtd->unit.scalable)
		out[count++] = inval_pasids_all();
	out[count++] = inval_iotlb_all(vtd);
	if (vtd->unit.interrupt_remapping)
		out[count++] = inval_interrupts_all();
	/* 6.5.2.5: behind the IOTLB, else they are filled from it again. */
	for (uint32_t i = 0; i < vtd->unit.atc_count; i++)
		out[count++] = inval_device(vtd, vtd->unit.atc[i], 0, ORDER_ALL);
	return count;
}

struct descriptor vtd_encode_harmless(void)
{
	return inval_context_all();
}

/* Never with the interrupt flag: a wait that both stores and interrupts stops QEMU. */
struct descriptor vtd_encode_wait(const struct vtd_unit *vtd, uint64_t number)
{
	return (struct descriptor){ INVAL_WAIT | WAIT_STORES |
					    field_put(WAIT_DATA, number & 0xffffffff),
				    sp_maddr_from_mfn(vtd->completion).maddr };
}
