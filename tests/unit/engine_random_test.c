/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_random_test.c - long runs of random changes, on every format and level.
 *
 * Each step is judged by the fixture: prepare changes nothing, every look between two stores
 * finds old or new, the tree is what the oracle says, what went stale is what the slots say, and
 * what goes is handed back once.
 */
#include "tests/unit/engine_fixture.h"

#define CHANGES 90u

/* Where most changes fall: around a border of every level, so that ranges cross tables. */
static uint64_t random_frame(struct machine *machine)
{
	uint64_t frames = machine_frames(machine), border = frames / 2;
	static const uint64_t near[] = { 8, 600, 2048, 600000 };
	uint64_t window = min_u64(near[machine_random(machine, 4)], border);

	if (frames <= 32)
		return machine_random(machine, frames);
	if (machine->oracle.count && machine_random(machine, 3) == 0) {
		const struct piece *piece =
			&machine->oracle.piece[machine_random(machine, machine->oracle.count)];

		return machine_random(machine, 2) ? piece->first : piece->end - 1;
	}
	return border - window + machine_random(machine, 2 * window);
}

static uint64_t random_count(struct machine *machine, uint64_t *first)
{
	uint32_t order = machine->tree.format->slots_order;
	uint32_t kind = (uint32_t)machine_random(machine, 6),
		 level = machine->tree.levels > 2 ? 2 : 1;

	switch (kind) {
	case 0:
		return 1;
	case 1:
		return 1 + machine_random(machine, 16);
	case 2:
		return 1 + machine_random(machine, 1500);
	case 3: /* whole large pages */
		*first = align_down(*first, order);
		return BIT(order) * (1 + machine_random(machine, 3));
	case 4:
		*first = align_down(*first, level * order);
		return BIT(level * order) * (1 + machine_random(machine, 2));
	}
	return 1 + machine_random(machine, BIT(level * order) + BIT(order));
}

/* Frames that nothing else maps; as well aligned as the first frame for a large page, or not. */
static uint64_t random_mfn(struct machine *machine, uint64_t first, uint64_t *count)
{
	static const uint32_t orders[] = { 18, 18, 9, 0 };
	uint32_t order = orders[machine_random(machine, 4)];
	uint64_t mfn;

	/* Small tables suffice to show what small pages do: do not fill gigabytes with them. */
	if (order == 0 || !(machine->tree.leaf_levels >> 1))
		*count = min_u64(*count, 2500);
	mfn = (align_down(machine->next_mfn, 18) + BIT(18)) | (first & (BIT(order) - 1));
	mfn += order ? 0 : 1 + machine_random(machine, 500);
	machine->next_mfn = mfn + *count;
	return mfn;
}

static uint32_t random_rights(struct machine *machine)
{
	const struct opinion *opinion = machine->opinion;
	uint32_t rights = opinion->held[machine_random(machine, opinion->held_count)];

	/* Rights of those who do not walk this table are none of its business. */
	return rights | (machine_random(machine, 32) & ~machine_all_rights(machine) & 31);
}

static struct target random_target(struct machine *machine, uint64_t first, uint64_t *count)
{
	struct target target = { .rights = random_rights(machine),
				 .memory = machine_random(machine, 3)
						   ? MEMORY_WRITE_BACK
						   : (enum memory_type)machine_random(
							     machine, MEMORY_TYPE_COUNT) };

	switch (machine_random(machine, 6)) {
	case 0:
	case 1:
	case 2:
		target.mfn = random_mfn(machine, first, count);
		return target;
	case 3:
		target.keep_frames = true;
		return target;
	case 4: /* the same frames again, where they are one run */
		target.mfn = oracle_find(&machine->oracle, first).mfn;
		*count = min_u64(*count, oracle_extent(&machine->oracle, first));
		target.rights = oracle_find(&machine->oracle, first).rights ? target.rights : 0;
		return target;
	}
	target.rights &= ~machine_all_rights(machine);
	return target;
}

static void change_at_random(struct machine *machine)
{
	uint64_t first = random_frame(machine), count = random_count(machine, &first);
	struct target target;

	count = min_u64(count, machine_frames(machine) - first);
	target = random_target(machine, first, &count);
	assert_int_equal(machine_change(machine, first, first + count, &target), SP_OK);
}

static void every_frame_is_as_asked_after_each_random_change(void **state)
{
	struct machine *machine = machine_make(*state);
	struct step step;

	for (uint32_t i = 0; i < CHANGES; i++) {
		change_at_random(machine);
		if (i % 4 == 0)
			machine_merge(machine, random_frame(machine),
				      1 + (uint32_t)machine_random(machine, 2), &step);
		if (i % 8 == 0)
			machine_settle(machine, 0);
		if (i % 16 == 0)
			verify_find(machine);
		machine_assert_clean(machine);
		/* Gigabytes of small pages make slow tests, not better ones. */
		if (machine_tables(machine) > 150 || machine->oracle.count > 400)
			machine_unmap(machine, 0, machine_frames(machine));
	}
	machine_settle(machine, 0);
	verify_find(machine);
	machine_assert_clean(machine);
	machine_free(machine);
}

int main(void)
{
	static const struct conformance_test tests[] = {
		{ "every_frame_is_as_asked_after_each_random_change",
		  every_frame_is_as_asked_after_each_random_change },
	};

	return run_conformance("engine_random", tests, sizeof(tests) / sizeof(tests[0]));
}
