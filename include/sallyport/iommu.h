/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/iommu.h - the units of a machine, from discovery to shutdown.
 *
 *   sp_iommu_discover_dmar() or _ivrs()   reads firmware's table; nothing is touched
 *   sp_pci_scan()                         every function, and the requester ids it uses
 *   sp_pci_enable_vfs()                   where wanted, passthrough.h
 *   sp_iommu_survey()                     for who only looks; else
 *   sp_iommu_start()                      every function in quarantine, then translation on
 *   ...                                   passthrough.h
 *   sp_iommu_stop()                       bus masters off, then translation off
 */
#pragma once

#include <sallyport/p2m.h>

enum sp_vendor {
	SP_VENDOR_VTD,
	SP_VENDOR_AMDVI
};

enum sp_fault_kind {
	SP_FAULT_NOT_PRESENT, /* no translation */
	SP_FAULT_WRITE,	      /* translation without write right */
	SP_FAULT_READ,	      /* translation without read right */
	SP_FAULT_ENTRY,	      /* no or bad device entry */
	SP_FAULT_TABLE,	      /* bad page table entry or unreadable table */
	SP_FAULT_INTERRUPT,   /* interrupt request without a valid entry */
	SP_FAULT_ADDRESS,     /* address beyond the width, or special */
	SP_FAULT_OTHER,
	SP_FAULT_KIND_COUNT
};

/* Who, where, what, why. */
struct sp_fault {
	sp_maddr_t unit; /* register base of the unit that reports */
	enum sp_vendor vendor;
	sp_sbdf_t requester;
	sp_dfn_t frame; /* for interrupts: the index */
	bool write;
	bool has_address; /* some hardware reports none */
	enum sp_fault_kind kind;
	uint8_t reason; /* the vendor's code: VT-d 7.1 fault reason; AMD 48882 2.5 event code */
	bool overflow;	/* faults before this one were lost */
};

/*
 * "sbdf 0000:00:02.0 write dfn 0x80: not present (VT-d reason 0x05)"; at most `bytes` with the
 * ending zero.
 */
void sp_fault_text(const struct sp_fault *fault, char *line, size_t bytes);

/*
 * What a vendor's code means, for who reads it elsewhere than in the unit, in a log for instance. VT-d 7.1.3 Fault
 * Reason Encodings; AMD 48882 2.5: the event's code, its flags (bits 27 to 16 of its second word) and its address.
 */
enum sp_fault_kind sp_fault_kind_vtd(uint8_t reason);
enum sp_fault_kind sp_fault_kind_amdvi(uint32_t code, uint32_t flags, uint64_t address);

/* 48882 2.5.3: of those flags. */
#define SP_AMDVI_FLAG_INTERRUPT 0x008u
#define SP_AMDVI_FLAG_PRESENT	0x010u
#define SP_AMDVI_FLAG_WRITE	0x020u

/* What discovery found, for logs; numbered from 0. SP_NOT_FOUND past the last. */
struct sp_unit_info {
	enum sp_vendor vendor;
	sp_maddr_t registers;
	uint16_t segment;
	bool started;
	bool lost;
	bool coherent;		 /* walks snoop the CPU's caches */
	bool caches_not_present; /* VT-d caching mode, AMD-Vi NpCache */
	bool interrupt_remapping;
	bool scalable;	     /* VT-d: the unit is used in scalable mode */
	uint8_t levels;	     /* bit n: can walk n levels */
	uint8_t large_pages; /* bit 1: 2 MiB, bit 2: 1 GiB */
	uint32_t domain_ids;
	uint64_t posted, reached; /* waits */
};
SP_MUST_USE enum sp_status sp_unit_info(struct sp_host *host, uint32_t index,
					struct sp_unit_info *info);

/*
 * Before discovery: VT-d units that translate second stage in scalable mode (ECAP.SMTS, SSTS) are used in it;
 * the others, and without this call all, in legacy mode. A unit that firmware left translating keeps the mode
 * that it is in, because no unit can change it under way.
 */
void sp_iommu_prefer_scalable(struct sp_host *host, bool prefer);

/*
 * Firmware's table, checksum already verified by the caller, `bytes` long in all. Every entry type
 * is known; impossible lengths and contradictions are SP_MALFORMED with one log line that says
 * where. SP_NOT_FOUND where the table names no unit.
 */
SP_MUST_USE enum sp_status sp_iommu_discover_dmar(struct sp_host *host, const void *table,
						  size_t bytes);
SP_MUST_USE enum sp_status sp_iommu_discover_ivrs(struct sp_host *host, const void *table,
						  size_t bytes);

/*
 * Finds every function of the segment through configuration space, behind bridges too. After
 * discovery.
 */
SP_MUST_USE enum sp_status sp_pci_scan(struct sp_host *host, uint16_t segment);

/*
 * For who looks at a machine and drives none of it: which unit covers each function, by what ids and with
 * what ranges of firmware (sp_function_info()), as sp_iommu_start() would find it. No unit is touched, and the
 * host can be started no more. SP_NOT_FOUND where no unit was discovered; SP_INVALID the second time;
 * SP_MALFORMED, SP_NO_SPACE: firmware's table contradicts itself or says more than fits (logged).
 */
SP_MUST_USE enum sp_status sp_iommu_survey(struct sp_host *host);

/*
 * Brings up all units: each function's quarantine is complete before its unit translates, and where
 * firmware left translation on it stays on and the root is replaced under it. SP_NOT_FOUND where no
 * unit was discovered; SP_INVALID the second time, after a failure too. An endpoint that no unit
 * covers has its bus mastering switched off and cannot be assigned; bridges and units keep theirs.
 */
SP_MUST_USE enum sp_status sp_iommu_start(struct sp_host *host);

/* Orderly shutdown; every device released before. */
void sp_iommu_stop(struct sp_host *host);

/*
 * The oldest fault not yet taken, of any unit. SP_NOT_FOUND when there is none. Bounded work a
 * call.
 */
SP_MUST_USE enum sp_status sp_iommu_next_fault(struct sp_host *host, struct sp_fault *fault);

/*
 * A unit that was lost, when there is reason to believe that it answers again. Translation stays
 * on; its queue begins anew, and everything that it remembers is forgotten: only when it has said
 * so is it believed again, `lost` is false, and what waited for it comes back as sp_progress() is
 * called. Bus mastering of its functions stays off until sp_device_set_master(). A release that it
 * interrupted is to be called again. SP_NOT_FOUND; SP_INVALID where it is not lost; SP_LOST where
 * it does not answer, or was reset and translates by our tables no more: then nothing has changed,
 * and the call may be repeated. No lock held; waits.
 */
SP_MUST_USE enum sp_status sp_unit_recover(struct sp_host *host, uint32_t index);

/*
 * From a crash, NMI included: bus mastering off for all functions, translation left on. Takes no
 * lock, waits for nothing.
 */
void sp_crash_stop(struct sp_host *host);
