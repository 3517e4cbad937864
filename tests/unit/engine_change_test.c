/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_change_test.c - what each kind of change is called, how wide, and in how
 * many stores.
 *
 * One table of cases: what was there, what is wished over the whole of it, what each walker is
 * told. Then the changes of a piece of a large leaf, which come in steps.
 */
#include "tests/unit/engine_fixture.h"

enum was {
	WAS_ABSENT,
	WAS_LEAF,
	WAS_TABLE /* of the next level down, one smallest leaf in it, at frame 1 */
};

enum wish {
	WISH_ABSENT,
	WISH_SAME,
	WISH_OTHER, /* frames */
	WISH_MORE,
	WISH_FEWER,
	WISH_TYPE,
	WISH_SAME_KEEP, /* whatever frames are there */
	WISH_FEWER_KEEP
};

struct change_case {
	enum was was;
	enum wish wish;
	enum change_kind cpu, device; /* KIND_COUNT: told nothing */
	uint32_t stores;
	int gone; /* enum let_go_kind; -1: nothing */
};

/* clang-format off */
static const struct change_case cases[] = {
	{ WAS_ABSENT, WISH_ABSENT,     KIND_COUNT,     KIND_COUNT,   0, -1 },
	{ WAS_ABSENT, WISH_OTHER,      KIND_MAP,       KIND_MAP,     1, -1 },
	{ WAS_ABSENT, WISH_FEWER_KEEP, KIND_COUNT,     KIND_COUNT,   0, -1 },
	{ WAS_LEAF,   WISH_ABSENT,     KIND_UNMAP,     KIND_UNMAP,   1, GONE_FRAMES },
	{ WAS_LEAF,   WISH_SAME,       KIND_COUNT,     KIND_COUNT,   0, -1 },
	{ WAS_LEAF,   WISH_SAME_KEEP,  KIND_COUNT,     KIND_COUNT,   0, -1 },
	{ WAS_LEAF,   WISH_OTHER,      KIND_REPLACE,   KIND_REPLACE, 1, GONE_FRAMES },
	{ WAS_LEAF,   WISH_MORE,       KIND_GRANT,     KIND_GRANT,   1, -1 },
	{ WAS_LEAF,   WISH_FEWER,      KIND_REVOKE,    KIND_REVOKE,  1, -1 },
	{ WAS_LEAF,   WISH_FEWER_KEEP, KIND_REVOKE,    KIND_REVOKE,  1, -1 },
	{ WAS_LEAF,   WISH_TYPE,       KIND_ATTRIBUTE, KIND_COUNT,   1, -1 },
	{ WAS_TABLE,  WISH_ABSENT,     KIND_UNLINK,    KIND_UNLINK,  1, GONE_SUBTREE },
};
/* clang-format on */

static bool sees(const struct machine *machine, enum walker walker)
{
	return machine_all_rights(machine) & (walker == WALKER_CPU ? CPU_RIGHTS : DEVICE_RIGHTS);
}

/* Of one walker: this kind over [first, end), and no other. */
static void assert_told(const struct machine *machine, const struct step *step, enum walker walker,
			enum change_kind kind, uint64_t first, uint64_t end)
{
	for (uint32_t i = 0; i < KIND_COUNT; i++) {
		struct span span = step->stale.span[walker][i];

		if (i != (uint32_t)kind || !sees(machine, walker)) {
			assert_true(span_is_empty(span));
			continue;
		}
		assert_int_equal(span.first, first);
		assert_int_equal(span.end, end);
	}
}

static void assert_told_both(const struct machine *machine, const struct step *step,
			     enum change_kind kind, uint64_t first, uint64_t end)
{
	assert_told(machine, step, WALKER_CPU, kind, first, end);
	assert_told(machine, step, WALKER_DEVICE, kind, first, end);
}

/* More rights are granted to those who had few. */
static uint32_t rights_before(const struct machine *machine, enum wish wish)
{
	return wish == WISH_MORE ? machine_few_rights(machine) : machine_all_rights(machine);
}

static struct target target_of(struct machine *machine, enum wish wish, uint64_t mfn)
{
	struct target target = { .mfn = mfn, .rights = machine_all_rights(machine) };

