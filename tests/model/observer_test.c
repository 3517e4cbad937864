/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/observer_test.c - observers of the embedder's, beside CPUs, units and devices' own caches:
 * emulators and shadows, which answer when they like (A1.6, A1.7, M14).
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sync/domain.h"

#define LARGE 512u

enum mode {
	NPT_SHARED = 0,
	EPT_SEPARATE = 4,
	SHADOW = 6,
	SHADOW_VTD = 7
};

static struct bench *make(enum mode mode, bool emulator)
{
	const struct bench_config config = { .mode = &bench_modes[mode],
					     .adversary = MODEL_ADVERSARY_MAX,
					     .answers = MODEL_LATE,
					     .outsiders = MODEL_LATE,
					     .two_units = true,
					     .ats = true,
					     .emulator = emulator };

	return bench_make(&config);
}

static void end(struct bench *bench)
{
	assert_null(bench_complaint(bench));
	bench_free(bench);
}

static void progress(struct bench *bench)
{
	for (int i = 0; i < 4; i++)
		(void)sp_progress(bench->host, 4096);
	model_look(bench->model);
}

/* ---- every order of answers ---- */

enum actor {
	CPUS,
	UNIT_0, /* and the cache of its device, behind it */
	UNIT_1,
	EMULATOR,
	SHADOWS,
	ACTORS
};

static void act(struct bench *bench, enum actor actor)
{
	switch (actor) {
	case CPUS:
		model_deliver_kicks(bench->model);
		break;
	case UNIT_0:
	case UNIT_1:
		(void)model_step(bench->model, actor == UNIT_1, 100);
		break;
	case EMULATOR:
		(void)model_outsider_step(bench->model, bench->emulator.number);
		break;
	case SHADOWS:
		(void)model_outsider_step(bench->model, bench->shadows[0].number);
		break;
	case ACTORS:
		break;
	}
	progress(bench);
}

static void wait_for_the_test(struct bench *bench)
{
	model_set_answers(bench->model, 0, MODEL_STEPPED);
	model_set_answers(bench->model, 1, MODEL_STEPPED);
	model_set_outsider_answers(bench->model, bench->emulator.number, MODEL_STEPPED);
	if (bench->shadows[0].domain)
		model_set_outsider_answers(bench->model, bench->shadows[0].number, MODEL_STEPPED);
}

static void move_on(struct bench *bench)
{
	model_set_answers(bench->model, 0, MODEL_LATE);
	model_set_answers(bench->model, 1, MODEL_LATE);
	model_set_outsider_answers(bench->model, bench->emulator.number, MODEL_LATE);
	if (bench->shadows[0].domain)
		model_set_outsider_answers(bench->model, bench->shadows[0].number, MODEL_LATE);
}

/* Pages that everybody knows. */
static uint64_t map_warm(struct bench *bench, uint64_t count)
{
	uint64_t first = model_guest_frames(bench->model, 10);
	char byte = 'x';

	for (uint64_t i = 0; i < count; i++)
		bench_map(bench, bench->guest, BENCH_GFN + i, first + 2 * i, 1, SP_RAM);
	bench_settle(bench);
	bench_enter(bench, bench->guest);
	for (uint64_t i = 0; i < count && i < 3; i++) {
		(void)model_dma(bench->model, BENCH_DEVICE, (BENCH_GFN + i) << 12, &byte, 1, true);
		(void)model_dma(bench->model, BENCH_SECOND, (BENCH_GFN + i) << 12, &byte, 1, true);
		assert_true(model_cpu_access(bench->model, 1, BENCH_GFN + i, MODEL_READ).ok);
		if (bench->emulator.domain)
			(void)model_outsider_access(bench->model, bench->emulator.number,
						    BENCH_GFN + i, MODEL_READ);
	}
	model_watch(bench->model, BENCH_GFN);
	model_look(bench->model);
	return first;
}

/*
 * The CPUs are asked when the shadows are gone, not before: what they did earlier does not count, so
 * they come once more.
 */
static bool is_last(const enum actor *order, uint32_t count, uint32_t at)
{
	bool cpus_must_follow = false;

	for (uint32_t i = 0; i < count; i++)
		if (order[i] == SHADOWS)
			for (uint32_t j = 0; j < i; j++)
				cpus_must_follow |= order[j] == CPUS;
	return at == count - 1 && !cpus_must_follow;
}

