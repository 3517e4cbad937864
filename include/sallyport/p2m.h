/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/p2m.h - a guest's memory.
 *
 *   type              CPU    device  memory type   meant for
 *   SP_RAM            rwx    rw      write-back    ordinary memory
 *   SP_RAM_READONLY   r-x    r-      write-back    ROM, copy-on-write
 *   SP_MMIO           rw-    --      uncached      a device's registers, for the guest's CPUs alone
 *   SP_RESERVED       rw-    rw      write-back    firmware's ranges for a device, gfn == mfn
 *   SP_RAM_HELD       r--    r-      write-back    memory while sp_p2m_patch() writes over its code
 *
 * A map that cannot hold a pair of rights refuses the change (SP_UNSUPPORTED): a shared EPT map
 * holds only equal read and write rights for CPU and device; who wants MMIO for the CPU alone
 * chooses SP_TABLES_SEPARATE.
 *
 * The library holds a reference on every frame from the call that maps it until
 * platform_forgotten(); but none on SP_RESERVED frames, which are firmware's.
 */
#pragma once

#include <sallyport/observer.h>

enum sp_cpu_format {
	SP_CPU_EPT,  /* Intel SDM 3C 29.3 */
	SP_CPU_NPT,  /* AMD APM 2 15.25 */
	SP_CPU_NONE, /* a quarantine's; sp_domain_create() refuses it */
	SP_CPU_SHADOW, /* CPUs walk shadows of the guest's tables, the embedder's; the p2m is software's */
	SP_CPU_PV /* CPUs walk the guest's own tables, sallyport/pv.h; the p2m is software's */
};

struct sp_pv_config;

enum sp_tables {
	SP_TABLES_SHARED, /* units that can walk the CPU's table do; others get one of their own, and
			      with SP_CPU_SHADOW and SP_CPU_PV all: no unit walks a software map */
	SP_TABLES_SEPARATE /* every unit gets a table of its own */
};

/* Which CPUs stay out of the guest while an emulator (observer.h) still has what went. */
enum sp_gate {
	SP_GATE_EVERY_CPU, /* strict: none of the domain's enters */
	SP_GATE_ISSUER	   /* relaxed: the CPU that made the change does not; others run on, and may
			      ask an emulator for something that it does from its old mapping. Only for
			      vCPUs that stay on their CPUs */
};

struct sp_domain_config {
	uint32_t number; /* the embedder's name for it, told in logs and platform_forgotten() */
	enum sp_cpu_format cpu;
	enum sp_tables tables;
	uint32_t table_budget; /* table pages, those in limbo and in reserve included; at least 8 */
	uint32_t node;
	uint8_t cpu_levels;	 /* 4 or 5; 0 is 4 */
	uint8_t cpu_large_pages; /* bit 1: 2 MiB, bit 2: 1 GiB pages may be used */
	bool allow_unremapped; /* devices of units that cannot remap interrupts, too: such a device
				    can send any message to any CPU */
	bool allow_physical; /* functions whose virtual functions are on, too: sp_pci_enable_vfs() */
	uint16_t asid; /* NPT's tag, the embedder's; unique among live domains; 0 with EPT; with
			  SP_CPU_SHADOW whatever its CPUs run under */
	const struct sp_observer_config *shadows; /* with SP_CPU_SHADOW, else NULL; copied */
	const struct sp_pv_config *pv;		  /* with SP_CPU_PV, else NULL; copied */
	enum sp_gate gate;
};

/* What a change came to. */
struct sp_result {
	uint64_t done; /* frames, counted from the first, that are as wished */
	struct sp_ticket ticket;
};

struct sp_mapping {
	sp_mfn_t frame; /* of the gfn asked for */
	uint64_t count; /* frames from there to the end of the page it is part of */
	uint32_t order; /* of that page: 0, 9 or 18 */
	enum sp_type type;
};

SP_MUST_USE enum sp_status sp_domain_create(struct sp_host *host,
					    const struct sp_domain_config *config,
					    struct sp_domain **domain);

