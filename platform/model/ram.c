/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/ram.c - memory: who owns each frame, and who sees which bytes of it.
 *
 *   store64() --> VIEW_CPU      walkers that snoop
 *                    |  platform_write_back(), eviction
 *                    v
 *                 VIEW_MEMORY   VT-d with ECAP.C = 0
 *                    |  WBF, any invalidation
 *                    v
 *                 VIEW_UNIT     VT-d with CAP.RWBF = 1
 *
 * A frame that the core gets is full of forged entries in every view, and so is one that it gave
 * back: whoever walks a table that was not filled, or not written back, or is no table any more,
 * finds a way to the trap. What was given back is a canary as well: when it is taken again every word
 * must be as it was left.
 */
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define LINES_A_FRAME (FRAME_BYTES / LINE_BYTES)

static uint64_t base_mfn(void)
{
	return MODEL_RAM_BASE >> FRAME_ORDER;
}

/*
 * One word that is a leaf to the trap for several walkers at once. Even slots suit AMD (P, W, U,
 * accessed, dirty, next level 0, IR, IW), odd ones Intel (R, W, X, write-back).
 */
static uint64_t forged(const struct ram *ram, uint32_t slot)
{
	uint64_t target = ram->trap << FRAME_ORDER;

	return slot & 1 ? target | 0x37 : target | 0x67 | 3ull << 61;
}

static void forge(struct ram *ram, uint64_t mfn, uint64_t count)
{
	uint64_t first = (mfn - base_mfn()) * SLOTS;

	for (int view = 0; view < VIEW_COUNT; view++) {
		uint64_t *slot = (uint64_t *)(void *)ram->bytes[view];

		if (!slot)
			continue;
		for (uint64_t i = 0; i < count * SLOTS; i++)
			slot[first + i] = forged(ram, (uint32_t)(i + (uint64_t)view));
	}
}

/*
 * calloc() leaves the pages to be made when touched; alignment by hand, in front of a word that
 * finds it again.
 */
static uint8_t *new_bytes(uint64_t frames)
{
	uint8_t *all = calloc(frames + 2, FRAME_BYTES);
	uint8_t *aligned;

	if (!all)
		return NULL;
	aligned = all + FRAME_BYTES + (FRAME_BYTES - (uintptr_t)all % FRAME_BYTES) % FRAME_BYTES;
	memcpy(aligned - sizeof(all), &all, sizeof(all));
	return aligned;
}

static void free_bytes(uint8_t *aligned)
{
	uint8_t *all;

	if (!aligned)
		return;
	memcpy(&all, aligned - sizeof(all), sizeof(all));
	free(all);
}

/* What firmware reserved for a device is memory that it may reach. */
static void set_reserved_apart(struct model *model)
{
	for (uint32_t i = 0; i < model->config.reserved_count; i++) {
		const struct model_reserved *range = &model->config.reserved[i];
		uint64_t end = (range->base + range->bytes + FRAME_BYTES - 1) >> FRAME_ORDER;

		for (uint64_t mfn = range->base >> FRAME_ORDER; mfn < end; mfn++)
			if (ram_holds(model, mfn))
				model->ram.state[mfn - base_mfn()] = FRAME_GUEST;
	}
}

bool ram_create(struct model *model)
{
	struct ram *ram = &model->ram;
	uint64_t frames = model->config.ram_frames;

	for (uint32_t i = 0; i < model->config.unit_count; i++) {
		ram->cached |= model->config.unit[i].not_coherent ||
			       model->config.unit[i].walks_not_coherent;
		ram->buffered |= model->config.unit[i].write_buffer;
	}
	ram->frames = frames;
	ram->bytes[VIEW_CPU] = new_bytes(frames);
	if (ram->cached)
		ram->bytes[VIEW_MEMORY] = new_bytes(frames);
	if (ram->buffered)
		ram->bytes[VIEW_UNIT] = new_bytes(frames);
	ram->state = calloc(frames, 1);
	ram->canary = calloc(frames, 1);
	ram->forgotten = calloc(frames, sizeof(*ram->forgotten));
	ram->place = calloc(frames, sizeof(*ram->place));
	ram->line_waits = calloc(frames, LINES_A_FRAME / 8);
	if (!ram->bytes[VIEW_CPU] || (ram->cached && !ram->bytes[VIEW_MEMORY]) ||
	    (ram->buffered && !ram->bytes[VIEW_UNIT]) || !ram->state || !ram->canary ||
	    !ram->forgotten || !ram->place || !ram->line_waits)
		return false;
	ram->trap = ram_allot(model, 0, FRAME_TRAP);
	set_reserved_apart(model);
	return true;
}

