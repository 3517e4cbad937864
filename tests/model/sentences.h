/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/sentences.h - sentences that are true in every mode: a test for each of both, "sentence: mode".
 *
 * A test's state is its mode.
 */
#pragma once

#include "bench.h"

struct sentence {
	const char *name;
	void (*run)(void **state);
	bool (*is_of)(const struct bench_mode *mode); /* NULL: of every mode */
};

#define SENTENCE(sentence)                \
	{                                 \
#sentence, sentence, NULL \
	}
#define SENTENCE_OF(sentence, modes)       \
	{                                  \
#sentence, sentence, modes \
	}

/* What cmocka answers. */
int sentences_run(const char *group, const struct sentence *sentences, size_t count);
