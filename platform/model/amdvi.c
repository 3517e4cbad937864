/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/amdvi.c - the registers and the event log of an AMD-Vi unit. AMD document 48882,
 * 3.4 and 2.5.
 *
 *   0000 device table base   0008 command buffer base   0010 event log base   0018 control
 *   0020 exclusion base      0028 exclusion limit       0030 extended features
 *   2000 command head        2008 command tail          2010 event head
 *   2018 event tail          2020 status
 *
 * Every register has 8 bytes and may be written by halves.
 */
#include "machine.h"

#define B(n)		(1ull << (n))
#define ADDRESS		0xffffffffff000ull
#define CONTROL_IOMMU	B(0)
#define CONTROL_EVENTS	B(2)
#define CONTROL_QUEUE	B(12)
#define STATUS_OVERFLOW (1u << 0)
#define STATUS_EVENT	(1u << 1)
#define STATUS_EVENTS	(1u << 3) /* the log runs */
#define STATUS_QUEUE	(1u << 4)

/* IASup, and HATS: 4 levels and up. */
uint64_t amdvi_features(const struct unit *unit)
{
	return (unit->config.no_invalidate_all ? 0 : B(6)) | (unit->config.max_levels - 4ull) << 10;
}

/* --- events ---------------------------------------------------------------------------------- */

static uint32_t log_bytes(const struct unit *unit)
{
	return 16u << (unit->evtlog >> 56 & 15);
}