void ram_destroy(struct model *model)
{
	struct ram *ram = &model->ram;

	for (int view = 0; view < VIEW_COUNT; view++)
		free_bytes(ram->bytes[view]);
	free(ram->state);
	free(ram->canary);
	free(ram->forgotten);
	free(ram->place);
	free(ram->line_waits);
	free(ram->waiting);
}

bool ram_holds(const struct model *model, uint64_t mfn)
{
	return mfn >= base_mfn() && mfn - base_mfn() < model->ram.frames;
}

enum frame_state ram_state(const struct model *model, uint64_t mfn)
{
	return (enum frame_state)model->ram.state[mfn - base_mfn()];
}

/* Nobody has a way to it: no transfer has landed there, no walker has marked an entry. */
static void check_canary(struct model *model, uint64_t frame)
{
	const uint64_t *slot = (const uint64_t *)(const void *)model->ram.bytes[VIEW_CPU];

	if (!model->ram.canary[frame])
		return;
	model->ram.canary[frame] = 0;
	for (uint32_t i = 0; i < SLOTS; i++) {
		if (slot[frame * SLOTS + i] == forged(&model->ram, i))
			continue;
		model_violate(model,
			      "oracle R: mfn 0x%llx was written at offset 0x%x while it was free",
			      (unsigned long long)(base_mfn() + frame), i * 8);
		return;
	}
}

/* The lowest run that is free: what was given back last is soon somebody else's. */
uint64_t ram_allot(struct model *model, uint32_t order, enum frame_state state)
{
	struct ram *ram = &model->ram;
	uint64_t count = 1ull << order;

	for (uint64_t first = 0; first + count <= ram->frames; first += count) {
		uint64_t n = 0;

		while (n < count && ram->state[first + n] == FRAME_FREE)
			n++;
		if (n < count)
			continue;
		for (uint64_t i = 0; i < count; i++)
			check_canary(model, first + i);
		memset(ram->state + first, (int)state, count);
		memset(ram->place + first, 0, count * sizeof(*ram->place));
		return base_mfn() + first;
	}
	return 0;
}

/* A view that this machine does not need is the one before it. */
uint8_t *ram_at(struct model *model, enum view view, uint64_t maddr)
{
	if (!ram_holds(model, maddr >> FRAME_ORDER))
		return NULL;
	if (!model->ram.bytes[view])
		view = view == VIEW_UNIT && model->ram.cached ? VIEW_MEMORY : VIEW_CPU;
	return model->ram.bytes[view] + (maddr - MODEL_RAM_BASE);
}

uint64_t ram_load(struct model *model, enum view view, uint64_t maddr, bool *answered)
{
	const uint8_t *at = ram_at(model, view, maddr & ~7ull);
	uint64_t value;

	*answered = at != NULL;
	if (!at)
		return UINT64_MAX;
	value = __atomic_load_n((const uint64_t *)(const void *)at, __ATOMIC_ACQUIRE);
	if (model->buffered_count)
		buffer_hide(model, at, &value, 8, NO_CPU);
	return value;
}

/* At most to the end of RAM; what lies beyond is nobody's. */
void ram_store(struct model *model, uint64_t maddr, const void *data, uint32_t bytes)
{
	if (!ram_holds(model, maddr >> FRAME_ORDER) ||
	    !ram_holds(model, (maddr + bytes - 1) >> FRAME_ORDER))
		return;
	buffer_fetch(model, ram_at(model, VIEW_CPU, maddr), bytes);
	for (int view = 0; view < VIEW_COUNT; view++)
		if (model->ram.bytes[view])
			memcpy(model->ram.bytes[view] + (maddr - MODEL_RAM_BASE), data, bytes);
}

