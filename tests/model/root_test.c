/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/root_test.c - everything is invalidated at once, in every mode and under every adversary
 * (A2.1 to A2.8, A2.12). What happens is in bench_root.c, what must not in tests/mutants/table.
 */
#include "bench_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "memory.h"
#include "sync/domain.h"

static const enum model_adversary adversaries[] = { MODEL_ADVERSARY_NONE, MODEL_ADVERSARY_RANDOM,
						    MODEL_ADVERSARY_MAX };

struct machine {
	bool emulator, cpu_outside;
	enum model_answers outsiders;
	uint32_t kick_ns;
};

static struct bench *make(uint32_t mode, uint32_t adversary, const struct machine *machine)
{
	struct bench_config config = { .mode = &bench_modes[mode],
				       .adversary = adversaries[adversary],
				       .outsiders = machine->outsiders,
				       .emulator = machine->emulator,
				       .kick_ns = machine->kick_ns,
				       .seed = 7 + mode };

	return bench_make(&config);
}

static void expect_content(struct bench *bench, const char *complaint)
{
	if (complaint)
		fail_msg("%s: %s", bench->config.mode->name, complaint);
	bench_free(bench);
}

/* ---- A2.2, A2.3, A2.4, A2.7, A2.8: everywhere ---- */

static const char *sampled_once(struct bench *bench)
{
	return root_run_sampled(bench, 1);
}

static const char *sampled_twice(struct bench *bench)
{
	return root_run_sampled(bench, 2);
}

static const char *reused(struct bench *bench)
{
	return root_run_reused(bench, false);
}

static const char *reused_idle(struct bench *bench)
{
	return root_run_reused(bench, true);
}

/* By `adversary_count` of the adversaries. */
static void run_by(const char *(*scene)(struct bench *), const struct machine *machine,
		   uint32_t adversary_count)
{
	for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
		for (uint32_t i = 0; i < adversary_count; i++) {
			struct bench *bench = make(mode, i, machine);

			expect_content(bench, scene(bench));
		}
	}
}

static void run(const char *(*scene)(struct bench *), const struct machine *machine)
{
	run_by(scene, machine, 3);
}

static const struct machine plain = { .emulator = false },
			    slow = { .emulator = true, .outsiders = MODEL_LATE };

static void everything_goes_and_nobody_uses_it_any_more(void **state)
{
	(void)state;
	run(root_run_all, &plain);
	run(root_run_all, &slow);
}

static void reclaim_is_bounded_and_ends_while_cpus_fault(void **state)
{
	(void)state;
	run(root_run_faults, &plain);
	run_by(root_run_faults, &slow, 1);
}

static void reclaim_ends_while_others_let_go(void **state)
{
	(void)state;
	/* Who looks is looked at in tests/mutants/table. */
	run_by(root_run_arrivals, &plain, 1);
}

static void nobody_is_told_while_the_old_tree_is_taken_apart(void **state)
{
	(void)state;
	run(root_run_quiet, &plain);
}

static void a_fault_that_sampled_before_installs_nothing(void **state)
{
	(void)state;
	run(sampled_once, &plain);
	run(sampled_twice, &plain);
}

static void a_look_up_half_way_down_holds_the_old_tree(void **state)
{
	(void)state;
	run(root_run_reader, &plain);
}

static void a_root_used_again_wakes_nothing(void **state)
{
	(void)state;
	run(reused, &plain);
	run(reused_idle, &plain);
}

/* ---- A2.9 ---- */

static void a_devices_map_is_replaced_without_a_hole(void **state)
{
	(void)state;
	run(root_run_renewed, &plain);
	run_by(root_run_renewed, &slow, 1);
}

/* ---- A2.12 ---- */

struct seen {
	uint64_t tables, generation, root, kicks;
	uint32_t used;
	struct sp_mapping mapping;
};

static struct seen look(struct bench *bench)
{
	struct seen seen = { .tables = model_table_frames(bench->model),
			     .generation = sp_p2m_sample(bench->guest),
			     .root = bench->guest->maps[0].tree.root.mfn,
			     .kicks = model_cpu_kicks(bench->model, 1),
			     .used = bench->guest->tables_used };

	assert_int_equal(sp_p2m_find(bench->guest, (sp_gfn_t){ BENCH_GFN + 7 }, &seen.mapping),
			 SP_OK);
	return seen;
}

static void expect_unchanged(struct bench *bench, const struct seen *before)
{
	struct seen now = look(bench);

	assert_memory_equal(&now, before, sizeof(now));
	assert_true(model_cpu_in_guest(bench->model, 1));
	assert_true(model_cpu_access(bench->model, 1, BENCH_GFN + 7, MODEL_WRITE).ok);
}

static void without_a_page_for_the_root_nothing_changes(void **state)
{
	(void)state;
	for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
		struct bench *bench = make(mode, 2, &plain);
		struct sp_result result;
		struct seen before;

		root_begin(bench);
		before = look(bench);
		model_refuse_nth_take(bench->model, 1);
		assert_int_equal(sp_p2m_invalidate_all(bench->guest, &result), SP_NO_MEMORY);
		expect_unchanged(bench, &before);
		assert_int_equal(sp_p2m_invalidate_all(bench->guest, &result), SP_OK);
		assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
		bench_settle(bench);
		expect_content(bench, bench_complaint(bench));
	}
}

