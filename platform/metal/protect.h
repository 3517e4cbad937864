/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/protect.h - pages of its own that a guest makes read-only, for its CPUs and its devices.
 *
 *   RAM --PROTECT, wait--> read-only --UNPROTECT--> RAM
 *
 * A large page is split for it, and made again when all of it is alike.
 */
#pragma once

#include <stdint.h>

#include <sallyport/p2m.h>

struct vm;

/*
 * For hypercalls that were checked (hypercall_check.h), on a CPU of the guest's, with its lock. From `gfn` on, as
 * far as pages are RAM that is not yet so: how many, or an error of hypercall.h. `type` is SP_RAM_READONLY or SP_RAM.
 */
int64_t protect_set(struct vm *vm, uint64_t gfn, uint64_t count, enum sp_type type);
