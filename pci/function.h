/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/function.h - a PCI function, as configuration space shows it, and the requester ids its
 * requests may carry.
 *
 * PCI Express base 6.0: 7.5.1 header, 7.5.3 PCI Express capability, 2.2.6.2 requester id, 6.6.2
 * FLR. A request from behind a PCIe-to-PCI bridge carries (secondary bus, 0, 0) or, behind a
 * conventional bridge, the bridge's own id; phantom functions are unused function numbers of the
 * same device.
 */
#pragma once

#include <sallyport/passthrough.h>

#include "lib/host.h"

#define FUNCTION_REQUESTERS SP_REQUESTERS
#define FUNCTION_RESERVED   SP_RESERVED_RANGES

struct unit;
struct sp_domain;

struct function_range {
	uint64_t first_mfn, count;
	bool read, write;
};

struct function {
	sp_sbdf_t sbdf;
	uint16_t vendor, device;
	uint32_t class_code;
	uint8_t header;				/* 0 endpoint, 1 bridge */
	uint8_t secondary_bus, subordinate_bus; /* bridges */
	int32_t parent;	   /* index of the bridge it is behind; -1 on a root bus */
	uint16_t pcie;	   /* offsets of capabilities; 0: none */
	uint16_t advanced; /* PCI Advanced Features, ECN AF: FLR of conventional functions */
	uint16_t requester[FUNCTION_REQUESTERS];
	uint32_t requester_count;
	bool unusable; /* more requester ids than fit: never covered, never assigned */
	struct sp_bar bar[SP_BARS];

	/* pci/sriov.c, before the units start */
	bool is_virtual;
	uint32_t physical; /* index of its physical function, if it is virtual */
	uint16_t sriov;	   /* offset of the capability, where virtual functions are on */
	uint16_t vf_count; /* that are on */
	uint32_t first_vf; /* index; the others follow it */

	/* iommu/ */
	struct unit *unit; /* NULL: none covers it */
	struct function_range reserved[FUNCTION_RESERVED];
	uint32_t reserved_count;
	uint32_t group; /* index of the first that shares requester ids, through others too */
	struct sp_domain *quarantine; /* one for the group */
	struct sp_domain *
		domain; /* host->assign lock; what its entry leads to: its quarantine or an owner */

	bool fenced; /* host->assign lock; its entries are blocked until a reset was seen to work */

	bool ats; /* host->assign lock; its own cache may be in use */

	/* passthrough/ */
	uint16_t message[SP_MESSAGES]; /* host->assign lock; the unit's entry and one, 0: none */
	struct sp_domain *leaving; /* host->assign lock; whom a release that was not finished left */
	uint32_t leaving_life; /* that domain's `life`: another's in the same slot is not meant */
	bool bar_mapped[SP_BARS]; /* host->assign lock; in the owner's map, from bar_gfn */
	uint64_t bar_gfn[SP_BARS];
};

struct function *function_find(struct sp_host *host, sp_sbdf_t sbdf); /* NULL: no such */

/* PCI command register bit 2. */
bool function_is_master(const struct sp_host *host, const struct function *function);
void function_set_master(struct sp_host *host, const struct function *function, bool on);

/*
 * FLR by PCI Express or Advanced Features; bounded wait. SP_UNSUPPORTED: knows none. SP_LOST: did
 * not come back.
 */
enum sp_status function_reset(struct sp_host *host, struct function *function);