/* ---- where a device walks ---- */

static void where_a_device_walks_nothing_is_invalidated(void **state)
{
	(void)state;
	for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
		struct bench *bench = make(mode, 2, &plain);
		uint64_t mfn = model_guest_frame(bench->model);
		struct sp_result result;

		bench_map(bench, bench->guest, BENCH_GFN, mfn, 1, SP_RAM);
		bench_warm(bench, 1);
		model_commands_reset(bench->model);
		assert_int_equal(sp_p2m_invalidate_all(bench->guest, &result), SP_BUSY);
		assert_null(result.ticket.domain);
		assert_int_equal(model_command_count(bench->model), 0);
		assert_int_equal(model_cpu_kicks(bench->model, 1), 0);
		bench_agree(bench, BENCH_GFN);
		expect_content(bench, bench_complaint(bench));
	}
}

/* ---- A2.5: generations that are not gone yet ---- */

/* A CPU that does not leave holds them all: they are bounded by limbo and by the domain's budget. */
static void generations_that_wait_are_bounded(void **state)
{
	static const struct machine deaf = { .kick_ns = UINT32_MAX };

	(void)state;
	for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
		struct bench *bench = make(mode, 0, &deaf);
		enum sp_status status = SP_OK;
		struct sp_result result;
		uint32_t roots = 0;

		if (bench->config.mode->cpu == SP_CPU_SHADOW) {
			bench_free(bench);
			continue;
		}
		root_begin(bench);
		for (; status == SP_OK && roots < 5000; roots++)
			status = sp_p2m_invalidate_all(bench->guest, &result);
		assert_int_equal(status, SP_BUSY);
		assert_ptr_equal(result.ticket.domain, bench->guest);
		assert_int_equal(bench->guest->tables_used, bench->guest->table_budget);
		assert_int_equal(sp_poll(bench->host, result.ticket), SP_PENDING);
		bench_leave(bench, bench->guest);
		for (uint32_t tries = 0; status == SP_BUSY; tries++) {
			assert_in_range(tries, 0, 9);
			assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
			status = sp_p2m_invalidate_all(bench->guest, &result);
		}
		assert_int_equal(status, SP_OK);
		bench_settle(bench);
		/* One root, and what is left of the reserve. */
		assert_in_range(bench->guest->tables_used, 1, 1 + bench->guest->reserve.count);
		expect_content(bench, bench_complaint(bench));
	}
}

/* ---- A2.6, in turn: tests/threads/root_test.c has them side by side ---- */

static void wait_for(struct bench *bench, struct sp_result *result)
{
	assert_int_equal(sp_wait(bench->host, result->ticket), SP_OK);
	assert_false(model_cpu_in_guest(bench->model, 1));
}

/* Each guarantee holds when its own ticket is settled, whatever else is under way; nothing comes back twice. */
static void roots_ranges_and_the_end_come_in_any_order(void **state)
{
	static const char *const orders[] = { "RRUE", "RURE", "URRE", "RUUE", "UURE", "RE", "UE" };

	(void)state;
	for (uint32_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct bench *bench = make(i % 6, 2, &plain);
		struct sp_result result[4];
		uint64_t before, frames;
		uint32_t count = 0;

		root_begin(bench);
		before = model_forgotten_frames(bench->model);
		frames = 4 * 512 + 4 - 512 - 1;
		for (const char *at = orders[i]; *at != 'E'; at++, count++) {
			if (*at == 'R')
				assert_int_equal(
					sp_p2m_invalidate_all(bench->guest, &result[count]), SP_OK);
			else
				assert_int_equal(sp_p2m_unmap(bench->guest,
							      (sp_gfn_t){ BENCH_GFN + 512 + count },
							      1, &result[count]),
						 SP_OK);
		}
		while (count--)
			wait_for(bench, &result[count]);
		bench_destroy(bench, bench->guest);
		assert_int_equal(model_forgotten_frames(bench->model) - before, frames);
		bench->guest = bench_guest(bench, 1);
		expect_content(bench, bench_complaint(bench));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_goes_and_nobody_uses_it_any_more),
		cmocka_unit_test(reclaim_is_bounded_and_ends_while_cpus_fault),
		cmocka_unit_test(reclaim_ends_while_others_let_go),
		cmocka_unit_test(nobody_is_told_while_the_old_tree_is_taken_apart),
		cmocka_unit_test(a_fault_that_sampled_before_installs_nothing),
		cmocka_unit_test(a_look_up_half_way_down_holds_the_old_tree),
		cmocka_unit_test(a_root_used_again_wakes_nothing),
		cmocka_unit_test(a_devices_map_is_replaced_without_a_hole),
		cmocka_unit_test(without_a_page_for_the_root_nothing_changes),
		cmocka_unit_test(where_a_device_walks_nothing_is_invalidated),
		cmocka_unit_test(generations_that_wait_are_bounded),
		cmocka_unit_test(roots_ranges_and_the_end_come_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
