/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/unit.h - what the driver knows of one AMD-Vi unit, and what its files do for each other.
 */
#pragma once

#include "drivers/amdvi/regs.h"

#define QUEUE_ORDER	  4u /* log2 of frames */
#define QUEUE_DESCRIPTORS 4096u
#define QUEUE_WAITS	  256u /* that are not yet reached */
#define QUEUE_SPARE	  16u  /* descriptors kept for a restart */
#define TABLE_ORDER	  9u   /* the device table's, log2 of frames */
#define EVENT_ENTRIES	  256u /* one frame */
#define INTERRUPT_ORDER	  1u   /* a requester's interrupt table */
#define INTERRUPT_ENTRIES 2048u
#define REQUESTERS	  1024u /* of one unit, ever attached */

/* A command, an event: the manual's dwords, two by two. */
struct descriptor {
	uint64_t low, high;
};

struct amdvi_unit {
	struct unit unit; /* first */

	/* discovery; constant afterwards */
	sp_sbdf_t function;  /* the unit's own */
	uint16_t capability; /* where its block is in configuration space */
	uint64_t features;   /* extended feature register, 0 where there is none */
	uint64_t control; /* what the control register must say of the bus, as firmware knows it */

	/* taken once, before the unit is started; mfn 0: not yet */
	sp_mfn_t table;			 /* 65536 device table entries */
	sp_mfn_t empty;			 /* what a blocked requester meets */
	sp_mfn_t ring;			 /* the command buffer */
	sp_mfn_t completion;		 /* where a wait stores its number */
	sp_mfn_t events;		 /* the event log */
	uint16_t requesters[REQUESTERS]; /* prepared: whose entries the unit may remember */
	uint32_t requester_count;

	/* unit.queue */
	uint32_t tail;			/* the next free command */
	uint16_t wait_end[QUEUE_WAITS]; /* by number: the command behind its wait */
	bool restarted;			/* and nothing reached since */

	/* next_fault() alone */
	uint32_t event_head;
	uint32_t event_looks; /* at an event that is announced and not there */
	bool faults_lost;     /* since the last event taken */
};

static inline struct amdvi_unit *amdvi_unit_of(struct unit *unit)
{
	return (struct amdvi_unit *)(void *)unit;
}

static inline void *amdvi_pointer(const struct amdvi_unit *amdvi, sp_mfn_t frame)
{
	return platform_pointer(amdvi->unit.host->embedder, frame);
}

extern const struct iommu_ops amdvi_ops;

/* unit.c */
/* One line about a unit, from where something went wrong. */
void amdvi_log(const struct amdvi_unit *amdvi, enum sp_log level, const char *what);
/* The control register: some bits off, some on, the others as they are. */
void amdvi_set_control(const struct amdvi_unit *amdvi, uint64_t off, uint64_t on);

/* capability.c: SP_MALFORMED, SP_UNSUPPORTED, logged. host, registers, function, capability are known. */
enum sp_status amdvi_read_capability(struct amdvi_unit *amdvi);

/* context.c */
enum sp_status amdvi_frames_take(struct amdvi_unit *amdvi, uint32_t order, sp_mfn_t *frame);
enum sp_status amdvi_memory_take(struct amdvi_unit *amdvi);
void amdvi_memory_give(struct amdvi_unit *amdvi);
uint64_t *amdvi_device_entry(const struct amdvi_unit *amdvi, uint16_t requester);
enum sp_status amdvi_prepare_entry(struct unit *unit, uint16_t requester);
void amdvi_attach(struct unit *unit, uint16_t requester, const struct unit_entry *entry);
void amdvi_fence(struct unit *unit, uint16_t requester);

/* queue.c; unit.queue held, or the unit not yet shown to anybody */
void amdvi_queue_reset(struct amdvi_unit *amdvi);
bool amdvi_queue_has_room(const struct amdvi_unit *amdvi, uint32_t descriptors);
enum sp_status amdvi_queue_post(struct unit *unit, const struct command *commands, uint32_t count,
				uint64_t *number);
/* Everything of every kind. Answers the number to wait for. Needs EFR.IASup. */
uint64_t amdvi_queue_forget_all(struct amdvi_unit *amdvi);
/* The same without it, for these of 65536 device and domain ids. There is room: three a number. */
uint64_t amdvi_queue_forget_ids(struct amdvi_unit *amdvi, uint32_t first, uint32_t count);
/* What the unit remembers of a requester's device table entry and interrupt table. There is room. */
void amdvi_queue_forget_interrupts(struct amdvi_unit *amdvi, uint16_t requester);
enum sp_status amdvi_queue_progress(struct unit *unit);
/* Until this very wait is answered; `reached` stays as it is. SP_LOST, logged. */
enum sp_status amdvi_queue_await(struct amdvi_unit *amdvi, uint64_t number);

/* fault.c */
void amdvi_fault_start(struct amdvi_unit *amdvi);
enum sp_status amdvi_next_fault(struct unit *unit, struct sp_fault *fault);

/* remap.c */
enum sp_status amdvi_set_irte(struct unit *unit, uint32_t index, const struct irte *irte);
struct sp_message amdvi_message_for(uint32_t index);
void amdvi_remap_give(struct amdvi_unit *amdvi, uint16_t requester);