static void release_comes_last(enum mode mode, const enum actor *order, uint32_t count,
			       uint64_t pages)
{
	struct bench *bench = make(mode, true);
	uint64_t mfn = map_warm(bench, pages);
	struct sp_result result;

	wait_for_the_test(bench);
	result = bench_unmap(bench, bench->guest, BENCH_GFN, pages);
	progress(bench);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(model_forgotten_times(bench->model, mfn), 0);
		assert_int_equal(sp_poll(bench->host, result.ticket), SP_PENDING);
		act(bench, order[i]);
		if (is_last(order, count, i))
			assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	}
	act(bench, CPUS);
	assert_int_equal(sp_poll(bench->host, result.ticket), SP_OK);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);
	move_on(bench);
	end(bench);
}

struct orders {
	enum mode mode;
	uint64_t pages;
	uint32_t actors; /* of enum actor, from the first */
	uint32_t tried;
};

static void try_orders(struct orders *orders, enum actor *order, uint32_t depth)
{
	if (depth == orders->actors) {
		release_comes_last(orders->mode, order, depth, orders->pages);
		orders->tried++;
		return;
	}
	for (uint32_t i = depth; i < orders->actors; i++) {
		enum actor kept = order[depth];

		order[depth] = order[i];
		order[i] = kept;
		try_orders(orders, order, depth + 1);
		order[i] = order[depth];
		order[depth] = kept;
	}
}

static void release_is_last_in_every_order_of_answers(void **state)
{
	struct orders orders = *(const struct orders *)*state;
	enum actor order[ACTORS] = { CPUS, UNIT_0, UNIT_1, EMULATOR, SHADOWS };

	try_orders(&orders, order, 0);
	assert_int_equal(orders.tried, orders.actors == ACTORS ? 120 : 24);
}

/* ---- emulators ---- */

static uint64_t map_page(struct bench *bench, uint64_t gfn)
{
	uint64_t mfn = model_guest_frame(bench->model);

	bench_map(bench, bench->guest, gfn, mfn, 1, SP_RAM);
	(void)model_outsider_access(bench->model, bench->emulator.number, gfn, MODEL_READ);
	return mfn;
}

static void an_emulator_that_hangs_holds_up_its_own_domain_alone(void **state)
{
	struct bench *bench = make(EPT_SEPARATE, true);
	uint64_t held = map_page(bench, BENCH_GFN), theirs = model_guest_frame(bench->model);
	struct sp_result result;

	(void)state;
	bench->other = bench_guest(bench, 2);
	bench_map(bench, bench->other, BENCH_GFN, theirs, 1, SP_RAM);
	model_set_outsider_answers(bench->model, bench->emulator.number, MODEL_NEVER);
	result = bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	(void)bench_unmap(bench, bench->other, BENCH_GFN, 1);
	for (int i = 0; i < 50; i++) {
		progress(bench);
		platform_relax(bench->model);
	}
	assert_int_equal(model_forgotten_times(bench->model, theirs), 1);
	assert_int_equal(sp_poll(bench->host, result.ticket), SP_PENDING);
	assert_int_equal(model_forgotten_times(bench->model, held), 0);
	assert_true(model_outsider_remembers(bench->model, bench->emulator.number, held));

	/* Its process is dead: it maps nothing any more. */
	bench->emulator.domain = NULL;
	model_outsider_remove(bench->model, bench->emulator.number);
	sp_observer_remove(bench->emulator.observer);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	bench_settle(bench);
	assert_int_equal(model_forgotten_times(bench->model, held), 1);
	end(bench);
}

/* Requests to the emulator since the commands were reset, and whether any was for everything. */
static uint32_t requests(struct bench *bench, bool *all)
{
	uint32_t count = 0;

	*all = false;
	for (uint32_t i = 0; i < model_command_count(bench->model); i++) {
		struct model_command command = model_command(bench->model, i);

		if (command.kind != MODEL_CMD_FORGET)
			continue;
		count++;
		*all |= command.order == 52;
	}
	return count;
}

static void what_gathers_while_an_emulator_thinks_is_joined(void **state)
{
	struct bench *bench = make(NPT_SHARED, true);
	uint32_t pages = 3 + (*(const uint32_t *)*state);
	struct sp_result result;
	bool all;

	for (uint32_t i = 0; i < pages; i++)
		(void)map_page(bench, BENCH_GFN + 2 * i);
	bench_settle(bench);
	model_set_outsider_answers(bench->model, bench->emulator.number, MODEL_STEPPED);
	model_commands_reset(bench->model);
	for (uint32_t i = 0; i < pages; i++)
		result = bench_unmap(bench, bench->guest, BENCH_GFN + 2 * i, 1);
	progress(bench);
	assert_int_equal(requests(bench, &all), 1);
	assert_false(all);
	assert_true(model_outsider_step(bench->model, bench->emulator.number));
	progress(bench);
	/* The others in one more request: in runs, or everything where they are more than it carries. */
	assert_int_equal(requests(bench, &all), pages - 1 > SP_FORGET_RUNS ? 2 : pages);
	assert_int_equal(all, pages - 1 > SP_FORGET_RUNS);
	assert_int_equal(sp_poll(bench->host, result.ticket), SP_PENDING);
	assert_true(model_outsider_step(bench->model, bench->emulator.number));
	assert_false(model_outsider_step(bench->model, bench->emulator.number));
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	end(bench);
}