/* 48882 2.5: a full log stops, and status says that events were lost. */
void amdvi_event(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
{
	uint32_t next = (unit->evt_tail + 16) % log_bytes(unit);
	uint64_t entry[2] = { low, high };

	if (model->looking || !(unit->status & STATUS_EVENTS))
		return;
	if (next == unit->evt_head) {
		unit->status |= STATUS_OVERFLOW;
		unit->status &= ~STATUS_EVENTS;
		return;
	}
	unit_store_status(model, unit, (unit->evtlog & ADDRESS) + unit->evt_tail, low, 8);
	ram_store(model, (unit->evtlog & ADDRESS) + unit->evt_tail, entry, sizeof(entry));
	unit->evt_tail = next;
	unit->status |= STATUS_EVENT;
}

/* --- control --------------------------------------------------------------------------------- */

static void check_size(struct model *model, const char *what, uint64_t base, uint64_t control)
{
	uint32_t size = base >> 56 & 15;

	if (control && (size < 8 || !(base & ADDRESS)))
		model_violate(
			model,
			"manual: the %s is switched on with base 0x%llx (at least 256 entries)",
			what, (unsigned long long)base);
}

static void turn_off(struct model *model, struct unit *unit)
{
	unit_window(model, unit);
	/*
	 * 48882 3.4.3: a unit that is off executes no commands; assumed that it remembers nothing
	 * either.
	 */
	cache_drop_all(&unit->cache);
}

static void write_control(struct model *model, struct unit *unit, uint64_t value)
{
	uint64_t changed = value ^ unit->control;
	uint32_t run = 0;

	if (changed & ~value & CONTROL_IOMMU)
		turn_off(model, unit);
	if ((changed & value & CONTROL_IOMMU) && !(unit->devtab & ADDRESS))
		model_violate(model, "manual: unit %u is switched on without a device table",
			      unit->index);
	check_size(model, "command buffer", unit->cmdbuf, changed & value & CONTROL_QUEUE);
	check_size(model, "event log", unit->evtlog, changed & value & CONTROL_EVENTS);
	unit->control = value;
	if (unit->config.answers == MODEL_NEVER)
		return;
	/* A queue or log that an error stopped runs again when it is switched off and on. */
	if ((value & CONTROL_IOMMU) && (value & CONTROL_QUEUE))
		run |= (changed & (CONTROL_QUEUE | CONTROL_IOMMU)) ? STATUS_QUEUE
								   : unit->status & STATUS_QUEUE;
	if ((value & CONTROL_IOMMU) && (value & CONTROL_EVENTS))
		run |= (changed & (CONTROL_EVENTS | CONTROL_IOMMU)) ? STATUS_EVENTS
								    : unit->status & STATUS_EVENTS;
	/* Who waits for the queue to stop waits for its stores too; after an error nobody waits. */
	if ((unit->status & STATUS_QUEUE) && !(run & STATUS_QUEUE))
		answer_land_all(model, unit);
	unit->status = (unit->status & ~(STATUS_QUEUE | STATUS_EVENTS)) | run;
	unit_ring(model, unit);
}

/* --- reading and writing --------------------------------------------------------------------- */

static uint64_t read_register(const struct unit *unit, uint64_t offset)
{
	switch (offset) {
	case 0x0000:
		return unit->devtab;
	case 0x0008:
		return unit->cmdbuf;
	case 0x0010:
		return unit->evtlog;
	case 0x0018:
		return unit->control;
	case 0x0020:
	case 0x0028:
		return unit->exclusion[offset >> 3 & 1];
	case 0x0030:
		return amdvi_features(unit);
	case 0x2000:
		return unit->cmd_head;
	case 0x2008:
		return unit->cmd_tail;
	case 0x2010:
		return unit->evt_head;
	case 0x2018:
		return unit->evt_tail;
	case 0x2020:
		return unit->status;
	default:
		return 0;
	}
}

/* 48882 3.4.2: a new base starts at slot 0. */
static void write_base(struct model *model, struct unit *unit, uint64_t offset, uint64_t value)
{
	bool queue = offset == 0x0008;

	if (unit->status & (queue ? STATUS_QUEUE : STATUS_EVENTS))
		model_violate(model, "manual: a base of unit %u moves while it runs", unit->index);
	if (queue) {
		unit->cmdbuf = value;
		unit->cmd_head = unit->cmd_tail = 0;
	} else {
		unit->evtlog = value;
		unit->evt_head = unit->evt_tail = 0;
	}
}

static void write_register(struct model *model, struct unit *unit, uint64_t offset, uint64_t value)
{
	switch (offset) {
	case 0x0000:
		unit->devtab = value;
		break;
	case 0x0008:
	case 0x0010:
		write_base(model, unit, offset, value);
		break;
	case 0x0018:
		write_control(model, unit, value);
		break;
	case 0x0020:
	case 0x0028:
		unit->exclusion[offset >> 3 & 1] = value;
		break;
	case 0x2000:
		/* The head is the unit's while the queue runs. */
		if (!(unit->status & STATUS_QUEUE))
			unit->cmd_head = value & 0x7fff0;
		break;
	case 0x2008:
		unit->cmd_tail = value & 0x7fff0;
		unit_ring(model, unit);
		break;
	case 0x2010:
		unit->evt_head = value & 0x7fff0;
		break;
	case 0x2018:
		if (!(unit->status & STATUS_EVENTS))
			unit->evt_tail = value & 0x7fff0;
		break;
	case 0x2020:
		unit->status &= ~((uint32_t)value & 7);
		break;
	default:
		break;
	}
}

uint64_t amdvi_read(struct model *model, struct unit *unit, uint64_t offset, uint32_t bytes)
{
	uint64_t value = read_register(unit, offset & ~7ull);

	(void)model;
	return bytes == 8 ? value : (uint32_t)(value >> 8 * (offset & 4));
}

void amdvi_write(struct model *model, struct unit *unit, uint64_t offset, uint32_t bytes,
		 uint64_t value)
{
	uint64_t whole = read_register(unit, offset & ~7ull);

	if (bytes == 8)
		whole = value;
	else if ((offset & ~7ull) == 0x2020)
		whole = value << 8 * (offset &
				      4); /* the other half must not be cleared by its own ones */
	else if (offset & 4)
		whole = (whole & UINT32_MAX) | value << 32;
	else
		whole = (whole & ~(uint64_t)UINT32_MAX) | (uint32_t)value;
	write_register(model, unit, offset & ~7ull, whole);
}
