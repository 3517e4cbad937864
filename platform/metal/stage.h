/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/stage.h - what the rows play with: two guests, and one device that can be aimed.
 *
 *   create -> (translation off) -> open -> rows -> close
 *
 *   guest A on CPU 1, has the edu device     guest B on CPU 2     the hypervisor on CPU 0
 */
#pragma once

#include <sallyport/passthrough.h>

#include "engines/edu.h"
#include "platform/metal/canary.h"
#include "platform/metal/guest.h"

struct stage {
	struct sp_host *host;
	struct guest a, b;
	sp_sbdf_t function; /* edu's */
	struct edu edu;	    /* its registers, as the hypervisor reaches them */
	struct sp_unit_info unit;
	bool translating;
	struct canary payload; /* what the device's buffer was last told to fetch */
};

/* Domains, memory, the device found; refuses what the demo cannot do without. */
void stage_create(struct stage *stage, struct sp_host *host, enum sp_tables tables);

/* Units translate, A has the device, both guests run. */
void stage_open(struct stage *stage);

/*
 * Everything back: device, frames, units. False, with a line that says what: something is missing.
 */
bool stage_close(struct stage *stage);

/* Who owns the device gets its registers and bus mastering. */
SP_MUST_USE enum sp_status stage_furnish(struct stage *stage, struct guest *owner);
/* The same, from quarantine on. */
SP_MUST_USE enum sp_status stage_give(struct stage *stage, struct guest *guest);

/* Nothing is owed, waits, or could be merged. False: not within 5 seconds. */
bool stage_settle(struct stage *stage);
