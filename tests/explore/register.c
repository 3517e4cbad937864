/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/register.c - the registers of drivers' units, as far as their queues use them.
 */
#include "explore.h"

/* VT-d 11.4.9, 11.4.7.1; AMD 48882 3.4.1. */
#define VTD_HEAD     0x80u
#define VTD_TAIL     0x88u
#define VTD_QUEUE    0x90u
#define VTD_FAULTS   0x34u
#define AMDVI_BASE   0x0008u
#define AMDVI_HEAD   0x2000u
#define AMDVI_TAIL   0x2008u
#define AMDVI_STATUS 0x2020u
#define RUNS	     0x10u

static struct explored_unit *unit_at(uint64_t address, uint32_t *offset)
{
	uint64_t index = (address - REGISTERS) >> 16;

	*offset = address & 0xffff;
	if (index < machine->units && machine->unit[index].kind != UNIT_PLAIN)
		return &machine->unit[index];
	violate("explorer: no register is at 0x%llx", (unsigned long long)address);
	return &machine->unit[0];
}

/* No error is met here: what they say of one is constant. */
uint64_t unit_read(uint64_t address)
{
	uint32_t offset;
	const struct explored_unit *unit = unit_at(address, &offset);

	if (unit->kind == UNIT_AMDVI && offset == AMDVI_STATUS)
		return RUNS;
	if (unit->kind != UNIT_VTD || offset != VTD_FAULTS)
		violate("explorer: register 0x%x is read", offset);
	return 0;
}

void unit_write(uint64_t address, uint64_t value)
{
	uint32_t offset;
	struct explored_unit *unit = unit_at(address, &offset);

	if (offset == (unit->kind == UNIT_VTD ? VTD_TAIL : AMDVI_TAIL))
		unit->tail = (uint32_t)(value >> 4) % unit->size;
	else if (offset == (unit->kind == UNIT_VTD ? VTD_QUEUE : AMDVI_BASE)) {
		if (unit_pointer(value >> SP_FRAME_ORDER & 0xffffffff) != unit->ring)
			violate("R: the queue lies at 0x%llx", (unsigned long long)value);
	} else if (unit->kind == UNIT_VTD || offset != AMDVI_HEAD)
		violate("explorer: register 0x%x is written", offset);
}
