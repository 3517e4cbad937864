/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/adversary.c - what happens between any two accesses of the core.
 *
 *   model_before_store(slot)      the store enters its CPU's buffer (buffer.c)
 *   ... it leaves the buffer      look: every cache may fill with the state so far
 *   the next hook of any kind     look again: every cache may fill with the new state
 *
 * A look walks, for each function and each CPU in guest mode, to the addresses that matter: those
 * the test watches, those used last, and those that the slot being stored translates. Whatever is
 * present on the way may be remembered (M2), and must be sound: no reserved bit, no link to what is
 * no table.
 */
#include "machine.h"
#include "memory/memory.h"

static _Thread_local struct model *current;

void model_make_current(struct model *model)
{
	current = model;
}

/* --- what is looked at ----------------------------------------------------------------------- */

void model_watch(struct model *model, uint64_t dfn)
{
	for (uint32_t i = 0; i < model->watched_count; i++)
		if (model->watched[i] == dfn)
			return;
	if (model->watched_count < MODEL_MAX_WATCHED)
		model->watched[model->watched_count++] = dfn;
	else
		model->watched[model_draw(model, MODEL_MAX_WATCHED)] = dfn;
}

/* One address, for everybody who could be asked for it. */
static void look_at(struct model *model, uint64_t dfn)
{
	bool often = model->config.adversary == MODEL_ADVERSARY_MAX;

	for (uint32_t i = 0; i < model->config.device_count; i++) {
		struct function *function = &model->function[i];
		uint32_t unit = function->config.unit, domain;

		if (unit == MODEL_NO_UNIT || !unit_is_translating(&model->unit[unit]))
			continue;
		if (often || model_draw(model, 3) == 0)
			unit_translate(model, &model->unit[unit], pci_requester(model, function, 0),
				       dfn, MODEL_READ, true, &domain);
		if (function->config.ats && (often || model_draw(model, 3) == 0))
			atc_speculate(model, function, dfn);
	}
	for (uint32_t i = 0; i < MODEL_MAX_OUTSIDERS; i++)
		if (model->outsider[i].used && (often || model_draw(model, 3) == 0))
			outsider_speculate(model, &model->outsider[i], dfn);
	for (uint32_t cpu = 0; cpu < model->config.cpus; cpu++)
		if (model->cpu[cpu].in_guest && (often || model_draw(model, 3) == 0))
			cpu_speculate(model, cpu, dfn);
}

/*
 * Entries go, and a line leaves the CPU's cache; the worst for who forgot a write-back is that it
 * stays.
 */
static void drop_at_random(struct model *model)
{
	if (model->last_store && model_draw(model, 4) == 0)
		ram_evict(model, model->last_store, 1);
	for (uint32_t i = 0; i < model->config.unit_count; i++)
		cache_drop_some(model, &model->unit[i].cache);
	for (uint32_t i = 0; i < model->config.device_count; i++)
		if (model->function[i].config.ats)
			cache_drop_some(model, &model->function[i].atc);
	for (uint32_t i = 0; i < MODEL_MAX_OUTSIDERS; i++)
		if (model->outsider[i].used)
			cache_drop_some(model, &model->outsider[i].cache);
	for (uint32_t i = 0; i < model->config.cpus; i++)
		cache_drop_some(model, &model->cpu[i].cache);
}

void model_look(struct model *model)
{
	uint32_t stored = model->stored_next < 2 ? model->stored_next : 2;
	uint32_t recent = model->recent_next < 4 ? model->recent_next : 4;

	model->look_owed = false;
	if (model->looking || model->config.adversary == MODEL_ADVERSARY_NONE)
		return;
	model->looking = true;
	for (uint32_t i = 0; i < stored; i++)
		look_at(model, model->stored[i]);
	for (uint32_t i = 0; i < model->watched_count; i++)
		look_at(model, model->watched[i]);
	for (uint32_t i = 0; i < recent; i++)
		look_at(model, model->recent[i]);
	code_execute(model);
	linear_look(model);
	if (model->config.adversary == MODEL_ADVERSARY_RANDOM)
		drop_at_random(model);
	model->looking = false;
}

/*
 * --- the hooks -------------------------------------------------------------------------------
 *
 * An observer of the embedder's that looks up (outsider.c) comes by here too, in the midst of a look:
 * it is another CPU, which drains nothing and of slots sees what memory says.
 */

/* The addresses that the slot translates, known once a walk came through its table. */
static void note_store(struct model *model, uint64_t maddr)
{
	uint64_t frame = (maddr - MODEL_RAM_BASE) >> FRAME_ORDER;
	const struct place *place = &model->ram.place[frame];
	uint64_t dfn = place->first + ((maddr >> 3 & (SLOTS - 1)) << 9 * place->level);

	if (!place->known)
		return;
	if (model->stored_next && model->stored[(model->stored_next - 1) % 2] == dfn)
		return;
	model->stored[model->stored_next++ % 2] = dfn;
}

void model_set_hook(struct model *model,
		    void (*hook)(void *argument, const void *at, uint32_t bytes, bool writes),
		    void *argument)
{
	model->hook_argument = argument;
	model->hook = hook;
}

uint64_t model_stores_seen(const struct model *model)
{
	return model->stores_seen;
}

uint64_t model_slot_stores(const struct model *model)
{
	return model->slot_stores;
}

