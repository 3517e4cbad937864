/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_look_test.c - what walkers find in the middle of a change, and that the
 * suite would notice.
 *
 * The fixture looks before every store and after every write-back. Here it is made sure that it
 * does look, and each guard of the engine is left out once: the same change must then be blamed.
 */
#include "tests/unit/engine_fixture.h"

typedef void (*change_maker)(struct machine *machine);

static void map_a_page(struct machine *machine)
{
	struct target target = { .mfn = machine_fresh(machine),
				 .rights = machine_all_rights(machine) };
	uint64_t base = machine_base(machine);
	struct step step;

	machine_step(machine, base + 1, base + 2, &target, &step);
}

/* Whole, and of frames that no large leaf can map: its leaves go past the caches. */
static void map_a_table(struct machine *machine)
{
	struct target target = { .mfn = machine_fresh(machine) + 1,
				 .rights = machine_all_rights(machine) };
	uint64_t base = machine_base(machine);
	struct step step;

	machine_step(machine, base, base + machine_slots(machine), &target, &step);
}

static void replace_a_page(struct machine *machine)
{
	map_a_page(machine);
	map_a_page(machine);
}

static void unmap_a_piece(struct machine *machine)
{
	struct target target = { .mfn = machine_fresh(machine),
				 .rights = machine_all_rights(machine) };
	uint64_t base = machine_base(machine);
	struct step step;

	machine_step(machine, base, base + machine_span(machine, 1), &target, &step);
	target.rights = 0;
	machine_step(machine, base + 1, base + 2, &target, &step);
}

static void restrict_a_piece(struct machine *machine)
{
	struct target target = { .mfn = machine_fresh(machine),
				 .rights = machine_all_rights(machine) };
	uint64_t base = machine_base(machine);
	struct step step;

	machine_step(machine, base, base + machine_span(machine, 1), &target, &step);
	target = (struct target){ .rights = machine_few_rights(machine), .keep_frames = true };
	machine_step(machine, base + 1, base + 2, &target, &step);
	machine_step(machine, base + 1, base + 2, &target, &step);
}

/* True where the change was blamed for something. */
static bool is_blamed(const struct subject *subject, enum sp_mutant mutant, change_maker make)
{
	struct machine *machine = machine_make(subject);
	bool blamed;

	machine->mutant = (uint32_t)mutant;
	make(machine);
	blamed = machine->verdict[0] != 0;
	machine_free(machine);
	return blamed;
}

static void control(const struct subject *subject, enum sp_mutant mutant, change_maker make)
{
	assert_false(is_blamed(subject, SP_MUT_NONE, make));
	assert_true(is_blamed(subject, mutant, make));
}

static bool can_split(const struct subject *subject)
{
	return subject->levels > 1 && (subject->leaf_levels & 2);
}

static void a_table_linked_before_it_is_filled_is_noticed(void **state)
{
	const struct subject *subject = *state;

	if (subject->levels > 1)
		control(subject, SP_MUT_LINK_BEFORE_FILL, map_a_page);
	if (can_split(subject))
		control(subject, SP_MUT_LINK_BEFORE_FILL, unmap_a_piece);
}

static void a_table_not_written_back_is_noticed(void **state)
{
	const struct subject *subject = *state;

	if (subject->levels > 1 && subject->write_back)
		control(subject, SP_MUT_CHILD_NOT_WRITTEN_BACK, map_a_page);
	if (can_split(subject) && subject->write_back)
		control(subject, SP_MUT_CHILD_NOT_WRITTEN_BACK, restrict_a_piece);
}

static void a_table_linked_before_it_is_in_memory_is_noticed(void **state)
{
	const struct subject *subject = *state;

	if (subject->levels > 1 && subject->write_back)
		control(subject, SP_MUT_PAST_CACHE_UNORDERED, map_a_table);
	if (subject->levels > 1 && subject->write_back)
		control(subject, SP_MUT_CHILD_NOT_WRITTEN_BACK, map_a_table);
}

static void a_slot_not_written_back_is_noticed(void **state)
{
	const struct subject *subject = *state;

	if (!subject->write_back)
		return;
	control(subject, SP_MUT_SLOT_NOT_WRITTEN_BACK, map_a_page);
	control(subject, SP_MUT_SLOT_NOT_WRITTEN_BACK, replace_a_page);
	if (can_split(subject))
		control(subject, SP_MUT_SLOT_NOT_WRITTEN_BACK, restrict_a_piece);
}

static void the_width_of_the_piece_instead_of_the_old_page_is_noticed(void **state)
{
	const struct subject *subject = *state;

	if (can_split(subject))
		control(subject, SP_MUT_WIDTH_OF_PIECE, unmap_a_piece);
}

/* ---- that it looks ---- */

static void every_store_that_a_walker_can_see_is_looked_at(void **state)
{
	struct machine *machine = machine_make(*state);
	uint64_t base = machine_base(machine);
	uint32_t count = machine_slots(machine) > 2 ? 200 : 2;
	struct target target = { .mfn = machine_fresh(machine) + 1,
				 .rights = machine_all_rights(machine) };
	struct step step;

	machine_map(machine, base, count, machine_fresh(machine) + 1, machine_all_rights(machine));
	machine_step(machine, base, base + count, &target, &step);
	machine_assert_clean(machine);
	assert_int_equal(machine->looks.live_stores, count);
	assert_true(machine->looks.count > count);
	assert_true(machine->looks.sample_count > 0);
	machine_free(machine);
}

/* The fixture expects that nothing changes, and looks at the borders of every piece. */
static void a_split_is_seen_whole_or_not_at_all(void **state)
{
	for (uint32_t level = 1; level < 3; level++) {
		struct machine *machine = machine_make(*state);
		uint64_t base = machine_base(machine), span = machine_span(machine, level);
		struct target target = { .rights = machine_few_rights(machine),
					 .keep_frames = true };
		struct step step;

		if (machine_can(machine, level)) {
			machine_map(machine, base, span, machine_fresh(machine),
				    machine_all_rights(machine));
			machine_step(machine, base + span / 2, base + span / 2 + 1, &target, &step);
			machine_assert_clean(machine);
			assert_true(step.plan.split_only);
			assert_int_equal(machine->looks.live_stores, 1);
			assert_true(machine->looks.stores > machine_slots(machine));
			verify_find(machine);
			machine_assert_clean(machine);
		}
		machine_free(machine);
	}
}

static void only_walkers_that_do_not_snoop_are_written_back_for(void **state)
{
	const struct subject *subject = *state;
	struct machine *machine = machine_make(subject);

	map_a_page(machine);
	machine_assert_clean(machine);
	if (subject->write_back)
		assert_int_equal(machine->looks.write_backs, subject->levels);
	else
		assert_int_equal(machine->looks.write_backs, 0);
	machine_free(machine);
}

int main(void)
{
#define TEST(name)          \
	{                   \
#name, name \
	}
	static const struct conformance_test tests[] = {
		TEST(every_store_that_a_walker_can_see_is_looked_at),
		TEST(a_split_is_seen_whole_or_not_at_all),
		TEST(only_walkers_that_do_not_snoop_are_written_back_for),
		TEST(a_table_linked_before_it_is_filled_is_noticed),
		TEST(a_table_not_written_back_is_noticed),
		TEST(a_table_linked_before_it_is_in_memory_is_noticed),
		TEST(a_slot_not_written_back_is_noticed),
		TEST(the_width_of_the_piece_instead_of_the_old_page_is_noticed),
	};

	return run_conformance("engine_look", tests, sizeof(tests) / sizeof(tests[0]));
}
