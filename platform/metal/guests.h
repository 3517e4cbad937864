/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/guests.h - the guests that run=guests starts, to their end. */
#pragma once

#include <stdbool.h>

#include "platform/metal/faults.h"
#include "platform/metal/options.h"
#include "platform/metal/vm.h"

/*
 * Refuses what cannot be started. False: something of a guest did not come back.
 * `typing_to_guest`: the first guest gets what is typed, not the monitor. `left_out`: guards of a
 * guest, where that is built (lib/mutant.h); tests only.
 */
bool guests_run(struct sp_host *host, enum sp_tables tables, bool typing_to_guest,
		enum option_leave_out left_out);

/* For the monitor. From 0; NULL: there are no more. */
struct vm *guests_at(uint32_t index);
const struct faults *guests_faults(void);
/*
 * CPU 0, before a function is given: what the units have to report of it is its old owner's, and the
 * new one, who may ask for its faults, is not to hear of it.
 */
void guests_settle_faults(struct sp_host *host);
/* "nobody": the function is in quarantine. */
const char *guests_owner(sp_sbdf_t function);
