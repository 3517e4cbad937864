/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/discover.c - the IVRS table: which units there are, what they cover, what firmware reserves.
 * 48882 5.2 I/O Virtualization ACPI Table.
 *
 *   | header | IVHD: unit | device | range start | range end | ... | IVHD ... | IVMD: range |
 *
 * A unit may be described by blocks of several types, each richer than the one before: the richest counts.
 * iommu/firmware.c walks the table twice, to check and to add.
 */
#include "drivers/amdvi/unit.h"

#include "drivers/amdvi/devices.h"
#include "lib/bytes.h"

#define SIGNATURE	    0x53525649u /* "IVRS" */

/* 5.2.2 IVHD */
#define TYPE_UNIT	    0x10u
#define TYPE_UNIT_FEATURES  0x11u
#define TYPE_UNIT_NAMES	    0x40u
#define UNIT_BYTES	    24u
#define UNIT_BYTES_FEATURES 40u
#define UNIT_FLAGS	    1u
#define UNIT_DEVICE	    4u
#define UNIT_CAPABILITY	    6u
#define UNIT_BASE	    8u
#define UNIT_SEGMENT	    16u
#define FLAG_TUNNEL	    1u
#define FLAG_PASS_WRITES    2u
#define FLAG_PASS_RESPONSES 4u
#define FLAG_ISOCHRONOUS    8u
#define BASE_ORDER	    14u /* 3.4: registers are aligned to their 16 KiB */

/* 5.2.3 IVMD */
#define TYPE_RANGE_ALL	    0x20u
#define TYPE_RANGE_ONE	    0x21u
#define TYPE_RANGE_SOME	    0x22u
#define RANGE_BYTES	    32u
#define RANGE_FLAGS	    1u
#define RANGE_DEVICE	    4u
#define RANGE_LAST	    6u
#define RANGE_SEGMENT	    8u
#define RANGE_BASE	    16u
#define RANGE_LENGTH	    24u
#define FLAG_UNITY	    1u
#define FLAG_READ	    2u
#define FLAG_WRITE	    4u
#define FLAG_EXCLUSION	    8u

/* --- IVHD: a unit ------------------------------------------------------------------------------- */

static bool is_unit(uint32_t type)
{
	return type == TYPE_UNIT || type == TYPE_UNIT_FEATURES || type == TYPE_UNIT_NAMES;
}

static uint32_t unit_header_bytes(uint32_t type)
{
	return type == TYPE_UNIT ? UNIT_BYTES : UNIT_BYTES_FEATURES;
}

/* The richest type among the blocks before `end` that describe the unit with this base; 0: none does. */
static uint32_t richest_type(const struct firmware *ivrs, uint64_t base, uint32_t end)
{
	uint32_t richest = 0, at, length;

	for (at = FIRMWARE_HEADER_BYTES; at < end; at += length) {
		const uint8_t *bytes = ivrs->bytes + at;

		length = bytes_get16(bytes + 2);
		if (is_unit(bytes[0]) && bytes_get64(bytes + UNIT_BASE) == base &&
		    bytes[0] > richest)
			richest = bytes[0];
	}
	return richest;
}

static bool is_repeated(const struct firmware *ivrs, uint32_t before, uint32_t type, uint64_t base)
{
	uint32_t at;

	for (at = FIRMWARE_HEADER_BYTES; at < before; at += bytes_get16(ivrs->bytes + at + 2)) {
		const uint8_t *bytes = ivrs->bytes + at;

		if (bytes[0] == type && bytes_get64(bytes + UNIT_BASE) == base)
			return true;
	}
	return false;
}

static enum sp_status check_unit(const struct firmware *ivrs, const struct firmware_part *part)
{
	const uint8_t *bytes = ivrs->bytes + part->at;
	uint64_t base = bytes_get64(bytes + UNIT_BASE);
	uint32_t capability = bytes_get16(bytes + UNIT_CAPABILITY);

	if (!base)
		return firmware_refuse(ivrs, part->at, "IVHD whose register base is 0");
	if (!is_aligned(base, BASE_ORDER) || base >> 52)
		return firmware_refuse(ivrs, part->at,
				       "IVHD whose register base is not aligned to 16 KiB");
	if (is_repeated(ivrs, part->at, bytes[0], base) || firmware_knows_unit(ivrs, base))
		return firmware_refuse(ivrs, part->at, "IVHD names a unit a second time");
	if (capability < 0x40 || capability > 0xe8 || capability % 4)
		return firmware_refuse(ivrs, part->at,
				       "IVHD whose capability lies where none can be");
	return SP_OK;
}

static uint64_t control_for(uint8_t flags)
{
	return (flags & FLAG_TUNNEL ? CONTROL_TUNNEL : 0) |
	       (flags & FLAG_PASS_WRITES ? CONTROL_PASS_WRITES : 0) |
	       (flags & FLAG_PASS_RESPONSES ? CONTROL_PASS_RESPONSES : 0) |
	       (flags & FLAG_ISOCHRONOUS ? CONTROL_ISOCHRONOUS : 0);
}

static enum sp_status describe(struct amdvi_unit *amdvi, struct sp_host *host, const uint8_t *bytes)
{
	uint16_t segment = bytes_get16(bytes + UNIT_SEGMENT);

	amdvi->unit.host = host;
	amdvi->unit.registers = (sp_maddr_t){ bytes_get64(bytes + UNIT_BASE) };
	amdvi->unit.segment = segment;
	amdvi->function = (sp_sbdf_t){ (uint32_t)segment << 16 | bytes_get16(bytes + UNIT_DEVICE) };
	amdvi->capability = bytes_get16(bytes + UNIT_CAPABILITY);
	amdvi->control = control_for(bytes[UNIT_FLAGS]);
	return amdvi_read_capability(amdvi);
}

