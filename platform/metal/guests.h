/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/guests.h - the guests that run=guests starts, to their end. */
#pragma once

#include <stdbool.h>

#include <sallyport/passthrough.h>

/* Refuses what cannot be started. False: something of a guest did not come back. */
bool guests_run(struct sp_host *host, enum sp_tables tables);
