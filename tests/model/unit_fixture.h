/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/unit_fixture.h - one driver on one unit of the model, without the rooms above it.
 *
 *   device 00:02.0 --entry, name 1--> a table with one page: PAGE -> frame
 *   device 00:03.0                    never attached
 */
#pragma once

#include "iommu/unit.h"
#include "model.h"

#define DEVICE	 0x10u
#define STRANGER 0x18u
#define PAGE	 0x12345ull /* dfn */
#define NAME	 1u

struct fixture {
	struct model *model;
	struct sp_host *host;
	void *memory;
	struct unit *unit;
	const struct iommu_ops *ops;
	struct unit_entry entry; /* what DEVICE is attached to */
	uint64_t leaf;		 /* maddr of the slot of PAGE */
	uint64_t frame, other;	 /* guest frames */
};

/* The machine, and the unit as discovery leaves it. Bus mastering is on. */
struct fixture *fixture_make(const struct model_unit_config *unit, enum model_adversary adversary);
/* The same, DEVICE attached, the unit started. */
struct fixture *fixture_start(const struct model_unit_config *unit);
/* Fails the test if any promise was broken. */
void fixture_free(struct fixture *fixture);

/* A table of its own in frames of the library: PAGE leads to `frame`. Answers the entry for it. */
struct unit_entry fixture_table(struct fixture *fixture, uint64_t frame, uint16_t name,
				uint64_t *leaf);
void fixture_set_leaf(struct fixture *fixture, uint64_t leaf, uint64_t frame); /* 0: absent */

/* Four bytes at a page. */
bool fixture_dma(struct fixture *fixture, uint32_t sbdf, uint64_t dfn, bool write);

/* Under the queue lock, as iommu/ does it. */
enum sp_status fixture_post(struct fixture *fixture, struct command command, uint64_t *number);
enum sp_status fixture_progress(struct fixture *fixture);
/* Posts and waits. */
void fixture_pay(struct fixture *fixture, struct command command);
void fixture_set_master(struct fixture *fixture, bool on);
