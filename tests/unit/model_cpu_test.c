/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/model_cpu_test.c - the model's CPUs, memory and adversary. SDM 3C 29, APM 2 15.25.
 */
#include "model_hand.h"

#include <string.h>

#include "memory/memory.h"

#define EPT_RWX	 7ull
#define EPT_LEAF (7ull | 6u << 3)
#define NPT_RW	 7ull

struct bench {
	struct model *model;
	uint64_t root, level2, level1, level0, guest;
	enum model_format format;
};

static void start(struct bench *bench, enum model_format format, struct model_config config)
{
	uint64_t link = format == MODEL_EPT ? EPT_RWX : NPT_RW;

	memset(bench, 0, sizeof(*bench));
	bench->format = format;
	bench->model = model_create(&config);
	assert_non_null(bench->model);
	bench->root = hand_table(bench->model, 0);
	bench->level2 = hand_table(bench->model, 0);
	bench->level1 = hand_table(bench->model, 0);
	bench->level0 = hand_table(bench->model, 0);
	bench->guest = model_guest_frame(bench->model);
	hand_set(bench->model, bench->level0, 0,
		 bench->guest << 12 | (format == MODEL_EPT ? EPT_LEAF : NPT_RW));
	hand_set(bench->model, bench->level1, 0, bench->level0 << 12 | link);
	hand_set(bench->model, bench->level2, 0, bench->level1 << 12 | link);
	hand_set(bench->model, bench->root, 0, bench->level2 << 12 | link);
}

static void enter(struct bench *bench, uint32_t cpu, bool flush)
{
	model_cpu_enter(bench->model, cpu, bench->format, bench->root << 12, 4,
			bench->format == MODEL_NPT ? 3 : 0, flush);
}

static void forget(struct bench *bench, uint64_t mfn)
{
	struct sp_forgotten run = { .type = SP_RAM, .first = { mfn }, .count = 1 };

	platform_forgotten(bench->model, &run);
}

static void finish(struct bench *bench)
{
	hand_clean(bench->model);
	model_destroy(bench->model);
}

static void cpu_uses_a_stale_translation_until_it_flushes(void **state)
{
	struct bench bench;

	(void)state;
	for (int format = MODEL_EPT; format <= MODEL_NPT; format++) {
		start(&bench, (enum model_format)format, (struct model_config){ 0 });
		enter(&bench, 1, true);
		assert_true(model_cpu_access(bench.model, 1, 0, MODEL_WRITE).mfn == bench.guest);
		hand_set(bench.model, bench.level0, 0, 0);
		assert_true(model_cpu_access(bench.model, 1, 0, MODEL_WRITE).ok);
		model_cpu_leave(bench.model, 1);
		enter(&bench, 1, false);
		assert_true(model_cpu_access(bench.model, 1, 0, MODEL_WRITE).ok);
		model_cpu_leave(bench.model, 1);
		enter(&bench, 1, true);
		assert_false(model_cpu_access(bench.model, 1, 0, MODEL_WRITE).ok);
		assert_int_equal(model_cpu_flushes(bench.model, 1), 2);
		finish(&bench);
	}
}

static void cpu_walks_a_stale_link(void **state)
{
	struct bench bench;
	uint64_t other;

	(void)state;
	start(&bench, MODEL_EPT, (struct model_config){ 0 });
	other = hand_table(bench.model, 0);
	enter(&bench, 0, true);
	model_cpu_access(bench.model, 0, 0, MODEL_READ);
	hand_set(bench.model, bench.level1, 0, other << 12 | EPT_RWX);
	hand_set(bench.model, bench.level0, 5, model_guest_frame(bench.model) << 12 | EPT_LEAF);
	assert_true(model_cpu_access(bench.model, 0, 5, MODEL_READ).ok);
	finish(&bench);
}

static void cpu_heals_a_missing_right_by_itself(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, MODEL_EPT, (struct model_config){ 0 });
	hand_set(bench.model, bench.level0, 0, bench.guest << 12 | 1 | 6u << 3);
	enter(&bench, 0, true);
	assert_true(model_cpu_access(bench.model, 0, 0, MODEL_READ).ok);
	assert_false(model_cpu_access(bench.model, 0, 0, MODEL_WRITE).ok);
	hand_set(bench.model, bench.level0, 0, bench.guest << 12 | EPT_LEAF);
	assert_true(model_cpu_access(bench.model, 0, 0, MODEL_WRITE).ok);
	finish(&bench);
}

