/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_fixture.c - pages, a stub platform, and steps that check themselves.
 */
#include "tests/unit/engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_MAX 4096u

/* clang-format off */
const struct subject subjects[SUBJECT_COUNT] = {
	{ "EPT, 4 levels, 1G", &format_ept, 4, 7, false },
	{ "EPT, 5 levels, 2M", &format_ept, 5, 3, false },
	{ "EPT and VT-d, 4 levels, 1G, written back", &format_ept_vtd, 4, 7, true },
	{ "EPT and VT-d, 3 levels, 2M", &format_ept_vtd, 3, 3, false },
	{ "NPT, 4 levels, 1G", &format_npt, 4, 7, false },
	{ "NPT, 5 levels, 4K", &format_npt, 5, 1, false },
	{ "NPT and AMD-Vi, 4 levels, 1G", &format_npt_amdvi, 4, 7, false },
	{ "NPT and AMD-Vi, 5 levels, 2M, written back", &format_npt_amdvi, 5, 3, true },
	{ "VT-d, 3 levels, 1G, written back", &format_vtd, 3, 7, true },
	{ "VT-d, 4 levels, 2M", &format_vtd, 4, 3, false },
	{ "VT-d, 5 levels, 1G", &format_vtd, 5, 7, false },
	{ "VT-d, 3 levels, 4K, written back", &format_vtd, 3, 1, true },
	{ "AMD-Vi, 1 level", &format_amdvi, 1, 1, true },
	{ "AMD-Vi, 2 levels", &format_amdvi, 2, 3, false },
	{ "AMD-Vi, 3 levels, 1G, written back", &format_amdvi, 3, 7, true },
	{ "AMD-Vi, 4 levels, 1G", &format_amdvi, 4, 7, false },
	{ "AMD-Vi, 5 levels, 2M, written back", &format_amdvi, 5, 3, true },
	{ "AMD-Vi, 6 levels, 1G", &format_amdvi, 6, 7, false },
	{ "toy, 3 levels", &format_toy, 3, 7, false },
	{ "toy, 4 levels, written back", &format_toy, 4, 7, true },
	{ "toy, 5 levels, no leaf in the middle", &format_toy, 5, 0x15, false },
	{ "toy, 2 levels, 4K", &format_toy, 2, 1, true },
};
/* clang-format on */

void machine_blame(struct machine *machine, const char *format, ...)
{
	va_list arguments;

	if (machine->verdict[0])
		return;
	va_start(arguments, format);
	vsnprintf(machine->verdict, sizeof(machine->verdict), format, arguments);
	va_end(arguments);
}

void machine_assert_clean(const struct machine *machine)
{
	if (machine->verdict[0])
		fail_msg("%s: %s", machine->subject->name, machine->verdict);
}

/* Xorshift: the same run every time. */
uint64_t machine_random(struct machine *machine, uint64_t below)
{
	machine->random ^= machine->random << 13;
	machine->random ^= machine->random >> 7;
	machine->random ^= machine->random << 17;
	return (machine->random >> 11) % below;
}

uint32_t machine_slots(const struct machine *machine)
{
	return 1u << machine->tree.format->slots_order;
}

uint64_t machine_frames(const struct machine *machine)
{
	return BIT(min_u64(
		(uint64_t)machine->subject->levels * machine->subject->format->slots_order, 52));
}

uint32_t machine_all_rights(const struct machine *machine)
{
	uint32_t all = 0;

	for (uint32_t i = 0; i < machine->opinion->held_count; i++)
		all |= machine->opinion->held[i];
	return all;
}

struct view machine_view(const struct machine *machine, const struct target *target, uint64_t mfn)
{
	/* A table that only a device walks knows no memory type. */
	return (struct view){ .mfn = mfn,
			      .rights = target->rights & machine_all_rights(machine),
			      .memory =
				      machine->opinion->cpu ? target->memory : MEMORY_WRITE_BACK };
}

uint32_t machine_few_rights(const struct machine *machine)
{
	return machine->opinion->held[0];
}

uint64_t machine_base(const struct machine *machine)
{
	return machine->subject->levels > 2 ? machine_frames(machine) / 2 : 0;
}

bool machine_can(const struct machine *machine, uint32_t level)
{
	return level < machine->subject->levels && tree_has_leaves(&machine->tree, level);
}