static void an_answer_that_was_not_asked_for_is_not_believed(void **state)
{
	struct bench *bench = make(EPT_SEPARATE, true);
	uint64_t mfn = map_page(bench, BENCH_GFN), asked = bench->emulator.observer->asked;
	uint32_t warnings = model_log_count(bench->model, SP_LOG_WARNING);
	struct sp_result result;

	(void)state;
	model_set_outsider_answers(bench->model, bench->emulator.number, MODEL_STEPPED);
	result = bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	for (int i = 0; i < 20; i++) {
		progress(bench);
		platform_relax(bench->model);
	}
	assert_int_equal(sp_observer_reached(bench->emulator.observer, asked + 2), SP_INVALID);
	assert_int_equal(sp_observer_reached(bench->emulator.observer, UINT64_MAX), SP_INVALID);
	assert_int_equal(sp_observer_reached(bench->emulator.observer, asked), SP_INVALID);
	assert_int_equal(model_log_count(bench->model, SP_LOG_WARNING), warnings + 3);
	progress(bench);
	assert_int_equal(sp_poll(bench->host, result.ticket), SP_PENDING);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 0);
	assert_true(model_outsider_step(bench->model, bench->emulator.number));
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	end(bench);
}

static void a_domain_with_an_emulator_is_not_destroyed(void **state)
{
	struct bench *bench = make(NPT_SHARED, false);
	struct sp_observer_config config = { .forget = NULL };
	struct sp_observer *observer[SP_MAX_OBSERVERS + 1];

	(void)state;
	bench->other = bench_guest(bench, 2);
	assert_int_equal(sp_observer_add(bench->other, &config, &observer[0]), SP_INVALID);
	config.forget = (bool (*)(void *, const struct sp_forget *))(uintptr_t)1; /* never called */
	for (int i = 0; i < SP_MAX_OBSERVERS; i++)
		assert_int_equal(sp_observer_add(bench->other, &config, &observer[i]), SP_OK);
	assert_int_equal(sp_observer_add(bench->other, &config, &observer[SP_MAX_OBSERVERS]),
			 SP_NO_SPACE);
	assert_int_equal(sp_domain_destroy(bench->other), SP_BUSY);
	sp_observer_remove(observer[1]);
	assert_int_equal(sp_observer_add(bench->other, &config, &observer[1]), SP_OK);
	for (int i = 0; i < SP_MAX_OBSERVERS; i++)
		sp_observer_remove(observer[i]);
	end(bench);
}

/* What was owed before it came is none of its business; what it then maps is. */
static void an_emulator_may_come_at_any_time(void **state)
{
	struct bench *bench = make(EPT_SEPARATE, true);
	uint64_t mfn = map_page(bench, BENCH_GFN);
	struct bench_outsider first = bench->emulator;
	struct sp_result result;

	(void)state;
	bench->emulator.domain = NULL;
	model_outsider_remove(bench->model, first.number);
	sp_observer_remove(first.observer);
	result = bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	bench_add_emulator(bench);
	model_set_outsider_answers(bench->model, bench->emulator.number, MODEL_NEVER);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	bench_settle(bench);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 1);

	mfn = map_page(bench, BENCH_GFN);
	result = bench_unmap(bench, bench->guest, BENCH_GFN, 1);
	for (int i = 0; i < 20; i++) {
		progress(bench);
		platform_relax(bench->model);
	}
	assert_int_equal(sp_poll(bench->host, result.ticket), SP_PENDING);
	assert_int_equal(model_forgotten_times(bench->model, mfn), 0);
	model_set_outsider_answers(bench->model, bench->emulator.number, MODEL_LATE);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	end(bench);
}

/* ---- shadows ---- */

static void no_unit_walks_a_software_map(void **state)
{
	struct bench *bench = make(*(const enum mode *)*state, false);
	const struct sp_domain *guest = bench->guest;

	assert_int_equal(guest->shared, SP_TABLES_SHARED);
	assert_ptr_equal(guest->watches[CPU_WATCH].map, &guest->maps[0]);
	assert_ptr_not_equal(guest->watches[1].map, &guest->maps[0]);
	assert_ptr_not_equal(guest->watches[2].map, &guest->maps[0]);
	end(bench);
}