/*
 * Closes the maps at once; frames come back through platform_forgotten() as progress is made. Call
 * it again, with sp_progress() in between, until it answers SP_OK: then the domain is gone.
 * SP_PENDING until then; where a unit that may remember something of it was lost, until
 * sp_unit_recover() succeeds. SP_BUSY where a device was not released, an observer not
 * removed, or a CPU has a root of it loaded (SP_CPU_PV): nothing changed. No CPU may
 * enter the domain any more.
 */
SP_MUST_USE enum sp_status sp_domain_destroy(struct sp_domain *domain);

/*
 * Map, unmap, or change the type of frames that stay. All three:
 * - SP_OK: the first result->done frames are as wished; when that is less than count, call again
 *   with the rest (a call is bounded by SP_STEP_SLOTS and SP_STEP_TABLES). The old state is
 *   forgotten when the ticket settles.
 * - SP_BUSY: wait for result->ticket, then call again. A large page was split first, by this call
 *   or another, and that must be paid before its pieces may differ; or limbo is full; or another call
 *   is building tables there, or a device's reserved range is just coming or going. result->done is 0, no translation changed.
 * - any other status: nothing changed. SP_INVALID, also for SP_RESERVED, which is passthrough's
 *   alone, and SP_RAM_HELD, which is sp_p2m_patch()'s; SP_RANGE; SP_RESERVED_RANGE; SP_UNSUPPORTED: rights that a map cannot hold;
 *   SP_NO_MEMORY. SP_UNSUPPORTED also with SP_CPU_PV: frames have types there (sallyport/pv.h).
 * Any CPU; takes the domain's lock; interrupts on or off.
 */
SP_MUST_USE enum sp_status sp_p2m_map(struct sp_domain *domain, sp_gfn_t first, sp_mfn_t frame,
				      uint64_t count, enum sp_type type, struct sp_result *result);
SP_MUST_USE enum sp_status sp_p2m_unmap(struct sp_domain *domain, sp_gfn_t first, uint64_t count,
					struct sp_result *result);
/*
 * The same as sp_p2m_unmap(), but nobody is told yet: no CPU is kicked and no unit gets a command; an
 * emulator alone is told at once. Who remembered the frames may go on using them; until all have
 * forgotten, they are handed to nobody. What is owed is told when somebody wants it: when the ticket, or
 * a later one, is waited for or polled; with the next change of the domain that owes something and is
 * not lazy; when limbo, the budget of tables or the platform's frames are used up (SP_BUSY); when the
 * domain ends.
 */
SP_MUST_USE enum sp_status sp_p2m_unmap_lazy(struct sp_domain *domain, sp_gfn_t first,
					     uint64_t count, struct sp_result *result);
/*
 * From SP_RAM to SP_RAM_READONLY or back. SP_NOT_FOUND where the first frame is neither;
 * result->done ends before a later one that is not. The caller keeps others from changing the same
 * range meanwhile.
 */
SP_MUST_USE enum sp_status sp_p2m_set_type(struct sp_domain *domain, sp_gfn_t first, uint64_t count,
					   enum sp_type type, struct sp_result *result);

/*
 * Around changes that belong together: emulators are asked for all of them at once, when the last batch
 * of the domain ends, or earlier where somebody waits or calls sp_progress(). The gate is closed from
 * the first change on. CPUs and units are told at each, as ever. Takes the domain's lock.
 */
void sp_batch_begin(struct sp_domain *domain);
void sp_batch_end(struct sp_domain *domain);

/*
 * SP_NOT_FOUND for a hole, with mapping->count the frames that are certainly hole. Takes no lock;
 * any context but NMI, as long as the caller stays on its CPU meanwhile.
 */
SP_MUST_USE enum sp_status sp_p2m_find(struct sp_domain *domain, sp_gfn_t frame,
				       struct sp_mapping *mapping);

/*
 * Everything that is mapped goes at once, however much it is: the CPU's map goes on from another root,
 * which is empty, for faults to fill again. When the ticket settles no CPU is in guest mode on what was
 * there, and none can enter on it or look it up; frames come back through platform_forgotten() with
 * sp_progress(), in bounded steps that tell nobody anything. Its cost depends on the CPUs alone.
 * - SP_BUSY: wait for result->ticket, then call again: limbo, or the budget, is full. A ticket whose
 *   domain is NULL: waiting does not help, for a device walks the domain's memory or is just about to,
 *   and DMA cannot be repeated. Release it first.
 * - SP_NO_MEMORY: no page for the root. SP_INVALID: the domain is being destroyed.
 * Any answer but SP_OK: nothing changed. result->done says nothing. As sp_p2m_map() otherwise.
 */
