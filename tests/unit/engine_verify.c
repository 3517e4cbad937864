/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_verify.c - a whole tree against the oracle, and a change against what it
 * says went stale.
 */
#include "tests/unit/engine_fixture.h"

struct sweep {
	struct machine *machine;
	uint32_t piece;	 /* of the oracle, the next that leaves must fill */
	uint64_t filled; /* frames of it found */
	bool reached[POOL_PAGES];
};

static uint64_t hardware_bits(const struct machine *machine)
{
	return BIT(machine->opinion->accessed) | BIT(machine->opinion->dirty);
}

/* Leaves and pieces both come in order of frames: each leaf must be the next part of a piece. */
static void sweep_leaf(struct sweep *sweep, uint32_t level, uint64_t frame, struct sight sight)
{
	struct machine *machine = sweep->machine;
	const struct piece *piece = &machine->oracle.piece[sweep->piece];
	struct view wanted = piece->view, view = { sight.mfn, sight.rights, sight.memory };
	uint64_t frames = BIT(span_order(machine->tree.format, level));

	if (!(machine->tree.leaf_levels >> level & 1))
		machine_blame(machine, "a leaf at level %u", level);
	if (sweep->piece == machine->oracle.count || frame != piece->first + sweep->filled ||
	    frame + frames > piece->end) {
		machine_blame(machine, "frame %#llx is mapped and should not be",
			      (unsigned long long)frame);
		return;
	}
	wanted.mfn += sweep->filled;
	if (!view_is_equal(view, wanted))
		machine_blame(machine,
			      "frame %#llx: mfn %#llx rights %u type %d, wished %#llx %u %d",
			      (unsigned long long)frame, (unsigned long long)view.mfn, view.rights,
			      (int)view.memory, (unsigned long long)wanted.mfn, wanted.rights,
			      (int)wanted.memory);
	sweep->filled += frames;
	if (frame + frames == piece->end) {
		sweep->piece++;
		sweep->filled = 0;
	}
}

static void sweep_table(struct sweep *sweep, uint64_t mfn, uint32_t level, uint64_t frame);

static bool sweep_slot(struct sweep *sweep, uint64_t slot, uint32_t level, uint64_t frame)
{
	struct machine *machine = sweep->machine;
	struct sight sight = opinion_read(machine->opinion, level, slot);

	switch (sight.kind) {
	case SIGHT_ABSENT:
		return false;
	case SIGHT_BROKEN:
		machine_blame(machine, "frame %#llx level %u: %s", (unsigned long long)frame, level,
			      sight.why);
		return true;
	case SIGHT_LEAF:
		sweep_leaf(sweep, level, frame, sight);
		return true;
	case SIGHT_TABLE:
		/* Leaves decide: a link that forbids would hide rights. */
		if (sight.rights != machine_all_rights(machine))
			machine_blame(machine, "a link allows only %u", sight.rights);
		sweep_table(sweep, sight.mfn, level - 1, frame);
		return true;
	}
	return true;
}

static void sweep_table(struct sweep *sweep, uint64_t mfn, uint32_t level, uint64_t frame)
{
	struct machine *machine = sweep->machine;
	uint32_t page = machine_page(machine, mfn), used = 0;

	if (page == POOL_PAGES)
		return;
	if (sweep->reached[page] || machine->state[page] != PAGE_TAKEN) {
		machine_blame(machine, "a table is linked twice, or after it was let go");
		return;
	}
	sweep->reached[page] = true;
	for (uint32_t i = 0; i < machine_slots(machine); i++) {
		uint64_t slot = machine->page[page][i];

		if (machine->tree.write_back &&
		    (machine->seen[page][i] ^ slot) & ~hardware_bits(machine))
			machine_blame(machine, "level %u slot %u was not written back", level, i);
		if (slot)
			used += sweep_slot(sweep, slot, level,
					   frame + ((uint64_t)i
						    << span_order(machine->tree.format, level)));
	}
	if (!used && level + 1u < machine->tree.levels)
		machine_blame(machine, "an empty table stays at level %u", level);
}

