/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench_root.h - everything is invalidated at once (A2.1 to A2.8): what happens then, by
 * scenes that the oracles judge.
 *
 * Each begins from a guest without a device, whose CPU and emulator have been through its memory, and
 * answers the first complaint, or NULL. Beside R, A and E one more may complain: B, of what has no end,
 * or not the bound that it is said to have.
 */
#pragma once

#include "bench.h"

/* The device leaves; pages of all sizes are mapped; CPU 1 is in the guest, and remembers them. */
void root_begin(struct bench *bench);
/* The call, and its ticket waited for; SP_OK or a complaint. */
void root_invalidate(struct bench *bench);

/* Row 11, A2.2: everybody forgets, all come back, the guest's memory comes anew by faults. */
const char *root_run_all(struct bench *bench);
/* A2.3: the old tree is taken apart in small steps, while the guest's CPU faults between any two. */
const char *root_run_faults(struct bench *bench);
/* A2.3: ... while something else is let go before each step. */
const char *root_run_arrivals(struct bench *bench);
/* A2.4, A2.5: a fault looks for its frame, then everything goes so many times, then it is installed. */
const char *root_run_sampled(struct bench *bench, uint32_t times);
/* A2.7: nobody is told anything while the old tree is taken apart. */
const char *root_run_quiet(struct bench *bench);
/* A2.7: a look-up is half way down the old tree. */
const char *root_run_reader(struct bench *bench);
/* A2.9: the device's map is another at once; it writes before, after, and whenever somebody looks. */
const char *root_run_renewed(struct bench *bench);
/* A2.8: the frame of the first root is a root again; the CPU was elsewhere meanwhile, or idle. */
const char *root_run_reused(struct bench *bench, bool idle);
