/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engines/nvme_virtual.h - what an NVMe controller that is primary says to its secondary ones, which are
 * its virtual functions. NVM Express base specification 2.0: 8.26 (virtualization enhancements), 5.28
 * (Virtualization Management), 5.17.2.15 and .16 (Identify), 5.16 (Namespace Attachment).
 *
 *   flexible queues and interrupts   primary --(give up, reset)--> pool --(assign)--> secondary --> online
 *
 * Commands for nvme_ask(), and what comes back.
 */
#pragma once

#include "engines/nvme.h"

enum nvme_resource {
	NVME_QUEUES,	 /* pairs, the admin queues' included */
	NVME_INTERRUPTS, /* MSI-X vectors */
	NVME_RESOURCES
};

/* Of the primary controller. */
struct nvme_flexible {
	uint32_t total;	  /* that can be given to anybody */
	uint32_t primary; /* of these the primary's, after its next reset */
	uint32_t most;	  /* for one secondary controller */
};

struct nvme_secondary {
	uint16_t controller; /* its id */
	uint16_t function;   /* which virtual function it is, from 1 on; 0: none that is on */
	uint16_t queues, interrupts;
	bool online;
};

struct nvme_admin nvme_ask_flexible(void);
void nvme_read_flexible(const struct nvme *nvme, struct nvme_flexible flexible[NVME_RESOURCES]);

struct nvme_admin nvme_ask_secondaries(void);
/* False: there is no virtual function of this number among them. */
bool nvme_find_secondary(const struct nvme *nvme, uint32_t function, struct nvme_secondary *found);

/* The primary keeps so many; takes effect with its next function level reset. */
struct nvme_admin nvme_keep(enum nvme_resource resource, uint32_t count);
/* While it is offline. */
struct nvme_admin nvme_give(uint16_t controller, enum nvme_resource resource, uint32_t count);
struct nvme_admin nvme_bring_online(uint16_t controller);

/* Fills the data page. */
struct nvme_admin nvme_attach(const struct nvme *nvme, uint32_t namespace, uint16_t controller);
#define NVME_ATTACHED_ALREADY 0x118u /* answers: 5.16.1 */
#define NVME_NO_NAMESPACE     0x00bu