void verify_tree(struct machine *machine)
{
	struct sweep sweep = { .machine = machine };

	sweep_table(&sweep, machine->tree.root.mfn, machine->tree.levels - 1u, 0);
	if (sweep.piece != machine->oracle.count)
		machine_blame(machine, "frame %#llx is not mapped and should be",
			      (unsigned long long)(machine->oracle.piece[sweep.piece].first +
						   sweep.filled));
	for (uint32_t page = 0; page < machine->top; page++)
		if ((machine->state[page] == PAGE_TAKEN) != sweep.reached[page])
			machine_blame(machine, "a table page is neither linked nor let go");
}

static uint64_t find_at(struct machine *machine, uint64_t frame)
{
	struct view wanted = oracle_find(&machine->oracle, frame), view;
	struct found found;
	bool present = tree_find(&machine->tree, frame, &found);

	view = (struct view){ found.mfn, found.rights, found.memory };
	if (present != (wanted.rights != 0) || !view_is_equal(view, wanted))
		machine_blame(machine,
			      "tree_find of %#llx: mfn %#llx rights %u type %d, wished %#llx %u %d",
			      (unsigned long long)frame, (unsigned long long)view.mfn, view.rights,
			      (int)view.memory, (unsigned long long)wanted.mfn, wanted.rights,
			      (int)wanted.memory);
	if (frame < machine_frames(machine) &&
	    (!found.count || found.count > oracle_extent(&machine->oracle, frame)))
		machine_blame(machine, "tree_find of %#llx: a run of %#llx frames",
			      (unsigned long long)frame, (unsigned long long)found.count);
	return found.count;
}

void verify_find_at(struct machine *machine, uint64_t frame)
{
	find_at(machine, frame);
}

void verify_find(struct machine *machine)
{
	uint64_t frames = machine_frames(machine), frame = 0, count;

	for (; frame < frames && !machine->verdict[0]; frame += count)
		count = find_at(machine, frame);
	find_at(machine, frames);
	find_at(machine, UINT64_MAX >> 12);
}

/* ---- what went stale, a second opinion ---- */

struct diff {
	struct machine *machine;
	struct span span[WALKER_COUNT][KIND_COUNT];
};

static void diff_note(struct diff *diff, enum walker walker, enum change_kind kind, uint32_t level,
		      uint64_t frame)
{
	struct span span = { frame, frame + BIT(span_order(diff->machine->tree.format, level)) };

	diff->span[walker][kind] = span_join(diff->span[walker][kind], span);
}

static void diff_note_both(struct diff *diff, enum change_kind kind, uint32_t level, uint64_t frame)
{
	uint32_t all = machine_all_rights(diff->machine);

	if (all & CPU_RIGHTS)
		diff_note(diff, WALKER_CPU, kind, level, frame);
	if (all & DEVICE_RIGHTS)
		diff_note(diff, WALKER_DEVICE, kind, level, frame);
}

/* One walker, leaf to leaf. What owes more covers what owes less (section 7, rows 4, 5, 6, 10). */
static void diff_leaves(struct diff *diff, enum walker walker, uint32_t level, uint64_t frame,
			struct sight old, struct sight new)
{
	uint32_t mine = machine_all_rights(diff->machine) &
			(walker == WALKER_CPU ? CPU_RIGHTS : DEVICE_RIGHTS);

	if (!mine)
		return;
	if (old.mfn != new.mfn)
		diff_note(diff, walker, KIND_REPLACE, level, frame);
	else if (old.rights & ~new.rights & mine)
		diff_note(diff, walker, KIND_REVOKE, level, frame);
	else if (walker == WALKER_CPU && old.memory != new.memory)
		diff_note(diff, walker, KIND_ATTRIBUTE, level, frame);
	else if (new.rights & ~old.rights & mine)
		diff_note(diff, walker, KIND_GRANT, level, frame);
}

/* Some frame that was mapped by the leaf is absent now. */
static bool has_hole(struct machine *machine, uint64_t first, uint64_t count)
{
	return oracle_extent(&machine->oracle, first) < count ||
	       !oracle_find(&machine->oracle, first).rights;
}

