/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/stale_test.c - what one store did, as each walker sees it: every old slot, every
 * new one.
 */
#include "tests/unit/engine_fixture.h"

#define FRAME 0x4000000ull
#define OTHER 0x8000000ull

static const struct span somewhere = { 0x40000, 0x80000 };

static uint64_t leaf_of(const struct format *format, uint32_t level, uint64_t mfn, uint32_t rights,
			enum memory_type memory)
{
	return mfn << 12 | format->leaf[level] | format_attributes(format, rights, memory);
}

/* KIND_COUNT: nothing at all. */
static void expect(const struct stale *stale, enum walker walker, enum change_kind wanted)
{
	for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
		struct span span = stale->span[walker][kind];

		if (kind != (uint32_t)wanted) {
			assert_true(span_is_empty(span));
			continue;
		}
		assert_int_equal(span.first, somewhere.first);
		assert_int_equal(span.end, somewhere.end);
	}
}

static void expect_of_walkers(const struct format *format, const struct stale *stale,
			      enum change_kind wanted)
{
	expect(stale, WALKER_CPU, format->rights_seen & CPU_RIGHTS ? wanted : KIND_COUNT);
	expect(stale, WALKER_DEVICE, format->rights_seen & DEVICE_RIGHTS ? wanted : KIND_COUNT);
}

static struct stale noted(const struct format *format, uint32_t level, uint64_t old, uint64_t new)
{
	struct stale stale = { 0 };

	stale_note(&stale, format, level, somewhere, old, new);
	assert_int_equal(stale.gone_count, 0);
	return stale;
}

static void each_pair_of_slot_kinds_is_the_row_of_section_7(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < OPINION_COUNT; i++) {
		const struct format *format = opinions[i].format;
		uint32_t rights = opinions[i].held[opinions[i].held_count - 1];

		for (uint32_t level = 0; level < 3; level++) {
			uint64_t leaf = leaf_of(format, level, FRAME, rights, MEMORY_WRITE_BACK);
			uint64_t link = FRAME << 12 | format->link[level];
			const struct {
				uint64_t old, new;
				enum change_kind kind;
			} rows[] = {
				{ 0, 0, KIND_COUNT },	  { 0, leaf, KIND_MAP },
				{ leaf, 0, KIND_UNMAP },  { leaf, leaf, KIND_COUNT },
				{ 0, link, KIND_LINK },	  { leaf, link, KIND_SPLIT },
				{ link, 0, KIND_UNLINK }, { link, leaf, KIND_MERGE },
			};

			for (uint32_t row = 0; row < (level ? 8 : 4); row++) {
				struct stale stale =
					noted(format, level, rows[row].old, rows[row].new);

				expect_of_walkers(format, &stale, rows[row].kind);
			}
		}
	}
}

/* Rows 4, 5, 6 and 10. What owes more covers what owes less. */
static enum change_kind kind_between(const struct opinion *opinion, uint32_t mine, uint32_t old,
				     uint32_t new, bool type_differs)
{
	if (!(opinion->format->rights_seen & mine))
		return KIND_COUNT;
	if (old & ~new &mine)
		return KIND_REVOKE;
	if (mine == CPU_RIGHTS && type_differs)
		return KIND_ATTRIBUTE;
	return new & ~old &mine ? KIND_GRANT : KIND_COUNT;
}

static void check_rights(const struct opinion *opinion, uint32_t level, uint32_t old, uint32_t new,
			 enum memory_type type)
{
	const struct format *format = opinion->format;
	struct stale stale =
		noted(format, level, leaf_of(format, level, FRAME, old, MEMORY_WRITE_BACK),
		      leaf_of(format, level, FRAME, new, type));

	expect(&stale, WALKER_CPU,
	       kind_between(opinion, CPU_RIGHTS, old, new, type != MEMORY_WRITE_BACK));
	expect(&stale, WALKER_DEVICE, kind_between(opinion, DEVICE_RIGHTS, old, new, false));
	stale = noted(format, level, leaf_of(format, level, FRAME, old, MEMORY_WRITE_BACK),
		      leaf_of(format, level, OTHER, new, type));
	expect_of_walkers(format, &stale, KIND_REPLACE);
}

static void each_walker_hears_of_its_own_rights_alone(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < OPINION_COUNT; i++)
		for (uint32_t old = 0; old < opinions[i].held_count; old++)
			for (uint32_t new = 0; new < opinions[i].held_count; new ++)
				for (uint32_t k = 0; k < 9; k++)
					check_rights(&opinions[i], k % 3, opinions[i].held[old],
						     opinions[i].held[new],
						     (enum memory_type)(k / 3));
}