	switch (wish) {
	case WISH_ABSENT:
		target.rights = 0;
		break;
	case WISH_OTHER:
		target.mfn = machine_fresh(machine);
		break;
	case WISH_FEWER:
		target.rights = machine_few_rights(machine);
		break;
	case WISH_TYPE:
		target.memory = MEMORY_UNCACHED;
		break;
	case WISH_FEWER_KEEP:
		target.rights = machine_few_rights(machine);
		target.keep_frames = true;
		break;
	case WISH_SAME_KEEP:
		target.keep_frames = true;
		break;
	case WISH_SAME:
	case WISH_MORE:
		break;
	}
	return target;
}

static void try_case(const struct subject *subject, const struct change_case *row, uint32_t level)
{
	struct machine *machine = machine_make(subject);
	uint64_t first = machine_base(machine), end = first + machine_span(machine, level),
		 mfn = machine_fresh(machine);
	struct target target = target_of(machine, row->wish, mfn);
	bool nothing = row->wish == WISH_TYPE && !sees(machine, WALKER_CPU);
	struct step step;

	if (row->was == WAS_LEAF)
		machine_map(machine, first, end - first, mfn, rights_before(machine, row->wish));
	if (row->was == WAS_TABLE)
		machine_map(machine, first + 1, 1, mfn + 1, machine_all_rights(machine));
	/* Keeps the tables above: what is asked here is the slot alone. */
	if (end < machine_frames(machine))
		machine_map(machine, end, 1, machine_fresh(machine), machine_all_rights(machine));
	machine_step(machine, first, end, &target, &step);
	machine_assert_clean(machine);
	assert_int_equal(step.plan.end, end);
	assert_false(step.plan.split_only);
	assert_told(machine, &step, WALKER_CPU, nothing ? KIND_COUNT : row->cpu, first, end);
	assert_told(machine, &step, WALKER_DEVICE, nothing ? KIND_COUNT : row->device, first, end);
	assert_int_equal(step.stale.gone_count, row->gone >= 0);
	if (row->gone >= 0)
		assert_int_equal(step.stale.gone[0].kind, row->gone);
	assert_int_equal(step.live_stores, nothing ? 0 : row->stores);
	assert_int_equal(step.tables, 0);
	machine_settle(machine, 0);
	machine_free(machine);
}

static void a_whole_slot_changes_in_one_store_and_tells_exactly_its_kind(void **state)
{
	const struct subject *subject = *state;

	for (uint32_t level = 0; level < 3 && level < subject->levels; level++) {
		struct machine *machine = machine_make(subject);
		bool can = machine_can(machine, level);

		machine_free(machine);
		for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			/* Without leaves of this size the range is many slots. */
			if (cases[i].was == WAS_TABLE ? level > 0 : can)
				try_case(subject, &cases[i], level);
		}
	}
}

static void absent_to_a_small_page_links_one_table_and_tells_its_span(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t base = machine_base(machine),
		 top = machine_span(machine, machine->tree.levels - 1u);
	struct target target = { .mfn = machine_fresh(machine),
				 .rights = machine_all_rights(machine) };
	struct step step;

	machine_step(machine, base + 1, base + 2, &target, &step);
	machine_assert_clean(machine);
	if (machine->tree.levels == 1)
		assert_told_both(machine, &step, KIND_MAP, base + 1, base + 2);
	else
		assert_told_both(machine, &step, KIND_LINK, base, base + top);
	assert_int_equal(step.live_stores, 1);
	assert_int_equal(step.tables, machine->tree.levels - 1u);
	machine_free(machine);
}

static void a_page_under_a_table_is_mapped_in_one_store_and_tells_its_own_span(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t base = machine_base(machine);
	struct target target = { .mfn = machine_fresh(machine),
				 .rights = machine_all_rights(machine) };
	struct step step;

	machine_map(machine, base, 1, machine_fresh(machine), machine_all_rights(machine));
	machine_step(machine, base + 1, base + 2, &target, &step);
	machine_assert_clean(machine);
	assert_told_both(machine, &step, KIND_MAP, base + 1, base + 2);
	assert_int_equal(step.live_stores, 1);
	machine_free(machine);
}

