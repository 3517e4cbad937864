/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_one_test.c - a change of one small page goes the short way (pagetable/one.c) or the
 * one that all changes can go: nobody can tell which.
 *
 *   pages, before --+-- tree_commit() ----> pages, seen, stale    kept
 *                   `-- machine_step() ---> pages, seen, stale    compared, and judged
 */
#include "tests/unit/engine_fixture.h"

#include <stdlib.h>
#include <string.h>

#define CHANGES 160u

struct kept {
	struct tree tree;
	uint64_t (*page)[PAGE_SLOTS];
	uint64_t (*seen)[PAGE_SLOTS];
};

static struct kept make_kept(void)
{
	return (struct kept){ .page = machine_make_pages(), .seen = machine_make_pages() };
}

static void free_kept(struct kept *kept)
{
	free(kept->page);
	free(kept->seen);
}

static void copy_pages(uint64_t (*to)[PAGE_SLOTS], uint64_t (*from)[PAGE_SLOTS], uint32_t count)
{
	memcpy(to, from, (size_t)count * SP_FRAME_BYTES);
}

static void keep(const struct machine *machine, struct kept *kept)
{
	kept->tree = machine->tree;
	copy_pages(kept->page, machine->page, machine->top);
	copy_pages(kept->seen, machine->seen, machine->top);
}

static void bring_back(struct machine *machine, const struct kept *kept)
{
	machine->tree = kept->tree;
	copy_pages(machine->page, kept->page, machine->top);
	copy_pages(machine->seen, kept->seen, machine->top);
}

/* But for what hardware may set at any time, and the fixture sets between two stores. */
static bool same_pages(const struct machine *machine, uint64_t (*a)[PAGE_SLOTS],
		       uint64_t (*b)[PAGE_SLOTS])
{
	uint64_t looked_at = ~machine->tree.format->hardware;

	for (uint32_t page = 0; page < machine->top; page++)
		for (uint32_t slot = 0; slot < machine_slots(machine); slot++)
			if ((a[page][slot] ^ b[page][slot]) & looked_at)
				return false;
	return true;
}

static void assert_same_stale(const struct stale *a, const struct stale *b)
{
	assert_int_equal(a->large.first, b->large.first);
	assert_int_equal(a->large.end, b->large.end);
	assert_int_equal(a->gone_count, b->gone_count);
	for (uint32_t i = 0; i < a->gone_count; i++) {
		assert_int_equal(a->gone[i].kind, b->gone[i].kind);
		assert_int_equal(a->gone[i].mfn, b->gone[i].mfn);
		assert_int_equal(a->gone[i].count, b->gone[i].count);
		assert_int_equal(a->gone[i].rights, b->gone[i].rights);
		assert_int_equal(a->gone[i].memory, b->gone[i].memory);
	}
	for (uint32_t walker = 0; walker < WALKER_COUNT; walker++) {
		assert_int_equal(a->kinds[walker], b->kinds[walker]);
		for (uint32_t kind = 0; kind < KIND_COUNT; kind++)
			if (a->kinds[walker] >> kind & 1)
				assert_memory_equal(&a->span[walker][kind], &b->span[walker][kind],
						    sizeof(struct span));
	}
}

/* True where the short way was taken, and did what the long one does. */
static bool change(struct machine *machine, struct kept *before, struct kept *after, uint64_t frame,
		   const struct target *target)
{
	struct let_go gone[MAX_LEVELS];
	struct plan plan;
	struct stale stale;
	struct step step;
	struct one one;

	if (machine_prepare(machine, frame, frame + 1, target, &plan) != SP_OK)
		return false;
	if (!tree_prepare_one(&machine->tree, frame, target, &one)) {
		machine_change(machine, frame, frame + 1, target);
		return false;
	}
	assert_int_equal(plan.end, frame + 1);
	assert_int_equal(plan.tables, 0);
	keep(machine, before);
	stale_begin(&stale, gone, MAX_LEVELS);
	tree_commit(&machine->tree, &plan, NULL, &stale);
	keep(machine, after);
	bring_back(machine, before);

	machine_step(machine, frame, frame + 1, target, &step);
	machine_assert_clean(machine);
	assert_true(step.is_one);
	assert_int_equal(machine->tree.shape, after->tree.shape);
	assert_true(same_pages(machine, machine->page, after->page));
	assert_true(same_pages(machine, machine->seen, after->seen));
	assert_same_stale(&step.stale, &stale);
	return true;
}

static struct target random_target(struct machine *machine)
{
	uint32_t kind = (uint32_t)machine_random(machine, 5);
	struct target target = { .mfn = machine_fresh(machine) };

	if (kind < 2)
		return (struct target){ .rights = 0 };
	target.rights = machine_random(machine, 2) ? machine_all_rights(machine)
						   : machine_few_rights(machine);
	target.keep_frames = kind == 2;
	return target;
}

static void both_ways_do_the_same(void **state)
{
	struct machine *machine = machine_make(*state);
	struct kept before = make_kept(), after = make_kept();
	uint64_t window = min_u64(40, machine_frames(machine) / 2), short_ways = 0;
	uint64_t base = machine_base(machine);

	/* A table that is one run among them, and two that are not. */
	machine_map(machine, base, min_u64(machine_span(machine, 1), machine_frames(machine)),
		    machine_fresh(machine) + 1, machine_all_rights(machine));
	for (uint32_t i = 0; i < CHANGES; i++) {
		uint64_t border = min_u64(base + machine_span(machine, 1), machine_frames(machine));
		uint64_t frame = border - window + machine_random(machine, 2 * window);
		struct target target = random_target(machine);

		if (frame >= machine_frames(machine))
			continue;
		short_ways += change(machine, &before, &after, frame, &target);
		if (machine_random(machine, 20) == 0)
			machine_unmap(machine, border, window);
	}
	/* One level has no table that could be there; two slots are half empty most of the time. */
	if (machine->tree.levels > 1)
		assert_in_range(short_ways, machine_slots(machine) > 2 ? CHANGES / 3 : 1, CHANGES);
	machine_settle(machine, 0);
	free_kept(&before);
	free_kept(&after);
	machine_free(machine);
}

/* The table that was near goes, and another comes in its place. */
static bool writes_a_table_that_went(const struct subject *subject, enum sp_mutant mutant)
{
	const struct target absent = { .rights = 0 };
	struct machine *machine = machine_make(subject);
	uint64_t base = machine_base(machine), span = machine_span(machine, 1);
	struct target all = { .rights = machine_all_rights(machine) };
	struct step step;
	bool blamed;

	machine->mutant = (uint32_t)mutant;
	machine_map(machine, base, span, machine_fresh(machine) + 1, all.rights);
	machine_unmap(machine, base, 1);
	machine_map(machine, base, 1, machine_fresh(machine), all.rights);
	machine_step(machine, base, base + span, &absent, &step);
	/* The fixture blames a store into a page that was let go, and a page that is not as asked. */
	all.mfn = machine_fresh(machine);
	machine_step(machine, base, base + 1, &all, &step);
	blamed = machine->verdict[0] != '\0';
	if (!blamed)
		machine_settle(machine, 0);
	machine_free(machine);
	return blamed;
}

static void a_table_that_was_near_and_went_is_not_written(void **state)
{
	const struct subject *subject = *state;

	assert_false(writes_a_table_that_went(subject, SP_MUT_NONE));
	/* With two slots, or none below the root, no table is ever near. */
	if (subject->levels > 1 && subject->format->slots_order > 1)
		assert_true(writes_a_table_that_went(subject, SP_MUT_NEAR_KEPT));
}

int main(void)
{
	static const struct conformance_test tests[] = {
		{ "both_ways_do_the_same", both_ways_do_the_same },
		{ "a_table_that_was_near_and_went_is_not_written",
		  a_table_that_was_near_and_went_is_not_written },
	};

	return run_conformance("engine_one", tests, sizeof(tests) / sizeof(tests[0]));
}