static void cpu_marks_what_it_walks_in_nested_tables(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, MODEL_NPT, (struct model_config){ 0 });
	enter(&bench, 0, true);
	model_cpu_access(bench.model, 0, 0, MODEL_READ);
	assert_true((model_load(bench.model, bench.level0 << 12) & 0x60) == 0x20);
	model_cpu_leave(bench.model, 0);
	enter(&bench, 0, true);
	model_cpu_access(bench.model, 0, 0, MODEL_WRITE);
	assert_true((model_load(bench.model, bench.level0 << 12) & 0x60) == 0x60);
	finish(&bench);
}

static void cpu_in_its_guest_that_remembers_a_released_frame_is_a_violation(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, MODEL_EPT, (struct model_config){ 0 });
	enter(&bench, 1, true);
	model_cpu_access(bench.model, 1, 0, MODEL_READ);
	hand_set(bench.model, bench.level0, 0, 0);
	forget(&bench, bench.guest);
	assert_non_null(strstr(model_verdict(bench.model), "cpu 1 in its guest"));
	model_forgive(bench.model);
	finish(&bench);
}

static void frame_that_is_mapped_again_is_no_violation_if_the_test_says_so(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, MODEL_EPT, (struct model_config){ .maps_may_repeat = true });
	enter(&bench, 1, true);
	model_cpu_access(bench.model, 1, 0, MODEL_READ);
	hand_set(bench.model, bench.level0, 0, 0);
	hand_set(bench.model, bench.level0, 0, bench.guest << 12 | EPT_LEAF);
	forget(&bench, bench.guest);
	hand_clean(bench.model);
	hand_set(bench.model, bench.level0, 0, 0);
	forget(&bench, bench.guest);
	assert_non_null(model_verdict(bench.model));
	model_forgive(bench.model);
	finish(&bench);
}

static void cpu_that_sleeps_over_a_release_must_flush_before_it_enters(void **state)
{
	struct bench bench;

	(void)state;
	for (int flush = 0; flush < 2; flush++) {
		start(&bench, MODEL_NPT, (struct model_config){ 0 });
		enter(&bench, 1, true);
		model_cpu_access(bench.model, 1, 0, MODEL_READ);
		model_cpu_leave(bench.model, 1);
		hand_set(bench.model, bench.level0, 0, 0);
		forget(&bench, bench.guest);
		hand_clean(bench.model);
		enter(&bench, 1, flush);
		if (!flush) {
			assert_non_null(strstr(model_verdict(bench.model), "wakes"));
			model_forgive(bench.model);
		}
		finish(&bench);
	}
}

static void cpu_with_another_tag_does_not_use_what_sleeps(void **state)
{
	struct bench bench;
	uint64_t other;

	(void)state;
	start(&bench, MODEL_EPT, (struct model_config){ 0 });
	other = hand_table(bench.model, 0);
	enter(&bench, 0, true);
	model_cpu_access(bench.model, 0, 0, MODEL_READ);
	model_cpu_leave(bench.model, 0);
	model_cpu_enter(bench.model, 0, MODEL_EPT, other << 12, 4, 0, true);
	assert_false(model_cpu_access(bench.model, 0, 0, MODEL_READ).ok);
	model_cpu_leave(bench.model, 0);
	assert_true(model_cpu_remembers(bench.model, 0, bench.guest));
	finish(&bench);
}

static void cpu_refuses_misconfigured_entries(void **state)
{
	static const uint64_t bad[] = { 2 | 6u << 3, 7 | 2u << 3, 7 | 6u << 3 | 1ull << 47 };
	struct bench bench;

	(void)state;
	start(&bench, MODEL_EPT, (struct model_config){ 0 });
	enter(&bench, 0, true);
	for (uint32_t i = 0; i < 3; i++) {
		hand_set(bench.model, bench.level0, i + 1, bench.guest << 12 | bad[i]);
		assert_false(model_cpu_access(bench.model, 0, i + 1, MODEL_READ).ok);
	}
	finish(&bench);
}

