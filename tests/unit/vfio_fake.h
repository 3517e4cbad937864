/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vfio_fake.h - a kernel's VFIO that is as bad as it may be, a guest that is mirrored over it,
 * and two oracles.
 *
 *   release   a frame was handed back that devices reach
 *   hole      something was unmapped that the guest has
 *
 * The guest's CPUs and the library's frames are the model's. A device reaches what is mapped until the
 * call that unmaps it returns; while that call sleeps the rest of the machine goes on.
 */
#pragma once

#include <sallyport/vfio.h>

#include "model.h"

#define FAKE_GFN      0x400u /* of the guest's memory; the start of a table */
#define FAKE_MAPPINGS 1200

struct fake_mapping {
	uint64_t iova, bytes;
	uintptr_t address;
	bool is_writable;
};

struct fake {
	struct model *model;
	struct sp_host *host;
	struct sp_domain *domain;
	struct sp_vfio *mirror;
	uint64_t mfn; /* of FAKE_GFN; 1024 frames in a row */

	struct fake_mapping mapping[FAKE_MAPPINGS];
	uint32_t count;
	uint32_t limit;			/* dma_entry_limit */
	uint32_t maps, unmaps, largest; /* calls; mappings that there were at once */

	/* What it does badly. */
	uint32_t fail_map; /* the n-th map fails, with map_error */
	int map_error, info_error;
	uint64_t short_by; /* unmaps as much less, and says so */
	int unmap_error;
	bool is_version_1; /* unmaps all of a mapping that is touched, and says so */
	bool has_window;   /* the message window cannot be mapped, nor what is above 39 bits */

	bool is_closing;	/* holes are asked for */
	bool seen_by_cpu_first; /* the guest's CPUs had it when it was mapped */
	uint64_t forgotten;	/* frames that came back */
	char complaint[160];	/* the first; empty: none */
};

/* A guest without memory, and a mirror; `limit` of pieces is the embedder's. */
struct fake *fake_make(uint32_t limit);
/* The same before there is a mirror. */
struct fake *fake_make_bare(void);
enum sp_status fake_open(struct fake *fake, uint32_t limit);
/* The container is closed, all of the guest comes back, and the oracles have the last word. */
void fake_free(struct fake *fake);

/* FAKE_GFN + at, and the frames that belong there; steps are repeated until `count` are done. */
enum sp_status fake_map(struct fake *fake, uint64_t at, uint64_t count, uint32_t order);
enum sp_status fake_unmap(struct fake *fake, uint64_t at, uint64_t count);
/* The mirror's progress, and the library's, some rounds. */
enum sp_status fake_progress(struct fake *fake);
/* Devices reach the guest's frame there, in its place, with this right. */
bool fake_reaches(const struct fake *fake, uint64_t at, bool writable);
/* Whoever looks up: the guest's CPUs have a frame there. */
bool fake_is_guests(const struct fake *fake, uint64_t at);
