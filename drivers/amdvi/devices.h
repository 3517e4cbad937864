/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/devices.h - the IVRS while it is read, for the two files that read it.
 */
#pragma once

#include "iommu/unit.h"

struct ivrs {
	struct sp_host *host;
	const uint8_t *bytes;
	uint32_t length;
	bool adding; /* the second walk */
	uint32_t unit_count;
};

/* One block, or one entry of a block. */
struct ivrs_part {
	uint32_t at, length;
	const char *name;
};

/* discover.c */
/* SP_MALFORMED, and one line that says where. */
enum sp_status ivrs_refuse(const struct ivrs *ivrs, uint32_t at, const char *what);
/* The part has `least` bytes and ends by `end`. */
enum sp_status ivrs_check_length(const struct ivrs *ivrs, const struct ivrs_part *part,
				 uint32_t least, uint32_t end);
void ivrs_note_skipped(const struct ivrs *ivrs, uint32_t at, const char *what, uint32_t type);

/* devices.c: checks the entries of a block behind its header; adds them to the unit, NULL: only checks. */
enum sp_status ivrs_read_devices(const struct ivrs *ivrs, const struct ivrs_part *block,
				 uint32_t header, struct unit *unit);
