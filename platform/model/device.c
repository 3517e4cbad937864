/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/device.c - transfers by devices.
 *
 *   device --address--> bus master on? --> message window? --> unit --> RAM, registers, nothing
 *
 * A transfer is cut at page boundaries. One that was started is translated already, and lands
 * later: until then its frame is not forgotten, whatever the caches say (M11).
 */
#include <string.h>

#include "machine.h"

/* --- where it lands -------------------------------------------------------------------------- */

static void write_register(struct model *model, struct unit *unit, uint64_t offset,
			   const void *data, uint32_t bytes)
{
	uint64_t value = 0;

	if ((bytes != 4 && bytes != 8) || offset % bytes)
		return;
	memcpy(&value, data, bytes);
	if (unit->config.vendor == MODEL_VTD)
		vtd_write(model, unit, offset, bytes, value);
	else
		amdvi_write(model, unit, offset, bytes, value);
}

/*
 * Behind a unit that translates, a device reaches guests' memory and memory-mapped devices; never a
 * unit.
 */
static void check_target(struct model *model, uint64_t maddr, uint32_t sbdf)
{
	uint64_t offset;

	if (ram_holds(model, maddr >> FRAME_ORDER)) {
		if (ram_state(model, maddr >> FRAME_ORDER) != FRAME_GUEST)
			model_violate(
				model,
				"containment: %02x:%02x.%x reaches 0x%llx, which is no guest's",
				sbdf >> 8 & 0xff, sbdf >> 3 & 31, sbdf & 7,
				(unsigned long long)maddr);
	} else if (unit_at(model, maddr, &offset)) {
		model_violate(model, "containment: %02x:%02x.%x reaches a unit's registers, 0x%llx",
			      sbdf >> 8 & 0xff, sbdf >> 3 & 31, sbdf & 7,
			      (unsigned long long)maddr);
	}
}

static void land(struct model *model, uint64_t maddr, void *data, uint32_t bytes, bool write)
{
	uint64_t offset;
	struct unit *unit;

	if (ram_holds(model, maddr >> FRAME_ORDER)) {
		if (write)
			ram_store(model, maddr, data, bytes);
		else
			memcpy(data, ram_at(model, VIEW_CPU, maddr), bytes);
		return;
	}
	if (!write)
		memset(data, 0xff, bytes);
	unit = unit_at(model, maddr, &offset);
	if (unit && write)
		write_register(model, unit, offset, data, bytes);
}

/* --- one part of a transfer, within a page --------------------------------------------------- */

struct part {
	struct function *function;
	uint16_t requester;
	uint64_t address;
	void *data;
	uint32_t bytes;
	bool write;
};

static struct unit *unit_of(struct model *model, const struct part *part)
{
	uint32_t unit = part->function->config.unit;

	return unit == MODEL_NO_UNIT ? NULL : &model->unit[unit];
}

static bool is_message(const struct part *part)
{
	return part->address >> 20 == 0xfee;
}

/* A write of 4 bytes into the window is an interrupt; anything else there is refused. */
static bool send_message(struct model *model, const struct part *part, uint32_t *reason)
{
	struct unit *unit = unit_of(model, part);
	uint32_t data;

	*reason = 0;
	if (!part->write || part->bytes != 4)
		return unit == NULL || !unit_is_translating(unit);
	memcpy(&data, part->data, 4);
	if (unit)
		return unit_message(model, unit, part->requester, part->address, data, reason);
	model_deliver(model, (uint8_t)data);
	return true;
}

/* `translated`: by the function's own cache, so that its unit does not look. */
static struct model_reach translate(struct model *model, const struct part *part, uint32_t *domain,
				    bool *translated)
{
	enum model_access access = part->write ? MODEL_WRITE : MODEL_READ;
	struct model_reach reach;
	struct unit *unit = unit_of(model, part);
	uint64_t dfn = part->address >> FRAME_ORDER;

	*domain = 0;
	model->recent[model->recent_next++ % 4] = dfn;
	*translated = false;
	if (!unit)
		return (struct model_reach){ .ok = true, .mfn = dfn };
	*translated = atc_translate(model, part->function, part->requester, dfn, access, &reach);
	if (*translated)
		return reach;
	return unit_translate(model, unit, part->requester, dfn, access, false, domain);
}

static void transfer_part(struct model *model, const struct part *part, struct model_dma *result)
{
	struct unit *unit = unit_of(model, part);
	struct model_reach reach;
	uint32_t domain;
	bool translated;

	if (is_message(part)) {
		result->fault = !send_message(model, part, &result->reason);
		result->done += result->fault ? 0 : part->bytes;
		return;
	}
	reach = translate(model, part, &domain, &translated);
	result->fault = !reach.ok;
	result->reason = reach.reason;
	if (!reach.ok)
		return;
	result->maddr = reach.mfn << FRAME_ORDER | (part->address & (FRAME_BYTES - 1));
	if (unit && unit_is_translating(unit))
		check_target(model, result->maddr, part->function->config.sbdf);
	land(model, result->maddr, part->data, part->bytes, part->write);
	result->done += part->bytes;
}

