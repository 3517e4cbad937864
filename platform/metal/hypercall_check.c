/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/hypercall_check.c - may this guest make this call?
 *
 *   ring --> number --> pages, or the function
 *
 * In this order: who may not call learns nothing of which calls there are.
 */
#include "platform/metal/hypercall_check.h"

#include "lib/mutant.h"
#include "platform/metal/hypercall.h"
#include "platform/metal/vpci.h"

#define RING_KERNEL 0u

static bool is_ring_right(const struct hypercall_guest *guest, enum call_right right, uint32_t ring)
{
	switch (right) {
	case CALL_BY_NOBODY:
		return false;
	case CALL_BY_KERNEL:
		return ring == RING_KERNEL || MUTANT_IS(guest->mutant, SP_MUT_CALL_RING_UNCHECKED);
	case CALL_BY_USER:
		return true;
	}
	return false;
}

/* Who may make one kind of call is told which others there are not. */
static bool may_call(const struct hypercall_guest *guest, const struct hypercall *call)
{
	const bool balloon = is_ring_right(guest, guest->balloon, call->ring);
	const bool faults = is_ring_right(guest, guest->faults, call->ring);

	switch (call->number) {
	case HYPERCALL_WANTED:
	case HYPERCALL_GIVE:
	case HYPERCALL_GET:
	case HYPERCALL_EXCHANGE:
	case HYPERCALL_PROTECT:
	case HYPERCALL_UNPROTECT:
	case HYPERCALL_SERVE_MAP:
	case HYPERCALL_SERVE_UNMAP:
		return balloon;
	case HYPERCALL_FAULTS:
		return faults;
	}
	return balloon || faults;
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

static int64_t check_faults(const struct hypercall_guest *guest, const struct hypercall *call)
{
	if (call->count != HYPERCALL_FAULT_COUNT && call->count != HYPERCALL_FAULT_ADDRESS)
		return HYPERCALL_RANGE;
	if (MUTANT_IS(guest->mutant, SP_MUT_CALL_FUNCTION_UNCHECKED))
		return 0;
	return vpci_find_name(guest->bus, call->first) != NULL ? 0 : HYPERCALL_NO_FUNCTION;
}

/* Who serves nobody learns of no such call. */
static int64_t check_serving(const struct hypercall_guest *guest, const struct hypercall *call)
{
	if (guest->served == 0)
		return HYPERCALL_UNKNOWN;
	if (call->number == HYPERCALL_SERVE_MAP)
		return call->first < guest->served && call->count < HYPERCALL_SERVE_PLACES
			       ? 0
			       : HYPERCALL_RANGE;
	return call->first < HYPERCALL_SERVE_PLACES && call->count != 0 &&
			       call->count <= HYPERCALL_SERVE_PLACES - call->first
		       ? 0
		       : HYPERCALL_RANGE;
}

int64_t hypercall_check(const struct hypercall_guest *guest, const struct hypercall *call)
{
	if (!may_call(guest, call))
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
	case HYPERCALL_FAULTS:
		return check_faults(guest, call);
	case HYPERCALL_SERVE_MAP:
	case HYPERCALL_SERVE_UNMAP:
		return check_serving(guest, call);
	}
	return HYPERCALL_UNKNOWN;
}
