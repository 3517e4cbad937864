/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/pv.h - guests that write their own page tables (direct paging), and what remembers those.
 *
 *   guest's root --> L3 --> L2 --> L1 --> frame      tables are the guest's frames, of a type each
 *        |                                           written here alone, entry by entry
 *        +-- linear slot --> the root itself         so the hypervisor reaches every L1 entry at an
 *                                                    address of its own: the linear map
 *
 *   observer         remembers                       forgets                   before
 *   the linear map   where an L1 entry lies: TLB     a flush that an IPI's     the linear map is used again
 *                    and paging-structure entries    handler makes
 *   private roots    a copy of the root that each    copied again              its CPU returns to the guest
 *                    CPU's guest mode runs on
 *   units            the frame's DMA address         queued invalidation       a frame that devices wrote
 *                                                                              becomes a table
 *
 * Such a domain is made with SP_CPU_PV. Its p2m is a software map of the frames that it owns, gfn == mfn
 * == dfn, that no CPU walks; units have maps of their own. A frame has a type, and is device-writable
 * only while that is SP_PV_WRITABLE. docs/pv.md has the whole story.
 *
 * Tables: SDM 3A 5.5, four levels; APM 2 5.3. What is remembered of them: SDM 3A 5.10, APM 2 5.5.
 */
#pragma once

#include <sallyport/p2m.h>

enum sp_pv_type {
	SP_PV_NONE,	/* no use: devices may read it */
	SP_PV_WRITABLE, /* some L1 entry lets the guest write it, or did last: devices may too */
	SP_PV_L1,	/* a validated table; the guest may map it read-only */
	SP_PV_L2,
	SP_PV_L3,
	SP_PV_L4 /* a root */
};

struct sp_pv_config {
	/* Whatever the domain is ever given lies in here. */
	sp_mfn_t first;
	uint64_t frames;
	void *memory; /* 16-byte aligned, sp_pv_size(frames) bytes, the embedder's until the end */
	/*
	 * Slots of each root that are the hypervisor's; the first is the linear map's. The others are
	 * 0 when a frame becomes a root; load() may fill them.
	 */
	uint32_t linear_slot, own_slots;

	/* Where the CPU reaches a frame of the domain's. Lock: domain. */
	uint64_t *(*pointer)(void *argument, sp_mfn_t frame);
	/*
	 * Stores into the L1 entry of a guest address, one atomic store through the linear map of the
	 * root that this CPU has loaded; tried again where it faults by an old, narrower right. Lock:
	 * domain.
	 */
	void (*linear_write)(void *argument, uint64_t address, uint64_t value);
	/*
	 * This CPU writes CR3, forgetting all but global entries; and copies the guest's slots of the
	 * root to its private one. Lock: domain.
	 */
	void (*load)(void *argument, sp_mfn_t root);
	/*
	 * Each of these CPUs, its own included, drops all translations but global ones, under the
	 * hypervisor's tag and the guest's, and with `links` its paging-structure entries too (a write to
	 * CR3, INVPCID, drops both always); in an IPI's handler that also takes it out of guest mode. Then
	 * it calls sp_pv_flushed() with this number: the one call that may be made from here. Begins, does
	 * not wait. Lock: domain.
	 */
	void (*flush)(void *argument, const struct sp_cpu_set *cpus, uint64_t number, bool links);
	void *argument;
};

/* Bytes of sp_pv_config.memory. */
size_t sp_pv_size(uint64_t frames);

/*
 * Frames come to the domain, SP_PV_NONE, their contents the guest's; forgotten, if they were its own
 * before. As sp_p2m_map(); SP_RANGE beyond sp_pv_config; SP_INVALID where it has one of them.
 */
SP_MUST_USE enum sp_status sp_pv_add(struct sp_domain *domain, sp_mfn_t first, uint64_t count,
				     struct sp_result *result);
/*
 * They leave it: as sp_p2m_unmap(), and platform_forgotten() when nobody remembers them. SP_INVALID
 * where one is still mapped by the guest, or a table that is used or pinned: nothing changed.
 */
SP_MUST_USE enum sp_status sp_pv_remove(struct sp_domain *domain, sp_mfn_t first, uint64_t count,
					struct sp_result *result);

enum sp_pv_op_kind {
	SP_PV_SET,    /* at: machine address of an entry; value */
	SP_PV_SET_AT, /* at: guest address whose L1 entry becomes value, through the linear map */
	SP_PV_PIN,    /* at: frame; value: an enum sp_pv_type that it becomes and stays */
	SP_PV_UNPIN   /* at: frame */
};

struct sp_pv_op {
	enum sp_pv_op_kind kind;
	uint64_t at, value;
};

/*
 * Carries out operations on the tables of `owner`, whoever asks, in order; result->done of them are
 * done.
 * - SP_OK: all.
 * - SP_BUSY: wait for the ticket, call again with those that are left. Somebody must forget something
 *   first, or it was much for one call.
 * - another status: operation number result->done was refused, and changed nothing; those before it are
 *   done, and what they owe is under way. SP_INVALID: an entry with bits that are not the guest's, a
 *   frame that is not, or has another use; a slot of the hypervisor's; SP_PV_SET_AT on a CPU that has
 *   no root of `owner` loaded. SP_NOT_FOUND: no L1 table there. SP_LOST.
 * What they owe is told once a CPU, at the end or before the linear map is used. Any CPU; takes the
 * domain's lock.
 */
SP_MUST_USE enum sp_status sp_pv_update(struct sp_domain *owner, const struct sp_pv_op *ops,
					uint64_t count, struct sp_result *result);

/*
 * This CPU is about to run on a root of the domain: sp_pv_config.load() is called. It belongs to the
 * domain's dirty CPUs until sp_pv_unload(), whether it runs the guest or idles. SP_BUSY as above.
 */
SP_MUST_USE enum sp_status sp_pv_load(struct sp_domain *domain, sp_mfn_t root,
				      struct sp_result *result);
/*
 * This CPU has written CR3 with a table of somebody else's since, and so remembers nothing of the
 * domain. Not before: while it idles on the old root it may still walk that.
 */
void sp_pv_unload(struct sp_domain *domain);

/* What sp_pv_config.flush() asked of this CPU is done. Takes no lock; any context but NMI. */
void sp_pv_flushed(struct sp_domain *domain, uint64_t number);

/*
 * Around guest mode on a loaded root, interrupts off, as sp_cpu_enter() and sp_cpu_leave(). True: the
 * private root is to be copied again, and what was remembered of it forgotten (CR3 with bit 63 clear),
 * with this entry.
 */
SP_MUST_USE bool sp_pv_enter(struct sp_domain *domain);
void sp_pv_leave(struct sp_domain *domain, bool entered);

struct sp_pv_info {
	enum sp_pv_type type;
	bool pinned;
	uint32_t uses;	 /* entries that use it as that type, and CPUs that have it loaded */
	uint32_t mapped; /* L1 entries that lead to it */
};

/* SP_NOT_FOUND where the frame is not the domain's. Takes the domain's lock. */
SP_MUST_USE enum sp_status sp_pv_find(struct sp_domain *domain, sp_mfn_t frame,
				      struct sp_pv_info *info);
