/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/firmware.h - a table of firmware's while it is read: DMAR, IVRS.
 *
 *   | header of 48 bytes | part | part | ... |      each part says its type and length
 *
 * The table is walked twice: the first walk checks everything and reads the units' capabilities, the
 * second adds. A refusal therefore leaves nothing behind. Firmware is not trusted: no length is used
 * unchecked.
 */
#pragma once

#include "iommu/unit.h"

#define FIRMWARE_HEADER_BYTES 48u /* ACPI's 36, and what either vendor's table has besides */
#define FIRMWARE_PART_BYTES   4u  /* of a part: its type and length */

struct firmware;

/* A part of the table, or of a part. */
struct firmware_part {
	uint32_t at, length;
	const char *name;
};

/* What differs between the two tables. */
struct firmware_kind {
	const char *name;
	uint32_t signature;
	const char *part; /* what its manual calls one */
	bool hex;	  /* and how it writes types */
	/* Checks or adds the part at part->at, whose length it fills in. At least 4 bytes are there. */
	enum sp_status (*read)(struct firmware *firmware, struct firmware_part *part);
};

struct firmware {
	const struct firmware_kind *kind;
	struct sp_host *host;
	const uint8_t *bytes;
	uint32_t length;
	bool adding;	     /* the second walk */
	uint32_t unit_count; /* parts that describe a unit; read() counts them */
};

/*
 * Both walks. SP_MALFORMED; SP_NOT_FOUND where no part describes a unit; SP_NO_SPACE where a table of
 * the host is full: then what the second walk added is taken back. What read() answers.
 */
SP_MUST_USE enum sp_status firmware_discover(struct sp_host *host, const struct firmware_kind *kind,
					     const void *table, size_t bytes);

/* SP_MALFORMED, and one line that says where. */
SP_MUST_USE enum sp_status firmware_refuse(const struct firmware *firmware, uint32_t at,
					   const char *what);
/* The part has `least` bytes and ends by `end`. */
SP_MUST_USE enum sp_status firmware_check_length(const struct firmware *firmware,
						 const struct firmware_part *part, uint32_t least,
						 uint32_t end);
/* One line, in the first walk; what is skipped has a length. */
void firmware_note_skipped(const struct firmware *firmware, uint32_t at, const char *what,
			   uint32_t type);
/* A unit with these registers was discovered before, from this table or another. */
bool firmware_knows_unit(const struct firmware *firmware, uint64_t registers);
