/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/aim.h - the shots that rows are made of.
 *
 *   load    guest's page --edu--> edu's buffer       a fresh payload
 *   warm    load, and the buffer --edu--> target     seen to arrive: the IOTLB holds the way there
 *   fire    the buffer --edu--> target again         a fresh canary lies there: does it stay?
 */
#pragma once

#include "platform/metal/report.h"
#include "platform/metal/transfer.h"

/* Pages of GUEST_SMALL, each for one purpose: no row finds what another one left. */
enum page {
	PAGE_PAYLOAD = 0,
	PAGE_TARGET = 2,
	PAGE_UNMAPPED = 4,
	PAGE_REVOKED = 6,
	PAGE_REPLACED = 8,
	PAGE_RELEASED = 10,
	PAGE_HANDED_OVER = 12,
	PAGE_SPUN_ON = 14,
	PAGE_VICTIM = 16,
	PAGE_PAYLOAD_OF_B = 18,
	PAGE_CODE_OF_EIGHT = 20,
	PAGE_CODE = 22,
	PAGE_CODE_OF_TWO = 24, /* and 25 */
	PAGE_OPERANDS = 27,
};

#define AIM_PAGE(page) (GUEST_SMALL + (uint32_t)(page)*SP_FRAME_BYTES)

static inline uint32_t aim_page(enum page page)
{
	return AIM_PAGE(page);
}

/* Guest A drives; as long as nothing translates and no guest runs, the hypervisor. */
struct guest *aim_driver(struct stage *stage);

/* False: the device was not seen to do it. */
bool aim_load(struct stage *stage, struct guest *driver, const struct canary *payload);
bool aim_write(struct stage *stage, struct guest *driver, uint64_t address, uint32_t bytes);

/*
 * At one of A's pages, while the device is A's. False: it did not arrive there, and the finding
 * says so.
 */
bool aim_warm(struct stage *stage, struct guest *driver, uint32_t address, struct finding *finding);

/* Where a shot goes, and where it would be seen. */
struct shot {
	struct guest *driver;
	uint64_t address; /* on the bus */
	void *at;	  /* what may not change */
	const char *what; /* of the memory there, for the evidence */
};

/* Canary, shot, verdict. */
void aim_fire(struct stage *stage, const struct shot *shot, struct finding *finding);

/* The verdict over 64 bytes that were `canary` and should be. */
void aim_judge(struct stage *stage, const struct shot *shot, const struct canary *canary,
	       struct finding *finding);

/* "mfn 0x1234 (a free frame)" needs no buffer of the caller's: by value. */
struct aim_text {
	char chars[96];
};
struct aim_text aim_text_of_frame(sp_mfn_t frame, const char *what);
