/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/root/root.c - invalidate everything: what it holds the lock for, beside a walk that zaps.
 *
 *   root JSON
 *
 *   invalidate   sp_p2m_invalidate_all(): the call, and its longest hold of the lock
 *   zap          every leaf and link of the same tree is cleared under one hold: in proportion to what is mapped
 *   reclaim      the old tree is taken apart by sp_progress(), while another thread faults without a pause
 *
 * Time is that of the thread alone: who lost its CPU in the midst of a hold is not counted. The linker leads
 * the library's takes and drops of a domain's lock here.
 */
#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "memory.h"
#include "sync/domain.h"
#include "tests/bench/threads/ground.h"

#define ROUNDS	    9u
#define SIZES	    3u
#define MFN(gfn)    ((gfn) + (1ull << 28) + 1) /* one beside: small pages only */
#define FAULT_FIRST (1ull << 30)
#define FAULT_RANGE (1ull << 18)
#define SLOTS	    512u

static const uint64_t sizes[SIZES] = { 1, 1000, 1000000 };

enum figure {
	CALL,
	HOLD,
	ZAP,
	RECLAIM,
	WORST,
	FAULTS,
	FIGURES
};

struct bench {
	struct ground ground;
	struct sp_host *host;
	struct sp_domain *domain;
	bool faulting; /* the other thread goes on */
	uint64_t faults;
	double price; /* of a look at the clock */
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "root: %s\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* ---- the lock, seen from outside ---- */

static _Thread_local double taken_at, held_most;

void __real_domain_take(struct sp_domain *domain);
void __real_domain_drop(struct sp_domain *domain);
void __wrap_domain_take(struct sp_domain *domain);
void __wrap_domain_drop(struct sp_domain *domain);

void __wrap_domain_take(struct sp_domain *domain)
{
	__real_domain_take(domain);
	taken_at = now();
}

void __wrap_domain_drop(struct sp_domain *domain)
{
	double held = now() - taken_at;

	held_most = held > held_most ? held : held_most;
	__real_domain_drop(domain);
}

static double longest(const struct bench *bench)
{
	return held_most > bench->price ? held_most - bench->price : 0;
}

/* ---- the old state ---- */

static void map(struct sp_domain *domain, uint64_t gfn, uint64_t count)
{
	struct sp_result result;

	for (; count; gfn += result.done, count -= result.done)
		must(sp_p2m_map(domain, (sp_gfn_t){ gfn }, (sp_mfn_t){ MFN(gfn) }, count, SP_RAM,
				&result) == SP_OK,
		     "memory was not mapped");
}

static void settle(struct bench *bench)
{
	while (sp_progress(bench->host, SP_STEP_SLOTS) != UINT64_MAX)
		;
}

/* What a domain knows of itself is in the caches where it is at work; its tables need not be. */
static void warm(struct bench *bench)
{
	struct sp_result result;

	for (uint32_t i = 0; i < 8; i++) {
		map(bench->domain, FAULT_FIRST - 1, 1);
		must(sp_p2m_unmap(bench->domain, (sp_gfn_t){ FAULT_FIRST - 1 }, 1, &result) ==
			     SP_OK,
		     "a page does not go");
		settle(bench);
	}
}

/* ---- a walk that zaps ---- */

/* Slots cleared one after the other; tables go back when nothing leads to them. */
static void zap_table(struct bench *bench, const struct format *format, uint64_t mfn,
		      uint32_t level)
{
	uint64_t *table = platform_pointer(&bench->ground, (sp_mfn_t){ mfn });

	for (uint32_t i = 0; i < SLOTS; i++) {
		uint64_t slot = load64(&table[i]);

		if (!(slot & format->present))
			continue;
		store64(&table[i], 0);
		if (slot_kind(format, level, slot) != SLOT_LINK)
			continue;
		zap_table(bench, format, slot_frame(format, slot), level - 1);
		bench->domain->tables_used--;
		platform_frames_give(&bench->ground, (sp_mfn_t){ slot_frame(format, slot) }, 0);
	}
}

static void zap(struct bench *bench) UNCHECKED
{
	struct tree *tree = &bench->domain->maps[0].tree;

	domain_take(bench->domain);
	zap_table(bench, tree->format, tree->root.mfn, tree->levels - 1u);
	tree->shape++;
	domain_drop(bench->domain);
}

/* ---- reclaim, while faults come ---- */

static void *fault_on(void *argument)
{
	struct bench *bench = argument;
	uint64_t at = 0;

	ground_set_cpu(1);
	while (__atomic_load_n(&bench->faulting, __ATOMIC_ACQUIRE)) {
		uint64_t sample = sp_p2m_sample(bench->domain), gfn = FAULT_FIRST + at;
		struct sp_result result;

		must(sp_p2m_map_sampled(bench->domain, sample, (sp_gfn_t){ gfn },
					(sp_mfn_t){ MFN(gfn) }, 1, SP_RAM, &result) == SP_OK,
		     "a fault was refused");
		at = (at + 1) % FAULT_RANGE;
		__atomic_fetch_add(&bench->faults, 1, __ATOMIC_RELAXED);
	}
	ground_leave(&bench->ground);
	return NULL;
}

static void reclaim(struct bench *bench, double figure[FIGURES])
{
	uint64_t before;
	pthread_t thread;
	double begin;

	__atomic_store_n(&bench->faulting, true, __ATOMIC_RELEASE);
	before = __atomic_load_n(&bench->faults, __ATOMIC_RELAXED);
	must(!pthread_create(&thread, NULL, fault_on, bench), "no thread");
	while (__atomic_load_n(&bench->faults, __ATOMIC_RELAXED) == before)
		sched_yield();
	before = __atomic_load_n(&bench->faults, __ATOMIC_RELAXED);
	held_most = 0;
	begin = now();
	while (bench->domain->limbo.count)
		(void)sp_progress(bench->host, SP_STEP_SLOTS);
	figure[RECLAIM] = now() - begin;
	figure[WORST] = longest(bench);
	figure[FAULTS] = (double)(__atomic_load_n(&bench->faults, __ATOMIC_RELAXED) - before);
	__atomic_store_n(&bench->faulting, false, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

/* ---- a round ---- */

static void run(struct bench *bench, uint64_t pages, double figure[FIGURES])
{
	struct sp_result result;
	double begin;

	map(bench->domain, 0, pages);
	settle(bench);
	warm(bench);
	held_most = 0;
	zap(bench);
	figure[ZAP] = longest(bench);

	map(bench->domain, 0, pages);
	settle(bench);
	warm(bench);
	held_most = 0;
	begin = now();
	must(sp_p2m_invalidate_all(bench->domain, &result) == SP_OK, "it was refused");
	figure[CALL] = now() - begin;
	figure[HOLD] = longest(bench);
	must(bench->domain->limbo.count == 1, "the old tree is not one entry of limbo");
	reclaim(bench, figure);
	/* What was faulted in goes too, unmeasured. */
	must(sp_p2m_invalidate_all(bench->domain, &result) == SP_OK, "it was refused");
	settle(bench);
}

/* ---- the report ---- */

static int compare_doubles(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static double median(double rounds[ROUNDS][FIGURES], enum figure figure)
{
	double values[ROUNDS];

	for (uint32_t i = 0; i < ROUNDS; i++)
		values[i] = rounds[i][figure];
	qsort(values, ROUNDS, sizeof(*values), compare_doubles);
	return values[ROUNDS / 2];
}

static struct libscols_table *make_table(void)
{
	static const char *const names[] = {
		"pages",       "call ns",    "hold ns",	      "zap: hold ns",
		"zap to ours", "reclaim ns", "worst hold ns", "faults meanwhile",
	};
	struct libscols_table *table = scols_new_table();

	must(table, "no memory");
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		must(scols_table_new_column(table, names[i], 0, SCOLS_FL_RIGHT), "no memory");
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	return table;
}

static void add_row(json_t *list, uint64_t pages, const char *what, double ns, double theirs,
		    bool has_aim, bool reached)
{
	char name[64];
	json_t *object;

	snprintf(name, sizeof(name), "%s, %llu pages", what, (unsigned long long)pages);
	object = json_pack("{s:s, s:s, s:s, s:s, s:f, s:s, s:f, s:f, s:n, s:s, s:s}", "scenario",
			   name, "format", "EPT", "path", "root", "unit", "hold", "ns", ns,
			   "roofline", "walk and zap", "roofline_ns", theirs, "ratio",
			   theirs > 0 ? ns / theirs : 1.0, "instructions", "aim",
			   has_aim ? "<= 1/100" : "-", "verdict",
			   !has_aim  ? "none"
			   : reached ? "reached"
				     : "missed");
	must(object && !json_array_append_new(list, object), "no memory");
}

static void report(double rounds[SIZES][ROUNDS][FIGURES], const char *path)
{
	struct libscols_table *table = make_table();
	json_t *list = json_array();

	for (uint32_t i = 0; i < SIZES; i++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);
		double value[FIGURES];
		char text[8][24];

		must(line, "no memory");
		for (uint32_t figure = 0; figure < FIGURES; figure++)
			value[figure] = median(rounds[i], (enum figure)figure);
		snprintf(text[0], sizeof(text[0]), "%llu", (unsigned long long)sizes[i]);
		snprintf(text[1], sizeof(text[1]), "%.0f", value[CALL]);
		snprintf(text[2], sizeof(text[2]), "%.0f", value[HOLD]);
		snprintf(text[3], sizeof(text[3]), "%.0f", value[ZAP]);
		snprintf(text[4], sizeof(text[4]), "%.1f", value[ZAP] / (value[HOLD] + 1));
		snprintf(text[5], sizeof(text[5]), "%.0f", value[RECLAIM]);
		snprintf(text[6], sizeof(text[6]), "%.0f", value[WORST]);
		snprintf(text[7], sizeof(text[7]), "%.0f", value[FAULTS]);
		for (uint32_t column = 0; column < 8; column++)
			(void)scols_line_set_data(line, column, text[column]);
		/* Flat, but for a line that the caches lost. */
		add_row(list, sizes[i], "invalidate everything", value[HOLD], value[ZAP],
			i == SIZES - 1, value[HOLD] <= value[ZAP] / 100);
		add_row(list, sizes[i], "reclaim, worst hold", value[WORST], value[ZAP], false,
			false);
	}
	printf("\nInvalidate everything, EPT, pages of 4 KiB; ns of CPU time, medians of %u rounds; zap: a "
	       "walk that clears\nevery slot under one hold; worst hold: of taking the old tree apart, %u "
	       "slots a step, while a thread faults:\n",
	       ROUNDS, SP_STEP_SLOTS);
	must(!scols_print_table(table) && !json_dump_file(list, path, JSON_INDENT(1)),
	     "the report cannot be written");
	scols_unref_table(table);
	json_decref(list);
}

static struct bench *make(void)
{
	const struct sp_limits limits = { .cpus = 2, .domains = 1, .functions = 1 };
	const struct sp_domain_config config = { .number = 1,
						 .cpu = SP_CPU_EPT,
						 .tables = SP_TABLES_SEPARATE,
						 .table_budget = GROUND_PAGES };
	size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;
	struct bench *bench = calloc(1, sizeof(*bench));
	void *memory = aligned_alloc(64, bytes);

	must(bench && memory, "no memory");
	ground_make(&bench->ground);
	ground_set_cpu(0);
	bench->host = sp_host_create(memory, bytes, &limits, &bench->ground);
	must(bench->host, "no host");
	must(sp_domain_create(bench->host, &config, &bench->domain) == SP_OK, "no domain");
	bench->price = now();
	bench->price = now() - bench->price;
	return bench;
}

int main(int count, char **words)
{
	static double rounds[SIZES][ROUNDS][FIGURES];
	struct bench *bench = make();

	must(count == 2, "usage: root JSON");
	for (uint32_t round = 0; round < ROUNDS; round++)
		for (uint32_t i = 0; i < SIZES; i++)
			run(bench, sizes[i], rounds[i][round]);
	report(rounds, words[1]);
	return 0;
}
