/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/ops.h - what a vendor's driver must do. iommu/ is the only caller.
 */
#pragma once

#include <sallyport/passthrough.h>

#include "sync/observer.h"

struct unit;

/* What a requester's DMA meets: a complete table, and the name its translations carry. */
struct unit_entry {
	sp_mfn_t root;
	uint8_t levels;
	uint16_t name; /* domain id */
	bool ats;      /* the function may ask for translations and keep them */
};

/* An interrupt remapping entry; absent unless `present`. */
struct irte {
	bool present;
	uint8_t vector;
	uint32_t destination; /* APIC id, physical */
	uint16_t requester;   /* who may use it */
};

struct iommu_ops {
	/*
	 * From whatever firmware left to: the unit's own device table or root, filled by attach()
	 * before this call; interrupt remapping on with every entry absent; queue on; global
	 * invalidation completed; translation on. Never a moment in which a request passes
	 * untranslated that was translated before. Every requester that was not attached is
	 * blocked. SP_LOST when a register does not follow in time.
	 */
	enum sp_status (*start)(struct unit *unit);
	/* Translation off; bus masters are off already. */
	void (*stop)(struct unit *unit);
	/*
	 * Replaces a requester's entry so that no walk sees half of it. Cannot fail once
	 * prepare_entry() said SP_OK for the requester. Invalidates nothing: that is owed by
	 * whoever the entry led to before.
	 */
	void (*attach)(struct unit *unit, uint16_t requester, const struct unit_entry *entry);
	/* Takes what memory the entry's place needs (VT-d: the bus's context table). May refuse. */
	enum sp_status (*prepare_entry)(struct unit *unit, uint16_t requester);
	/* Queues the commands and a wait. Queue lock held. As struct observer_ops.post. */
	enum sp_status (*post)(struct unit *unit, const struct command *commands, uint32_t count,
			       uint64_t *number);
	/*
	 * Reads completion into unit->reached; restarts a queue that stopped, or says SP_LOST.
	 * Queue lock held: it must not meet a post half way.
	 */
	enum sp_status (*progress)(struct unit *unit);
	/*
	 * A lost unit begins anew, translation on throughout: its queue is stopped, made empty and
	 * on again; everything is forgotten, and the answer to that awaited. Then it has reached
	 * all that was `asked`, which is for the caller to say. SP_LOST when something of it does
	 * not answer in time, or its tables are not ours any more. Queue lock not held: waits; a
	 * lost unit is posted nothing.
	 */
	enum sp_status (*recover)(struct unit *unit);
	/*
	 * Replaces a requester's entry by a blocked one: present, over an empty table, translation
	 * on.
	 */
	void (*fence)(struct unit *unit, uint16_t requester);
	/*
	 * SP_OK, or SP_NOT_FOUND. One record a call; iommu/ adds unit and vendor. Queue lock held.
	 */
	enum sp_status (*next_fault)(struct unit *unit, struct sp_fault *fault);
	/*
	 * Writes one remapping entry and queues the invalidation of what was there: forgotten when
	 * the unit has reached what `asked` is afterwards. Of a lost unit an absent entry is written
	 * all the same. Queue lock not held.
	 */
	enum sp_status (*set_irte)(struct unit *unit, uint32_t index, const struct irte *irte);
	/* What a function must send for the entry to be used. */
	struct sp_message (*message)(uint32_t index);
};