static void wait_in_buffer(struct ram *ram, uint64_t line)
{
	uint8_t bit = (uint8_t)(1u << line % 8);

	if (ram->line_waits[line / 8] & bit)
		return;
	if (ram->waiting_count == ram->waiting_room) {
		uint32_t room = ram->waiting_room ? ram->waiting_room * 2 : 64;
		uint64_t *more = realloc(ram->waiting, room * sizeof(*more));

		if (!more)
			return;
		ram->waiting = more;
		ram->waiting_room = room;
	}
	ram->line_waits[line / 8] |= bit;
	ram->waiting[ram->waiting_count++] = line;
}

/* A store that waits in a CPU's buffer is not in the line yet. */
static void evict_line(struct model *model, uint64_t line)
{
	const uint8_t *from = model->ram.bytes[VIEW_CPU] + line * LINE_BYTES;
	uint8_t *to = model->ram.bytes[VIEW_MEMORY] + line * LINE_BYTES;

	memcpy(to, from, LINE_BYTES);
	buffer_hide(model, from, to, LINE_BYTES, NO_CPU);
}

void ram_evict(struct model *model, uint64_t maddr, uint64_t bytes)
{
	struct ram *ram = &model->ram;
	uint64_t first, last;

	if (!bytes || !ram_holds(model, maddr >> FRAME_ORDER) ||
	    !ram_holds(model, (maddr + bytes - 1) >> FRAME_ORDER))
		return;
	first = (maddr - MODEL_RAM_BASE) / LINE_BYTES;
	last = (maddr + bytes - 1 - MODEL_RAM_BASE) / LINE_BYTES;
	for (uint64_t line = first; line <= last; line++) {
		if (ram->cached)
			evict_line(model, line);
		if (ram->buffered)
			wait_in_buffer(ram, line);
	}
}

/* VT-d 6.8: the root complex's buffer, by GCMD.WBF or any invalidation. */
void ram_drain_buffer(struct model *model)
{
	struct ram *ram = &model->ram;
	const uint8_t *from = ram->cached ? ram->bytes[VIEW_MEMORY] : ram->bytes[VIEW_CPU];

	for (uint32_t i = 0; i < ram->waiting_count; i++) {
		uint64_t line = ram->waiting[i];

		memcpy(ram->bytes[VIEW_UNIT] + line * LINE_BYTES, from + line * LINE_BYTES,
		       LINE_BYTES);
		ram->line_waits[line / 8] &= (uint8_t) ~(1u << line % 8);
	}
	ram->waiting_count = 0;
}

/* So that a store to a slot tells which addresses it is about (adversary.c). */
void ram_note_place(struct model *model, uint64_t mfn, uint32_t level, uint64_t dfn)
{
	uint32_t order = 9 * (level + 1);

	if (!ram_holds(model, mfn))
		return;
	model->ram.place[mfn - base_mfn()] = (struct place){
		.first = order < 64 ? dfn >> order << order : 0,
		.level = (uint8_t)level,
		.known = true,
	};
}

uint64_t ram_maddr(const struct model *model, const void *pointer)
{
	uintptr_t at = (uintptr_t)pointer, start = (uintptr_t)model->ram.bytes[VIEW_CPU];

	if (at < start || at - start >= model->ram.frames * FRAME_BYTES)
		return 0;
	return MODEL_RAM_BASE + (at - start);
}

/* --- the platform's frames ------------------------------------------------------------------- */

enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	struct model *model = embedder;
	uint64_t mfn = 0;

	(void)node;
	model_take_lock(model);
	model->takes++;
	if (model->refuse_in == 0 || --model->refuse_in > 0)
		mfn = ram_allot(model, order, FRAME_TABLE);
	if (mfn) {
		model->table_frames += 1ull << order;
		forge(&model->ram, mfn, 1ull << order);
		*first = (sp_mfn_t){ mfn };
	}
	model_drop_lock(model);
	if (model->config.on_take)
		model->config.on_take(model, model->config.argument);
	return mfn ? SP_OK : SP_NO_MEMORY;
}

