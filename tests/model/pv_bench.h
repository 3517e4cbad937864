/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/pv_bench.h - guests that write their own page tables, on the model: three CPUs, a device, two
 * guests, and what an oracle says of a batch.
 *
 *   root --[PV_L4]--> l3 --[PV_L3]--> l2 --[PV_L2]--> l1 --[PV_L1]--> page        PV_ADDRESS
 *
 * R: nobody reaches what was released (the model's verdict). A: each L1 entry is where the tables say, and
 * each CPU's copy of its root is that of today. E: the flushes and copies of each CPU are counted.
 */
#pragma once

#include <sallyport/passthrough.h>
#include <sallyport/pv.h>

#include "model.h"

#define PV_CPUS	   3u
#define PV_FRAMES  128u
#define PV_SLOT	   256u /* of the linear map */
#define PV_OWN	   4u
#define PV_DEVICE  0x10u
#define PV_L4	   3u /* the path of PV_ADDRESS */
#define PV_L3	   5u
#define PV_L2	   7u
#define PV_L1	   9u
#define PV_ADDRESS ((uint64_t)PV_L4 << 39 | (uint64_t)PV_L3 << 30 | PV_L2 << 21 | PV_L1 << 12)
#define PV_RW	   7u /* user, writable, present */
#define PV_RO	   5u

struct pv_bench;

struct pv_guest {
	struct pv_bench *bench;
	struct sp_domain *domain;
	void *memory;
	uint64_t first, next;	     /* its frames; those not used yet */
	uint64_t table[4], other[4]; /* l1, l2, l3, root; the same of a second tree */
	uint64_t page, other_page;
};

struct pv_config {
	enum model_adversary adversary;
	enum model_answers answers; /* of other CPUs */
	uint32_t seed;
	bool device; /* the first guest has one */
};

struct pv_bench {
	struct model *model;
	struct sp_host *host;
	void *arena;
	bool started;
	struct pv_guest guest[2];
	const struct pv_guest *running[PV_CPUS]; /* in guest mode */
	char complaint[400];
};

/* Guests with pinned trees, nobody runs them. The mutant is chosen last. */
struct pv_bench *pv_make(const struct pv_config *config, uint32_t mutant);
void pv_free(struct pv_bench *bench);

/* The first thing that the model objects to (R, A), else the first complaint; "" for nothing. */
const char *pv_complaint(struct pv_bench *bench);
void pv_complain(struct pv_bench *bench, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A frame of the guest's that nobody uses, zero; mapped at no address. */
uint64_t pv_frame(struct pv_guest *guest);
/* What the guest wrote before its frame was a table. */
void pv_put(struct pv_guest *guest, uint64_t table, uint32_t index, uint64_t entry);
uint64_t pv_look_at(const struct pv_guest *guest, uint64_t table, uint32_t index);
static inline uint64_t pv_entry(uint64_t frame, uint64_t flags)
{
	return frame << 12 | flags;
}
/* Operations. Entries of guest->table[level], in the slot that PV_ADDRESS takes, lead to the frame. */
struct sp_pv_op pv_set(uint64_t table, uint32_t index, uint64_t entry);
struct sp_pv_op pv_set_at(uint64_t address, uint64_t entry);
uint32_t pv_index(uint32_t level);

/* This CPU runs on the root; runs the guest on it; idles outside it. */
void pv_load(struct pv_guest *guest, uint32_t cpu, uint64_t root);
void pv_enter(struct pv_guest *guest, uint32_t cpu);
void pv_leave(struct pv_guest *guest, uint32_t cpu);
/* All of it, on this CPU, waiting where it must; the status of the last. *done: how many. */
enum sp_status pv_do(struct pv_guest *guest, uint32_t cpu, const struct sp_pv_op *ops,
		     uint64_t count, uint64_t *done);
/* All of it must be done. */
void pv_must(struct pv_guest *guest, uint32_t cpu, const struct sp_pv_op *ops, uint64_t count);
/* Until nothing is owed; then everybody must agree with the tables. */
void pv_settle(struct pv_bench *bench);
/* Oracle E: flushes and copies of each CPU since the counts were reset. */
void pv_count(struct pv_bench *bench, const char *what, const uint32_t flushes[PV_CPUS],
	      const uint32_t copies[PV_CPUS]);
/* The first guest's device writes a page there: does it arrive? */
bool pv_dma(struct pv_bench *bench, uint64_t frame, bool write);
/* The guest gives a frame back, and waits. */
enum sp_status pv_give(struct pv_guest *guest, uint64_t frame);
