/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/buffer.c - x86's store buffers. SDM 3A 9.2; APM 2 7.2.
 *
 *   CPU --store--> | oldest ... newest | --later, in order--> memory: other CPUs, units
 *    ^                       |
 *    +----its own loads------+
 *
 * Memory holds what was stored last; here is what was there before, for all others, who read through
 * buffer_hide(). A store leaves at the latest when its CPU passes a full barrier or a locked
 * operation, writes a device's register, or waits, or a test makes a device or guest do something;
 * sooner by chance, or with the worst adversary never. A guest that is entered does not drain it:
 * VMRUN and VM entry are no barrier. Speculation does not wait for it either.
 */
#include <string.h>

#include "machine.h"

static bool overlaps(const struct buffered *store, const uint8_t *at, uint64_t bytes)
{
	return store->at < at + bytes && at < store->at + store->bytes;
}

bool buffer_hides(const struct model *model, const void *at, uint64_t bytes)
{
	for (uint32_t i = 0; i < model->buffered_count; i++)
		if (overlaps(&model->buffered[i], at, bytes))
			return true;
	return false;
}

/* Back to what `viewer` sees there; nobody's number: what memory says. The oldest has the last word. */
void buffer_hide(const struct model *model, const void *from, void *copy, uint64_t bytes,
		 uint32_t viewer)
{
	const uint8_t *at = from;

	for (uint32_t i = model->buffered_count; i-- > 0;) {
		const struct buffered *store = &model->buffered[i];
		const uint8_t *old = (const uint8_t *)&store->old;

		if (store->cpu == viewer || !overlaps(store, at, bytes))
			continue;
		for (uint32_t n = 0; n < store->bytes; n++)
			if (store->at + n >= at && store->at + n < at + bytes)
				((uint8_t *)copy)[store->at + n - at] = old[n];
	}
}

/* --- leaving it ------------------------------------------------------------------------------ */

static void show(struct model *model, uint32_t index)
{
	adversary_meet(model, ram_maddr(model, model->buffered[index].at));
	model->buffered_count--;
	memmove(&model->buffered[index], &model->buffered[index + 1],
		(model->buffered_count - index) * sizeof(model->buffered[0]));
}

/* Of this CPU, the oldest first, up to the last that `at` covers; NULL: all. */
static void show_up_to(struct model *model, uint32_t cpu, const uint8_t *at, uint64_t bytes)
{
	uint32_t count = 0, seen = 0;

	for (uint32_t i = 0; i < model->buffered_count; i++) {
		if (model->buffered[i].cpu != cpu)
			continue;
		seen++;
		if (!at || overlaps(&model->buffered[i], at, bytes))
			count = seen;
	}
	for (uint32_t i = 0; count;) {
		if (model->buffered[i].cpu == cpu) {
			show(model, i);
			count--;
		} else {
			i++;
		}
	}
}

void buffer_drain(struct model *model)
{
	if (model->buffered_count)
		show_up_to(model, platform_self(model), NULL, 0);
}

/* More time passes than any store waits. */
void buffer_drain_all(struct model *model)
{
	while (model->buffered_count)
		show(model, 0);
}

void model_drain(struct model *model)
{
	model_take_lock(model);
	buffer_drain_all(model);
	model_drop_lock(model);
}

/* Whoever gets hold of these bytes sees what others stored there, and what those stored before. */
void buffer_fetch(struct model *model, const void *at, uint64_t bytes)
{
	while (buffer_hides(model, at, bytes)) {
		uint32_t i = 0;

		while (!overlaps(&model->buffered[i], at, bytes))
			i++;
		show_up_to(model, model->buffered[i].cpu, at, bytes);
	}
}

/* --- entering it ----------------------------------------------------------------------------- */

bool buffer_is_on(const struct model *model)
{
	return model->config.adversary != MODEL_ADVERSARY_NONE && !model->config.no_store_buffers;
}

void buffer_put(struct model *model, const void *to, uint32_t bytes)
{
	struct buffered store = { .at = to, .bytes = bytes, .cpu = platform_self(model) };

	if (model->buffered_count == BUFFERED_AT_MOST)
		show(model, 0);
	memcpy(&store.old, to, bytes);
	model->buffered[model->buffered_count++] = store;
}

void buffer_drift(struct model *model)
{
	while (model->buffered_count && model->config.adversary == MODEL_ADVERSARY_RANDOM &&
	       model_draw(model, 4) == 0)
		show(model, 0);
}
