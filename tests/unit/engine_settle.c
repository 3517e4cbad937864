/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_settle.c - taking apart what changes let go, as if everybody had forgotten it.
 *
 * What comes back must be what the oracle lost, each frame and each table once, and nothing may
 * be written on the way. Hardware may have set accessed and dirty bits in it until a moment ago.
 */
#include "tests/unit/engine_fixture.h"

struct settle {
	struct dismantle_sink sink;
	struct machine *machine;
};

static void settle_frames(struct dismantle_sink *sink, uint64_t mfn, uint64_t count,
			  uint32_t rights, enum memory_type memory)
{
	struct settle *settle = (struct settle *)sink;

	runs_add(&settle->machine->released, (struct run){ mfn, count, rights, memory });
}

static void settle_table(struct dismantle_sink *sink, uint64_t mfn)
{
	struct settle *settle = (struct settle *)sink;
	uint32_t page = machine_page(settle->machine, mfn);

	if (page == POOL_PAGES || settle->machine->state[page] != PAGE_GONE)
		fail_msg("%s: mfn %#llx is handed back and was not let go",
			 settle->machine->subject->name, (unsigned long long)mfn);
	machine_give_page(settle->machine, mfn);
}

/* Walkers that have not forgotten yet. */
static void touch_gone(struct machine *machine)
{
	uint64_t accessed = BIT(machine->opinion->accessed);

	for (uint32_t page = 0; page < machine->top; page++)
		for (uint32_t i = 0;
		     machine->state[page] == PAGE_GONE && i < machine_slots(machine); i++)
			if (machine->page[page][i] && machine_random(machine, 2))
				machine->page[page][i] |= accessed;
}

static void dismantle(struct machine *machine, const struct let_go *gone, uint32_t fixed_budget)
{
	struct settle settle = { { settle_frames, settle_table }, machine };
	struct dismantle place = { 0 };
	bool done = false;

	machine_keep_shadow(machine);
	while (!done) {
		uint32_t budget =
			fixed_budget ? fixed_budget : 1 + (uint32_t)machine_random(machine, 700);
		uint32_t left = budget;

		done = tree_dismantle(&machine->tree, &place, gone->mfn, gone->level, &settle.sink,
				      &left);
		assert_true(left <= budget && (done || left == 0));
		if (!machine_is_as_shadow(machine))
			machine_blame(machine, "dismantling wrote into a table");
	}
}

void machine_settle(struct machine *machine, uint32_t budget)
{
	machine->looks.forbidden = true;
	touch_gone(machine);
	for (uint32_t i = 0; i < machine->pending_count; i++) {
		const struct let_go *gone = &machine->pending[i];

		if (gone->kind == GONE_SUBTREE)
			dismantle(machine, gone, budget);
		else
			machine_give_page(machine, gone->mfn);
	}
	machine->looks.forbidden = false;
	machine->pending_count = 0;
	for (uint32_t page = 0; page < machine->top; page++)
		if (machine->state[page] == PAGE_GONE)
			machine_blame(machine, "a table that was let go is never handed back");
	runs_order(&machine->lost);
	runs_order(&machine->released);
	if (!runs_are_equal(&machine->lost, &machine->released))
		machine_blame(machine,
			      "frames handed back are not the frames that went: %u runs, %u runs",
			      machine->released.count, machine->lost.count);
	machine->lost.count = machine->released.count = 0;
	machine_assert_clean(machine);
}
