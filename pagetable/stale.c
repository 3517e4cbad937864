/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/stale.c - what a store did, as each walker sees it.
 *
 * Old and new entry are both looked at, whole: what was, what is, which frame, which rights. No
 * sentinel stands for either (A1.2), and the old frame is a property of the old entry alone (A1.5).
 */
#include "pagetable/stale.h"

static const uint32_t walker_rights[WALKER_COUNT] = {
	[WALKER_CPU] = CPU_RIGHTS,
	[WALKER_DEVICE] = DEVICE_RIGHTS,
};

/* KIND_COUNT: nothing that this walker looks at. */
static enum change_kind kind_of_leaves(const struct format *format, enum walker walker,
				       uint64_t old, uint64_t new)
{
	uint32_t before = slot_rights(format, old) & walker_rights[walker];
	uint32_t after = slot_rights(format, new) & walker_rights[walker];

	if (slot_frame(format, old) != slot_frame(format, new))
		return KIND_REPLACE;
	if (before & ~after)
		return KIND_REVOKE;
	/* A device's accesses take their memory type from elsewhere. */
	if (walker == WALKER_CPU && slot_memory(format, old) != slot_memory(format, new))
		return KIND_ATTRIBUTE;
	if (after & ~before)
		return KIND_GRANT;
	return KIND_COUNT;
}

/*
 * X7: is a large page remembered that leads elsewhere now? Under a link at level 2 and above there may
 * have been some. What was split or merged leads where it led.
 */
static bool leaves_large(uint32_t level, enum slot_kind before, enum slot_kind after)
{
	return (before == SLOT_LEAF && level > 0 && after != SLOT_LINK) ||
	       (before == SLOT_LINK && level > 1 && after == SLOT_ABSENT);
}

void stale_note(struct stale *stale, const struct format *format, uint32_t level, struct span span,
		uint64_t old_slot, uint64_t new_slot)
{
	static const uint8_t kinds[3][3] = {
		[SLOT_ABSENT] = { KIND_COUNT, KIND_MAP, KIND_LINK },
		[SLOT_LEAF] = { KIND_UNMAP, KIND_COUNT, KIND_SPLIT },
		[SLOT_LINK] = { KIND_UNLINK, KIND_MERGE, KIND_COUNT },
	};
	enum slot_kind before = slot_kind(format, level, old_slot),
		       after = slot_kind(format, level, new_slot);
	enum change_kind kind = (enum change_kind)kinds[before][after];

	if (leaves_large(level, before, after))
		stale->large = span_join(stale->large, span);
	if (before != SLOT_LEAF || after != SLOT_LEAF) {
		if (kind != KIND_COUNT)
			stale_add_seen(stale, format, kind, span);
		return;
	}
	for (uint32_t walker = 0; walker < WALKER_COUNT; walker++) {
		kind = kind_of_leaves(format, (enum walker)walker, old_slot, new_slot);
		if (kind != KIND_COUNT && (format->rights_seen & walker_rights[walker]))
			stale_add(stale, (enum walker)walker, kind, span);
	}
}

void stale_note_punch(struct stale *stale, const struct format *format, struct span span)
{
	stale_add_seen(stale, format, KIND_PUNCH, span);
}

/* Frames that follow one another with the same attributes become one run. */
static bool extend(struct let_go *last, const struct let_go *gone)
{
	if (last->kind != GONE_FRAMES || gone->kind != GONE_FRAMES ||
	    last->mfn + last->count != gone->mfn || last->rights != gone->rights ||
	    last->memory != gone->memory)
		return false;
	last->count += gone->count;
	return true;
}

void stale_let_go(struct stale *stale, struct let_go gone)
{
	if (stale->gone_count && extend(&stale->gone[stale->gone_count - 1], &gone))
		return;
	stale->gone[stale->gone_count++] = gone;
}