static enum sp_status add_unit(const struct firmware *ivrs, const struct firmware_part *part)
{
	const uint8_t *bytes = ivrs->bytes + part->at;
	struct unit *unit = unit_new(ivrs->host, sizeof(struct amdvi_unit), &amdvi_ops);
	enum sp_status status;

	if (!unit)
		return SP_NO_SPACE;
	status = describe(amdvi_unit_of(unit), ivrs->host, bytes);
	if (status == SP_OK)
		status = ivrs_read_devices(ivrs, part, unit_header_bytes(bytes[0]), unit);
	return status;
}

/* A block that a richer one replaces is checked like any other, and then left alone. */
static enum sp_status read_unit(struct firmware *ivrs, const struct firmware_part *part)
{
	const uint8_t *bytes = ivrs->bytes + part->at;
	bool counts = !ivrs->adding ||
		      richest_type(ivrs, bytes_get64(bytes + UNIT_BASE), ivrs->length) == bytes[0];
	struct amdvi_unit probe = { .features = 0 };
	enum sp_status status;

	ivrs->unit_count++;
	if (ivrs->adding)
		return counts ? add_unit(ivrs, part) : SP_OK;
	status = check_unit(ivrs, part);
	if (status == SP_OK)
		status = ivrs_read_devices(ivrs, part, unit_header_bytes(bytes[0]), NULL);
	return status == SP_OK ? describe(&probe, ivrs->host, bytes) : status;
}

/* --- IVMD: a range that devices need at any time ------------------------------------------------ */

static enum sp_status check_range(const struct firmware *ivrs, const struct firmware_part *part)
{
	const uint8_t *bytes = ivrs->bytes + part->at;
	uint64_t base = bytes_get64(bytes + RANGE_BASE), length = bytes_get64(bytes + RANGE_LENGTH);

	if (!length || base + length < base || (base + length - 1) >> 52)
		return firmware_refuse(ivrs, part->at,
				       "IVMD whose range is empty or ends beyond every address");
	if (!is_aligned(base, SP_FRAME_ORDER) || !is_aligned(length, SP_FRAME_ORDER))
		return firmware_refuse(ivrs, part->at, "IVMD that is not made of whole pages");
	if (bytes[0] == TYPE_RANGE_SOME &&
	    bytes_get16(bytes + RANGE_LAST) < bytes_get16(bytes + RANGE_DEVICE))
		return firmware_refuse(ivrs, part->at,
				       "IVMD whose last device comes before its first");
	return SP_OK;
}

static void set_range_devices(struct reserved *range, const uint8_t *bytes)
{
	range->scope.kind = SCOPE_RANGE;
	range->scope.first = bytes_get16(bytes + RANGE_DEVICE);
	range->scope.last = range->scope.first;
	if (bytes[0] == TYPE_RANGE_SOME)
		range->scope.last = bytes_get16(bytes + RANGE_LAST);
	if (bytes[0] == TYPE_RANGE_ALL) {
		range->scope.first = 0;
		range->scope.last = 0xffff;
	}
}

/* An exclusion is treated as unity with all rights: the device reaches the range, and through the tables. */
static enum sp_status read_range(struct firmware *ivrs, const struct firmware_part *part)
{
	const uint8_t *bytes = ivrs->bytes + part->at;
	bool exclusion = bytes[RANGE_FLAGS] & FLAG_EXCLUSION;
	enum sp_status status = check_range(ivrs, part);
	struct reserved range = {
		.segment = bytes_get16(bytes + RANGE_SEGMENT),
		.first_mfn = bytes_get64(bytes + RANGE_BASE) >> SP_FRAME_ORDER,
		.count = bytes_get64(bytes + RANGE_LENGTH) >> SP_FRAME_ORDER,
		.read = exclusion || bytes[RANGE_FLAGS] & FLAG_READ,
		.write = exclusion || bytes[RANGE_FLAGS] & FLAG_WRITE,
	};

	if (status != SP_OK || !ivrs->adding)
		return status;
	if (!exclusion && !(bytes[RANGE_FLAGS] & FLAG_UNITY))
		return SP_OK;
	set_range_devices(&range, bytes);
	return reserved_add(ivrs->host, &range);
}

/* --- the table ---------------------------------------------------------------------------------- */

static enum sp_status read_block(struct firmware *ivrs, struct firmware_part *part)
{
	uint32_t type = ivrs->bytes[part->at];
	bool range = type >= TYPE_RANGE_ALL && type <= TYPE_RANGE_SOME;
	uint32_t least = is_unit(type) ? unit_header_bytes(type)
			 : range       ? RANGE_BYTES
				       : FIRMWARE_PART_BYTES;
	enum sp_status status;

	part->length = bytes_get16(ivrs->bytes + part->at + 2);
	part->name = is_unit(type) ? "IVHD" : range ? "IVMD" : "block";
	status = firmware_check_length(ivrs, part, least, ivrs->length);
	if (status != SP_OK)
		return status;
	if (is_unit(type))
		return read_unit(ivrs, part);
	if (range)
		return read_range(ivrs, part);
	firmware_note_skipped(ivrs, part->at, "block of type ", type);
	return SP_OK;
}

static const struct firmware_kind ivrs_kind = {
	.name = "IVRS", .signature = SIGNATURE, .part = "block", .hex = true, .read = read_block
};

enum sp_status sp_iommu_discover_ivrs(struct sp_host *host, const void *table, size_t bytes)
{
	return firmware_discover(host, &ivrs_kind, table, bytes);
}

_Static_assert(sizeof(struct amdvi_unit) <= HOST_UNIT_BYTES, "what sp_host_size() reckons with");