/* A table, and neither a queue nor entries of functions. */
static bool is_slot(const struct model *model, uint64_t maddr)
{
	const char *what;

	for (uint32_t i = 0; i < model->config.unit_count; i++)
		if (unit_points_to(&model->unit[i], maddr >> FRAME_ORDER, 1, &what))
			return false;
	return true;
}

static void check_owner(struct model *model, uint64_t maddr, const char *what)
{
	if (ram_state(model, maddr >> FRAME_ORDER) == FRAME_FREE)
		model_violate(model, "oracle R: the core %s 0x%llx, in a frame that it gave back",
			      what, (unsigned long long)maddr);
}

void adversary_meet(struct model *model, uint64_t maddr)
{
	if (!maddr) {
		if (model->look_owed)
			model_look(model);
		return;
	}
	if (model->ram.buffered && !model->ram.cached)
		ram_evict(model, maddr, 8);
	note_store(model, maddr);
	model_look(model);
	model->stores_seen += model->config.adversary != MODEL_ADVERSARY_NONE;
	model->look_owed = true;
	model->last_store = maddr;
}

/* Sixteen bytes are a locked operation. */
void model_before_store(const void *to, uint32_t bytes)
{
	struct model *model = current;
	uint64_t maddr = model ? ram_maddr(model, to) : 0;

	if (!model)
		return;
	model_take_lock(model);
	if (model->hook)
		model->hook(model->hook_argument, to, bytes, true);
	if (maddr)
		check_owner(model, maddr, "stores at");
	model->slot_stores += maddr && is_slot(model, maddr);
	if (!model->looking && bytes <= 8 && buffer_is_on(model)) {
		buffer_drift(model);
		buffer_put(model, to, bytes);
	} else if (!model->looking) {
		buffer_drain(model);
		adversary_meet(model, maddr);
	}
	model_drop_lock(model);
}

void model_before_load(const void *from, uint32_t bytes)
{
	struct model *model = current;
	uint64_t maddr = model ? ram_maddr(model, from) : 0;

	if (!model)
		return;
	model_take_lock(model);
	if (model->hook)
		model->hook(model->hook_argument, from, bytes, false);
	if (maddr)
		check_owner(model, maddr, "loads from");
	if (!model->looking)
		buffer_drift(model);
	if (model->look_owed)
		model_look(model);
	else if (model->config.adversary == MODEL_ADVERSARY_RANDOM && model_draw(model, 64) == 0)
		model_look(model);
	model_drop_lock(model);
}

/* The oldest buffer is emptied to make room: so the last lines of a table stay for as long as they may. */
void model_after_past_cache(const void *to)
{
	struct model *model = current;
	uint64_t maddr = model ? ram_maddr(model, to) : 0, *line;

	if (!maddr)
		return;
	model_take_lock(model);
	/* It goes by the store buffer as it goes by the cache. */
	buffer_drain(model);
	maddr = maddr / LINE_BYTES * LINE_BYTES;
	line = &model->combining[model->combining_next % COMBINING_LINES];
	if (model->combining[(model->combining_next + COMBINING_LINES - 1) % COMBINING_LINES] !=
	    maddr) {
		if (*line)
			ram_evict(model, *line, LINE_BYTES);
		*line = maddr;
		model->combining_next++;
	}
	model_drop_lock(model);
}

void model_at_past_cache_barrier(void)
{
	struct model *model = current;

	if (!model)
		return;
	model_take_lock(model);
	buffer_drain(model);
	for (uint32_t i = 0; i < COMBINING_LINES; i++) {
		if (model->combining[i])
			ram_evict(model, model->combining[i], LINE_BYTES);
		model->combining[i] = 0;
	}
	model_drop_lock(model);
}

uint64_t model_after_load(const void *from, uint32_t bytes, uint64_t value)
{
	const struct model *model = current;

	if (model && model->buffered_count)
		buffer_hide(model, from, &value, bytes,
			    model->looking && ram_maddr(model, from) ? NO_CPU
								     : platform_self(NULL));
	return value;
}

void model_at_barrier(bool full)
{
	struct model *model = current;

	if (!model)
		return;
	model_take_lock(model);
	if (full && !model->looking)
		buffer_drain(model);
	if (model->look_owed)
		model_look(model);
	model_drop_lock(model);
}

void model_at_locked(const void *at)
{
	struct model *model = current;

	if (model && model->hook)
		model->hook(model->hook_argument, at, 4, true);
	if (!model || !model->buffered_count || model->looking)
		return;
	model_take_lock(model);
	buffer_drain(model);
	buffer_fetch(model, (const void *)((uintptr_t)at & ~(uintptr_t)(LINE_BYTES - 1)),
		     LINE_BYTES);
	model_drop_lock(model);
}

/* --- a test's own stores --------------------------------------------------------------------- */

void model_store(struct model *model, uint64_t maddr, uint64_t value, bool written_back)
{
	uint64_t *slot = (uint64_t *)(void *)ram_at(model, VIEW_CPU, maddr);
	struct model *before = current;

	current = model;
	store64(slot, value);
	full_barrier();
	if (written_back)
		ram_evict(model, maddr, 8);
	current = before;
}

uint64_t model_load(struct model *model, uint64_t maddr)
{
	return __atomic_load_n((const uint64_t *)(const void *)ram_at(model, VIEW_CPU, maddr),
			       __ATOMIC_ACQUIRE);
}
