/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_looks.c - what walkers find between every two stores of the engine.
 *
 * A look walks sampled frames, in what the CPU stored and, where a walker does not snoop, in
 * what was written back. Each must translate as before the change or as after it: so a page that
 * stays is never absent, and a table is complete before it is linked. A small tree is looked at
 * frame by frame.
 */
#include "tests/unit/engine_fixture.h"

#include <string.h>

#include "tests/unit/looking/memory.h"

static struct machine *looking;

static uint64_t slot_number(const struct machine *machine, uint32_t level, uint64_t frame)
{
	return frame >> (machine->tree.format->slots_order * level) & (machine_slots(machine) - 1);
}

struct view looks_walk(struct machine *machine, uint64_t (*memory)[PAGE_SLOTS], uint64_t frame,
		       uint32_t *level)
{
	struct sight sight = { .kind = SIGHT_TABLE, .mfn = machine->tree.root.mfn };
	uint32_t rights = CPU_RIGHTS | DEVICE_RIGHTS, at = machine->tree.levels;
	struct view view = { 0 };

	while (sight.kind == SIGHT_TABLE && at) {
		uint32_t page = machine_page(machine, sight.mfn);

		if (page == POOL_PAGES)
			return view;
		if (memory == machine->page)
			machine->looks.linked[page] = true;
		at--;
		sight = opinion_read(machine->opinion, at,
				     memory[page][slot_number(machine, at, frame)]);
		rights &= sight.rights;
	}
	*level = at;
	if (sight.kind == SIGHT_BROKEN)
		machine_blame(machine, "frame %#llx, level %u: %s", (unsigned long long)frame, at,
			      sight.why);
	if (sight.kind != SIGHT_LEAF)
		return view;
	view.mfn = sight.mfn + (frame & (BIT(span_order(machine->tree.format, at)) - 1));
	view.rights = rights;
	view.memory = sight.memory;
	return view;
}

void looks_touch(struct machine *machine, uint64_t (*memory)[PAGE_SLOTS], uint64_t frame)
{
	const struct opinion *opinion = machine->opinion;
	uint64_t mfn = machine->tree.root.mfn, accessed = BIT(opinion->accessed),
		 dirty = BIT(opinion->dirty);

	for (uint32_t at = machine->tree.levels; at;) {
		uint32_t page = machine_page(machine, mfn);
		uint64_t *slot;
		struct sight sight;

		if (page == POOL_PAGES)
			return;
		at--;
		slot = &memory[page][slot_number(machine, at, frame)];
		sight = opinion_read(opinion, at, *slot);
		if (sight.kind != SIGHT_LEAF && sight.kind != SIGHT_TABLE)
			return;
		*slot |= accessed;
		if (sight.kind == SIGHT_LEAF) {
			*slot |= machine_random(machine, 2) ? dirty : 0;
			return;
		}
		mfn = sight.mfn;
	}
}

static void look_at(struct machine *machine, uint64_t (*memory)[PAGE_SLOTS], uint32_t i,
		    const char *whose)
{
	const struct looks *looks = &machine->looks;
	uint32_t level;
	struct view view = looks_walk(machine, memory, looks->sample[i], &level);

	if (!view_is_equal(view, looks->before[i]) && !view_is_equal(view, looks->after[i]))
		machine_blame(
			machine,
			"%s: frame %#llx is neither as before nor as after: mfn %#llx rights %u, not "
			"%#llx %u nor %#llx %u",
			whose, (unsigned long long)looks->sample[i], (unsigned long long)view.mfn,
			view.rights, (unsigned long long)looks->before[i].mfn,
			looks->before[i].rights, (unsigned long long)looks->after[i].mfn,
			looks->after[i].rights);
}

static void look(struct machine *machine)
{
	struct looks *looks = &machine->looks;

	looks->count++;
	looks->visible = false;
	for (uint32_t i = 0; i < looks->sample_count; i++) {
		look_at(machine, machine->page, i, "stored");
		if (machine->tree.write_back)
			look_at(machine, machine->seen, i, "written back");
	}
	if (looks->sample_count) {
		uint64_t frame = looks->sample[machine_random(machine, looks->sample_count)];

		looks_touch(machine, machine->page, frame);
		if (machine->tree.write_back)
			looks_touch(machine, machine->seen, frame);
	}
}

void look_before_store(const void *to, uint32_t bytes, uint64_t changes)
{
	struct machine *machine = looking;
	struct looks *looks = &machine->looks;
	uint64_t offset = (uint64_t)((uintptr_t)to - (uintptr_t)machine->page);
	uint32_t page = (uint32_t)(offset / SP_FRAME_BYTES),
		 slot = (uint32_t)(offset % SP_FRAME_BYTES / 8);
	uint64_t ours = machine->tree.format->software | machine->tree.format->run;

	assert_true(bytes == 8 && offset % 8 == 0 && page < POOL_PAGES &&
		    slot < machine_slots(machine));
	if (looks->visible)
		look(machine);
	if (looks->forbidden)
		machine_blame(machine, "a store where nothing may be stored");
	if (machine->state[page] != PAGE_TAKEN)
		machine_blame(machine, "a store into a page that was let go");
	if (!looks->on)
		return;
	looks->stores++;
	looks->announced[page][slot / 64] |= BIT(slot % 64);
	looks->visible = looks->live[page];
	/* Bits of the engine's own are nothing to who walks. */
	looks->live_stores += looks->live[page] && (!changes || changes & ~ours);
	if (!looks->live[page] && looks->linked[page])
		machine_blame(machine, "a table is written after it was linked");
}

