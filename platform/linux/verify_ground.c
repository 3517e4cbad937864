/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/verify_ground.c - the ground that is real.
 *
 *   frames in a row:  | pages that rows play with | the engine's own |
 *   far above:        the same frames once more, so that they stay where they are; nothing is aimed there
 *   at its address:   the engine's own, as long as it is open; of the others what a row maps
 */
#include "verify_ground.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	FRAMES = VERIFY_PAGES + ENGINE_PAGES
};

#define FAR_LAST  ((1ull << 39) - 1) /* what the smallest units translate */
#define ALL_BYTES (FRAMES * (uint64_t)VERIFY_PAGE_BYTES)

static bool map(void *of, uint64_t address, enum verify_page page, bool writable)
{
	struct ground *ground = of;

	return vfio_map(&ground->vfio, address, ground->ground.page[page], VERIFY_PAGE_BYTES,
			writable, ground->ground.trouble, sizeof(ground->ground.trouble));
}

static bool unmap(void *of, uint64_t address)
{
	struct ground *ground = of;

	return vfio_unmap(&ground->vfio, address, VERIFY_PAGE_BYTES, ground->ground.trouble,
			  sizeof(ground->ground.trouble));
}

static void start(void *of, uint64_t address)
{
	engine_start(&((struct ground *)of)->engine, address);
}

static enum verify_shot finish(void *of)
{
	return engine_finish(&((struct ground *)of)->engine);
}

static enum verify_shot read_at(void *of, uint64_t address, unsigned char *got)
{
	return engine_read(&((struct ground *)of)->engine, address, got);
}

static void close_device(void *of)
{
	vfio_close(&((struct ground *)of)->vfio);
}

static void pause_for(void *of)
{
	const struct timespec pause = { .tv_nsec = 300000000 };

	(void)of;
	nanosleep(&pause, NULL);
}

static bool fail(struct ground *ground, char *trouble, size_t size, const char *why)
{
	if (why)
		snprintf(trouble, size, "%s", why);
	ground_close(ground);
	return false;
}

/* Far above our memory. */
static bool hold_frames(struct ground *ground, char *trouble, size_t size)
{
	const uint64_t last = ground->vfio.last < FAR_LAST ? ground->vfio.last : FAR_LAST;
	const uint64_t far = (last + 1 - ALL_BYTES) & ~(uint64_t)(VERIFY_PAGE_BYTES - 1);
	struct frames *frames = &ground->frames;

	return vfio_map(&ground->vfio, far, frames->memory, ALL_BYTES, true, trouble, size) &&
	       vfio_map(&ground->vfio, ground->engine.address, ground->engine.memory,
			ENGINE_PAGES * VERIFY_PAGE_BYTES, true, trouble, size);
}

static void set_ground(struct ground *ground)
{
	ground->ground.of = ground;
	for (unsigned int i = 0; i < VERIFY_PAGES; i++) {
		ground->ground.page[i] = ground->frames.memory + i * VERIFY_PAGE_BYTES;
		ground->ground.address[i] = ground->frames.address + i * VERIFY_PAGE_BYTES;
	}
	ground->ground.bytes = engine_bytes(&ground->engine);
	ground->ground.can_read = engine_can_read(&ground->engine);
	ground->ground.slow = engine_slow(&ground->engine);
	ground->ground.map = map;
	ground->ground.unmap = unmap;
	ground->ground.start = start;
	ground->ground.finish = finish;
	ground->ground.read = read_at;
	ground->ground.close = close_device;
	ground->ground.pause = pause_for;
}

bool ground_open(struct ground *ground, const struct machine *machine,
		 const struct machine_function *function, char *trouble, size_t size)
{
	struct engine *engine = &ground->engine;

	*ground = (struct ground){ .vfio = { .container = -1, .group = -1, .device = -1 } };
	engine->kind = engine_of(function);
	if (engine->kind == ENGINE_NONE)
		return fail(
			ground, trouble, size,
			"there is no engine for it: it has to be an edu, an NVMe controller or an 82574");
	if (!vfio_open(&ground->vfio, machine, function, trouble, size) ||
	    !frames_take(&ground->frames, FRAMES, trouble, size))
		return fail(ground, trouble, size, NULL);
	engine->registers = (uintptr_t)ground->vfio.registers;
	engine->memory = ground->frames.memory + VERIFY_PAGES * VERIFY_PAGE_BYTES;
	engine->address = ground->frames.address + VERIFY_PAGES * VERIFY_PAGE_BYTES;
	if (!hold_frames(ground, trouble, size))
		return fail(ground, trouble, size, NULL);
	/* The kernel may have moved them until they were held. */
	if (!frames_are_there(&ground->frames, FRAMES))
		return fail(ground, trouble, size, "our memory was moved; try again");
	if (!vfio_set_master(&ground->vfio, true) || !engine_begin(engine))
		return fail(ground, trouble, size, engine_trouble(engine));
	set_ground(ground);
	return true;
}

/* The device first: what it still does goes to memory that is ours. */
void ground_close(struct ground *ground)
{
	if (ground->vfio.device >= 0)
		(void)vfio_set_master(&ground->vfio, false);
	vfio_close(&ground->vfio);
	frames_give(&ground->frames);
}
