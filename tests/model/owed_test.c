/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/owed_test.c - what is told is what is owed, no more (X8, notes n2 and n3), and what
 * that saves against flushing and waiting at each operation.
 *
 *   here          change, change, change ......... wait once     one invalidation for what can be joined
 *   synchronous   change, wait, change, wait, change, wait ...    the same calls, one flush for each
 */
#include "sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sync/domain.h"

#define LARGE 512u

struct cost {
	uint32_t invalidations, waits, kicks;
	uint64_t nanoseconds;
};

static struct bench *make(const struct bench_mode *mode, enum model_answers answers)
{
	const struct bench_config config = { .mode = mode, .answers = answers };

	return bench_make(&config);
}

/* Scattered frames: no run that a large page could hold. */
static void map_scattered(struct bench *bench, uint64_t first, uint64_t count)
{
	uint64_t run = model_guest_frames(bench->model, 10);

	for (uint64_t i = 0; i < count; i++)
		bench_map(bench, bench->guest, first + i, run + (i * 5 + 1) % (2 * LARGE), 1,
			  SP_RAM);
	/* The tables stay: pages alone go. */
	bench_map(bench, bench->guest, first + count, model_guest_frame(bench->model), 1, SP_RAM);
	bench_settle(bench);
}

static bool is_invalidation(const struct model_command *command)
{
	return command->kind == MODEL_CMD_IOTLB_PAGES || command->kind == MODEL_CMD_IOTLB_DOMAIN ||
	       command->kind == MODEL_CMD_ATC;
}

static uint32_t count_invalidations(const struct bench *bench)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model_command_count(bench->model); i++) {
		struct model_command command = model_command(bench->model, i);

		count += is_invalidation(&command);
	}
	return count;
}

static struct cost cost_of(struct bench *bench, uint64_t began)
{
	struct cost cost = { .kicks = model_cpu_kicks(bench->model, 1),
			     .invalidations = count_invalidations(bench),
			     .nanoseconds = platform_now(bench->model) - began };

	for (uint32_t i = 0; i < model_command_count(bench->model); i++)
		cost.waits += model_command(bench->model, i).kind == MODEL_CMD_WAIT;
	return cost;
}

/* The CPU comes back after each kick, as a guest does that runs. */
static void run_on(struct bench *bench)
{
	if (!model_cpu_in_guest(bench->model, 1))
		bench_enter(bench, bench->guest);
}

/* `count` pages, one call each. */
static struct cost unmap_each(const struct bench_mode *mode, uint64_t count, bool synchronous)
{
	struct bench *bench = make(mode, MODEL_LATE);
	struct sp_result result = { 0 };
	struct cost cost;
	uint64_t began;

	map_scattered(bench, BENCH_GFN, count);
	bench_warm(bench, count < 12 ? count : 12);
	model_commands_reset(bench->model);
	began = platform_now(bench->model);
	for (uint64_t i = 0; i < count; i++) {
		run_on(bench);
		result = bench_unmap(bench, bench->guest, BENCH_GFN + i, 1);
		if (synchronous)
			assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	}
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	cost = cost_of(bench, began);
	assert_null(bench_complaint(bench));
	bench_free(bench);
	return cost;
}

static void print_cost(const char *what, uint64_t pages, const struct cost *cost)
{
	print_message("%5llu pages, %-11s %3u invalidations, %3u waits, %3u kicks, %llu us\n",
		      (unsigned long long)pages, what, cost->invalidations, cost->waits,
		      cost->kicks, (unsigned long long)cost->nanoseconds / 1000);
}

/* What is under way cannot be added to: two posts are the least for more than one call. */
static void pages_that_go_one_by_one_are_told_as_two_ranges(void **state)
{
	static const uint64_t counts[] = { 1, 16, 512 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct cost ours = unmap_each(*state, counts[i], false),
			    synchronous = unmap_each(*state, counts[i], true);

		print_cost("joined", counts[i], &ours);
		print_cost("synchronous", counts[i], &synchronous);
		assert_int_equal(ours.invalidations, counts[i] > 1 ? 2 : 1);
		assert_int_equal(synchronous.invalidations, counts[i]);
		assert_true(ours.waits <= synchronous.waits);
		assert_true(ours.nanoseconds <= synchronous.nanoseconds);
		if (counts[i] > 2)
			assert_true(4 * ours.nanoseconds < synchronous.nanoseconds);
	}
}

/* Told over owed, by the model's table: each change of the matrix is one operation. */
static void what_is_told_is_what_is_owed(void **state)
{
	for (uint32_t change = 0; change < BENCH_CHANGE_COUNT; change++) {
		struct bench *bench = make(*state, MODEL_AT_ONCE);
		const char *complaint = bench_run(bench, (enum bench_change)change);

		if (complaint)
			print_message("%s\n", complaint);
		assert_null(complaint);
		bench_free(bench);
	}
}