/* A store past the caches, or NULL: all of them are in memory now. */
void look_at_barrier(const void *to)
{
	struct machine *machine = looking;
	struct looks *looks = &machine->looks;
	size_t offset;

	if (to && looks->past_cache_count < PAGE_SLOTS * 4) {
		looks->past_cache[looks->past_cache_count++] = to;
		return;
	}
	for (uint32_t i = 0; !to && i < looks->past_cache_count; i++) {
		offset = (size_t)((const char *)looks->past_cache[i] - (const char *)machine->page);
		memcpy((char *)machine->seen + offset, looks->past_cache[i], 8);
	}
	looks->past_cache_count = 0;
	looks->write_backs++;
}

void platform_write_back(void *embedder, const void *first, size_t bytes)
{
	struct machine *machine = embedder;
	uintptr_t from = (uintptr_t)first & ~(uintptr_t)63,
		  to = ((uintptr_t)first + bytes + 63) & ~(uintptr_t)63;
	size_t offset = from - (uintptr_t)machine->page;

	assert_true(offset + (to - from) <= (size_t)POOL_PAGES * SP_FRAME_BYTES && bytes);
	if (machine->looks.visible)
		look(machine);
	memcpy((char *)machine->seen + offset, (char *)machine->page + offset, to - from);
	machine->looks.write_backs++;
	machine->looks.visible = machine->looks.on;
}

static void sample(struct machine *machine, uint64_t frame)
{
	struct looks *looks = &machine->looks;
	uint32_t i = looks->sample_count;

	if (i == SAMPLES_MAX || frame >= machine_frames(machine))
		return;
	looks->sample[i] = frame;
	looks->before[i] = oracle_find(&machine->before, frame);
	looks->after[i] = oracle_find(&machine->after, frame);
	looks->sample_count++;
}

static void sample_around(struct machine *machine, uint64_t frame)
{
	sample(machine, frame - 1);
	sample(machine, frame);
	sample(machine, frame + 1);
}

/* Borders of the range, of tables in it and beside it, and of what was mapped; a few at random. */
static void choose_samples(struct machine *machine, uint64_t first, uint64_t end)
{
	uint32_t order = machine->tree.format->slots_order, pieces = machine->before.count;
	uint64_t tables = ((end - first) >> order) + 3;

	machine->looks.sample_count = 0;
	for (uint64_t frame = 0; frame < machine_frames(machine) && machine_frames(machine) <= 32;
	     frame++)
		sample(machine, frame);
	if (machine_frames(machine) <= 32)
		return;
	sample_around(machine, first);
	sample_around(machine, end);
	for (uint32_t level = 1; level < machine->tree.levels; level++) {
		sample_around(machine, align_down(first, order * level));
		sample_around(machine, align_down(end, order * level) + BIT(order * level));
	}
	for (uint64_t i = 0; i < min_u64(tables, 34); i++)
		sample(machine, align_down(first, order) + (i << order));
	for (uint32_t i = 0; i < 12 && end > first; i++)
		sample(machine, first + machine_random(machine, end - first));
	for (uint32_t i = 0; i < 8 && pieces; i++)
		sample_around(machine,
			      machine->before.piece[machine_random(machine, pieces)].first);
}

void looks_use(struct machine *machine)
{
	looking = machine;
}

static void mark_live(struct machine *machine)
{
	struct looks *looks = &machine->looks;

	for (uint32_t page = 0; page < machine->top; page++) {
		looks->live[page] = machine->state[page] == PAGE_TAKEN;
		looks->linked[page] = false;
		memset(looks->announced[page], 0, sizeof(looks->announced[page]));
	}
}

void looks_begin(struct machine *machine, uint64_t first, uint64_t end)
{
	struct looks *looks = &machine->looks;

	looking = machine;
	mark_live(machine);
	choose_samples(machine, first, end);
	looks->stores = looks->live_stores = looks->write_backs = looks->count = 0;
	looks->visible = true;
	looks->on = true;
}

/* Stores that nobody announced: only hardware's bits may have changed elsewhere. */
static void check_announced(struct machine *machine)
{
	uint64_t hardware = BIT(machine->opinion->accessed) | BIT(machine->opinion->dirty);

	for (uint32_t page = 0; page < machine->top; page++)
		for (uint32_t i = 0; machine->looks.live[page] && i < machine_slots(machine); i++)
			if ((machine->page[page][i] ^ machine->shadow[page][i]) & ~hardware &&
			    !(machine->looks.announced[page][i / 64] >> i % 64 & 1))
				machine_blame(machine, "a slot was stored past memory.h");
}

void looks_end(struct machine *machine)
{
	struct looks *looks = &machine->looks;

	/* What is made is as wished: nothing of before is left, where it differs. */
	for (uint32_t i = 0; i < looks->sample_count; i++)
		looks->before[i] = looks->after[i];
	look(machine);
	check_announced(machine);
	looks->on = false;
	if (looks->write_backs && !machine->tree.write_back)
		machine_blame(machine, "written back for walkers that snoop");
}