static bool forgets_at_once(void *argument, const struct sp_forget *what)
{
	(void)argument;
	(void)what;
	return true;
}

static void shadows_belong_to_a_shadowed_domain(void **state)
{
	struct bench *bench = make(NPT_SHARED, false);
	struct sp_observer_config shadows = { .forget = NULL };
	struct sp_domain_config config = {
		.number = 9, .cpu = SP_CPU_SHADOW, .tables = SP_TABLES_SEPARATE, .table_budget = 20
	};
	struct sp_domain *domain;

	(void)state;
	assert_int_equal(sp_domain_create(bench->host, &config, &domain), SP_INVALID);
	config.shadows = &shadows;
	assert_int_equal(sp_domain_create(bench->host, &config, &domain), SP_INVALID);
	shadows.forget = forgets_at_once;
	config.cpu = SP_CPU_EPT;
	assert_int_equal(sp_domain_create(bench->host, &config, &domain), SP_INVALID);
	assert_null(sp_domain_shadows(bench->guest));
	config.cpu = SP_CPU_SHADOW;
	assert_int_equal(sp_domain_create(bench->host, &config, &domain), SP_OK);
	assert_non_null(sp_domain_shadows(domain));
	while (sp_domain_destroy(domain) != SP_OK)
		progress(bench);
	end(bench);
}

/* Frames far apart: more runs than a request carries, and exactly those frames where they fit. */
static void shadows_are_told_frames_or_everything(void **state)
{
	struct bench *bench = make(SHADOW, false);
	uint64_t first = map_warm(bench, 12);
	struct sp_result result;
	bool all;

	(void)state;
	model_commands_reset(bench->model);
	assert_int_equal(sp_p2m_set_type(bench->guest, (sp_gfn_t){ BENCH_GFN }, 3, SP_RAM_READONLY,
					 &result),
			 SP_OK);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	assert_int_equal(requests(bench, &all), 3);
	assert_false(all);
	for (uint32_t i = 0, run = 0; i < model_command_count(bench->model); i++) {
		struct model_command command = model_command(bench->model, i);

		if (command.kind != MODEL_CMD_FORGET)
			continue;
		assert_int_equal(command.first, first + 2 * run++);
		assert_int_equal(command.count, 1);
	}
	model_commands_reset(bench->model);
	result = bench_unmap(bench, bench->guest, BENCH_GFN + 3, 8);
	assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
	assert_int_equal(requests(bench, &all), 1);
	assert_true(all);
	end(bench);
}

int main(void)
{
	static struct orders orders[] = { { NPT_SHARED, 1, SHADOWS, 0 },
					  { EPT_SEPARATE, LARGE, SHADOWS, 0 },
					  { SHADOW, 1, ACTORS, 0 } };
	static uint32_t few, many = 3;
	static enum mode amdvi = SHADOW, vtd = SHADOW_VTD;
	const struct CMUnitTest tests[] = {
		{ "release_is_last_in_every_order_of_answers, NPT shared",
		  release_is_last_in_every_order_of_answers, NULL, NULL, &orders[0] },
		{ "release_is_last_in_every_order_of_answers, EPT separate, a table",
		  release_is_last_in_every_order_of_answers, NULL, NULL, &orders[1] },
		{ "release_is_last_in_every_order_of_answers, shadow",
		  release_is_last_in_every_order_of_answers, NULL, NULL, &orders[2] },
		cmocka_unit_test(an_emulator_that_hangs_holds_up_its_own_domain_alone),
		{ "what_gathers_while_an_emulator_thinks_is_joined, runs",
		  what_gathers_while_an_emulator_thinks_is_joined, NULL, NULL, &few },
		{ "what_gathers_while_an_emulator_thinks_is_joined, everything",
		  what_gathers_while_an_emulator_thinks_is_joined, NULL, NULL, &many },
		cmocka_unit_test(an_answer_that_was_not_asked_for_is_not_believed),
		cmocka_unit_test(a_domain_with_an_emulator_is_not_destroyed),
		cmocka_unit_test(an_emulator_may_come_at_any_time),
		{ "no_unit_walks_a_software_map, AMD-Vi", no_unit_walks_a_software_map, NULL, NULL,
		  &amdvi },
		{ "no_unit_walks_a_software_map, VT-d", no_unit_walks_a_software_map, NULL, NULL,
		  &vtd },
		cmocka_unit_test(shadows_belong_to_a_shadowed_domain),
		cmocka_unit_test(shadows_are_told_frames_or_everything),
	};

	return cmocka_run_group_tests_name("observer", tests, NULL, NULL);
}