static void leave_when_kicked(struct model *model, uint32_t cpu, void *argument)
{
	model_cpu_leave(model, cpu);
	++*(int *)argument;
}

static void kick_is_delivered_when_somebody_waits(void **state)
{
	struct sp_cpu_set both = { { 3 } };
	struct bench bench;
	int exits = 0;

	(void)state;
	start(&bench, MODEL_EPT,
	      (struct model_config){ .exit_cpu = leave_when_kicked, .argument = &exits });
	enter(&bench, 1, true);
	platform_kick(bench.model, &both);
	assert_true(model_cpu_in_guest(bench.model, 1));
	platform_relax(bench.model);
	assert_false(model_cpu_in_guest(bench.model, 1));
	assert_int_equal(exits, 1);
	assert_int_equal(model_cpu_kicks(bench.model, 0), 1);
	assert_true(model_cpu_access(bench.model, 1, 0, MODEL_READ).exited);
	finish(&bench);
}

static void frames_come_dirty_and_may_be_refused(void **state)
{
	struct model_config config = { 0 };
	struct model *model = model_create(&config);
	sp_mfn_t first, second;

	(void)state;
	model_refuse_nth_take(model, 2);
	assert_int_equal(platform_frames_take(model, 0, 0, &first), SP_OK);
	assert_true(*(uint64_t *)platform_pointer(model, first) != 0);
	assert_int_equal(platform_frames_take(model, 0, 0, &second), SP_NO_MEMORY);
	assert_int_equal(platform_frames_take(model, 0, 9, &second), SP_OK);
	assert_int_equal(second.mfn % 512, 0);
	assert_int_equal(model_table_frames(model), 513);
	platform_frames_give(model, first, 0);
	hand_clean(model);
	platform_frames_give(model, first, 0);
	assert_non_null(strstr(model_verdict(model), "contract"));
	model_destroy(model);
}

static void store_into_a_frame_given_back_is_a_violation(void **state)
{
	struct model_config config = { 0 };
	struct model *model = model_create(&config);
	sp_mfn_t frame;
	uint64_t *slot;

	(void)state;
	assert_int_equal(platform_frames_take(model, 0, 0, &frame), SP_OK);
	slot = platform_pointer(model, frame);
	store64(slot, 1);
	assert_int_equal(load64(slot), 1);
	hand_clean(model);
	platform_frames_give(model, frame, 0);
	store64(slot, 1);
	assert_non_null(strstr(model_verdict(model), "gave back"));
	model_destroy(model);
}

static void adversary_sees_a_table_that_is_linked_before_it_is_filled(void **state)
{
	struct bench bench;
	sp_mfn_t dirty;

	(void)state;
	start(&bench, MODEL_NPT, (struct model_config){ .adversary = MODEL_ADVERSARY_MAX });
	model_watch(bench.model, 0x200);
	enter(&bench, 0, true);
	hand_clean(bench.model);
	assert_int_equal(platform_frames_take(bench.model, 0, 0, &dirty), SP_OK);
	hand_set(bench.model, bench.level1, 1, dirty.mfn << 12 | NPT_RW);
	assert_non_null(strstr(model_verdict(bench.model), "forged"));
	model_forgive(bench.model);
	finish(&bench);
}

static void adversary_remembers_what_was_there_before_a_store(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, MODEL_EPT, (struct model_config){ .adversary = MODEL_ADVERSARY_MAX });
	enter(&bench, 0, true);
	assert_false(model_cpu_remembers(bench.model, 0, bench.guest));
	model_watch(bench.model, 0);
	hand_set(bench.model, bench.level0, 0, 0);
	assert_true(model_cpu_remembers(bench.model, 0, bench.guest));
	assert_true(model_cpu_access(bench.model, 0, 0, MODEL_READ).ok);
	finish(&bench);
}

