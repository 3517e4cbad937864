/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/change.c - what can be refused is refused; then one of two ways.
 *
 *   prepare   check --- one small page, its table is there --> one.c
 *                  `--- everything else ---------------------> plan.c, then commit.c
 */
#include "pagetable/make.h"

/* A frame beyond what a slot can name would become rights of another frame. */
static bool names_frames(const struct format *format, const struct target *target, uint64_t count)
{
	uint64_t frames = (format->frame >> 12) + 1;

	return target->keep_frames || (target->mfn < frames && count <= frames - target->mfn);
}

static enum sp_status check(const struct tree *tree, const struct plan *plan)
{
	const struct target *target = &plan->target;

	if (plan->first >= plan->end)
		return SP_INVALID;
	/* What lies beyond the width is absent already. */
	if (plan_clears(plan))
		return SP_OK;
	if (plan->end > tree->frames ||
	    !names_frames(tree->format, target, plan->end - plan->first))
		return SP_RANGE;
	return format_holds(tree->format, target->rights, target->memory) ? SP_OK : SP_UNSUPPORTED;
}

enum sp_status tree_prepare(const struct tree *tree, uint64_t first, uint64_t end,
			    const struct target *target, struct plan *plan)
{
	enum sp_status status;

	plan->first = first;
	plan->end = end;
	plan->target = *target;
	plan->target.rights &= tree->format->rights_seen;
	plan->split_only = false;
	plan->tables = plan->gone = plan->slots = 0;
	plan->one.slot = NULL;
	plan->place.shape = tree->shape;
	status = check(tree, plan);
	if (status != SP_OK)
		return status;
	plan->attributes = plan_clears(plan) ? 0
					     : format_attributes(tree->format, plan->target.rights,
								 target->memory);
	if (end - first != 1 || first >= tree->frames || !one_prepare(tree, plan))
		plan_many(tree, plan);
	return SP_OK;
}

void tree_commit(struct tree *tree, const struct plan *plan, struct reserve *reserve,
		 struct stale *stale)
{
	struct make make = { tree, plan, reserve, stale };

	if (plan->one.slot && plan->place.shape == tree->shape)
		one_commit(&make);
	else
		commit_many(&make);
}
