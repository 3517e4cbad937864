/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/forgotten.h - frames that the library handed back: the proof that nobody remembers
 * a way to them.
 */
#pragma once

#include <sallyport/platform.h>

/* With the domain's lock held, on any CPU. */
void forgotten_note(const struct sp_forgotten *run);

/* How many runs came so far: what comes later has come `since` then. */
uint64_t forgotten_mark(void);
/* False also where more runs came since than are kept (1024). */
bool forgotten_since(uint64_t mark, uint32_t domain, sp_mfn_t frame);

/* Frames of RAM that ever came back from a domain of this number (below 16). */
uint64_t forgotten_frames(uint32_t domain);