static void adversary_sees_a_slot_with_reserved_bits(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, MODEL_EPT, (struct model_config){ .adversary = MODEL_ADVERSARY_MAX });
	enter(&bench, 0, true);
	model_watch(bench.model, 1);
	hand_set(bench.model, bench.level0, 1, bench.guest << 12 | 2);
	assert_non_null(strstr(model_verdict(bench.model), "reserved"));
	model_forgive(bench.model);
	finish(&bench);
}

static void adversary_looks_at_addresses_of_slots_that_are_stored(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, MODEL_EPT, (struct model_config){ .adversary = MODEL_ADVERSARY_MAX });
	enter(&bench, 0, true);
	/* One access shows where the table lies; no address is watched. */
	model_cpu_access(bench.model, 0, 7, MODEL_READ);
	hand_set(bench.model, bench.level0, 9, model_guest_frame(bench.model) << 12 | EPT_LEAF);
	hand_set(bench.model, bench.level0, 9, 0);
	assert_true(model_cpu_access(bench.model, 0, 9, MODEL_READ).ok);
	finish(&bench);
}

static void random_adversary_repeats_itself_by_its_seed(void **state)
{
	uint64_t drawn[2];

	(void)state;
	for (int run = 0; run < 2; run++) {
		struct bench bench;

		start(&bench, MODEL_EPT,
		      (struct model_config){ .adversary = MODEL_ADVERSARY_RANDOM, .seed = 7 });
		enter(&bench, 0, true);
		for (uint64_t i = 1; i < 100; i++) {
			hand_set(bench.model, bench.level0, i, bench.guest << 12 | EPT_LEAF);
			model_cpu_access(bench.model, 0, i % 7, MODEL_READ);
		}
		drawn[run] = model_random(bench.model);
		finish(&bench);
	}
	assert_true(drawn[0] == drawn[1]);
}

/* --- store buffers --------------------------------------------------------------------------- */

struct words {
	struct model *model;
	uint64_t *word; /* in a table frame */
};

static void start_words(struct words *words, struct model_config config)
{
	config.unit_count = 1;
	words->model = model_create(&config);
	words->word = platform_pointer(words->model, (sp_mfn_t){ hand_table(words->model, 0) });
}

static void finish_words(struct words *words)
{
	model_set_cpu(0);
	hand_clean(words->model);
	model_destroy(words->model);
}

static uint64_t seen_by(uint32_t cpu, const uint64_t *word)
{
	uint64_t value;

	model_set_cpu(cpu);
	value = load64(word);
	model_set_cpu(0);
	return value;
}

/* Everything that makes a CPU's stores visible, and nothing else does. */
static void cpu_alone_sees_its_stores_until_they_are_drained(void **state)
{
	struct sp_forgotten run = { .type = SP_RAM, .count = 1 };
	uint32_t lock[2] = { 0, 0 };

	(void)state;
	for (int how = 0; how < 6; how++) {
		struct words words;

		start_words(&words, (struct model_config){ .adversary = MODEL_ADVERSARY_MAX });
		run.first.mfn = model_guest_frame(words.model);
		store64(words.word, 1);
		store32((uint32_t *)(words.word + 1), 2);
		write_barrier();
		assert_true(load64(words.word) == 1 && load64(words.word + 1) == 2);
		assert_true(seen_by(1, words.word) == 0 && seen_by(1, words.word + 1) == 0);
		if (how == 0)
			full_barrier();
		if (how == 1)
			(void)locked_add32(lock, 1);
		if (how == 2)
			hand_write(words.model, 0x28, 4, 0);
		if (how == 3)
			platform_relax(words.model);
		if (how == 4)
			platform_write_back(words.model, words.word, 8);
		if (how == 5)
			platform_forgotten(words.model, &run);
		assert_true(seen_by(1, words.word) == 1 && seen_by(1, words.word + 1) == 2);
		finish_words(&words);
	}
}

static void cpu_without_an_adversary_has_no_store_buffer(void **state)
{
	(void)state;
	for (int off = 0; off < 2; off++) {
		struct words words;

		start_words(&words, (struct model_config){ .adversary = off ? MODEL_ADVERSARY_MAX
									    : MODEL_ADVERSARY_NONE,
							   .no_store_buffers = off });
		store64(words.word, 1);
		assert_true(seen_by(1, words.word) == 1);
		finish_words(&words);
	}
}

