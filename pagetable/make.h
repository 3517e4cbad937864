/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/make.h - what commit.c and one.c share: what is let go, and what a store ends.
 */
#pragma once

#include "pagetable/run.h"

/* The negative controls: a decision from less than the old and the new entry (A1.2 to A1.5). */
bool make_overlooks(const struct tree *tree, uint32_t level, uint64_t old, uint64_t new);

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

/* The table under the link is one run no more. */
static inline void forget_run(const struct tree *tree, uint64_t *link)
{
	uint64_t old = load64(link);

	if (!(old & tree->format->run) || MUTANT_IS(*tree->mutant, SP_MUT_RUN_KEPT))
		return;
	store64(link, old & ~tree->format->run);
	write_back(tree, link, 1);
}