static void a_large_page_over_a_table_keeps_the_table_and_tells_each_piece(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t base = machine_base(machine), span;
	struct target target = { .rights = machine_all_rights(machine) };
	struct step step;

	if (machine_can(machine, 1)) {
		span = machine_span(machine, 1);
		machine_map(machine, base + 1, 1, machine_fresh(machine),
			    machine_all_rights(machine));
		target.mfn = machine_fresh(machine);
		machine_step(machine, base, base + span, &target, &step);
		machine_assert_clean(machine);
		if (sees(machine, WALKER_CPU))
			assert_int_equal(step.stale.span[WALKER_CPU][KIND_REPLACE].first, base + 1);
		assert_true(step.plan.end > base + 1);
		assert_int_equal(step.live_stores, step.plan.end - base);
		assert_int_equal(step.tables, 0);
	}
	machine_free(machine);
}

/* ---- pieces of a large leaf ---- */

static void unmap_of_a_piece_of_a_large_page_goes_in_one_store_as_wide_as_the_page(void **state)
{
	for (uint32_t level = 1; level < 3; level++) {
		struct machine *machine = machine_make(*state);
		uint64_t base = machine_base(machine), span = machine_span(machine, level),
			 mfn = machine_fresh(machine);
		struct target target = { .rights = 0 };
		struct step step;

		if (machine_can(machine, level)) {
			machine_map(machine, base, span, mfn, machine_all_rights(machine));
			machine_step(machine, base + 1, base + 2, &target, &step);
			machine_assert_clean(machine);
			assert_false(step.plan.split_only);
			assert_told_both(machine, &step, KIND_PUNCH, base, base + span);
			assert_int_equal(step.live_stores, 1);
			assert_int_equal(step.tables, level);
			assert_int_equal(step.stale.gone_count, 1);
			assert_int_equal(step.stale.gone[0].kind, GONE_FRAMES);
			assert_int_equal(step.stale.gone[0].mfn, mfn + 1);
			assert_int_equal(step.stale.gone[0].count, 1);
			machine_settle(machine, 0);
		}
		machine_free(machine);
	}
}

static void change_piece_by_split(const struct subject *subject, uint32_t level,
				  struct target target, enum change_kind kind)
{
	struct machine *machine = machine_make(subject);
	uint64_t base = machine_base(machine), mfn = machine_fresh(machine),
		 at = base + machine_span(machine, level) - 1;
	struct step step;

	if (!machine_can(machine, level)) {
		machine_free(machine);
		return;
	}
	machine_map(machine, base, machine_span(machine, level), mfn, machine_all_rights(machine));
	/* From the large page down, one size a step, each to be paid before the next. */
	for (uint32_t size = level; size > 0; size--) {
		uint64_t first = align_down(at, span_order(machine->tree.format, size));

		machine_step(machine, at, at + 1, &target, &step);
		machine_assert_clean(machine);
		assert_true(step.plan.split_only);
		assert_told_both(machine, &step, KIND_SPLIT, first,
				 first + machine_span(machine, size));
		assert_int_equal(step.live_stores, 1);
		assert_int_equal(step.tables, 1);
		assert_int_equal(step.stale.gone_count, 0);
	}
	machine_step(machine, at, at + 1, &target, &step);
	machine_assert_clean(machine);
	assert_false(step.plan.split_only);
	assert_told_both(machine, &step, kind, at, at + 1);
	assert_int_equal(step.live_stores, 1);
	machine_settle(machine, 0);
	machine_free(machine);
}

static void a_piece_of_a_large_page_loses_rights_only_after_a_split_that_changes_nothing(
	void **state)
{
	for (uint32_t level = 1; level < 3; level++) {
		struct machine *machine = machine_make(*state);
		struct target target = { .rights = machine_few_rights(machine),
					 .keep_frames = true };

		machine_free(machine);
		change_piece_by_split(*state, level, target, KIND_REVOKE);
	}
}

static void a_piece_of_a_large_page_gets_another_frame_only_after_a_split_that_changes_nothing(
	void **state)
{
	for (uint32_t level = 1; level < 3; level++) {
		struct machine *machine = machine_make(*state);
		struct target target = { .mfn = 0x77777, .rights = machine_all_rights(machine) };

		machine_free(machine);
		change_piece_by_split(*state, level, target, KIND_REPLACE);
	}
}

