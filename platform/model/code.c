/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/code.c - oracle C: code that is written over while a CPU may execute it.
 *
 *   memory    [ word | word | word ]     aligned words of eight bytes, each seen old or new (APM 2 7.6.1)
 *   CPU       [ word |  -   | word ]     what it fetched last, until it leaves its guest: that serialises
 *
 * Between any two stores the CPU may execute, word by word what it fetched or what is there. Whatever it
 * can put together so must be the old code or the new, whole.
 */
#include <string.h>

#include "machine.h"

#define WORD 8u

void model_watch_code(struct model *model, uint32_t cpu, uint64_t address, const void *old,
		      const void *new, uint32_t count)
{
	struct code *code = &model->code;

	model_take_lock(model);
	*code = (struct code){ .cpu = cpu, .address = address, .count = count };
	memcpy(code->old, old, count);
	memcpy(code->new, new, count);
	model_drop_lock(model);
}

void code_serialise(struct model *model, uint32_t cpu)
{
	if (model->code.count && model->code.cpu == cpu)
		model->code.fetched = 0;
}

static uint32_t count_words(const struct code *code)
{
	uint64_t first = code->address / WORD, last = (code->address + code->count - 1) / WORD;

	return (uint32_t)(last - first) + 1;
}

/* False: it cannot fetch one of them, takes a fault there, and executes nothing. */
static bool fetch(struct model *model, const struct code *code, uint64_t *word)
{
	for (uint32_t i = 0; i < count_words(code); i++) {
		uint64_t at = code->address / WORD * WORD + i * WORD, mfn;
		bool answered;

		if (!cpu_fetch(model, code->cpu, at >> FRAME_ORDER, &mfn))
			return false;
		word[i] = ram_load(model, VIEW_CPU, (mfn << FRAME_ORDER) + at % FRAME_BYTES,
				   &answered);
	}
	return true;
}

static bool is_whole(const struct code *code, const uint64_t *word)
{
	const uint8_t *bytes = (const uint8_t *)word + code->address % WORD;

	return memcmp(bytes, code->old, code->count) == 0 ||
	       memcmp(bytes, code->new, code->count) == 0;
}

void code_execute(struct model *model)
{
	struct code *code = &model->code;
	uint64_t now[CODE_WORDS];

	if (!code->count || !model->cpu[code->cpu].in_guest || !fetch(model, code, now))
		return;
	for (uint32_t kept = 0; kept < 1u << count_words(code); kept++) {
		uint64_t word[CODE_WORDS];

		if (kept & ~code->fetched)
			continue;
		for (uint32_t i = 0; i < count_words(code); i++)
			word[i] = kept >> i & 1 ? code->word[i] : now[i];
		if (is_whole(code, word))
			continue;
		model_violate(
			model,
			"oracle C: cpu %u executes at 0x%llx what is neither the old code nor "
			"the new",
			code->cpu, (unsigned long long)code->address);
	}
	memcpy(code->word, now, sizeof(now));
	code->fetched = (1u << count_words(code)) - 1;
}
