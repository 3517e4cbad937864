/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m/types.h - what each type of guest memory allows whom: the table of sallyport/p2m.h, as data.
 *
 * No two types give the CPU the same rights and memory type, so a slot needs no bits of ours to say
 * what it is.
 */
#pragma once

#include "pagetable/format.h"
#include "sync/domain.h"

struct p2m_type {
	uint32_t rights;
	enum memory_type memory;
};

extern const struct p2m_type p2m_types[SP_TYPE_COUNT];

/* False where no type looks like that to the CPU. */
bool p2m_type_of(uint32_t cpu_rights, enum memory_type memory, enum sp_type *type);

/*
 * A firmware range of a function that is being assigned: mapped gfn == mfn in every map of the
 * domain, and out of reach of sp_p2m_*() until p2m_unreserve(). SP_RESERVED_RANGE where something
 * else is mapped there; SP_NO_SPACE. A range that is reserved already, by another function of the
 * domain, is left as it is. Waits; no lock held.
 */
SP_MUST_USE enum sp_status p2m_reserve(struct sp_domain *domain, uint64_t first_mfn,
				       uint64_t count);
/* Unmaps it; nothing where it is not reserved. Waits. */
SP_MUST_USE enum sp_status p2m_unreserve(struct sp_domain *domain, uint64_t first_mfn,
					 uint64_t count);
