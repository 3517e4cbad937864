/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/core.c - the core as two sides: a tree alone, and a domain.
 *
 *   engine   tree_prepare -> pages for the reserve -> tree_commit; what goes is kept in a list
 *   p2m      sp_p2m_*: locks, ledger, limbo; settle is sp_progress() until nothing is left
 *
 * No large pages: the scenarios ask for 4K. No unit is attached, so nothing is posted to one.
 */
#include <stdlib.h>

#include "tests/bench/bench.h"

#define GONE_MAX     8192u
#define ALL_RIGHTS   (CPU_RIGHTS | DEVICE_RIGHTS)
#define CPU_AND_UNIT 2u

struct engine {
	struct side side; /* first */
	struct tree tree;
	struct reserve reserve;
	struct let_go gone[GONE_MAX];
	uint32_t gone_count;
};

struct sink {
	struct dismantle_sink base; /* first */
	struct arena *arena;
};

static struct engine *engine_of(struct side *side)
{
	return (struct engine *)side;
}

static void engine_open(struct side *side)
{
	struct tree *tree = &engine_of(side)->tree;

	tree_make(tree, side->subject->shape[0]->format, side,
		  (sp_mfn_t){ arena_take(&side->arena) }, 4);
	tree->owns_frames = true;
	tree->write_back = side->write_back;
}

static bool change_one(struct engine *engine, uint64_t frame, const struct target *target)
{
	struct stale stale;
	struct one one;

	if (!tree_prepare_one(&engine->tree, frame, target, &one))
		return false;
	stale_begin(&stale, &engine->gone[engine->gone_count], GONE_MAX - engine->gone_count);
	tree_store_one(&engine->tree, frame, target, &one);
	tree_note_one(&engine->tree, frame, &one, &stale);
	engine->gone_count += stale.gone_count;
	return true;
}

/* One call of an embedder, as many changes as it takes. */
static void change(struct engine *engine, uint64_t first, uint64_t end, struct target target)
{
	if (end - first == 1 && change_one(engine, first, &target))
		return;
	while (first < end) {
		struct stale stale;
		struct plan plan;

		stale_begin(&stale, &engine->gone[engine->gone_count],
			    GONE_MAX - engine->gone_count);
		if (tree_prepare(&engine->tree, first, end, &target, &plan) != SP_OK ||
		    plan.gone > stale.gone_max)
			bench_fail("the engine refuses frame %#llx", (unsigned long long)first);
		while (engine->reserve.count < plan.tables)
			engine->reserve.page[engine->reserve.count++].mfn =
				arena_take(&engine->side.arena);
		tree_commit(&engine->tree, &plan, &engine->reserve, &stale);
		engine->gone_count += stale.gone_count;
		target.mfn += plan.end - first;
		first = plan.end;
	}
}

static void engine_map(struct side *side, const struct places *places)
{
	for (uint32_t i = 0; i < places->calls; i++) {
		uint64_t first = places->first[i];
		struct target target = { .mfn = first + GUEST_MFN, .rights = ALL_RIGHTS };

		change(engine_of(side), first, first + places->count, target);
	}
}

static void engine_unmap(struct side *side, const struct places *places)
{
	for (uint32_t i = 0; i < places->calls; i++)
		change(engine_of(side), places->first[i], places->first[i] + places->count,
		       (struct target){ .rights = 0 });
}

static void sink_frames(struct dismantle_sink *sink, uint64_t mfn, uint64_t count, uint32_t rights,
			enum memory_type memory)
{
	(void)sink;
	(void)mfn;
	(void)count;
	(void)rights;
	(void)memory;
}

static void sink_table(struct dismantle_sink *sink, uint64_t mfn)
{
	arena_give(((struct sink *)sink)->arena, mfn);
}

static void release(struct engine *engine, const struct let_go *gone)
{
	struct sink sink = { { sink_frames, sink_table }, &engine->side.arena };
	struct dismantle place = { .depth = 0 };
	uint32_t budget = UINT32_MAX;

	if (gone->kind == GONE_TABLE)
		arena_give(&engine->side.arena, gone->mfn);
	if (gone->kind == GONE_SUBTREE &&
	    !tree_dismantle(&engine->tree, &place, gone->mfn, gone->level, &sink.base, &budget))
		bench_fail("a subtree is larger than a budget");
}

static void engine_settle(struct side *side)
{
	struct engine *engine = engine_of(side);

	for (uint32_t i = 0; i < engine->gone_count; i++)
		release(engine, &engine->gone[i]);
	engine->gone_count = 0;
}

static void engine_close(struct side *side)
{
	struct engine *engine = engine_of(side);
	struct stale stale = { .gone = engine->gone, .gone_max = GONE_MAX };

	engine_settle(side);
	if (!tree_close(&engine->tree, GONE_MAX, &stale))
		bench_fail("a root has more slots than that");
	engine->gone_count = stale.gone_count;
	engine_settle(side);
	while (engine->reserve.count)
		arena_give(&side->arena, engine->reserve.page[--engine->reserve.count].mfn);
	arena_give(&side->arena, engine->tree.root.mfn);
}

