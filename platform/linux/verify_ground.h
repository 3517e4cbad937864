/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/verify_ground.h - what `verify` stands on: a device by VFIO, frames of our own, an engine.
 */
#pragma once

#include <linux/types.h>

#include "engines/e1000e.h"
#include "engines/edu.h"
#include "engines/nvme.h"
#include "machine.h"
#include "verify.h"

/* ---- verify_vfio.c ---- */

struct vfio {
	int container, group, device; /* -1: closed */
	void *registers;	      /* BAR 0 */
	size_t register_bytes;
	uint64_t last; /* of what may be mapped, the last address */
};

/* False: it cannot be had, and `trouble` says why and what to do. */
bool vfio_open(struct vfio *vfio, const struct machine *machine,
	       const struct machine_function *function, char *trouble, size_t size);
bool vfio_map(const struct vfio *vfio, uint64_t address, void *memory, size_t bytes, bool writable,
	      char *trouble, size_t size);
bool vfio_unmap(const struct vfio *vfio, uint64_t address, size_t bytes, char *trouble,
		size_t size);
bool vfio_set_master(const struct vfio *vfio, bool on);
void vfio_close(struct vfio *vfio);

/* ---- verify_memory.c ---- */

/* So many frames in a row, in this process and in the machine. */
struct frames {
	unsigned char *memory;
	uint64_t address; /* of the machine */
	void *held;
	size_t held_bytes;
};

bool frames_take(struct frames *frames, size_t count, char *trouble, size_t size);
/* They are where they were: pinned, they do not move. */
bool frames_are_there(const struct frames *frames, size_t count);
void frames_give(struct frames *frames);

/* ---- verify_engine.c ---- */

enum engine_kind {
	ENGINE_NONE,
	ENGINE_EDU,
	ENGINE_NVME,
	ENGINE_E1000E,
};

/* What the engine's own frames are for; all are mapped at their machine addresses as long as it is open. */
enum engine_page {
	ENGINE_SOURCE, /* what it sends, where it sends memory */
	ENGINE_INBOX,  /* what it read somewhere else */
	ENGINE_QUEUES, /* five for NVMe */
	ENGINE_PAGES = ENGINE_QUEUES + NVME_MEMORY_BYTES / NVME_PAGE
};

struct engine {
	enum engine_kind kind;
	uintptr_t registers;
	unsigned char *memory; /* ENGINE_PAGES */
	uint64_t address;
	bool is_loaded; /* edu: its buffer has what stands in ENGINE_SOURCE */
	bool is_under_way;
	bool is_unsupported; /* it did not come up, for it is not what its driver knows */
	struct edu edu;
	struct nvme nvme;
	struct e1000e e1000e;
};

enum engine_kind engine_of(const struct machine_function *function);
const char *engine_text(enum engine_kind kind);
/* False: the device does not come up. */
bool engine_begin(struct engine *engine);
const char *engine_trouble(const struct engine *engine); /* ... and why */
size_t engine_bytes(const struct engine *engine);
bool engine_can_read(const struct engine *engine);
uint64_t engine_slow(const struct engine *engine);
void engine_start(struct engine *engine, uint64_t address);
enum verify_shot engine_finish(struct engine *engine);
enum verify_shot engine_read(struct engine *engine, uint64_t address, unsigned char *got);

/* ---- verify_ground.c ---- */

struct ground {
	struct verify_ground ground; /* first: what rows know */
	struct vfio vfio;
	struct frames frames;
	struct engine engine;
};

bool ground_open(struct ground *ground, const struct machine *machine,
		 const struct machine_function *function, char *trouble, size_t size);
void ground_close(struct ground *ground);
