/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/discover.c - the DMAR table: which units there are, what they cover, what firmware reserves.
 * VT-d 8 BIOS Considerations.
 *
 *   | header | DRHD: unit | scope | scope | DRHD: unit | RMRR: range | scope | ATSR ... |
 *                             |
 *                             +-- a path of (device, function) steps from a bus
 *
 * iommu/firmware.c walks the table twice, to check and to add.
 */
#include "drivers/vtd/unit.h"

#include "iommu/firmware.h"
#include "lib/bytes.h"

#define SIGNATURE     0x52414d44u /* "DMAR" */

#define UNIT_BYTES    16u /* 8.3 DRHD */
#define UNIT_FLAGS    4u
#define UNIT_PAGES    5u
#define UNIT_SEGMENT  6u
#define UNIT_BASE     8u
#define UNIT_ALL      1u /* every function that no other unit's scope names */

#define RANGE_BYTES   24u /* 8.4 RMRR */
#define RANGE_SEGMENT 6u
#define RANGE_BASE    8u
#define RANGE_LIMIT   16u

#define NAME_TEXT     8u /* 8.7 ANDD */

#define SCOPE_BYTES   6u /* 8.3.1 Device Scope, without its path */
#define SCOPE_LENGTH  1u
#define SCOPE_BUS     5u
#define PATH_MAX      8u

enum scope_type {
	SCOPE_TYPE_ENDPOINT = 1,
	SCOPE_TYPE_BRIDGE = 2,
	SCOPE_TYPE_IOAPIC = 3,
	SCOPE_TYPE_HPET = 4,
	SCOPE_TYPE_NAMESPACE = 5
};

#define TYPE_DRHD 0u

/* --- device scopes ------------------------------------------------------------------------------ */

static enum sp_status read_step(const struct firmware *dmar, uint32_t at, uint8_t step[2])
{
	step[0] = dmar->bytes[at];
	step[1] = dmar->bytes[at + 1];
	if (step[0] > 31 || step[1] > 7)
		return firmware_refuse(dmar, at, "path step beyond device 31 or function 7");
	return SP_OK;
}

/* Checks the scope at part->at, whose length it fills in, and reads its path. */
static enum sp_status read_scope(const struct firmware *dmar, struct firmware_part *part,
				 uint32_t end, struct scope *scope)
{
	const uint8_t *bytes = dmar->bytes + part->at;
	enum sp_status status;
	uint32_t i;

	if (end - part->at < SCOPE_BYTES)
		return firmware_refuse(dmar, part->at,
				       "device scope begins beyond the end of its structure");
	part->length = bytes[SCOPE_LENGTH];
	part->name = "device scope";
	status = firmware_check_length(dmar, part, SCOPE_BYTES + 2, end);
	if (status != SP_OK)
		return status;
	if ((part->length - SCOPE_BYTES) % 2)
		return firmware_refuse(dmar, part->at, "device scope whose path has an odd length");
	scope->start_bus = bytes[SCOPE_BUS];
	scope->path_length = (uint8_t)((part->length - SCOPE_BYTES) / 2);
	if (scope->path_length > PATH_MAX)
		return firmware_refuse(dmar, part->at,
				       "device scope with a path of more than 8 steps");
	for (i = 0; i < scope->path_length && status == SP_OK; i++)
		status = read_step(dmar, part->at + SCOPE_BYTES + 2 * i, scope->path[i]);
	return status;
}

/*
 * False for what is no PCI function: an IO-APIC or HPET sends interrupts only, and a device of the ACPI namespace
 * has no configuration space. None is ever attached, so the unit blocks their requests.
 */
static bool scope_names_function(const struct firmware *dmar, uint32_t at, struct scope *scope)
{
	uint8_t type = dmar->bytes[at];

	switch (type) {
	case SCOPE_TYPE_ENDPOINT:
		scope->kind = SCOPE_PATH;
		return true;
	case SCOPE_TYPE_BRIDGE:
		scope->kind = SCOPE_BELOW;
		return true;
	case SCOPE_TYPE_IOAPIC:
	case SCOPE_TYPE_HPET:
	case SCOPE_TYPE_NAMESPACE:
		return false;
	}
	firmware_note_skipped(dmar, at, "device scope of type ", type);
	return false;
}

typedef enum sp_status (*scope_visitor)(struct sp_host *host, const struct scope *scope,
					void *argument);