/* SDM 3A 9.2.2: stores are seen in the order of the program. */
static void cpu_stores_are_seen_in_order(void **state)
{
	uint32_t halfway = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct model_config config = { .adversary = MODEL_ADVERSARY_RANDOM, .seed = seed };
		struct words words;
		uint64_t second, first;

		start_words(&words, config);
		store64(words.word, 1);
		store64(words.word + 8, 1);
		second = seen_by(1, words.word + 8);
		first = seen_by(1, words.word);
		assert_true(first >= second);
		halfway += first && !second;
		finish_words(&words);
	}
	assert_true(halfway > 0);
}

/* Whoever gets the lock sees what was stored before it was dropped, though that waits in a buffer. */
static void cpu_that_takes_a_lock_sees_what_was_stored_under_it(void **state)
{
	static uint32_t lock[32] __attribute__((aligned(64)));
	struct words words;

	(void)state;
	start_words(&words, (struct model_config){ .adversary = MODEL_ADVERSARY_MAX });
	store64(words.word, 1);
	store32(lock + 1, 1);
	store64(words.word + 8, 1);
	model_set_cpu(1);
	(void)locked_add32(lock + 16, 1);
	assert_true(seen_by(1, words.word) == 0);
	model_set_cpu(1);
	(void)locked_add32(lock, 1);
	assert_true(seen_by(1, words.word) == 1);
	assert_true(seen_by(1, words.word + 8) == 0);
	finish_words(&words);
}

static void walker_sees_a_slot_when_it_has_left_the_buffer(void **state)
{
	struct bench bench;
	uint64_t *slot;

	(void)state;
	start(&bench, MODEL_EPT, (struct model_config){ .adversary = MODEL_ADVERSARY_MAX });
	slot = platform_pointer(bench.model, (sp_mfn_t){ bench.level0 });
	enter(&bench, 1, true);
	model_watch(bench.model, 0);
	store64(slot, 0);
	model_look(bench.model);
	assert_true(model_cpu_remembers(bench.model, 1, bench.guest));
	full_barrier();
	model_cpu_leave(bench.model, 1);
	enter(&bench, 1, true);
	model_look(bench.model);
	assert_false(model_cpu_remembers(bench.model, 1, bench.guest));
	finish(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_uses_a_stale_translation_until_it_flushes),
		cmocka_unit_test(cpu_walks_a_stale_link),
		cmocka_unit_test(cpu_heals_a_missing_right_by_itself),
		cmocka_unit_test(cpu_marks_what_it_walks_in_nested_tables),
		cmocka_unit_test(cpu_in_its_guest_that_remembers_a_released_frame_is_a_violation),
		cmocka_unit_test(frame_that_is_mapped_again_is_no_violation_if_the_test_says_so),
		cmocka_unit_test(cpu_that_sleeps_over_a_release_must_flush_before_it_enters),
		cmocka_unit_test(cpu_with_another_tag_does_not_use_what_sleeps),
		cmocka_unit_test(cpu_refuses_misconfigured_entries),
		cmocka_unit_test(kick_is_delivered_when_somebody_waits),
		cmocka_unit_test(frames_come_dirty_and_may_be_refused),
		cmocka_unit_test(store_into_a_frame_given_back_is_a_violation),
		cmocka_unit_test(adversary_sees_a_table_that_is_linked_before_it_is_filled),
		cmocka_unit_test(adversary_remembers_what_was_there_before_a_store),
		cmocka_unit_test(adversary_sees_a_slot_with_reserved_bits),
		cmocka_unit_test(adversary_looks_at_addresses_of_slots_that_are_stored),
		cmocka_unit_test(random_adversary_repeats_itself_by_its_seed),
		cmocka_unit_test(cpu_alone_sees_its_stores_until_they_are_drained),
		cmocka_unit_test(cpu_without_an_adversary_has_no_store_buffer),
		cmocka_unit_test(cpu_stores_are_seen_in_order),
		cmocka_unit_test(cpu_that_takes_a_lock_sees_what_was_stored_under_it),
		cmocka_unit_test(walker_sees_a_slot_when_it_has_left_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