static void a_piece_that_is_as_wished_already_splits_nothing(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t base = machine_base(machine), mfn = machine_fresh(machine);
	struct target target = { .mfn = mfn + 1, .rights = machine_all_rights(machine) };
	struct step step;

	machine_map(machine, base, machine_slots(machine), mfn, machine_all_rights(machine));
	machine_step(machine, base + 1, base + 2, &target, &step);
	machine_assert_clean(machine);
	assert_told_both(machine, &step, KIND_COUNT, 0, 0);
	assert_int_equal(step.live_stores, 0);
	assert_int_equal(step.tables, 0);
	machine_free(machine);
}

/* What comes before the large leaf is a change of its own; the leaf is split in the next. */
static void a_split_is_alone_in_its_change(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t base = machine_base(machine), span = machine_slots(machine);
	struct target target = { .rights = machine_few_rights(machine), .keep_frames = true };
	struct step step;

	if (machine_can(machine, 1) && machine->tree.levels > 2) {
		machine_map(machine, base - 1, 1, machine_fresh(machine),
			    machine_all_rights(machine));
		machine_map(machine, base, span, machine_fresh(machine),
			    machine_all_rights(machine));
		machine_step(machine, base - 1, base + 1, &target, &step);
		machine_assert_clean(machine);
		assert_false(step.plan.split_only);
		assert_int_equal(step.plan.end, base);
		assert_told_both(machine, &step, KIND_REVOKE, base - 1, base);
		machine_step(machine, base, base + 1, &target, &step);
		machine_assert_clean(machine);
		assert_true(step.plan.split_only);
		assert_told_both(machine, &step, KIND_SPLIT, base, base + span);
	}
	machine_free(machine);
}

/* ---- each walker its own ---- */

static void change_rights(struct machine *machine, uint32_t from, uint32_t to, enum change_kind cpu,
			  enum change_kind device)
{
	uint64_t base = machine_base(machine);
	struct target target = { .rights = to, .keep_frames = true };
	struct step step;

	machine_map(machine, base, 1, machine_fresh(machine), from);
	machine_step(machine, base, base + 1, &target, &step);
	machine_assert_clean(machine);
	assert_told(machine, &step, WALKER_CPU, cpu, base, base + 1);
	assert_told(machine, &step, WALKER_DEVICE, device, base, base + 1);
}

static void rights_of_one_walker_are_no_change_for_the_other(void **state)
{
	struct machine *machine = machine_make(*state);
	const uint32_t cpu = CPU_RIGHTS, in = DEVICE_READ, both = DEVICE_RIGHTS;

	if (format_holds(machine->tree.format, cpu | in, MEMORY_WRITE_BACK) &&
	    sees(machine, WALKER_CPU) && sees(machine, WALKER_DEVICE) &&
	    format_holds(machine->tree.format, cpu, MEMORY_WRITE_BACK)) {
		change_rights(machine, cpu | both, cpu | in, KIND_COUNT, KIND_REVOKE);
		change_rights(machine, cpu | in, cpu | both, KIND_COUNT, KIND_GRANT);
		change_rights(machine, cpu | both, CPU_READ | both, KIND_REVOKE, KIND_COUNT);
		change_rights(machine, CPU_READ | both, cpu | in, KIND_GRANT, KIND_REVOKE);
	}
	machine_free(machine);
}

int main(void)
{
#define TEST(name)          \
	{                   \
#name, name \
	}
	static const struct conformance_test tests[] = {
		TEST(a_whole_slot_changes_in_one_store_and_tells_exactly_its_kind),
		TEST(absent_to_a_small_page_links_one_table_and_tells_its_span),
		TEST(a_page_under_a_table_is_mapped_in_one_store_and_tells_its_own_span),
		TEST(a_large_page_over_a_table_keeps_the_table_and_tells_each_piece),
		TEST(unmap_of_a_piece_of_a_large_page_goes_in_one_store_as_wide_as_the_page),
		TEST(a_piece_of_a_large_page_loses_rights_only_after_a_split_that_changes_nothing),
		TEST(a_piece_of_a_large_page_gets_another_frame_only_after_a_split_that_changes_nothing),
		TEST(a_piece_that_is_as_wished_already_splits_nothing),
		TEST(a_split_is_alone_in_its_change),
		TEST(rights_of_one_walker_are_no_change_for_the_other),
	};

	return run_conformance("engine_change", tests, sizeof(tests) / sizeof(tests[0]));
}
