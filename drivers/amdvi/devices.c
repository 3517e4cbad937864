/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/devices.c - which requesters a unit covers: the device entries of an IVHD block.
 * 48882 5.2.2.1 to 5.2.2.5.
 *
 *   4 bytes   | type | device id | settings |
 *   8 bytes   | type | device id | settings | - | alias | - |      or   | ... | extended settings |
 *   variable  | 0xf0 | device id | settings | hardware id | compatible id | unique id: form, length, text |
 *
 * A range is two entries, start and end. The settings let single interrupts pass unremapped; none may here.
 */
#include "drivers/amdvi/devices.h"

#include "lib/bytes.h"

#define ENTRY_DEVICE	 1u
#define ENTRY_ALIAS	 5u
#define NAMED_BYTES	 22u
#define NAMED_LENGTH	 21u /* of the unique id behind it */
#define NAMED_FIRST_TYPE 0xf0u

enum entry_type {
	ENTRY_PAD = 0x00,
	ENTRY_ALL = 0x01,
	ENTRY_SELECT = 0x02,
	ENTRY_START = 0x03,
	ENTRY_END = 0x04,
	ENTRY_ALIAS_SELECT = 0x42,
	ENTRY_ALIAS_START = 0x43,
	ENTRY_EXTENDED_SELECT = 0x46,
	ENTRY_EXTENDED_START = 0x47,
	ENTRY_SPECIAL = 0x48, /* an IO-APIC or HPET: sends interrupts only */
	ENTRY_NAMED = 0xf0    /* a device of the ACPI namespace, without configuration space */
};

/* A walk over a block's entries. */
struct devices {
	const struct firmware *ivrs;
	struct unit *unit;  /* NULL: only checks */
	struct scope range; /* begun, its end not yet seen */
	bool in_range;
	uint32_t range_at;
};

static enum sp_status add(const struct devices *devices, const struct scope *scope)
{
	return devices->unit ? scope_add(devices->ivrs->host, scope) : SP_OK;
}

static struct scope scope_from(const struct devices *devices, uint32_t at)
{
	uint16_t id = bytes_get16(devices->ivrs->bytes + at + ENTRY_DEVICE);

	return (struct scope){ .unit = devices->unit, .kind = SCOPE_RANGE, .first = id, .last = id };
}

static struct scope scope_with_alias(const struct devices *devices, uint32_t at)
{
	struct scope scope = scope_from(devices, at);

	scope.has_alias = true;
	scope.alias = bytes_get16(devices->ivrs->bytes + at + ENTRY_ALIAS);
	return scope;
}

static enum sp_status select_one(struct devices *devices, struct scope scope)
{
	return add(devices, &scope);
}

static enum sp_status select_all(struct devices *devices)
{
	return select_one(devices, (struct scope){ .unit = devices->unit,
						   .kind = SCOPE_RANGE,
						   .first = 0,
						   .last = 0xffff });
}

static enum sp_status start_range(struct devices *devices, uint32_t at, struct scope scope)
{
	devices->range = scope;
	devices->range_at = at;
	devices->in_range = true;
	return SP_OK;
}

static enum sp_status end_range(struct devices *devices, uint32_t at)
{
	uint16_t last = bytes_get16(devices->ivrs->bytes + at + ENTRY_DEVICE);

	if (!devices->in_range)
		return firmware_refuse(devices->ivrs, at, "device range ends that did not start");
	if (last < devices->range.first)
		return firmware_refuse(devices->ivrs, at, "device range ends before it starts");
	devices->in_range = false;
	devices->range.last = last;
	return add(devices, &devices->range);
}

static enum sp_status read_known(struct devices *devices, enum entry_type type, uint32_t at)
{
	switch (type) {
	case ENTRY_ALL:
		return select_all(devices);
	case ENTRY_SELECT:
	case ENTRY_EXTENDED_SELECT:
		return select_one(devices, scope_from(devices, at));
	case ENTRY_ALIAS_SELECT:
		return select_one(devices, scope_with_alias(devices, at));
	case ENTRY_START:
	case ENTRY_EXTENDED_START:
		return start_range(devices, at, scope_from(devices, at));
	case ENTRY_ALIAS_START:
		return start_range(devices, at, scope_with_alias(devices, at));
	case ENTRY_END:
		return end_range(devices, at);
	case ENTRY_PAD:
	case ENTRY_SPECIAL:
	case ENTRY_NAMED:
		return SP_OK;
	}
	firmware_note_skipped(devices->ivrs, at, "device entry of type ", type);
	return SP_OK;
}

/* Between start and end of a range only padding makes sense. */
static enum sp_status read_entry(struct devices *devices, uint32_t at)
{
	enum entry_type type = devices->ivrs->bytes[at];

	if (devices->in_range && type != ENTRY_END && type != ENTRY_PAD)
		return firmware_refuse(devices->ivrs, devices->range_at,
				       "device range starts that does not end");
	return read_known(devices, type, at);
}

/*
 * The two topmost bits of the type give the length, 4 to 32 bytes; from 0xf0 on it is the entry's own. Of those
 * only 0xf0 is defined: another's length is unknown, and with it everything behind.
 */
static enum sp_status measure(const struct firmware *ivrs, struct firmware_part *part, uint32_t end)
{
	uint32_t type = ivrs->bytes[part->at];
	enum sp_status status;

	part->name = "device entry";
	part->length = type < NAMED_FIRST_TYPE ? 4u << (type >> 6) : NAMED_BYTES;
	if (type > NAMED_FIRST_TYPE)
		return firmware_refuse(ivrs, part->at,
				       "device entry of a type whose length nobody knows");
	status = firmware_check_length(ivrs, part, 4, end);
	if (status != SP_OK || type != NAMED_FIRST_TYPE)
		return status;
	part->length += ivrs->bytes[part->at + NAMED_LENGTH];
	return firmware_check_length(ivrs, part, NAMED_BYTES, end);
}

enum sp_status ivrs_read_devices(const struct firmware *ivrs, const struct firmware_part *block,
				 uint32_t header, struct unit *unit)
{
	struct devices devices = { .ivrs = ivrs, .unit = unit };
	struct firmware_part part = { .at = block->at + header };
	uint32_t end = block->at + block->length;
	enum sp_status status = SP_OK;

	for (; status == SP_OK && part.at < end; part.at += part.length) {
		status = measure(ivrs, &part, end);
		if (status == SP_OK)
			status = read_entry(&devices, part.at);
	}
	if (status == SP_OK && devices.in_range)
		return firmware_refuse(ivrs, devices.range_at,
				       "device range starts that does not end");
	return status;
}
