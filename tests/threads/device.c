/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/device.c - functions go to guests and come back.
 */
#include <sallyport/passthrough.h>

#include "machine.h"

#include "memory.h"

sp_sbdf_t machine_function(uint32_t index)
{
	return sp_sbdf(0, 0, index + 1, 0);
}

enum sp_status machine_assign(struct machine *machine, struct sp_domain *domain, uint32_t function)
{
	enum sp_status status;

	store32(&machine->owner[function], domain->number);
	status = sp_device_assign(domain, machine_function(function));
	if (status != SP_OK)
		store32(&machine->owner[function], 0);
	return status;
}

void machine_release(struct machine *machine, struct sp_domain *domain, uint32_t function)
{
	enum sp_status status = sp_device_release(domain, machine_function(function));

	if (status != SP_OK)
		machine_complain(machine, "releasing function %u ended with \"%s\"", function,
				 sp_status_text(status));
	store32(&machine->owner[function], 0);
}

static bool agree(const struct found *a, const struct found *b)
{
	uint32_t device = b->rights & DEVICE_RIGHTS;

	if (!a->rights || !device)
		return !a->rights == !device;
	return a->mfn == b->mfn && !(a->rights & CPU_WRITE) == !(device & DEVICE_WRITE);
}

void machine_check_maps(struct machine *machine, struct sp_domain *domain)
{
	for (uint32_t i = 1; i <= MAX_UNITS; i++) {
		struct found cpus, devices;

		if (!domain_has_map(domain, i))
			continue;
		for (uint64_t frame = 0; frame < machine->span; frame++) {
			(void)tree_find(&domain->maps[0].tree, frame, &cpus);
			(void)tree_find(&domain->maps[i].tree, frame, &devices);
			if (!agree(&cpus, &devices))
				machine_complain(machine, "map %u does not agree at frame %#llx", i,
						 (unsigned long long)frame);
		}
	}
}
