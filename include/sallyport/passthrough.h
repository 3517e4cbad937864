/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/passthrough.h - giving a device to a guest and taking it back.
 *
 *   host ---start---> quarantine ---assign---> guest ---release---> quarantine
 *                                   guest ---hand over--(through quarantine)--> other guest
 *
 * Quarantine is translation on and nothing mapped but the function's own reserved ranges.
 */
#pragma once

#include <sallyport/iommu.h>

#define SP_BARS		   6
#define SP_REQUESTERS	   8
#define SP_RESERVED_RANGES 4  /* of one function */
#define SP_MESSAGES	   64 /* interrupts of one function */

struct sp_bar {
	sp_maddr_t address;
	uint64_t bytes; /* 0: no BAR here, or I/O ports */
	bool prefetchable;
	bool wide; /* 64 bits: takes the next register too */
};

/* Memory that firmware says a function uses, gfn == mfn for whoever has it. */
struct sp_reserved {
	sp_mfn_t first;
	uint64_t count; /* frames */
	bool read, write;
};

struct sp_function_info {
	sp_sbdf_t sbdf;
	uint16_t vendor, device;
	uint32_t class_code; /* 24 bits */
	bool is_bridge;
	bool covered;	/* a unit translates it; after sp_iommu_survey() */
	bool can_reset; /* a function level reset is known */
	bool has_ats;	/* it could cache translations itself */
	bool ats;	/* and does: sp_device_set_ats() */
	uint32_t unit;	/* sp_unit_info() index, if covered */
	uint32_t requester_count;
	uint16_t requester[SP_REQUESTERS]; /* ids that its requests may carry: its own, bridges',
					      phantom functions' */
	uint32_t reserved_count;	   /* ranges of firmware; after sp_iommu_survey() */
	struct sp_reserved reserved[SP_RESERVED_RANGES];
	struct sp_domain *owner; /* NULL: quarantine */
	bool fenced; /* sp_function_fence(): blocked until its release has seen a reset work */
	struct sp_bar bar[SP_BARS];
	bool is_virtual; /* sp_pci_enable_vfs(); ids and BARs are what its physical function says */
	sp_sbdf_t physical; /* that function; of another, itself */
	uint32_t vf_count;  /* virtual functions of it that are on */
};

/* Numbered from 0; SP_NOT_FOUND past the last. No lock held; waits for an assignment under way. */
SP_MUST_USE enum sp_status sp_function_info(struct sp_host *host, uint32_t index,
					    struct sp_function_info *info);

/*
 * Gives a function to a domain. Decided before anything changes: SP_NOT_FOUND (no such function, or
 * no unit covers it), SP_BUSY (owned already: release or hand over), SP_SHARED_REQUESTER (a
 * function that shares one of its requester ids has another owner), SP_UNSUPPORTED (bridge, or the
 * unit cannot hold the domain's map or cannot remap interrupts), SP_RANGE (the domain maps memory
 * beyond the unit's width), SP_RESERVED_RANGE (the domain's memory lies where the function's
 * reserved ranges or the unit's special addresses are), SP_NO_MEMORY, SP_NO_SPACE, SP_INVALID (not
 * started, or no guest's domain); SP_LOST later: the device is in quarantine again. Fills a map of
 * the unit's own from the p2m first if the unit cannot walk the CPU's. On return the device reaches
 * the domain's memory; bus mastering is still off and the registers are not mapped:
 * sp_device_map_bar() and sp_device_set_master(). No lock held; waits.
 */
SP_MUST_USE enum sp_status sp_device_assign(struct sp_domain *domain, sp_sbdf_t function);

/*
 * Bus mastering off, registers unmapped, entry to quarantine, everything forgotten, reset.
 * SP_NOT_FOUND or SP_INVALID: not the domain's. SP_LOST: a unit of the domain, or the function in
 * its reset, did not answer; the entry leads to quarantine all the same, and the release is to be
 * called again, after sp_unit_recover(): until it says SP_OK, or the domain is destroyed, the
 * function cannot be assigned. SP_UNSUPPORTED: released, but it is fenced and knows no reset, so it
 * stays blocked. No lock held; waits.
 */
SP_MUST_USE enum sp_status sp_device_release(struct sp_domain *domain, sp_sbdf_t function);

/*
 * For a function that does what it should not: a flood of faults (XSA-5), bus mastering that does
 * not stop. Bus mastering off, entries blocked, and what they led to forgotten; functions that
 * share a requester id are blocked with it. From then on it can be released, but not assigned, nor
 * its bus mastering be switched on, until sp_device_release() has seen a reset of it work: from its
 * owner, or where it has none, with any guest's domain. SP_NOT_FOUND: no such function, or no unit
 * covers it. SP_UNSUPPORTED: a bridge. SP_INVALID: not started. SP_LOST: it is blocked, but a unit
 * did not say that it has forgotten. Fenced already: SP_OK. No lock held; waits.
 */
SP_MUST_USE enum sp_status sp_function_fence(struct sp_host *host, sp_sbdf_t function);

/*
 * All that the function's unit has of the domain becomes obsolete at once: its functions there go on in
 * another map, complete before the first is led to it by one store, under another domain id; what was
 * remembered of the old is forgotten on return, and its tables come back. DMA sees no hole. What is done to
 * running devices depends on how many they are, not on what is mapped. A unit that walked the CPU's map has
 * one of its own from then on. SP_NOT_FOUND; SP_INVALID: not the domain's; SP_NO_SPACE, SP_NO_MEMORY:
 * nothing changed; SP_LOST. No lock held; waits.
 */
