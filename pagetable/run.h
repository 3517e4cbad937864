/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/run.h - slots of one table, side by side, that a change treats alike.
 *
 *   table   [ leaf | . | . | . | . | link | link ]
 *                  `--- run ----'
 *
 * What is to be done is decided once a run; a load and a comparison tell where it ends. plan.c
 * counts runs, commit.c makes them; both see the same slots, since the caller holds the lock between
 * them, so what was counted is enough.
 */
#pragma once

#include "pagetable/walk.h"

/*
 * Finds the run that begins at `slot`, where the frames of `part`, all of this table, begin. Slots
 * after the first are in it only where the part covers them wholly; `most` of them at most.
 */
void run_find(const struct tree *tree, const struct plan *plan, uint32_t level,
	      const uint64_t *slot, struct span part, uint32_t most, struct slot_run *run);

static inline bool plan_clears(const struct plan *plan)
{
	return plan->target.rights == 0;
}

/* How many slots from where the part begins are wished whole. */
static inline uint32_t plan_whole(const struct plan *plan, uint32_t level, uint32_t order,
				  struct span part)
{
	if (level > plan->leaf_top || !is_aligned(part.first, order))
		return 0;
	return (uint32_t)((part.end - part.first) >> order);
}

/* What the slot that spans `frame` would hold as a leaf of its level; frame: the first it spans. */
static inline uint64_t plan_leaf(const struct tree *tree, const struct plan *plan, uint32_t level,
				 uint64_t frame)
{
	return (plan->target.mfn + (frame - plan->first)) << 12 | tree->format->leaf[level] |
	       plan->attributes;
}

/* The same frames with other rights. */
static inline uint64_t plan_retyped(const struct tree *tree, const struct plan *plan,
				    uint32_t level, uint64_t old)
{
	return (old & tree->format->frame) | tree->format->leaf[level] | plan->attributes;
}