/* Every scope of a structure; in the second walk `visit` is told of each that names a function. */
static enum sp_status read_scopes(struct firmware *dmar, const struct firmware_part *of,
				  uint32_t first, scope_visitor visit, void *argument)
{
	struct firmware_part part = { .at = of->at + first };
	uint32_t end = of->at + of->length;
	enum sp_status status = SP_OK;

	for (; status == SP_OK && part.at < end; part.at += part.length) {
		struct scope scope = { .unit = NULL };

		status = read_scope(dmar, &part, end, &scope);
		if (status == SP_OK && scope_names_function(dmar, part.at, &scope) && visit &&
		    dmar->adding)
			status = visit(dmar->host, &scope, argument);
	}
	return status;
}

/* --- DRHD: a unit ------------------------------------------------------------------------------- */

/* An earlier unit of the table: with this base, or (base 0) that takes the rest of this segment. */
static bool has_earlier(const struct firmware *dmar, uint32_t before, uint64_t base,
			uint16_t segment)
{
	uint32_t at;

	for (at = FIRMWARE_HEADER_BYTES; at < before; at += bytes_get16(dmar->bytes + at + 2)) {
		const uint8_t *bytes = dmar->bytes + at;

		if (bytes_get16(bytes) != TYPE_DRHD)
			continue;
		if (base && bytes_get64(bytes + UNIT_BASE) == base)
			return true;
		if (!base && bytes[UNIT_FLAGS] & UNIT_ALL &&
		    bytes_get16(bytes + UNIT_SEGMENT) == segment)
			return true;
	}
	return false;
}

static enum sp_status check_unit(const struct firmware *dmar, const struct firmware_part *part)
{
	const uint8_t *bytes = dmar->bytes + part->at;
	uint64_t base = bytes_get64(bytes + UNIT_BASE);

	if (!base)
		return firmware_refuse(dmar, part->at, "DRHD whose register base is 0");
	if (!is_aligned(base, SP_FRAME_ORDER) || base >> 52)
		return firmware_refuse(dmar, part->at,
				       "DRHD whose register base is no address of a page");
	if (has_earlier(dmar, part->at, base, 0) || firmware_knows_unit(dmar, base))
		return firmware_refuse(dmar, part->at, "DRHD names a unit a second time");
	if (bytes[UNIT_FLAGS] & UNIT_ALL &&
	    has_earlier(dmar, part->at, 0, bytes_get16(bytes + UNIT_SEGMENT)))
		return firmware_refuse(dmar, part->at,
				       "DRHD takes the rest of a segment that another unit takes");
	return SP_OK;
}

static enum sp_status add_unit_scope(struct sp_host *host, const struct scope *scope, void *unit)
{
	struct scope whose = *scope;

	whose.unit = unit;
	return scope_add(host, &whose);
}

static void place(struct vtd_unit *vtd, struct sp_host *host, const uint8_t *bytes)
{
	vtd->unit.host = host;
	vtd->unit.registers = (sp_maddr_t){ bytes_get64(bytes + UNIT_BASE) };
	vtd->unit.segment = bytes_get16(bytes + UNIT_SEGMENT);
	vtd->unit.register_bytes = (uint64_t)SP_FRAME_BYTES << (bytes[UNIT_PAGES] & 0xf);
}

static enum sp_status add_unit(struct firmware *dmar, const struct firmware_part *part)
{
	const uint8_t *bytes = dmar->bytes + part->at;
	struct unit *unit = unit_new(dmar->host, sizeof(struct vtd_unit), &vtd_ops);
	struct scope rest = { .unit = unit, .kind = SCOPE_REST };
	enum sp_status status;

	if (!unit)
		return SP_NO_SPACE;
	place(vtd_unit_of(unit), dmar->host, bytes);
	status = vtd_read_capability(vtd_unit_of(unit));
	if (status == SP_OK)
		status = read_scopes(dmar, part, UNIT_BYTES, add_unit_scope, unit);
	if (status == SP_OK && bytes[UNIT_FLAGS] & UNIT_ALL)
		status = scope_add(dmar->host, &rest);
	return status;
}

static enum sp_status read_unit(struct firmware *dmar, const struct firmware_part *part)
{
	struct vtd_unit probe = { .capability = 0 };
	enum sp_status status;