uint64_t machine_span(const struct machine *machine, uint32_t level)
{
	return BIT(machine->subject->format->slots_order * level);
}

uint64_t machine_fresh(struct machine *machine)
{
	machine->next_mfn = align_down(machine->next_mfn, 18) + BIT(20);
	return machine->next_mfn;
}

static void make_tree(struct machine *machine)
{
	const struct subject *subject = machine->subject;
	uint32_t root;

	machine->tree.format = subject->format;
	tree_make(&machine->tree, subject->format, machine,
		  (sp_mfn_t){ machine_take_page(machine) }, subject->levels);
	machine->tree.mutant = &machine->mutant;
	machine->tree.leaf_levels = subject->leaf_levels;
	machine->tree.owns_frames = true;
	machine->tree.write_back = subject->write_back;
	/* The root is shown by whoever writes the device's entry, and written back there. */
	root = machine_page(machine, machine->tree.root.mfn);
	memcpy(machine->seen[root], machine->page[root], SP_FRAME_BYTES);
}

/* Of a test that failed half-way: freed when the next begins. */
static struct machine *last_machine;

struct machine *machine_make(const struct subject *subject)
{
	struct machine *machine = calloc(1, sizeof(*machine));

	assert_non_null(machine);
	machine_free(last_machine);
	last_machine = machine;
	machine->subject = subject;
	machine->opinion = opinion_of(subject->format);
	machine->page = machine_make_pages();
	machine->seen = machine_make_pages();
	machine->shadow = machine_make_pages();
	machine->pending = calloc(PENDING_MAX, sizeof(*machine->pending));
	machine->random = 0x9e3779b97f4a7c15ull;
	machine->next_mfn = 0x1000000;
	machine->tree.format = subject->format;
	looks_use(machine);
	make_tree(machine);
	return machine;
}

void machine_free(struct machine *machine)
{
	if (!machine)
		return;
	last_machine = NULL;
	free(machine->page);
	free(machine->seen);
	free(machine->shadow);
	free(machine->pending);
	free(machine->gone);
	free(machine);
}

/* ---- one step ---- */

void machine_keep_shadow(struct machine *machine)
{
	for (uint32_t page = 0; page < machine->top; page++)
		if (machine->state[page] != PAGE_FREE)
			memcpy(machine->shadow[page], machine->page[page],
			       machine_slots(machine) * sizeof(uint64_t));
}

bool machine_is_as_shadow(const struct machine *machine)
{
	for (uint32_t page = 0; page < machine->top; page++)
		if (machine->state[page] != PAGE_FREE &&
		    memcmp(machine->shadow[page], machine->page[page],
			   machine_slots(machine) * sizeof(uint64_t)))
			return false;
	return true;
}

enum sp_status machine_prepare(struct machine *machine, uint64_t first, uint64_t end,
			       const struct target *target, struct plan *plan)
{
	struct tree tree = machine->tree;
	enum sp_status status;

	machine_keep_shadow(machine);
	machine->looks.forbidden = true;
	status = tree_prepare(&machine->tree, first, end, target, plan);
	machine->looks.forbidden = false;
	if (!machine_is_as_shadow(machine) || memcmp(&tree, &machine->tree, sizeof(tree)))
		machine_blame(machine, "prepare changed something");
	return status;
}

static void check_plan(struct machine *machine, uint64_t first, uint64_t end,
		       const struct plan *plan)
{
	struct reserve reserve;

	if (plan->first != first || plan->end > end)
		machine_blame(machine, "[%#llx, %#llx) was asked, [%#llx, %#llx) is planned",
			      (unsigned long long)first, (unsigned long long)end,
			      (unsigned long long)plan->first, (unsigned long long)plan->end);
	if (plan->end <= first && !plan->split_only)
		machine_blame(machine, "the plan comes nowhere");
	if (plan->split_only && plan->end != first)
		machine_blame(machine, "a split is not alone in its change");
	if (plan->tables > sizeof(reserve.page) / sizeof(reserve.page[0]))
		machine_blame(machine, "the plan takes %u tables: no reserve holds them",
			      plan->tables);
}