static bool all_in_state(const struct model *model, uint64_t mfn, uint64_t count,
			 enum frame_state state)
{
	for (uint64_t i = 0; i < count; i++)
		if (!ram_holds(model, mfn + i) || ram_state(model, mfn + i) != state)
			return false;
	return true;
}

/* The next owner writes at once: whoever still holds a way here would walk his words. */
static void give(struct model *model, uint64_t mfn, uint32_t order, enum frame_state from,
		 const char *how)
{
	uint64_t count = 1ull << order;

	if (!all_in_state(model, mfn, count, from)) {
		model_violate(model, "contract: mfn 0x%llx order %u is %s but was not taken so",
			      (unsigned long long)mfn, order, how);
		return;
	}
	release_check(model, mfn, count, how);
	memset(model->ram.state + (mfn - base_mfn()), FRAME_FREE, count);
	forge(&model->ram, mfn, count);
	memset(model->ram.canary + (mfn - base_mfn()), 1, count);
}

void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order)
{
	struct model *model = embedder;

	model_take_lock(model);
	buffer_drain(model);
	give(model, first.mfn, order, FRAME_TABLE, "given back");
	model->table_frames -= 1ull << order;
	model_drop_lock(model);
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	return ram_at(embedder, VIEW_CPU, frame.mfn << FRAME_ORDER);
}

void platform_write_back(void *embedder, const void *first, size_t bytes)
{
	struct model *model = embedder;
	uint64_t maddr = ram_maddr(model, first);

	model_take_lock(model);
	buffer_drain(model);
	if (maddr)
		ram_evict(model, maddr, bytes);
	model_drop_lock(model);
}

void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	struct model *model = embedder;

	model_take_lock(model);
	/* Whoever gets the frames next gets them behind a lock. */
	buffer_drain(model);
	release_check(model, run->first.mfn, run->count, "forgotten");
	model->forgotten += run->count;
	for (uint64_t i = 0; i < run->count; i++)
		if (ram_holds(model, run->first.mfn + i))
			model->ram.forgotten[run->first.mfn + i - base_mfn()]++;
	if (model->config.on_forgotten)
		model->config.on_forgotten(model, run, model->config.argument);
	model_drop_lock(model);
}

/* --- the test's frames ----------------------------------------------------------------------- */

uint64_t model_guest_frames(struct model *model, uint32_t order)
{
	uint64_t mfn;

	model_take_lock(model);
	mfn = ram_allot(model, order, FRAME_GUEST);
	for (int view = 0; mfn && view < VIEW_COUNT; view++)
		if (model->ram.bytes[view])
			memset(model->ram.bytes[view] + (mfn - base_mfn()) * FRAME_BYTES, 0,
			       (size_t)FRAME_BYTES << order);
	model_drop_lock(model);
	return mfn;
}

uint64_t model_guest_frame(struct model *model)
{
	return model_guest_frames(model, 0);
}

void model_guest_give(struct model *model, uint64_t mfn, uint32_t order)
{
	model_take_lock(model);
	give(model, mfn, order, FRAME_GUEST, "taken back by the test");
	model_drop_lock(model);
}

void *model_frame_bytes(struct model *model, uint64_t mfn)
{
	return ram_at(model, VIEW_CPU, mfn << FRAME_ORDER);
}

void model_refuse_nth_take(struct model *model, uint32_t n)
{
	model->refuse_in = n;
}

uint32_t model_takes(const struct model *model)
{
	return model->takes;
}

uint64_t model_table_frames(const struct model *model)
{
	return model->table_frames;
}

uint64_t model_forgotten_frames(const struct model *model)
{
	return model->forgotten;
}

uint32_t model_forgotten_times(const struct model *model, uint64_t mfn)
{
	return ram_holds(model, mfn) ? model->ram.forgotten[mfn - base_mfn()] : 0;
}