/* 32K pages are 64 tables of 2 MiB: one call, a store each, and one range for all. */
static void many_pages_in_one_call_are_one_range(void **state)
{
	const uint64_t pages = 64 * LARGE, aperture = 0x40000;
	struct bench *bench = make(*state, MODEL_LATE);
	struct sp_result result = { 0 };
	uint64_t done = 0;

	bench_map(bench, bench->guest, BENCH_GFN, aperture, pages, SP_RAM);
	bench_map(bench, bench->guest, BENCH_GFN + pages, model_guest_frame(bench->model), 1,
		  SP_RAM);
	bench_settle(bench);
	bench_warm(bench, LARGE);
	model_commands_reset(bench->model);
	while (done < pages) {
		assert_int_equal(sp_p2m_unmap(bench->guest, (sp_gfn_t){ BENCH_GFN + done },
					      pages - done, &result),
				 SP_OK);
		done += result.done;
	}
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	assert_int_equal(count_invalidations(bench), 1);
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

/* ---- note n3 ---- */

/* Every second page goes; the first is under way while the others gather. */
static void unmap_scattered(struct bench *bench, uint32_t ranges)
{
	map_scattered(bench, BENCH_GFN, 2 * ranges + 2);
	model_commands_reset(bench->model);
	for (uint64_t i = 0; i <= ranges; i++)
		(void)bench_unmap(bench, bench->guest, BENCH_GFN + 2 * i, 1);
	bench_settle(bench);
}

static void up_to_so_many_ranges_each_is_told(void **state)
{
	struct bench *bench = make(*state, MODEL_LATE);

	unmap_scattered(bench, DEBT_RANGES);
	assert_int_equal(count_invalidations(bench), 1 + DEBT_RANGES);
	for (uint32_t i = 0; i < model_command_count(bench->model); i++)
		assert_int_not_equal(model_command(bench->model, i).kind, MODEL_CMD_IOTLB_DOMAIN);
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

static void beyond_that_the_domain_is_told_once(void **state)
{
	struct bench *bench = make(*state, MODEL_LATE);
	uint32_t domains = 0;

	unmap_scattered(bench, DEBT_RANGES + 1);
	assert_int_equal(count_invalidations(bench), 2);
	for (uint32_t i = 0; i < model_command_count(bench->model); i++)
		domains += model_command(bench->model, i).kind == MODEL_CMD_IOTLB_DOMAIN;
	assert_int_equal(domains, 1);
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

/* A device of many requester ids leaves: what is owed for its entries. */
static void release_many(const struct bench_mode *mode, uint8_t phantom, uint32_t single,
			 uint32_t all)
{
	const struct bench_config config = { .mode = mode, .phantom = phantom };
	struct bench *bench = bench_make(&config);
	uint32_t count[MODEL_CMD_OTHER] = { 0 };

	map_scattered(bench, BENCH_GFN, 1);
	model_commands_reset(bench->model);
	assert_int_equal(sp_device_release(bench->guest, (sp_sbdf_t){ BENCH_DEVICE }), SP_OK);
	for (uint32_t i = 0; i < model_command_count(bench->model); i++)
		if (model_command(bench->model, i).kind < MODEL_CMD_OTHER)
			count[model_command(bench->model, i).kind]++;
	/* In scalable mode the PASID's entry is the one that leads to a guest. */
	assert_int_equal(count[mode->scalable ? MODEL_CMD_PASID : MODEL_CMD_ENTRY], single);
	assert_int_equal(count[mode->scalable ? MODEL_CMD_PASID_ALL : MODEL_CMD_ENTRY_ALL], all);
	assert_int_equal(count[MODEL_CMD_IOTLB_DOMAIN], 1);
	assert_int_equal(count[MODEL_CMD_IOTLB_PAGES], 0);
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

static void up_to_so_many_entries_each_is_told(void **state)
{
	release_many(*state, 0, 1, 0);
	release_many(*state, 2, DEBT_ENTRIES, 0);
}

static void beyond_that_every_entry_is_told_once(void **state)
{
	release_many(*state, 3, 0, 1);
}

/* ---- X3 ---- */

/* Nothing answers, and no call looks whether it does: all return, and say what to wait for. */
static void a_change_returns_though_nobody_answers(void **state)
{
	struct bench *bench = make(*state, MODEL_AT_ONCE);
	struct sp_result result;

	map_scattered(bench, BENCH_GFN, 64);
	bench_warm(bench, 12);
	model_set_answers(bench->model, 0, MODEL_STEPPED);
	model_commands_reset(bench->model);
	for (uint64_t i = 0; i < 64; i += 2)
		result = bench_unmap(bench, bench->guest, BENCH_GFN + i, 1);
	assert_int_equal(sp_poll(bench->host, result.ticket), SP_PENDING);
	assert_int_equal(count_invalidations(bench), 0);
	assert_int_equal(model_cpu_in_guest(bench->model, 1), true);
	/* The queue has one post of this domain: what gathers needs no room in it. */
	assert_in_range(model_step(bench->model, 0, 100), 1, 4);
	model_set_answers(bench->model, 0, MODEL_AT_ONCE);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

int main(void)
{
	static const struct sentence sentences[] = {
		SENTENCE(pages_that_go_one_by_one_are_told_as_two_ranges),
		SENTENCE(what_is_told_is_what_is_owed),
		SENTENCE(many_pages_in_one_call_are_one_range),
		SENTENCE(up_to_so_many_ranges_each_is_told),
		SENTENCE(beyond_that_the_domain_is_told_once),
		SENTENCE(up_to_so_many_entries_each_is_told),
		SENTENCE(beyond_that_every_entry_is_told_once),
		SENTENCE(a_change_returns_though_nobody_answers),
	};

	return sentences_run("owed", sentences, sizeof(sentences) / sizeof(sentences[0]));
}
