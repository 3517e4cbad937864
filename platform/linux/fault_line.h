/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/fault_line.h - a line of the kernel's log that tells of an IOMMU's fault, decoded.
 *
 *   DMAR: [DMA Read NO_PASID] Request device [02:00.0] fault addr 0xfe000 [fault reason 0x06] ..   VT-d 7.1.3
 *   AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:02:00.0 domain=0x000e address=0x.. flags=0x0020]   48882 2.5
 *
 * in every form that kernels from 3.0 to 6.12 print, two of which take two lines.
 */
#pragma once

#include <sallyport/iommu.h>

enum fault_event {
	FAULT_TRANSFER,	  /* or message: a unit blocked it; `kind` says why */
	FAULT_QUEUE,	  /* a unit refused a command of the kernel */
	FAULT_SILENCE,	  /* a device did not answer: its translation cache was to forget */
	FAULT_COMPLETION, /* a device answered that nonsensically */
	FAULT_PAGES,	  /* a device's page request that cannot be served */
	FAULT_OWNER,	  /* AMD: memory that the RMP gives to another */
	FAULT_LOST,	  /* faults that were not printed: `lost` of them; 0: nobody counted */
	FAULT_STRANGE,	  /* an event that these tables do not know */
};

struct fault_line {
	enum fault_event event;
	enum sp_vendor vendor;
	enum sp_fault_kind kind;
	uint32_t code; /* VT-d's fault reason, AMD's event code */
	bool has_code;
	sp_sbdf_t device; /* whose id the request carried */
	bool has_device, has_segment;
	uint64_t address; /* of a message: its index (VT-d) */
	bool has_address;
	bool write;
	uint32_t flags, domain, pasid;
	bool has_flags, has_domain, has_pasid;
	uint64_t lost;
};

enum fault_verdict {
	FAULT_NONE, /* tells of no fault */
	FAULT_HALF, /* its second half is the next line that begins so: give it too */
	FAULT_WHOLE,
};

/* `text` without time and host. `fault` is what was FAULT_HALF before, or anything. */
enum fault_verdict fault_line_decode(const char *text, bool half, struct fault_line *fault);

/* The name of AMD's event, 48882 2.5; NULL. */
const char *fault_event_name(uint32_t code);
