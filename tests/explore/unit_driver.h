/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/unit_driver.h - a unit as its driver knows it: made as its start() leaves it, with all answered
 * up to a number. The two drivers' headers cannot meet in one file, nor with explore.h.
 */
#pragma once

#include "sync/observer.h"

#define RING_SLOTS 4096u

struct unit_place {
	struct sp_host *host;
	uint64_t registers;
	uint64_t ring, completion; /* mfn */
	uint64_t number;
};

struct made_unit {
	struct observer *observer; /* NULL: no room */
	const struct lock *queue;
	const uint64_t *reached;
};

/* unit.c: its devices' entry is replaced, in one store. */
void unit_lead(uint32_t unit, uint64_t root, uint32_t name);

/* function.c. False: no room. */
bool function_make(struct sp_host *host, struct observer *observer, struct sp_domain *first);
/* Returns when all is forgotten. */
enum sp_status function_move(struct sp_host *host, struct sp_domain *domain);

struct made_unit vtd_make(const struct unit_place *place);
struct made_unit amdvi_make(const struct unit_place *place);
