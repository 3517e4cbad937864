/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_exhaustive_test.c - every range and every operation, on every tree of a kind.
 *
 *   level 2   root  [ any of 123 | a tenth of them ]   a slot: absent, leaf A, leaf B, a table of
 *   level 1              [ any of 11 | any of 11 ]     two such, not both absent
 *   level 0                  [ any of 3 | any of 3 ]
 *
 * The toy format has two slots a table, so that eight frames have it all. Trees are put there by
 * hand, not by the engine: also such as it would not make itself.
 */
#include "tests/unit/engine_fixture.h"

#define LEVELS	  3u
#define FRAMES	  8u
#define HERE	  0x400000ull /* leaves A and B: frame f at HERE + f */
#define THERE	  0x500000ull /* others, as well aligned */

#define ALL	  (CPU_RIGHTS | DEVICE_RIGHTS)
#define READ_ONLY (CPU_READ | CPU_EXECUTE | DEVICE_READ)
#define LARGE	  0x80u

static const struct subject subject = { "toy", &format_toy, LEVELS, 7, true };

/* How many different slots a level has: absent, A, B, tables. */
static uint32_t count_slots(uint32_t level)
{
	uint32_t below = level ? count_slots(level - 1) : 0;

	return level ? 3 + below * below - 1 : 3;
}

static uint64_t plant_slot(struct machine *machine, uint32_t code, uint32_t level, uint64_t frame);

static uint64_t plant_table(struct machine *machine, uint32_t pair, uint32_t level, uint64_t frame)
{
	uint64_t mfn = machine_take_page(machine);
	uint64_t *table = machine->page[mfn - POOL_FIRST];
	uint32_t below = count_slots(level - 1);

	table[0] = plant_slot(machine, pair / below, level - 1, frame);
	table[1] = plant_slot(machine, pair % below, level - 1, frame + BIT(level - 1));
	machine->seen[mfn - POOL_FIRST][0] = table[0];
	machine->seen[mfn - POOL_FIRST][1] = table[1];
	return mfn << 12 | ALL;
}

static uint64_t plant_slot(struct machine *machine, uint32_t code, uint32_t level, uint64_t frame)
{
	struct view view = { HERE + frame, code == 1 ? ALL : READ_ONLY, MEMORY_WRITE_BACK };

	if (code == 0)
		return 0;
	if (code > 2)
		return plant_table(machine, code - 3 + 1, level, frame);
	oracle_map(&machine->oracle, frame, frame + BIT(level), view);
	return view.mfn << 12 | view.rights | (level ? LARGE : 0);
}

static void forget(struct machine *machine)
{
	for (uint32_t page = 1; page < machine->top; page++)
		machine->state[page] = PAGE_FREE;
	machine->oracle.count = 0;
	/* What the engine does where a table goes. */
	machine->tree.shape++;
}

static void plant(struct machine *machine, uint32_t left, uint32_t right)
{
	forget(machine);
	machine->page[0][0] = plant_slot(machine, left, LEVELS - 1, 0);
	machine->page[0][1] = plant_slot(machine, right, LEVELS - 1, FRAMES / 2);
	machine->seen[0][0] = machine->page[0][0];
	machine->seen[0][1] = machine->page[0][1];
}

#define OPERATIONS 7u

static struct target operation(uint32_t number, uint64_t first)
{
	switch (number) {
	case 0:
		return (struct target){ .rights = 0 };
	case 1:
		return (struct target){ .mfn = HERE + first, .rights = ALL };
	case 2:
		return (struct target){ .mfn = HERE + first, .rights = READ_ONLY };
	case 3:
		return (struct target){ .mfn = THERE + first, .rights = ALL };
	case 4: /* no leaf but the smallest can hold it */
		return (struct target){ .mfn = THERE + first + 1, .rights = ALL };
	case 5:
		return (struct target){ .rights = READ_ONLY, .keep_frames = true };
	}
	return (struct target){ .rights = ALL, .memory = MEMORY_UNCACHED, .keep_frames = true };
}

static void try_all(struct machine *machine, uint32_t left, uint32_t right)
{
	for (uint64_t first = 0; first < FRAMES; first++) {
		for (uint64_t end = first + 1; end <= FRAMES; end++) {
			for (uint32_t number = 0; number < OPERATIONS; number++) {
				struct target target = operation(number, first);

				plant(machine, left, right);
				assert_int_equal(machine_change(machine, first, end, &target),
						 SP_OK);
				machine_settle(machine, 1 + number);
				verify_find(machine);
				machine_assert_clean(machine);
			}
		}
	}
}

static void every_change_of_every_tree_ends_as_asked(void **state)
{
	struct machine *machine = machine_make(&subject);

	(void)state;
	for (uint32_t left = 0; left < count_slots(LEVELS - 1); left++)
		for (uint32_t right = left % 3; right < count_slots(LEVELS - 1); right += 13)
			try_all(machine, left, right);
	machine_free(machine);
}

static bool is_one_run(const struct machine *machine, uint64_t first, uint64_t count)
{
	struct view view = oracle_find(&machine->oracle, first);

	return view.rights && oracle_extent(&machine->oracle, first) >= count;
}

/* A table can become a leaf exactly if all its slots are leaves that are one run. */
static bool is_table_of_leaves(struct machine *machine, uint64_t frame, uint32_t level)
{
	uint64_t slot = machine->page[0][frame >> (LEVELS - 1) & 1];

	for (uint32_t at = LEVELS - 1; at > level; at--) {
		if (!(slot & 1) || (slot & LARGE))
			return false;
		slot = machine->page[(slot >> 12) - POOL_FIRST][frame >> (at - 1) & 1];
	}
	if (!(slot & 1) || (slot & LARGE))
		return false;
	for (uint32_t i = 0; i < 2; i++) {
		uint64_t below = machine->page[(slot >> 12) - POOL_FIRST][i];

		if (!(below & 1) || (level > 1 && !(below & LARGE)))
			return false;
	}
	return true;
}

static void a_table_is_merged_exactly_when_it_is_one_run(void **state)
{
	struct machine *machine = machine_make(&subject);
	uint32_t merged = 0;

	(void)state;
	for (uint32_t left = 0; left < count_slots(LEVELS - 1); left++) {
		for (uint32_t level = 1; level < LEVELS; level++) {
			for (uint64_t frame = 0; frame < FRAMES / 2; frame++) {
				uint64_t first = align_down(frame, level);
				struct step step;
				bool can;

				plant(machine, left, 1);
				can = is_one_run(machine, first, BIT(level)) &&
				      is_table_of_leaves(machine, frame, level);
				assert_int_equal(machine_merge(machine, frame, level, &step), can);
				machine_settle(machine, 0);
				merged += can;
			}
		}
	}
	assert_true(merged > 0);
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_change_of_every_tree_ends_as_asked),
		cmocka_unit_test(a_table_is_merged_exactly_when_it_is_one_run),
	};

	return cmocka_run_group_tests_name("engine_exhaustive", tests, NULL, NULL);
}
