/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/descriptor.c - what drivers write into their queues, and in which order it may be done.
 *
 *              low word                                     high word
 *   VT-d       3:0 type, 5:4 grain, 31:16 domain            63:12 page, 6 IH, 5:0 AM
 *   6.5.2      47:32 source; of a wait 63:32 data, 5 SW     a wait's place; of a device's cache 0 S
 *   AMD-Vi     63:60 opcode, 47:32 domain, 15:0 device      63:12 page, 1 PDE, 0 S; a wait's data
 *   2.4        of a wait 51:3 place, 2 F, 0 S
 *
 * Of one queue (M9): a VT-d unit takes entries before translations before devices' caches, and is free
 * otherwise; an AMD-Vi unit is free but for waits. A wait is done when everything before it is, and only
 * one that holds (F; no VT-d wait here has FN) keeps what is behind it from being done first.
 */
#include "explore.h"

#define LOW(from, to)  (slot[0] >> (to) & ((2ull << ((from) - (to))) - 1))
#define HIGH(from, to) (slot[1] >> (to) & ((2ull << ((from) - (to))) - 1))

/* With S the size is in the address: its lowest zero is half of it. */
static struct command sized(struct command command, uint64_t page, bool has_size)
{
	command.order = has_size ? (uint8_t)(__builtin_ctzll(~page) + 1) : 0;
	command.first = command.order < 52 ? page >> command.order << command.order : 0;
	return command;
}

static struct descriptor_read read_vtd(const uint64_t *slot)
{
	struct descriptor_read read = { .kind = DESCRIPTOR_BAD };
	struct command *command = &read.command;

	command->name = (uint16_t)LOW(31, 16);
	command->requester = (uint16_t)LOW(47, 32);
	switch (LOW(3, 0)) {
	case 1:
		read.kind = DESCRIPTOR_ENTRY;
		command->kind = LOW(5, 4) == 3 ? COMMAND_ENTRY : COMMAND_ENTRIES;
		break;
	case 2:
		read.kind = DESCRIPTOR_UNIT;
		command->kind = LOW(5, 4) == 1	 ? COMMAND_ALL
				: LOW(5, 4) == 2 ? COMMAND_DOMAIN
						 : COMMAND_PAGES;
		command->first = HIGH(63, 12);
		command->order = (uint8_t)HIGH(5, 0);
		command->links = !HIGH(6, 6);
		break;
	case 3:
		read.kind = DESCRIPTOR_CACHE;
		command->kind = COMMAND_ATC_PAGES;
		*command = sized(*command, HIGH(63, 12), HIGH(0, 0));
		break;
	case 5:
		read.kind = DESCRIPTOR_WAIT;
		read.stores = LOW(5, 5);
		read.holds = LOW(6, 6);
		read.at = slot[1];
		read.value = LOW(63, 32);
		read.bytes = 4;
		break;
	default:
		break;
	}
	return read;
}

static struct descriptor_read read_amdvi(const uint64_t *slot)
{
	struct descriptor_read read = { .kind = DESCRIPTOR_BAD };
	struct command *command = &read.command;

	command->requester = (uint16_t)LOW(15, 0);
	switch (LOW(63, 60)) {
	case 1:
		read.kind = DESCRIPTOR_WAIT;
		read.stores = LOW(0, 0);
		read.holds = LOW(2, 2);
		read.at = slot[0] & 0xffffffffffff8ull;
		read.value = slot[1];
		read.bytes = 8;
		break;
	case 2:
		read.kind = DESCRIPTOR_ENTRY;
		command->kind = COMMAND_ENTRY;
		break;
	case 3:
		read.kind = DESCRIPTOR_UNIT;
		command->kind = COMMAND_PAGES;
		command->name = (uint16_t)LOW(47, 32);
		*command = sized(*command, HIGH(63, 12), HIGH(0, 0));
		command->links = HIGH(1, 1);
		break;
	case 4:
		read.kind = DESCRIPTOR_CACHE;
		command->kind = COMMAND_ATC_PAGES;
		*command = sized(*command, HIGH(63, 12), HIGH(0, 0));
		break;
	case 8:
		read.kind = DESCRIPTOR_UNIT;
		command->kind = COMMAND_ALL;
		break;
	default:
		break;
	}
	return read;
}

struct descriptor_read descriptor_read(enum unit_kind kind, const uint64_t *slot)
{
	return kind == UNIT_VTD ? read_vtd(slot) : read_amdvi(slot);
}

bool descriptor_may_pass(enum unit_kind kind, const struct descriptor_read *later,
			 const struct descriptor_read *earlier)
{
	if (later->kind == DESCRIPTOR_WAIT || (earlier->kind == DESCRIPTOR_WAIT && earlier->holds))
		return false;
	if (kind == UNIT_AMDVI || earlier->kind == DESCRIPTOR_WAIT)
		return true;
	return later->kind <= earlier->kind;
}
