/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/hypercall_check.c - may this guest make this call?
 *
 *   ring --> number --> pages
 *
 * In this order: who may not call learns nothing of which calls there are.
 */
#include "platform/metal/hypercall_check.h"

#include "lib/mutant.h"
#include "platform/metal/hypercall.h"

#define RING_KERNEL 0u

static bool may_call(const struct hypercall_guest *guest, uint32_t ring)
{
	switch (guest->right) {
	case BALLOON_OFF:
		return false;
	case BALLOON_KERNEL:
		return ring == RING_KERNEL || MUTANT_IS(guest->mutant, SP_MUT_CALL_RING_UNCHECKED);
	case BALLOON_USER:
		return true;
	}
	return false;
}

/* No sum: a count near 2^64 would come round. */
static bool is_within(const struct hypercall_guest *guest, const struct hypercall *call)
{
	if (call->count == 0 || call->count > HYPERCALL_PAGES_MAX)
		return false;
	if (MUTANT_IS(guest->mutant, SP_MUT_CALL_RANGE_UNCHECKED))
		return call->first + call->count <= guest->frames;
	return call->first < guest->frames && call->count <= guest->frames - call->first;
}

int64_t hypercall_check(const struct hypercall_guest *guest, const struct hypercall *call)
{
	if (!may_call(guest, call->ring))
		return HYPERCALL_NOT_PERMITTED;
	switch (call->number) {
	case HYPERCALL_VERSION:
	case HYPERCALL_WANTED:
		return 0;
	case HYPERCALL_GIVE:
	case HYPERCALL_GET:
	case HYPERCALL_EXCHANGE:
	case HYPERCALL_PROTECT:
	case HYPERCALL_UNPROTECT:
		return is_within(guest, call) ? 0 : HYPERCALL_RANGE;
	}
	return HYPERCALL_UNKNOWN;
}
