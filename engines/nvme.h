/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engines/nvme.h - an NVMe controller, made to read and write memory on command.
 *
 *   nvme_begin -> nvme_progress ... SP_OK -> nvme_start -> nvme_progress ... SP_OK -> nvme_start ..
 *                                         -> nvme_ask ------^                    admin commands
 *
 * Freestanding, for guests of 32 or 64 bits, hypervisors and tools. Blocks of namespace 1 are the
 * buffer inside the device: NVME_FROM_BUS overwrites them. One transfer at a time; nothing here
 * waits, so the caller has the deadline.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sallyport/status.h>

#define NVME_CLASS 0x010802u
#define NVME_PAGE  4096u
#define NVME_MEMORY_BYTES \
	(5 * NVME_PAGE) /* two pairs of queues, and what the device tells of itself */

enum nvme_direction {
	NVME_FROM_BUS, /* memory to the device's block */
	NVME_TO_BUS,   /* the device's block to memory */
};

enum nvme_state {
	NVME_STOPPING,
	NVME_STARTING,
	NVME_IDENTIFYING,
	NVME_CREATING_COMPLETION,
	NVME_CREATING_SUBMISSION,
	NVME_READY,
	NVME_MOVING,
	NVME_ASKED, /* an admin command is under way */
	NVME_FAILED,
};

struct nvme_queue {
	uint32_t id;
	uint32_t tail, head;
	bool phase; /* what a new completion's phase bit is */
};

struct nvme {
	/* The caller's, before nvme_begin(). */
	uintptr_t registers; /* BAR 0, mapped uncached */
	void *memory;	     /* NVME_MEMORY_BYTES at a page, the same on the bus without a gap */
	uint64_t memory_bus;
	bool admin_only; /* no namespace is looked at, and no queue made for it */

	enum nvme_state state;
	uint32_t stride; /* of doorbells, bytes */
	uint32_t block_bytes;
	struct nvme_queue admin, io;
	uint32_t answer; /* to the last command: 0 is success, else status type and code */
	uint32_t result; /* ... and its first word, which some commands define */
};

/* An admin command: what is 0 of it is 0 in the queue's entry. */
struct nvme_admin {
	uint8_t opcode;
	uint32_t namespace;
	uint32_t word10, word11;
	bool has_data; /* the page of nvme_data() */
};

/* Resets the controller. SP_UNSUPPORTED: it has no pages of 4 KiB, or not this command set. */
SP_MUST_USE enum sp_status nvme_begin(struct nvme *nvme);

/*
 * The next step. SP_PENDING: call again. SP_OK: ready, the transfer is over; nvme->answer says how.
 * SP_LOST: the controller says that it failed. SP_UNSUPPORTED: it refused a command of the
 * bring-up, or its blocks are larger than a page or have metadata, which would need an address of
 * its own.
 */
SP_MUST_USE enum sp_status nvme_progress(struct nvme *nvme);

/*
 * Aims a transfer of whole blocks, within one page, at a bus address. SP_BUSY: not ready.
 * SP_INVALID: no blocks, part of one, over the page's end, or not a multiple of 4.
 */
SP_MUST_USE enum sp_status nvme_start(struct nvme *nvme, uint64_t bus_address, uint32_t bytes,
				      uint64_t block, enum nvme_direction direction);

/* An admin command; nvme_progress() says when it is over, nvme->answer how. SP_BUSY: not ready. */
SP_MUST_USE enum sp_status nvme_ask(struct nvme *nvme, const struct nvme_admin *command);
/* NVME_PAGE bytes that a command reads or fills; volatile, for it is the device that does. */
volatile uint8_t *nvme_data(const struct nvme *nvme);

/* Off: no more DMA once nvme_is_off(). */
void nvme_stop(struct nvme *nvme);
bool nvme_is_off(const struct nvme *nvme);