SP_MUST_USE enum sp_status sp_p2m_invalidate_all(struct sp_domain *domain,
						 struct sp_result *result);

/*
 * For who handles a fault: sample, look for the frame in tables of one's own, map it. Where everything
 * went in between, the frame may not be the guest's any more: SP_STALE, nothing changed; sample, and look
 * again. What goes by sp_p2m_unmap() is no such case: keep faults off a range that you take away. Takes no
 * lock.
 */
uint64_t sp_p2m_sample(const struct sp_domain *domain);
SP_MUST_USE enum sp_status sp_p2m_map_sampled(struct sp_domain *domain, uint64_t sample,
					      sp_gfn_t first, sp_mfn_t frame, uint64_t count,
					      enum sp_type type, struct sp_result *result);

#define SP_PATCH_BYTES 16u

/* What is to be written over a guest's code, and how far that has come. */
struct sp_patch {
	uint64_t address; /* guest-physical */
	uint32_t count;	  /* bytes, 1 to SP_PATCH_BYTES */
	uint8_t bytes[SP_PATCH_BYTES];
	struct sp_ticket ticket; /* SP_BUSY: what to wait for */
	/* The library's; 0 before the first call. */
	uint32_t stage, pages;
	enum sp_status outcome;
	enum sp_type type[2];
	sp_mfn_t frame[2];
};

/*
 * Writes over code that the guest's CPUs may be executing; each executes the old bytes or the new ones,
 * never some of both. They are one instruction, or code in whose middle no CPU can have been interrupted:
 * it would go on from there. Bytes within eight that are aligned: one store, at once. Others: a window in
 * which the page (or two) is SP_RAM_HELD, so that nobody executes or writes it; a CPU that fetches there takes
 * a fault, and enters again; a device's write there is refused, and lost. Each CPU has left its guest, or
 * entered it anew, before the first byte is written.
 * - SP_OK: all is written, and the page is what it was.
 * - SP_BUSY: wait for patch->ticket, then call again with the same patch, until it answers otherwise: in
 *   between the window may stand. Nothing else changes the page meanwhile.
 * - SP_NOT_FOUND: it is not memory; or it was changed in the window, and nothing was written. SP_LOST: a
 *   unit that may write there does not answer; nothing was written. SP_INVALID. Else as sp_p2m_map().
 * Any CPU; takes the domain's lock.
 */
SP_MUST_USE enum sp_status sp_p2m_patch(struct sp_domain *domain, struct sp_patch *patch);

/* What the embedder loads before it enters the guest. */
struct sp_entry {
	sp_maddr_t root; /* nCR3, or the EPT table of EPTP; 0 with SP_CPU_SHADOW: a shadow's */
	uint8_t levels;
	uint16_t asid;
	bool flush; /* NPT: TLB_CONTROL 3, or 1 without FlushByASID. EPT: INVEPT single-context.
		       Shadows: all that this CPU remembers under their tag. Before this entry */
	struct sp_ticket ticket; /* SP_BUSY: settled at the latest when the gate is open again */
};

/*
 * Around every entry to guest mode, interrupts off from before sp_cpu_enter() until the guest runs.
 * The exit itself is the answer to a kick. sp_cpu_leave() follows each entry that was allowed; when it
 * was not made after all, `entered` is false and the flush stays owed.
 *
 * SP_BUSY: do not enter, nor call sp_cpu_leave(). An emulator has not let go of memory that went:
 * park the vCPU, serve emulators, call sp_progress(), and ask again. Writes nothing that CPUs share.
 */
SP_MUST_USE enum sp_status sp_cpu_enter(struct sp_domain *domain, struct sp_entry *entry);
void sp_cpu_leave(struct sp_domain *domain, bool entered);

/*
 * This CPU dropped all that it remembers under the domain's tag, for reasons of its own, and was not in
 * its guest since: what was unmapped before needs no kick of it. Interrupts off; takes the domain's lock.
 */
void sp_cpu_flushed(struct sp_domain *domain);