static void hardware_bits_are_no_change(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < OPINION_COUNT; i++) {
		const struct format *format = opinions[i].format;
		uint64_t leaf = leaf_of(format, 0, FRAME, opinions[i].held[0], MEMORY_WRITE_BACK);
		struct stale stale =
			noted(format, 0, leaf & ~format->hardware, leaf | format->hardware);

		expect_of_walkers(format, &stale, KIND_COUNT);
	}
}

static void a_punch_is_noted_for_all_who_walk(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < OPINION_COUNT; i++) {
		struct stale stale = { 0 };

		stale_note_punch(&stale, opinions[i].format, somewhere);
		expect_of_walkers(opinions[i].format, &stale, KIND_PUNCH);
	}
}

static void spans_of_one_kind_are_joined_and_others_kept_apart(void **state)
{
	uint64_t leaf = leaf_of(&format_npt, 0, FRAME, CPU_READ, MEMORY_WRITE_BACK);
	struct stale stale = { 0 };

	(void)state;
	stale_note(&stale, &format_npt, 0, (struct span){ 9, 10 }, leaf, 0);
	stale_note(&stale, &format_npt, 0, (struct span){ 3, 4 }, leaf, 0);
	stale_note(&stale, &format_npt, 0, (struct span){ 20, 21 }, 0, leaf);
	assert_int_equal(stale.span[WALKER_CPU][KIND_UNMAP].first, 3);
	assert_int_equal(stale.span[WALKER_CPU][KIND_UNMAP].end, 10);
	assert_int_equal(stale.span[WALKER_CPU][KIND_MAP].first, 20);
	assert_int_equal(stale.span[WALKER_CPU][KIND_MAP].end, 21);
}

static struct let_go frames(uint64_t mfn, uint64_t count, uint8_t rights, uint8_t memory)
{
	return (struct let_go){
		.kind = GONE_FRAMES, .mfn = mfn, .count = count, .rights = rights, .memory = memory
	};
}

static void frames_that_follow_one_another_become_one_run(void **state)
{
	struct let_go gone[8];
	struct stale stale = { .gone = gone, .gone_max = 8 };

	(void)state;
	stale_let_go(&stale, frames(100, 1, 3, 0));
	stale_let_go(&stale, frames(101, 512, 3, 0));
	stale_let_go(&stale, frames(613, 1, 1, 0)); /* other rights */
	stale_let_go(&stale, frames(614, 1, 1, 2)); /* another memory type */
	stale_let_go(&stale, frames(616, 1, 1, 2)); /* a gap */
	stale_let_go(&stale, (struct let_go){ .kind = GONE_TABLE, .mfn = 617, .count = 1 });
	stale_let_go(&stale, frames(618, 1, 0, 0));
	assert_int_equal(stale.gone_count, 6);
	assert_int_equal(gone[0].mfn, 100);
	assert_int_equal(gone[0].count, 513);
	for (uint32_t i = 1; i < 6; i++)
		assert_int_equal(gone[i].count, 1);
}

static void tables_that_follow_one_another_stay_tables_of_their_own(void **state)
{
	struct let_go gone[3];
	struct stale stale = { .gone = gone, .gone_max = 3 };

	(void)state;
	stale_let_go(&stale, (struct let_go){ .kind = GONE_TABLE, .mfn = 7, .count = 1 });
	stale_let_go(&stale, (struct let_go){ .kind = GONE_TABLE, .mfn = 8, .count = 1 });
	stale_let_go(&stale,
		     (struct let_go){ .kind = GONE_SUBTREE, .mfn = 9, .count = 1, .level = 1 });
	assert_int_equal(stale.gone_count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pair_of_slot_kinds_is_the_row_of_section_7),
		cmocka_unit_test(each_walker_hears_of_its_own_rights_alone),
		cmocka_unit_test(hardware_bits_are_no_change),
		cmocka_unit_test(a_punch_is_noted_for_all_who_walk),
		cmocka_unit_test(spans_of_one_kind_are_joined_and_others_kept_apart),
		cmocka_unit_test(frames_that_follow_one_another_become_one_run),
		cmocka_unit_test(tables_that_follow_one_another_stay_tables_of_their_own),
	};

	return cmocka_run_group_tests_name("stale", tests, NULL, NULL);
}
