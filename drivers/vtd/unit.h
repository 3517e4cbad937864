/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/unit.h - what the driver knows of one VT-d unit, and what its files do for each other.
 */
#pragma once

#include "drivers/vtd/regs.h"

#define QUEUE_ORDER	  4u	/* log2 of frames */
#define QUEUE_DESCRIPTORS 4096u /* of 128 bits; half as many of 256 */
#define QUEUE_WAITS	  256u	/* that are not yet reached */
#define QUEUE_SPARE	  16u	/* descriptors kept for a restart */
#define INTERRUPT_ENTRIES 256u	/* one frame */

struct descriptor {
	uint64_t low, high;
};

struct vtd_unit {
	struct unit unit; /* first */

	/* discovery; constant afterwards */
	uint64_t capability, extended;
	bool coherent;	/* entries snoop; unit.coherent: walks do */
	uint64_t drain; /* bits of an IOTLB descriptor: what this unit can drain */

	/* taken once, before the unit is started; mfn 0: not yet */
	sp_mfn_t root;	     /* 256 root entries; a context table behind each bus in use */
	sp_mfn_t empty;	     /* what a blocked requester meets */
	sp_mfn_t ring;	     /* the invalidation queue */
	sp_mfn_t completion; /* where a wait stores its number's low half */
	sp_mfn_t interrupts; /* remapping entries, all absent until set_irte() */

	/* unit.queue */
	uint32_t tail;			/* the next free descriptor */
	uint16_t wait_end[QUEUE_WAITS]; /* by number: the descriptor behind its wait */
	bool restarted;			/* and nothing reached since */
	bool stray_told;		/* a device answers what nobody asked; said once */

	/* next_fault() alone */
	uint32_t fault_next; /* the oldest record, or the one that hardware fills next */
	bool fault_known;    /* or not: nothing was pending at the last look, nor since start */
	bool faults_lost;    /* since the last record taken */
};

static inline struct vtd_unit *vtd_unit_of(struct unit *unit)
{
	return (struct vtd_unit *)(void *)unit;
}

static inline void *vtd_pointer(const struct vtd_unit *vtd, sp_mfn_t frame)
{
	return platform_pointer(vtd->unit.host->embedder, frame);
}

extern const struct iommu_ops vtd_ops;

/* unit.c */
/* One line about a unit, from where something went wrong. */
void vtd_log(const struct vtd_unit *vtd, enum sp_log level, const char *what);
/* For a unit that does not snoop (ECAP.C = 0): all entries before the page tables, and interrupt entries. */
void vtd_write_back(const struct vtd_unit *vtd, const void *first, size_t bytes);

/* capability.c: SP_MALFORMED, SP_UNSUPPORTED, logged. host, registers, segment are known. */
enum sp_status vtd_read_capability(struct vtd_unit *vtd);

/* context.c */
enum sp_status vtd_frames_take(struct vtd_unit *vtd, uint32_t order, sp_mfn_t *frame);
void vtd_frames_give(struct vtd_unit *vtd, uint32_t order, sp_mfn_t *frame);
/* Complete, and in memory, before it shows: one store. */
void vtd_link(struct vtd_unit *vtd, uint64_t *entry, uint64_t value);
void vtd_publish(struct vtd_unit *vtd, uint64_t *slot, struct descriptor entry);
enum sp_status vtd_memory_take(struct vtd_unit *vtd);
void vtd_memory_give(struct vtd_unit *vtd);
enum sp_status vtd_prepare_entry(struct unit *unit, uint16_t requester);
void vtd_attach(struct unit *unit, uint16_t requester, const struct unit_entry *entry);
void vtd_fence(struct unit *unit, uint16_t requester);

/* pasid.c: the same in scalable mode */
void vtd_pasid_give(struct vtd_unit *vtd);
enum sp_status vtd_pasid_prepare(struct vtd_unit *vtd, uint16_t requester);
void vtd_pasid_attach(struct vtd_unit *vtd, uint16_t requester, const struct unit_entry *entry);
bool vtd_pasid_is_prepared(const struct vtd_unit *vtd, uint16_t requester);

/* descriptor.c */
#define ENCODED_MOST	2u		 /* of one command */
#define EVERYTHING_MOST (4u + UNIT_ATCS) /* of all that a unit and its devices may remember */
/* How many descriptors; 0 for a command that no unit understands. unit.queue held, as for the next. */
uint32_t vtd_encode(const struct vtd_unit *vtd, const struct command *command,
		    struct descriptor *out);
uint32_t vtd_encode_everything(const struct vtd_unit *vtd, struct descriptor *out);
struct descriptor vtd_encode_interrupt(uint32_t index);
struct descriptor vtd_encode_wait(const struct vtd_unit *vtd, uint64_t number);
/* What may stand where an aborted command stood: it forgets too much, and is never wrong. */
struct descriptor vtd_encode_harmless(void);

/* queue.c; unit.queue held, or the unit not yet shown to anybody */
void vtd_queue_reset(struct vtd_unit *vtd);
bool vtd_queue_has_room(const struct vtd_unit *vtd, uint32_t descriptors);
enum sp_status vtd_queue_post(struct unit *unit, const struct command *commands, uint32_t count,
			      uint64_t *number);
/* Everything of every kind. Answers the number to wait for. */
uint64_t vtd_queue_forget_all(struct vtd_unit *vtd);
/* What the unit remembers of one interrupt entry. There is room. */
void vtd_queue_forget_interrupt(struct vtd_unit *vtd, uint32_t index);
enum sp_status vtd_queue_progress(struct unit *unit);
/* A queue that stands still at an error runs on, over descriptors that do no harm. SP_LOST, logged. */
enum sp_status vtd_queue_unblock(struct vtd_unit *vtd);
/* Until this very wait is answered; `reached` stays as it is. SP_LOST, logged. */
enum sp_status vtd_queue_await(struct vtd_unit *vtd, uint64_t number);

/* fault.c */
void vtd_fault_start(struct vtd_unit *vtd);
enum sp_status vtd_next_fault(struct unit *unit, struct sp_fault *fault);

/* remap.c */
enum sp_status vtd_set_irte(struct unit *unit, uint32_t index, const struct irte *irte);
struct sp_message vtd_message_for(uint32_t index);