/* Exactly what was planned: one page or one entry more is caught by the sanitizer. */
static void begin(struct machine *machine, const struct plan *plan, bool is_one,
		  struct reserve *reserve, struct stale *stale)
{
	uint32_t gone = is_one ? 1 : plan->gone;

	free(machine->gone);
	machine->gone = malloc(gone * sizeof(*machine->gone) + !gone);
	*stale = (struct stale){ .gone = machine->gone, .gone_max = gone };
	*reserve = (struct reserve){ .count = 0 };
	while (reserve->count < plan->tables &&
	       reserve->count < sizeof(reserve->page) / sizeof(reserve->page[0]))
		reserve->page[reserve->count++].mfn = machine_take_page(machine);
}

static void mark_gone(struct machine *machine, uint64_t mfn, uint32_t level, bool below)
{
	uint32_t page = machine_page(machine, mfn);

	if (page == POOL_PAGES)
		return;
	if (machine->state[page] != PAGE_TAKEN)
		machine_blame(machine, "a table is let go twice");
	machine->state[page] = PAGE_GONE;
	for (uint32_t i = 0; below && i < machine_slots(machine); i++) {
		struct sight sight = opinion_read(machine->opinion, level, machine->page[page][i]);

		if (sight.kind == SIGHT_TABLE)
			mark_gone(machine, sight.mfn, level - 1, true);
	}
}

static void collect_gone(struct machine *machine, const struct stale *stale)
{
	for (uint32_t i = 0; i < stale->gone_count; i++) {
		struct let_go gone = stale->gone[i];

		if (gone.kind == GONE_FRAMES) {
			runs_add(&machine->released,
				 (struct run){ gone.mfn, gone.count, gone.rights,
					       (enum memory_type)gone.memory });
			continue;
		}
		assert_true(machine->pending_count < PENDING_MAX);
		machine->pending[machine->pending_count++] = gone;
		mark_gone(machine, gone.mfn, gone.level, gone.kind == GONE_SUBTREE);
	}
}

static void check_bounds(struct machine *machine, const struct plan *plan, const struct step *step)
{
	if (step->stale.gone_count > plan->gone)
		machine_blame(machine, "%u entries gone, %u planned", step->stale.gone_count,
			      plan->gone);
	if (step->live_stores > plan->slots)
		machine_blame(machine, "%llu stores, %u planned",
			      (unsigned long long)step->live_stores, plan->slots);
	if (plan->slots > SP_STEP_SLOTS + MAX_LEVELS || plan->tables > SP_STEP_TABLES + MAX_LEVELS)
		machine_blame(machine, "a step of %u slots and %u tables", plan->slots,
			      plan->tables);
}

/* After the last store: the tree is as the oracle says, and nothing was lost on the way. */
static void finish(struct machine *machine, struct step *step)
{
	looks_end(machine);
	step->live_stores = machine->looks.live_stores;
	oracle_copy(&machine->oracle, &machine->after);
	oracle_lost(&machine->before, &machine->after, &machine->lost);
	collect_gone(machine, &step->stale);
	verify_stale(machine, &step->stale);
	verify_tree(machine);
	for (uint32_t i = 0; i < machine->looks.sample_count; i++)
		verify_find_at(machine, machine->looks.sample[i]);
}

static void plan_oracle(struct machine *machine, const struct plan *plan,
			const struct target *target)
{
	struct view view = machine_view(machine, target, target->mfn);

	oracle_copy(&machine->before, &machine->oracle);
	oracle_copy(&machine->after, &machine->oracle);
	if (plan->split_only)
		return;
	if (target->keep_frames)
		oracle_keep(&machine->after, plan->first, plan->end, view);
	else
		oracle_map(&machine->after, plan->first, plan->end, view);
}

void machine_step(struct machine *machine, uint64_t first, uint64_t end,
		  const struct target *target, struct step *step)
{
	struct reserve reserve;
	struct one one;

	*step = (struct step){ .status = SP_OK };
	step->status = machine_prepare(machine, first, end, target, &step->plan);
	if (step->status != SP_OK)
		return;
	check_plan(machine, first, end, &step->plan);
	plan_oracle(machine, &step->plan, target);
	looks_begin(machine, first, step->plan.split_only ? end : step->plan.end);
	step->is_one = step->plan.end - first == 1 &&
		       tree_prepare_one(&machine->tree, first, target, &one);
	begin(machine, &step->plan, step->is_one, &reserve, &step->stale);
	if (step->is_one) {
		tree_store_one(&machine->tree, first, target, &one);
		tree_note_one(&machine->tree, first, &one, &step->stale);
	} else {
		tree_commit(&machine->tree, &step->plan, &reserve, &step->stale);
	}
	step->tables = step->plan.tables - reserve.count;
	while (reserve.count)
		machine_give_page(machine, reserve.page[--reserve.count].mfn);
	finish(machine, step);
	check_bounds(machine, &step->plan, step);
}