SP_MUST_USE enum sp_status sp_device_renew(struct sp_domain *domain, sp_sbdf_t function);

/*
 * Release and assign in one; the device is in quarantine in between. What sp_device_assign() would
 * refuse is refused before anything changes; on a later failure the device stays in quarantine.
 */
SP_MUST_USE enum sp_status sp_device_hand_over(struct sp_domain *from, struct sp_domain *to,
					       sp_sbdf_t function);

/* Maps a memory BAR of an assigned function at a gfn of its domain, as SP_MMIO. Waits. */
SP_MUST_USE enum sp_status sp_device_map_bar(struct sp_domain *domain, sp_sbdf_t function,
					     uint32_t bar, sp_gfn_t first);

/* What a function is told to write, and where, to raise an interrupt (PCI 3.0, 6.8). */
struct sp_message {
	uint64_t address;
	uint32_t data;
};

/*
 * Interrupts of an assigned function, numbered by the embedder from 0 to SP_MESSAGES - 1: edge,
 * fixed, to the CPU whose APIC has this id. Each is an entry of the unit's that this function alone
 * can use; what it sends beside them is blocked. *message is for its MSI capability or its MSI-X
 * table, and stays the same however often vector and CPU of `number` change. On return, the entry
 * that was there before is forgotten; all of them go with sp_device_release(). SP_NOT_FOUND: no such
 * function, or not the domain's; SP_INVALID: number, or a vector below 16; SP_UNSUPPORTED: its
 * requests carry several ids, or the unit cannot remap to that id; SP_NO_SPACE: the unit's entries
 * are used up; SP_NO_MEMORY; SP_LOST: no entry is there, or the old one may be remembered. No lock
 * held; waits.
 */
SP_MUST_USE enum sp_status sp_device_set_message(struct sp_domain *domain, sp_sbdf_t function,
						 uint32_t number, uint8_t vector, uint32_t apic_id,
						 struct sp_message *message);

/* The entry is absent and forgotten. SP_OK also where there is none. */
SP_MUST_USE enum sp_status sp_device_clear_message(struct sp_domain *domain, sp_sbdf_t function,
						   uint32_t number);

/* Bus mastering of a function, whoever owns it; what it reaches is the unit's business. */
SP_MUST_USE enum sp_status sp_device_set_master(struct sp_host *host, sp_sbdf_t function, bool on);

/*
 * Address Translation Services (PCI Express base 6.0, chapter 10): the function asks its unit for
 * translations, keeps them in a cache of its own, and sends requests that the unit lets through
 * unlooked at. So with ATS the function itself is trusted to contain its DMA: one that lies reaches
 * all memory. And one that does not answer an invalidation holds up its unit's whole queue, until
 * the unit counts as lost. Therefore off, unless it is asked for here.
 *
 * For an assigned function whose bus mastering is off. Every move (release, hand over) ends with
 * ATS off, and whoever assigns it next asks again. Asked for what is already so: SP_OK.
 * SP_NOT_FOUND: no such function, or no unit covers it; SP_INVALID: not started, or in quarantine,
 * where there is nothing to cache; SP_BUSY: bus mastering is on, or it is fenced; SP_UNSUPPORTED:
 * function or unit does not know it, or its requests carry several ids, or shared ones;
 * SP_NO_SPACE: four functions of the domain behind this unit, or eight behind this unit, have it
 * on; SP_LOST: the unit is lost. No lock held; waits.
 */
SP_MUST_USE enum sp_status sp_device_set_ats(struct sp_host *host, sp_sbdf_t function, bool on);

/*
 * A range that firmware's table did not name but the device needs (or a test wants). Before
 * sp_iommu_start(). gfn == mfn in quarantine and in whatever domain the function is assigned to.
 */
SP_MUST_USE enum sp_status sp_function_reserve(struct sp_host *host, sp_sbdf_t function,
					       sp_mfn_t first, uint64_t count, bool writable);

/* Bus addresses that bridges lead downwards and where no memory is. */
struct sp_window {
	sp_maddr_t first;
	uint64_t bytes;
};

/*
 * Virtual functions of a physical one (PCI Express base 6.0, 9.3.3): switches the first `count` of them
 * on, and adds them as functions, each with a requester id of its own and in quarantine from
 * sp_iommu_start() on. Between sp_pci_scan() and sp_iommu_start(); waits 100 ms, after
 * platform_relax(), and a second more where firmware left some on. Registers that firmware placed
 * within `window` and upon nobody else stay there, others are placed in it. What the device says of
 * itself is checked; on a failure all its virtual functions are off, and the log says why.
 *
 * SP_NOT_FOUND: no such function; SP_INVALID: count 0, or started; SP_BUSY: they are on already;
 * SP_UNSUPPORTED: a bridge, a virtual function, or one that cannot; SP_RANGE: more than it has, or
 * one would lie beyond the buses that lead to it, or upon another function; SP_MALFORMED: what it
 * says contradicts itself; SP_NO_SPACE: the window or sp_limits.functions is too small; SP_LOST: one
 * does not answer.
 *
 * Whoever drives the physical function decides what the virtual ones can do. So it is assigned only to
 * a domain with `allow_physical` (the embedder's own driver), and not released while one of them
 * has an owner (SP_BUSY): the reset would take them away. After its reset they are on again, as
 * after a reset of their own. Fenced, it is blocked itself; they go on, each contained by its own
 * entry.
 */
SP_MUST_USE enum sp_status sp_pci_enable_vfs(struct sp_host *host, sp_sbdf_t physical,
					     uint32_t count, const struct sp_window *window);
