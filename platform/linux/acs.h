/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/acs.h - Access Control Services: whether a bridge lets its functions talk past the IOMMU.
 * PCI Express base 6.0: 6.12, 7.7.11.
 */
#pragma once

#include "machine.h"

#define ACS_SOURCE_VALIDATION	0x01u
#define ACS_TRANSLATION_BLOCK	0x02u
#define ACS_REQUEST_REDIRECT	0x04u
#define ACS_COMPLETION_REDIRECT 0x08u
#define ACS_UPSTREAM_FORWARD	0x10u
#define ACS_EGRESS_CONTROL	0x20u
#define ACS_DIRECT_TRANSLATED	0x40u

/* What keeps a request from reaching a neighbour without the unit having seen it. */
#define ACS_ISOLATES                                                              \
	(ACS_SOURCE_VALIDATION | ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT | \
	 ACS_UPSTREAM_FORWARD)

enum acs_answer {
	ACS_NONE,    /* the function has no such capability */
	ACS_PRESENT, /* `can` and `on` are filled in */
	ACS_UNSEEN,  /* its extended capabilities could not be read */
};

struct acs {
	enum acs_answer answer;
	uint32_t can, on;
};

struct acs acs_of(const struct machine_function *function);

/* "SV RR CR UF", to be freed; "-" for none. */
char *acs_text(uint32_t bits);