enum sp_status machine_change(struct machine *machine, uint64_t first, uint64_t end,
			      const struct target *target)
{
	struct target rest = *target;
	struct step step;

	for (uint64_t at = first; at < end;) {
		machine_step(machine, at, end, &rest, &step);
		machine_assert_clean(machine);
		if (step.status != SP_OK)
			return step.status;
		rest.mfn += step.plan.end - at;
		at = step.plan.end;
	}
	return SP_OK;
}

void machine_map(struct machine *machine, uint64_t first, uint64_t count, uint64_t mfn,
		 uint32_t rights)
{
	struct target target = { .mfn = mfn, .rights = rights };

	assert_int_equal(machine_change(machine, first, first + count, &target), SP_OK);
}

void machine_unmap(struct machine *machine, uint64_t first, uint64_t count)
{
	struct target target = { .rights = 0 };

	assert_int_equal(machine_change(machine, first, first + count, &target), SP_OK);
}

static void begin_alone(struct machine *machine, struct plan *plan, struct step *step,
			uint64_t first, uint64_t end)
{
	struct reserve reserve;

	*step = (struct step){ .status = SP_OK };
	machine_keep_shadow(machine);
	looks_begin(machine, first, end);
	begin(machine, plan, false, &reserve, &step->stale);
}

bool machine_merge(struct machine *machine, uint64_t frame, uint32_t level, struct step *step)
{
	uint64_t first = align_down(frame, span_order(machine->tree.format, level));
	struct plan plan = { .gone = 1 };
	bool merged;

	oracle_copy(&machine->before, &machine->oracle);
	oracle_copy(&machine->after, &machine->oracle);
	begin_alone(machine, &plan, step, first,
		    first + BIT(span_order(machine->tree.format, level)));
	merged = tree_merge(&machine->tree, frame, level, &step->stale);
	finish(machine, step);
	machine_assert_clean(machine);
	return merged;
}

/* Which root slots went is read from the tree: the oracle follows. */
bool machine_close(struct machine *machine, uint32_t slots, struct step *step)
{
	uint32_t root = machine_page(machine, machine->tree.root.mfn), order;
	struct plan plan = { .gone = slots };
	bool closed;

	order = span_order(machine->tree.format, machine->tree.levels - 1u);
	oracle_copy(&machine->before, &machine->oracle);
	oracle_copy(&machine->after, &machine->oracle);
	begin_alone(machine, &plan, step, 0, 1);
	machine->looks.sample_count = 0;
	closed = tree_close(&machine->tree, slots, &step->stale);
	for (uint64_t i = 0; i < machine_slots(machine); i++)
		if (!machine->page[root][i])
			oracle_map(&machine->after, i << order, (i + 1) << order,
				   (struct view){ 0 });
	finish(machine, step);
	machine_assert_clean(machine);
	return closed;
}

/* ---- running ---- */

int run_conformance(const char *group, const struct conformance_test *tests, uint32_t count)
{
	static char names[16 * SUBJECT_COUNT][160];
	static struct CMUnitTest cases[16 * SUBJECT_COUNT];
	int failed;

	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t j = 0; j < SUBJECT_COUNT; j++) {
			uint32_t at = i * SUBJECT_COUNT + j;

			snprintf(names[at], sizeof(names[at]), "%s (%s)", tests[i].name,
				 subjects[j].name);
			cases[at] = (struct CMUnitTest){ .name = names[at],
							 .test_func = tests[i].run,
							 .initial_state =
								 (void *)(uintptr_t)&subjects[j] };
		}
	}
	failed = _cmocka_run_group_tests(group, cases, count * SUBJECT_COUNT, NULL, NULL);
	machine_free(last_machine);
	return failed;
}
