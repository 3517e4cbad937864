/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/protect.c - pages of its own that a guest makes read-only, for its CPUs and its devices.
 *
 * A guest has pages of either type by itself alone, so a page that has the other one is what was meant.
 */
#include "platform/metal/protect.h"

#include "platform/metal/hypercall.h"
#include "platform/metal/vm.h"

#define BUSY_MAX 1000u /* far more than a split takes to be paid */

/* How many pages from `gfn` on are memory of this type. */
static uint64_t count_pages(struct vm *vm, uint64_t gfn, uint64_t most, enum sp_type type)
{
	struct sp_mapping mapping;
	uint64_t count = 0;

	while (count < most &&
	       sp_p2m_find(vm->domain, (sp_gfn_t){ gfn + count }, &mapping) == SP_OK &&
	       mapping.type == type)
		count += mapping.count;
	return count < most ? count : most;
}

int64_t protect_set(struct vm *vm, uint64_t gfn, uint64_t count, enum sp_type type)
{
	const enum sp_type other = type == SP_RAM ? SP_RAM_READONLY : SP_RAM;
	const uint64_t pages = count_pages(vm, gfn, count, other);
	struct sp_result result = { .ticket = { vm->domain, 0 } };
	enum sp_status status = SP_OK;
	uint64_t done = 0;

	if (pages == 0)
		return HYPERCALL_NOT_THERE;
	for (uint32_t busy = 0; done < pages && status == SP_OK && busy < BUSY_MAX;) {
		status = sp_p2m_set_type(vm->domain, (sp_gfn_t){ gfn + done }, pages - done, type,
					 &result);
		if (status == SP_OK) {
			done += result.done;
		} else if (status == SP_BUSY) {
			busy++;
			status = sp_wait(vm->host, result.ticket);
		}
	}
	/* On return nobody can write any more. */
	if (sp_wait(vm->host, result.ticket) != SP_OK || done == 0)
		return HYPERCALL_NO_MEMORY;
	return (int64_t)done;
}