	dmar->unit_count++;
	if (dmar->adding)
		return add_unit(dmar, part);
	status = check_unit(dmar, part);
	if (status == SP_OK)
		status = read_scopes(dmar, part, UNIT_BYTES, NULL, NULL);
	if (status != SP_OK)
		return status;
	place(&probe, dmar->host, dmar->bytes + part->at);
	return vtd_read_capability(&probe);
}

/* --- RMRR: a range that devices need at any time ------------------------------------------------ */

static enum sp_status add_range_scope(struct sp_host *host, const struct scope *scope, void *range)
{
	struct reserved whose = *(const struct reserved *)range;

	whose.scope = *scope;
	return reserved_add(host, &whose);
}

/* The limit is the last byte. */
static enum sp_status read_range(struct firmware *dmar, const struct firmware_part *part)
{
	const uint8_t *bytes = dmar->bytes + part->at;
	uint64_t base = bytes_get64(bytes + RANGE_BASE), limit = bytes_get64(bytes + RANGE_LIMIT);
	struct reserved range = {
		.segment = bytes_get16(bytes + RANGE_SEGMENT),
		.by_path = true,
		.first_mfn = base >> SP_FRAME_ORDER,
		.count = (limit >> SP_FRAME_ORDER) - (base >> SP_FRAME_ORDER) + 1,
		.read = true,
		.write = true,
	};

	if (limit < base)
		return firmware_refuse(dmar, part->at, "RMRR whose limit lies below its base");
	if (!is_aligned(base, SP_FRAME_ORDER) || !is_aligned(limit + 1, SP_FRAME_ORDER) ||
	    limit >> 52)
		return firmware_refuse(dmar, part->at, "RMRR that is not made of whole pages");
	return read_scopes(dmar, part, RANGE_BYTES, add_range_scope, &range);
}

/* --- the rest ----------------------------------------------------------------------------------- */

/* ATSR, SATC, SIDP: who may use device TLBs. The core leaves them off; only the scopes' form is checked. */
static enum sp_status read_scopes_alone(struct firmware *dmar, const struct firmware_part *part)
{
	return read_scopes(dmar, part, 8, NULL, NULL);
}

static enum sp_status read_name(struct firmware *dmar, const struct firmware_part *part)
{
	uint32_t i;

	for (i = NAME_TEXT; i < part->length; i++)
		if (!dmar->bytes[part->at + i])
			return SP_OK;
	return firmware_refuse(dmar, part->at, "ANDD whose name does not end");
}

/* RHSA: which memory is near; the embedder chooses the node. */
static enum sp_status read_nothing(struct firmware *dmar, const struct firmware_part *part)
{
	(void)dmar;
	(void)part;
	return SP_OK;
}

/* 8.2 Remapping Structure Types, by type. */
static const struct {
	const char *name;
	uint32_t least;
	enum sp_status (*read)(struct firmware *dmar, const struct firmware_part *part);
} structures[] = {
	{ "DRHD", UNIT_BYTES, read_unit },    { "RMRR", RANGE_BYTES, read_range },
	{ "ATSR", 8, read_scopes_alone },     { "RHSA", 20, read_nothing },
	{ "ANDD", NAME_TEXT + 1, read_name }, { "SATC", 8, read_scopes_alone },
	{ "SIDP", 8, read_scopes_alone },
};

static enum sp_status read_structure(struct firmware *dmar, struct firmware_part *part)
{
	uint32_t type = bytes_get16(dmar->bytes + part->at);
	bool known = type < sizeof(structures) / sizeof(structures[0]);
	enum sp_status status;

	part->length = bytes_get16(dmar->bytes + part->at + 2);
	part->name = known ? structures[type].name : "structure";
	status = firmware_check_length(
		dmar, part, known ? structures[type].least : FIRMWARE_PART_BYTES, dmar->length);
	if (status != SP_OK)
		return status;
	if (known)
		return structures[type].read(dmar, part);
	firmware_note_skipped(dmar, part->at, "structure of type ", type);
	return SP_OK;
}

static const struct firmware_kind dmar_kind = {
	.name = "DMAR", .signature = SIGNATURE, .part = "structure", .read = read_structure
};

enum sp_status sp_iommu_discover_dmar(struct sp_host *host, const void *table, size_t bytes)
{
	return firmware_discover(host, &dmar_kind, table, bytes);
}

_Static_assert(sizeof(struct vtd_unit) <= HOST_UNIT_BYTES, "what sp_host_size() reckons with");