static uint64_t engine_find(struct side *side, const struct places *places)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < places->calls; i++) {
		struct found found;

		if (tree_find(&engine_of(side)->tree, places->first[i], &found))
			sum += found.mfn;
	}
	return sum;
}

static uint64_t engine_root(const struct side *side, uint32_t map)
{
	(void)map;
	return ((const struct engine *)side)->tree.root.mfn;
}

static const struct side_ops engine_ops = {
	engine_open,   engine_close, engine_map,  engine_unmap,
	engine_settle, engine_find,  engine_root,
};

struct side *engine_side(void)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		bench_fail("no memory");
	engine->side.ops = &engine_ops;
	arena_make(&engine->side.arena);
	return &engine->side;
}

/* ---- the whole path ---- */

struct p2m {
	struct side side; /* first */
	struct sp_host *host;
	struct sp_domain *domain;
};

static struct p2m *p2m_of(struct side *side)
{
	return (struct p2m *)side;
}

static void must(enum sp_status status, const char *what)
{
	if (status != SP_OK)
		bench_fail("%s: %s", what, sp_status_text(status));
}

static void p2m_open(struct side *side)
{
	const struct subject *subject = side->subject;
	struct p2m *p2m = p2m_of(side);
	struct sp_domain_config config = { .number = 1,
					   .cpu = subject->cpu,
					   .tables = subject->tables,
					   .table_budget = UINT32_MAX,
					   .asid = subject->cpu == SP_CPU_NPT };

	must(sp_domain_create(p2m->host, &config, &p2m->domain), "sp_domain_create");
	if (subject->maps == CPU_AND_UNIT)
		must(domain_add_map(p2m->domain, 1, subject->shape[1]->format, 4, 0,
				    side->write_back),
		     "domain_add_map");
}

static void p2m_settle(struct side *side)
{
	while (sp_progress(p2m_of(side)->host, SP_STEP_SLOTS) != UINT64_MAX)
		;
}

static void p2m_close(struct side *side)
{
	enum sp_status status;

	do {
		status = sp_domain_destroy(p2m_of(side)->domain);
	} while (status == SP_PENDING);
	must(status, "sp_domain_destroy");
}

static void p2m_map(struct side *side, const struct places *places)
{
	struct sp_domain *domain = p2m_of(side)->domain;
	struct sp_result result;

	for (uint32_t i = 0; i < places->calls; i++) {
		uint64_t first = places->first[i], end = first + places->count;

		for (; first < end; first += result.done)
			must(sp_p2m_map(domain, (sp_gfn_t){ first },
					(sp_mfn_t){ first + GUEST_MFN }, end - first, SP_RAM,
					&result),
			     "sp_p2m_map");
	}
}

static void p2m_unmap(struct side *side, const struct places *places)
{
	struct sp_domain *domain = p2m_of(side)->domain;
	struct sp_result result;

	for (uint32_t i = 0; i < places->calls; i++) {
		uint64_t first = places->first[i], end = first + places->count;

		for (; first < end; first += result.done) {
			enum sp_status status =
				sp_p2m_unmap(domain, (sp_gfn_t){ first }, end - first, &result);

			/* Limbo is full: what an embedder would do is part of the price. */
			if (status == SP_BUSY)
				p2m_settle(side);
			else
				must(status, "sp_p2m_unmap");
		}
	}
}

static uint64_t p2m_find(struct side *side, const struct places *places)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < places->calls; i++) {
		struct sp_mapping mapping;

		if (sp_p2m_find(p2m_of(side)->domain, (sp_gfn_t){ places->first[i] }, &mapping) ==
		    SP_OK)
			sum += mapping.frame.mfn;
	}
	return sum;
}

static uint64_t p2m_root(const struct side *side, uint32_t map)
{
	return ((const struct p2m *)side)->domain->maps[map].tree.root.mfn;
}

static const struct side_ops p2m_ops = {
	p2m_open, p2m_close, p2m_map, p2m_unmap, p2m_settle, p2m_find, p2m_root,
};

struct side *p2m_side(void)
{
	const struct sp_limits limits = { .cpus = 1, .domains = 1, .functions = 1 };
	size_t bytes = host_round(sp_host_size(&limits));
	void *memory = aligned_alloc(HOST_ALIGNMENT, bytes);
	struct p2m *p2m = calloc(1, sizeof(*p2m));

	if (!p2m || !memory)
		bench_fail("no memory");
	p2m->side.ops = &p2m_ops;
	arena_make(&p2m->side.arena);
	p2m->host = sp_host_create(memory, bytes, &limits, p2m);
	if (!p2m->host)
		bench_fail("sp_host_create refuses %zu bytes", bytes);
	return &p2m->side;
}