/* What arrived before a fault stays: there is no all or nothing on a bus. */
static struct model_dma transfer_all(struct model *model, struct part whole)
{
	struct model_dma result = { .fault = false };
	uint8_t *data = whole.data;

	while (result.done < whole.bytes && !result.fault) {
		struct part part = whole;
		uint64_t room;

		part.address += result.done;
		part.data = data + result.done;
		part.bytes -= result.done;
		room = FRAME_BYTES - (part.address & (FRAME_BYTES - 1));
		if (part.bytes > room)
			part.bytes = (uint32_t)room;
		transfer_part(model, &part, &result);
	}
	return result;
}

/*
 * A function whose bus mastering is off says nothing at all; there is no fault record of it. Who is
 * told to transfer is told behind the stores that made it possible.
 */
static bool prepare(struct model *model, struct part *part, uint32_t sbdf, uint32_t number)
{
	buffer_drain_all(model);
	part->function = pci_find(model, sbdf);
	if (!part->function || !pci_can_master(model, part->function))
		return false;
	part->requester = pci_requester(model, part->function, number);
	return true;
}

struct model_dma model_dma_phantom(struct model *model, uint32_t sbdf, uint32_t number,
				   uint64_t address, void *data, uint32_t bytes, bool write)
{
	struct part part = { .address = address, .data = data, .bytes = bytes, .write = write };
	struct model_dma result = { .fault = true };

	model_take_lock(model);
	if (prepare(model, &part, sbdf, number))
		result = transfer_all(model, part);
	model_drop_lock(model);
	return result;
}

struct model_dma model_dma(struct model *model, uint32_t sbdf, uint64_t address, void *data,
			   uint32_t bytes, bool write)
{
	return model_dma_phantom(model, sbdf, 0, address, data, bytes, write);
}

/* --- transfers under way --------------------------------------------------------------------- */

/* The address was decided long ago: whoever owns the frame now gets the data. */
static void finish(struct model *model, struct transfer *transfer)
{
	uint64_t mfn = transfer->maddr >> FRAME_ORDER;

	if (ram_holds(model, mfn) && ram_state(model, mfn) != FRAME_GUEST)
		model_violate(model,
			      "oracle R: a transfer lands at 0x%llx, which is no guest's any more",
			      (unsigned long long)transfer->maddr);
	land(model, transfer->maddr, transfer->data, transfer->bytes, true);
	transfer->number = 0;
}

static uint32_t keep_transfer(struct model *model, const struct part *part, uint64_t maddr,
			      uint32_t domain, bool translated)
{
	for (uint32_t i = 0; i < TRANSFERS_KEPT; i++) {
		struct transfer *transfer = &model->transfer[i];

		if (transfer->number)
			continue;
		transfer->number = ++model->transfer_count;
		transfer->unit = part->function->config.unit;
		transfer->domain = domain;
		transfer->function = translated ? part->function : NULL;
		transfer->maddr = maddr;
		transfer->bytes = part->bytes;
		memcpy(transfer->data, part->data, part->bytes);
		return transfer->number;
	}
	return 0;
}

uint32_t model_dma_start(struct model *model, uint32_t sbdf, uint64_t address, const void *data,
			 uint32_t bytes)
{
	uint64_t room = FRAME_BYTES - (address & (FRAME_BYTES - 1));
	uint8_t copy[FRAME_BYTES];
	struct part part = { .address = address, .data = copy, .bytes = bytes, .write = true };
	struct model_reach reach;
	uint32_t domain, number = 0;
	bool translated;

	if (bytes > room)
		return 0;
	memcpy(copy, data, bytes);
	model_take_lock(model);
	if (prepare(model, &part, sbdf, 0)) {
		reach = translate(model, &part, &domain, &translated);
		if (reach.ok)
			number = keep_transfer(model, &part,
					       reach.mfn << FRAME_ORDER |
						       (address & (FRAME_BYTES - 1)),
					       domain, translated);
	}
	model_drop_lock(model);
	return number;
}

bool model_dma_finish(struct model *model, uint32_t number)
{
	bool found = false;

	model_take_lock(model);
	for (uint32_t i = 0; i < TRANSFERS_KEPT && number; i++) {
		if (model->transfer[i].number != number)
			continue;
		finish(model, &model->transfer[i]);
		found = true;
	}
	model_drop_lock(model);
	return found;
}

/* VT-d 6.5.4, 48882 2.4.1: what was translated before the command lands before it completes. */
void device_drain(struct model *model, uint32_t unit, int64_t domain)
{
	for (uint32_t i = 0; i < TRANSFERS_KEPT; i++) {
		struct transfer *transfer = &model->transfer[i];

		if (transfer->number && transfer->unit == unit && !transfer->function &&
		    (domain < 0 || transfer->domain == (uint64_t)domain))
			finish(model, transfer);
	}
}

/* M11: of translated requests only the function's answer to an invalidation says that they landed. */
void device_drain_function(struct model *model, const struct function *function)
{
	for (uint32_t i = 0; i < TRANSFERS_KEPT; i++) {
		struct transfer *transfer = &model->transfer[i];

		if (transfer->number && transfer->function == function)
			finish(model, transfer);
	}
}
