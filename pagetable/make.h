/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/make.h - what commit.c and one.c share: notes of what went stale and of what was let go,
 * and what must follow a store.
 */
#pragma once

#include "pagetable/run.h"

struct make {
	struct tree *tree;
	const struct plan *plan;
	struct reserve *reserve;
	struct stale *stale;
};

/* The negative controls: a decision from less than the old and the new entry (A1.2 to A1.5). */
bool make_overlooks(const struct tree *tree, uint32_t level, uint64_t old, uint64_t new);

/* What the first slot of a run tells of all. */
static inline void note(struct make *make, uint32_t level, struct span span, uint64_t old,
			uint64_t new)
{
	if (MUTANTS_BUILT && make_overlooks(make->tree, level, old, new))
		return;
	stale_note(make->stale, make->tree->format, level, span, old, new);
}

static inline void let_go_frames(const struct tree *tree, struct stale *stale, uint64_t leaf,
				 uint64_t mfn, uint64_t count)
{
	const struct format *format = tree->format;

	if (tree->owns_frames)
		stale_let_go(stale,
			     (struct let_go){ .kind = GONE_FRAMES,
					      .mfn = mfn,
					      .count = count,
					      .rights = (uint8_t)slot_rights(format, leaf),
					      .memory = (uint8_t)slot_memory(format, leaf) });
}

static inline void write_back(const struct tree *tree, const uint64_t *slot, uint32_t count)
{
	if (tree->write_back && count)
		platform_write_back(tree->embedder, slot, count * sizeof(*slot));
}

static inline void write_back_slots(const struct tree *tree, const uint64_t *slot, uint32_t count)
{
	if (!MUTANT_IS(*tree->mutant, SP_MUT_SLOT_NOT_WRITTEN_BACK))
		write_back(tree, slot, count);
}

/* The table under the link is one run no more. */
static inline void forget_run(const struct tree *tree, uint64_t *link)
{
	uint64_t old = load64(link);

	if (!(old & tree->format->run) || MUTANT_IS(*tree->mutant, SP_MUT_RUN_KEPT))
		return;
	store64(link, old & ~tree->format->run);
	write_back(tree, link, 1);
}