/* Pieces may go in the store that splits; what stays is one translation still. */
static void diff_leaf_to_table(struct diff *diff, uint32_t level, uint64_t frame)
{
	uint64_t frames = BIT(span_order(diff->machine->tree.format, level));
	bool punched = false;

	for (uint64_t at = 0; at < frames && !punched;) {
		if (!oracle_find(&diff->machine->oracle, frame + at).rights)
			punched = true;
		at += oracle_extent(&diff->machine->oracle, frame + at);
	}
	diff_note_both(diff, punched ? KIND_PUNCH : KIND_SPLIT, level, frame);
	if (!punched && has_hole(diff->machine, frame, frames))
		machine_blame(diff->machine, "a leaf was split and its pieces changed in one step");
}

static void diff_tables(struct diff *diff, uint64_t old_mfn, uint32_t level, uint64_t frame);

static void diff_slots(struct diff *diff, uint32_t level, uint64_t frame, uint64_t old_slot,
		       uint64_t new_slot)
{
	static const uint8_t kinds[3][3] = {
		[SIGHT_ABSENT] = { KIND_COUNT, KIND_MAP, KIND_LINK },
		[SIGHT_LEAF] = { KIND_UNMAP, KIND_COUNT, KIND_COUNT },
		[SIGHT_TABLE] = { KIND_UNLINK, KIND_MERGE, KIND_COUNT },
	};
	const struct opinion *opinion = diff->machine->opinion;
	struct sight old = opinion_read(opinion, level, old_slot),
		     new = opinion_read(opinion, level, new_slot);

	if (old.kind == SIGHT_BROKEN || new.kind == SIGHT_BROKEN)
		return;
	if (kinds[old.kind][new.kind] != KIND_COUNT)
		diff_note_both(diff, (enum change_kind)kinds[old.kind][new.kind], level, frame);
	if (old.kind == SIGHT_LEAF && new.kind == SIGHT_LEAF) {
		diff_leaves(diff, WALKER_CPU, level, frame, old, new);
		diff_leaves(diff, WALKER_DEVICE, level, frame, old, new);
	}
	if (old.kind == SIGHT_LEAF && new.kind == SIGHT_TABLE)
		diff_leaf_to_table(diff, level, frame);
	/* What an old table held may have gone slot by slot before the table did. */
	if (old.kind == SIGHT_TABLE)
		diff_tables(diff, old.mfn, level - 1, frame);
	if (old.kind == SIGHT_TABLE && new.kind == SIGHT_TABLE && old.mfn != new.mfn)
		machine_blame(diff->machine, "a table was replaced by another");
}

static void diff_tables(struct diff *diff, uint64_t old_mfn, uint32_t level, uint64_t frame)
{
	struct machine *machine = diff->machine;
	uint32_t page = machine_page(machine, old_mfn);

	for (uint32_t i = 0; page != POOL_PAGES && i < machine_slots(machine); i++) {
		uint64_t old = machine->shadow[page][i], new = machine->page[page][i];

		if (old || new)
			diff_slots(diff, level,
				   frame + ((uint64_t)i << span_order(machine->tree.format, level)),
				   old, new);
	}
}

void verify_stale(struct machine *machine, const struct stale *stale)
{
	static const char *const walkers[WALKER_COUNT] = { "CPU", "device" };
	struct diff diff = { .machine = machine };

	diff_tables(&diff, machine->tree.root.mfn, machine->tree.levels - 1u, 0);
	for (uint32_t walker = 0; walker < WALKER_COUNT; walker++) {
		for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
			struct span said = stale->span[walker][kind], is = diff.span[walker][kind];

			if (span_is_empty(said) && span_is_empty(is))
				continue;
			if (said.first != is.first || said.end != is.end)
				machine_blame(
					machine,
					"%s, kind %u: stale says [%#llx, %#llx), slots say [%#llx, %#llx)",
					walkers[walker], kind, (unsigned long long)said.first,
					(unsigned long long)said.end, (unsigned long long)is.first,
					(unsigned long long)is.end);
		}
	}
}
